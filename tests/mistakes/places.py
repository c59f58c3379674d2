"""What a mistake is, and every path that the mistakes name: of the program, and of the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Engine = Literal["", "sqlite", "sqlserver"]


@dataclass(frozen=True)
class Mistake:
    """A mistake: `old` becomes `new` in a file of the program.

    `tests` is the file whose tests find it, `which` the part of their names, in the words of `pytest -k`. `engine` is
    the one that they need; where it is empty, they need none.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    which: str
    engine: Engine = ""

    @property
    def expression(self) -> str:
        """Which tests are run, for `pytest -k`: those on the engine of the mistake."""
        if not self.engine:
            return self.which
        # As it is in a name, where it is a parameter: the name of a mark has the word, too.
        return f"({self.which}) and {'not ' if self.engine == 'sqlite' else ''}(sqlserver] or sqlserver-)"


# ---- The program

_SQLITE, _SQLSERVER, _CORE = "src/agent_funnel/sql/sqlite", "src/agent_funnel/sql/sqlserver", "src/agent_funnel"
# SQLite:
PLAN, ASSIGN = f"{_SQLITE}/plan.sql", f"{_SQLITE}/assign.sql"
UNDO, PREVIEW = f"{_SQLITE}/undo.sql", f"{_SQLITE}/preview.sql"
RUNS = LIMITS = DO_NOT_CONTACT = IMPORTS = SCHEDULE = f"{_SQLITE}/queries.sql"
AGENTS = ASSIGNMENTS = LEADS = f"{_SQLITE}/floor.sql"
ROSTER = FUNNEL = f"{_SQLITE}/glance.sql"
KEYS = IDEMPOTENCY = f"{_SQLITE}/access.sql"
LINKS = f"{_SQLITE}/links.sql"
# T-SQL:
T_DEAL = f"{_SQLSERVER}/sp_assign_wafunnel_to_agents.sql"
T_UNDO = f"{_SQLSERVER}/sp_undo_wafunnel_assignment.sql"
T_RUNS = T_LIMITS = T_DO_NOT_CONTACT = T_IMPORTS = T_SCHEDULE = f"{_SQLSERVER}/queries.sql"
T_AGENTS = T_ASSIGNMENTS = T_LEADS = f"{_SQLSERVER}/floor.sql"
T_ROSTER = T_FUNNEL = f"{_SQLSERVER}/glance.sql"
T_KEYS = T_IDEMPOTENCY = f"{_SQLSERVER}/access.sql"
T_LINKS = f"{_SQLSERVER}/links.sql"
# Python:
P_DEAL = P_RUNS = P_LIMITS = P_TEXT = f"{_CORE}/service.py"
P_CALENDAR = P_CLOCK = f"{_CORE}/schedule.py"
P_STORE = f"{_CORE}/planning.py"
P_STATUS = f"{_CORE}/glance.py"
P_LEADS = P_NUMBERS = f"{_CORE}/floor.py"
P_MASKING = f"{_CORE}/records.py"
P_IMPORTS = f"{_CORE}/transfer.py"
P_EXPORTS = f"{_CORE}/export.py"
P_KEYS = f"{_CORE}/access.py"
P_LINKS = f"{_CORE}/links.py"
P_AUDIT = f"{_CORE}/audit.py"
P_IDEMPOTENCY = f"{_CORE}/answers.py"
P_SETTINGS = f"{_CORE}/settings.py"
P_NOTIFY = f"{_CORE}/notify.py"
P_SQLITE = f"{_CORE}/backends/sqlite.py"
P_SQLSERVER = f"{_CORE}/backends/sqlserver.py"
W_APP = f"{_CORE}/web/__init__.py"
W_AUTH = f"{_CORE}/web/access.py"
W_SIGN_IN = f"{_CORE}/web/sign_in.py"
W_IDEMPOTENCY = f"{_CORE}/web/once.py"
W_AGENTS = W_ASSIGNMENTS = f"{_CORE}/web/api/agents.py"
W_PAGING = W_MASKING = f"{_CORE}/web/api/common.py"
W_MODELS = f"{_CORE}/web/api/shapes.py"
W_COUNTS = f"{_CORE}/web/figures.py"
W_READINESS = f"{_CORE}/web/probe.py"

# ---- The tests

ON_ATTEMPTS = "tests/unit/test_attempts.py"
ON_CALENDAR = "tests/unit/test_schedule.py"
ON_BAD_ROWS = "tests/unit/test_bad_rows.py"
ON_NOTIFY = "tests/unit/test_notify.py"
ON_SETTINGS = "tests/unit/test_settings.py"
ON_SPELLINGS = "tests/unit/test_spellings.py"
ON_STATUS = "tests/unit/test_glance.py"
ON_T_SQL = "tests/unit/test_tsql_text.py"
ON_CALLS = "tests/backend/test_calls_cut.py"
ON_CASE = "tests/backend/test_letter_case.py"
ON_DAYS = "tests/backend/test_days_that_count.py"
ON_DEAL = "tests/backend/test_deal_examples.py"
ON_EXPORTS = "tests/backend/test_export.py"
ON_FLOOR = "tests/backend/test_floor.py"
ON_IMPORTS = "tests/backend/test_transfer.py"
ON_KEYS = "tests/backend/test_access.py"
ON_LINKS = "tests/backend/test_links.py"
ON_LISTS = "tests/backend/test_lists_after_runs.py"
ON_LOCKS = "tests/backend/test_runs_locks.py"
ON_LOST_CALLS = "tests/backend/test_lost_calls.py"
ON_NOTICES = "tests/backend/test_schedule_notices.py"
ON_NIGHTS = "tests/backend/test_planning.py"
ON_PREVIEW = "tests/backend/test_preview.py"
ON_PURGE = "tests/backend/test_purge.py"
ON_REFUSALS = "tests/backend/test_deal_refusals.py"
ON_ROWS = "tests/backend/test_deal_rows.py"
ON_UNDO = "tests/backend/test_undo.py"
ON_API = "tests/web/test_api.py"
ON_ATTACKS = "tests/web/test_attacks.py"
ON_LAST_USE = "tests/web/test_last_use.py"
ON_HEALTH = "tests/web/test_health.py"
ON_IDEMPOTENCY = "tests/web/test_idempotency_scope.py"
ON_LIMITS = "tests/web/test_limits.py"
ON_MINE = "tests/web/test_mine.py"
ON_ONCE = "tests/web/test_once.py"
ON_POLLED = "tests/web/test_polled.py"
ON_SECRETS = "tests/web/test_secrets.py"
