"""The commands about the rules of the deal."""

from __future__ import annotations

from dataclasses import dataclass

import click

from agent_funnel import rules
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.options import actor_option
from agent_funnel.cli.output import Reply, Result, cells, minute, print_table, print_warning, render, reports
from agent_funnel.rules import RuleState, read_rule, record_rules
from agent_funnel.settings import DEFAULT_RULES, variable
from agent_funnel.settings_types import written


@dataclass(frozen=True)
class RuleList(Result):
    """The rules that hold here and in the database, and sentences about those that differ or are recorded wrongly."""

    rules: list[RuleState]
    warnings: list[str]


@click.group("rules", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def rules_group(context: click.Context, /, as_json: bool) -> None:
    """Show or change the rules of the deal.

    Without a command, show them.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_rules, as_json=as_json)


@rules_group.command("list")
@pass_context
@reports
def list_rules(context: Context) -> RuleList:
    """Show the rules that hold, and where each comes from."""
    found = rules.list_rules(context.database, context.settings)
    return RuleList(found, rules.rule_problems(found))


@rules_group.command("set")
@click.argument("name", type=click.Choice(tuple(DEFAULT_RULES)))
@click.argument("value")
@click.option("--yes", "confirmed", is_flag=True, help="Change the country although people are forgotten.")
@actor_option
@pass_context
@reports
def set_rule(context: Context, name: str, value: str, confirmed: bool, actor: str) -> Reply:
    """Record that the rule NAME is VALUE.

    It holds at once, for every deal that names no value: of the service, of these commands, and of EXEC.
    """
    found = read_rule(name, value)
    changed = bool(record_rules(context.database, {name: found}, actor=actor, confirmed=confirmed))
    lines = [f"The rule {name} is {written(found)}{' now' if changed else ' already'}."]
    state = next(each for each in rules.list_rules(context.database, context.settings) if each.name == name)
    if state.differs:
        lines.append(f"{variable(name)} is {written(state.value)}; it wins for the deals of this program.")
    return Reply(lines, {"name": name, "value": found, "changed": changed})


@render.register
def _(found: RuleList) -> None:
    print_table([cells(state) for state in found.rules])
    for text in found.warnings:
        print_warning(text)


@cells.register
def _(state: RuleState) -> dict[str, object]:
    return {
        "Rule": state.name,
        "Value": "recorded wrongly" if state.value is None else written(state.value),
        "From": state.source,
        "In the database": state.recorded if state.in_database is None else written(state.in_database),
        "Recorded (UTC)": minute(state.recorded_at) or "never",
        "By": state.recorded_by,
    }
