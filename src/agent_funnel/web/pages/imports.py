"""Imports: a file is checked, corrected in how it is read, and imported, with its bad rows.

A file that was checked is kept for half an hour, so that one button imports that file. A long import goes on after the
response, and a page shows how far it is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import IO, Any, cast

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from pydantic import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from agent_funnel.agents import agent_names
from agent_funnel.do_not_contact import number_lists
from agent_funnel.errors import FunnelError, ImportRefused
from agent_funnel.files.columns import field_word
from agent_funnel.files.dates import ORDER_NAMES
from agent_funnel.files.tables import Choices
from agent_funnel.imports import BadRows
from agent_funnel.names import alike_names, spell
from agent_funnel.sentences import sentence
from agent_funnel.values import shortened
from agent_funnel.web import import_jobs
from agent_funnel.web.auth import SESSION_COOKIE, identity, set_audit_target
from agent_funnel.web.errors import problem
from agent_funnel.web.import_jobs import ImportJob
from agent_funnel.web.import_models import FileQuery, ImportQuery, NumbersImportQuery
from agent_funnel.web.pages.import_kinds import DELIMITERS, IMPORT_KINDS, differing, effect, without_bad
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice, refusal
from agent_funnel.web.services import services
from agent_funnel.web.uploads import (
    LARGEST_FILE,
    bad_rows_of_upload,
    glance_at_upload,
    import_numbers_upload,
    import_upload,
    upload_origin,
)

blueprint = Blueprint("imports", __name__)

PATH = f"/<any({', '.join(map(repr, IMPORT_KINDS))}):kind>/import"
LARGEST_MEGABYTES = LARGEST_FILE // 1_000_000
# The first rows of a file that the page shows, the most of its columns, and of the characters of a cell:
SHOWN_ROWS = 10
SHOWN_COLUMNS = 30
SHOWN_CHARACTERS = 60
# The most groups of names that are easily taken for one another:
SHOWN_GROUPS = 10
# The choice of no column; as an empty text it would mean that nothing is chosen:
NO_COLUMN = "\u2013"
# How often the page of a long import loads again, in seconds:
REFRESH_SECONDS = 2


@page(blueprint, PATH, role="operator")
def show(kind: str) -> str:
    """The form for a file, with the result of the last one, or the bad rows of a refused one."""
    job: ImportJob | None = g.get("job")
    result = job.imported if job else None
    error = job.error if job else None
    failed = error if isinstance(error, BadRows) else None
    form = job.form if job else request.form
    return render_template(
        "imports.html",
        kind=kind,
        about=IMPORT_KINDS[kind],
        largest=LARGEST_MEGABYTES,
        result=result,
        bad=failed.bad if failed else result.bad if result else (),
        bad_count=failed.count if failed else result.bad_rows if result else 0,
        file=job.name if job else None,
        checked=bool(job and job.checked),
        kept=job.kept if job and (job.checked or not result) else None,
        glance=job.glance if job and (job.checked or not result) else None,
        alike=_alike() if kind == "agents" and result else [],
        lists=number_lists(services().database, services().now()) if kind == "numbers" else [],
        skip_bad="skip_bad" in form or "skip_bad" in request.args,
        chosen=form,
        ORDER_NAMES=ORDER_NAMES,
        DELIMITERS=DELIMITERS,
        field_word=field_word,
        differing=differing,
        effect=effect,
        without_bad=without_bad,
        NO_COLUMN=NO_COLUMN,
        SHOWN_COLUMNS=SHOWN_COLUMNS,
        SHOWN_CHARACTERS=SHOWN_CHARACTERS,
    )


def _alike() -> list[str]:
    """Agents' names that are easily taken for one another, in groups."""
    groups = alike_names(agent_names(services().database))
    return [", ".join(map(spell, group)) for group in groups[:SHOWN_GROUPS]]


