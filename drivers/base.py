"""What a device promises: contracts, the values that cross them, and the family of device errors.

No bytes and no ports here: `drivers/wire/` knows bytes, `drivers/link.py` owns ports. Cells are plain numbers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol, runtime_checkable

from drivers.faults import Fault


class DeviceError(Exception):
    """A device does not do what it promises. The technician acts; a flow degrades.

    `device` is the name from the settings, `hint` a short technical reason in English for the log. `fault` is what
    was seen; each class has its own unless told otherwise.
    """

    usual = Fault.PORT_ERROR

    def __init__(self, device: str, hint: str, fault: Fault | None = None) -> None:
        super().__init__(f"{device}: {hint}")
        self.device = device
        self.hint = hint
        self.fault = fault or self.usual


HELD = "another program holds the port"  # the hint of a port that is there and taken


class NotThere(DeviceError):
    """The port is absent, taken by another program, or vanished before a byte was sent. Nothing moved.

    Also raised for a lock board that is silent when asked for its doors before the pulse: it then gets no pulse.
    """


class NoAnswer(DeviceError):
    """The device was asked and stayed silent until the time-out."""

    usual = Fault.SILENT


class Refused(DeviceError):
    """The device answered that it will not."""

    usual = Fault.REFUSED


class Garbled(DeviceError):
    """Bytes came that are no frame of this device, also after the retries."""

    usual = Fault.GARBLED


class WrongDoor(DeviceError):
    """Another door than the commanded one changed during an opening. Nobody goes on; alarm."""

    usual = Fault.WRONG_DOOR

    def __init__(self, device: str, commanded: int, moved: Sequence[int]) -> None:
        super().__init__(device, f"commanded cell {commanded}, but {sorted(moved)} moved")
        self.commanded = commanded
        self.moved = tuple(sorted(moved))


class Door(Enum):
    """What is known of a door. UNKNOWN is an answer of its own: never read it as open or as closed."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Opening(Enum):
    """Outcome of one pulse. The pulse is never repeated by a driver, whatever the outcome."""

    OPEN = "open"  # the board said so, and the sensor of that cell too where there is one
    STAYED_CLOSED = "stayed_closed"  # the board answered and the sensor says closed
    UNKNOWN = "unknown"  # pulsed, but nobody can tell


class Health(Enum):
    """How a device is, as its driver sees it."""

    OK = "ok"
    DEGRADED = "degraded"  # reachable, but with errors lately
    AWAY = "away"  # port absent or silent; being retried in the background


@dataclass(frozen=True, slots=True)
class Status:
    """One line of the device board. `hint` is technical English, never shown to villagers.

    `fault` says what was seen, also of a device that works; None: nothing to tell. `where` numbers what it is about,
    as `Fault` says: boards by their place in the cabinet, or cells.
    """

    device: str
    health: Health
    hint: str = ""
    fault: Fault | None = field(default=None, kw_only=True)
    where: tuple[int, ...] = field(default=(), kw_only=True)


class Flaw(Enum):
    """Why a read carries no text. Whoever holds the scanner scans again."""

    OVERLONG = "overlong"  # more characters than any code of the trade
    DAMAGED = "damaged"  # keys were lost, or control keys were typed


class TimeQuality(Enum):
    """What `Read.at_ms` says."""

    LIVE = "live"  # somebody pulled the trigger then
    UPLOAD = "upload"  # the gun emptied its memory then; nobody knows when the code was scanned


