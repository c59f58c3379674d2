"""The readiness check: does the database answer, and are its tables of this version?"""

from __future__ import annotations

from agent_funnel.database import Database
from agent_funnel.errors import FunnelError
from agent_funnel.web.background import BackgroundTask

# How long the database may take to answer:
ANSWER_SECONDS = 2.0


class ReadinessProbe:
    """Checks the database without waiting for one that hangs. At most one check runs at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = BackgroundTask("readyz")

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
            return {"database": str(error)}
        try:
            self._database.ping()
        except FunnelError as error:
            return {"schema": str(error)}
        return {}
