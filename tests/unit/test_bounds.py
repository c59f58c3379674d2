"""Bounds on what all requests together take of the service."""

from __future__ import annotations

from agent_funnel.web.bounds import Room


def test_room_is_bounded_and_one_large_thing_always_fits() -> None:
    room = Room(10)
    assert room.take(4)
    assert room.take(6)
    assert not room.take(1)
    room.give_back(10)
    assert room.take(11)
    assert not room.take(1)
