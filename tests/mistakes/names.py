"""Mistakes in names of agents, in the dates of SQLite, and in the checks of a database's file."""

from __future__ import annotations

from mistakes.places import AGENTS, LEADS, ON_AGENTS, ON_LOCKS, ON_STATES, T_AGENTS, Mistake

_CORE, _SQLITE = "src/agent_funnel", "src/agent_funnel/sql/sqlite"
P_AGENTS = f"{_CORE}/agents.py"
NAMES, FILES, P_DOCTOR_NAMES = f"{_CORE}/names.py", f"{_CORE}/database/files.py", f"{_CORE}/doctor/names.py"
CHECK, SERVER = f"{_CORE}/doctor/check.py", f"{_CORE}/doctor/server.py"
T_RENAME = "src/agent_funnel/sql/sqlserver/agents/sp_rename_agent.sql"
TABLES, CONTENTS = f"{_SQLITE}/tables-1-deal.sql", f"{_SQLITE}/doctor/server.sql"
PAGE, CHARTS = f"{_CORE}/web/pages/agents.py", f"{_CORE}/web/format.py"
ON_PAGE, ON_FORMAT = "tests/web/test_agents.py", "tests/unit/test_format.py"
ON_NAMES, ON_AGENTS_NAMES = "tests/unit/test_names.py", "tests/backend/test_agents_names.py"
ON_DATES, ON_DOCTOR_NAMES = "tests/backend/test_lead_dates.py", "tests/backend/test_doctor_names.py"
ON_FILE = "tests/backend/test_doctor_file.py"

