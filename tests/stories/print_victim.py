"""A terminal with a printer that is killed at a named place, as `victim` is. Run as a program it is a nursery too.

It takes one bill and prints its slip, with the real store, driver and flows against a printer on a pseudo-terminal.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from drivers.link import Link, SerialPort
from drivers.printer import PrinterTiming, SlipPrinter, draw
from drivers.wire.escpos import BAUD, Form
from edge import prints
from edge.clock import SystemClock, SystemDice
from edge.flows import money, printing
from edge.flows.site import CounterDevices, Site
from edge.model import BillId, Fen
from edge.steps import Step
from tests.stories.point import KEYS, OPERATOR, words
from tests.stories.victim import STEPS, Killer, MortalStore, nursery

FAST = PrinterTiming(reply_s=0.5, watch_s=30.0, confirm_s=3.0, look_s=0.3)
ASKED = b"\x10\x04"  # questions about paper and cover move no paper


class MortalPaperPort(SerialPort):
    """Dies before or after each piece of a slip goes out on the wire."""

    killer: Killer

    async def write(self, chunk: bytes) -> int:
        is_slip = not chunk.startswith(ASKED)
        if is_slip:
            self.killer.reach("before_bytes")
        sent = await super().write(chunk)
        if is_slip:
            self.killer.reach("after_bytes")
        return sent


async def live(order: dict[str, Any]) -> None:
    """Take one bill and print what is begun, if nothing kills it before."""
    killer = Killer(order["kind"], order["number"])
    folder = Path(order["folder"])
    MortalStore.killer = MortalPaperPort.killer = killer
    clock = SystemClock()
    store = MortalStore(folder, clock, SystemDice(), KEYS, strict=True)
    store.open()
    printer = SlipPrinter(Link("printer", lambda: MortalPaperPort(order["port"], BAUD)), Form(), FAST)
    site = Site(store, clock, None, None, words)
    site.stand(CounterDevices(printer), "金溪村服务点", "")
    await printer.start()
    await asyncio.sleep(0.1)
    out = os.open(folder / STEPS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def shown(step: Step) -> None:
        os.write(out, f"{type(step).__name__}\n".encode())
        killer.reach("at_step")

    async for step in money.accept(site, BillId(order["bill"]), Fen(order["fen"]), OPERATOR):
        shown(step)
    while not site.prints.empty():
        async for step in printing.play(site, site.prints.get_nowait()):
            shown(step)
    assert await store.run(prints.last, "000001") == prints.DONE


if __name__ == "__main__":
    draw([], Form())  # once, before the children are forked
    nursery(live)
