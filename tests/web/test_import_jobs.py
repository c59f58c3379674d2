"""A long import goes on after the response, and a page without script shows how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from agent_funnel import imports
from agent_funnel.web import import_jobs, uploads
from support.databases import TestedDatabase
from support.pages import Reader, client_of, key_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

TEXT = b"Phone\n+5521970000001\n+5521970000002\nnobody\n"


def test_a_long_import_shows_its_progress_and_then_its_result_to_its_owner_alone(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(database)
    reader, other = Reader(client, key_of(database, "operator")), Reader(client, key_of(database, "admin"))
    monkeypatch.setattr(import_jobs, "WAIT_SECONDS", 0)
    goes_on, counted = threading.Event(), threading.Event()

    def slow(*given: Any, progress: Callable[[int], None], **named: Any) -> Any:
        progress(70_000)
        counted.set()
        goes_on.wait(30)
        return imports.import_file(*given, progress=progress, **named)

    monkeypatch.setattr(uploads, "import_file", slow)
    answer = reader.send("/leads/import", what="import", file=(BytesIO(TEXT), "fair.csv"), skip_bad="on")
    assert answer.status_code == 303
    path = answer.headers["Location"]
    assert counted.wait(30)
    page = reader.get(path)
    assert '<meta http-equiv="refresh" content="2">' in page.source
    assert "Importing fair.csv … 70,000 rows have been read so far." in page
    assert other.client.get(path, headers=other.headers).location == "/imports"
    goes_on.set()
    (job,) = client.application.extensions["agent_funnel"].import_jobs._jobs.values()
    assert job.finished.wait(30)
    page = reader.get(path)
    assert 'http-equiv="refresh"' not in page.source
    assert "fair.csv has 3 rows of data. Added 2 Already there, not changed 0 Bad rows, left out 1" in page
    # A second one is refused, and its page says why.
    goes_on.clear()
    answer = reader.send("/leads/import", what="import", file=(BytesIO(TEXT), "again.csv"))
    goes_on.set()
    (job,) = client.application.extensions["agent_funnel"].import_jobs._jobs.values()
    assert job.finished.wait(30)
    page = reader.get(answer.headers["Location"], 422)
    assert "That was not done. The file has 1 bad row; nothing was imported." in page
    assert "4 “nobody” is not a phone number" in page
    assert page.forms["/leads/import"]["kept"]
    assert database.execute("SELECT COUNT(*) FROM dbo.wafunnel") == [(2,)]
