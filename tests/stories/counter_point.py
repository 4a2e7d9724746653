"""A point with everything at its counter: printer, price display and scale beside the locker, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drivers.panel import PanelDisplay
from drivers.printer import SlipPrinter, draw
from drivers.scale import SerialScale
from drivers.sim.panels import Led8Sim
from drivers.sim.printer import Receipts
from drivers.sim.scale import PanScale
from drivers.wire.escpos import Form
from drivers.wire.led8 import Led8
from drivers.wire.yaohua_a9 import A9
from edge.flows import printing
from edge.flows.site import CounterDevices
from edge.steps import Printing
from tests.links import Pipe, Shape, whole
from tests.stories.point import Fittings, Point
from ui import papers

draw([], Form())  # the library is loaded before virtual time begins: a thread knows no virtual time


class CounterPoint(Point):
    """The handles of its further devices are `paper`, `price` and `pan`; their plugs end in `_plug`."""

    def __init__(self, folder: Path, scale_shape: Shape = whole, seed: int = 1) -> None:
        super().__init__(folder, Fittings(), seed)
        self.paper = Receipts()
        self.price = Led8Sim()
        self.pan = PanScale()
        self.paper_plug = Pipe(self.paper)
        self.price_plug = Pipe(self.price)
        self.pan_plug = Pipe(self.pan, scale_shape)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CounterPoint]:
        """One life of the program, with the task that prints."""
        async with super().running():
            tasks = [
                asyncio.create_task(work) for work in (printing.work(self.site, self.posted.append), self._ticking())
            ]
            await asyncio.sleep(1)
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _build(self) -> None:
        self.printer = SlipPrinter(self.paper_plug.link("printer"), Form())
        self.panel = PanelDisplay(self.price_plug.link("price"), Led8())
        self.scale = SerialScale(self.pan_plug.link("scale"), A9(), self.clock)
        super()._build()
        self.site.say = lambda key, **slots: papers.say(key, "zh", **slots)
        self.site.stand(CounterDevices(self.printer, self.panel, self.scale), "金溪村服务点", "023-79001234")

    def _devices(self) -> list[Any]:
        return [*super()._devices(), self.printer, self.panel, self.scale]

    async def _ticking(self) -> None:
        while True:
            for plug in (self.paper_plug, self.pan_plug):
                plug.tick()
            await asyncio.sleep(0.05)

    def told(self) -> list[str]:
        """What was said of paper, in order."""
        return [step.state for step in self.posted if isinstance(step, Printing)]

    async def last_print(self, slip: str) -> str:
        from edge import prints

        return await self.store.run(prints.last, slip)
