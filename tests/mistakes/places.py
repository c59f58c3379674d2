"""The class of mistakes, and the paths that they name: those of the program, and those of the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Engine = Literal["", "sqlite", "sqlserver"]


@dataclass(frozen=True)
class Mistake:
    """A mistake: `old` becomes `new` in a file of the program.

    `tests` is the file whose tests find it; `which` selects some of them by name, as `pytest -k` does. `engine` is the
    engine that they need; it is empty if they need none.
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
        """The expression for `pytest -k` that selects the tests on the engine of the mistake."""
        if not self.engine:
            return self.which
        # Matches the engine as a parameter only; the names of marks contain the word, too.
        return f"({self.which}) and {'not ' if self.engine == 'sqlite' else ''}(sqlserver] or sqlserver-)"


# ---- The program

_SQLITE, _SQLSERVER, _CORE = "src/agent_funnel/sql/sqlite", "src/agent_funnel/sql/sqlserver", "src/agent_funnel"
# SQLite:
PLAN, ASSIGN = f"{_SQLITE}/deal/plan.sql", f"{_SQLITE}/deal/assign.sql"
UNDO, PREVIEW = f"{_SQLITE}/deal/undo.sql", f"{_SQLITE}/deal/preview.sql"
AGENTS = f"{_SQLITE}/agents.sql"
IDEMPOTENCY = f"{_SQLITE}/idempotency.sql"
IMPORTS = f"{_SQLITE}/imports.sql"
KEYS = f"{_SQLITE}/keys.sql"
LEADS = f"{_SQLITE}/leads.sql"
LINKS = f"{_SQLITE}/links.sql"
RUNS = f"{_SQLITE}/runs.sql"
SCHEDULE = f"{_SQLITE}/schedule.sql"
# T-SQL:
T_ASSIGN = f"{_SQLSERVER}/deal/sp_assign_wafunnel_to_agents.sql"
T_UNDO = f"{_SQLSERVER}/deal/sp_undo_wafunnel_assignment.sql"
T_AGENTS = f"{_SQLSERVER}/agents.sql"
T_DATABASE = f"{_SQLSERVER}/database.sql"
T_DEAL = f"{_SQLSERVER}/deal.sql"
T_IDEMPOTENCY = f"{_SQLSERVER}/idempotency.sql"
T_IMPORTS = f"{_SQLSERVER}/imports.sql"
T_KIT_JOB = f"{_SQLSERVER}/kit/job.sql"
T_KEYS = f"{_SQLSERVER}/keys.sql"
T_LEADS = f"{_SQLSERVER}/leads.sql"
T_LINKS = f"{_SQLSERVER}/links.sql"
T_RUNS = f"{_SQLSERVER}/runs.sql"
T_SCHEDULE = f"{_SQLSERVER}/schedule.sql"
# Python:
P_AGENTS = f"{_CORE}/agents.py"
P_AUDIT = f"{_CORE}/access/audit.py"
P_BRAKES = f"{_CORE}/schedule/brakes.py"
P_CALENDAR = f"{_CORE}/schedule/calendar.py"
P_CLOCK = f"{_CORE}/schedule/clock.py"
P_DEAL = f"{_CORE}/deal.py"
P_EXPORTS = f"{_CORE}/exports.py"
P_IDEMPOTENCY = f"{_CORE}/access/idempotency.py"
P_IMPORTS = f"{_CORE}/imports.py"
P_INSTALL = f"{_CORE}/install.py"
P_KEYS = f"{_CORE}/access/keys.py"
P_KIT = f"{_CORE}/kit.py"
P_LEADS = f"{_CORE}/leads.py"
P_LINKS = f"{_CORE}/access/links.py"
P_LOGS = f"{_CORE}/logs.py"
P_MASKING = f"{_CORE}/masking.py"
P_NOT_READY = f"{_CORE}/database/not_ready.py"
P_NOTIFY = f"{_CORE}/notify.py"
P_NUMBERS = f"{_CORE}/numbers.py"
P_PRELOGIN = f"{_CORE}/database/prelogin.py"
P_RUNS = f"{_CORE}/runs.py"
P_SETTINGS = f"{_CORE}/settings.py"
P_SETTINGS_TYPES = f"{_CORE}/settings_types.py"
P_SETTINGS_FILE = f"{_CORE}/settings_file.py"
P_SETTINGS_WARNINGS = f"{_CORE}/settings_warnings.py"
P_DATABASE = f"{_CORE}/database/base.py"
P_ADDRESS = f"{_CORE}/database/address.py"
P_INSTALL = f"{_CORE}/install.py"
P_SQL = f"{_CORE}/sql/__init__.py"
P_SQLITE = f"{_CORE}/database/sqlite.py"
P_SQLSERVER = f"{_CORE}/database/sqlserver.py"
P_STATUS = f"{_CORE}/schedule/status.py"
P_STORE = f"{_CORE}/schedule/store.py"
P_VALUES = f"{_CORE}/values.py"
W_AGENTS = f"{_CORE}/web/api/agents.py"
W_APP = f"{_CORE}/web/__init__.py"
W_AUTH = f"{_CORE}/web/auth.py"
W_COUNTS = f"{_CORE}/web/counts.py"
W_FIELDS = f"{_CORE}/web/fields.py"
W_FILES = f"{_CORE}/web/files.py"
W_HEALTH = f"{_CORE}/web/health.py"
W_IDEMPOTENCY = f"{_CORE}/web/idempotency.py"
W_NEGOTIATION = f"{_CORE}/web/negotiation.py"
W_PAGING = f"{_CORE}/web/paging.py"
W_READINESS = f"{_CORE}/web/readiness.py"
W_REQUESTER = f"{_CORE}/web/requester.py"
W_ROUTING = f"{_CORE}/web/routing.py"
W_RUNS = f"{_CORE}/web/api/runs.py"
W_SIGN_IN = f"{_CORE}/web/sign_in.py"

