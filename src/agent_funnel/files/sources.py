"""The bytes of a file: a copy that can be read twice, what kind of file it is, and how its text is encoded."""

from __future__ import annotations

import codecs
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Literal

from agent_funnel.errors import ImportRefused
from agent_funnel.sentences import sentence

Kind = Literal["text", "xlsx", "ods"]

# How to save a file that cannot be read as it is:
SAVE_AS = sentence(
    "In Excel, choose File > Save As and the type “CSV UTF-8 (Comma delimited)” or “Excel Workbook (*.xlsx)”, and "
    "import that file. Nothing was imported."
)
# The bytes that are read at a time, and by which a file is known:
BLOCK = 1 << 20
HEAD = 1 << 16
# The most bytes of the directory of an archive, enough for ten thousand parts. A workbook has some dozens, or hundreds
# if it has many pictures; each part of the directory takes far more memory than it has bytes.
LARGEST_DIRECTORY = 1 << 20
# Files of other kinds, by their first bytes:
_OTHER_KINDS = (
    (b"%PDF", sentence("a PDF document")),
    (b"{\\rtf", sentence("a document in Rich Text Format")),
    (b"\x1f\x8b", sentence("a compressed file (gzip); unpack it first")),
    (b"7z\xbc\xaf\x27\x1c", sentence("a compressed file (7-Zip); unpack it first")),
    (b"Rar!", sentence("a compressed file (RAR); unpack it first")),
    (b"BZh", sentence("a compressed file (bzip2); unpack it first")),
    (b"\x89PNG", sentence("a picture")),
    (b"\xff\xd8\xff", sentence("a picture")),
    (b"GIF8", sentence("a picture")),
    (b"SQLite format 3", sentence("an SQLite database")),
    (b"BEGIN:VCARD", sentence("a file of contacts (vCard)")),
    (b"BEGIN:VCALENDAR", sentence("a calendar (iCalendar), not a table")),
)
_CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The group is atomic: otherwise each of several comments could end at every later end, and all ways would be tried.
_HTML = re.compile(
    rb"(?>\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:[^-]|-(?!->))*-->\s*)*)<(?:!doctype html|html|head|meta|table|div|style)\b",
    re.I,
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings with a byte for each character, the more usual ones first. With equal evidence, the first of them is taken.
_SINGLE_BYTE = ("cp1252", "cp1251", "cp1250", "mac_roman", "cp850", "cp1254", "cp1253")
# A sign within a word, as it shows when a text of Central Europe is read as one of Western Europe:
_SIGN_IN_WORD = re.compile(r"[^\W\d_][¢-§©¬®-µ¶¸¹»-¿×÷]|[¢-§©¬®-µ¶¸¹¼-¿×÷][^\W\d_]")


@contextmanager
def seekable(file: Path | IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """The file, to be read as often as is needed. A pipe is copied to a temporary file first.

    A file that is open already stays open.
    """
    try:
        with ExitStack() as stack:
            source: IO[bytes] = stack.enter_context(file.open("rb")) if isinstance(file, Path) else file
            if not source.seekable():
                copy = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(source, copy, BLOCK)
                source = copy
            source.seek(0)
            yield source
    except OSError as error:
        raise ImportRefused(
            sentence(
                "%(name)s cannot be read: %(reason)s. Nothing was imported.",
                name=name,
                reason=error.strerror or str(error),
            )
        ) from error


def sha256_of(file: IO[bytes]) -> str:
    """The SHA-256 of a file, by which people know it again."""
    file.seek(0)
    found = sha256()
    while block := file.read(BLOCK):
        found.update(block)
    return found.hexdigest()


def kind_of(file: IO[bytes], name: str) -> Kind:
    """The kind of a file, by its contents. Raises ImportRefused, which says what the file is, if it is no table."""
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise ImportRefused(sentence("%(name)s is empty. Nothing was imported.", name=name))
    if head.startswith(_CFB):
        raise ImportRefused(
            sentence("%(name)s is %(kind)s. %(save_as)s", name=name, kind=_old_office_kind(head), save_as=SAVE_AS)
        )
    for begin, kind in _OTHER_KINDS:
        if head.startswith(begin):
            raise ImportRefused(sentence("%(name)s is %(kind)s. %(save_as)s", name=name, kind=kind, save_as=SAVE_AS))
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(head, file, name)
    plain = head.removeprefix(codecs.BOM_UTF8)
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        raise ImportRefused(
            sentence("%(name)s is a workbook in the XML format of 2003. %(save_as)s", name=name, save_as=SAVE_AS)
        )
    if _HTML.match(plain):
        raise ImportRefused(
            sentence("%(name)s is a web page, although Excel opens it. %(save_as)s", name=name, save_as=SAVE_AS)
        )
    if re.match(rb"\s*(?:\{\s*\"|\[\s*[\[{])", plain):
        raise ImportRefused(sentence("%(name)s is JSON, not a table. %(save_as)s", name=name, save_as=SAVE_AS))
    return "text"


def _old_office_kind(head: bytes) -> str:
    # Names in these files are UTF-16. Their directory may be anywhere, but is near the beginning of small files.
    if "EncryptedPackage".encode("utf-16-le") in head:
        return sentence("protected by a password")
    if "WordDocument".encode("utf-16-le") in head:
        return sentence("a document of Word")
    return sentence("a workbook in the format of Excel 97 to 2003 (XLS), or protected by a password")


def _kind_of_zip(head: bytes, file: IO[bytes], name: str) -> Kind:
    import zipfile  # only workbooks need it

    if _directory_size(file) > LARGEST_DIRECTORY:
        raise ImportRefused(
            sentence(
                "%(name)s is an archive with too many parts for a workbook. %(save_as)s", name=name, save_as=SAVE_AS
            )
        )
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise ImportRefused(
            sentence("%(name)s is a damaged workbook or ZIP archive. %(save_as)s", name=name, save_as=SAVE_AS)
        ) from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names and b"opendocument.spreadsheet" in head:
        return "ods"
    if "xl/workbook.bin" in names:
        raise ImportRefused(sentence("%(name)s is a binary workbook (XLSB). %(save_as)s", name=name, save_as=SAVE_AS))
    if "word/document.xml" in names or "content.xml" in names:
        raise ImportRefused(
            sentence("%(name)s is a text document, not a table. %(save_as)s", name=name, save_as=SAVE_AS)
        )
    if any(each.startswith("Index/") for each in names):
        raise ImportRefused(
            sentence("%(name)s is a file of Apple Numbers: export it as CSV or Excel. Nothing was imported.", name=name)
        )
    raise ImportRefused(
        sentence("%(name)s is a ZIP archive; unpack it, and import the file in it. Nothing was imported.", name=name)
    )


def _directory_size(file: IO[bytes]) -> int:
    """The bytes of the directory of a ZIP archive, by the record at its end; 0 if there is none."""
    file.seek(max(0, file.seek(0, io.SEEK_END) - HEAD))
    tail = file.read(HEAD)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return 0
    # A directory that needs the fields of large archives (ZIP64) has this value, too.
    return int.from_bytes(tail[at + 12 : at + 16], "little") if b"PK\x06\x07" not in tail else LARGEST_DIRECTORY + 1


def encoding_of(file: IO[bytes]) -> str:
    """The encoding: by a byte order mark; UTF-16 by its zero bytes; UTF-8 if all of it is; else by the letters."""
    file.seek(0)
    head = file.read(HEAD)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    for zeros, encoding in ((head[1::2], "utf-16-le"), (head[::2], "utf-16-be")):
        # Letters and digits of our alphabet have one zero byte each; a text with a few zero bytes is broken.
        if zeros and zeros.count(0) * 2 > len(zeros) and head.count(0) - zeros.count(0) < len(zeros) // 10 + 1:
            return encoding
    sample = _beyond_utf8(file, head)
    return "utf-8" if sample is None else _single_byte_encoding(sample)


def _beyond_utf8(file: IO[bytes], head: bytes) -> bytes | None:
    """A part of the text that is not UTF-8, after the beginning of the text; None if all of it is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    block = head
    while block:
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            around = block[max(0, error.start - HEAD // 4) : error.start + HEAD // 4]
            return around if block is head else head[: HEAD // 4] + around
        block = file.read(BLOCK)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return head
    return None


def _single_byte_encoding(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # only these texts need it

    matches = list(from_bytes(sample, cp_isolation=list(_SINGLE_BYTE)))
    least = min((match.chaos for match in matches), default=0)
    likely = {each for match in matches if match.chaos == least for each in match.could_be_from_charset}
    if "cp1252" in likely and _SIGN_IN_WORD.search(sample.decode("cp1252", "replace")):
        likely.discard("cp1252")
    return next((each for each in _SINGLE_BYTE if each in likely), "cp1252")
