"""Mistakes in the match keys of numbers: the rule, the deal that goes by them, and where they are kept."""

from __future__ import annotations

from mistakes.places import ASSIGN, ON_IMPORTS_NUMBERS, ON_MATCH_KEYS, PLAN, T_ASSIGN, T_IMPORTS, Mistake

_SQLITE, _SQLSERVER = "src/agent_funnel/sql/sqlite", "src/agent_funnel/sql/sqlserver"
RULE, T_RULE = f"{_SQLITE}/numbers/numbers.sql", f"{_SQLSERVER}/numbers/fn_match_key.sql"
MATCHED, IMPORTS = f"{_SQLITE}/deal/matched.sql", f"{_SQLITE}/imports.sql"
UNDO, T_UNDO = f"{_SQLITE}/deal/undo.sql", f"{_SQLSERVER}/deal/sp_undo_wafunnel_assignment.sql"
LEADS, T_LEADS = f"{_SQLITE}/leads.sql", f"{_SQLSERVER}/leads.sql"
DOCTOR, T_DOCTOR = f"{_SQLITE}/doctor/numbers.sql", f"{_SQLSERVER}/doctor/numbers.sql"
ON_DOCTOR = "tests/backend/test_doctor_numbers.py"
ON_COUNTRIES = "tests/backend/test_numbers_countries.py"
CLOCK = "src/agent_funnel/schedule/clock.py"
ON_ORACLE, ON_CLOCK = "tests/backend/test_deal_oracle.py", "tests/backend/test_schedule_clock.py"

