"""The rules of a deal: the country, the most leads of an agent, the window, the order and the voice.

A rule holds by a setting of this program; else by its record in the database, which every deal there reads, also one
that `EXEC` makes; else by default. The records are only added to: of each rule, the newest one holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from agent_funnel.database import Database
from agent_funnel.errors import ParameterOutOfRange, RuleNotConfirmed
from agent_funnel.sentences import Sentence, counted, joined, sentence, shown_as
from agent_funnel.settings import (
    DEFAULT_RULES,
    LARGEST_SHARE,
    LONGEST_WINDOW_DAYS,
    Settings,
    Source,
    source,
    variable,
)
from agent_funnel.settings_types import COUNTRIES, NO_COUNTRY, VOICES, country, voice, written
from agent_funnel.values import Moment, Record, shortened

Value = str | int | bool
Origin = Source | Literal["database"]

# The allowed values, in the words of the procedure:
LIMITS = {
    "country": sentence("%(none)s or one of %(countries)s", none=NO_COUNTRY, countries=COUNTRIES),
    "max_per_agent": sentence("from %(first)s to %(last)s", first="1", last=str(LARGEST_SHARE)),
    "window_days": sentence("from %(first)s to %(last)s", first="0", last=str(LONGEST_WINDOW_DAYS)),
    "newest_first": sentence("%(first)s or %(last)s", first="0", last="1"),
    "voice": sentence("%(first)s or %(last)s", first=VOICES[0], last=VOICES[1]),
}
RANGES = {"max_per_agent": range(1, LARGEST_SHARE + 1), "window_days": range(LONGEST_WINDOW_DAYS + 1)}
# Where the value of a rule is from:
SOURCE_WORDS = {
    "environment": sentence("environment"),
    ".env file": sentence(".env file"),
    "flag": sentence("flag"),
}
# The readers of rules that are words, in any case:
WORDS = {"country": country, "voice": voice}
# The ways to write yes and no, apart from those that are recorded:
SWITCHES = {"true": "1", "yes": "1", "on": "1", "false": "0", "no": "0", "off": "0"}


@dataclass(frozen=True)
class Rules:
    """The rules that hold. `country` has two letters, or is `none`; `voice` is `fresh` or `as-dealt`."""

    country: str
    max_per_agent: int
    window_days: int
    newest_first: bool
    voice: str


DEFAULTS = Rules(**DEFAULT_RULES)  # type: ignore[arg-type]


@dataclass(frozen=True)
class RecordedRule(Record):
    """A rule on record, as a text. `recorded_at` is in UTC."""

    name: str
    value: str
    recorded_at: Moment
    recorded_by: str


@dataclass(frozen=True)
class RuleState:
    """A rule: the `value` that holds for this program and where it comes from, and its record in the database.

    `in_database` is the value for a deal that names none. Both are None if it is recorded wrongly; then no deal is made
    by it. `recorded_at` (UTC) and `recorded_by` are None if nothing is recorded.
    """

    name: str
    value: Value | None
    source: Origin
    in_database: Value | None
    recorded: str | None
    recorded_at: datetime | None
    recorded_by: str | None

    @property
    def is_set(self) -> bool:
        """Whether a setting or a flag of this program names it."""
        return self.source not in ("database", "default")

    @property
    def differs(self) -> bool:
        """Whether a deal by this program has another rule than one that names none."""
        return self.in_database is not None and self.value != self.in_database


def list_rules(database: Database, settings: Settings) -> list[RuleState]:
    """Each rule: what holds, and what is recorded."""
    there = _recorded(database)
    return [_state(name, settings, there) for name in DEFAULT_RULES]


def _recorded(database: Database) -> dict[str, RecordedRule]:
    return {row["name"]: RecordedRule.from_row(row) for row in database.all("rules")}


def _in_database(name: str, there: Mapping[str, RecordedRule]) -> Value | None:
    return read_recorded(name, there[name].value) if name in there else DEFAULT_RULES[name]


def _state(name: str, settings: Settings, there: Mapping[str, RecordedRule]) -> RuleState:
    recorded, in_database = there.get(name), _in_database(name, there)
    given: Value | None = getattr(settings, name)
    origin: Origin
    if given is not None:
        # Settings that a program made for itself have no source.
        found = source(settings, name)
        origin = "flag" if found == "default" else found
    else:
        origin = "default" if recorded is None else "database"
    return RuleState(
        name=name,
        value=in_database if given is None else given,
        source=origin,
        in_database=in_database,
        recorded=recorded.value if recorded else None,
        recorded_at=recorded.recorded_at if recorded else None,
        recorded_by=recorded.recorded_by if recorded else None,
    )


def effective(database: Database, settings: Settings) -> Rules:
    """The rules that hold for this program. Raises ParameterOutOfRange if one is recorded wrongly, as a deal does."""
    states = list_rules(database, settings)
    rules = rules_that_hold(states)
    if rules is None:
        raise ParameterOutOfRange(next(_bad_record(state) for state in states if state.value is None))
    return rules


def rules_that_hold(states: Sequence[RuleState]) -> Rules | None:
    """The rules that hold, of these states; None if one is recorded wrongly."""
    values: dict[str, Any] = {state.name: state.value for state in states}
    return None if None in values.values() else Rules(**values)


def record_rules(database: Database, values: Mapping[str, Value], *, actor: str, confirmed: bool = False) -> list[str]:
    """Records rules, which hold from now on for every deal that names none; a deal in progress keeps its own.

    Returns the names of those that changed: a value that holds in the database already is not recorded again. Raises
    ParameterOutOfRange for a value that is not allowed, and RuleNotConfirmed for another country while people are
    forgotten, unless it is `confirmed`.
    """
    checked = {name: read_rule(name, _text(value)) for name, value in values.items()}
    there = _recorded(database)
    changed = {name: _text(value) for name, value in checked.items() if value != _in_database(name, there)}
    if "country" in changed and not confirmed and (people := count_forgotten(database)):
        raise RuleNotConfirmed(
            _needs_confirmation(
                people, str(_in_database("country", there) or there["country"].value), changed["country"]
            )
        )
    if changed:
        database.sets("record_rules", actor=shortened(actor), **{name: changed.get(name) for name in DEFAULT_RULES})
    return list(changed)


def _needs_confirmation(people: int, before: str, after: str) -> Sentence:
    shown = counted(
        "%(count)s person is forgotten, and known only by hashes that were made with the country %(before)s. With the "
        "country %(after)s, numbers of theirs that are written without a country may be dealt again. No rule was "
        "changed. To change it all the same, tick the box below the country.",
        "%(count)s people are forgotten, and known only by hashes that were made with the country %(before)s. With the "
        "country %(after)s, numbers of theirs that are written without a country may be dealt again. No rule was "
        "changed. To change it all the same, tick the box below the country.",
        people,
        before=before,
        after=after,
    )
    way = 'confirm it: `agent-funnel rules set --yes`, {"confirm": true}, or the box on the page.'
    return shown_as(shown.replace("tick the box below the country.", way), shown)


def count_forgotten(database: Database) -> int:
    """How many people are forgotten."""
    row = database.one("forgotten")
    assert row is not None
    return int(row["people"])


def read_rule(name: str, text: str) -> Value:
    """Reads the value of a rule that a person wrote. Raises ParameterOutOfRange, with the value and the limits."""
    text = text.strip()
    found = read_recorded(name, SWITCHES.get(text.lower(), text) if name == "newest_first" else text)
    if found is None:
        raise ParameterOutOfRange(
            sentence(
                "%(name)s is %(text)s; it must be %(limits)s. Nothing was changed.",
                name=name,
                text=repr(text),
                limits=LIMITS[name],
            )
        )
    return found


def read_recorded(name: str, text: str) -> Value | None:
    """Reads the value of a rule as it is recorded; None if it is not allowed."""
    if name in WORDS:
        try:
            return WORDS[name](text)
        except ValueError:
            return None
    if name == "newest_first":
        return {"0": False, "1": True}.get(text)
    is_number = text.isascii() and text.isdigit() and str(int(text[:10])) == text
    return int(text) if is_number and int(text) in RANGES[name] else None


def _text(value: Value) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def rule_problems(states: Sequence[RuleState]) -> list[str]:
    """Sentences about rules that are recorded wrongly, and about those that differ between settings and database."""
    wrong = [_bad_record(state) for state in states if state.in_database is None]
    return [*wrong, *(_difference(state) for state in states if state.differs)]


def _bad_record(state: RuleState) -> str:
    fault = sentence(
        "The recorded rule %(name)s is %(value)s; it must be %(limits)s. Nothing was changed.",
        name=state.name,
        value=repr(state.recorded),
        limits=LIMITS[state.name],
    )
    shown = joined(fault, sentence("An admin can record another value in the settings."))
    return shown_as(f"{fault} Record another value with `agent-funnel rules set`, or in floor_rule.", shown)


def _difference(state: RuleState) -> str:
    name, given, there = variable(state.name), written(state.value), written(state.in_database)
    values = {
        "name": name,
        "source": SOURCE_WORDS.get(state.source, state.source),
        "given": str(given),
        "there": str(there),
        "rule": state.name,
    }
    if state.recorded:
        return sentence(
            "%(name)s (%(source)s) is %(given)s, but %(there)s is recorded in the database: this program deals by "
            "%(given)s, and a deal that names no value by %(there)s. Unset %(name)s, or run `agent-funnel rules set "
            "%(rule)s %(given)s`.",
            **values,
        )
    return sentence(
        "%(name)s (%(source)s) is %(given)s, but %(there)s is the default in the database: this program deals by "
        "%(given)s, and a deal that names no value by %(there)s. Unset %(name)s, or run `agent-funnel rules set "
        "%(rule)s %(given)s`.",
        **values,
    )


def rules_in_words(rules: Rules) -> str:
    """The rules as a part of a sentence."""
    first = "newest" if rules.newest_first else "oldest"
    where = "no country" if rules.country == NO_COUNTRY else f"country {rules.country}"
    met = "a fresh voice" if rules.voice == "fresh" else "no fresh voice"
    return (
        f"at most {rules.max_per_agent} leads per agent, leads of the last {rules.window_days} days, {first} first, "
        f"{where}, {met}"
    )
