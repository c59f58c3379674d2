"""The file `.env`: text that is not UTF-8 is named in a sentence, without what is in it."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from agent_funnel import cli
from agent_funnel.errors import SettingsError
from agent_funnel.settings import load
from support.command import run_command

TEXT = "# São Paulo\nFUNNEL_PORT=5077\nFUNNEL_DATABASE_URL=mssql+pymssql://sa:hunter2@host/db\n"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "is UTF-16 text"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "is UTF-16 text"),
        (TEXT.encode("utf-16-le"), "is UTF-16 text"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "is UTF-32 text"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "is UTF-32 text"),
        (TEXT.encode("cp1252"), "is not UTF-8 text: line 1 has a character"),
        (b"FUNNEL_PORT=1\n# caf\xe9\n", "is not UTF-8 text: line 2 has a character"),
    ],
)
def test_a_file_in_another_encoding_is_refused_in_a_sentence_that_shows_nothing_of_it(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    Path(".env").write_bytes(content)
    done = run_command("status", cwd=tmp_path)
    assert done.returncode == cli.ExitCode.BAD_SETTING
    message = " ".join(done.stderr.split())
    assert reason in message
    assert "UTF-8" in message
    assert "Traceback" not in message
    assert "hunter2" not in done.stderr + done.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / ".env"]


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("FUNNEL_PORT=5077\n")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SettingsError, match=r"\.env cannot be read: Permission denied"):
        load()


@pytest.mark.parametrize("content", [codecs.BOM_UTF8 + b"FUNNEL_PORT=5077\r\n", "# São\nFUNNEL_PORT='5077'\n".encode()])
def test_utf_8_with_or_without_a_mark_is_read(content: bytes) -> None:
    Path(".env").write_bytes(content)
    assert load().port == 5077


def test_a_directory_of_that_name_holds_no_settings() -> None:
    Path(".env").mkdir()
    assert load().port == 5000
