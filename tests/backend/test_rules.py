"""The rules of the deal: recorded in the database, set by a setting, or the defaults. On both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from agent_funnel import deal
from agent_funnel.errors import FunnelError, ParameterOutOfRange
from agent_funnel.leads import pool_report
from agent_funnel.rules import (
    DEFAULTS,
    Rules,
    RuleState,
    effective,
    list_rules,
    record_rules,
    rule_problems,
    rules_in_words,
)
from agent_funnel.runs import RunRecord, find_run, list_runs
from agent_funnel.schedule.store import record_failure
from agent_funnel.settings import load
from support.databases import TestedDatabase, snapshot
from support.nights import TODAY, active_agents, fresh, numbers_by_agent, put_agents, put_leads, undo

# The rules that the tests record, which are neither the defaults nor those of the explicit parameters:
RULES: dict[str, Any] = {
    "country": "BR", "max_per_agent": 2, "window_days": 10, "newest_first": True, "voice": "as-dealt",
}  # fmt: skip
OTHER: dict[str, Any] = {
    "country": "none", "max_per_agent": 1, "window_days": 20, "newest_first": False, "voice": "fresh",
}  # fmt: skip


@pytest.fixture
def floor(database: TestedDatabase) -> TestedDatabase:
    """One agent, and leads of three ages: 15 days, 5 days, and 3 days."""
    put_agents(database, active_agents("A"))
    for number, days in ((1, 15), (2, 5), (3, 3)):
        put_leads(database, fresh(1, start=number, created=datetime.combine(TODAY - timedelta(days=days), time(12))))
    return database


def record(database: TestedDatabase, name: str, value: str) -> None:
    """Adds a row to the table, as a DBA may do."""
    database.execute(
        "INSERT INTO dbo.floor_rule (name, value, recorded_at, recorded_by) VALUES (%s, %s, '2026-01-01', 'dba')",
        name, value,
    )  # fmt: skip


def deal_by(database: TestedDatabase, **parameters: Any) -> RunRecord:
    """Deals with these parameters of the procedure, and leaves the others out; returns the run as it is on record."""
    if database.engine == "sqlserver":
        named = ", ".join(f"@{name} = %s" for name in parameters)
        database.execute(
            f"EXECUTE dbo.sp_assign_wafunnel_to_agents @business_date = '{TODAY}', @again = 1{', ' if named else ''}"
            f"{named}",
            *parameters.values(),
        )
    else:
        # SQLite has no default parameters; the service sends NULL.
        given = dict.fromkeys(("max_per_agent", "window_days", "newest_first", "country", "voice", "actor", "request"))
        given |= {"skip_date": None, "skip_until": None}
        database.backend.one(
            "assign", business_date=TODAY.isoformat(), trigger="manual", again=1, **{**given, **parameters}
        )
    return list_runs(database.backend, count=1)[0]


def rules_of(run: RunRecord) -> Rules:
    """The rules of a run on record."""
    return Rules(run.country or "none", run.max_per_agent, run.window_days, run.newest_first, run.voice)


def as_text(value: Any) -> str:
    """The value of a rule, as the table has it."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def test_a_deal_without_parameters_goes_by_the_newest_record_of_each_rule_or_the_default(
    floor: TestedDatabase,
) -> None:
    run = deal_by(floor)
    assert rules_of(run) == DEFAULTS == Rules("none", 450, 45, False, "fresh")
    assert (run.country, numbers_by_agent(floor)) == (None, {"A": ["000001", "000002", "000003"]})
    for name, value in OTHER.items():
        record(floor, name, as_text(value))
    for name, value in RULES.items():
        record(floor, name, as_text(value))
    # A rule that this version does not know has no effect.
    record(floor, "later", "x")
    run = deal_by(floor)
    assert rules_of(run) == Rules(**RULES)
    # The lead of 15 days is too old now; both others are dealt.
    assert (run.pool, numbers_by_agent(floor)) == (2, {"A": ["000002", "000003"]})
    record(floor, "max_per_agent", "1")
    run = deal_by(floor)
    # The newest of the two comes first.
    assert numbers_by_agent(floor) == {"A": ["000003"]}
    assert rules_of(run) == Rules(**{**RULES, "max_per_agent": 1})
    # The runs keep the rules that they had.
    assert [rules_of(run).max_per_agent for run in list_runs(floor.backend)] == [1, 2, 450]


