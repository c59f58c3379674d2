"""What a person should know of how a file was read: the choices that were made for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from agent_funnel.files.columns import FIELDS, field_word
from agent_funnel.files.headers import BelowTitle, Source
from agent_funnel.files.surveys import Survey
from agent_funnel.sentences import sentence, shown_as


def notes_on(
    kind: str, columns: Mapping[str, int], survey: Survey, today: date | None, earlier: Mapping[str, str],
    rows: Source, partner: str | None, updates: bool,
) -> Iterator[str]:  # fmt: skip
    """The notes on a file of a kind: each a sentence."""
    if isinstance(rows, BelowTitle):
        yield sentence(
            "The names of the columns are on line %(line)s; what is above them is left out.", line=str(rows.line)
        )
    if partner is not None:
        if FIELDS[kind][0] == "number":
            yield sentence("The area codes are in the column %(column)s.", column=repr(partner))
        else:
            yield sentence("The other part of the names is in the column %(column)s.", column=repr(partner))
    if earlier:
        said = [
            sentence("%(field)s from %(column)s", field=field_word(field), column=repr(column))
            if column
            else sentence("no %(field)s", field=field_word(field))
            for field, column in earlier.items()
        ]
        yield shown_as(
            f"As it was chosen before for files with these columns: {' and '.join(said)}.",
            sentence("As it was chosen before for files with these columns: %(choices)s.", choices=said),
        )
    yield from survey.notes(columns)
    if kind == "leads" and "stage" not in columns:
        yield shown_as(
            "The file has no stages, so every lead has stage 1.",
            sentence("The file has no number of calls, so every lead counts as never called."),
        )
    if kind == "leads" and "stage" in columns and survey.has_blank_stage(columns["stage"]) and not updates:
        yield shown_as(
            "The stage is empty in some rows, which have stage 1.",
            sentence("The number of calls is empty in some rows, which count as never called."),
        )
    if kind == "leads" and "date" not in columns and today is not None:
        yield sentence("The file has no dates, so every lead has today's, %(today)s.", today=today)
    if kind == "agents" and "status" not in columns:
        yield sentence("The file has no status, so every agent is active.")
    if kind == "limits" and "max_records" not in columns:
        yield sentence("The file has no numbers of leads, so every row is an absence.")
