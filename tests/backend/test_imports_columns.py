"""Columns that somebody chose for a file are remembered for files with the same names of columns."""

from __future__ import annotations

import io
from typing import Any

import pytest

from agent_funnel.do_not_contact_files import import_numbers
from agent_funnel.errors import ImportRefused
from agent_funnel.files.tables import Choices
from agent_funnel.import_records import chosen_columns
from agent_funnel.imports import BadRows, Imported, import_file
from support.databases import TestedDatabase, snapshot
from support.tables import TODAY

CHOSEN = Choices({"number": "Kunde", "date": ""})
SAID = "As it was chosen before for files with these columns: number from 'Kunde' and no date."


def imported(
    database: TestedDatabase, number: str, header: str = "Kunde;Datum", choices: Choices | None = None, **options: Any
) -> Imported:
    file = io.BytesIO(f"{header}\n{number};05.10.2026\n".encode())
    return import_file(
        database.backend, "leads", file, name="file", today=TODAY, choices=choices or Choices(), **options
    )


@pytest.mark.sqlserver_if_long
def test_chosen_columns_are_remembered_for_files_with_these_names_and_forgotten_on_request(
    database: TestedDatabase,
) -> None:
    with pytest.raises(ImportRefused):
        imported(database, "21970000001")
    # Only what was imported is remembered.
    imported(database, "21970000001", choices=CHOSEN, dry_run=True)
    with pytest.raises(BadRows):
        imported(database, "x", choices=CHOSEN)
    with pytest.raises(ImportRefused):
        imported(database, "21970000001")
    imported(database, "21970000001", choices=CHOSEN)
    before = snapshot(database)["import_mapping"]
    for number, header in (("21970000002", "Kunde;Datum"), ("21970000003", "KUNDE ;Dátum;line;what is wrong")):
        done = imported(database, number, header)
        assert done.added == 1
        assert done.understood.columns == {"number": header.partition(";")[0].strip()}
        assert SAID in done.understood.notes
    assert snapshot(database)["import_mapping"] == before
    # What is chosen now counts more.
    done = imported(database, "21970000004", choices=Choices({"date": "Datum"}, dates="dmy"))
    assert done.understood.columns == {"number": "Kunde", "date": "Datum"}
    # Other names are another file.
    with pytest.raises(ImportRefused):
        imported(database, "21970000005", "Kunde;Tag")
    with pytest.raises(ImportRefused, match="clearly the number"):
        imported(database, "21970000005", choices=Choices(forget_columns=True))
    imported(database, "21970000005", choices=Choices({"number": "Kunde", "date": ""}, forget_columns=True))
    assert len(chosen_columns(database.backend, "leads")) == 1
    imported(database, "21970000006", "Telefone;Datum", Choices({"date": ""}))
    imported(database, "21970000007", "Telefone;Datum", Choices(dates="dmy", forget_columns=True))
    assert len(chosen_columns(database.backend, "leads")) == 1


@pytest.mark.sqlserver_if_long
def test_a_choice_holds_for_its_kind_of_file_and_is_not_kept_with_a_number_in_a_name(database: TestedDatabase) -> None:
    options: dict[str, Any] = {"list_name": "own requests", "name": "file"}
    import_numbers(
        database.backend, io.BytesIO(b"Kunde;A\n21970000001;\n"), choices=Choices({"number": "Kunde"}), **options
    )
    done = import_numbers(database.backend, io.BytesIO(b"Kunde;A\n21970000002;\n"), **options)
    assert done.understood.columns == {"number": "Kunde"}
    with pytest.raises(ImportRefused):
        imported(database, "21970000001", "Kunde;A")
    imported(database, "21970000001", "Kunde;+5521970000009", Choices({"number": "Kunde", "date": ""}))
    assert chosen_columns(database.backend, "leads") == {}
