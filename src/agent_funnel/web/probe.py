"""Asks the database whether it is of use, with a bound on the wait."""

from __future__ import annotations

from threading import Lock, Thread

from agent_funnel.backends import Backend
from agent_funnel.errors import FunnelError
from agent_funnel.sql import version

# How long the database may take to answer:
ANSWER_SECONDS = 2.0


class Probe:
    """Asks the database, and does not wait for one that hangs; of those that hang there is never more than one."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._asking = Lock()

    def ask(self) -> dict[str, str]:
        """What is wrong, by check; nothing if all is well."""
        if not self._asking.acquire(blocking=False):
            return {"database": "still has not answered an earlier question"}
        problems: dict[str, str] = {"database": f"did not answer within {ANSWER_SECONDS:.0f} s"}

        def question() -> None:
            try:
                found = self._problems()
                problems.clear()
                problems.update(found)
            finally:
                self._asking.release()

        thread = Thread(target=question, name="readyz", daemon=True)
        thread.start()
        thread.join(ANSWER_SECONDS)
        return dict(problems)

    def _problems(self) -> dict[str, str]:
        try:
            self._backend.one("ping")
        except FunnelError as error:
            return {"database": str(error)}
        try:
            row = self._backend.one("version")
        except FunnelError as error:
            return {"schema": str(error)}
        installed, ours = row and row["version"], version(self._backend.dialect)
        if installed != ours:
            return {"schema": f"is of version {installed}, this service of version {ours}: run `agent-funnel install`"}
        return {}
