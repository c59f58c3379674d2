"""The log: structlog, as lines for people or as JSON for machines, without secrets and without whole phone numbers.

The log lines of libraries, and of our modules that use the standard `logging`, are rendered in the same way.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# A run of digits as long as a phone number; moments and request marks do not match:
NUMBER = re.compile(r"(?<![\w.:-])\+?\d{4,17}(\d{3})(?![\w.:-])")
SECRET = re.compile(r"(://[^:/\s]*:)[^@\s]+(@)")


def set_up(log_format: str) -> None:
    """Sends all logs to standard error, `console` or `json`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # It logs every wake-up, and there is one every few seconds.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)


def mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Masks phone numbers except for their last three digits, and passwords in URLs completely."""
    for key, value in event.items():
        if isinstance(value, str) and key not in ("timestamp", "logger", "level"):
            event[key] = SECRET.sub(r"\1…\2", NUMBER.sub(r"…\1", value))
    return event
