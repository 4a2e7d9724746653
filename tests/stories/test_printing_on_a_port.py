"""The same slips through a real pseudo-terminal and in real time: a printer that fails in the middle of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.ports import link_to
from drivers.printer import PrinterTiming, SlipPrinter
from drivers.sim.host import Host, Terminal
from drivers.sim.printer import Receipts
from drivers.wire.escpos import BAUD, Form
from edge.flows import money, printing
from edge.flows.site import CounterDevices
from edge.model import BillId, BillState, Fen
from edge.steps import Printing
from tests.stories.counter_point import CounterPoint
from tests.stories.point import OPERATOR

QUICK = PrinterTiming(reply_s=0.2, watch_s=0.2, confirm_s=2.0, look_s=0.1)
IN_MID_SLIP = 5  # lines printed before it happens


class Fragile(Receipts):
    """A printer to which something happens after so many lines."""

    def __init__(self, act: Callable[[Fragile], None]) -> None:
        super().__init__()
        self._act = act
        self._is_whole = True

    def _print(self, text: str) -> None:
        super()._print(text)
        if self._is_whole and len(self.on_paper) == IN_MID_SLIP:
            self._is_whole = False
            self._act(self)


ACTS: dict[str, Callable[[Fragile], None]] = {
    "paper": lambda sim: sim.poke("paper_out", []),
    "cover": lambda sim: sim.poke("cover_open", []),
    "power": lambda sim: sim.power_off(),
    "cable": lambda sim: sim.unplug(),  # type: ignore[attr-defined]
}


def mended(sim: Fragile, port: Terminal) -> None:
    port.replug()
    sim.poke("new_roll", [])
    sim.poke("cover_close", [])
    sim.power_off()  # whoever mends it switches it off: what waited in it is gone
    sim.on_paper = []
    sim.poke("power_on", [])


@pytest.mark.parametrize("what", ACTS)
def test_what_breaks_off_in_mid_slip_is_unknown_and_printed_again_as_a_copy(tmp_path: Path, what: str) -> None:
    sim = Fragile(ACTS[what])
    port = Terminal("printer", sim, tmp_path / "port")
    sim.unplug = lambda: asyncio.get_running_loop().call_soon(port.unplug)  # type: ignore[attr-defined]
    point = CounterPoint(tmp_path / "data")

    async def story() -> None:
        host = Host([port], None)
        await host.start()
        try:
            async with point.running():
                printer = SlipPrinter(link_to("printer", str(port.path), BAUD), Form(), QUICK)
                await printer.start()
                point.site.stand(CounterDevices(printer), "金溪村服务点", "")
                await asyncio.sleep(1)
                bill = await point.billed()
                await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR))
                assert await ends(point, 1) == "unknown"
                assert (await point.bill(BillId(bill))).state is BillState.ACCEPTED
                mended(sim, port)
                await asyncio.sleep(1.5)
                await printing.again(point.site, "000001", OPERATOR)
                assert await ends(point, 2) == "done"
                assert "补打 第 1 次" in " ".join(sim.slips[-1])
                assert sim.slips[-1][-1] == "[128 000001]"
                await printer.stop()
                await point.sound()
        finally:
            await host.stop()

    asyncio.run(story())


async def ends(point: CounterPoint, count: int) -> str:
    """How the so-manyth print ended."""
    async with asyncio.timeout(20):
        while True:
            ended = [step for step in point.posted if isinstance(step, Printing) and step.state != "printing"]
            if len(ended) >= count:
                return ended[count - 1].state
            await asyncio.sleep(0.02)
