"""Agents: the roster, limits and absences, and the leads that they have now."""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass
from datetime import date

from agent_funnel.database import Database
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from agent_funnel.names import by_name, likeness, spell
from agent_funnel.runs import version_of
from agent_funnel.sentences import Sentence, counted, joined, sentence, shown_as, with_hint
from agent_funnel.settings import LARGEST_SHARE
from agent_funnel.values import LONGEST_TEXT, NO_LIMIT, Day, Flag, LeadDate, Record, Text, check_text

# At most this many of the newest deals are searched for those who got leads:
MOST_DEALS = 30


@dataclass(frozen=True)
class Agent(Record):
    """An agent, and how many rows of the present assignments are theirs (`leads`).

    `room` is the number of leads that a limit allows on the business date, None without a limit. `last_dealt` is the
    business date of the newest run that dealt to them; only the newest runs are searched.
    """

    agent: str
    active: Flag
    leads: int
    room: int | None
    last_dealt: Day | None


@dataclass(frozen=True)
class RosterEntry(Record):
    """An agent, and the number of leads that a limit allows on a business date, None without a limit."""

    agent: str
    active: Flag
    room: int | None


@dataclass(frozen=True)
class InactiveAgent(Record):
    """An inactive agent, and how many deals ago they last got leads, from 1, among the newest `deals`, and its date.

    There are at most thirty of these deals, and fewer where they have half a million leads.
    """

    agent: str
    back: int | None
    last_dealt: Day | None
    deals: int


@dataclass(frozen=True)
class LeadsInHand(Record):
    """How many leads an agent has now; those `to_call` have no outcome of the last run."""

    agent: str
    leads: int
    to_call: int


@dataclass(frozen=True)
class Assignment(Record):
    """A number that an agent has now, with the lead's stage and date (local to the sales floor).

    Stage and date are None where the lead is no longer in `wafunnel`.
    """

    agent: str
    number: Text
    stage: int | None
    date: LeadDate | None


@dataclass(frozen=True)
class Limit(Record):
    """A limit: the agent gets at most `max_records` leads a night (0 = away) from `starts_on` to `ends_on`, inclusive.

    `ends_on` is None if the limit has no end. `known` is whether there is an agent of that name; without one the limit
    holds for nobody.
    """

    limit_id: int
    agent: str
    starts_on: Day
    ends_on: Day | None
    max_records: int
    known: Flag = True


@dataclass(frozen=True)
class Renamed(Record):
    """How many rows of an agent got the new name: limits, links, present assignments, and leads `dealt` by runs."""

    limits: int
    links: int
    assignments: int
    dealt: int


def list_agents(database: Database, business_date: date) -> list[Agent]:
    """All agents, sorted by name as people do. Rows without a name are left out."""
    rows = database.all("agents", business_date=business_date.isoformat())
    return sorted(map(Agent.from_row, rows), key=_by_agent)


def roster(database: Database, business_date: date, name: str | None = None) -> list[RosterEntry]:
    """All agents, sorted by name as people do; or the one agent with the name `name`.

    Their leads are left out, because counting them takes longer.
    """
    rows = database.all("roster", agent=name, business_date=business_date.isoformat())
    return sorted(map(RosterEntry.from_row, rows), key=_by_agent)


def leads_in_hand(database: Database, agents: Collection[str] | None = None) -> dict[str, LeadsInHand]:
    """What each agent has now, or each of these `agents`, by name; those who have nothing are left out."""
    if agents is None:
        rows = database.all("leads_in_hand")
    else:
        rows = database.all("leads_in_hand_of", agents=json.dumps([[agent] for agent in agents], ensure_ascii=False))
    return {row["agent"]: LeadsInHand.from_row(row) for row in rows}


def add_agent(database: Database, name: str, *, active: bool = True) -> None:
    """Adds an agent. Raises AlreadyExists if the name is taken; the status of that agent then stays as it is."""
    check_text("agent", name)
    row = database.one("add_agent", agent=name, status=_status(active))
    if not row or not row["added"]:
        raise AlreadyExists(sentence("There is already an agent %(name)s; nothing was changed.", name=repr(name)))


def agent_names(database: Database) -> list[str]:
    """The names of all agents, sorted as people do. Rows without a name are left out."""
    return sorted((row["agent"] for row in database.all("agent_names")), key=by_name)


def alike_agents(database: Database, name: str) -> list[str]:
    """The other agents whose names differ from a name only in case, blanks, accents or Unicode form."""
    wanted = likeness(name)
    return [other for other in agent_names(database) if other != name and likeness(other) == wanted]


