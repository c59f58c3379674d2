"""The check of the rules of the deal."""

from __future__ import annotations

from collections.abc import Iterator

from agent_funnel.database import Database
from agent_funnel.doctor.check import Finding, Level
from agent_funnel.rules import list_rules, rule_problems, rules_in_words, rules_that_hold
from agent_funnel.settings import Settings


def rule_findings(database: Database, settings: Settings) -> Iterator[Finding]:
    """Finds rules that are recorded wrongly, and settings that differ from the recorded rules."""
    states = list_rules(database, settings)
    level: Level = "warning" if all(state.in_database is not None for state in states) else "error"
    # Each sentence says what to do.
    for text in (found := rule_problems(states)):
        yield Finding("rules", level, text)
    rules = rules_that_hold(states)
    if not found and rules is not None:
        yield Finding("rules", "ok", f"The rules are those of the database: {rules_in_words(rules)}.")
