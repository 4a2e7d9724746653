"""What a flow needs of its point: store, devices as contracts, words for the display, and the times it may take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.base import Display, Locker, PriceDisplay, Scale, Speaker
from drivers.paper import Printer
from edge.clock import Clock
from edge.flows.price_board import PriceBoard
from edge.model import CellNo, WaybillNo
from edge.prints import Run
from edge.slips import Letterhead
from edge.store import Store
from edge.unsteady import Movements


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that people get. Sources: architecture 6 (45, 60, 30) and the policy table (door_open_alarm_s 60)."""

    take_s: float = 45.0  # villager: take the parcel and shut the door
    put_s: float = 60.0  # operator: put the parcel in and shut the door
    fetch_s: float = 180.0  # operator: fetch a parcel from the shelf and scan it
    grant_s: float = 120.0  # villager: choose among several parcels
    wrong_parcel_s: float = 4.0  # how long "wrong parcel" stays up before the flow goes on
    weigh_s: float = 8.0  # operator: lay the goods on the pan and let go
    print_s: float = 90.0  # one slip: a printer that answers slowly gets all its own time-outs, and no more


@dataclass(frozen=True, slots=True)
class CounterDevices:
    """What stands at the counter beside doors, scanners and the street's display; None for what this point has not."""

    printer: Printer | None = None
    price: PriceDisplay | None = None
    scale: Scale | None = None
    speaker: Speaker | None = None


@dataclass(slots=True)
class Site:
    """Everything a flow may touch. `door` lets one door move at a time: villagers must not stand before two."""

    store: Store
    clock: Clock
    locker: Locker | None
    display: Display | None
    say: Callable[..., str]  # (key, **slots) -> words in the language of the point
    times: Times = field(default_factory=Times)
    door: asyncio.Lock = field(default_factory=asyncio.Lock)
    scans: asyncio.Queue[WaybillNo] = field(
        default_factory=lambda: asyncio.Queue(8)
    )  # for a flow that waits for a scan
    shut: asyncio.Queue[CellNo] = field(default_factory=lambda: asyncio.Queue(8))  # "the door is shut" by a person
    gave_up: asyncio.Event = field(default_factory=asyncio.Event)  # the operator cancels the deposit at the open door
    settled: asyncio.Event = field(default_factory=asyncio.Event)  # set when `reconcile` has looked at every door
    forced: dict[int, Movements] = field(default_factory=dict)  # cell -> how often its door moved unasked
    counter: CounterDevices = field(default_factory=CounterDevices)
    code: str = ""  # of the point, as the hub knows it
    name: str = ""  # of the point, and its telephone: the head of every slip
    phone: str = ""
    prints: asyncio.Queue[Run] = field(default_factory=lambda: asyncio.Queue(8))  # slips on their way to the printer
    price_board: PriceBoard = field(init=False)
    tare_g: int = 0  # what the scale counts as zero; it forgets that when it stops, and so does this
    weighed: tuple[int, str] | None = None  # the scale's number of the load weighed last, and its ticket

    def __post_init__(self) -> None:
        self.price_board = PriceBoard(self.counter.price, self.say)

    def stand(self, counter: CounterDevices, name: str, phone: str) -> None:
        """Set up the counter: its devices, and what heads the slips."""
        self.counter, self.name, self.phone = counter, name, phone
        self.price_board = PriceBoard(counter.price, self.say)

    @property
    def letterhead(self) -> Letterhead:
        return Letterhead(self.say, self.name, self.phone)

    def announce(self, key: str, **slots: str | int) -> None:
        """Put a line on the display, if there is one. Never waits, never fails."""
        if self.display is not None:
            self.display.show([self.say(key, **slots)])