@pytest.mark.parametrize("name", RULES)
def test_an_explicit_parameter_wins_and_null_is_the_recorded_rule(floor: TestedDatabase, name: str) -> None:
    for each, value in RULES.items():
        record(floor, each, as_text(value))
    explicit = int(OTHER[name]) if isinstance(OTHER[name], bool) else OTHER[name]
    run = deal_by(floor, **{name: explicit})
    assert rules_of(run) == Rules(**{**RULES, name: OTHER[name]})
    assert rules_of(deal_by(floor, **{name: None})) == Rules(**RULES)


@pytest.mark.parametrize("written", ["br", "Br", "BR"])
def test_a_country_is_written_in_any_case(floor: TestedDatabase, written: str) -> None:
    assert deal_by(floor, country=written).country == "BR"
    record(floor, "country", written)
    assert deal_by(floor).country == "BR"
    assert deal_by(floor, country="NONE").country is None
    record(floor, "country", "None")
    assert deal_by(floor).country is None


@pytest.mark.parametrize(
    ("name", "bad", "limits"),
    [
        ("max_per_agent", "0", "from 1 to 1000000"),
        ("max_per_agent", "0450", "from 1 to 1000000"),
        ("max_per_agent", "many", "from 1 to 1000000"),
        ("window_days", "", "from 0 to 36500"),
        ("window_days", "99999999999", "from 0 to 36500"),
        ("newest_first", "true", "0 or 1"),
        ("voice", "none", "fresh or as-dealt"),
        ("country", "XX", "none or one of BR, MX, AR, US, CA, DE, GB, ES, PT, FR, IT, RU"),
        ("country", "", "none or one of BR, MX, AR, US, CA, DE, GB, ES, PT, FR, IT, RU"),
    ],
)
def test_a_rule_that_is_recorded_wrongly_is_named_and_no_deal_is_made_by_it(
    floor: TestedDatabase, name: str, bad: str, limits: str
) -> None:
    record(floor, name, bad)
    before = snapshot(floor)
    expected = (
        f"The recorded rule {name} is {bad!r}; it must be {limits}. Nothing was changed. Record another value with "
        "`agent-funnel rules set`, or in floor_rule."
    )
    backend, settings = floor.backend, load()
    for call in (
        lambda: deal.deal(backend, settings, business_date=TODAY),
        lambda: deal.preview(backend, settings, business_date=TODAY),
        lambda: effective(backend, settings),
        lambda: pool_report(backend, settings, TODAY),
    ):
        with pytest.raises(ParameterOutOfRange) as refused:
            call()
        assert str(refused.value) == expected
    assert snapshot(floor) == before
    assert rule_problems(list_rules(backend, settings)) == [expected]
    # A parameter, or the right value, helps.
    given = load(**{name: RULES[name]})
    assert deal.deal(backend, given, business_date=TODAY).status == "succeeded"
    record_rules(backend, {name: RULES[name]}, actor="Ana")
    assert rules_of(deal_by(floor)) == effective(backend, settings)


def test_a_rule_holds_from_its_record_on_and_all_agree_on_it(floor: TestedDatabase) -> None:
    backend, settings = floor.backend, load()
    assert record_rules(backend, {"max_per_agent": 2, "window_days": 45, "country": "BR"}, actor="Ana") == [
        "max_per_agent", "country",
    ]  # fmt: skip
    # What holds already is not recorded again.
    assert record_rules(backend, {"max_per_agent": 2, "newest_first": False}, actor="Bea") == []
    assert record_rules(backend, {"window_days": 10}, actor="x" * 300) == ["window_days"]
    rows = floor.execute("SELECT name, value, recorded_by FROM dbo.floor_rule ORDER BY rule_id")
    assert sorted(rows[:2]) == [("country", "BR", "Ana"), ("max_per_agent", "2", "Ana")]
    assert rows[2:] == [("window_days", "10", "x" * 255)]
    expected = Rules("BR", 2, 10, False, "fresh")
    assert effective(backend, settings) == expected
    shown = deal.preview(backend, settings, business_date=TODAY)
    report = pool_report(backend, settings, TODAY)
    assert (shown.run.pool, shown.run.assigned, shown.shares[0].room) == (2, 2, 2)
    assert (report.too_old, report.left_over) == (1, 2)
    run = deal.deal(backend, settings, business_date=TODAY)
    assert (run.pool, run.assigned, run.per_agent) == (2, 2, 2)
    assert rules_of(find_run(backend, run.run_id)) == expected
    undo(floor)
    assert rules_of(find_run(backend, run.run_id)) == expected


