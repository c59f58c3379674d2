"""Checks of the names of agents: names that are nobody's, and names that are easily taken for one another."""

from __future__ import annotations

from collections.abc import Iterator

from agent_funnel.agents import roster
from agent_funnel.doctor.check import Examination, Level, Result, count_of
from agent_funnel.names import alike_names, likeness, spell
from agent_funnel.values import Row

# How many names a finding shows:
SHOWN = 3
RENAME = "agent-funnel agents rename OLD NEW"


def of_nobody(exam: Examination) -> Iterator[Result]:
    """Finds assignments, limits and personal links that are in the name of nobody."""
    rows = exam.database.all("doctor_nobody", day=exam.now.date().isoformat())
    if not rows:
        yield "ok", "Every assignment, limit and personal link is of an agent who exists.", None
        return
    names = [entry.agent for entry in roster(exam.database, exam.now.date())]
    for kind, check in (("assignment", _assignments), ("limit", _limits), ("link", _links)):
        if of_kind := [row for row in rows if row["kind"] == kind]:
            yield check(of_kind, names)


def _assignments(rows: list[Row], names: list[str]) -> Result:
    found = sum(row["found"] for row in rows)
    text = f"{count_of(found, 'assignment is', 'assignments are')} of {_agents(rows, names)}"
    remedy = f"If an agent was renamed in the table only: {RENAME}. Otherwise add the agent again, or deal again."
    return "warning", f"{text}: nobody has these leads until the next deal.", remedy


def _limits(rows: list[Row], names: list[str]) -> Result:
    found = sum(row["found"] for row in rows)
    # A limit may be for an agent who is yet to come.
    doubtful = any(row["dealt"] or _meant(row["agent"], names) for row in rows)
    level: Level = "warning" if doubtful else "note"
    text = f"{count_of(found, 'limit is', 'limits are')} of {_agents(rows, names)}"
    gives = f"{RENAME} gives all that is in the old name to the agent with the new one"
    return (
        level,
        f"{text}, so it holds for nobody." if found == 1 else f"{text}, so they hold for nobody.",
        (f"{gives}; agent-funnel limits remove NUMBER removes a limit."),
    )


def _links(rows: list[Row], names: list[str]) -> Result:
    found = sum(row["found"] for row in rows)
    text = f"{count_of(found, 'personal link', 'personal links')} in use {'is' if found == 1 else 'are'} of"
    remedy = f"Revoke it: agent-funnel agents unlink NAME; or, if the agent was renamed in the table only: {RENAME}"
    return "warning", f"{text} {_agents(rows, names)}.", remedy


def _agents(rows: list[Row], names: list[str]) -> str:
    """The names in these rows, each with the agents who are probably meant, or with the fact that they got leads."""
    shown = []
    for row in rows[:SHOWN]:
        known = ""
        if meant := _meant(row["agent"], names):
            known = f" (perhaps {' or '.join(map(spell, meant[:SHOWN]))})"
        elif row["dealt"]:
            known = " (who got leads before, and was renamed or removed)"
        shown.append(f"{spell(row['agent'])}{known}")
    more = ", …" if len(rows) > SHOWN else ""
    return f"{'an agent' if len(rows) == 1 else 'agents'} that the table does not have: {', '.join(shown)}{more}"


def _meant(name: str, names: list[str]) -> list[str]:
    wanted = likeness(name)
    return [other for other in names if likeness(other) == wanted]


def alike(exam: Examination) -> Iterator[Result]:
    """Finds agents whose names differ only in case, blanks, accents or Unicode form."""
    active = {entry.agent: entry.active for entry in roster(exam.database, exam.now.date())}
    groups = alike_names(active)
    if not groups:
        yield "ok", "No two agents have names that are easily taken for one another.", None
        return
    # The groups that cost somebody leads come first.
    groups.sort(key=lambda group: sum(active[name] for name in group) < 2)
    level: Level = "warning" if sum(active[name] for name in groups[0]) > 1 else "note"
    shown = "; ".join(", ".join(map(spell, group)) for group in groups[:SHOWN])
    more = "; …" if len(groups) > SHOWN else ""
    text = f"{count_of(len(groups), 'group')} of agents with names that differ only in case, blanks, accents or Unicode"
    remedy = "If they are one person, deactivate all but one: agent-funnel agents deactivate NAME"
    yield level, f"{text} form ({shown}{more}); each who is active gets a share of their own.", remedy
