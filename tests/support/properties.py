"""Property tests on a database: how many examples, on which engine, each on an empty database."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from support import LONG
from support.databases import TestedDatabase

# A property test takes longer than other tests in the long version, which has more examples:
more_time = pytest.mark.timeout(3600)


def property_test(
    *strategies: SearchStrategy[Any], share: float = 1.0
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Turns a test of one example into a test of many examples, each on an empty database.

    The test takes the fixture `database` or `bare_database`, and then a value of each strategy. `share` is the share of
    the usual number of examples, for tests whose examples take long.
    """

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        fixture = next(iter(inspect.signature(test).parameters.values()))

        @wraps(test)
        def one(**values: Any) -> None:
            values[fixture.name].clear()
            test(**values)

        @wraps(test)
        def many(**fixtures: Any) -> None:
            # The number of examples depends on the engine, which is known only here.
            examples(fixtures[fixture.name], share)(given(*strategies)(one))(**fixtures)

        # Pytest provides only this fixture; the strategies provide the other arguments.
        many.__signature__ = inspect.Signature([fixture])  # type: ignore[attr-defined]
        decorated: Callable[..., None] = more_time(many)
        return decorated

    return decorate


def examples(database: TestedDatabase, share: float = 1.0) -> settings:
    """The settings for a database: the profile's number of examples on SQLite, a third of it on the T-SQL engine.

    An example takes 0.5 s there.
    """
    wanted = settings().max_examples * share / (3 if database.engine == "sqlserver" else 1)
    return settings(
        max_examples=max(3, round(wanted)), phases=phases(database), suppress_health_check=list(HealthCheck)
    )


def phases(database: TestedDatabase) -> set[Phase]:
    """The phases of Hypothesis; on the T-SQL engine, the short version does not look for a smaller example.

    The first deal on a new connection takes 3 s there, and every error means a new connection, so that search takes
    minutes.
    """
    left_out = {Phase.shrink, Phase.explain} if database.engine == "sqlserver" and not LONG else set()
    return set(Phase) - left_out


def may_refuse(database: TestedDatabase) -> bool:
    """Whether there is time for refused deals, which another test covers too."""
    return database.engine == "sqlite" or LONG
