"""The pages of settings, the audit and keys, in a browser without scripts; on each engine."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from agent_funnel.access.audit import list_entries, record_entry
from agent_funnel.access.keys import ROLES, add_key, list_keys
from agent_funnel.settings import Settings, load, variable
from agent_funnel.web import create_app
from agent_funnel.web.audit_words import DEEDS
from agent_funnel.web.auth import SAFE_METHODS, SESSION_COOKIE
from agent_funnel.web.setting_words import TITLES, meaning, setting_in_words
from support.databases import TestedDatabase
from support.pages import BROWSER, Page, Reader, bearer, client_of, key_of

# tests/backend runs the queries of these pages on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long


PAGES = ("/settings", "/audit", "/keys")


def test_settings_audit_and_keys_are_for_admins_only(database: TestedDatabase, client: FlaskClient) -> None:
    for role in ROLES:
        headers = {**BROWSER, **bearer(key_of(database, role))}
        expected = 200 if role == "admin" else 403
        for path in PAGES:
            assert (role, path, client.get(path, headers=headers).status_code) == (role, path, expected)
        has_links = "/settings" in client.get("/leads", headers=headers).text
        assert has_links == (role == "admin")
    operator = {**BROWSER, **bearer(key_of(database, "operator", "other"))}
    before = list_keys(database.backend)
    assert client.post("/keys", data={"name": "x", "role": "admin"}, headers=operator).status_code == 403
    assert client.post("/keys/revoke", data={"key_id": before[0].key_id}, headers=operator).status_code == 403
    assert [key.revoked_at for key in list_keys(database.backend)] == [None] * 4


def test_the_page_for_signing_in_asks_for_what_people_were_given(client: FlaskClient) -> None:
    page = client.get("/sign-in", headers=BROWSER).text.split("<main")[1]
    asked, folded = page.split("<details>")
    assert "Paste the key or link code you were given." in asked
    assert "agent-funnel" not in asked
    assert "agent-funnel keys add" in folded


def test_a_key_is_shown_once_and_kept_as_a_hash(database: TestedDatabase, reader: Reader) -> None:
    page = reader.get("/keys")
    assert "Make the first key for an admin" in page
    assert re.findall(r"<option value=\"(\w+)\"", page.source) == ["admin"]
    # If the first key could not make others, everybody would be locked out.
    refused = reader.send("/keys", name="ana", role="viewer")
    assert (refused.status_code, "The first key must be an admin’s" in Page(refused.text)) == (422, True)
    assert list_keys(database.backend) == []

    made = reader.send("/keys", name="<b>ana</b>", role="admin")
    assert (made.status_code, made.headers["Cache-Control"]) == (200, "no-store")
    assert "From now on everybody needs a key, this browser too." in Page(made.text)
    assert "The key of <b>ana</b>" in Page(made.text)
    (secret,) = re.findall(r'<code id="secret">(funnel_[\w-]{43})</code>', made.text)
    assert 'data-copy="secret"' in made.text
    assert "Set-Cookie" not in made.headers
    ((kept,),) = database.execute("SELECT secret_hash FROM dbo.access_key")
    assert str(kept).strip() == sha256(secret.encode()).hexdigest()
    assert reader.client.get("/keys", headers=reader.headers).location == "/sign-in"
    office = Reader(reader.client, secret)
    again = office.get("/keys")
    assert secret not in again.source
    assert "<b>ana</b> , admin" in again
    assert "by somebody on the server" in again

    taken = office.send("/keys", name="<b>ana</b>", role="viewer")
    assert (taken.status_code, "That was not done." in Page(taken.text)) == (409, True)
    # The form keeps its values.
    assert 'value="&lt;b&gt;ana&lt;/b&gt;"' in taken.text
    for fields in ({"name": " ", "role": "viewer"}, {"name": "x", "role": "king"}, {"role": "viewer"}):
        refused = office.send("/keys", **fields)
        assert (refused.status_code, "That was not done." in Page(refused.text)) == (422, True)
    assert "Role: is not one of these: viewer, operator, admin. Nothing" in office.refused(
        422, "/keys", name="x", role="king"
    )
    german = Reader(reader.client, secret, **{"Accept-Language": "de"}).send("/keys", name="x", role="king")
    assert "Rolle: ist keines von diesen: Leser, Operator, Administrator. Nichts wurde geändert." in Page(german.text)
    assert len(list_keys(database.backend)) == 1
    entries = list_entries(database.backend, count=9)
    assert {entry.target for entry in entries} == {"ana", "<b>ana</b>", None}
    assert not [entry for entry in entries if secret in f"{entry.target} {entry.detail}"]


def test_a_revoked_key_and_its_sessions_let_nobody_in(database: TestedDatabase, client: FlaskClient) -> None:
    admin, secret = add_key(database.backend, "admin", "admin")
    other, theirs = add_key(database.backend, "other", "viewer")
    office, browser = Reader(client, secret), client_of(database)
    assert browser.post("/sign-in", data={"key": theirs}, headers=BROWSER).status_code == 303
    assert browser.get("/leads", headers=BROWSER).status_code == 200

    page = office.get("/keys")
    # Both warnings are shown; with a second admin only one of them.
    assert (
        page.text.count("This is the last admin’s key.") == page.text.count("This is the key that you are using.") == 1
    )
    add_key(database.backend, "second", "admin")
    assert "the last admin’s key" not in office.get("/keys")

    done = office.send("/keys/revoke", key_id=other.key_id)
    assert (done.status_code, done.location) == (303, "/keys")
    page = office.get("/keys")
    assert f"Key {other.key_id} is revoked" in page
    assert "1 revoked" in page
    assert re.search(r"other, viewer Key \d+, made [^;]+; revoked .+ by admin", page.text)
    assert browser.get("/leads", headers=BROWSER).location == "/sign-in"
    assert browser.get_cookie(SESSION_COOKIE) is not None
    again = office.send("/keys/revoke", key_id=other.key_id)
    assert (again.status_code, "There is no key" in Page(again.text)) == (404, True)
    # Admins may revoke the key that they are using, and need another one from then on.
    office.send("/keys/revoke", key_id=admin.key_id)
    assert client.get("/keys", headers=office.headers).location == "/sign-in"


def test_the_audit_is_read_page_by_page_newest_first(database: TestedDatabase, reader: Reader) -> None:
    assert "There are no entries yet" in reader.get("/audit")
    for index in range(102):
        record_entry(
            database.backend, actor=f"<i>{index}", key_id=index or None, operation="POST /runs/<int:run_id>/undo",
            target=None if index else "run 1", address="192.0.2.1", status=(200, 403, 500)[index % 3],
            detail="<script>" if index % 3 else None,
        )  # fmt: skip
    pages = [reader.get("/audit")]
    (older,) = re.findall(r'<a href="(/audit\?before=\d+)" rel="next">Older', pages[0].source)
    pages.append(reader.get(older))
    told = [page.text for page in pages]
    found = [int(each) for page in told for each in re.findall(r":\d\d <i>(\d+)", page)]
    assert found == list(reversed(range(102)))
    assert "Older" not in told[1]
    assert "<i>0 192.0.2.1 Undo a deal : deal 1 ✓ done" in told[1]
    assert "<i>1 key 1, 192.0.2.1 Undo a deal ✕ refused <script>" in told[1]
    assert '<a href="/runs/1">deal 1</a>' in pages[1].source
    assert "! failed" in told[0]
    for before in ("1", "-5", "99999999999999999999999"):
        reader.get(f"/audit?before={before}")
    assert "Nothing older" in reader.get("/audit?before=1")


def test_settings_say_where_they_come_from_and_keep_secrets(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("FUNNEL_DEAD_MAN_URL=https://example.org/hidden-3\nFUNNEL_WEEKDAYS=mon-fri\n")
    monkeypatch.setenv("FUNNEL_NOTIFY_URLS", "json://user:hidden-1@example.org")
    monkeypatch.setenv("FUNNEL_CATCH_UP", "90m")
    monkeypatch.setenv("FUNNEL_RATE_LIMIT", "7 per minute")
    settings = load(
        rate_limit="9 per second", database_url="mssql+pymssql://user:hidden-2@example.org/db", timezone="Asia/Tokyo"
    )
    page = Reader(create_app(settings, database.backend).test_client()).get("/settings")
    # The text has a blank after each tag, so also between `code` and what ends its sentence.
    text = re.sub(r" (?=[.,)]( |$))", "", page.text)
    for name in Settings.model_fields:
        assert f"{TITLES[name]} {_meaning(name)}" in text
    for name, value, place in (
        ("rate_limit", "9 in a second", "from a flag"),
        ("catch_up", "1 h 30 min", "from the environment"),
        ("weekdays", "Mon, Tue, Wed, Thu, Fri", "from the .env file"),
        ("max_per_agent", "as in the rules", "the rule above holds"),
        ("pool_factor", "5 times more or fewer than usual", "the default"),
        ("brake", "never", "the default"),
        ("warn_before", "2 h before", "the default"),
        ("timezone", "Asia/Tokyo", "from a flag"),
        ("notify_urls", "set, but a secret", "from the environment"),
        ("dead_man_url", "set, but a secret", "from the .env file"),
        ("database_url", database.backend.name, "from a flag"),
    ):
        assert f"{TITLES[name]} {_meaning(name)} {value} {variable(name)} {place}" in text
    assert "hidden" not in page.source.split("<main")[1].split("</main>")[0]
    # Only the rules can be changed here.
    assert page.source.partition("<main")[2].partition("</main>")[0].count("<form") == 1


@pytest.mark.parametrize("field", list(Settings.model_fields))
def test_each_setting_has_a_title_and_its_value_in_words(field: str) -> None:
    assert TITLES[field]
    assert setting_in_words(field, getattr(Settings(), field)) not in ("", "None")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("warn_before", "0", "off"), ("runway_nights", "0", "off"), ("newest_first", "true", "newest first"),
        ("country", "br", "Brazil (BR)"), ("country", "none", "none"), ("brake", "pool", "an unusual amount of leads"),
        ("language", "de", "Deutsch"),
        ("brake", "procedure,pool", "an unusual amount of leads, procedures that are not those of this version"),
        ("notify_on", "letter,failed", "failed, letter"), ("log_format", "json", "for programs (JSON)"),
        ("encryption", "off", "off"), ("rate_limit", "1200 per hour", "1,200 in an hour"),
        ("voice", "as-dealt", "go to any agent, as the order has it"), ("weekdays", "mon-sun", "every day"),
    ],
)  # fmt: skip
def test_values_are_shown_in_words(client: FlaskClient, field: str, value: str, words: str) -> None:
    with client.application.test_request_context():
        assert setting_in_words(field, getattr(load(**{field: value}), field)) == words


def _meaning(field: str) -> str:
    """The first sentence of a setting's description, as the page shows it."""
    return meaning(field).replace("`", "")