def no_such_agent(database: Database, name: str) -> NotFound:
    """The error for a name that no agent has. It names the agents who are probably meant."""
    return NotFound(_no_such(database, name))


def _no_such(database: Database, name: str) -> Sentence:
    text = sentence("There is no agent %(agent)s; nothing was changed.", agent=repr(name[:LONGEST_TEXT]))
    if meant := alike_agents(database, name):
        names = [spell(each) for each in meant[:3]]
        perhaps = {
            1: sentence("Perhaps you mean %(first)s.", first=names[0]),
            2: sentence("Perhaps you mean %(first)s or %(second)s.", first=names[0], second=names[1 % len(names)]),
            3: sentence(
                "Perhaps you mean %(first)s or %(second)s or %(third)s.",
                first=names[0],
                second=names[1 % len(names)],
                third=names[2 % len(names)],
            ),
        }
        return joined(text, perhaps[len(names)])
    return shown_as(f"{text} `agent-funnel agents list` shows all.", text)


def rename_agent(
    database: Database, name: str, new_name: str, *, actor: str | None = None, recorded: bool = False
) -> Renamed:
    """Renames an agent, with their limits, link, assignments and history, all in one transaction.

    If somebody has renamed the agent in the table `agents` only, this renames the rest. Raises NotFound if there is
    neither, and AlreadyExists if the new name is another agent's, in any spelling. The audit gets an entry, unless it
    has one of the request (`recorded`). Waits for a run in progress.
    """
    new_name = new_name.strip()
    check_text("The new name", new_name)
    names = agent_names(database)
    alike = [each for each in names if each not in (name, new_name) and likeness(each) == likeness(new_name)]
    if alike and name in names:
        raise AlreadyExists(
            sentence(
                "The name %(new_name)s is easily taken for that of the agent %(alike)s; nothing was changed. Choose "
                "another one.",
                new_name=repr(new_name),
                alike=spell(alike[0]),
            )
        )
    row = database.one("rename_agent", agent=name, new_name=new_name, actor=actor, recorded=int(recorded))
    assert row is not None
    renamed = Renamed.from_row(row)
    if row["known"] and row["taken"]:
        raise AlreadyExists(
            sentence(
                "There is already an agent %(new_name)s; nothing was changed. Two agents cannot be made one: "
                "deactivate one of them.",
                new_name=repr(new_name),
            )
        )
    counts = (renamed.limits, renamed.links, renamed.assignments, renamed.dealt, row["others"])
    if not row["known"] and not any(counts):
        raise no_such_agent(database, name)
    return renamed


def set_agent_status(database: Database, name: str, *, active: bool) -> None:
    """Makes an agent active or inactive, in all rows with that name. Raises NotFound if no row has it."""
    row = database.one("set_agent_status", agent=name, status=_status(active))
    if not row or not row["changed"]:
        raise no_such_agent(database, name)


def inactive_agents(database: Database) -> list[InactiveAgent]:
    """All agents who are inactive, sorted by name as people do."""
    found = [InactiveAgent.from_row(row) for row in database.all("inactive_agents")]
    return sorted(found, key=_by_agent)


def activate_inactive_agents(database: Database, *, deals: int | None = None, expected: int | None = None) -> list[str]:
    """Activates all agents who are inactive, or only those who got leads in that many of the newest deals.

    That is one transaction, and looks at no more deals than InactiveAgent says.
    Returns their names, sorted as people do. If there are not as many as `expected`, changes nothing and raises
    AlreadyExists.
    """
    inactive = [row["agent"] for row in database.all("activate_inactive_agents", deals=deals, expected=expected)]
    if expected is None or len(inactive) == expected:
        return sorted(inactive, key=by_name)
    if deals:
        why = counted(
            "%(count)s inactive agent had leads in the last deals, and not %(expected)s. Nothing was changed; look "
            "at the list again.",
            "%(count)s inactive agents had leads in the last deals, and not %(expected)s. Nothing was changed; "
            "look at the list again.",
            len(inactive),
            expected=expected,
        )
    else:
        why = counted(
            "%(count)s agent is inactive now, and not %(expected)s. Nothing was changed; look at the list again.",
            "%(count)s agents are inactive now, and not %(expected)s. Nothing was changed; look at the list again.",
            len(inactive),
            expected=expected,
        )
    raise AlreadyExists(why)


def _by_agent(record: Agent | RosterEntry | InactiveAgent | Limit) -> tuple[str, str]:
    return by_name(record.agent)


def _status(active: bool) -> str:
    return "active" if active else "inactive"


