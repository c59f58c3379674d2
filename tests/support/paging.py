"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Texts that a query must treat literally:
ODD_TEXTS = ["+49 151", "'; DROP TABLE agents; --", "%s %(x)s :y", "Zoë", "100%"]


def all_pages(read: Callable[[Any], list[Any]], key: Callable[[Any], Any]) -> list[Any]:
    """Reads all pages of a list, each after the key of the last row of the page before."""
    found: list[Any] = []
    after = None
    while page := read(after):
        found += page
        assert key(page[-1]) != after
        after = key(page[-1])
    return found
