"""The command that installs the tables and procedures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from agent_funnel import install
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import Result, render, reports, say
from agent_funnel.install import Installed
from agent_funnel.kit import kit
from agent_funnel.settings import Settings


@dataclass(frozen=True)
class Installation(Result):
    """The result of an installation, and its database."""

    database: str
    installed: Installed

    def answer(self) -> Installed:
        return self.installed


@dataclass(frozen=True)
class Scripts(Result):
    """The files that were written for a DBA, for a schema."""

    schema: str
    files: tuple[str, ...]

    def answer(self) -> Scripts:
        return self


@click.command("install")
@click.option("--script", is_flag=True, help="Write install.sql, uninstall.sql and job.sql for SQL Server instead.")
@click.option("--schema", help="The schema of the scripts. Default: FUNNEL_SCHEMA.")
@click.option(
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Where to write the scripts. Files of the same names are replaced.",
)
@pass_context
@reports
def install_tables(context: Context, script: bool, schema: str | None, directory: Path) -> Installation | Scripts:
    """Create missing tables and procedures.

    Safe to repeat: tables that exist are left unchanged, and procedures are replaced.

    With --script, nothing is installed and no database is asked. A DBA can read the scripts and run them with sqlcmd,
    without this program.
    """
    if script:
        return _write_scripts((context.with_flags(database_schema=schema) if schema else context).settings, directory)
    if schema:
        raise click.UsageError("--schema is for --script; the installer takes the schema from FUNNEL_SCHEMA.")
    return Installation(context.database.name, install.install(context.database))


def _write_scripts(settings: Settings, directory: Path) -> Scripts:
    paths = []
    for name, text in kit(settings.database_schema).items():
        paths.append(directory / name)
        # With the same line ends on every system, so that the files are those of the release.
        paths[-1].write_text(text, "utf-8", newline="\n")
    return Scripts(settings.database_schema, tuple(map(str, paths)))


@render.register
def _(scripts: Scripts) -> None:
    say(f"Wrote {', '.join(scripts.files)} for the schema {scripts.schema}. Nothing was installed.")


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
