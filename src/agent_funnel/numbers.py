"""Phone numbers and ids: what can be one, the match keys that tell spellings of one number, and usual spellings."""

from __future__ import annotations

import re

from agent_funnel.database import Database
from agent_funnel.masking import WHATSAPP_ID, last_digits
from agent_funnel.sentences import sentence, shown_as
from agent_funnel.values import LONGEST_TEXT, text_length

# A deal waits while this many numbers are taken in, about a second on a small server:
NUMBERS_AT_ONCE = 10_000
# The fewest digits by whose end a number is found; ten thousand numbers share fewer:
FEWEST_DIGITS = 4
# The longest id, in letters and digits; the user ids of WhatsApp have as many after their country:
LONGEST_ID = 128
_NUMBER = re.compile(r"\+?[0-9]{4,20}")
# An id of another system. It has a digit, so that no word is taken for an id, and a letter, so that no number is:
_ID = re.compile(rf"(?=[0-9]*[A-Za-z])(?=[A-Za-z]*[0-9])[A-Za-z0-9]{{4,{LONGEST_ID}}}")
_WHATSAPP_ID = re.compile(WHATSAPP_ID)
_LETTER = re.compile(r"[^\W\d_]")
# The characters that people write between the digits of a phone number:
_SEPARATORS = re.compile(r"[\s\-–()./]+")
# The characters that people and programs write between the digits of a number; a match key leaves them out, too:
_KEY_SEPARATORS = re.compile("[\t-\r \u00a0\u00ad\u2000-\u2015\u2028-\u202f\u2060-\u2069\u3000\ufeff+\\-().\\/]+")
# A plus as the first character that is no blank, mark or bracket:
_INTERNATIONAL = re.compile("[\t-\r \u00a0\u00ad\u2000-\u200f\u2028-\u202f\u2060-\u2069\u3000\ufeff()]*\\+")
# Texts that programs put before or behind a number; a match key leaves them out, too:
_AROUND = re.compile(r"(?:tel:|p:|whatsapp:|')?(.*?)(?:@s\.whatsapp\.net|@c\.us)?")


def match_key(database: Database, number: str) -> str:
    """The match key of a number as it is written.

    A number that is too long for the tables is its own key. The rule is in SQL, so that a deal that any client asks for
    obeys it.
    """
    if text_length(number) > LONGEST_TEXT:
        return number
    row = database.one("match_key", number=number)
    assert row is not None
    return str(row["match_key"])


def take_in(database: Database, *, with_history: bool = False) -> int:
    """Keeps the match keys of the numbers that others have inserted since the last time. Returns how many there were.

    Until then a search finds these numbers in their usual spellings only; a deal takes in those that it needs itself.
    With `with_history` also those of past runs, which an older version of the tables has without keys.
    """
    found = 0
    parameters = {"with_history": int(with_history)}
    row = database.one("are_numbers_new", **parameters)
    while row is not None and row["are_new"]:
        taken = database.one("take_in_numbers", most=NUMBERS_AT_ONCE, **parameters)
        if not taken or not taken["taken_in"]:
            # Somebody else has taken them in.
            break
        found += taken["taken_in"]
        row = database.one("are_numbers_new", **parameters)
    return found


def fault_in_number(text: str) -> str | None:
    """The reason why a new text is neither a number nor an id; None if it is one of them.

    An id is that of another system, of letters and digits, or a user id of WhatsApp.
    """
    if _NUMBER.fullmatch(text) or _ID.fullmatch(text):
        return None
    if _WHATSAPP_ID.fullmatch(text) and len(text.rpartition(".")[2]) <= LONGEST_ID:
        return None
    # A text with many digits is probably a number or an id in another form:
    shown = last_digits(text) if sum(map(str.isdigit, text)) > 3 else text[:40]
    fault = sentence(
        "number is not 4 to 20 digits with an optional + before them, and no id of 4 to %(longest)s letters and "
        "digits: %(shown)s, length %(length)s",
        longest=str(LONGEST_ID),
        shown=repr(shown),
        length=str(len(text)),
    )
    if text.strip() and not any(map(str.isdigit, text)) and len(text) <= LONGEST_ID:
        # People need no limits to see that a word is no number; programs and the command line get them.
        return shown_as(str(fault), sentence("“%(shown)s” is not a phone number", shown=repr(text[:40])[1:-1]))
    return fault


def fault_in_listed(text: str) -> str | None:
    """The reason why a text is neither a number, in any way of writing it, nor an id; None if it is one of them."""
    if fault_in_number(text) is None:
        return None
    plain = _KEY_SEPARATORS.sub("", _bare(text))
    if plain.isascii() and plain.isdigit() and fault_in_number(plain) is None:
        length = text_length(text)
        return sentence("number has %(length)s characters", length=str(length)) if length > LONGEST_TEXT else None
    return fault_in_number(text)


def plain_number(text: str) -> str:
    """A number without what people and programs write around and between its digits; other texts as they are.

    The match key stays the same: of an international number the (0) goes, except in Italy, and the + or 00 stays.
    """
    bare = _bare(text)
    plus = "+" if _INTERNATIONAL.match(bare) else ""
    digits = _KEY_SEPARATORS.sub("", bare)
    if (plus or digits.startswith("00")) and not digits.startswith(("39", "0039") if plus else "0039"):
        digits = _KEY_SEPARATORS.sub("", bare.replace("(0)", ""))
        # A zero of the (0) may be what made it international; a plus still says so.
        plus = plus or ("" if digits.startswith("00") else "+")
    return plus + digits if digits.isascii() and digits.isdigit() else text


def _bare(text: str) -> str:
    """A text without what programs put before and behind a number."""
    inner = _AROUND.fullmatch(text.strip())
    return inner[1] if inner else text


def ending(number: str) -> str | None:
    """The digits of a text, with which a number may end; None if they are fewer than four, or if it has letters."""
    digits = compact(number).removeprefix("+")
    return digits if len(digits) >= FEWEST_DIGITS and digits.isascii() and digits.isdigit() else None


def stored_alike(database: Database, number: str) -> list[str]:
    """Up to ten stored numbers that end with the last eight digits of a number, or with all of them if it has fewer."""
    digits = ending(number)
    if digits is None:
        return []
    return [row["number"] for row in database.all("numbers_ending", digits=digits[-8:], most=10)]


def compact(number: str) -> str:
    """A number without blanks, dashes, parentheses, dots and slashes. In an id they mean something, and stay."""
    return number.strip() if _LETTER.search(number) else _SEPARATORS.sub("", number)


def spellings(number: str) -> tuple[str, ...]:
    """Returns five ways to write a number; some of them may be equal.

    The first is the number as it is given, the second is without blanks, dashes, parentheses, dots and slashes. The
    others are the second with `+`, with `00` and with neither before the country code. No country code is added to a
    number that has none. An id has one spelling.
    """
    plain = compact(number)
    if _LETTER.search(plain):
        return number, plain, plain, plain, plain
    digits = plain.removeprefix("+") if plain.startswith("+") else plain.removeprefix("00")
    return number, plain, f"+{digits}", f"00{digits}", digits
