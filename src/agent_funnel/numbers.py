"""Phone numbers and ids: what can be one, the match keys that tell spellings of one number, and usual spellings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent_funnel.database import Database, Session
from agent_funnel.masking import WHATSAPP_ID, last_digits
from agent_funnel.sentences import Sentence, counted, joined, sentence
from agent_funnel.values import LONGEST_TEXT, text_length

# A deal waits while this many numbers are taken in, about a second on a small server:
NUMBERS_AT_ONCE = 10_000
# The fewest digits of a number, also of those by whose end it is found, and the most:
FEWEST_DIGITS = 4
MOST_DIGITS = 20
# The last digits in which a number and the same one with its country code are equal, whatever the rules of the country:
SAME_DIGITS = 8
# Stored numbers that are looked at for one number, and pairs of such numbers for a whole file:
MOST_ALIKE = 100
MOST_PAIRS = 20_000
# The longest id, in letters and digits; the user ids of WhatsApp have as many after their country:
LONGEST_ID = 128
_NUMBER = re.compile(rf"\+?[0-9]{{{FEWEST_DIGITS},{MOST_DIGITS}}}")
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
# The codes with which international numbers begin:
_CALLING_CODE = re.compile(
    "1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|(?:2[1-689]|3[578]|42|5[09]|6[789]|8[0578]|9[679])[0-9]"
)


@dataclass(frozen=True)
class StillCalled:
    """A stored number on no do-not-contact list that is the one with the key `listed_key`, apart from the country code.

    `agent` has it now; None if nobody has it.
    """

    number: str
    agent: str | None
    listed_key: str


@dataclass(frozen=True)
class EndsAlike:
    """The new numbers of a file that are stored already with, or without, their country code, while no country is set.

    So `leads` of these `numbers` are like leads and `listed` like numbers on a do-not-contact list, but count as other
    numbers. `example` is one of these stored numbers. `at_least`: there were too many to count them all.
    """

    numbers: int
    leads: int
    listed: int
    example: str
    at_least: bool

    @property
    def counts(self) -> Sentence:
        """The counts as sentences for people."""
        leads = counted(
            "%(count)s number is like one of your leads, apart from the country code.",
            "%(count)s numbers are like some of your leads, apart from the country code.",
            self.leads,
        )
        listed = counted(
            "%(count)s number is like one on a do-not-contact list, apart from the country code.",
            "%(count)s numbers are like some on a do-not-contact list, apart from the country code.",
            self.listed,
        )
        more = sentence("There may be more of them.")
        return joined(*[leads][: self.leads], *[listed][: self.listed], *[more][: self.at_least])

    @property
    def text(self) -> Sentence:
        """Sentences for people, with the example."""
        return joined(
            self.counts,
            sentence("For example, %(number)s is stored.", number=self.example),
            sentence("While no country is set, they count as different numbers, and may be dealt."),
        )


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
    if text.strip() and not any(map(str.isdigit, text)) and len(text) <= LONGEST_ID:
        # People need no limits to see that a word is no number.
        return sentence("“%(shown)s” is not a phone number", shown=repr(text[:40])[1:-1])
    # A text with many digits is probably a number or an id in another form:
    shown = repr(last_digits(text) if sum(map(str.isdigit, text)) > 3 else text[:40])
    limits = {"shown": shown, "fewest": str(FEWEST_DIGITS), "most": str(MOST_DIGITS)}
    digits = text.removeprefix("+")
    if not is_digits(digits):
        return sentence(
            "%(shown)s is neither a number of %(fewest)s to %(most)s digits nor an id of %(fewest)s to %(longest)s "
            "letters and digits: it has %(length)s characters",
            longest=str(LONGEST_ID),
            length=len(text),
            **limits,
        )
    if len(digits) < FEWEST_DIGITS:
        return counted(
            "%(shown)s is too short for a number: it has %(count)s digit, and a number has %(fewest)s to %(most)s",
            "%(shown)s is too short for a number: it has %(count)s digits, and a number has %(fewest)s to %(most)s",
            len(digits),
            **limits,
        )
    return sentence(
        "%(shown)s is too long for a number: it has %(count)s digits, and a number has %(fewest)s to %(most)s",
        count=len(digits),
        **limits,
    )


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
    return [row["number"] for row in database.all("numbers_ending", digits=digits[-SAME_DIGITS:], most=10)]


def stored_with_country(database: Database, number: str) -> list[str]:
    """The stored numbers that are this one with its country code, or without it, while no country is set."""
    key = match_key(database, number)
    if not is_digits(key):
        return []
    rows = database.all("numbers_ending", digits=key[-SAME_DIGITS:], most=MOST_ALIKE)
    return [row["number"] for row in rows if differ_by_country(key, row["match_key"])]


def find_still_called(database: Database, numbers: Sequence[str]) -> list[StillCalled]:
    """The numbers on no list that are one of these with, or without, its country code, while no country is set.

    Of several spellings with one match key, it is one that an agent has, if there is such a one.
    """
    found: dict[str, StillCalled] = {}
    for row in database.all("still_called", rows=staged_rows(numbers), most=MOST_PAIRS):
        key = row["match_key"]
        if differ_by_country(row["sought_key"], key) and (key not in found or found[key].agent is None):
            found[key] = StillCalled(row["number"], row["agent"], row["sought_key"])
    return list(found.values())


def staged_rows(numbers: Iterable[str], reason: str | None = None) -> str:
    """Numbers as the queries take them: each with its line and the reason."""
    return rows_as_json([(line, number, reason) for line, number in enumerate(numbers, start=1)])


def rows_as_json(rows: Sequence[tuple[int, str, str | None]]) -> str:
    """Lines, numbers and reasons, as the queries take them."""
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def find_alike(session: Session, *, for_a_list: bool = False) -> EndsAlike | None:
    """The staged numbers of a file that are stored with, or without, their country code; None if there are none.

    The numbers are leads, or `for_a_list` those of a do-not-contact file.
    """
    pairs = session.all("numbers_alike" if for_a_list else "leads_alike", most=MOST_PAIRS)
    found = [row for row in pairs if differ_by_country(row["sought_key"], row["match_key"])]
    leads = {row["sought_key"] for row in found if row["is_lead"]}
    # A number of a do-not-contact file gets on a list anyway.
    listed = {row["sought_key"] for row in found if row["is_listed"] and not for_a_list}
    if not leads and not listed:
        return None
    # A number that nobody may call is the better example.
    example = next(row["number"] for row in found if row["is_listed" if listed else "is_lead"])
    return EndsAlike(len(leads | listed), len(leads), len(listed), example, len(pairs) == MOST_PAIRS)


def differ_by_country(one: str, other: str) -> bool:
    """Whether one of two match keys without a country is the other with a country code."""
    if not (is_digits(one) and is_digits(other)):
        return False
    # Only Italian numbers keep the zero that is dialled before a number within its country. Russian numbers have an 8
    # there; no country code begins with 89.
    pairs = ((one, other), (other, one))
    return any(
        _has_code(international, form)
        for national, international in pairs
        for form in (national, re.sub("^0|^8(?=9[0-9]{9}$)", "", national))
    )


def _has_code(international: str, national: str) -> bool:
    """Whether the one match key is a country code and the other."""
    if len(national) < SAME_DIGITS:
        return False
    code = international.removesuffix(national)
    # With its country code, the key of a mobile number of Brazil has no ninth digit.
    return (code != international and _CALLING_CODE.fullmatch(code) is not None) or (
        re.fullmatch("[1-9]{2}9[6-9][0-9]{7}", national) is not None
        and international == f"55{national[:2]}{national[3:]}"
    )


def is_digits(text: str) -> bool:
    """Whether a text is of digits from 0 to 9 only."""
    return text.isascii() and text.isdigit()


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
