"""The most and the fewest of what agents have, for the sentences of Tonight and of Agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class RangeEnd(NamedTuple):
    """One end of a range: the agents who have this amount, of the first of them the name and what it is a part of."""

    amount: int
    agents: int
    agent: str
    of: int


def ends_of(amounts: Sequence[tuple[int, str, int]]) -> tuple[RangeEnd, RangeEnd] | tuple[None, None]:
    """The most and the fewest of at least two amounts, each with its agent and what it is a part of."""
    if len(amounts) < 2:
        return None, None
    most, fewest = (
        next(
            RangeEnd(end, sum(amount == end for amount, _, _ in amounts), agent, of)
            for amount, agent, of in amounts
            if amount == end
        )
        for end in (choose(amount for amount, _, _ in amounts) for choose in (max, min))
    )
    return most, fewest
