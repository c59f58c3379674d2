"""A bad value stops the start and is named; a secret is not quoted."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import trustme

from agent_funnel.errors import SettingsError
from agent_funnel.settings import DEFAULT_RULES, Settings, describe, load, source, variable
from agent_funnel.settings_types import written
from support.databases import connect_to


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields:
        monkeypatch.delenv(f"FUNNEL_{field.upper()}", raising=False)


def test_the_defaults_are_those_of_the_readme() -> None:
    settings = load()
    assert (settings.run_at, settings.database_schema, settings.host) == (time(20, 40), "dbo", "127.0.0.1")
    assert settings.database_url == "sqlite:///funnel.db"
    # Of these, the recorded rule holds, and without one the default.
    assert {getattr(settings, name) for name in DEFAULT_RULES} == {None}
    assert DEFAULT_RULES == {
        "country": "none", "max_per_agent": 450, "window_days": 45, "newest_first": False, "voice": "fresh",
    }  # fmt: skip


def test_flags_win_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("FUNNEL_PORT=1\nFUNNEL_HOST=file\nFUNNEL_MAX_PER_AGENT=7\nOTHER=x\n")
    monkeypatch.setenv("FUNNEL_PORT", "2")
    monkeypatch.setenv("FUNNEL_HOST", "environment")
    settings = load(port=3, host=None)
    assert (settings.port, settings.host, settings.max_per_agent) == (3, "environment", 7)


def test_each_value_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("FUNNEL_PORT=1\nfunnel_host=file\nFUNNEL_SCHEMA=file\nFUNNEL_MAX_PER_AGENT=450\nOTHER=x\n")
    for name, value in {"PORT": "2", "SCHEMA": "environment", "WINDOW_DAYS": "2", "WEEKDAYS": "mon"}.items():
        monkeypatch.setenv(f"FUNNEL_{name}", value)
    settings = load(port=3, window_days=2, host=None)
    # A value that was set has its source, even if it equals the default.
    expected = dict.fromkeys(Settings.model_fields, "default") | {
        "port": "flag",
        "window_days": "flag",
        "database_schema": "environment",
        "weekdays": "environment",
        "host": ".env file",
        "max_per_agent": ".env file",
    }
    assert {name: source(settings, name) for name in Settings.model_fields} == expected
    # The sources are fixed at loading, as the values are.
    Path(".env").write_text("FUNNEL_RUN_AT=01:00\n")
    assert (source(settings, "run_at"), source(settings, "host")) == ("default", ".env file")
    assert source(settings.model_copy(update={"run_at": time(1)}), "port") == "flag"
    assert source(load(database_schema="flag"), "database_schema") == "flag"
    assert source(load(), "run_at") == ".env file"
    assert (variable("run_at"), variable("database_schema")) == ("FUNNEL_RUN_AT", "FUNNEL_SCHEMA")


def test_values_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TIMEZONE": "Europe/Berlin",
        "RUN_AT": "06:05",
        "CATCH_UP": "90m",
        "NEWEST_FIRST": "1",
        "SCHEMA": "sales",
        "COUNTRY": " br ",
    }.items():
        monkeypatch.setenv(f"FUNNEL_{name}", value)
    settings = load()
    assert settings.timezone == ZoneInfo("Europe/Berlin")
    assert (settings.run_at, settings.catch_up) == (time(6, 5), timedelta(minutes=90))
    assert (settings.newest_first, settings.database_schema, settings.country) == (True, "sales", "BR")
    assert load(country="None").country == "none"
    assert load(voice=" As-Dealt").voice == "as-dealt"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUN_AT", "25:00"),
        ("RUN_AT", "8:40 PM"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TIMEZONE", "../etc/passwd"),
        ("TIMEZONE", ""),
        ("CATCH_UP", "3x"),
        ("CATCH_UP", "30"),
        ("CATCH_UP", "24h"),
        ("WARN_BEFORE", "24h"),
        ("RUNWAY_NIGHTS", "15"),
        ("MAX_PER_AGENT", "0"),
        ("MAX_PER_AGENT", "many"),
        ("COUNTRY", ""),
        ("COUNTRY", "XX"),
        ("COUNTRY", "Brazil"),
        ("WINDOW_DAYS", ""),
        ("WINDOW_DAYS", "-1"),
        ("NEWEST_FIRST", "perhaps"),
        ("SCHEMA", "dbo; DROP TABLE x"),
        ("PORT", "70000"),
        ("HOST", " "),
        ("MESSAGE_FIRST", "Hello {name}"),
        ("MESSAGE_SECOND", "{agent"),
        ("MESSAGE_THIRD", "}"),
        ("MESSAGE_CALL_BACK", "x" * 501),
        ("LOCK_WAIT", "0"),
        ("LOCK_WAIT", "61m"),
        ("CALL_TIMEOUT", "0"),
        ("CALL_TIMEOUT", "24h"),
        ("ENCRYPTION", "yes"),
        ("CA_FILE", "no-such.pem"),
        ("CA_FILE", "."),
    ],
)
def test_a_bad_value_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"FUNNEL_{name}", value)
    with pytest.raises(SettingsError, match=f"FUNNEL_{name} ") as refused:
        load()
    assert repr(value) in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "postgresql://user:hunter2@host/db", "mssql+pymssql://user:hunter2@host", "sqlite://", "a:hunter2@:x"],
)
def test_a_bad_database_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="FUNNEL_DATABASE_URL") as refused:
        connect_to(url)
    assert "hunter2" not in str(refused.value)


def test_a_ca_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n")
    with pytest.raises(SettingsError, match=r"FUNNEL_CA_FILE .*ca\.pem.* holds no certificate"):
        load(ca_file=path)
    trustme.CA().cert_pem.write_to_path(str(path))
    assert load(ca_file=Path("ca.pem")).ca_file == path


def test_every_setting_describes_itself() -> None:
    for field in Settings.model_fields:
        group, name, description, _ = describe(field)
        assert (name, bool(group), description.endswith(".")) == (variable(field), True, True)
        # The description is plain text, because a page without Markdown shows it, too.
        assert "](" not in description


def test_a_default_is_described_as_its_variable_accepts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for field, info in Settings.model_fields.items():
        default = describe(field).default
        if default is None:
            assert not info.default
        else:
            monkeypatch.setenv(variable(field), default)
            assert getattr(load(), field) == info.default


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(hours=1, minutes=30), "90m"),
        (timedelta(seconds=61), "61s"),
        (timedelta(0), "0h"),
        (time(20, 40, 5), "20:40:05"),
        (("mailto://a", "mailto://b"), "mailto://a mailto://b"),
        (frozenset(), None),
        (0, "0"),
        ("", ""),
    ],
)
def test_a_value_is_written_as_it_is_read(value: object, text: str | None) -> None:
    assert written(value) == text
