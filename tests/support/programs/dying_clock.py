"""Runs `agent-funnel` with a scheduler whose thread dies after a second, and notices that sooner than the real one."""

from __future__ import annotations

import threading
import time
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from agent_funnel import cli
from agent_funnel.schedule import clock

start = BackgroundScheduler.start


def start_and_die(scheduler: Any) -> None:
    """Starts the scheduler, and makes its thread end with SystemExit when it next looks for jobs."""
    start(scheduler)
    threading.Thread(target=_die, args=(scheduler,), daemon=True).start()


def _die(scheduler: Any) -> None:
    time.sleep(1)
    scheduler._event.set = lambda: None
    scheduler._process_jobs = _exit
    scheduler.wakeup()
    scheduler._event._flag = True
    with scheduler._event._cond:
        scheduler._event._cond.notify_all()


def _exit() -> None:
    raise SystemExit


def main() -> None:
    """Breaks the scheduler, then runs the command."""
    clock.DEAD_SECONDS = 2
    BackgroundScheduler.start = start_and_die
    cli.main()


if __name__ == "__main__":
    main()
