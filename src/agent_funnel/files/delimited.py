"""Rows of a text whose fields have delimiters: CSV, TSV and their like."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, Any

from agent_funnel.errors import ImportRefused
from agent_funnel.sentences import sentence

# The usual delimiters, the most usual first:
DELIMITERS = (",", ";", "\t", "|")
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
# The most characters of a row. A text without line ends, or with an open quotation mark, would fill the memory.
LONGEST_ROW = 1_000_000
# The rows by which delimiter and quotation marks are told:
SAMPLE_ROWS = 20
# The rows among which the names of the columns are looked for; above them may be a title:
TITLE_ROWS = 10
_SEP_LINE = re.compile(r"\"?sep=(.)\"?[\r\n]*", re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """How the fields of a text are written. With `wrapped`, each row is quoted as a whole, as one field."""

    encoding: str
    delimiter: str
    quote: str = '"'
    escape: str | None = None
    wrapped: bool = False
    first_line: int = 1


class _Lines:
    """The lines of a text, of which no row may be longer than is allowed."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        # The characters that the present row may still have. Who reads rows sets it again after each of them.
        self.left = LONGEST_ROW

    def __iter__(self) -> Iterator[str]:
        readline = self._text.readline
        while line := readline(self.left + 1):
            self.left -= len(line)
            if self.left < 0:
                raise csv.Error(
                    sentence(
                        "a row has more than %(longest_row)s characters; perhaps a quotation mark is not closed, or "
                        "the file has no line ends",
                        longest_row=LONGEST_ROW,
                    )
                )
            yield line