@form(blueprint, PATH, role="operator", shows=show, takes_file=True)
def import_file(kind: str) -> Any:
    """Checks a file, which imports nothing, or imports it; the response itself shows the result of a short one."""
    try:
        sent = request.files.get("file")
    except RequestEntityTooLarge:
        return problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            sentence(
                "The file has more than %(megabytes)s MB; nothing was imported. Split it, or use the command "
                "agent-funnel import.",
                megabytes=str(LARGEST_MEGABYTES),
            ),
        )
    checked = request.form.get("what") != "import"
    set_audit_target("dry run" if checked else "import")
    query = read_form(IMPORT_KINDS[kind].model)
    token = request.form.get("kept", "")
    if sent is not None and sent.filename:
        token = services().kept_files.keep(sent.stream, shortened(sent.filename), owner()) or ""
    elif not token:
        raise ImportRefused(sentence("No file was chosen; nothing was imported."))
    if request.form.get("what") == "bad_rows":
        rules = query.rules() if isinstance(query, ImportQuery) else {}
        with chosen_file(token, sent) as (file, _):
            return bad_rows_of_upload(IMPORT_KINDS[kind].reads, file, _choices(query), **rules)
    job = g.job = ImportJob(owner(), kind, checked, token, request.form.to_dict())
    work = _work(job, query, sent)
    if not token:
        # There is no room to keep the file, which is gone after the response.
        job.run(work)
    else:
        services().import_jobs.start(job, work, cast(Any, current_app)._get_current_object())
    if not job.finished.wait(import_jobs.WAIT_SECONDS):
        return redirect(url_for("imports.show_progress", kind=kind, token=job.token), HTTPStatus.SEE_OTHER)
    return _show_result(job)


@page(blueprint, f"{PATH}/<token>", role="operator")
def show_progress(kind: str, token: str) -> Any:
    """How far a long import is, and then its result."""
    job = services().import_jobs.find(token, owner())
    if job is None or job.kind != kind:
        return redirect_with_notice(
            gettext("The result of that import is no longer kept here. It is below, if something was imported."),
            "import_records.show",
        )
    if not job.finished.is_set():
        about = IMPORT_KINDS[kind]
        return render_template("import_progress.html", job=job, about=about, seconds=REFRESH_SECONDS)
    try:
        return _show_result(job)
    except (FunnelError, ValidationError) as error:
        g.refused, status = refusal(error)
    return make_response(show(kind), status)


def _work(job: ImportJob, query: FileQuery, sent: Any) -> Any:
    """The work of a job. It needs no request, which may have ended before it begins."""
    choices, about, origin = _choices(query), IMPORT_KINDS[job.kind], upload_origin("page", None)
    skip_bad = "skip_bad" in job.form

    def work(job: ImportJob) -> None:
        with chosen_file(job.kept, sent, job.owner) as (file, name):
            job.name = name
            job.glance = glance_at_upload(about.reads, file, choices, most=SHOWN_ROWS)
            if isinstance(query, NumbersImportQuery):
                job.imported = import_numbers_upload(
                    file, query.list_name, choices, replaces=query.replace, confirmed=query.confirm, skip_bad=skip_bad,
                    dry_run=job.checked, origin=replace(origin, file_name=name), progress=job.count,
                )  # fmt: skip
            else:
                rules = query.rules() if isinstance(query, ImportQuery) else {}
                job.imported = import_upload(
                    job.kind, file, choices, skip_bad=skip_bad, dry_run=job.checked,
                    origin=replace(origin, file_name=name), progress=job.count, **rules,
                )  # fmt: skip
        if not job.checked:
            services().kept_files.drop_all_of(job.owner)
            # The response that knew of the change may have gone before.
            services().counts.forget_forecast()

    return work


def _show_result(job: ImportJob) -> str:
    """The page with the result of a job. Raises its error, if it has one."""
    g.job = job
    if job.error is not None:
        raise job.error
    return show(job.kind)


@contextmanager
def chosen_file(token: str, sent: Any, of: Hashable = None) -> Iterator[tuple[IO[bytes], str]]:
    """The file that was kept or, if there is no room to keep it, the one that was sent; and its name.

    It is kept for `of`; without it, for the requester.
    """
    if not token:
        yield sent.stream, shortened(sent.filename)
        return
    with services().kept_files.borrowed(token, of or owner()) as (file, name):
        yield file, name


def owner() -> Hashable:
    """The session or key of the requester, who alone may use a file that is kept."""
    return identity().key_id, request.cookies.get(SESSION_COOKIE)


def _choices(query: FileQuery) -> Choices:
    """The choices of the form."""
    found = query.choices()
    columns = {field: "" if column == NO_COLUMN else column for field, column in found.columns.items()}
    return replace(found, columns=columns)
