"""The letters about deals and failed nights: what they say, that no number is in them, and that each is sent once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from agent_funnel.agents import add_limit
from agent_funnel.deal import deal, undo
from agent_funnel.do_not_contact import add_number_list
from agent_funnel.errors import DatabaseError
from agent_funnel.notify import Letter
from agent_funnel.schedule import letters
from agent_funnel.schedule.letter import letter_of_night, letter_of_run
from agent_funnel.schedule.store import add_holiday
from agent_funnel.settings import Settings, load
from support.databases import TestedDatabase
from support.nights import active_agents, put_agents, put_leads
from support.stepped import OPENS, RecordingNotifier, SteppedClock

# The queries are those of other tests, which run them on each engine.
pytestmark = pytest.mark.sqlserver_if_long

DAY = date(2026, 6, 1)
CLOSES = OPENS + timedelta(hours=3)
MINUTE = timedelta(minutes=1)
# Numbers in the places where people or other systems may have written them:
PLANTED = ("5511987650001", "11 98765-0002", "+55 (11) 98765-0003", "0049301234004", "49301234005", "551198765006")


class Post(RecordingNotifier):
    """Keeps the letters, as if an address were set up; it `dies` before it sends them if a test says so."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.letters: list[Letter] = []
        self.dies = False

    def sends(self, kind: str) -> bool:
        return kind in self._settings.notify_on

    def letter(self, letter: Letter, ended: Callable[[], None]) -> None:
        if not self.dies:
            self.letters.append(letter)
            ended()


class PostedClock(SteppedClock):
    """A copy of the service that sends letters."""

    def letters_at(self, at: datetime) -> list[str]:
        """The titles of the letters that a look at this moment sends."""
        before = len(self.post.letters)
        self.look(at)
        return [each.title for each in self.post.letters[before:]]

    @property
    def post(self) -> Post:
        assert isinstance(self.notifier, Post)
        return self.notifier


