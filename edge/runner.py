"""Runs intents one after another and posts their steps; the one place where an exception becomes a screen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar
from zlib import crc32

from edge.desk import Desk
from edge.flows.site import Site
from edge.logs import signature
from edge.model import ParcelId, Rejected
from edge.steps import (
    AcceptBill,
    CallHelp,
    CancelDeposit,
    CancelFlow,
    Closed,
    DoorIsShut,
    FetchFromShelf,
    FindBill,
    HandOver,
    Intent,
    Login,
    Logout,
    PickUp,
    PutIn,
    Refusal,
    Remind,
    Scanned,
    Search,
    SetIntakeTarget,
    ShowAmount,
    ShowBoard,
    Step,
    TakeParcels,
    Trouble,
)
from edge.steps.wizard import (
    EndWizard,
    LeaveWizard,
    OpenWizard,
    PrintRecord,
    SaveRecord,
    SayStep,
    ShowRecord,
    SkipStep,
    TouchTold,
    TryStep,
)
from edge.steps.workbench import CloseTool, OpenTool, SawDoor, TareScale, TryDisplay, TryPrinter
from edge.store import StoreFault

log = logging.getLogger(__name__)

QUEUE = 64  # a gun at 3 codes a second for 20 s while a door stands open
ASIDE = 8  # short answers that do not wait for the flow at the door
OF_THE_WIZARD = (
    OpenWizard, TryStep, SayStep, TouchTold, SkipStep, EndWizard, LeaveWizard, ShowRecord, PrintRecord, SaveRecord,
)  # fmt: skip
WAITS = (FetchFromShelf, Refusal)  # a flow that waits for a scan can be given up; all others end by themselves,
# and a commit that is under way must be followed by its step: cash is taken, so the slip comes. A log-in ends as well:
# its answer must not open the staff's pages to whoever stands there by then
IN_PERSON = (PickUp, TakeParcels, FindBill, AcceptBill, Login)  # void once whoever asked has left before their turn


class Runner:
    """Owned by the io thread. `submit` takes intents; `run` is the task that works them off."""

    def __init__(self, desk: Desk, site: Site, post: Callable[[Step], None]) -> None:
        self._desk = desk
        self._site = site
        self._post = post
        self._waiting: asyncio.Queue[Intent] = asyncio.Queue(QUEUE)
        self._flow: asyncio.Task[None] | None = None
        self._doing: Intent | None = None  # what the flow is about
        self._last: Step | None = None
        self._put_in: ParcelId | None = None  # for which parcel a door was opened last
        self._flooded = False
        self._aside: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        return self._flow is not None or not self._waiting.empty()

    @property
    def scanner(self) -> str:
        """Which gun's code the step just posted is about; "" for the gun that read last, as at the shelf's page."""
        return self._doing.scanner if isinstance(self._doing, Scanned) and not isinstance(self._last, WAITS) else ""

    def submit(self, intent: Intent) -> None:
        """Take an intent: to the flow that waits for it, or behind the others. Never blocks."""
        match intent:
            case Scanned() if isinstance(self._last, WAITS):
                for number in self._desk.waybills(intent.text)[:1]:
                    _offer(self._site.scans, number)
            case CancelFlow():
                self._forget()
                if self._flow is not None and (
                    isinstance(self._last, WAITS)
                    or isinstance(self._doing, Login)
                    or self._desk.is_asking(self._flow, self._doing)
                ):
                    self._flow.cancel()
                if isinstance(self._doing, Login):
                    self._desk.counter.log_out()  # it may already be at the pages that come after
            case CancelDeposit() if isinstance(self._last, PutIn | Remind) and intent.parcel == self._put_in:
                self._site.gave_up.set()
            case DoorIsShut():
                _offer(self._site.shut, intent.cell)
            case CallHelp() | ShowBoard() | Search() | Logout() | SetIntakeTarget() | ShowAmount() if (
                len(self._aside) < ASIDE
            ):
                self._put_aside(intent)
            case _ if isinstance(intent, OF_THE_WIZARD) and len(self._aside) < ASIDE:
                self._put_aside(intent)
            case OpenTool() | CloseTool() | TryDisplay() | TryPrinter() | TareScale() | SawDoor() if (
                len(self._aside) < ASIDE
            ):
                self._put_aside(intent)
            case _:
                fits = _offer(self._waiting, intent)
                if not fits and not self._flooded:  # one line for a flood: a thousand would push the others out
                    log.warning("more intents than a person can mean: the last are dropped")
                self._flooded = not fits

    def _forget(self) -> None:
        """Whoever waited for the flow before has gone: no door opens for nobody. What a gun reads on stays."""
        for _ in range(self._waiting.qsize()):
            intent = self._waiting.get_nowait()
            if not _is_void(intent):
                self._waiting.put_nowait(intent)

    def _put_aside(self, intent: Intent) -> None:
        task = asyncio.create_task(self._play(intent, aside=True), name=f"aside {type(intent).__name__}")
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def run(self) -> None:
        while True:
            self._doing = intent = await self._waiting.get()
            self._flow = asyncio.create_task(self._play(intent), name=f"flow {type(intent).__name__}")
            try:
                await asyncio.shield(self._flow)
            except asyncio.CancelledError:
                if not self._flow.cancelled():  # not the flow was cancelled but this task: the program stops
                    self._flow.cancel()
                    await asyncio.gather(self._flow, return_exceptions=True)
                    raise
            finally:
                self._flow = self._doing = None

    async def _play(self, intent: Intent, *, aside: bool = False) -> None:
        try:
            async for step in self._desk.handle(intent):
                if not aside:
                    self._last = step
                    self._put_in = step.parcel.id if isinstance(step, PutIn) else self._put_in
                self._post(step)
        except Rejected as refusal:
            log.info("refused: %s", refusal.code)
            facts = {key: value for key, value in refusal.facts.items() if isinstance(value, int | str)}
            self._post(Refusal(refusal.code, facts))
        except StoreFault as fault:
            log.critical("store: %s", fault)
            self._post(Closed(fault.code))
        except Exception as error:  # the top of a flow: a bug ends the flow, not the kiosk
            number = f"{crc32(signature(error).encode()) % 10_000:04d}"  # the same bug has the same number everywhere
            log.exception("error %s", number)
            self._post(Trouble(number))
        finally:
            if not aside:
                self._last = None


def _is_void(intent: Intent) -> bool:
    match intent:
        case Scanned():
            return not intent.screen.startswith(("intake", "handover"))
        case HandOver():
            return bool(intent.pin)  # a door; what was given over the counter has left whatever page is open
    return isinstance(intent, IN_PERSON)


T = TypeVar("T")


def _offer(queue: asyncio.Queue[T], item: T) -> bool:
    try:
        queue.put_nowait(item)
    except asyncio.QueueFull:
        return False
    return True
