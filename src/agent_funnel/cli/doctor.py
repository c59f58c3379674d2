"""The command that checks the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.exit_codes import ExitCode
from agent_funnel.cli.output import Result, render, reports, say, say_styled
from agent_funnel.doctor import examine
from agent_funnel.doctor.check import Finding, Level

# The levels by weight, each with its symbol and colour:
LEVELS: dict[Level, tuple[str, str]] = {
    "ok": ("+", "green"),
    "note": ("i", "cyan"),
    "warning": ("!", "yellow"),
    "error": ("x", "bold red"),
}
# The exit codes of the worst finding, if it is not a success:
EXIT_CODES: dict[Level, ExitCode] = {"warning": ExitCode.DOCTOR_WARNING, "error": ExitCode.DOCTOR_ERROR}


@dataclass(frozen=True)
class Diagnosis(Result):
    """The findings of the doctor, and the worst level among them."""

    database: str
    worst: Level
    findings: list[Finding]

    @property
    def exit_code(self) -> ExitCode:
        return EXIT_CODES.get(self.worst, ExitCode.SUCCESS)


@click.command("doctor")
@click.option("--deep", is_flag=True, help="Also compare stages, assignments and history with one another.")
@pass_context
@reports
def examine_database(context: Context, deep: bool) -> Diagnosis:
    """Check the database and suggest how to fix what is wrong.

    Changes nothing. Exits with 4 if the worst finding is a warning, and with 5 if it is an error.
    """
    database, settings = context.database, context.settings
    found = examine(database, now=datetime.now(settings.timezone), deep=deep, settings=settings)
    worst = max((finding.level for finding in found), key=list(LEVELS).index)
    return Diagnosis(database.name, worst, found)


@render.register
def _(diagnosis: Diagnosis) -> None:
    say(f"{diagnosis.database}:")
    for finding in diagnosis.findings:
        _render_finding(finding)
    levels = [finding.level for finding in diagnosis.findings]
    say(", ".join(f"{level}: {levels.count(level)}" for level in reversed(LEVELS) if level in levels))


def _render_finding(finding: Finding) -> None:
    symbol, style = LEVELS[finding.level]
    start = f"{symbol} {finding.level:7}  {finding.check:14}  "
    say_styled(start, style, finding.text)
    if finding.remedy:
        # On a line of its own, so that it can be copied as it is.
        say(f"{' ' * len(start)}{finding.remedy}")
