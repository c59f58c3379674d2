"""Imports every module of the product and creates the app; fails if one of their threads keeps running."""

from __future__ import annotations

import importlib
import pkgutil
import threading

import agent_funnel
from agent_funnel.settings import load
from agent_funnel.web import create_app
from support.databases import connect_to


def main() -> None:
    """Imports the modules, creates the app and counts the threads."""
    for module in pkgutil.walk_packages(agent_funnel.__path__, "agent_funnel."):
        if module.name != "agent_funnel.__main__":
            importlib.import_module(module.name)
    create_app(load(), connect_to("sqlite:///none.db"))
    for thread in threading.enumerate():
        # The limits' counters start a timer of a hundredth of a second; only a thread that keeps running is a mistake.
        if thread is not threading.main_thread():
            thread.join(5)
    assert threading.active_count() == 1, threading.enumerate()


if __name__ == "__main__":
    main()
