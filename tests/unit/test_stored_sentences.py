"""Texts from the database: messages of its procedures, and the default messages of errors, are known as sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import agent_funnel
from agent_funnel import errors
from agent_funnel.errors import FunnelError
from agent_funnel.sentences import Sentence
from agent_funnel.stored_sentences import SHOWN_AS, STORED, as_pages_say, as_sentence, with_sentence

SQL = Path(agent_funnel.__file__).parent / "sql"
# A literal of SQL:
TEXT = r"N?'((?:[^']|'')*)'"
# Messages of the scripts for a DBA, which no page calls:
NOT_SHOWN = ("kit/",)


def _messages() -> dict[str, str]:
    """The whole messages of SQL: those of locks that are taken, and those that are thrown as one literal."""
    found: dict[str, str] = {}
    for path in sorted(SQL.rglob("*.sql")):
        if any(part in path.as_posix() for part in NOT_SHOWN):
            continue
        text = path.read_text(encoding="utf-8")
        messages = re.findall(r"^-- busy: (.*)$", text, re.M)
        messages += re.findall(rf"THROW 5000\d, {TEXT}", text)
        messages += re.findall(rf"5000\d AS throw,\s*{TEXT} AS message", text)
        found |= {message.replace("''", "'"): path.name for message in messages if message != "<busy>"}
    return found


def _ends() -> dict[str, str]:
    """The ends of messages that SQL puts together: what was not changed, and what to do."""
    found: dict[str, str] = {}
    for path in sorted(SQL.rglob("*.sql")):
        if any(part in path.as_posix() for part in NOT_SHOWN):
            continue
        # An apostrophe in a comment begins no literal.
        code = re.sub(r"-- [^\n]*|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"'\s*(?:\|\||,)\s*N?'", "", code)
        for message in re.findall(TEXT, text):
            if re.search(r"[Nn]othing (?:was (?:changed|kept|handed back)|changed)\.", message):
                found[message.replace("''", "'")] = path.name
    return found


def _errors() -> list[type[FunnelError]]:
    return [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, FunnelError)]


@pytest.mark.parametrize("message", _messages())
def test_a_message_of_sql_is_known(message: str) -> None:
    assert isinstance(as_sentence(message), Sentence), _messages()[message]


def test_the_parts_of_messages_that_sql_puts_together_are_known() -> None:
    known = [*STORED] + [text for text, _ in SHOWN_AS]
    missing = {
        end: name
        for end, name in _ends().items()
        if not any(end.strip() in each for each in known) and not isinstance(as_sentence(f"rule is '1{end}"), Sentence)
    }
    assert missing == {}


@pytest.mark.parametrize("error", _errors(), ids=lambda each: each.__name__)
def test_the_default_message_of_an_error_is_known(error: type[FunnelError]) -> None:
    assert isinstance(as_sentence(str(error())), Sentence)


def test_values_are_found_again_and_other_texts_stay() -> None:
    found = as_sentence("Run 7 of 2026-11-24 began 3 s ago and dealt 12 leads: another deal would replace these "
        "assignments, and move each lead that it deals on by one more stage. No lead is in the pool, and agents have 5 "
        "assignments: a deal now would remove them all, and deal nothing; nothing was changed. To deal all the same, "
        'confirm it: @again = 1, `agent-funnel run --again`, {"again": true}, or the box on the page.')  # fmt: skip
    assert isinstance(found, Sentence)
    assert found.startswith("Deal 7 of 2026-11-24 began 3 s ago and dealt 12 leads: another deal would replace every")
    assert "every lead that it deals. No lead is ready to be dealt" in found
    assert found.endswith("To deal all the same, confirm it in the box below.")
    assert as_sentence("A driver says something of its own.") == "A driver says something of its own."
    assert not isinstance(as_sentence("A driver says something of its own."), Sentence)


def test_the_sentences_of_a_preview_are_known() -> None:
    reasons = (
        "No lead is in the pool, and agents have 5 assignments: a deal now would remove them all, and deal nothing. "
        "The scheduled run of 2026-11-24 is due in 5 s: it would replace the assignments of this deal, and move its "
        "leads on by one more stage."
    )
    notice = (
        "Run 64 of 2026-11-26 came before this one: 5 leads move on a second time that day. An undo takes that back."
    )
    assert [(as_sentence(text), isinstance(as_sentence(text), Sentence)) for text in (reasons, notice)] == [
        (
            "No lead is ready to be dealt, and agents have 5 leads: a deal now would empty all lists, and deal "
            "nothing. The automatic deal of 2026-11-24 is due in 5 s: it would replace the lists of this deal, and "
            "count as one more call for every lead that it deals.",
            True,
        ),
        (notice.replace("Run 64", "Deal 64").replace("move on a second time", "count a second call"), True),
    ]
    for leads in ("1 call-back that is due; the next deal has it", "2 call-backs that are due; the next deal has them"):
        assert isinstance(as_sentence(f"No agent has room for {leads} again."), Sentence)


def test_a_name_is_not_put_into_the_words_of_pages() -> None:
    kept_out = as_sentence("Run 7 dealt Ann Run no lead with the number run 1; nothing was kept.")
    assert kept_out == "Deal 7 dealt Ann Run no lead with the number run 1; nothing was kept."


def test_a_text_that_keeps_its_english_has_its_sentence_for_a_translation() -> None:
    kept = (
        "1,000 leads are ready to deal, but the median of the last 3 deals is 10. FUNNEL_BRAKE holds the deal until a "
        "person runs `agent-funnel run --scheduled`; nothing was changed."
    )
    found = with_sentence(kept)
    assert found == kept
    assert isinstance(found, Sentence)
    assert found.template.startswith("%(warning)s So the deal waits")
    assert isinstance(found.values["warning"], Sentence)
    assert with_sentence(found) == found
    assert not isinstance(with_sentence("A driver says something of its own."), Sentence)


def test_pages_say_deal_and_count_calls() -> None:
    # `run`, `pool`, `stage` and `purge` are words of programs.
    found = [as_pages_say(text) for text in STORED] + [shown.template for _, shown in SHOWN_AS]
    words = re.compile(r"\b([Rr]uns?|[Pp]ools?|stages?|scheduled|has been purged)\b(?! the installation)")
    assert [text for text in found if words.search(re.sub(r"%\(\w+\)s", "", text))] == []
