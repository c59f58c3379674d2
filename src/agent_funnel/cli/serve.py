"""The command that runs the service."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from threading import Event
from typing import Any

import click
import structlog

from agent_funnel.access.keys import any_keys
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.exit_codes import ExitCode
from agent_funnel.cli.output import say
from agent_funnel.database import Database
from agent_funnel.errors import DatabaseUnavailable, SettingsError
from agent_funnel.logs import set_up
from agent_funnel.notify import Notifier
from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.clock import Clock
from agent_funnel.settings import Settings
from agent_funnel.settings_warnings import settings_warnings
from agent_funnel.web import create_app
from agent_funnel.web.auth import ADD_KEY_COMMAND, is_open
from agent_funnel.web.server import serve_http

log = structlog.get_logger(__name__)


@click.command("serve")
@click.option("--host", help="The address to listen on. Default: FUNNEL_HOST.")
@click.option("--port", type=int, help="The port, or 0 for any free one. Default: FUNNEL_PORT.")
@click.option("--run-at", metavar="HH:MM", help="The time of the scheduled deal. Default: FUNNEL_RUN_AT.")
@pass_context
def serve(context: Context, /, **flags: Any) -> None:
    """Run the service: HTTP and the scheduled deals.

    Ctrl-C or SIGTERM ends it. A deal in progress is finished first.
    """
    context = context.with_flags(**flags)
    settings, database = context.settings, context.database
    set_up(settings.log_format)
    for text in settings_warnings(settings, datetime.now(UTC)):
        log.warning(text)
    _check(settings, database)
    stop = _stopped_by_signals()
    notifier = Notifier(settings)
    scheduler = Clock(database, settings, notifier=notifier)

    def ready(address: str) -> None:
        notifier.start()
        scheduler.start()
        at = next_run(datetime.now(UTC), settings)
        say(f"Agent Funnel on {address}, {database.name}; next scheduled deal {at:%Y-%m-%d %H:%M} ({at.tzinfo})")

    app = create_app(settings, database, lambda: scheduler.beat_age, scheduler)
    if not serve_http(app, settings.host, settings.port, stop, ready, scheduler.watch):
        click.echo("The scheduler has stopped responding; the service exits with code 70.", err=True)
        # Threads that hang would keep the process alive; a supervisor can restart it once it has exited.
        os._exit(ExitCode.SCHEDULER_DEAD)
    scheduler.stop()
    notifier.stop()
    scheduler.note_sent_letters()
    say("Agent Funnel has ended.")


def _check(settings: Settings, database: Database) -> None:
    """Raises an error if the service must not start.

    It must not without an SQLite file, without tables, with tables of another version, and without a key if other
    machines can reach it.
    """
    try:
        database.ping()
        if not is_open(settings) and not any_keys(database):
            raise SettingsError(
                f"FUNNEL_HOST {settings.host} is open to other machines, and there is no key yet. Make one first: "
                f"{ADD_KEY_COMMAND}"
            )
    except DatabaseUnavailable as error:
        # A missing file means a mistyped path. But a server may come back in time, and the scheduler keeps trying.
        if database.dialect == "sqlite":
            raise
        log.warning("the database does not answer yet", error=str(error))


def _stopped_by_signals() -> Event:
    """Returns an event that Ctrl-C and SIGTERM set."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
