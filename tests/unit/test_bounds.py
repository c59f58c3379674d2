"""Bounds on what all requests together take of the service."""

from __future__ import annotations

from agent_funnel.web.bounds import Space


def test_room_is_bounded_and_one_large_thing_always_fits() -> None:
    space = Space(10)
    assert space.take(4)
    assert space.take(6)
    assert not space.take(1)
    space.give_back(10)
    assert space.take(11)
    assert not space.take(1)
