"""The command about the rules of the deal, and the commands that go by them; on SQLite, as users run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_funnel import cli
from support.command import answer, run_command
from support.databases import connect_to


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    """A directory with a database of a few sample leads."""
    answer("demo", "--leads", "200", cwd=tmp_path)
    return tmp_path


def rules(floor: Path, **settings: str) -> dict[str, Any]:
    """What holds, by rule, with its source."""
    return {each["name"]: (each["value"], each["source"]) for each in answer("rules", cwd=floor, **settings)["rules"]}


def test_the_rules_are_shown_and_changed_and_deals_go_by_them(floor: Path) -> None:
    defaults = {"country": "none", "max_per_agent": 450, "window_days": 45, "newest_first": False, "voice": "fresh"}
    assert rules(floor) == {name: (value, "default") for name, value in defaults.items()}
    assert run_command("rules", "set", "country", "br", cwd=floor).stdout == "The rule country is BR now.\n"
    assert run_command("rules", "set", "country", "BR", cwd=floor).stdout == "The rule country is BR already.\n"
    assert answer("rules", "set", "newest_first", "Yes", "--actor", "Ana", cwd=floor) == {
        "name": "newest_first", "value": True, "changed": True,
    }  # fmt: skip
    assert answer("rules", "set", "max_per_agent", "2", cwd=floor)["value"] == 2
    assert rules(floor)["newest_first"] == (True, "database")
    table = run_command("rules", cwd=floor).stdout
    assert [line.split()[:4] for line in table.splitlines()[2:]] == [
        ["country", "BR", "database", "BR"], ["max_per_agent", "2", "database", "2"],
        ["window_days", "45", "default", "45"], ["newest_first", "true", "database", "true"],
        ["voice", "fresh", "default", "fresh"],
    ]  # fmt: skip
    assert table.splitlines()[-2].split()[-1] == "Ana"
    words = "at most 2 leads per agent, leads of the last 45 days, newest first, country BR, a fresh voice"
    assert f"The rules: {words}." in run_command("status", cwd=floor).stdout
    assert answer("preview", cwd=floor)["run"]["largest_share"] == 2
    run = answer("run", cwd=floor)
    assert run["largest_share"] == 2
    assert f"  rules: {words}\n" in run_command("runs", "show", str(run["run_id"]), cwd=floor).stdout
    other = answer("run", "--again", "--max-per-agent", "1", "--country", "none", "--voice", "As-Dealt", cwd=floor)
    shown = answer("runs", "show", str(other["run_id"]), cwd=floor)
    assert (shown["max_per_agent"], shown["country"], shown["newest_first"]) == (1, None, True)
    assert shown["voice"] == "as-dealt"


@pytest.mark.parametrize(
    ("name", "bad", "limits"),
    [
        ("max_per_agent", "0", "from 1 to 1000000"),
        ("max_per_agent", "4.5", "from 1 to 1000000"),
        ("window_days", "36501", "from 0 to 36500"),
        ("newest_first", "perhaps", "0 or 1"),
        ("country", "Brazil", "none or one of BR, MX, AR, US, CA, DE, GB, ES, PT, FR, IT, RU"),
        ("voice", "loud", "fresh or as-dealt"),
    ],
)
def test_a_bad_value_is_refused_with_its_limits(floor: Path, name: str, bad: str, limits: str) -> None:
    done = run_command("rules", "set", name, bad, cwd=floor)
    assert done.returncode == cli.ExitCode.PARAMETER_OUT_OF_RANGE
    assert done.stderr == f"Error: {name} is {bad!r}; it must be {limits}. Nothing was changed.\n"
    assert rules(floor)[name][1] == "default"
    assert run_command("rules", "set", "volume", "1", cwd=floor).returncode == 2


def test_a_setting_that_differs_from_the_recorded_rule_is_said(floor: Path) -> None:
    answer("rules", "set", "max_per_agent", "3", cwd=floor)
    setting = {"FUNNEL_MAX_PER_AGENT": "1"}
    sentence = (
        "FUNNEL_MAX_PER_AGENT (environment) is 1, but 3 is recorded in the database: this program deals by 1, and a "
        "deal that names no value by 3. Unset FUNNEL_MAX_PER_AGENT, or run `agent-funnel rules set max_per_agent 1`."
    )
    assert answer("rules", cwd=floor, **setting)["warnings"] == [sentence]
    assert sentence in answer("status", cwd=floor, **setting)["warnings"]
    assert f"Warning: {sentence}\n" in run_command("status", cwd=floor, **setting).stderr
    assert answer("run", cwd=floor, **setting)["largest_share"] == 1
    told = run_command("rules", "set", "max_per_agent", "4", cwd=floor, **setting).stdout
    assert (
        told == "The rule max_per_agent is 4 now.\nFUNNEL_MAX_PER_AGENT is 1; it wins for the deals of this program.\n"
    )
    found = run_command("doctor", cwd=floor, **setting).stdout
    assert "rules" in found
    assert "FUNNEL_MAX_PER_AGENT (environment) is 1, but 4 is recorded in the database" in found
    answer("rules", "set", "max_per_agent", "1", cwd=floor, **setting)
    assert answer("rules", cwd=floor, **setting)["warnings"] == []


def test_a_rule_that_is_recorded_wrongly_is_an_error_of_the_doctor(floor: Path) -> None:
    backend = connect_to(f"sqlite:///{floor / 'funnel.db'}")
    fine = run_command("doctor", cwd=floor).stdout
    assert "The rules are those of the database: at most 450 leads per agent" in fine
    with backend.transaction() as session:
        session.sets(
            "record_rules",
            actor="dba",
            country=None,
            max_per_agent="many",
            window_days=None,
            newest_first=None,
            voice=None,
        )
    sentence = "The recorded rule max_per_agent is 'many'; it must be from 1 to 1000000."
    done = run_command("doctor", "--json", cwd=floor)
    assert done.returncode == cli.ExitCode.DOCTOR_ERROR
    assert f'"text": "{sentence}' in done.stdout
    assert sentence in run_command("status", cwd=floor).stderr
    assert "recorded wrongly" in run_command("rules", cwd=floor).stdout
    assert sentence in run_command("run", cwd=floor).stderr
