"""The file `.env` of the working directory: whether it can be read at all."""

from __future__ import annotations

import codecs
from pathlib import Path

from agent_funnel.errors import SettingsError

FILE = ".env"
# A byte order mark that Windows programs write is left out:
ENCODING = "utf-8-sig"
# Other encodings by their byte order mark. That of UTF-32 begins with that of UTF-16, so it comes first.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def check_file() -> None:
    """Raises SettingsError if there is a file `.env` that is not UTF-8 text. The message shows nothing of its text."""
    path = Path(FILE)
    # A directory of this name may be a virtual environment; no setting is read from it.
    if not path.is_file():
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"The file {path.absolute()} cannot be read: {error.strerror}") from None
    if (other := next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), None)) is None:
        # Text without one has a zero byte for each ASCII character in these encodings.
        other = "UTF-16" if b"\0" in content else None
    if other:
        raise SettingsError(
            f"The file {path.absolute()} is {other} text, such as Windows PowerShell writes with >. Save it as UTF-8: "
            "in Notepad, choose that encoding under Save As; in PowerShell, write with Set-Content -Encoding utf8"
        )
    try:
        content.decode(ENCODING)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"The file {path.absolute()} is not UTF-8 text: line {line} has a character of another encoding, such as "
            "Windows-1252. Save the file as UTF-8"
        ) from None
