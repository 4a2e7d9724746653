"""The first people of a point that is set up on its screen: a technician's PIN, then an operator's, then no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from edge import guard
from edge.flows.site import Site
from edge.model import Rejected
from edge.steps import Checking, Step
from edge.steps.wizard import FirstPin, PinTaken


async def first_pin(site: Site, device_key: bytes, intent: FirstPin) -> AsyncIterator[Step]:
    """Give the PIN whose turn it is. Errors: Rejected not_allowed when it is nobody's, weak_pin, pin_taken."""
    yield Checking()
    role = await site.store.run(guard.next_first)
    if role is None or role.value != intent.role:
        raise Rejected("not_allowed")
    guard.check_pin_form(intent.pin)
    people = await site.store.run(guard.operators)
    loop = asyncio.get_running_loop()
    if await loop.run_in_executor(None, guard.whose, people, intent.pin, device_key) is not None:
        raise Rejected("pin_taken")
    hashed = await loop.run_in_executor(None, guard.hash_pin, intent.pin, device_key)
    await site.store.run(guard.add_first, role, hashed)
    left = await site.store.run(guard.next_first)
    yield PinTaken("" if left is None else left.value)
