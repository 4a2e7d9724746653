"""`village-point device locker …`: one cell at a time. Every opened door is authorised and written down first."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

from drivers.base import Device, Locker
from drivers.build import KINDS
from edge import cells, keys
from edge.cli.common import DEVICE, DONE, REFUSED, emit, ended, settings_of
from edge.cli.device_run import config_of, group, named, with_device
from edge.clock import SystemClock, SystemDice
from edge.config import Settings
from edge.flows.doors import Outcome, pulse
from edge.flows.site import Site
from edge.model import CellNo, OperatorId
from edge.setup import begin
from edge.steps.workbench import CellTried, PolarityAsk, PolarityTold
from edge.store import Store, Tx
from edge.workbench import doors

CLI = OperatorId("cli")
T = TypeVar("T")
PROVEN = ("right", "inverted")
OPENED = {
    Outcome.STAYED_CLOSED: "stayed shut: look at lock, wires and the 12 V supply",
    Outcome.UNKNOWN: "may be open or shut: go and look before it is opened again",
    Outcome.NOT_THERE: "was not opened: its lock board is not there",
    Outcome.REFUSED: "was not opened: its lock board refused",
    Outcome.WRONG_DOOR: "stayed shut and another door moved: two locks are wired across",
}
UNPROVEN = "the door was not opened as it should: nothing is proven"
SAID = {
    "right": "the settings are right",
    "inverted": "the settings say the contrary of the truth: write the line below",
    "stuck": "the door opened and its contact did not move: look at the contact and its wires",
    "other": "the contact moved and this door did not: the wires of two locks are swapped",
    "not_opened": "the door stayed shut: nothing is proven",
    "blind": "the board cannot tell this door: nothing is proven",
    "unanswered": "nobody said what the door is: nothing is proven",
}


def add(device: Any) -> None:
    """Add the group `locker`."""
    locker = group(device, "locker", "one cell")
    for action, help_text, run in (
        ("open", "open one empty cell (audited)", _open),
        ("state", "read one door", _state),
        ("commission", "prove the polarity by opening one empty cell (audited)", _commission),
    ):
        parser = named(locker, action, help_text, run)
        parser.add_argument("cell", metavar="CELL", type=int)
        if action == "commission":
            parser.add_argument("--stands", choices=("open", "closed"), help="what the door is after the pulse; "
                                "asked for on the terminal when not given")  # fmt: skip


def _open(arguments: argparse.Namespace) -> int:
    async def work(site: Site) -> Outcome:
        opening = await site.store.run(cells.authorise, CellNo(arguments.cell), "service", None, CLI)
        return await _to_its_end(pulse(site, opening, CellNo(arguments.cell)))

    outcome = _at_site(arguments, work)
    emit({"name": arguments.name, "cell": arguments.cell, "opening": str(outcome)})
    code = DONE if outcome is Outcome.OPEN else DEVICE
    return ended(code, f"device {arguments.name}: cell {arguments.cell} {OPENED.get(outcome, '')}")


async def _to_its_end(pulsing: Coroutine[Any, Any, T]) -> T:
    """Ctrl-C does not leave an opening without its outcome: what has begun is written down, then the command ends."""
    task = asyncio.ensure_future(pulsing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _state(arguments: argparse.Namespace) -> None:
    async def work(device: Device) -> str:
        locker = cast("Locker", device)
        _own(locker, arguments.cell)
        return (await locker.doors())[arguments.cell].value

    emit({"name": arguments.name, "cell": arguments.cell, "door": with_device(arguments, work, "lock")})


def _commission(arguments: argparse.Namespace) -> int:
    config = config_of(settings_of(arguments, only_devices=True), arguments.name)

    runs_with = str(config.options.get("polarity", KINDS[config.kind].options["polarity"].default))

    async def work(site: Site) -> str:
        asking = doors.Asking(CLI, asyncio.Queue(1), arguments.name, runs_with)
        verdict = ""
        async for step in doors.prove_polarity(site, CellNo(arguments.cell), asking):
            match step:
                case PolarityAsk():
                    stands = arguments.stands or await asyncio.to_thread(_asked, arguments.cell)
                    if stands is None:
                        emit(_told(arguments, "unanswered"))
                        return "unanswered"
                    asking.answers.put_nowait(doors.Saw(CellNo(arguments.cell), stands == "open"))
                case PolarityTold():
                    verdict = step.verdict
                    emit(_told(arguments, verdict, step.lines))
                case CellTried() if not verdict and step.stage != "opening":
                    verdict = step.stage
                    emit(_told(arguments, verdict))
        return verdict

    verdict = _at_site(arguments, work)
    code = DONE if verdict in PROVEN else REFUSED if verdict == "unanswered" else DEVICE
    return ended(code, f"device {arguments.name}: cell {arguments.cell}: {SAID.get(verdict, UNPROVEN)}")


def _told(arguments: argparse.Namespace, verdict: str, lines: tuple[str, ...] = ()) -> dict[str, Any]:
    said = SAID.get(verdict, UNPROVEN)
    return {"name": arguments.name, "cell": arguments.cell, "verdict": verdict, "said": said, "write": list(lines)}


def _asked(cell: int) -> str | None:
    """Ask whoever stands there; None when nobody answers."""
    print(f"does the door of cell {cell} stand open now? open or closed:", file=sys.stderr)
    for line in sys.stdin:
        word = line.strip().lower()
        if word in ("open", "closed"):
            return word
        print("open or closed:", file=sys.stderr)
    return None


def _at_site(arguments: argparse.Namespace, work: Callable[[Site], Awaitable[T]]) -> T:
    """Work on the doors of one device with the store open, so that each opening is on the disk before its pulse."""
    settings = settings_of(arguments, only_devices=True)

    async def at_locker(device: Device) -> T:
        locker = cast("Locker", device)
        _own(locker, arguments.cell)
        store = Store(settings.data_dir, SystemClock(), SystemDice(), keys.load(settings))
        store.open()
        try:
            await store.run(_ready, settings, len(locker.cells))
            return await work(Site(store, SystemClock(), locker, None, lambda key, **_: key))
        finally:
            store.close()

    return with_device(arguments, at_locker, "lock")


def _ready(tx: Tx, settings: Settings, count: int) -> None:
    begin(tx, settings)
    if settings.cabinet is None:
        cells.lay_out(tx, "M" * count)


def _own(locker: Locker, cell: int) -> None:
    if cell not in locker.cells:
        raise ValueError(f"cell {cell} is not one of {locker.cells[0]} to {locker.cells[-1]}")