# ---- The tests

_BACKEND, _UNIT, _WEB = "tests/backend", "tests/unit", "tests/web"
ON_ATTEMPTS = f"{_UNIT}/test_schedule_attempts.py"
ON_ADDRESS = f"{_UNIT}/test_database_address.py"
ON_BAD_ROWS = f"{_UNIT}/test_imports.py"
ON_CALENDAR = f"{_UNIT}/test_schedule_calendar.py"
ON_ENV_FILE = f"{_UNIT}/test_settings_file.py"
ON_NOTIFY = f"{_UNIT}/test_notify.py"
ON_NUMBERS = f"{_UNIT}/test_numbers.py"
ON_SETTINGS = f"{_UNIT}/test_settings.py"
ON_SQL = f"{_UNIT}/test_sql.py"
ON_STATUS = f"{_UNIT}/test_schedule_status.py"
ON_T_SQL = f"{_UNIT}/test_sql_sqlserver.py"
ON_WARNINGS = f"{_UNIT}/test_settings_warnings.py"
ON_AGENTS = f"{_BACKEND}/test_agents.py"
ON_AGENTS_AFTER_RUNS = f"{_BACKEND}/test_agents_after_runs.py"
ON_CASE = f"{_BACKEND}/test_letter_case.py"
ON_AGAIN = f"{_BACKEND}/test_deal_again.py"
ON_CONCURRENCY = f"{_BACKEND}/test_deal_concurrency.py"
ON_CUT_CALLS = f"{_BACKEND}/test_deal_cut_calls.py"
ON_DEAL = f"{_BACKEND}/test_deal_examples.py"
ON_EXPORTS = f"{_BACKEND}/test_exports.py"
ON_IMPORTS = f"{_BACKEND}/test_imports.py"
ON_INSTANCES = f"{_BACKEND}/test_database_instances.py"
ON_KIT = f"{_BACKEND}/test_install_kit.py"
ON_NOT_READY = f"{_BACKEND}/test_database_not_ready.py"
ON_TYPES = f"{_BACKEND}/test_install_types.py"
ON_KEYS = f"{_BACKEND}/test_keys.py"
ON_LEADS = f"{_BACKEND}/test_leads.py"
ON_LINKS = f"{_BACKEND}/test_links.py"
ON_LOCKS = f"{_BACKEND}/test_database_locks.py"
ON_LOST_CALLS = f"{_BACKEND}/test_deal_lost_calls.py"
ON_NOTICES = f"{_BACKEND}/test_schedule_notices.py"
ON_POLLS = f"{_BACKEND}/test_database_polls.py"
ON_POOL = f"{_BACKEND}/test_leads_pool.py"
ON_PREVIEW = f"{_BACKEND}/test_deal_preview.py"
ON_PURGE = f"{_BACKEND}/test_runs_purge.py"
ON_RANGES = f"{_BACKEND}/test_ends_of_ranges.py"
ON_REFUSALS = f"{_BACKEND}/test_deal_refusals.py"
ON_ROWS = f"{_BACKEND}/test_deal_rows.py"
ON_SCHEDULE = f"{_BACKEND}/test_schedule_store.py"
ON_UNDO = f"{_BACKEND}/test_deal_undo.py"
ON_UNDO_REFUSALS = f"{_BACKEND}/test_deal_undo_refusals.py"
ON_VERSIONS = f"{_BACKEND}/test_install_versions.py"
ON_API = f"{_WEB}/test_api.py"
ON_GUESSING = f"{_WEB}/test_attacks_guessing.py"
ON_HEALTH = f"{_WEB}/test_health.py"
ON_IDEMPOTENCY = f"{_WEB}/test_idempotency.py"
ON_LAST_USE = f"{_WEB}/test_last_use.py"
ON_LIMITS = f"{_WEB}/test_limits.py"
ON_OTHER_SITES = f"{_WEB}/test_attacks_other_sites.py"
ON_OWN_LIST = f"{_WEB}/test_own_list.py"
ON_POLLED = f"{_WEB}/test_polled_lists.py"
ON_ROLES = f"{_WEB}/test_roles.py"
ON_SCOPE = f"{_WEB}/test_idempotency_scope.py"
ON_SECRETS = f"{_WEB}/test_settings.py"
ON_SESSIONS = f"{_WEB}/test_attacks_sessions.py"
