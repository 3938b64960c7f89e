"""Surroundings that change: addresses, names, time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

from appliance.controller.lookout import Lookout
from appliance.controller.settings import ControllerSettings

DEADLINE_S = 30.0


class World:
    """Addresses and a clock that a test sets."""

    def __init__(self) -> None:
        self.addresses: tuple[str, ...] = ("192.0.2.1", "127.0.0.1")
        self.seconds = 1000.0
        self.changed = asyncio.Event()


def look(story: Callable[[Lookout, World], Awaitable[None]], **settings: object) -> None:
    async def run() -> None:
        world = World()
        given = ControllerSettings(**settings)  # type: ignore[arg-type]
        lookout = Lookout(given, world.changed.set, lambda: world.addresses, lambda: world.seconds)
        await lookout.first_look()
        task = asyncio.create_task(lookout.run())
        try:
            async with asyncio.timeout(DEADLINE_S):
                await story(lookout, world)
        finally:
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(run())


def test_a_first_look_knows_the_addresses() -> None:
    async def story(lookout: Lookout, world: World) -> None:
        assert lookout.now({}).addresses == world.addresses
        assert lookout.now({}).now == 1000

    look(story)


def test_names_that_are_wanted_are_looked_up() -> None:
    async def story(lookout: Lookout, world: World) -> None:
        lookout.expect(frozenset({"localhost"}), None)
        await world.changed.wait()
        assert "127.0.0.1" in lookout.now({}).names["localhost"]

    look(story)


def test_a_name_that_cannot_be_asked_for_has_no_addresses() -> None:
    """The API takes labels that are longer than DNS knows; looking for one must not end the looking."""
    names = frozenset({"x" * 64 + ".example.com", "localhost"})

    async def story(lookout: Lookout, world: World) -> None:
        lookout.expect(names, None)
        await world.changed.wait()
        found = lookout.now({}).names
        assert found.keys() == names
        assert found["x" * 64 + ".example.com"] == ()
        assert "127.0.0.1" in found["localhost"]

    look(story)


def test_new_addresses_are_noticed_at_the_next_look() -> None:
    async def story(lookout: Lookout, world: World) -> None:
        world.addresses = ("192.0.2.2",)
        lookout.expect(frozenset({"127.0.0.1"}), None)  # any reason to look
        await world.changed.wait()
        assert lookout.now({}).addresses == ("192.0.2.2",)

    look(story)


def test_time_alone_can_be_a_change() -> None:
    async def story(lookout: Lookout, world: World) -> None:
        lookout.expect(frozenset({"127.0.0.1"}), 1001)
        await world.changed.wait()
        world.changed.clear()
        lookout.expect(frozenset(), 1001)
        world.seconds = 1001.0
        await world.changed.wait()

    look(story)


def test_an_api_on_all_addresses_is_no_backend_on_any() -> None:
    async def story(lookout: Lookout, world: World) -> None:
        surroundings = lookout.now({})
        assert ("192.0.2.1", 6443) in surroundings.denied_endpoints
        assert surroundings.reserved_ports == {6443: "the appliance's own API"}
        assert surroundings.pool == (ip_network("192.0.2.0/24"),)

    look(story, own_addresses=(("0.0.0.0", 6443),), pool=(ip_network("192.0.2.0/24"),))
