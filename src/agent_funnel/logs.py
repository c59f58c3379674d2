"""Sets up the log: lines for people or JSON for programs, without secrets and without whole phone numbers.

structlog renders all records in the same way: its own, and those that libraries and some of our modules write with the
standard `logging`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# A sequence of digits as long as a phone number. Parts of moments and of hexadecimal marks do not match:
PHONE_NUMBER = re.compile(r"(?<![\w.:-])\+?\d{4,17}(\d{3})(?![\w.:-])")
# The password in a URL, with the text around it. It ends at the last @, since some people leave an @ in it as it is.
URL_PASSWORD = re.compile(r"(://[^:/\s]*:)\S+(@)")


def set_up(log_format: str) -> None:
    """Sends all log records to standard error, in the format `console` or `json`."""
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
    # APScheduler logs every wake-up of the schedule, and there is one every few seconds.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)


def mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Masks phone numbers except for their last three digits, and passwords in URLs completely."""
    for key, value in event.items():
        if isinstance(value, str) and key not in ("timestamp", "logger", "level"):
            event[key] = URL_PASSWORD.sub(r"\1…\2", PHONE_NUMBER.sub(r"…\1", value))
    return event
