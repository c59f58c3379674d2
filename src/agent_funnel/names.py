"""Names of agents: those that are probably meant to be the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# Marks that NFKD splits from their letters, and characters that nobody sees:
_DROPPED = ("Mn", "Cf", "Cc")


def folded(name: str) -> str:
    """A name without accents and in lower case, for searching and sorting as people do: "João" is found by "joao"."""
    if name.isascii() and name.isprintable():
        # Most names; there is nothing to split or to drop, and a page folds a thousand.
        return name.lower()
    split = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in split if unicodedata.category(each) not in _DROPPED)


def by_name(name: str) -> tuple[str, str]:
    """The key for sorting names as people do."""
    return folded(name), name


def likeness(name: str) -> str:
    """A name without blanks and accents, in lower case and in one Unicode form.

    Two names with the same likeness are easily taken for one another. A name that has nothing else is its own likeness.
    """
    return "".join(folded(name).split()) or name


def alike_names(names: Iterable[str]) -> list[tuple[str, ...]]:
    """The groups of two or more different names with the same likeness, sorted."""
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(likeness(name), set()).add(name)
    alike = (tuple(sorted(group, key=by_name)) for group in groups.values() if len(group) > 1)
    return sorted(alike, key=lambda group: by_name(group[0]))


def spell(name: str) -> str:
    """A name in quotation marks, as messages show it; if a reader could take it for another one, with its code points.

    Composed and decomposed letters look the same, and so do some blanks.
    """
    unusual = [
        each
        for each in name
        if unicodedata.category(each) in ("Mn", "Cf", "Zl", "Zp") or (each.isspace() and each != " ")
    ]
    points = ", ".join(dict.fromkeys(f"U+{ord(each):04X}" for each in unusual))
    return f"{name!r} (with {points})" if points else repr(name)