def assignments(
    database: Database, *, agent: str | None = None, after: tuple[str, str] | None = None, count: int
) -> list[Assignment]:
    """The present assignments, or those of one agent, sorted by number and agent; at most `count`.

    `after` is the number and the agent of the last assignment on the page before. Both are needed, because in a table
    without a key two agents may have the same number.
    """
    number, holder = after or (None, "")
    rows = database.all("assignments", agent=agent, after_number=number, after_agent=holder, count=count)
    return [Assignment.from_row(row) for row in rows]


def assignments_of_deal(
    database: Database, *, agent: str | None = None, after: tuple[str, str] | None = None, count: int
) -> tuple[list[Assignment], str]:
    """A page as `assignments` returns it, all of one deal, and the version of that deal; all in one call.

    If another deal comes while the page is read, it is read again.
    """
    number, holder = after or (None, "")
    while True:
        before, rows, behind = database.sets(
            "assignments_of_deal", agent=agent, after_number=number, after_agent=holder, count=count
        )
        if before == behind:
            return [Assignment.from_row(row) for row in rows], version_of(before[0])


def stream_assignments(database: Database, agent: str | None = None) -> Generator[Assignment]:
    """All present assignments, or those of one agent, sorted by number and agent, read by one statement.

    The caller must read to the end, because the statement may hold locks until then.
    """
    for rows in database.stream("assignments", agent=agent, after_number=None, after_agent="", count=NO_LIMIT):
        yield from map(Assignment.from_row, rows)


def count_assignments(database: Database, agent: str) -> int:
    """How many numbers an agent has now."""
    row = database.one("count_of_agent", agent=agent)
    assert row is not None
    return int(row["leads"])


def list_limits(database: Database) -> list[Limit]:
    """All limits and absences, sorted by the names of the agents as people do; of an agent, the newest first."""
    return sorted((Limit.from_row(row) for row in database.all("limits")), key=_by_agent)


def limits_in_force(limits: Iterable[Limit], on: date) -> dict[str, Limit]:
    """The limit in force for each agent on a day: the lowest one, and among equal ones the one that lasts longest."""
    found: dict[str, Limit] = {}
    for limit in limits:
        if limit.starts_on <= on and (limit.ends_on is None or limit.ends_on >= on):
            other = found.get(limit.agent)
            if other is None or _weight(limit) < _weight(other):
                found[limit.agent] = limit
    return found


def _weight(limit: Limit) -> tuple[int, int]:
    return limit.max_records, -(limit.ends_on or date.max).toordinal()


def add_limit(
    database: Database,
    agent: str,
    *,
    starts_on: date,
    ends_on: date | None,
    max_records: int,
    new_agent: bool = False,
) -> Limit:
    """Adds a limit (0 = away) and returns it. Blanks around the name do not count.

    Raises NotFound if there is no such agent, unless `new_agent` says that the agent is yet to come.
    """
    check_text("agent", agent.strip() or agent)
    if not 0 <= max_records <= LARGEST_SHARE:
        raise ParameterOutOfRange(
            shown_as(
                f"max_records is {max_records}; it must be from 0 (away) to {LARGEST_SHARE}.",
                sentence(
                    "The leads per night are %(leads)s; they must be from 0 (away) to %(most)s. Nothing was changed.",
                    leads=max_records,
                    most=LARGEST_SHARE,
                ),
            )
        )
    if ends_on is not None and ends_on < starts_on:
        raise ParameterOutOfRange(
            shown_as(
                f"ends_on is {ends_on}; it must not be before starts_on, {starts_on}.",
                sentence(
                    "The last day, %(last)s, is before the first day, %(first)s. Nothing was changed.",
                    last=ends_on,
                    first=starts_on,
                ),
            )
        )
    row = database.one(
        "add_limit",
        agent=agent,
        trimmed=agent.strip(),
        starts_on=starts_on.isoformat(),
        ends_on=None if ends_on is None else ends_on.isoformat(),
        max_records=max_records,
        new_agent=new_agent,
    )
    if row is None:
        fault = _no_such(database, agent)
        hint = "If the agent is yet to come, say so: --new-agent on the command line, new_agent in the API."
        raise NotFound(shown_as(f"{fault} {hint}", fault))
    return Limit.from_row(row)


def remove_limit(database: Database, limit_id: int) -> None:
    """Removes a limit. Raises NotFound if no limit has this number."""
    row = database.one("remove_limit", limit_id=limit_id)
    if not row or not row["removed"]:
        raise NotFound(
            with_hint(
                sentence("There is no limit %(limit_id)s.", limit_id=str(limit_id)),
                "`agent-funnel limits list` shows all.",
            )
        )
