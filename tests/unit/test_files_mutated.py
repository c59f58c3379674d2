"""Files with random faults: each is read or refused with a reason, and no other error comes of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_funnel.errors import ImportRefused
from agent_funnel.files.columns import FIELDS
from support.tables import read, workbook

TEXT = (
    'sep=;\r\nTelefone;Etapa;Data;"E-mail"\r\n+55 21 97000-0001;1;05/10/2026 08:15;"a; b"\r\n'
    "(21) 97000-0002;2;31/10/2026;''\r\n21970000003;3;46300,5;\r\n5.52E+12;4;5 de outubro de 2026;é\r\n"
)
BOOK = workbook(
    ["number", "stage", "date", "agent", "day"], ["+5521970000001", 2, "05/10/2026", "Ana", 46300.5], [1, True]
)
# Pieces that mean something to one of the readers:
PIECES = [
    *(
        b'"',
        b"'",
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n",
        b";",
        b",",
        b"\t",
        b"\\",
        b"=",
        b"\x1a",
        b"\xe9",
    ),
    *(b"PK\x03\x04", b"<!DOCTYPE a>", b'<c r="XFD9"><v>1</v></c>', b"</row>", b"<row>", b"&#0;", b"1e400", b"-1"),
    *(b"99999999999", b"nan", b""),
]
Change = tuple[int, int, bytes]
CHANGES = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=6)), max_size=6
)


def changed(content: bytes, changes: list[Change]) -> bytes:
    """The bytes with some pieces in place of others."""
    for at, length, piece in changes:
        place = at % (len(content) + 1)
        content = content[:place] + piece + content[place + length :]
    return content


def changed_book(part: int, changes: list[Change]) -> bytes:
    """A workbook of which one part is changed, so that the archive itself is right."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as source, zipfile.ZipFile(file, "w") as target:
        names = source.namelist()
        for name in names:
            content = source.read(name)
            target.writestr(name, changed(content, changes) if name == names[part % len(names)] else content)
    return file.getvalue()


def read_or_refuse(content: bytes, kind: str, **chosen: Any) -> None:
    """Reads a file. The only error is the refusal, which says that nothing was imported."""
    try:
        rows = read(content, kind, **chosen)[1]
    except ImportRefused as error:
        refusal = str(error)
    else:
        refusal = "" if all(values for _, values in rows) else "a row has neither values nor a reason"
    assert not refusal or "othing was imported" in refusal


KINDS = st.sampled_from(sorted(FIELDS))
bounded: Callable[[Any], Any] = settings(suppress_health_check=list(HealthCheck), deadline=None)


@bounded
@given(CHANGES, KINDS, st.sampled_from(["utf-8", "utf-16", "cp1252"]), st.sampled_from([None, "dmy", "mdy", "ymd"]))
def test_a_changed_text_is_read_or_refused(changes: list[Change], kind: str, encoding: str, dates: Any) -> None:
    read_or_refuse(changed(TEXT.encode(encoding), changes), kind, dates=dates)


@bounded
@given(CHANGES, KINDS)
def test_a_changed_workbook_is_read_or_refused(changes: list[Change], kind: str) -> None:
    read_or_refuse(changed(BOOK, changes), kind)


@bounded
@given(st.integers(0, 20), CHANGES, KINDS)
def test_a_workbook_with_a_changed_part_is_read_or_refused(part: int, changes: list[Change], kind: str) -> None:
    read_or_refuse(changed_book(part, changes), kind, dates="dmy")


@bounded
@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode), KINDS)
def test_bytes_of_any_kind_are_read_or_refused(content: bytes, kind: str) -> None:
    read_or_refuse(content, kind)