@dataclass(frozen=True)
class Text:
    """A file of text, whose rows can be read as often as is needed."""

    file: IO[bytes]
    name: str
    form: Form

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The rows, each with its line; those without any value are left out.

        Raises ImportRefused, which names the line, if the text breaks the rules of CSV or of its encoding.
        """
        form = self.form
        reader, line = None, 0
        self.file.seek(0)
        text = io.TextIOWrapper(self.file, encoding=form.encoding, newline="")
        try:
            lines = _Lines(text)
            each = iter(lines)
            for _ in range(form.first_line - 1):
                next(each, None)
            reader = csv.reader(each, strict=True, **_options(form))
            line = form.first_line
            for fields in reader:
                lines.left = LONGEST_ROW
                if form.wrapped and len(fields) == 1:
                    fields = next(csv.reader(fields, strict=True, **_options(form)), [])
                # An old mark of the end of a text is no row.
                if any(map(str.strip, fields)) and fields != ["\x1a"]:
                    yield line, fields
                line = form.first_line + reader.line_num
        except UnicodeError as error:
            raise ImportRefused(
                sentence(
                    "%(name)s is not %(encoding)s text after line %(line)s; save it as “CSV UTF-8 (Comma "
                    "delimited)”, or name its encoding. Nothing was imported.",
                    name=self.name,
                    encoding=encoding_name(form.encoding),
                    line=str(line),
                )
            ) from error
        except csv.Error as error:
            # A line that is too long is not counted by the reader.
            at = max(line, form.first_line - 1 + (reader.line_num if reader is not None else 0))
            raise ImportRefused(
                sentence(
                    "%(name)s is broken at line %(at)s: %(error)s. Nothing was imported.",
                    name=self.name,
                    at=str(max(at, 1)),
                    error=error.args[0] if error.args else "",
                )
            ) from error
        finally:
            text.detach()


def _options(form: Form) -> dict[str, Any]:
    """The options of a reader of the module csv."""
    return {
        "delimiter": form.delimiter,
        "quotechar": form.quote,
        "escapechar": form.escape,
        # Not before a tab, which is a blank itself.
        "skipinitialspace": form.delimiter != "\t",
    }


def delimited_text(
    file: IO[bytes],
    name: str,
    encoding: str,
    delimiter: str | None,
    known: Callable[[Sequence[str]], int],
) -> Text:
    """A file of text with the delimiter and the quotation marks that fit its beginning.

    `known` counts the fields of a header that are known names; that decides more than any count of characters.
    """
    begin = beginning(file, encoding)
    first_line = 1
    if found := _SEP_LINE.fullmatch(begin[0] if begin else ""):
        delimiter, first_line = delimiter or found[1], 2
    # Rows of nothing but delimiters show nothing.
    sample = "".join(line for line in begin[first_line - 1 :] if any(map(str.isalnum, line)))
    forms = [
        _with_escapes(sample, Form(encoding, each, quote, first_line=first_line))
        for each in ([delimiter] if delimiter else DELIMITERS)
        for quote in ("\"'" if sample.lstrip("\ufeff \r\n\t").startswith("'") else '"')
    ]
    best = max(forms, key=lambda form: _fit(sample, form, known))
    header = next(iter(_sample_rows(sample, best)), [])
    if len(header) == 1:
        inner = max((replace(form, wrapped=True) for form in forms), key=lambda form: _fit(header[0], form, known))
        if known(next(iter(_sample_rows(header[0], inner)), [])) > 1:
            best = inner
    return Text(file, name, best)


def _with_escapes(sample: str, form: Form) -> Form:
    """The form, with backslashes before quotation marks if the rows break without them.

    They are otherwise a part of the texts.
    """
    if '\\"' not in sample:
        return form
    try:
        for _ in csv.reader(io.StringIO(sample, newline=""), strict=True, **_options(form)):
            pass
    except csv.Error as error:
        # The end of the sample may be within a field.
        if "unexpected end" not in str(error):
            return replace(form, escape="\\")
    return form


def beginning(file: IO[bytes], encoding: str) -> list[str]:
    """The first lines of a text, of a bounded length."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    try:
        lines: list[str] = []
        for _ in range(4 * SAMPLE_ROWS):
            lines.append(text.readline(LONGEST_ROW // 10))
        return lines
    finally:
        text.detach()


def _sample_rows(sample: str, form: Form) -> list[list[str]]:
    """The first rows of a sample, as far as they can be read. Rows without a value are left out."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(sample, newline=""), **_options(form))
    try:
        for fields in islice(reader, SAMPLE_ROWS):
            if any(map(str.strip, fields)):
                rows.append(fields)
    except csv.Error:
        pass  # the end of the sample may be within a field
    return rows


def _fit(sample: str, form: Form, known: Callable[[Sequence[str]], int]) -> tuple[int, int, int]:
    """How well a form fits: by known names in the header, then by rows of as many fields as the header has."""
    rows = _sample_rows(sample, form)
    if not rows:
        return 0, 0, 0
    header = rows[names_below_title(rows[:TITLE_ROWS], known)]
    width = len(header)
    alike = sum(len(row) == width for row in rows) if width > 1 else 0
    # Names in quotation marks are known too, so the marks that are left on them count against a form.
    quoted = sum(field.strip()[:1] in "\"'" for field in header if field.strip())
    return known(header) - quoted, alike, width


def names_below_title(rows: Sequence[Sequence[str]], known: Callable[[Sequence[str]], int]) -> int:
    """The place of the names of the columns among the first rows. Reports have a title above them.

    A title has no known name. Below it, two names must be known, or one if each row above has a single value.
    """
    is_alone = True
    for place, row in enumerate(rows):
        names = [each.strip() for each in row]
        count, values = known(names), sum(map(bool, names))
        if count and (place == 0 or count > 1 or (is_alone and values > 1)):
            return place
        is_alone = is_alone and values == 1
    return 0


def encoding_name(encoding: str) -> str:
    """The name of an encoding for people: UTF-8, Windows-1252."""
    name = codecs.lookup(encoding).name
    if name.startswith("cp125"):
        return f"Windows-{name[2:]}"
    return {"mac-roman": "Mac Roman", "cp850": "DOS 850", "utf-8-sig": "UTF-8"}.get(name, name.upper())
