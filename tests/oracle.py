"""The rule of the deal in plain Python, written from its description and from nothing else.

It is slow and naive on purpose: it deals one lead at a time, round by round, so that anyone can see it is right. The
tests hold every engine against it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from agent_funnel.errors import NoActiveAgent

Agent = tuple[str | None, str | None]  # agent, status
Lead = tuple[str | None, int | None, datetime | None]  # number, stage, date
Limit = tuple[str, date, date | None, int]  # agent, starts_on, ends_on, max_records
Record = tuple[str, int, datetime]  # a lead that has all three


@dataclass(frozen=True)
class Dealt:
    """What a run leaves behind, and its amounts under the names of the run's record."""

    assignments: list[tuple[str, str]]  # agent, number, in the order of the deal
    leads: list[Lead]  # all rows of wafunnel, in the order they were given
    history: list[tuple[str, str, datetime, int]]  # agent, number, date, stage before
    last_agent: str | None  # whom the next run begins after
    amounts: dict[str, int]


def deal(
    agents: Iterable[Agent],
    leads: Collection[Lead],
    limits: Collection[Limit],
    do_not_contact: Collection[str],
    last_agent: str | None,
    business_date: date,
    *,
    max_per_agent: int = 450,
    window_days: int = 45,
    newest_first: bool = False,
) -> Dealt:
    """Deals. Raises NoActiveAgent when nobody has room."""
    # Who takes part, and how much each may get: the lowest of the cap and of the limits that cover the day.
    rooms: dict[str, int] = {}
    for name, status in agents:
        if name is not None and name.strip() and status is not None and status.strip().lower() == "active":
            rooms[name] = max_per_agent
            for agent, starts_on, ends_on, max_records in limits:
                if agent == name and starts_on <= business_date and (ends_on is None or business_date <= ends_on):
                    rooms[name] = min(rooms[name], max_records)
    rooms = {name: room for name, room in rooms.items() if room > 0}
    if not rooms:
        raise NoActiveAgent

    # The pool, in deal order. In a set, rows that are equal in everything are one record.
    midnight = datetime.combine(business_date - timedelta(days=window_days), time.min)
    eligible: set[Record] = set()
    for number, stage, created in leads:
        if number is None or not number.strip() or stage is None or created is None:
            continue
        if stage < 4 and created >= midnight:
            eligible.add((number, stage, created))
    allowed = [record for record in eligible if record[0] not in do_not_contact]
    # The last sort counts most, and each one keeps the order before it among equals.
    allowed.sort(key=lambda record: record[0].encode())
    allowed.sort(key=lambda record: record[2], reverse=newest_first)
    allowed.sort(key=lambda record: record[1])
    pool: list[Record] = []
    seen: set[str] = set()
    for record in allowed:
        if record[0] not in seen:
            pool.append(record)
            seen.add(record[0])

    # The seats: by name, beginning after the one who got the last lead, or after the place where it would sit.
    by_name = sorted(rooms, key=str.encode)
    behind = [name for name in by_name if last_agent is not None and name.encode() > last_agent.encode()]
    seats = behind + [name for name in by_name if name not in behind]

    # Round by round, one lead each; who is full is passed over.
    shares = dict.fromkeys(seats, 0)
    hands: list[tuple[str, Record]] = []
    while len(hands) < len(pool) and any(shares[name] < rooms[name] for name in seats):
        for name in seats:
            if len(hands) < len(pool) and shares[name] < rooms[name]:
                hands.append((name, pool[len(hands)]))
                shares[name] += 1
                last_agent = name

    handed_out = {record for _, record in hands}
    after: list[Lead] = []
    for number, stage, created in leads:
        advances = (number, stage, created) in handed_out
        after.append((number, stage + 1 if advances and stage is not None else stage, created))
    return Dealt(
        assignments=[(name, number) for name, (number, _, _) in hands],
        leads=after,
        history=[(name, number, created, stage) for name, (number, stage, created) in hands],
        last_agent=last_agent,
        amounts={
            "agents": len(rooms),
            "pool": len(pool),
            # The even share, upwards, whatever single agents may take:
            "per_agent": min((len(pool) + len(rooms) - 1) // len(rooms), max_per_agent),
            "assigned": len(hands),
            "left_over": len(pool) - len(hands),
            "duplicates": len(allowed) - len(pool),
            "suppressed": len(eligible) - len(allowed),
            "smallest_share": min(shares.values()),
            "largest_share": max(shares.values()),
        },
    )
