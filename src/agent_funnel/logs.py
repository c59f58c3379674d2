"""Sets up the log: lines for people or JSON for programs, without secrets and without whole phone numbers.

structlog renders all records in the same way: its own, and those that libraries and some of our modules write with the
standard `logging`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from datetime import date, time, timedelta
from typing import Any

import structlog

from agent_funnel.characters import visible, visible_lines
from agent_funnel.masking import last_digits, mask_digits

# The password in a URL, with the text around it. A password may have a colon, a slash, a blank or an @ that should have
# been escaped, so it ends with the last @ of the line:
URL_PASSWORD = re.compile(r"(://[^:\n]*?:)[^\n]*(@)")
# The smallest whole number that is masked as a phone number. Smaller ones are counts of rows:
SMALLEST_PHONE_NUMBER = 10_000_000
# Texts of several lines, which structlog adds to an entry:
TRACEBACKS = ("exception", "stack")
# Values that have no text of a person in them:
PLAIN = (int, float, date, time, timedelta, type(None))


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
    """Masks phone numbers except for their last three digits, and passwords in URLs completely.

    Characters that act on a terminal become visible.
    """
    for key, value in event.items():
        # Names that begin with an underscore are structlog's own.
        if key not in ("timestamp", "logger", "level") and not key.startswith("_"):
            masked = _masked(value)
            # Only a traceback has lines. In another text, the end of a line would let a name forge an entry.
            event[key] = visible(masked) if isinstance(masked, str) and key not in TRACEBACKS else masked
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return visible_lines(mask_digits(URL_PASSWORD.sub(r"\1…\2", value)))
    if isinstance(value, Mapping):
        return {_masked(key): _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= SMALLEST_PHONE_NUMBER:
        return last_digits(f"{value:.0f}")
    return value if isinstance(value, PLAIN) else _masked(str(value))
