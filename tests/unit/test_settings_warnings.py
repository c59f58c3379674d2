"""Warnings about settings that were probably not meant: names that are no setting, and a zone that is not set."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent_funnel import cli
from agent_funnel.doctor.settings import settings_findings
from agent_funnel.settings import load
from agent_funnel.settings_warnings import machine_zone, settings_warnings, unknown_settings, unset_zone
from support.command import answer, run_command

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("FUNNEL_TIME_ZONE", "FUNNEL_TIMEZONE"),
        ("FUNNEL_MAX_AGENT", "FUNNEL_MAX_PER_AGENT"),
        ("FUNNEL_DB_URL", "FUNNEL_DATABASE_URL"),
        ("FUNNEL_DATABASE", "FUNNEL_DATABASE_URL"),
        ("FUNNEL_WEEKDAY", "FUNNEL_WEEKDAYS"),
        ("FUNNEL_RUNAT", "FUNNEL_RUN_AT"),
        ("funnel_time_zone", "FUNNEL_TIMEZONE"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env file"])
def test_a_misspelt_setting_is_named_with_the_setting_of_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str, place: str
) -> None:
    if place == "environment":
        monkeypatch.setenv(name, "hidden-value")
    else:
        Path(".env").write_text(f"{name}=hidden-value\n")
    (warning,) = unknown_settings(load())
    assert warning.startswith(f"{name.upper()} ({place}) is not a setting")
    assert warning.endswith(f"Did you mean {meant}?")
    assert "hidden-value" not in warning


def test_other_names_are_no_settings_and_the_tests_own_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FUNNEL_TEST_SQLSERVER_URL", "FUNNEL_TEST_LONG", "AGENT_FUNNEL_PORT", "TIMEZONE", "FUNNELS"):
        monkeypatch.setenv(name, "x")
    Path(".env").write_text("FUNNEL_TEST_LONG=1\nOTHER=2\nFUNNEL_SCHEMA=dbo\nfunnel_port=5001\n")
    assert unknown_settings(load()) == []
    monkeypatch.setenv("FUNNEL_XYZZY_9", "x")
    (warning,) = unknown_settings(load())
    assert "FUNNEL_XYZZY_9" in warning
    assert "Did you mean" not in warning


def test_every_command_warns_of_a_misspelt_setting_and_still_answers(tmp_path: Path) -> None:
    answer("demo", "--leads", "50", cwd=tmp_path)
    done = run_command("runs", "--json", cwd=tmp_path, FUNNEL_TIME_ZONE="Europe/Berlin")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "Did you mean FUNNEL_TIMEZONE?" in " ".join(done.stderr.split())
    # It explains the error, too.
    done = run_command("run", cwd=tmp_path, FUNNEL_DATABASEURL="sqlite:///other.db", FUNNEL_DATABASE_URL="sqlite:///x")
    assert done.returncode == cli.ExitCode.NO_DATABASE
    assert "Did you mean FUNNEL_DATABASE_URL?" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("America/Sao_Paulo", "20:40 there is 17:40 in the zone of this machine (America/Sao_Paulo)."),
        # In November it keeps to UTC.
        ("Europe/London", "Set FUNNEL_TIMEZONE=Europe/London"),
        ("Asia/Kolkata", "20:40 there is 02:10"),
    ],
)
def test_a_zone_that_is_not_set_is_a_warning_where_the_machine_has_another_zone(
    monkeypatch: pytest.MonkeyPatch, zone: str, hint: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    (warning,) = unset_zone(load(), NOW)
    assert hint in warning
    assert "FUNNEL_TIMEZONE=UTC if you mean that" in warning
    for flag in ({"timezone": "UTC"}, {"timezone": zone}):
        assert unset_zone(load(**flag), NOW) == []
    Path(".env").write_text("FUNNEL_TIMEZONE=UTC\n")
    assert unset_zone(load(), NOW) == []


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "GMT", "Africa/Abidjan", "Atlantic/Reykjavik"])
def test_a_machine_in_utc_needs_no_zone(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    assert settings_warnings(load(), NOW) == []


def test_a_machine_whose_zone_cannot_be_found_out_gets_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "No/Such_Zone")
    assert machine_zone() is None
    assert unset_zone(load(), NOW) == []


def test_a_zone_without_a_name_is_named_by_its_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    with (files("tzdata") / "zoneinfo" / "Asia" / "Tokyo").open("rb") as file:
        nameless = ZoneInfo.from_file(file)
    monkeypatch.setattr("agent_funnel.settings_warnings.machine_zone", lambda: nameless)
    (warning,) = unset_zone(load(), NOW)
    assert "(UTC+09:00)" in warning
    assert "FUNNEL_TIMEZONE, for example to Europe/Berlin" in warning


def test_status_and_the_doctor_warn_of_a_zone_that_is_not_set(tmp_path: Path) -> None:
    answer("install", cwd=tmp_path)
    shown = run_command("status", cwd=tmp_path, TZ="America/Sao_Paulo")
    assert shown.returncode == 0
    assert "Set FUNNEL_TIMEZONE=America/Sao_Paulo" in " ".join(shown.stderr.split())
    assert len(answer("status", cwd=tmp_path, TZ="America/Sao_Paulo")["warnings"]) == 1
    assert answer("status", cwd=tmp_path, TZ="America/Sao_Paulo", FUNNEL_TIMEZONE="UTC")["warnings"] == []
    done = run_command("doctor", "--json", cwd=tmp_path, TZ="America/Sao_Paulo", FUNNEL_WINDOW_DAY="1")
    assert done.returncode == cli.ExitCode.DOCTOR_WARNING
    found = [each["text"] for each in json.loads(done.stdout)["findings"] if each["check"] == "settings"]
    assert [text.split()[0] for text in found] == ["FUNNEL_WINDOW_DAY", "FUNNEL_TIMEZONE"]


def test_the_doctor_finds_nothing_where_all_is_set() -> None:
    (finding,) = settings_findings(load(timezone="Europe/Berlin"), NOW)
    assert (finding.level, "Europe/Berlin" in finding.text) == ("ok", True)
