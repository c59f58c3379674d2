"""Mistakes in the rules of the deal: which one holds, which values are allowed, and what is said."""

from __future__ import annotations

from mistakes.places import (
    ASSIGN,
    ON_LOCKS,
    ON_REFUSALS,
    ON_RULES,
    ON_SETTINGS,
    P_RULES,
    P_SETTINGS_TYPES,
    P_STORE,
    PLAN,
    RUNS,
    T_ASSIGN,
    T_RULES,
    T_RUNS,
    T_SCHEDULE,
    Mistake,
)

MISTAKES = (
    Mistake(
        "rules: the oldest record holds on SQLite",
        PLAN, "SELECT max(n.rule_id) FROM floor_rule", "SELECT min(n.rule_id) FROM floor_rule",
        ON_RULES, "newest_record_of_each_rule", "sqlite",
    ),
    Mistake(
        "rules: the oldest record holds in the procedure",
        T_ASSIGN, "WHERE f.name = 'window_days'\n                    ORDER BY f.rule_id DESC",
        "WHERE f.name = 'window_days'\n                    ORDER BY f.rule_id",
        ON_RULES, "newest_record_of_each_rule", "sqlserver",
    ),
    Mistake(
        "rules: the record wins over the parameter on SQLite",
        PLAN, "coalesce(:newest_first, max(r.value) FILTER (WHERE r.name = 'newest_first'), 0)",
        "coalesce((SELECT f.value FROM floor_rule AS f WHERE f.name = 'newest_first'), :newest_first, 0)",
        ON_RULES, "explicit_parameter", "sqlite",
    ),
    Mistake(
        "rules: a missing cap is 450 in the procedure, whatever is recorded",
        T_ASSIGN, "    @max_per_agent INT = NULL,", "    @max_per_agent INT = 450,",
        ON_RULES, "newest_record_of_each_rule", "sqlserver",
    ),
    Mistake(
        "rules: a country in small letters is refused on SQLite",
        PLAN, "', ' || upper(g.value) || ','", "', ' || g.value || ','",
        ON_RULES, "in_any_case", "sqlite",
    ),
    Mistake(
        "rules: a country is recorded with the run in small letters by the procedure",
        T_ASSIGN, "UPPER(@rule_country COLLATE Latin1_General_BIN2)", "(@rule_country)",
        ON_RULES, "in_any_case", "sqlserver",
    ),
    Mistake(
        "rules: a part of the list is a country on SQLite",
        PLAN, "length(g.value) = 2 AND", "length(g.value) > 0 AND",
        ON_REFUSALS, "out_of_range", "sqlite",
    ),
    Mistake(
        "rules: a recorded number with a zero before it is taken on SQLite",
        PLAN, "WHEN CAST(CAST(g.value AS INTEGER) AS TEXT) <> g.value THEN 0\n", "",
        ON_RULES, "recorded_wrongly", "sqlite",
    ),
    Mistake(
        "rules: an empty window is 0 in the procedure",
        T_ASSIGN, "                TRY_CAST(@rule_window AS INT) IS NULL\n                OR CAST(",
        "                CAST(",
        ON_RULES, "recorded_wrongly", "sqlserver",
    ),
    Mistake(
        "rules: the run does not keep its country on SQLite",
        ASSIGN, "WHERE u.country <> '';", "WHERE u.country = '-';",
        ON_RULES, "newest_record_of_each_rule", "sqlite",
    ),
    Mistake(
        "rules: the run does not keep its country in the procedure",
        T_ASSIGN, "        WHERE @country <> '';", "        WHERE @country = '-';",
        ON_RULES, "newest_record_of_each_rule", "sqlserver",
    ),
    Mistake(
        "rules: the run does not show its country on SQLite",
        RUNS, "    c.country,\n", "    NULL AS country,\n",
        ON_RULES, "newest_record_of_each_rule", "sqlite",
    ),
    Mistake(
        "rules: the run does not show its country on T-SQL",
        T_RUNS, "    c.country,\n", "    NULL AS country,\n",
        ON_RULES, "newest_record_of_each_rule", "sqlserver",
    ),
    Mistake(
        "rules: a failed attempt does not keep its country",
        T_SCHEDULE, "IF @country <> 'none'", "IF @country = '-'",
        ON_RULES, "failed_attempt", "sqlserver",
    ),
    Mistake(
        "rules: a rule that is recorded wrongly keeps a failure out of the records",
        P_STORE, "    except ParameterOutOfRange:\n        rules = DEFAULTS\n",
        "    except ParameterOutOfRange:\n        raise\n",
        ON_RULES, "failed_attempt", "sqlite",
    ),
    Mistake(
        "rules: a rule is recorded during a deal",
        T_RULES, "-- lock: records\n-- busy: A run is still in progress; no rule was changed. Try again "
        "when the run has ended.\n",
        "",
        ON_LOCKS, "waits_for_its_lock", "sqlserver",
    ),
    Mistake(
        "rules: the record wins over a setting",
        P_RULES, "value=in_database if given is None else given", "value=in_database",
        ON_RULES, "settings_win", "sqlite",
    ),
    Mistake(
        "rules: a value that holds already is recorded again",
        P_RULES, "if value != _in_database(name, there)}", "if True}",
        ON_RULES, "from_its_record_on", "sqlite",
    ),
    Mistake(
        "rules: a setting that differs from the record is not told",
        P_RULES, "if state.differs)]", "if False)]",
        ON_RULES, "settings_win", "sqlite",
    ),
    Mistake(
        "rules: Python takes a record that the deal refuses",
        P_RULES, " and str(int(text[:10])) == text", "",
        ON_RULES, "recorded_wrongly", "sqlite",
    ),
    Mistake(
        "settings: a country that is not known",
        P_SETTINGS_TYPES, "or found not in COUNTRIES:", "or len(found) != 2:",
        ON_SETTINGS, "bad_value",
    ),
)  # fmt: skip