@pytest.fixture(autouse=True)
def _with_post(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.stepped.RecordingNotifier", Post)


@pytest.fixture
def floor(database: TestedDatabase) -> TestedDatabase:
    """Three agents, and twelve leads of twelve days, as if all had been installed on 2026-06-01."""
    put_agents(database, active_agents("Ana", "Bruno", "Carla"))
    put_leads(database, [(f"+4930000000{n:02}", 1, datetime(2026, 5, 31) - timedelta(days=n)) for n in range(12)])
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")
    return database


def text_of(letter: Letter) -> str:
    return letter.as_text("https://funnel.example")


def test_a_letter_says_what_a_deal_came_to_and_what_changes_next(floor: TestedDatabase) -> None:
    backend = floor.backend
    for agent, first, last, most in (
        ("Ana", DAY, DAY, 0), ("Bruno", DAY, DAY + timedelta(days=3), 2), ("Carla", date(2026, 6, 3), None, 0),
    ):  # fmt: skip
        add_limit(backend, agent, starts_on=first, ends_on=last, max_records=most)
    add_holiday(backend, date(2026, 6, 2), "Republic Day")
    add_number_list(backend, "register", bound_days=30)
    floor.execute("UPDATE dbo.do_not_contact_list SET added_at = '2026-01-01 00:00:00' WHERE name = 'register'")
    run = deal(backend, load(max_per_agent=5), business_date=DAY)
    text = text_of(letter_of_run(backend, load(), run.run_id, now=OPENS + MINUTE))
    assert text.startswith("The deal of Mon 1 Jun 2026: 7 leads to 2 agents\n\nDealt\n")
    for line in (
        "- 7 leads of 12 that were ready went to 2 agents, by hand.",
        "- Fair: 1 agent got 5; Bruno (2) by limit; Ana away.",
        "- 5 left for another night, as all agents were full.",
        # The oldest leads were dealt first, so the five youngest are left over.
        "- The oldest lead left over is of Wed 27 May 2026.",
        "- Away: Ana.\n- Full at a limit of their own: Bruno (2).",
        "- The others are full, too: nobody gets more than 5.",
        "- The do-not-contact list register is 151 days old (since 2026-01-01); at most 30 days are allowed.",
        "- The next deal is due on Wed 3 Jun 2026, 20:40.\n- There is none on Tue 2 Jun 2026: Republic Day.",
        "- Away then: Carla.\n- Back then: Ana.",
    ):
        assert line in text
    assert text.endswith("\n\nhttps://funnel.example")
    # Later, it says what the deal came to, and no more what was next then.
    later = deal(backend, load(), business_date=date(2026, 6, 3), again=True)
    assert "Next" not in text_of(letter_of_run(backend, load(), run.run_id, now=OPENS))
    again = text_of(letter_of_run(backend, load(), later.run_id, now=OPENS))
    assert re.search(r"leads had been dealt before\. (None|\d+) of these met the same agent again\.", again)
    assert not re.search(r"(?<!\d)0 (of|leads)", again)
    undo(backend, actor="Ana")
    assert "It was undone on" in text_of(letter_of_run(backend, load(), later.run_id, now=OPENS))


def test_no_letter_has_a_number(database: TestedDatabase) -> None:
    backend = database.backend
    put_agents(database, active_agents(f"Ana {PLANTED[0]}", f"Bruno {PLANTED[1]}", "Carla"))
    put_leads(database, [(number, 1, datetime(2026, 5, 20)) for number in PLANTED])
    add_limit(backend, f"Ana {PLANTED[0]}", starts_on=DAY, ends_on=DAY, max_records=0)
    add_limit(backend, f"Bruno {PLANTED[1]}", starts_on=DAY, ends_on=None, max_records=1)
    add_holiday(backend, date(2026, 6, 2), f"ask {PLANTED[2]}")
    add_number_list(backend, f"list of {PLANTED[3]}", bound_days=1)
    database.execute("UPDATE dbo.do_not_contact_list SET added_at = '2026-01-01 00:00:00'")
    failed_run = (
        "INSERT INTO dbo.assignment_run (business_date, {trigger}, actor, status, max_per_agent, window_days, "
        "newest_first, started_at, finished_at) VALUES ('2026-05-31', 'schedule', 'x', 'failed', 1, 1, 0, "
        "'2026-05-31 20:40:00', '2026-05-31 20:40:01')"
    ).format(trigger='"trigger"' if backend.dialect == "sqlite" else "[trigger]")
    database.execute(failed_run)
    database.execute(
        "INSERT INTO dbo.assignment_failure (run_id, business_date, attempt, error_number, message) "
        "SELECT MAX(run_id), '2026-05-31', 1, 50004, %s FROM dbo.assignment_run", f"row {PLANTED[4]} is locked",
    )  # fmt: skip
    database.execute(
        "INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at) VALUES ('2026-05-31', 'failed', "
        "'2026-05-31 23:40:00')"
    )
    run = deal(backend, load(max_per_agent=3), business_date=DAY)
    now = OPENS + timedelta(days=3)
    written = [
        letter_of_run(backend, load(), run.run_id, now=now),
        letter_of_run(backend, load(), run.run_id, now=OPENS),
        letter_of_night(backend, load(), date(2026, 5, 31), now=now),
    ]
    texts = [text for each in written for text in (text_of(each), each.as_html(""), each.path)]
    together = " ".join(texts)
    # The places are there, with the last three digits alone.
    for ending in ("Ana …001", "Bruno …002", "ask …003", "list of …004", "row …005 is locked"):
        assert ending in together
    digits = [re.sub(r"\D", "", number) for number in PLANTED]
    for text in texts:
        bare = re.sub(r"[^0-9A-Za-z]", "", text)
        assert not [each for each in digits if each[-8:] in bare]


def test_each_deal_has_one_letter_from_one_copy(floor: TestedDatabase) -> None:
    one, other = PostedClock(floor.backend), PostedClock(floor.backend, name="copy B")
    assert one.letters_at(OPENS) == []
    title = "The deal of Mon 1 Jun 2026: 12 leads to 3 agents"
    floor.execute(
        "UPDATE dbo.assignment_run SET started_at = '2026-06-01 20:40:00', finished_at = '2026-06-01 20:40:01'"
    )
    assert one.letters_at(OPENS + MINUTE) == [title]
    assert other.letters_at(OPENS + MINUTE) == one.letters_at(OPENS + 2 * MINUTE) == []
    # A copy that starts anew does not send it again.
    assert PostedClock(floor.backend, name="copy C").letters_at(OPENS + 3 * MINUTE) == []
    [(run,)] = floor.execute("SELECT run_id FROM dbo.assignment_run")
    notes = floor.execute("SELECT kind, noted_by FROM dbo.schedule_notice ORDER BY kind")
    assert notes == [(f"letter {run}", "copy A"), (f"sent {run}", "copy A")]
    assert other.letters_at(OPENS + 30 * MINUTE) == one.letters_at(OPENS + 31 * MINUTE) == []


@pytest.mark.parametrize("is_missed", [False, True])
def test_a_letter_of_a_copy_that_died_before_it_was_sent_is_sent_by_another_one_once(
    floor: TestedDatabase, is_missed: bool
) -> None:
    title = f"The deal of Mon 1 Jun 2026{' was missed' if is_missed else ': 12 leads to 3 agents'}"
    dead, second, third = (PostedClock(floor.backend, name=f"copy {each}") for each in "ABC")
    dead.post.dies = True
    begins = CLOSES if is_missed else OPENS + MINUTE
    if not is_missed:
        dead.look(OPENS)
        at = f"{OPENS:%Y-%m-%d %H:%M:%S}"
        floor.execute("UPDATE dbo.assignment_run SET started_at = %s, finished_at = %s", at, at)
    assert dead.letters_at(begins) == []
    assert third.letters_at(begins + 9 * MINUTE) == []
    assert second.letters_at(begins + 11 * MINUTE) == [title]
    assert second.letters_at(begins + 12 * MINUTE) == third.letters_at(begins + 40 * MINUTE) == []


def test_a_letter_that_two_copies_could_not_send_is_given_up(floor: TestedDatabase) -> None:
    copies = [PostedClock(floor.backend, name=f"copy {each}") for each in "ABC"]
    copies[0].post.dies = copies[1].post.dies = True
    assert [copy.letters_at(CLOSES + 11 * MINUTE * place) for place, copy in enumerate(copies)] == [[], [], []]
    kinds = [kind for (kind,) in floor.execute("SELECT kind FROM dbo.schedule_notice ORDER BY kind")]
    assert kinds == ["again", "letter"]


def test_a_copy_that_ends_notes_the_letters_that_it_has_sent(floor: TestedDatabase) -> None:
    copy = PostedClock(floor.backend)
    assert len(copy.letters_at(CLOSES)) == 1
    copy.clock.note_sent_letters()
    assert PostedClock(floor.backend, name="copy B").letters_at(CLOSES + 11 * MINUTE) == []


def test_a_deal_by_hand_has_a_letter_and_an_old_one_has_none(floor: TestedDatabase) -> None:
    deal(floor.backend, load(), business_date=DAY)
    floor.execute(
        "UPDATE dbo.assignment_run SET started_at = '2026-06-01 09:00:00', finished_at = '2026-06-01 09:00:01'"
    )
    morning = datetime(2026, 6, 1, 9, tzinfo=UTC)
    copy = PostedClock(floor.backend)
    assert copy.letters_at(morning) == []
    assert copy.letters_at(morning + timedelta(hours=7)) == []
    assert copy.letters_at(morning + MINUTE) == ["The deal of Mon 1 Jun 2026: 12 leads to 3 agents"]


def test_a_missed_night_has_one_message(floor: TestedDatabase) -> None:
    copy = PostedClock(floor.backend)
    assert copy.letters_at(CLOSES) == ["The deal of Mon 1 Jun 2026 was missed"]
    assert copy.kinds == []
    (letter,) = copy.post.letters
    assert "The service or its database was down while the deal was due. No leads moved." in text_of(letter)
    assert letter.path == "/nights/2026-06-01/letter"


def test_a_letter_that_cannot_be_written_holds_no_deal_up_and_a_missed_night_still_has_a_notice(
    floor: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Letter:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(letters, "letter_of_night", fail)
    monkeypatch.setattr(letters, "letter_of_run", fail)
    copy = PostedClock(floor.backend)
    assert copy.look(CLOSES) == ["missed"]
    assert copy.letters_at(OPENS + timedelta(days=1)) == []
    assert floor.execute("SELECT COUNT(*) FROM dbo.assignment_run WHERE status = 'succeeded'") == [(1,)]


def test_without_letters_in_the_settings_nothing_is_noted(floor: TestedDatabase) -> None:
    copy = PostedClock(floor.backend, notify_on="missed")
    assert copy.look(CLOSES) == ["missed"]
    assert copy.post.letters == []
    assert floor.execute("SELECT COUNT(*) FROM dbo.schedule_notice WHERE kind LIKE 'letter%'") == [(0,)]
