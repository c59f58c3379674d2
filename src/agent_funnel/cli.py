"""The command `agent-funnel`: the only room that prints."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from pathlib import Path
from threading import Event
from typing import IO, Any

import click
import structlog
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from agent_funnel import __version__, access, demo, floor, links, planning, service, transfer
from agent_funnel import install as installer
from agent_funnel.backends import Backend, connect_with
from agent_funnel.doctor import examine
from agent_funnel.errors import DatabaseError, DatabaseUnavailable, FunnelError, RunError, SettingsError
from agent_funnel.export import export
from agent_funnel.logs import set_up
from agent_funnel.notify import Notifier
from agent_funnel.records import Run, Share
from agent_funnel.schedule import Clock, next_run
from agent_funnel.settings import Settings, load

# Exit codes, besides 0 for success and click's 2 for a wrong command line:
FAILED, BAD_SETTING, NO_DATABASE, CLOCK_DEAD = 1, 2, 3, 70
# What the worst finding of `doctor` makes of it, and the levels by weight, each with its mark and colour:
DOCTOR_CODES = {"ok": 0, "note": 0, "warning": 4, "error": 5}
LEVELS = {"ok": ("+", "green"), "note": ("i", "cyan"), "warning": ("!", "yellow"), "error": ("x", "bold red")}
# An error of the deal ends with this plus the last digit of its number, so 50001 is 11 and 50007 is 17.
RUN_REFUSED = 10

log = structlog.get_logger(__name__)
out = Console(highlight=False)
DAY = click.DateTime(formats=["%Y-%m-%d"])
STAGES = (1, 2, 3)


class Context:
    """What a command works with; made on first use, so that `--help` needs no database."""

    def __init__(self, flags: dict[str, Any]) -> None:
        self._flags = flags

    def settings(self, **flags: Any) -> Settings:
        return load(**self._flags, **flags)

    def backend(self) -> Backend:
        return connect_with(self.settings())

    def today(self) -> date:
        """Today on the floor."""
        return datetime.now(UTC).astimezone(self.settings().timezone).date()


pass_context = click.make_pass_decorator(Context)


def reports(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command `--json`: it then returns what it would print, and that is printed as JSON.

    A command may return an exit code, too, for what it printed.
    """

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @wraps(command)
    def wrapper(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            answer, show, *code_after = command(*args, **kwargs)
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
        if code_after:
            sys.exit(code_after[0])

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


def _moment(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if value else "never"


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


def rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the parameters of the deal."""
    for option in (
        click.option(
            "--newest-first/--oldest-first", default=None, help="Within a stage; otherwise FUNNEL_NEWEST_FIRST."
        ),
        click.option("--window-days", type=int, help="Older leads stay out; otherwise FUNNEL_WINDOW_DAYS."),
        click.option("--max-per-agent", type=int, help="Nobody gets more; otherwise FUNNEL_MAX_PER_AGENT."),
        click.option("--date", "day", type=DAY, help="The business date; otherwise today in the configured zone."),
    ):
        command = option(command)
    return command


@cli.command()
@rule_options
@click.option("--actor", help="Who asks for it, for the record.", default="command line", show_default=True)
@click.option(
    "--scheduled", is_flag=True, help="Make the scheduled run of the date, brakes overruled, not an extra one."
)
@pass_context
@reports
def run(context: Context, day: datetime | None, actor: str, scheduled: bool, **rules: Any) -> Any:
    """Deal the pool out now: an extra run, whatever the clock says."""
    backend, settings = context.backend(), context.settings(**rules)
    business_date = day.date() if day else context.today()
    if scheduled:
        done = planning.scheduled_run(
            backend, settings, business_date, now=datetime.now(UTC), actor=actor, overrule=True
        )
    else:
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
    show_shares([(share.agent, share.leads, *(share.by_stage.get(stage, 0) for stage in STAGES)) for share in shares])
    show_facts(
        (run.agents, "agents are active and have room"),
        (run.pool, "leads were in the pool"),
        (run.assigned, "were assigned, and moved on by one stage"),
        (run.left_over, "are left over for another night"),
        (run.per_agent, "each is the even share, single limits aside"),
        (f"{run.smallest_share} to {run.largest_share}", "is what they got"),
        (run.duplicates, "records wait behind another one of their number"),
        (run.suppressed, "records were kept out by do-not-contact"),
    )


def show_shares(rows: Sequence[tuple[str | int, ...]], *more: str) -> None:
    """A table of agents: name, leads, leads of each stage, and what `more` names."""
    # Most floors fit a screen; of the others the first and the last agents tell enough.
    shown = rows if len(rows) <= 60 else [*rows[:20], *rows[-5:]]
    table = Table("Agent", title=None)
    for name in ("Leads", *(f"stage {stage}" for stage in STAGES), *more):
        table.add_column(name, justify="right")
    for agent, *amounts in shown:
        table.add_row(_escaped(str(agent)), *map(str, amounts))
    if len(shown) < len(rows):
        table.caption = f"{len(rows) - len(shown)} agents between them are not shown"
    out.print(table)


def show_facts(*facts: tuple[object, str]) -> None:
    """Numbers, and what each of them means."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right")
    for number, meaning in facts:
        grid.add_row(str(number), meaning)
    out.print(grid)


@cli.command()
@rule_options
@pass_context
@reports
def preview(context: Context, day: datetime | None, **rules: Any) -> Any:
    """Say what a run would do now, and what would change hands; changes nothing."""
    backend, settings = context.backend(), context.settings(**rules)
    found = service.preview(backend, settings, business_date=day.date() if day else context.today())
    run = found.run

    def show(_: Any) -> None:
        out.print(f"Preview for {run.business_date} on {_escaped(backend.name)}; nothing was changed.", soft_wrap=True)
        show_shares(
            [(s.agent, s.leads, *s.by_stage.values(), *s.by_age.values()) for s in found.shares],
            *("0 to 7 days", "8 to 30", "31 and more"),
        )
        show_facts(
            (run.agents, "agents are active and have room"),
            (run.pool, "leads are in the pool"),
            (run.assigned, "would be assigned, and move on by one stage"),
            (run.left_over, "would be left over for another night"),
            (run.per_agent, "each is the even share, single limits aside"),
            (f"{run.smallest_share} to {run.largest_share}", "is what they would get"),
            (found.stay, "leads would stay with the agent who has them now"),
            (found.change_hands, "would change hands"),
            (found.come, "would come, whom nobody has now"),
            (found.leave, "would leave the agents who have them now"),
            (run.duplicates, "records wait behind another one of their number"),
            (run.suppressed, "records are kept out by do-not-contact"),
        )

    return found, show


@cli.command()
@click.argument("run_id", type=int, required=False)
@click.option("--actor", help="Who asks for it, for the record.", default="command line", show_default=True)
@pass_context
@reports
def undo(context: Context, run_id: int | None, actor: str) -> Any:
    """Take the last run back: its stages, and the assignments as they were before it.

    With RUN_ID, only if that is the run which would be undone. Again, the run before it, as far as history reaches.
    """
    done = service.undo(context.backend(), run_id, actor=actor)

    def show(_: Any) -> None:
        out.print(f"Run {done.run_id} of {done.business_date} is undone.")
        show_facts(
            (done.restored, "leads went back by one stage"),
            (done.changed_since, "were left as they are, since somebody has changed their stage"),
            (done.assignments, "assignments came back, as they were before the run"),
            (done.suppressed, "did not come back, since their number is on the do-not-contact list now"),
        )

    return done, show


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the parameters of a list of runs."""
    for option in (
        click.option("--before", type=int, metavar="RUN_ID", help="Those before this run."),
        click.option("--count", type=click.IntRange(1, 1000), default=30, show_default=True, help="How many at most."),
    ):
        command = option(command)
    return command


@cli.group(invoke_without_command=True)
@list_options
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_context
def runs(context: click.Context, /, **options: Any) -> None:
    """The runs on record, and who held a number. Without a command, list them."""
    if context.invoked_subcommand is None:
        context.invoke(runs_list, **options)


@runs.command("list")
@list_options
@pass_context
@reports
def runs_list(context: Context, count: int, before: int | None) -> Any:
    """List the newest runs."""

    def show(found: Any) -> None:
        table = Table("Run", "For", "Trigger", "Status", "Finished (UTC)", box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("Agents", justify="right")
        table.add_column("Assigned", justify="right")
        for run in found:
            table.add_row(
                str(run.run_id),
                str(run.business_date),
                run.trigger,
                run.status,
                f"{run.finished_at:%Y-%m-%d %H:%M}" if run.finished_at else "",
                str(run.agents or ""),
                "" if run.pool is None else f"{run.assigned} of {run.pool}",
            )
        out.print(table if found else "There are no runs.")

    return service.runs(context.backend(), count=count, before=before), show


@runs.command("show")
@click.argument("run_id", type=int)
@pass_context
@reports
def runs_show(context: Context, run_id: int) -> Any:
    """Show a run: its amounts, who got how much, and what became of it."""
    backend = context.backend()
    found, got = service.run(backend, run_id), service.shares(backend, run_id)

    def show(_: Any) -> None:
        by = f", by {found.actor}" if found.actor else ""
        out.print(
            f"Run {run_id} for {found.business_date}: {found.status} ({found.trigger}{_escaped(by)})", soft_wrap=True
        )
        first = "newest" if found.newest_first else "oldest"
        out.print(f"  at most {found.max_per_agent} each, {found.window_days} days, {first} first")
        out.print(f"  began {_moment(found.started_at)}, ended {_moment(found.finished_at)} UTC")
        if found.undone_at:
            out.print(
                f"  undone {_moment(found.undone_at)} UTC by {_escaped(found.undone_by or 'somebody')}: "
                f"{found.restored} leads went back, {found.changed_since} had been changed since",
                soft_wrap=True,
            )
        if found.purged_at:
            out.print(f"  its history was purged {_moment(found.purged_at)} UTC")
        show_shares([(s.agent, s.leads, *(s.by_stage.get(stage, 0) for stage in STAGES)) for s in got])
        show_facts(
            (found.agents, "agents were active and had room"),
            (found.pool, "leads were in the pool"),
            (found.assigned, "were assigned"),
            (found.left_over, "were left over"),
            (found.duplicates, "records waited behind another one of their number"),
            (found.suppressed, "records were kept out by do-not-contact"),
        )

    return {**plain(found), "shares": got}, show


@runs.command("who")
@click.argument("number")
@click.option("--on", "day", type=DAY, help="On this day in the configured zone; otherwise ever.")
@pass_context
@reports
def runs_who(context: Context, number: str, day: datetime | None) -> Any:
    """Tell who held NUMBER, and when."""
    since = until = None
    if day:
        since = day.replace(tzinfo=context.settings().timezone)
        until = since + timedelta(days=1)

    def show(found: Any) -> None:
        table = Table("Agent", "From (UTC)", "To (UTC)", "Run", "For", "Stage before")
        for holder in found:
            to = f"{holder.held_until:%Y-%m-%d %H:%M}" if holder.held_until else "now"
            undone = " (undone)" if holder.status == "undone" else ""
            table.add_row(
                _escaped(holder.agent), f"{holder.held_from:%Y-%m-%d %H:%M}", to, f"{holder.run_id}{undone}",
                str(holder.business_date), str(holder.stage),
            )  # fmt: skip
        out.print(table if found else "Nobody held it, as far as history reaches.")

    return service.holders(context.backend(), number, since=since, until=until), show


@cli.command()
@click.option(
    "--older-than", "age", required=True, metavar="DAYS", callback=lambda *given: _days(given[2]),
    help="The age in days, for example 180d.",
)  # fmt: skip
@pass_context
@reports
def purge(context: Context, age: timedelta) -> Any:
    """Remove the history of runs that ended long ago, in small batches that keep no run waiting.

    The last run and the one before it stay, so that the last run can be undone. The runs themselves stay on record.
    """
    with _progress() as advance:
        done = service.purge(context.backend(), datetime.now(UTC) - age, progress=advance)
    return done, lambda _: out.print(f"The history of {done.runs} runs is gone: {done.rows} rows.")


def _days(value: str) -> timedelta:
    if not re.fullmatch(r"\d{1,5}d", value):
        raise click.BadParameter(f"{value!r} is not a number of days such as 180d")
    return timedelta(days=int(value[:-1]))


@cli.command()
@click.option("--deep", is_flag=True, help="Also compare stages, assignments and history with one another.")
@pass_context
@reports
def doctor(context: Context, deep: bool) -> Any:
    """Say what is wrong with the database, and how to put it right. Changes nothing.

    Ends with 4 if the worst that it found is a warning, with 5 if it is an error.
    """
    backend = context.backend()
    found = examine(backend, now=datetime.now(context.settings().timezone), deep=deep)
    worst = max((finding.level for finding in found), key=list(LEVELS).index)

    def show(_: Any) -> None:
        out.print(f"{_escaped(backend.name)}:", soft_wrap=True)
        for finding in found:
            mark, style = LEVELS[finding.level]
            start = f"{mark} {finding.level:7}  {finding.check:14}  "
            out.print(f"[{style}]{start}[/]{_escaped(finding.text)}", soft_wrap=True)
            if finding.remedy:
                out.print(f"{' ' * len(start)}{_escaped(finding.remedy)}", soft_wrap=True)
        counts = {level: sum(finding.level == level for finding in found) for level in reversed(LEVELS)}
        out.print(", ".join(f"{level}: {count}" for level, count in counts.items() if count))

    return {"database": backend.name, "worst": worst, "findings": found}, show, DOCTOR_CODES[worst]


@cli.command()
@click.option("--host", help="The address to listen on; otherwise FUNNEL_HOST.")
@click.option("--port", type=int, help="The port, 0 for any free one; otherwise FUNNEL_PORT.")
@click.option("--run-at", metavar="HH:MM", help="When the pool is dealt; otherwise FUNNEL_RUN_AT.")
@pass_context
def serve(context: Context, /, **flags: Any) -> None:
    """Run the service: HTTP, and the clock that deals at the set time. Ctrl-C ends it."""
    # Flask and what goes with it takes a third of the start, which no other command needs.
    from agent_funnel.web import create_app
    from agent_funnel.web.access import MAKE_ONE, is_open
    from agent_funnel.web.server import serve as serve_http

    settings, backend = context.settings(**flags), context.backend()
    set_up(settings.log_format)
    try:
        backend.one("version")
        if not is_open(settings) and not access.any_keys(backend):
            raise SettingsError(
                f"FUNNEL_HOST {settings.host} is open to other machines, and there is no key yet. Make one first: "
                f"{MAKE_ONE}"
            )
    except DatabaseUnavailable as error:
        # A file that is not there is a mistyped path; a server may come back in time, and the clock goes on asking.
        if backend.dialect == "sqlite":
            raise
        log.warning("the database does not answer yet", error=str(error))
    notifier = Notifier(settings)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    clock = Clock(backend, settings, notifier=notifier)

    def ready(address: str) -> None:
        notifier.start()
        clock.start()
        at = next_run(datetime.now(UTC), settings)
        print(
            f"Agent Funnel on {address}, {backend.name}; next run {at:%Y-%m-%d %H:%M} ({settings.timezone})", flush=True
        )

    app = create_app(settings, backend, lambda: clock.beat_age)
    if not serve_http(app, settings.host, settings.port, stop, ready, lambda: clock.is_alive):
        # What hangs would not let the process end by itself; whoever watches over it starts it anew.
        print("The clock has died; the service ends.", file=sys.stderr, flush=True)
        os._exit(CLOCK_DEAD)
    clock.stop()
    notifier.stop()
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
    """Import leads, agents or holidays from a CSV file. What is in the database already is kept as it is."""


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
_import_command("holidays")


@cli.command("export")
@click.argument("what", type=click.Choice(["assignments", "run"]))
@click.argument("run_id", type=int, required=False)
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), default="-", metavar="FILE",
    help="The file; otherwise standard output.",
)  # fmt: skip
@click.option("--mask", is_flag=True, help="Of each number the last three digits only.")
@click.pass_context
@reports
def export_command(context: click.Context, /, what: Any, run_id: int | None, kind: Any, output: str, mask: bool) -> Any:
    """Export the present assignments, or what the run RUN_ID dealt.

    The file is there when it is complete, and one that was there stays until then.
    """
    if (what == "run") != (run_id is not None):
        raise click.UsageError("RUN_ID says which run to export, and belongs to no other export.")
    if output == "-" and context.params["as_json"]:
        raise click.UsageError("With --json, name a file with -o: the answer goes to standard output.")
    with _whole_file(output) as file:
        rows = export(context.obj.backend(), what, file, kind, run_id=run_id, mask=mask)

    def show(_: Any) -> None:
        if output != "-":
            out.print(f"{rows} rows are in {_escaped(output)}.", soft_wrap=True)

    return {"rows": rows, "file": output, "format": kind}, show


@contextmanager
def _whole_file(path: str) -> Iterator[IO[bytes]]:
    """A file to write that takes its place when all of it is written; `-` is standard output."""
    if path == "-":
        yield sys.stdout.buffer
        return
    target = Path(path)
    # What is no file of its own, such as a pipe, cannot be replaced by one.
    part = target if target.exists() and not target.is_file() else target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        if part != target:
            part.replace(target)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        if part != target:
            part.unlink(missing_ok=True)


@cli.command()
@pass_context
@reports
def status(context: Context) -> Any:
    """Say how things stand: the last run, the next one, and whether the clock is paused."""
    backend, settings = context.backend(), context.settings()
    last = service.last_run(backend)
    pause = planning.current_pause(backend)
    nights = planning.outcomes(backend, count=14)
    at = next_run(datetime.now(UTC), settings)
    answer = {"next_run": at, "last_run": last, "pause": pause, "dates": nights}

    def show(_: Any) -> None:
        if last:
            finished = last.finished_at.astimezone(settings.timezone)
            out.print(
                f"Last run: {last.run_id} for {last.business_date}, {last.assigned} of {last.pool} leads to "
                f"{last.agents} agents, ended {_moment(finished)} ({settings.timezone}).",
                soft_wrap=True,
            )
        else:
            out.print("There was no run yet.")
        out.print(f"Next run: {at:%Y-%m-%d %H:%M} ({settings.timezone}).")
        if pause:
            out.print(f"PAUSED {_pause(pause)}.", soft_wrap=True)
        for night in nights:
            out.print(f"  {night.business_date}  {night.outcome}")

    return answer, show


def _pause(pause: Any) -> str:
    by = f" by {_escaped(pause.paused_by)}" if pause.paused_by else ""
    why = f": {_escaped(pause.reason)}" if pause.reason else ""
    return f"since {_moment(pause.paused_at)} UTC{by}{why}"


@cli.group()
def schedule() -> None:
    """The clock: when it deals next, pausing it, going on."""


@schedule.command("show")
@pass_context
@reports
def schedule_show(context: Context) -> Any:
    """Show when the clock deals next, and the pauses."""
    settings = context.settings()
    at = next_run(datetime.now(UTC), settings)
    found = planning.pauses(context.backend())

    def show(_: Any) -> None:
        out.print(f"Next run: {at:%Y-%m-%d %H:%M} ({settings.timezone}).")
        for pause in found:
            until = f", until {_moment(pause.resumed_at)} UTC" if pause.resumed_at else ", PAUSED NOW"
            out.print(f"  paused {_pause(pause)}{until}", soft_wrap=True)

    return {"next_run": at, "pauses": found}, show


@schedule.command("pause")
@click.option("--reason", help="Why, for everybody to see.")
@click.option("--actor", default="command line", show_default=True, help="Who pauses it.")
@pass_context
@reports
def schedule_pause(context: Context, reason: str | None, actor: str) -> Any:
    """Pause the clock of every copy of the service. Runs by hand go on working."""
    new = planning.pause(context.backend(), now=datetime.now(UTC), actor=actor, reason=reason)
    return {"paused": new}, lambda _: out.print("The clock is paused." if new else "The clock was paused already.")


@schedule.command("resume")
@click.option("--actor", default="command line", show_default=True, help="Who has it go on.")
@pass_context
@reports
def schedule_resume(context: Context, actor: str) -> Any:
    """Have the clock go on. A date whose window is still open is dealt at once."""
    ended = planning.resume(context.backend(), now=datetime.now(UTC), actor=actor)
    return {"resumed": ended}, lambda _: out.print("The clock goes on." if ended else "The clock was not paused.")


@cli.group()
def holidays() -> None:
    """The days on which no scheduled run is due."""


@holidays.command("list")
@click.option("--since", type=DAY, help="From this day on; otherwise from today.")
@pass_context
@reports
def holidays_list(context: Context, since: datetime | None) -> Any:
    """List them."""
    found = planning.holidays(context.backend(), since=since.date() if since else context.today())

    def show(_: Any) -> None:
        for holiday in found:
            out.print(f"{holiday.day}  {_escaped(holiday.name or '')}")
        if not found:
            out.print("There are no holidays from then on.")

    return found, show


@holidays.command("add")
@click.argument("days", type=DAY, nargs=-1, required=True)
@click.option("--name", help="What it is.")
@pass_context
@reports
def holidays_add(context: Context, days: tuple[datetime, ...], name: str | None) -> Any:
    """Add DAYS, each as 2026-12-24."""
    backend = context.backend()
    for day in days:
        planning.add_holiday(backend, day.date(), name)
    return {"added": len(days)}, lambda _: out.print(f"{len(days)} on the list.")


@holidays.command("remove")
@click.argument("day", type=DAY)
@pass_context
@reports
def holidays_remove(context: Context, day: datetime) -> Any:
    """Remove DAY."""
    planning.remove_holiday(context.backend(), day.date())
    return {"removed": 1}, lambda _: out.print("It is a day like others again.")


@cli.group()
def agents() -> None:
    """The agents: who they are, whether they are active, how many leads they have."""


@agents.command("list")
@pass_context
@reports
def agents_list(context: Context) -> Any:
    """List them, with the leads they have now and the room that a limit leaves them today."""

    def show(found: Any) -> None:
        table = Table("Agent", "Status", box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("Leads", "At most", "Last dealt to"):
            table.add_column(name, justify="right")
        for agent in found:
            room = "" if agent.room is None else str(agent.room) if agent.room else "away"
            table.add_row(
                _escaped(agent.agent), "active" if agent.active else "inactive", str(agent.leads), room,
                str(agent.last_dealt or ""),
            )  # fmt: skip
        out.print(table if found else "There are no agents.")

    return floor.agents(context.backend(), context.today()), show


@agents.command("add")
@click.argument("agent")
@click.option("--inactive", is_flag=True, help="Without leads until activated.")
@pass_context
@reports
def agents_add(context: Context, agent: str, inactive: bool) -> Any:
    """Add AGENT, who gets leads from the next run on."""
    floor.add_agent(context.backend(), agent, active=not inactive)
    status = "inactive" if inactive else "active"
    return {"agent": agent, "status": status}, lambda _: out.print(f"{_escaped(agent)} is there, and {status}.")


def _agents_status(name: str, active: bool, text: str) -> None:
    status = "active" if active else "inactive"

    @agents.command(name, help=text)
    @click.argument("agent")
    @pass_context
    @reports
    def command(context: Context, agent: str) -> Any:
        floor.set_agent_status(context.backend(), agent, active=active)
        return {"agent": agent, "status": status}, lambda _: out.print(f"{_escaped(agent)} is {status}.")


_agents_status("activate", True, "Have AGENT get leads from the next run on.")
_agents_status("deactivate", False, "Have AGENT get no leads from the next run on. The present ones stay until then.")


@agents.command("link")
@click.argument("agent")
@click.option("--actor", help="Who asks for it, for the record.", default="command line", show_default=True)
@pass_context
@reports
def agents_link(context: Context, agent: str, actor: str) -> Any:
    """Make AGENT's personal link, which opens their own list only. It is shown this once; the one before is revoked."""
    link, secret = links.make(context.backend(), agent, actor=actor)
    settings = context.settings()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    path = f"/mine/{secret}"
    url = f"http://{host}:{settings.port}{path}"

    def show(_: Any) -> None:
        out.print(f"The link of {_escaped(agent)}. Keep it now, it is not shown again:", soft_wrap=True)
        print(path)
        out.print("Put it behind the address by which agents reach the service; on this machine:", soft_wrap=True)
        print(url)

    return {**plain(link), "path": path, "url": url}, show


@agents.command("unlink")
@click.argument("agent")
@click.option("--actor", help="Who asks for it, for the record.", default="command line", show_default=True)
@pass_context
@reports
def agents_unlink(context: Context, agent: str, actor: str) -> Any:
    """Revoke AGENT's personal link, at once and for good."""
    links.revoke(context.backend(), agent, actor=actor)
    return {"agent": agent, "revoked": True}, lambda _: out.print(f"The link of {_escaped(agent)} is revoked.")


@cli.group()
def keys() -> None:
    """Keys to the service: who may look, who may act, who may decide about keys."""


@keys.command("list")
@pass_context
@reports
def keys_list(context: Context) -> Any:
    """List all keys, the revoked ones too; their secrets are kept nowhere."""

    def show(found: Any) -> None:
        table = Table("Key", "Name", "Role", "Made (UTC)", "Last used (UTC)", "Revoked (UTC)")
        for key in found:
            table.add_row(
                str(key.key_id),
                _escaped(key.name),
                key.role,
                _moment(key.created_at),
                _moment(key.last_used_at),
                _moment(key.revoked_at) if key.revoked_at else "",
            )
        out.print(table)
        if not found:
            out.print("There is no key: the service is open to this machine, and to nobody else.", soft_wrap=True)

    return access.keys(context.backend()), show


@keys.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(access.ROLES), required=True, help="Each may what those before it may.")
@click.option("--actor", help="Who asks for it, for the record.", default="command line", show_default=True)
@pass_context
@reports
def keys_add(context: Context, name: str, role: str, actor: str) -> Any:
    """Make a key. It is shown this once; from the first key on, nobody gets in without one."""
    key, secret = access.add_key(context.backend(), name, role, actor=actor)

    def show(_: Any) -> None:
        out.print(f"Key {key.key_id}, {_escaped(name)}, {role}. Keep it now, it is not shown again:", soft_wrap=True)
        print(secret)

    return {**plain(key), "secret": secret}, show


@keys.command("revoke")
@click.argument("key_id", type=int)
@click.option("--actor", help="Who asks for it, for the record.", default="command line", show_default=True)
@pass_context
@reports
def keys_revoke(context: Context, key_id: int, actor: str) -> Any:
    """Revoke a key, at once and for good, and end the sessions that began with it."""
    access.revoke_key(context.backend(), key_id, actor=actor)
    return {"revoked": key_id}, lambda _: out.print(f"Key {key_id} is revoked.")


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
