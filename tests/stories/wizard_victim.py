"""A terminal that is killed at a named place of the commissioning. Run as a program it is a nursery, as victim.py is.

It goes through four steps with the real store, driver and wizard, on a board on a pseudo-terminal, and ends the run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from drivers.link import Link
from drivers.locker import BoardLocker, Cabinet
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import BAUD, Board8A80
from edge.clock import SystemClock, SystemDice
from edge.flows.site import Site, Times
from edge.model import CellNo, OperatorId
from edge.steps import CheckupBoard
from edge.steps import wizard as z
from edge.workbench.wizard import Wizard, WizardKit
from tests.stories.point import KEYS, words
from tests.stories.victim import FAST, STEPS, Killer, MortalPort, MortalStore, nursery

PLAN = ("scan:gun", "door:locker", "touch", "hub")
TECHNICIAN = OperatorId("t-1")
MISSES = ((1, 2), (3, 4), (0, 0), (5, 6), (7, 8))
ASKED: tuple[z.WizardIntent, ...] = (
    z.OpenWizard(),
    z.SkipStep("scan:gun", "not_installed"),
    z.TryDoor("door:locker", CellNo(1), "any"),
    z.TouchTold("touch", 5, MISSES),
    z.SkipStep("hub", "no_time"),
    z.EndWizard(),
)


def kit() -> WizardKit:
    """A wizard of one locker."""

    async def well() -> CheckupBoard:
        return CheckupBoard((), "")

    async def nowhere(_head: object, _record: object) -> str:
        return "off"

    board = ("locker", "short_when_locked")
    return WizardKit(PLAN, "0.1.0", "7KQ2-M0XD", {}, SystemDice(), lambda _cell: board, lambda: True, well, nowhere)


async def _anybody(_pin: str) -> OperatorId:
    return TECHNICIAN


def wizard_of(site: Site) -> Wizard:
    """The wizard, with a technician before it."""
    return Wizard(site, kit(), lambda: TECHNICIAN, _anybody)


async def live(order: dict[str, Any]) -> None:
    """Go through all of it, if nothing kills before."""
    killer = Killer(order["kind"], order["number"])
    folder = Path(order["folder"])
    MortalStore.killer = MortalPort.killer = killer
    clock = SystemClock()
    store = MortalStore(folder, clock, SystemDice(), KEYS, strict=True)
    store.open()
    link = Link("locker", lambda: MortalPort(order["port"], BAUD))
    wired = Cabinet(order["cells"], Polarity.SHORT_WHEN_LOCKED, True)
    locker = BoardLocker(link, Board8A80(), wired, clock, FAST)
    site = Site(store, clock, locker, None, words, Times())
    site.code = "QJ-0001"
    await locker.start()
    wizard = wizard_of(site)
    out = os.open(folder / STEPS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for intent in ASKED:
        async for step in wizard.handle(intent):
            os.write(out, f"{type(step).__name__}\n".encode())
            killer.reach("at_step")
            if isinstance(step, z.WizardNow) and step.stage == "eyes":
                await _say(wizard, step)


async def _say(wizard: Wizard, asked: z.WizardNow) -> None:
    async for _ in wizard.handle(z.SayStep(asked.step, "yes")):
        pass


if __name__ == "__main__":
    nursery(live)
