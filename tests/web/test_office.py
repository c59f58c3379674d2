"""Settings, the audit and keys, as a browser without script asks for them, on each engine."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from agent_funnel import access, audit
from agent_funnel.access import ROLES
from agent_funnel.settings import Settings, load
from agent_funnel.web import create_app
from agent_funnel.web.auth import SESSION_COOKIE
from agent_funnel.web.pages.admin import GROUPS
from databases import Database

# What these pages ask the database is asked of each engine in tests/backend; the long version asks it here, too.
pytestmark = pytest.mark.sqlserver_if_long


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}
PAGES = ("/settings", "/audit", "/keys")


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def bearer(secret: str) -> dict[str, str]:
    return {**BROWSER, "Authorization": f"Bearer {secret}"}


def test_the_office_is_for_admins(database: Database) -> None:
    client = create_app(load(), database.backend).test_client()
    for role in ROLES:
        headers = bearer(access.add_key(database.backend, role, role)[1])
        expected = 200 if role == "admin" else 403
        for path in PAGES:
            assert (role, path, client.get(path, headers=headers).status_code) == (role, path, expected)
        has_links = "/settings" in client.get("/leads", headers=headers).text
        assert has_links == (role == "admin")
    operator = bearer(access.add_key(database.backend, "other", "operator")[1])
    before = access.keys(database.backend)
    assert client.post("/keys", data={"name": "x", "role": "admin"}, headers=operator).status_code == 403
    assert client.post("/keys/revoke", data={"key_id": before[0].key_id}, headers=operator).status_code == 403
    assert [key.revoked_at for key in access.keys(database.backend)] == [None] * 4


def test_a_key_is_shown_once_and_kept_as_a_hash(database: Database) -> None:
    client = create_app(load(), database.backend).test_client()
    page = client.get("/keys", headers=BROWSER).text
    assert "Make the first key for an admin" in words(page)
    assert re.findall(r"<option value=\"(\w+)\"", page) == ["admin"]
    # One who cannot make the others would leave everybody outside.
    refused = client.post("/keys", data={"name": "ana", "role": "viewer"}, headers=BROWSER)
    assert (refused.status_code, "The first key must be an admin’s" in words(refused.text)) == (422, True)
    assert access.keys(database.backend) == []

    made = client.post("/keys", data={"name": "<b>ana</b>", "role": "admin"}, headers=BROWSER)
    assert (made.status_code, made.headers["Cache-Control"]) == (200, "no-store")
    assert "From now on everybody needs a key, this browser too." in words(made.text)
    assert "The key of &lt;b&gt;ana&lt;/b&gt;" in words(made.text)
    (secret,) = re.findall(r'<code id="secret">(funnel_[\w-]{43})</code>', made.text)
    assert 'data-copy="secret"' in made.text
    assert "Set-Cookie" not in made.headers
    ((kept,),) = database.execute("SELECT secret_hash FROM dbo.access_key")
    assert str(kept).strip() == sha256(secret.encode()).hexdigest()
    assert client.get("/keys", headers=BROWSER).location == "/sign-in"
    again = client.get("/keys", headers=bearer(secret)).text
    assert secret not in again
    assert "&lt;b&gt;ana&lt;/b&gt; , admin" in words(again)
    assert "by this machine" in words(again)

    taken = client.post("/keys", data={"name": "<b>ana</b>", "role": "viewer"}, headers=bearer(secret))
    assert (taken.status_code, "That was not done." in words(taken.text)) == (409, True)
    # What was written into the form stays in it.
    assert 'value="&lt;b&gt;ana&lt;/b&gt;"' in taken.text
    for fields in ({"name": " ", "role": "viewer"}, {"name": "x", "role": "king"}, {"role": "viewer"}):
        refused = client.post("/keys", data=fields, headers=bearer(secret))
        assert (refused.status_code, "That was not done." in words(refused.text)) == (422, True)
    assert len(access.keys(database.backend)) == 1
    entries = audit.entries(database.backend, count=9)
    assert {entry.target for entry in entries} == {"ana", "<b>ana</b>", None}
    assert not [entry for entry in entries if secret in f"{entry.target} {entry.detail}"]


def test_a_revoked_key_and_its_sessions_let_nobody_in(database: Database) -> None:
    client = create_app(load(), database.backend).test_client()
    admin, secret = access.add_key(database.backend, "admin", "admin")
    other, theirs = access.add_key(database.backend, "other", "viewer")
    browser = create_app(load(), database.backend).test_client()
    assert browser.post("/sign-in", data={"key": theirs}, headers=BROWSER).status_code == 303
    assert browser.get("/leads", headers=BROWSER).status_code == 200

    page = words(client.get("/keys", headers=bearer(secret)).text)
    # Each has its warning, of which a second admin takes the one away.
    assert page.count("This is the last admin’s key.") == page.count("This is the key that you are using.") == 1
    access.add_key(database.backend, "second", "admin")
    assert "the last admin’s key" not in words(client.get("/keys", headers=bearer(secret)).text)

    done = client.post("/keys/revoke", data={"key_id": other.key_id}, headers=bearer(secret))
    assert (done.status_code, done.location) == (303, "/keys")
    page = words(client.get("/keys", headers=bearer(secret)).text)
    assert f"Key {other.key_id} is revoked" in page
    assert "1 revoked" in page
    assert re.search(r"other, viewer Key \d+, made [^;]+; revoked .+ by admin", page)
    assert browser.get("/leads", headers=BROWSER).location == "/sign-in"
    assert browser.get_cookie(SESSION_COOKIE) is not None
    again = client.post("/keys/revoke", data={"key_id": other.key_id}, headers=bearer(secret))
    assert (again.status_code, "There is no key" in words(again.text)) == (404, True)
    # One's own, too, and then one is out.
    client.post("/keys/revoke", data={"key_id": admin.key_id}, headers=bearer(secret))
    assert client.get("/keys", headers=bearer(secret)).location == "/sign-in"


def test_the_audit_is_read_page_by_page_the_newest_first(database: Database) -> None:
    client = create_app(load(), database.backend).test_client()
    assert "There are no entries yet" in words(client.get("/audit", headers=BROWSER).text)
    for index in range(102):
        audit.record(
            database.backend, actor=f"<i>{index}", key_id=index or None, operation="POST /runs/<int:run_id>/undo",
            target=None if index else "run 1", address="192.0.2.1", status=(200, 403, 500)[index % 3],
            detail="<script>" if index % 3 else None,
        )  # fmt: skip
    pages = [client.get("/audit", headers=BROWSER).text]
    (older,) = re.findall(r'<a href="(/audit\?before=\d+)" rel="next">Older', pages[0])
    pages.append(client.get(older, headers=BROWSER).text)
    told = [words(page) for page in pages]
    found = [int(each) for page in told for each in re.findall(r"UTC &lt;i&gt;(\d+)", page)]
    assert found == list(reversed(range(102)))
    assert "Older" not in told[1]
    first = "&lt;i&gt;0 POST /runs/&lt;int:run_id&gt;/undo run 1 ✓ done 200 192.0.2.1"
    assert first in told[1]
    assert "&lt;i&gt;1 key 1 POST /runs/&lt;int:run_id&gt;/undo – ✕ refused 403 &lt;script&gt; 192.0.2.1" in told[1]
    assert "! failed 500" in told[0]
    for before in ("1", "-5", "99999999999999999999999"):
        assert client.get(f"/audit?before={before}", headers=BROWSER).status_code == 200
    assert "Nothing older" in words(client.get("/audit?before=1", headers=BROWSER).text)


def test_settings_say_where_they_come_from_and_keep_secrets(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert sorted(name for fields in GROUPS.values() for name in fields) == sorted(Settings.model_fields)
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("FUNNEL_DEAD_MAN_URL=https://example.org/hidden-3\nFUNNEL_WEEKDAYS=mon-fri\n")
    monkeypatch.setenv("FUNNEL_NOTIFY_URLS", "json://user:hidden-1@example.org")
    monkeypatch.setenv("FUNNEL_CATCH_UP", "90m")
    monkeypatch.setenv("FUNNEL_RATE_LIMIT", "7 per minute")
    settings = load(
        rate_limit="9 per second", database_url="mssql+pymssql://user:hidden-2@example.org/db", timezone="Asia/Tokyo"
    )
    page = create_app(settings, database.backend).test_client().get("/settings", headers=BROWSER).text
    told = words(page)
    for line in (
        r"FUNNEL_RATE_LIMIT [^.]+\. 9 per second from a flag",
        r"FUNNEL_CATCH_UP [^.]+\. 1 h 30 min from the environment",
        r"FUNNEL_WEEKDAYS [^.]+\. mon, tue, wed, thu, fri from the .env file",
        r"FUNNEL_MAX_PER_AGENT [^.]+\. 450 the default",
        r"FUNNEL_POOL_FACTOR [^.]+\. 5 the default",
        r"FUNNEL_BRAKE [^.]+\. none the default",
        r"FUNNEL_TIMEZONE [^.]+\. Asia/Tokyo from a flag",
        r"FUNNEL_NOTIFY_URLS [^.]+\. set, but a secret from the environment",
        r"FUNNEL_DEAD_MAN_URL [^.]+\. set, but a secret from the .env file",
        rf"FUNNEL_DATABASE_URL [^.]+\. {re.escape(database.backend.name)} from a flag",
    ):
        assert re.search(line, told), line
    assert "hidden" not in page.replace('class="hidden"', "")
    assert "<form" not in page.partition("<main")[2]
