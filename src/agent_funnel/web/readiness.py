"""The readiness check: does the database answer, and are its tables of this version?"""

from __future__ import annotations

import structlog

from agent_funnel.database import Database
from agent_funnel.errors import FunnelError, WrongVersion
from agent_funnel.web.background import BackgroundTask

log = structlog.get_logger(__name__)

# How long the database may take to answer:
ANSWER_SECONDS = 2.0


class ReadinessProbe:
    """Checks the database without waiting for one that hangs. At most one check runs at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = BackgroundTask("readyz")
        self._logged = ""

    def problems(self) -> dict[str, str]:
        """The problems, by the name of the check; empty if all is well."""
        problems = {"database": f"did not answer within {ANSWER_SECONDS:.0f} s"}

        def ask() -> None:
            found = self._ask_database()
            problems.clear()
            problems.update(found)

        if not self._asking.run(ask, wait=ANSWER_SECONDS):
            return {"database": "still has not answered an earlier check"}
        return dict(problems)

    def _ask_database(self) -> dict[str, str]:
        try:
            self._database.for_any_version().ping()
        except FunnelError as error:
            return self._fault("database", error)
        try:
            self._database.ping()
        except FunnelError as error:
            return self._fault("schema", error)
        return {}

    def _fault(self, name: str, error: FunnelError) -> dict[str, str]:
        """The problem that an error is. A message that may name files and servers goes to the log only."""
        if str(error) != self._logged:
            self._logged = str(error)
            log.warning("the service is not ready", check=name, reason=str(error))
        return {name: str(error) if isinstance(error, WrongVersion) else str(type(error).__doc__)}