MISTAKES = (
    Mistake(
        "names: accents make a difference", NAMES, '("Mn", "Cf", "Cc")', '("Cf", "Cc")',
        ON_NAMES, "make_no_difference",
    ),
    Mistake(
        "agents page: a name is found only with its accents",
        PAGE, "wanted in folded(each.entry.agent) and", "find.casefold() in each.entry.agent.casefold() and",
        ON_PAGE, "without_their_accents", "sqlite",
    ),
    Mistake(
        "agents page: each chart has a scale of its own",
        CHARTS, "largest = max([largest, *(", "largest = max([0, *(", ON_FORMAT, "a_sparkline_shows",
    ),
    Mistake(
        "agents page: a lead whose report was taken back is not to call",
        AGENTS, "= a.number COLLATE BINARY AND o.stands = 1\n        )\n    ) AS to_call",
        "= a.number COLLATE BINARY\n        )\n    ) AS to_call",
        ON_AGENTS, "their_last_run", "sqlite",
    ),
    Mistake(
        "T-SQL agents page: a lead that was reported in an older run is not to call",
        T_AGENTS, "ON v.number = o.number AND o.run_id = @run_id AND o.stands = 1",
        "ON v.number = o.number AND o.stands = 1",
        ON_AGENTS, "their_last_run", "sqlserver",
    ),
    Mistake(
        "agents page: the order is lost after a form",
        PAGE, 'KEPT_FIELDS = ("find", "show", "sort", "begin")', 'KEPT_FIELDS = ("find", "show", "begin")',
        ON_PAGE, "sorted_by_links", "sqlite",
    ),
    Mistake(
        "limits: a name that no agent has is taken",
        AGENTS, "WHERE :new_agent OR EXISTS", "WHERE 1 OR EXISTS", ON_AGENTS_NAMES, "is_refused_and_names", "sqlite",
    ),
    Mistake(
        "T-SQL limits: a name that no agent has is taken",
        T_AGENTS, "%(new_agent)s = 1\n", "1 = 1\n", ON_AGENTS_NAMES, "is_refused_and_names", "sqlserver",
    ),
    Mistake(
        "limits: blanks around the name count",
        AGENTS, "ELSE :trimmed", "ELSE :agent", ON_AGENTS_NAMES, "blanks_around_the_name_of_a_limit", "sqlite",
    ),
    Mistake(
        "T-SQL limits: blanks around the name count",
        T_AGENTS, "SET @agent = %(trimmed)s;", "SET @agent = %(agent)s;",
        ON_AGENTS_NAMES, "blanks_around_the_name_of_a_limit", "sqlserver",
    ),
    Mistake(
        "rename: the history keeps the old name",
        AGENTS, "UPDATE assignment_history SET agent = :new_name", "UPDATE assignment_history SET agent = agent",
        ON_AGENTS_NAMES, "gets_the_new_name", "sqlite",
    ),
    Mistake(
        "T-SQL rename: the history keeps the old name",
        T_RENAME, "UPDATE dbo.assignment_history\n                SET agent = @new_name",
        "UPDATE dbo.assignment_history\n                SET agent = agent",
        ON_AGENTS_NAMES, "gets_the_new_name", "sqlserver",
    ),
    Mistake(
        "rename: the outcomes keep the old name",
        AGENTS, "UPDATE assignment_outcome SET agent = :new_name", "UPDATE assignment_outcome SET agent = agent",
        ON_STATES, "any_steps", "sqlite",
    ),
    Mistake(
        "rename: the edits of a run keep the old name",
        AGENTS, "UPDATE assignment_edit SET agent = :new_name", "UPDATE assignment_edit SET agent = agent",
        ON_STATES, "any_steps", "sqlite",
    ),
    Mistake(
        "rename: whose turn is next is told by the old name",
        AGENTS, "UPDATE assignment_run SET last_agent = :new_name", "UPDATE assignment_run SET last_agent = last_agent",
        ON_STATES, "any_steps", "sqlite",
    ),
    Mistake(
        "rename: two links are in use",
        AGENTS, "l.agent = :new_name AND l.revoked_at IS NULL", "l.agent = :new_name AND 0",
        ON_AGENTS_NAMES, "alone_is_finished", "sqlite",
    ),
    Mistake(
        "rename: a name of another agent is taken in another spelling",
        P_AGENTS, "if alike and name in names:", "if False:", ON_AGENTS_NAMES, "in_another_spelling", "sqlite",
    ),
    Mistake(
        "T-SQL rename: accents and capitals make another name",
        T_RENAME, "N'') COLLATE Latin1_General_CI_AI\n            )", "N'') COLLATE Latin1_General_BIN2\n            )",
        ON_AGENTS_NAMES, "in_another_spelling", "sqlserver",
    ),
    Mistake(
        "rename: the audit has nothing of one without the service",
        AGENTS, "WHERE NOT :recorded AND", "WHERE FALSE AND", ON_AGENTS_NAMES, "in_the_audit", "sqlite",
    ),
    Mistake(
        "T-SQL rename: the audit has two entries of one",
        T_RENAME, "COALESCE(@recorded, 0) = 0 AND", "", ON_AGENTS_NAMES, "in_the_audit", "sqlserver",
    ),
    Mistake(
        "rename: one that only an undo would show is denied",
        P_AGENTS, ', row["others"])', ")", ON_AGENTS_NAMES, "only_an_undo", "sqlite",
    ),
    Mistake(
        "T-SQL rename: one that only an undo would show is not in the audit",
        T_RENAME, "@assignments + @dealt + @others > 0", "@assignments + @dealt > 0",
        ON_AGENTS_NAMES, "only_an_undo", "sqlserver",
    ),
    Mistake(
        "rename: limits of both names in a run stop it",
        AGENTS, "(SELECT l.run_id FROM assignment_limit AS l WHERE l.agent = :new_name)", "(0)",
        ON_AGENTS_NAMES, "limits_of_both_names", "sqlite",
    ),
    Mistake(
        "rename: two agents become one",
        AGENTS, "(SELECT t.taken = 0 FROM temp.renaming AS t)", "1",
        ON_AGENTS_NAMES, "without_a_key", "sqlite",
    ),
    Mistake(
        "T-SQL rename: it does not wait for a run",
        T_RENAME, "N':records'", "N':others'",
        ON_LOCKS, "waits_for_its_lock and name", "sqlserver",
    ),
    Mistake(
        "dates: everything that SQLite takes for a moment is a date",
        LEADS, "w.date GLOB '????-??-[0-2][0-8]*' OR", "1 OR", ON_DATES, "in_the_pool", "",
    ),
    Mistake(
        "dates: a day that no month has is a date",
        LEADS, "'????-??-[0-2][0-8]*'", "'????-??-??*'", ON_DATES, "in_the_pool", "",
    ),
    Mistake(
        "dates: a bound on the date finds leads without one",
        LEADS, "(v.date >= :date_from AND v.moment IS NOT NULL)", "v.date >= :date_from", ON_DATES, "reports_lists", "",
    ),
    Mistake(
        "dates: new tables take them",
        TABLES, " = substr(date, 1, 10)) IS TRUE", " IS NOT NULL) IS TRUE", ON_DATES, "installer_refuses", "sqlite",
    ),
    Mistake(
        "doctor: a limit of nobody is always a note",
        P_DOCTOR_NAMES, '"warning" if doubtful else "note"', '"note"', ON_DOCTOR_NAMES, "probably_meant", "sqlite",
    ),
    Mistake(
        "doctor: names of which one is active are a warning",
        P_DOCTOR_NAMES, "for name in groups[0]) > 1", "for name in groups[0]) > 0", ON_DOCTOR_NAMES, "in_looks_only",
        "sqlite",
    ),
    Mistake(
        "doctor: damage is a note",
        CHECK, '"error" if isinstance(error, DatabaseDamaged) else "note"', '"note"', ON_FILE, "damaged_file", "",
    ),
    Mistake(
        "doctor: a false alarm of SQLite is repeated",
        CONTENTS, " AND c.quick_check NOT LIKE 'NULL value in %'", "", ON_FILE, "false_alarm", "",
    ),
    Mistake(
        "doctor: the trial of writing stays",
        SERVER, "            raise _TakenBack\n", "            pass\n", ON_FILE, "leaves_nothing_behind", "sqlite",
    ),
    Mistake(
        "files: the first mount of a place counts",
        FILES, "len(point.parts) >= longest", "len(point.parts) > longest", ON_FILE, "last_mount", "",
    ),
)  # fmt: skip
