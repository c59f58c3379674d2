"""Agents, limits, holidays and do-not-contact numbers from files, by page and by API, as leads."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from agent_funnel.agents import list_limits
from agent_funnel.import_records import list_imports
from support.databases import TestedDatabase
from support.pages import Page, Reader, reader_of

# tests/backend imports files of each kind on each engine.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

AGENTS = "Vendedor;Situação\nAna Souza;Ativo\nana souza;sim\nJoão;talvez\n"
LIMITS = "Vendedor;Limite;Início;Fim\nAna;0;03/04/2026;05/04/2026\nNobody;10;06/04/2026;\n"
HOLIDAYS = "Data;Feriado\n25.12.2026;Natal\n26.12.2026;=1+1\n25.12.2026;Natal\n"
NUMBERS = "Telefone;Motivo\n+55 21 97000-0001;carta\nabc;\n"


def send(reader: Reader, kind: str, text: str = "", **fields: Any) -> tuple[int, Page]:
    file = {"file": (BytesIO(text.encode("cp1252")), f"{kind}.csv")} if text else {}
    answer = reader.send(f"/{kind}/import", **fields, **file)
    return answer.status_code, Page(answer.text)


def kept(page: Page, kind: str) -> str:
    return page.forms[f"/{kind}/import"]["kept"]


def test_agents_are_checked_corrected_and_imported_with_names_that_are_alike(database: TestedDatabase) -> None:
    database.execute("INSERT INTO dbo.agents (agent, status) VALUES ('Bia', 'active')")
    reader = reader_of(database, "operator")
    status, page = send(reader, "agents", AGENTS, what="check")
    assert status == 200
    assert "agents.csv has 3 rows of data. Would be added 2 Already there 0 Bad rows 1" in page
    assert "The agent is in the column Vendedor . The status is in the column Situação ." in page
    assert "Its first rows Line Vendedor (agent) Situação (status) 2 Ana Souza Ativo" in page
    status, bad = send(reader, "agents", what="bad_rows", kept=kept(page, "agents"))
    assert "João;talvez;4;" in bad.source.replace(",", ";")
    status, page = send(reader, "agents", what="import", kept=kept(page, "agents"))
    assert (status, "The file has 1 bad row; nothing was imported." in page) == (422, True)
    status, page = send(reader, "agents", what="import", kept=kept(page, "agents"), skip_bad="on")
    assert "Added 2" in page
    assert "Names that are easily taken for one another" in page
    assert "'Ana Souza', 'ana souza'" in page
    # What differs is said, and set only on request.
    status, page = send(reader, "agents", "agent,status\nBia,inactive\n", what="import")
    assert "Already there, not changed 1" in page
    assert "1 already there with another status, and not changed." in page
    status, page = send(reader, "agents", "agent,status\nBia,inactive\n", what="import", update="true")
    assert "Changed 1" in page
    assert database.execute("SELECT status FROM dbo.agents WHERE agent = 'Bia'") == [("inactive",)]
    assert [(each.kind, each.source) for each in list_imports(database.backend, count=9)] == [("agents", "page")] * 3


def test_limits_and_absences_ask_for_the_order_of_their_dates(database: TestedDatabase) -> None:
    database.execute("INSERT INTO dbo.agents (agent, status) VALUES ('Ana', 'active')")
    reader = reader_of(database, "operator")
    status, page = send(reader, "limits", LIMITS, what="check")
    assert (status, "none of them shows whether the day or the month comes first" in page) == (422, True)
    assert "Choose it below: day first or month first. Nothing was imported." in page
    assert "--" not in page.text
    status, page = send(reader, "limits", what="check", kept=kept(page, "limits"), dates="dmy")
    assert "The first day is in the column Início ." in page
    assert "there is no agent 'Nobody'" in page
    status, page = send(reader, "limits", what="import", kept=kept(page, "limits"), dates="dmy", new_agents="true")
    assert (status, "Added 2" in page) == (200, True)
    assert [(each.agent, str(each.starts_on)) for each in list_limits(database.backend)] == [
        ("Ana", "2026-04-03"), ("Nobody", "2026-04-06"),
    ]  # fmt: skip


def test_holidays_and_do_not_contact_numbers_come_by_the_same_page(database: TestedDatabase) -> None:
    reader = reader_of(database, "operator")
    status, page = send(reader, "holidays", HOLIDAYS, what="check")
    assert "Would be added 2 Already there 0 Bad rows 1" in page
    assert "same day as on line 2" in page
    status, page = send(reader, "holidays", what="import", kept=kept(page, "holidays"), skip_bad="on")
    assert (status, "Added 2" in page) == (200, True)
    assert database.execute("SELECT COUNT(*) FROM dbo.holiday") == [(2,)]

    status, page = send(reader, "numbers", NUMBERS, what="check", list_name="own requests")
    assert "Would be added 1 Already there 0 Bad rows 1" in page
    status, bad = send(reader, "numbers", what="bad_rows", kept=kept(page, "numbers"), list_name="x")
    assert "abc" in bad.source
    again = {"kept": kept(page, "numbers"), "list_name": "own requests", "skip_bad": "on"}
    status, page = send(reader, "numbers", what="import", **again)
    assert (status, "Added 1" in page) == (200, True)
    assert database.execute("SELECT COUNT(*) FROM dbo.do_not_contact_entry") == [(1,)]


def test_the_api_imports_each_kind_and_gives_its_bad_rows(database: TestedDatabase) -> None:
    database.execute("INSERT INTO dbo.agents (agent, status) VALUES ('Ana', 'active')")
    reader = reader_of(database, "operator")

    def ask(path: str, text: str) -> Any:
        return reader.client.post(path, data=text.encode("cp1252"), content_type="text/csv", headers=reader.headers)

    answer = ask("/api/agents/import?skip_bad=true&file_name=a.csv", AGENTS)
    assert (answer.json["added"], answer.json["bad_rows"]) == (2, 1)
    assert answer.json["alike"] == [["Ana Souza", "ana souza"]]
    assert ask("/api/limits/import", LIMITS).status_code == 422
    assert ask("/api/limits/import?dates=dmy", LIMITS).status_code == 422
    assert ask("/api/limits/import?dates=dmy&new_agents=true", LIMITS).json["added"] == 2
    rejected = ask("/api/holidays/import?dry_run=true&bad_rows_file=true", HOLIDAYS)
    assert rejected.text.splitlines()[1].endswith("same day as on line 2")
    assert ask("/api/holidays/import?skip_bad=true", HOLIDAYS).json["added"] == 2
    # Each kind takes only its own options.
    assert ask("/api/holidays/import?update=true", HOLIDAYS).status_code == 422
    assert {each.kind: each.source for each in list_imports(database.backend, count=9)} == {
        "agents": "api", "limits": "api", "holidays": "api",
    }  # fmt: skip
