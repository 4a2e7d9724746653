"""What a device promises: contracts, the values that cross them, and the family of device errors.

No bytes and no ports here: `drivers/wire/` knows bytes, `drivers/link.py` owns ports. Cells are plain numbers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


class DeviceError(Exception):
    """A device does not do what it promises. The technician acts; a flow degrades.

    `device` is the name from the settings, `hint` a short technical reason in English for the log.
    """

    def __init__(self, device: str, hint: str) -> None:
        super().__init__(f"{device}: {hint}")
        self.device = device
        self.hint = hint


class NotThere(DeviceError):
    """The port is absent, taken by another program, or vanished before a byte was sent. Nothing moved.

    Also raised for a lock board that is silent when asked for its doors before the pulse: it then gets no pulse.
    """


class NoAnswer(DeviceError):
    """The device was asked and stayed silent until the time-out."""


class Refused(DeviceError):
    """The device answered that it will not."""


class Garbled(DeviceError):
    """Bytes came that are no frame of this device, also after the retries."""


class WrongDoor(DeviceError):
    """Another door than the commanded one changed during an opening. Nobody goes on; alarm."""

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
    """One line of the device board. `hint` is technical English, never shown to villagers."""

    device: str
    health: Health
    hint: str = ""


class Flaw(Enum):
    """Why a read carries no text. Whoever holds the scanner scans again."""

    OVERLONG = "overlong"  # more characters than any code of the trade
    DAMAGED = "damaged"  # keys were lost, or control keys were typed


@dataclass(frozen=True, slots=True)
class Read:
    """One code as a scanner gave it, or one line of a code with several lines.

    `text` still holds the AIM prefix and control characters; `at_ms` is monotonic milliseconds of its last byte.
    With a `flaw` the text is empty, so that nobody acts on half a code. Lines of one trigger pull share `burst`.
    """

    text: str
    scanner: str
    at_ms: int
    burst: int = 0
    flaw: Flaw | None = None


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
    """A source of codes."""

    def reads(self) -> AsyncIterator[Read]:
        """Yield every code for the life of the device, across unplugging. One consumer only."""


class Locker(Device, Protocol):
    """Doors behind one or several lock boards."""

    cells: Sequence[int]
    has_door_sensor: bool

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


class Display(Device, Protocol):
    """A line of text that people see from afar. It never blocks a flow."""

    def show(self, lines: Sequence[str]) -> None:
        """Put lines up soon; the newest call wins; faults are only visible in `status()`."""