def test_settings_win_over_the_record_and_a_difference_is_said(
    floor: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = floor.backend
    record_rules(backend, {"max_per_agent": 3, "newest_first": True}, actor="Ana")
    monkeypatch.setenv("FUNNEL_MAX_PER_AGENT", "1")
    monkeypatch.setenv("FUNNEL_COUNTRY", "br")
    monkeypatch.setenv("FUNNEL_NEWEST_FIRST", "yes")
    settings = load()
    assert effective(backend, settings) == Rules("BR", 1, 45, True, "fresh")
    found = {state.name: state for state in list_rules(backend, settings)}
    at = found["max_per_agent"].recorded_at
    assert at is not None
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    assert found["max_per_agent"] == RuleState("max_per_agent", 1, "environment", 3, "3", at, "Ana")
    assert found["country"] == RuleState("country", "BR", "environment", "none", None, None, None)
    assert (found["window_days"].source, found["newest_first"].source) == ("default", "environment")
    assert rule_problems([*found.values()]) == [
        "FUNNEL_COUNTRY (environment) is BR, but none is the default in the database: this program deals by BR, and a "
        "deal that names no value by none. Unset FUNNEL_COUNTRY, or run `agent-funnel rules set country BR`.",
        "FUNNEL_MAX_PER_AGENT (environment) is 1, but 3 is recorded in the database: this program deals by 1, and a "
        "deal that names no value by 3. Unset FUNNEL_MAX_PER_AGENT, or run `agent-funnel rules set max_per_agent 1`.",
    ]
    run = deal.deal(backend, settings, business_date=TODAY)
    assert rules_of(find_run(backend, run.run_id)) == Rules("BR", 1, 45, True, "fresh")
    assert rules_of(deal_by(floor)) == Rules("none", 3, 45, True, "fresh")
    assert {state.source for state in list_rules(backend, load(max_per_agent=5))} == {
        "flag", "environment", "default",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "bad"), [("country", "XX"), ("max_per_agent", 0), ("window_days", 36_501)])
def test_a_value_that_is_not_allowed_is_not_recorded(database: TestedDatabase, name: str, bad: Any) -> None:
    with pytest.raises(ParameterOutOfRange, match=f"{name} is '{bad}'; it must be .* Nothing was changed"):
        record_rules(database.backend, {"newest_first": True, name: bad}, actor="Ana")
    assert database.execute("SELECT COUNT(*) FROM dbo.floor_rule") == [(0,)]


def test_a_failed_attempt_keeps_the_rules_that_it_had(database: TestedDatabase) -> None:
    record_rules(database.backend, RULES, actor="Ana")
    failed_attempt(database, 1)
    record(database, "country", "XX")
    failed_attempt(database, 2)
    record(database, "country", "none")
    failed_attempt(database, 3)
    # Another copy has recorded this one.
    assert not failed_attempt(database, 3)
    assert [rules_of(run) for run in reversed(list_runs(database.backend))] == [
        Rules(**RULES), DEFAULTS, Rules(**{**RULES, "country": "none"}),
    ]  # fmt: skip


def failed_attempt(database: TestedDatabase, attempt: int) -> bool:
    """Records a failed attempt at tonight's run."""
    now = datetime(2026, 11, 23, 20, 40, tzinfo=UTC)
    return record_failure(
        database.backend, load(), date(2026, 11, 23), FunnelError("why"), attempt=attempt, started_at=now,
        finished_at=now, actor="tests",
    )  # fmt: skip


def test_rules_in_words() -> None:
    assert rules_in_words(DEFAULTS) == (
        "at most 450 leads per agent, leads of the last 45 days, oldest first, no country, a fresh voice"
    )
    assert rules_in_words(Rules(**RULES)).endswith(
        "leads of the last 10 days, newest first, country BR, no fresh voice"
    )
