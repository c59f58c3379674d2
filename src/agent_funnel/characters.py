"""Characters that act on a terminal or a page instead of showing: control characters, and marks of text direction.

They are refused in new names and reasons, and made visible where the database has them already.
"""

from __future__ import annotations

import re

# C0 and DEL, C1, the separators of lines, and the marks that change the direction of the text around them. As a part of
# a character class, so that the patterns of the OpenAPI document can use it:
CONTROLS = r"\x00-\x1f\x7f-\x9f"
DIRECTIONS = r"\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_INVISIBLE = re.compile(rf"[{CONTROLS}{DIRECTIONS}]")
# The same without the ends of lines of our own texts. A look back is made only where such a character is found, a look
# ahead at every character of a text:
_INVISIBLE_IN_TEXT = re.compile(rf"[{CONTROLS}{DIRECTIONS}](?<!\n)")


def invisible_in(text: str) -> str | None:
    """The name of the first such character in a text, such as U+202E; None if there is none."""
    found = _INVISIBLE.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"


def visible(text: str) -> str:
    """A text of one line, such as a name, with such characters as escapes: \\x1b, \\u202e."""
    return _INVISIBLE.sub(_escape, text)


def visible_lines(text: str) -> str:
    """A text of several lines, with such characters as escapes, except for ends of lines.

    The ends of lines must be ours: a name within the text has to be `visible` first, or it could begin a line.
    """
    return _INVISIBLE_IN_TEXT.sub(_escape, text)


def visible_json(text: str) -> str:
    """A JSON text with such characters as escapes of JSON. It has the same value, as they occur only in its strings."""
    return _INVISIBLE_IN_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
