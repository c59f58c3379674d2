"""Mistakes in a person's rights: what keeps forgotten people out, and what an erasure leaves."""

from __future__ import annotations

from mistakes.places import P_RULES, T_ASSIGN, T_UNDO, UNDO, Mistake

_SQLITE, _SQLSERVER = "src/agent_funnel/sql/sqlite", "src/agent_funnel/sql/sqlserver"
PERSON, T_FORGET = f"{_SQLITE}/person.sql", f"{_SQLSERVER}/person/sp_forget_number.sql"
MATCHED, NUMBERS = f"{_SQLITE}/deal/matched.sql", f"{_SQLITE}/numbers/numbers.sql"
VIEW, GRANTS = f"{_SQLSERVER}/numbers/vw_suppressed_number.sql", f"{_SQLSERVER}/grants.sql"
DEEP, RUNS = f"{_SQLITE}/doctor/deep.sql", f"{_SQLITE}/runs.sql"
ON_PERSON, ON_SQL = "tests/backend/test_person.py", "tests/unit/test_sql.py"

MISTAKES = (
    Mistake(
        "person: a new spelling of a forgotten number is dealt",
        MATCHED, "    CROSS JOIN temp.new_key AS n\n    CROSS JOIN forgotten_number AS f",
        "    CROSS JOIN temp.new_key AS n ON FALSE\n    CROSS JOIN forgotten_number AS f",
        ON_PERSON, "stored_again", "sqlite",
    ),
    Mistake(
        "person: a forgotten number whose match key is kept is dealt",
        MATCHED, "    CROSS JOIN number_key AS n\n    CROSS JOIN forgotten_number AS f",
        "    CROSS JOIN number_key AS n ON FALSE\n    CROSS JOIN forgotten_number AS f",
        ON_PERSON, "stored_again", "sqlite",
    ),
    Mistake(
        "T-SQL person: a forgotten number is dealt",
        T_ASSIGN, "SELECT @salt = s.salt FROM dbo.forgotten_salt AS s;", "SET @salt = N'another';",
        ON_PERSON, "stored_again", "sqlserver",
    ),
    Mistake(
        "person: a lost salt stops no deal",
        MATCHED, "AND EXISTS (SELECT 1 FROM forgotten_number)", "AND FALSE",
        ON_PERSON, "lost_salt", "sqlite",
    ),
    Mistake(
        "person: in a deal with a country, a hash of a number without one holds",
        MATCHED, " AND (NOT f.only_without_country OR n.country = '')", "",
        ON_PERSON, "national_spelling", "sqlite",
    ),
    Mistake(
        "person: the keys without a country are not kept",
        PERSON, "SELECT sha256(s.salt || b.match_key), 1,", "SELECT sha256(b.match_key), 1,",
        ON_PERSON, "national_spelling", "sqlite",
    ),
    Mistake(
        "person: an undo brings a forgotten number back",
        NUMBERS, "CROSS JOIN forgotten_number AS f ON f.hash = sha256(s.salt || k.match_key)",
        "CROSS JOIN forgotten_number AS f ON f.hash = sha256(k.match_key)",
        ON_PERSON, "brings_no_assignment", "sqlite",
    ),
    Mistake(
        "T-SQL person: an undo brings a forgotten number back",
        VIEW, "CONCAT(s.salt, k.match_key)", "k.match_key",
        ON_PERSON, "brings_no_assignment", "sqlserver",
    ),
    Mistake(
        "person: an undo knows forgotten people only while a list has a number",
        UNDO, "            OR EXISTS (SELECT 1 FROM forgotten_number)\n", "",
        ON_PERSON, "undo_knows_a_forgotten", "sqlite",
    ),
    Mistake(
        "T-SQL person: an undo knows forgotten people only while a list has a number",
        T_UNDO, "            OR EXISTS (SELECT 1 FROM dbo.forgotten_number)\n", "",
        ON_PERSON, "undo_knows_a_forgotten", "sqlserver",
    ),
    Mistake(
        "person: an undo without the salt knows nobody",
        UNDO, "WHERE NOT EXISTS (SELECT 1 FROM forgotten_salt) AND EXISTS", "WHERE FALSE AND EXISTS",
        ON_PERSON, "another_salt", "sqlite",
    ),
    Mistake(
        "person: an undo does not count forgotten leads",
        UNDO, "SELECT coalesce(sum(f.leads), 0) FROM assignment_forgotten AS f WHERE f.run_id = t.last_id", "SELECT 0",
        ON_PERSON, "keep_their_totals", "sqlite",
    ),
    Mistake(
        "person: the shares of a run lose forgotten leads",
        RUNS, "SELECT f.agent, f.stage, f.leads\n    FROM assignment_forgotten AS f\n    WHERE f.run_id = :run_id",
        "SELECT f.agent, f.stage, f.leads\n    FROM assignment_forgotten AS f\n    WHERE FALSE",
        ON_PERSON, "keep_their_totals", "sqlite",
    ),
    Mistake(
        "person: a run says of no lead that it is forgotten",
        RUNS, "FROM assignment_forgotten AS f WHERE f.run_id = r.run_id)",
        "FROM assignment_forgotten AS f WHERE FALSE)",
        ON_PERSON, "keep_their_totals", "sqlite",
    ),
    Mistake(
        "doctor: forgotten leads are missing in the history",
        DEEP, "SELECT f.run_id, f.agent, f.leads FROM assignment_forgotten AS f",
        "SELECT f.run_id, f.agent, f.leads FROM assignment_forgotten AS f WHERE FALSE",
        ON_PERSON, "keep_their_totals", "sqlite",
    ),
    Mistake(
        "person: stored responses keep the number",
        PERSON, "WHERE (length(p.number) > 6 AND instr(r.answer, p.number) > 0)", "WHERE FALSE",
        ON_PERSON, "stored_response", "sqlite",
    ),
    Mistake(
        "person: a spelling that nobody has taken in stays",
        PERSON, "        SELECT w.number FROM wafunnel AS w\n        UNION\n", "",
        ON_PERSON, "in_every_spelling", "sqlite",
    ),
    Mistake(
        "T-SQL person: edits of assignments keep the number",
        T_FORGET, "                DELETE FROM dbo.assignment_edit\n                WHERE number IN "
        "(SELECT s.number FROM #spelling AS s);\n", "",
        ON_SQL, "clears_every_table",
    ),
    Mistake(
        "person: outcomes keep the number",
        PERSON, "DELETE FROM assignment_outcome WHERE number IN (SELECT p.number FROM temp.person AS p);", "",
        ON_PERSON, "leaves_nothing", "sqlite",
    ),
    Mistake(
        "person: the service reads the salt",
        GRANTS, "GRANT SELECT ON dbo.forgotten_number TO", "GRANT SELECT ON dbo.forgotten_salt TO",
        ON_SQL, "salt",
    ),
    Mistake(
        "person: another country needs no confirmation",
        P_RULES, 'if "country" in changed and not confirmed', 'if "country" in changed and False',
        "tests/unit/test_cli_person.py", "another_country",
    ),
)  # fmt: skip
