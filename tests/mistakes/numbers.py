"""Mistakes with numbers and ids: what an import takes, how they are shown, and how they are masked."""

from __future__ import annotations

from mistakes.places import ON_IMPORTS, ON_LOGS, ON_NUMBERS, P_IMPORTS, P_MASKING, P_NUMBERS, Mistake

MISTAKES = (
    Mistake(
        "ids: a word is an id",
        P_NUMBERS,
        r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]",
        "[A-Za-z0-9]",
        ON_NUMBERS,
        "other_texts_are_refused",
    ),
    Mistake(
        "ids: an id may have 129 characters",
        P_NUMBERS,
        "LONGEST_ID = 128",
        "LONGEST_ID = 129",
        ON_NUMBERS,
        "other_texts_are_refused",
    ),
    Mistake(
        "ids: a user id of WhatsApp may be of any length",
        P_NUMBERS,
        'len(text.rpartition(".")[2]) <= LONGEST_ID',
        "text",
        ON_NUMBERS,
        "other_texts_are_refused",
    ),
    Mistake(
        "ids: the reason of a bad row shows the whole id",
        P_NUMBERS,
        "last_digits(text) if sum",
        "text if sum",
        ON_NUMBERS,
        "other_texts_are_refused",
    ),
    Mistake(
        "ids: a search leaves out the dot of an id",
        P_NUMBERS,
        "number.strip() if _LETTER.search(number) else ",
        "",
        ON_NUMBERS,
        "has_one_spelling",
    ),
    Mistake(
        "imports: a number that the tables cannot hold is left to the deal",
        P_IMPORTS,
        '_with_room(session, read) if kind == "leads" else read',
        "read",
        ON_IMPORTS,
        "cannot_hold",
        "sqlserver",
    ),
    Mistake(
        "masks: a user id of WhatsApp is shown if it has letters",
        P_MASKING,
        "(?=(?:[A-Za-z]*[0-9]){5})[A-Za-z0-9]+",
        "[0-9]{5,}",
        ON_LOGS,
        "user_id_of_whatsapp",
    ),
    Mistake(
        "masks: a user id of WhatsApp without digits is shown",
        P_MASKING,
        "[A-Za-z0-9]{16,})",
        "[0-9]{16,})",
        ON_LOGS,
        "user_id_of_whatsapp",
    ),
    Mistake(
        "masks: the names of files are masked",
        P_MASKING,
        "(?=(?:[A-Za-z]*[0-9]){5})[A-Za-z0-9]+",
        "[A-Za-z0-9]+",
        ON_LOGS,
        "dates_times_addresses",
    ),
    Mistake(
        "masks: a message of a database shows a user id of WhatsApp",
        P_MASKING,
        'return _WHATSAPP_ID.sub(lambda found: last_digits(found[0]), _QUOTED_NUMBER.sub("…", text))',
        'return _QUOTED_NUMBER.sub("…", text)',
        ON_LOGS,
        "message_of_a_database",
    ),
)
