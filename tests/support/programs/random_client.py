"""Runs, undoes, previews and imports at random for some seconds.

Its argument is a task in JSON: its name, the business date, the date of its leads, and the seconds. It prints "ready",
waits for a line, and at the end prints in JSON how often each call had which result, and the numbers of the leads that
it added. The last digit of a number is the lead's stage.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import date

from agent_funnel.database import Database, connect
from agent_funnel.deal import deal, preview, undo
from agent_funnel.errors import FunnelError
from agent_funnel.imports import load_rows
from agent_funnel.settings import load


def main() -> None:
    """Gets ready, waits for the start, and acts until the time is over."""
    name, day, created, seconds = json.loads(sys.argv[1])
    business_date = date.fromisoformat(day)
    settings = load()
    backend = connect(settings)
    added: list[str] = []
    acts: dict[str, Callable[[], object]] = {
        "run": lambda: deal(backend, settings, business_date=business_date, actor=name, again=True),
        "undo": lambda: undo(backend, actor=name),
        "preview": lambda: preview(backend, settings, business_date=business_date),
        "import": lambda: _add_leads(backend, name, created, added),
    }
    acts["preview"]()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps([_act(acts, seconds), added]), flush=True)


def _act(acts: dict[str, Callable[[], object]], seconds: float) -> Counter[str]:
    """How often each act had which result."""
    results: Counter[str] = Counter()
    end = time.time() + seconds
    while time.time() < end:
        act = random.choice(list(acts))
        try:
            acts[act]()
            results[act] += 1
        except FunnelError as error:
            results[f"{act}: {type(error).__name__}"] += 1
    return results


def _add_leads(backend: Database, name: str, created: str, added: list[str]) -> None:
    stages = [random.choice("1123") for _ in range(random.randint(1, 5))]
    rows = [(f"{name}{len(added) + index:06}{stage}", stage, created) for index, stage in enumerate(stages)]
    assert load_rows(backend, "leads", rows) == len(rows)
    added.extend(number for number, _, _ in rows)


if __name__ == "__main__":
    main()
