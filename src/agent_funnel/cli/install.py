"""The command that installs the tables and procedures."""

from __future__ import annotations

from dataclasses import dataclass

import click

from agent_funnel import install
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import Result, render, reports, say
from agent_funnel.install import Installed


@dataclass(frozen=True)
class Installation(Result):
    """The result of an installation, and its database."""

    database: str
    installed: Installed

    def answer(self) -> Installed:
        return self.installed


@click.command("install")
@pass_context
@reports
def install_tables(context: Context) -> Installation:
    """Create missing tables and procedures.

    Safe to repeat: tables that exist are left unchanged, and procedures are replaced.
    """
    return Installation(context.database.name, install.install(context.database))


@render.register
def _(installation: Installation) -> None:
    installed = installation.installed
    say(f"Installed on {installation.database}.")
    for label, names in (
        ("Created", installed.made),
        ("Left unchanged", installed.kept),
        ("Replaced", installed.replaced),
    ):
        if names:
            say(f"  {label}: {', '.join(names)}")
    if installed.advice:
        say("READ_COMMITTED_SNAPSHOT is off, so agents wait for their lists while a deal is written. Turn it on with:")
        say(f"  {installed.advice}")
