"""Makes a deal for each line of standard input that asks for one.

A line is a task in JSON: a word, the moment to deal at (0: at once), the business date, and whether it is the last one.
Each gets one line back: the number of the run or the name of the error, and when the deal began and ended.

Babelfish parses the procedure for seconds in each new session; during that time a race or a kill would show nothing.
The word "warm" gets that done, so that the next deal starts the moment it is asked for. The word "try once" is a deal
that is not tried again after an error.
"""

from __future__ import annotations

import json
import random
import sys
import time
from datetime import date

from agent_funnel import deal
from agent_funnel.database import Database, connect
from agent_funnel.errors import FunnelError, RunInProgress
from agent_funnel.settings import Settings, load


def main() -> None:
    """Reads tasks and prints results, line by line."""
    settings = load()
    backend = connect(settings)
    for line in sys.stdin:
        word, moment, day, last = json.loads(line)
        business_date = date.fromisoformat(day)
        if word == "try once":
            deal.ATTEMPTS = 1
        if word == "warm":
            _warm_up(backend, settings, business_date)
        else:
            _wait_until(moment)
        began = time.time()
        result = word if word == "warm" else _result(backend, settings, business_date)
        print(json.dumps([result, began, time.time()]), flush=True)
        if last:
            break


def _warm_up(backend: Database, settings: Settings, business_date: date) -> None:
    while True:
        try:
            deal.deal(backend, settings, business_date=business_date, again=True)
            return
        except RunInProgress:
            time.sleep(random.random() / 10)


def _wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - 0.002 - time.time()))
    # The last part is a busy wait: the system wakes each sleeping process a little late, and each differently.
    while time.time() < moment:
        pass


def _result(backend: Database, settings: Settings, business_date: date) -> int | str:
    try:
        return deal.deal(backend, settings, business_date=business_date, again=True).run_id
    except FunnelError as error:
        return type(error).__name__


if __name__ == "__main__":
    main()
