"""The ages of do-not-contact lists: who is told that a list is old, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from agent_funnel import metrics
from agent_funnel.do_not_contact import add_number_list, number_lists, old_lists
from agent_funnel.do_not_contact_files import import_numbers
from agent_funnel.settings import load
from support.databases import TestedDatabase
from support.doctor import problems
from support.stepped import OPENS, SteppedClock

REGISTER = "national register"
# Just after the bound of a list that was imported at this moment:
IMPORTED = OPENS - timedelta(days=30, hours=2)
SECOND = timedelta(seconds=1)


@pytest.fixture
def register(database: TestedDatabase) -> Iterator[TestedDatabase]:
    """A database with a list that has a bound of 30 days, and was imported 30 days and two hours before a deal."""
    installed = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")
    add_number_list(database.backend, REGISTER, bound_days=30)
    import_numbers(database.backend, BytesIO(b"+5511987654321"), list_name=REGISTER)
    imported_at(database, IMPORTED)
    yield database
    for version, moment in installed:
        database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s WHERE version = %s", moment, version)


def imported_at(database: TestedDatabase, moment: datetime) -> None:
    """Makes the last import of the list one of that moment."""
    utc = moment.astimezone(UTC)
    database.execute(
        "UPDATE dbo.do_not_contact_list SET imported_at = %s WHERE name = %s", f"{utc:%Y-%m-%d %H:%M:%S}.000", REGISTER
    )


def test_a_list_is_old_once_its_last_import_is_longer_ago_than_its_bound(register: TestedDatabase) -> None:
    due = IMPORTED + timedelta(days=30)
    assert old_lists(register.backend, due) == []
    (old,) = old_lists(register.backend, due + SECOND)
    assert number_lists(register.backend, due + SECOND)[1].age_days == old.days
    # No list is younger than today, whatever the clocks of copies say.
    assert [each.age_days for each in number_lists(register.backend, datetime(2026, 1, 1, tzinfo=UTC))] == [0, 0]
    assert (old.name, old.days, old.bound_days) == (REGISTER, 30, 30)
    assert "import it again" in old.text
    # A list without an import is as old as the list itself.
    register.execute("UPDATE dbo.do_not_contact_list SET imported_at = NULL")
    assert len(old_lists(register.backend, datetime.now(UTC) + timedelta(days=31))) == 1
    # The list of own requests never ages.
    assert [each.name for each in old_lists(register.backend, datetime.now(UTC) + timedelta(days=9_999))] == [REGISTER]


def test_people_are_told_of_an_old_list_once_a_day_whichever_copy_looks_first(register: TestedDatabase) -> None:
    # The look ahead to the run of the date would warn, too, as there are no agents.
    first, second = (SteppedClock(register.backend, warn_before="0") for _ in range(2))
    noon = OPENS - timedelta(hours=1)
    assert first.look(noon) == ["warning"]
    assert REGISTER in first.notifier.notices[0][1]
    assert second.look(noon + SECOND) == []
    assert first.look(noon + timedelta(minutes=30)) == []
    day = noon + timedelta(days=1)
    assert "warning" in second.look(day + SECOND)
    assert "warning" not in first.look(day + 2 * SECOND)
    # An import ends it.
    imported_at(register, day)
    assert "warning" not in first.look(day + timedelta(days=1, minutes=1))


def test_the_metrics_have_the_age_and_the_size_of_each_list_and_the_doctor_warns(register: TestedDatabase) -> None:
    now = IMPORTED + timedelta(days=31)
    text = metrics.render(register.backend, load(), now=now, beat_age=None).decode()
    assert f'agent_funnel_do_not_contact_age_seconds{{list="{REGISTER}"}} 2.6784e+06' in text
    assert f'agent_funnel_do_not_contact_numbers{{list="{REGISTER}"}} 1.0' in text
    assert 'agent_funnel_do_not_contact_numbers{list="own requests"} 0.0' in text
    assert 'age_seconds{list="own requests"}' not in text
    # A viewer's key reads the metrics; names that are masked alike are one label.
    for name in ("L +4915112345678", "L +4915199999678"):
        add_number_list(register.backend, name)
        import_numbers(register.backend, BytesIO(b"+5511987654321"), list_name=name)
    text = metrics.render(register.backend, load(), now=now, beat_age=None).decode()
    assert 'agent_funnel_do_not_contact_numbers{list="L …678"} 2.0' in text
    (found,) = problems(register, "list ages")
    assert (found.level, REGISTER in found.text) == ("warning", True)
