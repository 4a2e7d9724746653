"""A terminal that is killed at a named place. Run as a program it is a nursery: it forks one victim per line of JSON.

The victim plays one operation with the real store, driver and flows against a board on a pseudo-terminal, and sends
itself SIGKILL: nothing is flushed, nothing is said. What it had shown to people by then stands in its steps file.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

from drivers.link import Link, SerialPort
from drivers.lock_bus import Timing
from drivers.locker import BoardLocker, Cabinet
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import BAUD, Board8A80
from edge.clock import SystemClock, SystemDice
from edge.flows import doors, intake, money, pickup
from edge.flows.site import Site, Times
from edge.model import BillId, Fen, PickupCode, PickupToken, WaybillNo
from edge.steps import FetchFromShelf, PutIn, Step, TakeParcel
from edge.store import Store
from tests.stories.point import KEYS, OPERATOR, PHONE, arrival, words

FAST = Timing(reply_s=0.5, gap_s=0.002, settle_s=1.0, poll_s=0.02, watch_s=0.3)
WAITING_S = 0.05  # into the wait for a person
STEPS = "steps"


class Killer:
    """Counts what happens and kills at the so-manyth of one kind."""

    def __init__(self, kind: str, number: int) -> None:
        self._kind = kind
        self._left = number

    def reach(self, kind: str) -> None:
        if kind == self._kind:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class MortalStore(Store):
    """Dies before or after a commit."""

    killer: Killer

    def _once(self, fn: Any, *args: Any, **kwargs: Any) -> tuple[Any, int]:
        def dying(tx: Any, *fn_args: Any, **named: Any) -> Any:
            result = fn(tx, *fn_args, **named)
            self.killer.reach("before_commit")
            return result

        done = super()._once(dying, *args, **kwargs)
        self.killer.reach("after_commit")
        return done


class MortalPort(SerialPort):
    """Dies before or after a pulse goes out on the wire."""

    killer: Killer

    async def write(self, chunk: bytes) -> int:
        if chunk[0] == 0x8A:
            self.killer.reach("before_pulse")
        sent = await super().write(chunk)
        if chunk[0] == 0x8A:
            self.killer.reach("after_pulse")
        return sent


async def _by_code(site: Site, order: dict[str, Any]) -> AsyncIterator[Step]:
    found = await pickup.identify(site, PickupCode(order["code"]), PHONE[-4:])
    async for step in pickup.collect(site, found, "code"):
        yield step


async def _by_token(site: Site, order: dict[str, Any]) -> AsyncIterator[Step]:
    found = await pickup.identify_token(site, PickupToken(order["token"]))
    async for step in pickup.collect(site, found, "token"):
        yield step


OPERATIONS: dict[str, Callable[[Site, dict[str, Any]], AsyncIterator[Step]]] = {
    "deposit": lambda site, _order: intake.take_in(site, arrival()),
    "by_code": _by_code,
    "by_token": _by_token,
    "bill": lambda site, order: money.accept(site, BillId(order["bill"]), Fen(order["fen"]), OPERATOR),
    "start": lambda site, _order: money.show_unseen(site),
}


async def live(order: dict[str, Any]) -> None:
    """Play one operation to its end, if nothing kills it before."""
    killer = Killer(order["kind"], order["number"])
    folder = Path(order["folder"])
    MortalStore.killer = MortalPort.killer = killer
    clock = SystemClock()
    store = MortalStore(folder, clock, SystemDice(), KEYS, strict=True)
    store.open()
    link = Link("locker", lambda: MortalPort(order["port"], BAUD))
    wired = Cabinet(order["cells"], Polarity.SHORT_WHEN_LOCKED, order["has_door_sensor"])
    locker = BoardLocker(link, Board8A80(), wired, clock, FAST)
    site = Site(store, clock, locker, None, words, Times(take_s=20, put_s=20, fetch_s=20))
    await locker.start()
    watch = asyncio.create_task(_watch(site, locker))
    out = os.open(folder / STEPS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    async for step in OPERATIONS[order["operation"]](site, order):
        os.write(out, f"{type(step).__name__}\n".encode())
        killer.reach("at_step")
        if isinstance(step, PutIn | TakeParcel | FetchFromShelf):
            asyncio.get_running_loop().call_later(WAITING_S, killer.reach, "waiting")
        if isinstance(step, FetchFromShelf):
            asyncio.get_running_loop().call_later(3 * WAITING_S, site.scans.put_nowait, WaybillNo(order["waybill"]))
    watch.cancel()


async def _watch(site: Site, locker: BoardLocker) -> None:
    async for change in locker.changes():
        await doors.moved(site, change)


def nursery(live: Callable[[dict[str, Any]], Coroutine[Any, Any, None]] = live) -> None:
    """Fork one victim per line and tell how it ended: the number of the signal, 0 for a life lived to its end."""
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                asyncio.run(asyncio.wait_for(live(json.loads(line)), 30))
                code = 0
            finally:
                os._exit(code)  # no clean close, in no case
        _, status = os.waitpid(child, 0)
        print(json.dumps({"signal": os.WTERMSIG(status), "code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    nursery()