MISTAKES = (
    Mistake(
        "match key: Brazil's landlines lose a digit, too",
        RULE, "GLOB '55??9[6-9]???????'", "GLOB '55??9????????'", ON_MATCH_KEYS, "examples", "sqlite",
    ),
    Mistake(
        "T-SQL match key: Brazil's landlines lose a digit, too",
        T_RULE, "LIKE N'55__9[6-9]_______'", "LIKE N'55__9________'", ON_MATCH_KEYS, "examples", "sqlserver",
    ),
    Mistake(
        "match key: Italy loses its zero",
        RULE, "NOT (f.digits GLOB '0039*' OR (f.plus AND f.digits GLOB '39*'))", "TRUE",
        ON_MATCH_KEYS, "examples", "sqlite",
    ),
    Mistake(
        "T-SQL match key: Italy loses its zero",
        T_RULE, "NOT LIKE N'39%' COLLATE", "NOT LIKE N'38%' COLLATE", ON_MATCH_KEYS, "examples", "sqlserver",
    ),
    Mistake(
        "match key: marks without a width stay",
        RULE, ", char(8234), '')", ", char(9), '')", ON_MATCH_KEYS, "examples", "sqlite",
    ),
    Mistake(
        "T-SQL match key: marks without a width stay",
        T_RULE, "NCHAR(8234)", "NCHAR(9)", ON_MATCH_KEYS, "examples", "sqlserver",
    ),
    Mistake(
        "match key: seven digits are a phone number",
        RULE, "BETWEEN 8 AND 15 THEN v.dialled", "BETWEEN 4 AND 15 THEN v.dialled", ON_MATCH_KEYS, "any_text", "sqlite",
    ),
    Mistake(
        "T-SQL match key: sixteen digits are a phone number",
        T_RULE, "NOT BETWEEN 8 AND 15", "NOT BETWEEN 8 AND 16", ON_MATCH_KEYS, "examples", "sqlserver",
    ),
    Mistake(
        "match key: the prefix within the country stays",
        RULE, "THEN c.code || substr(p.digits, length(c.trunk) + 1)", "THEN c.code || p.digits",
        ON_MATCH_KEYS, "national_number_gets", "sqlite",
    ),
    Mistake(
        "T-SQL match key: the prefix within the country stays",
        T_RULE, "THEN @code + SUBSTRING(@digits, 2, 255)", "THEN @code + @digits",
        ON_MATCH_KEYS, "national_number_gets", "sqlserver",
    ),
    Mistake(
        "deal: spellings of one number are dealt twice",
        PLAN, "PARTITION BY coalesce(m.first_number, r.number)", "PARTITION BY r.number",
        ON_ORACLE, "equals_the_oracle_row_by_row", "sqlite",
    ),
    Mistake(
        "T-SQL deal: spellings of one number are dealt twice",
        T_ASSIGN, "PARTITION BY COALESCE(m.first_number, e.number)", "PARTITION BY e.number",
        ON_ORACLE, "equals_the_oracle_row_by_row", "sqlserver",
    ),
    Mistake(
        "deal: a new spelling of a listed number is dealt",
        MATCHED, "INNER JOIN temp.new_key AS n ON n.number = d.number", "INNER JOIN temp.new_key AS n ON FALSE",
        ON_ORACLE, "equals_the_oracle_row_by_row", "sqlite",
    ),
    Mistake(
        "deal: new keys are not kept",
        ASSIGN, "CROSS JOIN temp.new_key AS n;", "CROSS JOIN temp.new_key AS n WHERE FALSE;",
        ON_MATCH_KEYS, "deal_keeps", "sqlite",
    ),
    Mistake(
        "T-SQL deal: new keys are not kept",
        T_ASSIGN, "RIGHT(n.match_key, 4) FROM #new_key AS n;", "RIGHT(n.match_key, 4) FROM #new_key AS n WHERE 1 = 0;",
        ON_MATCH_KEYS, "deal_keeps", "sqlserver",
    ),
    Mistake(
        "import: a number that is stored in another spelling is added",
        IMPORTS, "WHERE k.match_key = staged.match_key\n", "WHERE k.match_key = ''\n",
        ON_IMPORTS_NUMBERS, "there_already", "sqlite",
    ),
    Mistake(
        "T-SQL import: a number that is stored in another spelling is added",
        T_IMPORTS, "WHERE k.match_key = s.match_key AND", "WHERE k.match_key = '' AND",
        ON_IMPORTS_NUMBERS, "there_already", "sqlserver",
    ),
    Mistake(
        "match key: the recorded country has no effect",
        RULE, "upper(coalesce(:country, (SELECT f.country FROM floor_country AS f)))", "upper(:country)",
        ON_COUNTRIES, "recorded_or_set", "sqlite",
    ),
    Mistake(
        "undo: a number is kept out by a country of before",
        RULE, "WHERE d.country IN ('*', coalesce(:country, (SELECT f.country FROM floor_country AS f)))", "",
        ON_COUNTRIES, "an_undo_goes_by", "sqlite",
    ),
    Mistake(
        "T-SQL undo: a number comes back by the recorded country, whatever the settings say",
        T_UNDO, "SET @country = COALESCE(@country, (SELECT f.country FROM dbo.floor_country AS f));",
        "SET @country = (SELECT f.country FROM dbo.floor_country AS f);",
        ON_COUNTRIES, "an_undo_goes_by", "sqlserver",
    ),
    Mistake(
        "leads: a number is found by a key of a country of before",
        LEADS, "        WHERE k.match_key = :match_key AND k.country",
        "        WHERE k.match_key = :match_key OR k.country",
        ON_COUNTRIES, "a_search_goes_by", "sqlite",
    ),
    Mistake(
        "T-SQL leads: a number is found by the end of a key of a country of before",
        T_LEADS, "= @digits\n                    AND k.country = @country", "= @digits",
        ON_COUNTRIES, "a_search_goes_by", "sqlserver",
    ),
    Mistake(
        "undo: a listed number comes back before anybody has kept its key",
        UNDO, "(EXISTS (SELECT 1 FROM do_not_contact_entry) OR", "(FALSE OR",
        ON_COUNTRIES, "just_after", "sqlite",
    ),
    Mistake(
        "T-SQL undo: a listed number comes back before anybody has kept its key",
        T_UNDO, "IF EXISTS (SELECT 1 FROM dbo.do_not_contact_entry) OR", "IF 1 = 0 OR",
        ON_COUNTRIES, "just_after", "sqlserver",
    ),
    Mistake(
        "doctor: spellings that no lead has count",
        DOCTOR, "    INNER JOIN wafunnel AS w ON s.number = w.number COLLATE BINARY\n    GROUP BY s.match_key",
        "    GROUP BY s.match_key",
        ON_DOCTOR, "several_spellings", "sqlite",
    ),
    Mistake(
        "T-SQL doctor: an id that ends like a number nearly matches it",
        T_DOCTOR, "            AND k.match_key NOT LIKE N'%%[^0-9]%%'\n", "", ON_DOCTOR, "match_no_lead", "sqlserver",
    ),
    Mistake(
        "doctor: an international number can be read in two ways",
        DOCTOR, "WHERE k.match_key = :other || n.match_key", "WHERE TRUE", ON_DOCTOR, "two_ways_are_a_note", "sqlite",
    ),
    Mistake(
        "clock: new numbers are never taken in",
        CLOCK, "taken = take_in(self._database", "taken = 0 and take_in(self._database",
        ON_CLOCK, "takes_in_numbers", "sqlite",
    ),
)  # fmt: skip
