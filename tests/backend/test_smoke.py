from datetime import date

from agent_funnel import service
from agent_funnel.settings import load
from databases import Database


def test_a(database: Database) -> None:
    database.insert("agents", ("agent", "status"), [("a", "active")])
    database.insert("wafunnel", ("number", "stage", "date"), [("1", 1, "2026-11-01 00:00:00.003")])
    assert service.assign(database.backend, load(), business_date=date(2026, 11, 23)).assigned == 1


def test_b(bare_database: Database) -> None:
    bare_database.insert("agents", ("agent", "status"), [("a", "active")])
    bare_database.insert("wafunnel", ("number", "stage", "date"), [("1", 1, "2026-11-01 00:00:00.003"), ("1", 1, "2026-11-01 00:00:00.003"), ("1", 1, "2026-11-01 00:00:00.007"), ("", None, None)])
    r = service.assign(bare_database.backend, load(), business_date=date(2026, 11, 23))
    assert (r.assigned, r.duplicates) == (1, 1)
    assert [x[0] for x in bare_database.execute("SELECT stage FROM dbo.wafunnel ORDER BY id")] == [2, 2, 1, None]
