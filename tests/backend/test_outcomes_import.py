"""Files of outcomes: usual words of several languages, each row once, and refused rows by line."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from agent_funnel.errors import ImportRefused
from agent_funnel.exports import export
from agent_funnel.files.outcomes import OUTCOME_CODES, outcome_of
from agent_funnel.files.rejects import Rejects
from agent_funnel.files.tables import Choices
from agent_funnel.import_records import list_imports
from agent_funnel.imports import BadRows
from agent_funnel.outcomes import OUTCOMES, list_outcomes, take_back_outcome
from agent_funnel.outcomes_files import ImportedOutcomes, import_outcomes
from support.databases import TestedDatabase
from support.outcomes import ANAS, BRUNOS, CARLOS, DEALT_ON, ZONE, deal_again, now, put_floor, standing

DAY = DEALT_ON + timedelta(days=5)


def load_file(database: TestedDatabase, text: str, **options: Any) -> ImportedOutcomes:
    return import_outcomes(
        database.backend, io.BytesIO(text.encode()), actor="Eva", now=now(), zone=ZONE, name="f.csv", **options
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Não atendeu", "no_answer"), ("No contesta", "no_answer"), ("Nicht erreicht", "no_answer"),
        ("Pas de réponse", "no_answer"), ("Non risponde", "no_answer"), ("No answer", "no_answer"),
        ("Vendido", "won"), ("closed-won", "won"), ("Sem interesse", "lost"), ("Número errado", "wrong_number"),
        ("Wiedervorlage", "call_back"), ("À rappeler", "call_back"), ("Do not call", "opted_out"),
        ("não ligado", "not_worked"), ("GESPROCHEN", "talked"), ("call_back", "call_back"), ("maybe", None), ("", None),
    ],
)  # fmt: skip
def test_the_usual_words_of_each_outcome_are_read(text: str, code: str | None) -> None:
    assert outcome_of(text) == code
    assert set(OUTCOME_CODES) == set(OUTCOMES)


def test_a_file_is_imported_once_and_refused_rows_stop_no_other(database: TestedDatabase) -> None:
    run_id = put_floor(database)
    text = (
        "Telefone;Resultado;Retornar em;Observação;Agente\n"
        f"(0055) 11 98765-4321;Vendido;;pagou na hora;Bo\n"
        f"{BRUNOS};Ligar depois;{DAY:%d/%m/%Y};;\n"
        f"{CARLOS};Não atendeu;;;Bo\n"
        "+5511987654329;Perdido;;;\n"
    )
    first = load_file(database, text, choices=Choices(dates="dmy"))
    assert (first.rows, first.added, first.kept, first.refused, first.bad_rows) == (4, 2, 0, 2, 0)
    assert [row.line for row in first.bad] == [4, 5]
    assert f"Run {run_id} dealt Bo no lead" in first.bad[0].reason
    assert standing(database) == [(BRUNOS, "call_back"), (ANAS, "won")]
    (record,) = list_imports(database.backend, count=9)
    assert (record.kind, record.file_name, record.rows, record.added, record.bad_rows) == ("outcomes", "f.csv", 4, 2, 2)
    told = list_outcomes(database.backend, number=BRUNOS, count=1)[0]
    assert (told.call_back_on, told.reported_by) == (DAY, "Eva")
    again = load_file(database, text, choices=Choices(dates="dmy"))
    assert (again.added, again.kept, again.refused) == (0, 2, 2)
    assert len(list_outcomes(database.backend, count=9)) == 2


def test_bad_rows_are_named_and_nothing_is_imported(database: TestedDatabase) -> None:
    put_floor(database)
    text = f"number,outcome,call back on\n{ANAS},sold out,\n{BRUNOS},call back,\n{CARLOS},won,\n"
    with pytest.raises(BadRows, match="2 bad rows") as refused:
        load_file(database, text)
    assert [row.line for row in refused.value.bad] == [2, 3]
    assert standing(database) == []
    file = io.BytesIO()
    rejects = Rejects(file, 9)
    done = load_file(database, text, skip_bad=True, rejects=rejects)
    rejects.end()
    assert (done.added, done.bad_rows) == (1, 2)
    assert len(list(csv.reader(file.getvalue().decode("utf-8-sig").splitlines()))) == 3
    assert load_file(database, text, skip_bad=True, dry_run=True).added == 0
    with pytest.raises(ImportRefused, match="no column that is clearly the outcome"):
        load_file(database, f"number,reason\n{ANAS},won\n")


def test_rows_of_an_older_run_are_refused_and_an_export_comes_back(database: TestedDatabase) -> None:
    run_id = put_floor(database)
    text = f"number,outcome,call back on,same agent,note\n{ANAS},call_back,{DAY},yes,=1+1\n{CARLOS},won,,,\n"
    load_file(database, text)
    exported = io.BytesIO()
    assert export(database.backend, "outcomes", exported, "csv") == 2
    # Once they are taken back, the next deal has these leads, too.
    for told in list_outcomes(database.backend, count=9):
        take_back_outcome(database.backend, told.report, actor="Eva", now=now())
    deal_again(database)
    late = load_file(database, f"number,outcome,run\n{BRUNOS},won,{run_id}\n")
    assert (late.added, late.refused) == (0, 1)
    assert "A newer run has replaced" in late.bad[0].reason
    # The export names the run and the agent, and the leads have others now; without these columns it is not refused.
    rows = list(csv.reader(exported.getvalue().decode().splitlines()))
    body = "\n".join(",".join(row[1:-1]) for row in rows)
    assert load_file(database, body).added == 2
    told = list_outcomes(database.backend, number=ANAS, count=1)[0]
    assert (told.call_back_on, told.same_agent, told.note) == (DAY, True, "=1+1")
