"""Secrets and numbers in the log and in texts that people write: masked, however they are written."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from agent_funnel import logs
from agent_funnel.masking import WHATSAPP_ID, mask_digits, mask_quoted_numbers

NUMBERS = (
    "4915112345678",
    "+4915112345678",
    "0151-123-45678",
    "0151 123 45 678",
    "+49 (0)151/12345-678",
    "(0151) 12345678",
    "00 49 151 12345678",
    "0151.123.45678",
    "0151\u00a0123\u00a045678",
    "\u202a+49 151 12345678\u202c",
    "1234678",
)
AROUND = ("{}", "{}.", "{}:", "{},", "'{}'", "({})", "tel:{}", "x{}x", "no {}, 2026-11-25", "[{0}, {0}]", "a={};b")
# User ids of WhatsApp:
IDS = (
    "BR.1502512345678678",
    "US.ENT.11815799212886844678",
    "DE.a1b2c3d4e5f678",
    "DE.Abcdefghijklmnop678",
    f"IN.{'a1' * 62}B678",
    "BR.15678",
)
# Texts that look a little like a number or an id, and are none:
OTHERS = (
    "2026-11-25 20:40:00.123",
    "2026-11-25T20:40:00+01:00 450",
    "450 2026-11-25 20:40",
    "25.11.2026 at 20:40:00.123456",
    "203.0.113.7:40001",
    "http://127.0.0.1:5000",
    "8814 of 9450 leads, 450 each",
    "error 50001",
    "README.md, IN.csv, DB.backup2026.sql, QA.tar.gz, IT.Department and U.S.Army",
    "AB.2026-11-25 at 20:40",
    "version 1.2.3, V1.2.10, PG.16.4, TLS.1.3, 192.168.255.255",
    "pymssql.exceptions.OperationalError, URL.hostname, DBAPI.ProgrammingError, MyClass.someLongMethodName",
    "www.EXAMPLE.com, a.DE.example",
)


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_in_a_text_keeps_its_last_three_digits_only(number: str, around: str) -> None:
    text = mask_digits(around.format(number))
    assert "678" in text
    digits = [each for each in text.replace("2026-11-25", "") if each.isdigit()]
    assert "".join(digits) in ("678", "678678")


@pytest.mark.parametrize(
    "around", [*AROUND[:7], "x {}", "{}\n", "[{0}, {0}]", "a={};b", "/leads/of?number={}&x=1", "_{}_"]
)
@pytest.mark.parametrize("written", IDS)
def test_a_user_id_of_whatsapp_in_a_text_keeps_its_last_three_characters_only(written: str, around: str) -> None:
    assert mask_digits(around.format(written)) == around.format("…678")


def test_a_user_id_of_whatsapp_in_a_message_of_a_database_is_masked() -> None:
    message = "Conversion failed when converting the value 'BR.1502512345678678' to BIGINT; the key is (US.12345678)."
    masked = "Conversion failed when converting the value '…678' to BIGINT; the key is (…678)."
    assert mask_quoted_numbers(message) == masked


@given(st.from_regex(rf"\A{WHATSAPP_ID}\Z", fullmatch=True), st.text(max_size=9), st.text(max_size=9))
def test_no_user_id_of_whatsapp_passes_the_log(written: str, before: str, after: str) -> None:
    text = f"{before} {written} {after}"
    event = logs.mask(
        None, "", {"event": text, "several": [(text, {written: ValueError(text)})], "path": Path(written)}
    )
    assert written not in repr(event)
    # With the dot, as the text around may have the same few letters.
    assert written[2:-3] not in repr(event)


@pytest.mark.parametrize("text", OTHERS)
def test_dates_times_addresses_and_counts_stay(text: str) -> None:
    assert mask_digits(text) == text


@given(st.text(alphabet="+0123456789 -()./:,\nx", max_size=60), st.integers(10**6, 10**20))
def test_seven_digits_in_a_row_never_remain(around: str, number: int) -> None:
    masked = mask_digits(f"{around}x{number}x{around}")
    assert str(number) not in masked


def test_masking_takes_a_time_that_grows_with_the_text_only() -> None:
    # Each of these once took half a minute, or would with a pattern that tries everything.
    ids = ("AB." * 50_000, "BR." + "a" * 100_000, "BR.1" * 50_000, "A" * 100_000, "BR.ENT." * 20_000)
    for text in (*ids, "(" * 100_000, "1" + " " * 100_000, "1-" * 100_000, "+1 (" * 50_000, "2026-11-2" * 20_000):
        mask_digits(text)


@pytest.fixture(params=["console", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Sets up the log in a format, and returns a function that returns everything written so far."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    with redirect_stderr(stream):
        logs.set_up(request.param)
    # A thread of an earlier test may log meanwhile; its logger must not keep this format for the tests that follow.
    structlog.configure(**{**structlog.get_config(), "cache_logger_on_first_use": False})
    yield stream.getvalue
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


URL_PASSWORDS = ("secret", "p@ss", "p@ss@word", "pa:ss", "pa/ss", "pa ss", "pa#ss?x", "p@ss/w:rd @x")


def test_the_log_has_no_number_and_no_part_of_a_password(written: Any) -> None:
    log = structlog.get_logger("test")
    number, whole = "+49151 1234-5678", 4915112345678
    for password in URL_PASSWORDS:
        log.warning(f"cannot open mssql+pymssql://sa:{password}@db.example:1433/funnel", url=f"x://u:{password}@host")
        logging.getLogger("plain").warning("no %s", f"mssql://sa:{password}@db")
    log.info(
        number,
        text=number,
        whole=whole,
        several=[number, (whole, {number: {whole}})],
        path=Path(number),
        error=ValueError(number),
        real=float(whole),
    )
    logging.getLogger("plain").error("row %s of %s", whole, [number])
    try:
        raise ValueError(f"bad {number}")
    except ValueError:
        log.exception("failed")
    text = written()
    assert text.count("failed") == 1
    assert "5678" not in text
    assert "…678" in text
    for part in ("secret", "ss", "word", "p@", "pa:", "w:rd"):
        assert part not in text.replace("password", "").replace("pymssql", "").replace("mssql", "").replace("Trace", "")
    assert "db.example:1433" in text


def test_small_numbers_stay_in_the_log(written: Any) -> None:
    structlog.get_logger("test").info("imported", rows=1_000_000, seconds=1.25, on=True, none=None, port=1433)
    for value in ("1000000", "1.25", "1433"):
        assert value in written()


def test_characters_that_act_on_a_terminal_are_visible_in_the_log(written: Any) -> None:
    for acting in ("\x1b]0;title\x07", "\x9b31m", "\u202e", "\r", "\x00"):
        structlog.get_logger("test").warning(f"agent {acting}", target=acting, several=[acting])
        logging.getLogger("plain").warning("agent %s", acting)
        text = written().replace("\x1b[0m", "")
        assert acting[0] not in text, repr(acting)
    assert "\\u202e" in written()


def test_no_name_begins_a_line_of_the_log_and_a_traceback_keeps_its_lines(written: Any) -> None:
    name = "Bo\nall is lost"
    structlog.get_logger("test").warning(f"agent {name}", target=name, several=[name])
    logging.getLogger("plain").warning("agent %s", name)
    assert not re.search(r"^\W*all is lost", written(), re.MULTILINE)
    try:
        raise ValueError("bad")
    except ValueError:
        structlog.get_logger("test").exception("failed")
    assert re.search(r"Traceback.*(\n|\\n)ValueError: bad", written(), re.DOTALL)
