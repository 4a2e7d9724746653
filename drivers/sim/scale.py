"""A scale that streams or answers, seen from the wire. Pure; no port and no clock of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from drivers.sim.line import Line, poke_line
from drivers.wire import equals, toledo, yaohua_a9, yaohua_a12

MAX_PER_TICK = 50  # readings made up for a tick that came late


class Talk(Enum):
    """What the scale speaks."""

    A9 = "yaohua_a9"
    A9_ASKED = "yaohua_a9_asked"
    A12 = "yaohua_a12"
    A12_ASKED = "yaohua_a12_asked"
    EQUALS = "scale_equals"
    TOLEDO = "toledo"
    TOLEDO_PLAIN = "toledo_plain"  # without the check byte


@dataclass(frozen=True, slots=True)
class Build:
    """How a simulated scale is built. Units: readings a second, grams."""

    talk: Talk = Talk.A9
    rate: int = 10
    places: int = 3
    division_g: int = 5
    capacity_g: int = 30_000
    address: str = "A"

    def __post_init__(self) -> None:
        if not 1 <= self.rate <= 100 or not 0 <= self.places <= 4 or self.division_g < 1 or self.capacity_g < 1:
            raise ValueError("rate must be 1..100, places 0..4, division_g and capacity_g above 0")
        if self.address not in yaohua_a9.ADDRESSES:
            raise ValueError("address must be one capital letter")


class PanScale:
    """The scale. `pan_g` is what lies on it; a restless pan swings by up to `swing_g` about that."""

    def __init__(self, build: Build = Build()) -> None:
        self.build = build
        self.line = Line()
        self.pan_g = 0
        self.swing_g = 0
        self.unit = "kg"
        self.breaks_check = False
        self.is_off = False
        self.sent = 0
        self.asked = 0
        self._dice = random.Random(0)  # noqa: S311  a simulated hand must be repeatable, not secret
        self._next_ms: int | None = None
        self._heard = bytearray()
        self._first_cut = 0

    def receive(self, chunk: bytes) -> list[bytes]:
        """Take bytes from the kiosk; a scale in command mode answers."""
        replies: list[bytes] = []
        for byte in self.line.incoming(chunk):
            self._heard = (self._heard + bytes((byte,)))[-6:]
            if not self.is_off and self._is_question(bytes(self._heard)):
                self.asked += 1
                replies.append(self._frame())
        return self.line.outgoing(chunk, replies)

    def tick(self, now_ms: int) -> list[bytes]:
        """Tell the time; a streaming scale sends what is due."""
        if self._next_ms is None or now_ms - self._next_ms > 1000 * MAX_PER_TICK / self.build.rate:
            self._next_ms = now_ms
        frames = []
        while self._next_ms <= now_ms:
            self._next_ms += 1000 // self.build.rate
            if not self.is_off and not self._answers_only():
                frames.append(self._frame())
        return self.line.outgoing(b"", frames)

    def put(self, grams: int) -> None:
        """Lay this on the pan, instead of what was there."""
        self.pan_g = grams

    def join_at(self, cut: int) -> None:
        """Let the next frame begin in its middle, as a stream looks to one who plugs in late."""
        self._first_cut = cut

    def shown_g(self) -> int:
        """What the instrument shows: rounded to its division."""
        division = self.build.division_g
        return round((self.pan_g + self._dice.randint(-self.swing_g, self.swing_g)) / division) * division

    def state(self) -> dict[str, object]:
        """Everything a test asks for, ready for JSON."""
        return {
            "pan_g": self.pan_g,
            "swing_g": self.swing_g,
            "unit": self.unit,
            "off": self.is_off,
            "sent": self.sent,
            "asked": self.asked,
            "faults": self.line.faults,
        }

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """Move a handle by name. Errors: LookupError, ValueError."""
        match handle, list(args):
            case "state", []:
                pass
            case "put", [grams]:
                self.put(int(grams))
            case "take", []:
                self.put(0)
            case "swing", [grams]:
                self.swing_g = abs(int(grams))
            case "unit", [("kg" | "lb") as unit]:
                self.unit = unit
            case "bad_check", [("on" | "off") as way]:
                self.breaks_check = way == "on"
            case "join_at", [cut]:
                self.join_at(int(cut))
            case (("power_off" | "power_on"), []):
                self.is_off = handle == "power_off"
            case _:
                return poke_line(self.line, handle, args)
        return self.state()

    def _answers_only(self) -> bool:
        return self.build.talk in (Talk.A9_ASKED, Talk.A12_ASKED)

    def _is_question(self, heard: bytes) -> bool:
        if self.build.talk is Talk.A12_ASKED:
            return heard.endswith(yaohua_a12.READ)
        return self.build.talk is Talk.A9_ASKED and heard == yaohua_a9.question(self.build.address, "B")

    def _frame(self) -> bytes:
        self.sent += 1
        self.line.moved()
        frame = _FRAMES[self.build.talk](self)
        if self.breaks_check and len(frame) > 2:
            frame = frame[:-2] + bytes((frame[-2] ^ 1,)) + frame[-1:]
        cut, self._first_cut = self._first_cut, 0
        return frame[cut:]

    def digits(self) -> int:
        """The shown weight as a whole number of its last decimal place."""
        power: int = 10**self.build.places
        return round(self.shown_g() * power / 1000)

    def decimal(self, width: int) -> str:
        """The shown weight in kilograms as text."""
        digits, places = self.digits(), self.build.places
        text = f"{abs(digits):0{places + 1}}"
        text = f"{text[: len(text) - places]}.{text[len(text) - places :]}" if places else text
        return ("-" if digits < 0 else "") + text.rjust(width, "0")


def _a9(scale: PanScale) -> bytes:
    return yaohua_a9.answer(scale.digits(), scale.build.places)


def _a9_asked(scale: PanScale) -> bytes:
    return yaohua_a9.answer(scale.digits(), scale.build.places, scale.build.address, "B")


def _a12(scale: PanScale) -> bytes:
    return yaohua_a12.line(scale.decimal(7), "w", scale.unit)


def _equals(scale: PanScale) -> bytes:
    return equals.segment(scale.decimal(6))


def _toledo(scale: PanScale) -> bytes:
    return toledo.framed(
        toledo.Frame(
            scale.digits(),
            scale.build.places,
            is_moving=scale.swing_g > 0,
            is_over=scale.pan_g > scale.build.capacity_g,
            is_pound=scale.unit == "lb",
        ),
        scale.build.talk is Talk.TOLEDO,
    )


_FRAMES: Mapping[Talk, Callable[[PanScale], bytes]] = {
    Talk.A9: _a9,
    Talk.A9_ASKED: _a9_asked,
    Talk.A12: _a12,
    Talk.A12_ASKED: _a12,
    Talk.EQUALS: _equals,
    Talk.TOLEDO: _toledo,
    Talk.TOLEDO_PLAIN: _toledo,
}
