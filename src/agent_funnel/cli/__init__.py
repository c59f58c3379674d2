"""The command `agent-funnel`: the only part of the program that prints.

Importing this package imports little more than click, so that `agent-funnel --help` answers at once. The module of a
command, and with it the database and the settings, is imported when the command is used.
"""

from __future__ import annotations

import os
import sys

import click

from agent_funnel import __version__
from agent_funnel.cli.exit_codes import ExitCode, exit_code
from agent_funnel.cli.lazy import LazyCommand, LazyGroup
from agent_funnel.errors import FunnelError

__all__ = ["COMMANDS", "ExitCode", "cli", "exit_code", "main"]

# The commands; a test compares each line of help with the command itself.
COMMANDS = {
    "agents": LazyCommand("agents", "agents_group", "List, add, rename, activate and deactivate agents."),
    "call-backs": LazyCommand(
        "call_backs", "show_call_backs", "List the call-backs that no deal has handed out, by their day."
    ),
    "demo": LazyCommand("demo", "fill_demo", "Fill an empty database with sample leads and agents."),
    "do-not-contact": LazyCommand("do_not_contact", "do_not_contact_group", "Manage the numbers that are never dealt."),
    "doctor": LazyCommand("doctor", "examine_database", "Check the database and suggest how to fix what is wrong."),
    "export": LazyCommand(
        "exports",
        "export_rows",
        "Export the present assignments, the leads that a run dealt, and the other lists.",
    ),
    "forget": LazyCommand("person", "forget_person", "Erase all that is kept of a person, by NUMBER in any spelling."),
    "holidays": LazyCommand("schedule", "holidays_group", "Manage the days without a scheduled deal."),
    "import": LazyCommand(
        "imports",
        "import_group",
        "Import leads, agents, limits, holidays, outcomes or do-not-contact numbers, or undo an import.",
    ),
    "imports": LazyCommand("import_records", "imports_group", "List the imports on record, or show one."),
    "install": LazyCommand("install", "install_tables", "Create missing tables and procedures."),
    "keys": LazyCommand("keys", "keys_group", "Manage the keys to the service."),
    "limits": LazyCommand("limits", "limits_group", "Manage agents' limits and absences."),
    "outcomes": LazyCommand("outcomes", "outcomes_group", "Report, take back and list what came of leads."),
    "person": LazyCommand("person", "show_person", "Show all that is kept of a person, by NUMBER in any spelling."),
    "preview": LazyCommand("deal", "preview", "Show what a deal would do now, without changing anything."),
    "purge": LazyCommand("runs", "purge", "Delete the history of old runs."),
    "results": LazyCommand("results", "show_results", "Show what came of the leads that were dealt, with rates."),
    "rules": LazyCommand("rules", "rules_group", "Show or change the rules of the deal."),
    "run": LazyCommand("deal", "run", "Deal leads now."),
    "runs": LazyCommand("runs", "runs_group", "List runs, show one run, or find who held a number."),
    "runway": LazyCommand("runway", "show_runway", "Show how long the leads last: the deals of the next two weeks."),
    "schedule": LazyCommand("schedule", "schedule_group", "Show, pause and correct the schedule."),
    "serve": LazyCommand("serve", "serve", "Run the service: HTTP and the scheduled deals."),
    "status": LazyCommand("status", "show_status", "Show the last run, the next scheduled deal and any pause."),
    "undo": LazyCommand("deal", "undo", "Undo the last run."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__)
@click.option("--database-url", metavar="URL", help="The database. Default: FUNNEL_DATABASE_URL.")
@click.option("--schema", metavar="NAME", help="SQL Server: the schema of the tables. Default: FUNNEL_SCHEMA.")
@click.option("--timezone", metavar="ZONE", help="The time zone of the schedule. Default: FUNNEL_TIMEZONE.")
@click.pass_context
def cli(context: click.Context, database_url: str | None, schema: str | None, timezone: str | None) -> None:
    """Deals the eligible phone leads of a sales floor out to the active agents, evenly, once every evening."""
    # Imported here because it loads the settings and the database, which `--help` does not need.
    from agent_funnel.cli.context import Context

    context.obj = Context({"database_url": database_url, "database_schema": schema, "timezone": timezone})


def main() -> None:
    """Runs the command line. Prints an error of ours as one sentence on standard error, and exits with its code."""
    # The database, its companions and exports have phone numbers: nobody but their owner may read new files.
    os.umask(0o077)
    try:
        cli(prog_name="agent-funnel")
    except FunnelError as error:
        # Imported here because it loads rich, which most commands do not need.
        from agent_funnel.cli.output import print_error

        print_error(str(error))
        sys.exit(exit_code(error))
