"""Mistakes in the do-not-contact lists, on both engines."""

from __future__ import annotations

from mistakes.places import (
    DO_NOT_CONTACT,
    ON_DO_NOT_CONTACT,
    ON_DO_NOT_CONTACT_AGES,
    ON_DO_NOT_CONTACT_IMPORT,
    P_DO_NOT_CONTACT,
    P_DO_NOT_CONTACT_FILES,
    T_DO_NOT_CONTACT,
    T_TABLES_DO_NOT_CONTACT,
    TABLES_DO_NOT_CONTACT,
    Mistake,
)

# The condition under which the numbers of before there were lists are moved:
FIRST = "IF NOT EXISTS (SELECT 1 FROM dbo.do_not_contact_list)"

MISTAKES = (
    Mistake(
        "do-not-contact: each installation moves the numbers of the old table",
        TABLES_DO_NOT_CONTACT,
        "FROM do_not_contact AS d\nWHERE NOT EXISTS (SELECT 1 FROM do_not_contact_list);", "FROM do_not_contact AS d;",
        ON_DO_NOT_CONTACT, "upgrade", "sqlite",
    ),
    Mistake(
        "T-SQL do-not-contact: each installation moves the numbers of the old table",
        T_TABLES_DO_NOT_CONTACT, FIRST, "IF EXISTS (SELECT 1 FROM dbo.do_not_contact)",
        ON_DO_NOT_CONTACT, "upgrade", "sqlserver",
    ),
    Mistake(
        "do-not-contact: a number is removed from every list",
        DO_NOT_CONTACT, "WHERE list_id = :list_id AND number IN", "WHERE :list_id AND number IN",
        ON_DO_NOT_CONTACT, "while_any_list", "sqlite",
    ),
    Mistake(
        "T-SQL do-not-contact: a number is removed from every list",
        T_DO_NOT_CONTACT, "WHERE list_id = %(list_id)s AND number IN", "WHERE %(list_id)s > 0 AND number IN",
        ON_DO_NOT_CONTACT, "while_any_list", "sqlserver",
    ),
    Mistake(
        "do-not-contact: a replacement removes what a person put there",
        DO_NOT_CONTACT,
        "WHERE :replaces AND list_id = :list_id AND imported = 1\n", "WHERE :replaces AND list_id = :list_id\n",
        ON_DO_NOT_CONTACT_IMPORT, "only_what_an_import", "sqlite",
    ),
    Mistake(
        "do-not-contact: a replacement removes what another list has",
        DO_NOT_CONTACT,
        "WHERE :replaces AND list_id = :list_id AND imported = 1\n", "WHERE :replaces AND imported = 1\n",
        ON_DO_NOT_CONTACT_IMPORT, "only_what_an_import", "sqlite",
    ),
    Mistake(
        "T-SQL do-not-contact: a replacement removes what another list has",
        T_DO_NOT_CONTACT, "        list_id = @list_id AND imported = 1\n", "        imported = 1\n",
        ON_DO_NOT_CONTACT_IMPORT, "only_what_an_import", "sqlserver",
    ),
    Mistake(
        "do-not-contact: an import takes a number over from a person's word",
        DO_NOT_CONTACT, "WHERE NOT :imported AND list_id", "WHERE 0 AND list_id",
        ON_DO_NOT_CONTACT_IMPORT, "only_what_an_import", "sqlite",
    ),
    Mistake(
        "do-not-contact: a tenth needs a confirmation",
        DO_NOT_CONTACT, "c.removed * 10 <= c.imports", "c.removed * 10 < c.imports",
        ON_DO_NOT_CONTACT_IMPORT, "more_than_a_tenth", "sqlite",
    ),
    Mistake(
        "T-SQL do-not-contact: a fifth needs no confirmation",
        T_DO_NOT_CONTACT, "CAST(@removed AS BIGINT) * 10", "CAST(@removed AS BIGINT) * 5",
        ON_DO_NOT_CONTACT_IMPORT, "more_than_a_tenth", "sqlserver",
    ),
    Mistake(
        "do-not-contact: an import leaves the present assignments as they are",
        DO_NOT_CONTACT, "AS s) AND (SELECT t.applied FROM temp.taken AS t);", "AS s) AND NOT :imported;",
        ON_DO_NOT_CONTACT_IMPORT, "takes_it_out", "sqlite",
    ),
    Mistake(
        "do-not-contact: any text is taken for a number",
        P_DO_NOT_CONTACT, "if not found.leads and not found.assignments:", "if not found.numbers:",
        ON_DO_NOT_CONTACT, "no_number_is_refused", "sqlite",
    ),
    Mistake(
        "do-not-contact: a file of nothing but bad rows replaces a list",
        P_DO_NOT_CONTACT_FILES, ' or tally.bad_rows == tally.rows)', ")",
        ON_DO_NOT_CONTACT_IMPORT, "named_by_line", "sqlite",
    ),
    Mistake(
        "do-not-contact: people are told of an old list at each look",
        DO_NOT_CONTACT, "AND (warned_at IS NULL OR warned_at <= :day_before);", ";",
        ON_DO_NOT_CONTACT_AGES, "once_a_day", "sqlite",
    ),
    Mistake(
        "do-not-contact: a list is old on its last day",
        P_DO_NOT_CONTACT, "now - since > timedelta(days=bound)", "now - since >= timedelta(days=bound)",
        ON_DO_NOT_CONTACT_AGES, "longer_ago", "sqlite",
    ),
)  # fmt: skip
