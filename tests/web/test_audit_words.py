"""The audit in the language of a page: what our program wrote is translated, what people wrote is not."""

from __future__ import annotations

import pytest
from babel import Locale

from agent_funnel.access.audit import record_entry
from agent_funnel.sentences import Sentence
from agent_funnel.web import audit_details
from support.databases import TestedDatabase
from support.pages import Reader, client_of

ENTRIES = (
    ("POST /agents/rename", "Name → Until", 404, "There is no agent Name; nothing was changed."),
    ("POST /keys", "x", 422,
     "Role: is not one of these: viewer, operator, admin; Name: is missing. Nothing was changed."),
    ("POST /keys/revoke", "key 7", 200, None),
    ("POST /agents/limits/remove", "limit 3", 404, "There is no limit 3."),
    ("POST /api/hand-backs", "1200 of key 7, run 12", 200, None),
    ("POST /api/outcomes", "won ••123", 404, "There is no run 7; nothing was kept."),
    ("POST /api/outcomes/several", "1 of 2 outcomes", 200, None),
    ("POST /do-not-contact/several", "2 numbers, own requests", 200, None),
    ("POST /api/do-not-contact/import", "dry run, own requests", 200, None),
    ("POST /calendar/public", "DE-BY 2027: 9 days", 200, None),
    ("POST /calendar/holidays", "2026-12-24 to 2026-12-26", 200, None),
    ("POST /rules", "max_per_agent 90, newest_first true, country none", 200, None),
    ("POST /rules", "no change", 200, None),
    ("POST /schedule/adopt", "20:40:00 (UTC), every day, catch-up 3:00:00", 200, None),
    ("POST /start/agents", "2 names", 422,
     "There are 2,000 names; 1 to 1,000 are possible at once, one on each line. Nothing was changed."),
    ("POST /agents/add", "no change", 500, "A driver says something of its own."),
)  # fmt: skip
SHOWN = (
    "Agenten umbenennen : Name → Until ✕ abgelehnt Es gibt keinen Agenten Name; nichts wurde geändert.",
    "Rolle: ist keines von diesen: Leser, Operator, Administrator; Name: fehlt. Nichts wurde geändert.",
    "Schlüssel widerrufen : Schlüssel 7 ✓",
    "Nummer 3 ✕ abgelehnt Es gibt kein Limit 3.",
    "1.200 Leads von key 7, Verteilung 12",
    "Gewonnen, ••123 durch ein Programm ✕ abgelehnt Es gibt keine Verteilung 7; nichts wurde gespeichert.",
    "1 von 2 Ergebnissen",
    "2 Nummern, eigene Abmeldungen",
    ": eigene Abmeldungen nur geprüft",
    "DE-BY 2027: 9 Tage",
    "24.12.2026 bis 26.12.2026",
    "höchstens Leads pro Agent: 90; Leads mit gleich vielen Anrufen: neueste zuerst",
    "keine Änderung",
    "20:40:00 (UTC), jeden Tag, nachholen innerhalb von 3:00:00",
    "2 Namen ✕ abgelehnt Es sind 2.000 Namen; möglich sind 1 bis 1.000 auf einmal",
    ": no change ! fehlgeschlagen A driver says something of its own.",
)


@pytest.mark.sqlserver_if_long
def test_what_a_program_wrote_is_translated_and_what_people_wrote_is_not(database: TestedDatabase) -> None:
    for operation, target, status, detail in ENTRIES:
        record_entry(
            database.backend, actor="Ana", key_id=None, operation=operation, target=target, address="::1",
            status=status, detail=detail,
        )  # fmt: skip
    page = Reader(client_of(database), **{"Accept-Language": "de"}).get("/audit")
    for text in SHOWN:
        assert text in page
    english = Reader(client_of(database)).get("/audit")
    for text in ("There is no agent Name; nothing was changed.", "1,200 leads of key 7, deal 12", "There is no deal 7"):
        assert text in english


def test_each_detail_reads_in_english_as_it_was_kept() -> None:
    for _, _, _, detail in ENTRIES:
        if detail and "run" not in detail:
            found = audit_details.detail_in_words(detail, Locale("de"))
            assert found == detail
            assert isinstance(found, Sentence) is ("driver" not in detail)
