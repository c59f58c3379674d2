"""The command `agent-funnel`: the only room that prints."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from threading import Event
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from agent_funnel import __version__, demo, service, transfer
from agent_funnel import install as installer
from agent_funnel.backends import Backend, connect
from agent_funnel.errors import DatabaseError, FunnelError, RunError, SettingsError
from agent_funnel.records import Run, Share
from agent_funnel.schedule import Clock, next_run
from agent_funnel.settings import Settings, load
from agent_funnel.web import create_app
from agent_funnel.web.server import serve as serve_http

# Exit codes, besides 0 for success and click's 2 for a wrong command line:
FAILED, BAD_SETTING, NO_DATABASE = 1, 2, 3
# An error of the deal ends with this plus the last digit of its number, so 50001 is 11 and 50007 is 17.
RUN_REFUSED = 10

out = Console(highlight=False)
DAY = click.DateTime(formats=["%Y-%m-%d"])


class Context:
    """What a command works with; made on first use, so that `--help` needs no database."""

    def __init__(self, flags: dict[str, Any]) -> None:
        self._flags = flags

    def settings(self, **flags: Any) -> Settings:
        return load(**self._flags, **flags)

    def backend(self) -> Backend:
        settings = self.settings()
        return connect(settings.database_url, settings.database_schema)

    def today(self) -> date:
        """Today on the floor."""
        return datetime.now(UTC).astimezone(self.settings().timezone).date()


pass_context = click.make_pass_decorator(Context)


def reports(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command `--json`: it then returns what it would print, and that is printed as JSON."""

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @wraps(command)
    def wrapper(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            answer, show = command(*args, **kwargs)
        except FunnelError as error:
            if not as_json:
                raise
            code = error.number
            print(json.dumps({"error": type(error).__name__, "detail": str(error), "code": code}, ensure_ascii=False))
            sys.exit(exit_code(error))
        if as_json:
            print(json.dumps(plain(answer), ensure_ascii=False, indent=2))
        else:
            show(answer)

    return wrapper


def plain(value: Any) -> Any:
    """Records as what JSON knows; dates and moments as ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def exit_code(error: FunnelError) -> int:
    """The exit code of an error (docs/reference/cli.md)."""
    if isinstance(error, RunError):
        return RUN_REFUSED + error.number % 10
    if isinstance(error, SettingsError):
        return BAD_SETTING
    return NO_DATABASE if isinstance(error, DatabaseError) else FAILED


def main() -> None:
    """Runs the command line; an error of ours is one sentence on standard error, and a code."""
    try:
        cli(prog_name="agent-funnel")
    except FunnelError as error:
        Console(stderr=True, highlight=False).print(f"[bold red]Error:[/] {_escaped(str(error))}", soft_wrap=True)
        sys.exit(exit_code(error))


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
@click.option("--database-url", metavar="URL", help="The database; otherwise FUNNEL_DATABASE_URL.")
@click.option("--schema", metavar="NAME", help="SQL Server: the schema of the tables; otherwise FUNNEL_SCHEMA.")
@click.option("--timezone", metavar="ZONE", help="The floor's time zone; otherwise FUNNEL_TIMEZONE.")
@click.pass_context
def cli(context: click.Context, database_url: str | None, schema: str | None, timezone: str | None) -> None:
    """Deals the eligible phone leads of a sales floor out to the active agents, evenly, once every evening."""
    context.obj = Context({"database_url": database_url, "database_schema": schema, "timezone": timezone})


@cli.command()
@pass_context
@reports
def install(context: Context) -> Any:
    """Make the tables and procedures that are missing. Safe to repeat; alters no table that exists."""
    backend = context.backend()

    def show(done: Any) -> None:
        out.print(f"Installed on {_escaped(backend.name)}.", soft_wrap=True)
        for label, names in (("Made", done.made), ("Left as it was", done.kept), ("Replaced", done.replaced)):
            if names:
                out.print(f"  {label}: {', '.join(names)}", soft_wrap=True)

    return installer.install(backend), show


@cli.command()
@click.option("--date", "day", type=DAY, help="The business date; otherwise today in the configured zone.")
@click.option("--max-per-agent", type=int, help="Nobody gets more; otherwise FUNNEL_MAX_PER_AGENT.")
@click.option("--window-days", type=int, help="Older leads stay out; otherwise FUNNEL_WINDOW_DAYS.")
@click.option("--newest-first/--oldest-first", default=None, help="Within a stage; otherwise FUNNEL_NEWEST_FIRST.")
@click.option("--actor", help="Who asks for it, for the record.", default="command line", show_default=True)
@pass_context
@reports
def run(context: Context, day: datetime | None, actor: str, **rules: Any) -> Any:
    """Deal the pool out now: an extra run, whatever the clock says."""
    backend, settings = context.backend(), context.settings(**rules)
    business_date = day.date() if day else context.today()
    done = service.assign(backend, settings, business_date=business_date, actor=actor)
    got = service.shares(backend, done.run_id)
    answer = {**plain(done), "shares": got}
    return answer, lambda _: show_run(backend, done, got)


def show_run(backend: Backend, run: Run, shares: list[Share]) -> None:
    """The summary of a run: the amounts, then who got how much of which stage."""
    out.print(
        f"Run {run.run_id} for {run.business_date} on {_escaped(backend.name)}: {run.status} in {run.seconds:.2f} s",
        soft_wrap=True,
    )
    # Most floors fit a screen; of the others the first and the last agents tell enough.
    shown = shares if len(shares) <= 60 else [*shares[:20], *shares[-5:]]
    table = Table("Agent", title=None)
    for name in ("Leads", "stage 1", "stage 2", "stage 3"):
        table.add_column(name, justify="right")
    for share in shown:
        mix = [str(share.by_stage.get(stage, 0)) for stage in (1, 2, 3)]
        table.add_row(_escaped(share.agent), str(share.leads), *mix)
    if len(shown) < len(shares):
        table.caption = f"{len(shares) - len(shown)} agents between them are not shown"
    out.print(table)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(justify="right")
    for number, meaning in (
        (run.agents, "agents are active and have room"),
        (run.pool, "leads were in the pool"),
        (run.assigned, "were assigned, and moved on by one stage"),
        (run.left_over, "are left over for another night"),
        (run.per_agent, "each is the even share, single limits aside"),
        (f"{run.smallest_share} to {run.largest_share}", "is what they got"),
        (run.duplicates, "records wait behind another one of their number"),
        (run.suppressed, "records were kept out by do-not-contact"),
    ):
        facts.add_row(str(number), meaning)
    out.print(facts)


@cli.command()
@click.option("--host", help="The address to listen on; otherwise FUNNEL_HOST.")
@click.option("--port", type=int, help="The port, 0 for any free one; otherwise FUNNEL_PORT.")
@click.option("--run-at", metavar="HH:MM", help="When the pool is dealt; otherwise FUNNEL_RUN_AT.")
@pass_context
def serve(context: Context, /, **flags: Any) -> None:
    """Run the service: HTTP, and the clock that deals at the set time. Ctrl-C ends it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # APScheduler tells of every wake-up, which is one every half minute.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    settings, backend = context.settings(**flags), context.backend()
    backend.one("version")
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    clock = Clock(backend, settings)

    def ready(address: str) -> None:
        clock.start()
        at = next_run(datetime.now(UTC), settings)
        print(
            f"Agent Funnel on {address}, {backend.name}; next run {at:%Y-%m-%d %H:%M} ({settings.timezone})", flush=True
        )

    serve_http(create_app(settings, backend), settings.host, settings.port, stop, ready)
    clock.stop()
    print("Agent Funnel has ended.", flush=True)


@cli.command("demo")
@click.option("--leads", type=int, default=20_000, show_default=True, help=f"How many leads, up to {demo.MOST_LEADS}.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same floor.")
@click.option("--if-empty", is_flag=True, help="Succeed, and change nothing, where there are leads already.")
@pass_context
@reports
def demo_command(context: Context, leads: int, seed: int, if_empty: bool) -> Any:
    """Fill an empty database with a believable floor. Installs it first."""
    backend = context.backend()
    installer.install(backend)
    found = backend.one("count_leads") or {}
    if if_empty and found["leads"]:
        return {"leads": 0, "agents": 0}, lambda _: out.print(f"There are {found['leads']} leads already.")
    with _progress(leads) as advance:
        made_leads, made_agents = demo.fill(backend, leads=leads, seed=seed, today=context.today(), progress=advance)

    def show(_: Any) -> None:
        out.print(f"Made {made_leads} leads and {made_agents} agents on {_escaped(backend.name)}.", soft_wrap=True)

    return {"leads": made_leads, "agents": made_agents}, show


@contextmanager
def _progress(total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, for rows; without a total, only their number. Silent in a pipe."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rows", total=total)
        yield lambda count: bar.advance(task, count)


@cli.group("import")
def import_() -> None:
    """Import leads or agents from a CSV file. What is in the database already is kept as it is."""


def _import_command(kind: str) -> None:
    header = ",".join(transfer.HEADERS[kind])

    @import_.command(kind, help=f"Import {kind} from a CSV file (UTF-8) with the header {header}.")
    @click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
    @click.option("--skip-bad", is_flag=True, help="Import the good rows of a file that has bad ones.")
    @pass_context
    @reports
    def command(context: Context, file: Path, skip_bad: bool) -> Any:
        with _progress() as advance:
            done = transfer.import_file(context.backend(), kind, file, skip_bad=skip_bad, progress=advance)

        def show(_: Any) -> None:
            out.print(f"{done.rows} rows: {done.added} added, {done.kept} there already, {done.bad_rows} bad.")
            for row in done.bad[:20]:
                out.print(f"  line {row.line}: {_escaped(row.reason)}", soft_wrap=True)
            if done.bad_rows > 20:
                out.print(f"  and {done.bad_rows - 20} more")

        return done, show


_import_command("leads")
_import_command("agents")


@cli.group()
def limits() -> None:
    """Limits and absences: an agent gets at most so many leads from one day to another; 0 is away."""


@limits.command("list")
@pass_context
@reports
def limits_list(context: Context) -> Any:
    """List all limits."""

    def show(found: Any) -> None:
        table = Table("No.", "Agent", "From", "To", "At most")
        for limit in found:
            most = "away" if limit.max_records == 0 else str(limit.max_records)
            table.add_row(
                str(limit.limit_id), _escaped(limit.agent), str(limit.starts_on), str(limit.ends_on or "open"), most
            )
        out.print(table if found else "There are no limits.")

    return service.limits(context.backend()), show


@limits.command("add")
@click.argument("agent")
@click.argument("max_records", type=int)
@click.option("--from", "starts_on", type=DAY, help="The first day; otherwise today.")
@click.option("--to", "ends_on", type=DAY, help="The last day; otherwise open.")
@pass_context
@reports
def limits_add(
    context: Context, agent: str, max_records: int, starts_on: datetime | None, ends_on: datetime | None
) -> Any:
    """Let AGENT get at most MAX_RECORDS leads a night; 0 is away."""
    limit, known = service.add_limit(
        context.backend(),
        agent,
        starts_on=starts_on.date() if starts_on else context.today(),
        ends_on=ends_on.date() if ends_on else None,
        max_records=max_records,
    )

    def show(_: Any) -> None:
        until = f"to {limit.ends_on}" if limit.ends_on else "on"
        most = "is away" if limit.max_records == 0 else f"gets at most {limit.max_records} leads"
        out.print(f"Limit {limit.limit_id}: {_escaped(agent)} {most} from {limit.starts_on} {until}.", soft_wrap=True)
        if not known:
            out.print("There is no agent of this name yet; the limit waits for one.")

    return {**plain(limit), "known": known}, show


@limits.command("remove")
@click.argument("limit_id", type=int)
@pass_context
@reports
def limits_remove(context: Context, limit_id: int) -> Any:
    """Remove the limit with this number."""
    service.remove_limit(context.backend(), limit_id)
    return {"removed": limit_id}, lambda _: out.print(f"Limit {limit_id} is gone.")


@cli.group("do-not-contact")
def do_not_contact() -> None:
    """The numbers that are never dealt."""


@do_not_contact.command("list")
@pass_context
@reports
def do_not_contact_list(context: Context) -> Any:
    """List them."""

    def show(found: Any) -> None:
        table = Table("Number", "Reason", "Since (UTC)")
        for entry in found:
            table.add_row(_escaped(entry.number), _escaped(entry.reason or ""), f"{entry.added_at:%Y-%m-%d %H:%M}")
        out.print(table if found else "The list is empty.")

    return service.do_not_contact(context.backend()), show


@do_not_contact.command("add")
@click.argument("number")
@click.option("--reason", help="Why, for the record.")
@pass_context
@reports
def do_not_contact_add(context: Context, number: str, reason: str | None) -> Any:
    """Put NUMBER on the list; it leaves the present assignments at once."""
    found = service.add_do_not_contact(context.backend(), number, reason)

    def show(_: Any) -> None:
        out.print("It was on the list already." if found["listed"] else "It is on the list.")
        if found["assignments"]:
            out.print("It is out of the present assignments.")
        if not found["leads"]:
            out.print("No lead has exactly this number; numbers are compared as they are written in `wafunnel`.")

    return found, show


@do_not_contact.command("remove")
@click.argument("number")
@pass_context
@reports
def do_not_contact_remove(context: Context, number: str) -> Any:
    """Take NUMBER off the list; the next run may deal it."""
    service.remove_do_not_contact(context.backend(), number)
    return {"removed": 1}, lambda _: out.print("It is off the list.")