@dataclass(frozen=True, slots=True)
class Read:
    """One code as a scanner gave it, or one line of a code with several lines.

    `text` still holds the AIM prefix and control characters; `at_ms` is monotonic milliseconds of its last byte.
    With a `flaw` the text is empty, so that nobody acts on half a code. Lines of one trigger pull share `burst`.
    `scanner` is the name from the settings, or "name/gun" for one of several guns behind one dongle.
    For the technician: `took_ms` from the first to the last byte or key, None when unknown; `ended` is the sign that
    ended it, empty for a pause or a frame. Neither makes two reads different.
    """

    text: str
    scanner: str
    at_ms: int
    burst: int = 0
    flaw: Flaw | None = None
    time_quality: TimeQuality = TimeQuality.LIVE
    took_ms: int | None = field(default=None, compare=False)
    ended: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a gun had in its memory, in the order of scanning. Nobody stands there: no beep, no door, no print per code.

    Codes of an earlier upload that came again are left out and counted in `repeated`; the same code may well be twice
    in one upload. `live` codes at the head of `reads` also came as live reads, before it was seen that this is an
    upload. `announced` is how many codes the gun said it would send, None when it said nothing. Not `is_whole`: it
    broke off, or the gun says that it keeps its memory, so the same codes will come again.
    """

    scanner: str
    reads: tuple[Read, ...]
    repeated: int = 0
    live: int = 0
    announced: int | None = None
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class DoorChanged:
    """A door moved, whether commanded or not. `commanded` tells which."""

    cell: int
    door: Door
    commanded: bool


class Clock(Protocol):
    """The time, as drivers need it."""

    def ms(self) -> int:
        """Monotonic milliseconds."""

    def local(self) -> datetime:
        """Local wall time, to set the clocks of devices."""


class Device(Protocol):
    """What all devices share. `open_port` never raises for an absent device: it is retried in the background."""

    name: str

    async def start(self) -> None:
        """Take the port and start background tasks; return at once even when the device is away."""

    async def stop(self) -> None:
        """Release the port and end all tasks within 2 s. Safe to call twice."""

    def status(self) -> Status:
        """Tell how the device is, from what was last seen. Never blocks."""


class Scanner(Device, Protocol):
    """A source of codes. A gun that cannot beep or be triggered from here does nothing when told to."""

    can_signal: bool
    can_trigger: bool

    def reads(self) -> AsyncIterator[Read]:
        """Yield every live code for the life of the device, across unplugging. One consumer only."""

    def batches(self) -> AsyncIterator[Batch]:
        """Yield what guns upload from their memory, bounded to 16. One consumer only."""

    async def signal(self, accepted: bool) -> None:
        """Beep "accepted" or "refused" at the hand that scanned. Never raises; done or given up after a few seconds."""

    async def trigger(self, on: bool) -> None:
        """Pull or let go of the trigger from here. Errors: NotThere, NoAnswer, Refused."""


class Locker(Device, Protocol):
    """Doors behind one or several lock boards. `has_door_sensor`: every door is seen; `senses` tells of one."""

    cells: Sequence[int]
    has_door_sensor: bool

    def senses(self, cell: int) -> bool:
        """Tell whether the door of this cell is seen by a sensor. Errors: ValueError for a cell that is not ours."""

    async def open(self, cell: int) -> Opening:
        """Pulse one door exactly once and tell what is known of it.

        Errors: NotThere (no pulse was sent), Refused (board refused, no pulse), WrongDoor (another door moved),
                ValueError for a cell that is not ours (a bug of the caller).
        """

    async def doors(self) -> Mapping[int, Door]:
        """Ask the state of every door. Errors: NotThere, NoAnswer, Garbled."""

    async def until_closed(self, cell: int, timeout_s: float) -> Door:
        """Wait until the door is closed: CLOSED, OPEN (time is over), or UNKNOWN (board silent or no sensor)."""

    def changes(self) -> AsyncIterator[DoorChanged]:
        """Yield door movements for the life of the device, bounded to the newest 256. One consumer only."""


@runtime_checkable
class ItemSensors(Protocol):
    """What a locker may have besides: sensors that see whether something lies in a cell."""

    async def items(self) -> Mapping[int, bool]:
        """Tell in which cells something lies; a cell the boards cannot tell is left out. Errors: as `doors`."""


class Display(Device, Protocol):
    """A line of text that people see from afar. It never blocks a flow."""

    def show(self, lines: Sequence[str]) -> None:
        """Put lines up soon; the newest call wins; faults are only visible in `status()`."""


@runtime_checkable
class Dimmable(Protocol):
    """A display whose brightness can be told to it."""

    def light(self, percent: int | None) -> None:
        """Hold this brightness soon: 0 is dark, 100 the brightest; None goes back to what the settings say."""


class Lamp(Enum):
    """What an amount on a price display is. Displays without lamps show the amount alone."""

    NONE = 0
    PRICE = 1
    TOTAL = 2
    RECEIVED = 3
    CHANGE = 4


class PriceDisplay(Display, Protocol):
    """A display for amounts of money; of other text it shows what its few signs allow."""

    def price(self, fen: int, lamp: Lamp) -> None:
        """Put an amount up soon instead of lines; the newest call of `price` and `show` wins. Unit: 1/100 yuan."""


@dataclass(frozen=True, slots=True)
class Weight:
    """One reading of a scale. `grams` counts from the tare of `Scale.tare`; `at_ms` is monotonic.

    `is_over` and `is_moving` are what the scale itself says; many scales say neither. `is_net`: tared, by whomever.
    """

    grams: int
    at_ms: int
    is_moving: bool = False
    is_net: bool = False
    is_over: bool = False


class Tone(Enum):
    """What the counter has to say without words."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Speaker(Device, Protocol):
    """Two tones at the counter. Whether anybody hears them, nobody can tell from here."""

    async def sound(self, wanted: Sequence[Tone]) -> None:
        """Sound these, one after another. Errors: NotThere, NoAnswer."""

    async def signal(self, accepted: bool) -> None:
        """Sound "taken" or "refused" soon. Never raises; what would come too late is left out."""


class Settled(Enum):
    """How a weighing ended. All but WEIGHED are for whoever stands at the scale."""

    WEIGHED = "weighed"
    EMPTY = "empty"  # nothing lies on the pan
    SAME_LOAD = "same_load"  # what was weighed before still lies there
    RESTLESS = "restless"  # it never stood still
    OVERLOAD = "overload"


@dataclass(frozen=True, slots=True)
class Weighing:
    """Outcome of `Scale.weigh`. `grams` is None unless WEIGHED; `load` counts the loads of this scale since start."""

    outcome: Settled
    grams: int | None = None
    is_net: bool = False
    load: int = 0


class Scale(Device, Protocol):
    """A scale for parcels and produce."""

    def weight(self) -> Weight | None:
        """The newest reading; None when there was none within the last second. Never blocks."""

    def weights(self) -> AsyncIterator[Weight]:
        """Yield readings for the life of the device, bounded to the newest 64. One consumer only."""

    async def weigh(self, timeout_s: float, again: bool = False) -> Weighing:
        """Wait for a load at rest that was not weighed before, and weigh it once.

        A load is new when the pan was empty since the last weighing, or when it weighs otherwise. What lies there at
        the first call is new. `again` accepts a load that was weighed before.
        Errors: NotThere, NoAnswer (silent to the end), Garbled, Refused (a unit or mode that is not weighed with).
        """

    async def tare(self, timeout_s: float) -> Weighing:
        """Count from the load at rest on the pan (a box) as zero until the next `tare`; an empty pan ends it.

        Errors: as `weigh`.
        """
