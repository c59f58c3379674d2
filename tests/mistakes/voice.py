"""Mistakes in who gets a lead that comes round."""

from __future__ import annotations

from mistakes.places import MATCHED, ON_VOICE, PLAN, T_ASSIGN, Mistake

FEWEST = "as_few_leads_as_possible"
PURGED = "NOT EXISTS (\n                SELECT 1 FROM dbo.assignment_purge"

MISTAKES = (
    Mistake(
        "voice: clashes move on by one place only",
        PLAN,
        "c.place - l.first_place + l.most)",
        "c.place - l.first_place + 1)",
        ON_VOICE,
        "in_the_same_order",
        "sqlite",
    ),
    Mistake(
        "voice: clashes that remain change places with anybody",
        PLAN,
        ") IS NOT a.agent;",
        ") IS NOT '';",
        ON_VOICE,
        FEWEST,
        "sqlite",
    ),
    Mistake(
        "voice: clashes that remain stay",
        PLAN,
        "WHERE dealt.ordinal = x.ordinal;",
        "WHERE FALSE;",
        ON_VOICE,
        FEWEST,
        "sqlite",
    ),
    Mistake(
        "voice: a lead is looked for in the newest run only",
        PLAN,
        "+h.run_id IN (SELECT o.run_id FROM temp.past_run AS o)",
        "FALSE",
        ON_VOICE,
        FEWEST,
        "sqlite",
    ),
    Mistake(
        "voice: other spellings of a number do not count",
        PLAN,
        "THEN (SELECT k.agent FROM temp.key_heard AS k WHERE k.first_number = m.first_number)",
        "THEN NULL",
        ON_VOICE,
        FEWEST,
        "sqlite",
    ),
    Mistake(
        "voice: an undone run counts",
        PLAN,
        "WHERE r.status = 'succeeded' AND NOT EXISTS (SELECT 1 FROM assignment_purge",
        "WHERE NOT EXISTS (SELECT 1 FROM assignment_purge",
        ON_VOICE,
        "undone_run",
        "sqlite",
    ),
    Mistake(
        "voice: a purged run counts",
        PLAN,
        "AND NOT EXISTS (SELECT 1 FROM assignment_purge AS p WHERE p.run_id = r.run_id)",
        "",
        ON_VOICE,
        "undone_run",
        "sqlite",
    ),
    Mistake(
        "voice: leads of another country's runs have no key",
        MATCHED,
        "WHERE r.run_id > (",
        "WHERE r.run_id < (",
        ON_VOICE,
        "another_country",
        "sqlite",
    ),
    Mistake(
        "T-SQL voice: clashes move on by one place only",
        T_ASSIGN,
        "INNER JOIN #clash AS p ON c.position = p.position\n        INNER JOIN #clash AS o ON p.class = o.class "
        "AND o.turn = (p.turn + p.most)",
        "INNER JOIN #clash AS p ON c.position = p.position\n        INNER JOIN #clash AS o ON p.class = o.class "
        "AND o.turn = (p.turn + 1)",
        ON_VOICE,
        FEWEST,
        "sqlserver",
    ),
    Mistake(
        "T-SQL voice: clashes that remain stay",
        T_ASSIGN,
        "IF @same_agent > 0",
        "IF @same_agent < 0",
        ON_VOICE,
        FEWEST,
        "sqlserver",
    ),
    Mistake(
        "T-SQL voice: an undone run counts",
        T_ASSIGN,
        f"r.status = 'succeeded'\n            AND {PURGED}",
        PURGED,
        ON_VOICE,
        "undone_run",
        "sqlserver",
    ),
    Mistake(
        "T-SQL voice: leads of another country's runs have no key",
        T_ASSIGN,
        "h.run_id > @keyed_id\n",
        "h.run_id < @keyed_id\n",
        ON_VOICE,
        "another_country",
        "sqlserver",
    ),
)