def test_the_audit_has_words_for_each_request_that_it_records(client: FlaskClient) -> None:
    """Its table has no other words either: a path that was renamed leaves none behind."""
    recorded = {
        f"{method} {path}"
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {*SAFE_METHODS}
        for path in _paths(rule.rule.removeprefix("/api"))
    }
    # Statements of the database record these:
    assert recorded | {"rename agent", "forget"} == set(DEEDS)


def _paths(rule: str) -> list[str]:
    """A rule as the audit shows it; one for each word, if a part is one of a few words."""
    few = re.search(r"<any\(([^<>]*)\):\w+>", rule)
    words = re.findall(r"'(\w+)'", few[1]) if few else []
    return [rule.replace(few[0], word) for word in words] if few else [rule]


def test_a_target_of_the_audit_leads_to_its_page_and_a_check_is_called_one(
    database: TestedDatabase, reader: Reader
) -> None:
    for operation, target in {
        "POST /api/imports/<int:import_id>/undo": "import 7, dry run",
        "POST /api/leads/import": "dry run",
        "POST /api/do-not-contact/import": "dry run, own requests",
        "POST /an/older/version": "x",
    }.items():
        record_entry(
            database.backend, actor="Ana", key_id=None, operation=operation, target=target, address="::1", status=200,
            detail=None,
        )  # fmt: skip
    page = reader.get("/audit")
    assert "Undo an import : import 7 only checked by a program" in page.text
    assert '<a href="/imports/7">import 7</a>' in page.source
    assert "Import leads only checked by a program" in page.text
    assert "Import numbers to a do-not-contact list : direct requests only checked by a program" in page.text
    assert "POST /an/older/version : x ✓ done" in page.text
