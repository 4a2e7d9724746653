"""An Onbon font card with its LED panel, seen from the wire. Pure; no port and no clock."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from drivers.sim.line import Line, poke_line
from drivers.wire import onbon, onbon_area


class Led:
    """The card. Dynamic areas live in its memory and are gone after `power_off`."""

    def __init__(self, screen: int = 1) -> None:
        self.line = Line()
        self.screen = screen
        self.areas: dict[int, onbon_area.Area] = {}
        self.is_on = True
        self.brightness = onbon.MAX_BRIGHTNESS
        self.clock: str | None = None
        self.updates = 0
        self.has_power = True
        self.refuses: dict[str, int] = {}  # command -> the error it is answered with
        self._parser = onbon.Parser()

    def receive(self, chunk: bytes) -> list[bytes]:
        """Take bytes from the kiosk; returns the chunks that go back."""
        if not self.has_power:
            return self.line.outgoing(chunk, [])
        replies: list[bytes] = []
        for packet in self._parser.feed(self.line.incoming(chunk)):
            if packet.to in (self.screen, 0xFFFE, onbon.BROADCAST_SILENT):
                answer = self._obey(packet.payload)
                if packet.to != onbon.BROADCAST_SILENT:
                    replies.append(onbon.framed(onbon.Packet(packet.sender, packet.to, answer, packet.device_type)))
        return self.line.outgoing(chunk, replies)

    def tick(self, now_ms: int) -> list[bytes]:  # noqa: ARG002  a card never speaks unasked
        """Tell the time; a card never speaks unasked."""
        return []

    def power_off(self) -> None:
        """Cut the supply: silence, and the memory is gone."""
        self.has_power = False
        self.areas.clear()
        self._parser.reset()

    def power_on(self) -> None:
        """Give power again; the memory stays empty."""
        self.has_power = True

    def shown(self) -> list[str]:
        """The lines people see now; nothing while the LEDs or the supply are off."""
        if not (self.is_on and self.has_power):
            return []
        return [line for _, area in sorted(self.areas.items()) for line in onbon_area.plain(area.text)]

    def state(self) -> dict[str, object]:
        """Everything a test asks for, ready for JSON."""
        return {
            "shown": self.shown(),
            "on": self.is_on,
            "power": self.has_power,
            "brightness": self.brightness,
            "clock": self.clock,
            "updates": self.updates,
            "faults": self.line.faults,
        }

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """Move a handle by name. Errors: LookupError, ValueError."""
        match handle, list(args):
            case "shown", []:
                return self.shown()
            case "state", []:
                pass
            case "refuse", [command, error]:
                self.refuses[command] = int(error)
            case "obey", []:
                self.refuses.clear()
            case "power_off", []:
                self.power_off()
            case "power_on", []:
                self.power_on()
            case _:
                return poke_line(self.line, handle, args)
        return self.state()

    def _obey(self, payload: bytes) -> bytes:
        if len(payload) < 5:
            return onbon.nack(2)
        error = self.refuses.get(onbon.command_name(payload))
        if error is not None:
            return onbon.nack(error)
        rest = payload[5:]
        match payload[0], payload[1]:
            case 0xA2, 0x00:
                pass
            case 0xA2, 0x02:
                return onbon.status_answer(onbon.ScreenStatus(self.is_on, self.brightness, tuple(sorted(self.areas))))
            case 0xA2, 0x03 if len(rest) == 8:
                self.clock = f"{rest[1]:02x}{rest[0]:02x}-{rest[2]:02x}-{rest[3]:02x} {rest[4:7].hex(':')}"
            case 0xA3, 0x00 if rest in (b"\x01", b"\x02"):
                self.is_on = rest == b"\x01"
            case 0xA3, 0x02 if len(rest) == 50:
                self.brightness = rest[1]
            case 0xA3, 0x06:
                return self._update(rest)
            case 0xA3, 0x10:
                self.areas.clear()
            case _:
                return onbon.nack(2)
        return onbon.ack()

    def _update(self, rest: bytes) -> bytes:
        try:
            deleted, put = _split_update(rest)
        except (struct.error, IndexError, ValueError):
            return onbon.nack(2)
        for number in sorted(self.areas) if deleted is None else deleted:
            self.areas.pop(number, None)
        self.areas.update((area.number, area) for area in put)
        self.updates += 1
        self.line.moved()
        return onbon.ack()


def _split_update(rest: bytes) -> tuple[Sequence[int] | None, list[onbon_area.Area]]:
    """Area ids to delete (None: all), and the areas to put up. Errors: IndexError, struct.error, ValueError."""
    deleted = None if rest[0] == 0xFF else rest[1 : 1 + rest[0]]
    at = 1 + len(deleted or b"")
    count, at = rest[at], at + 1
    areas = []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", rest, at)
        area = onbon_area.decode(rest[at + 2 : at + 2 + length])
        if area is None:
            raise ValueError("area cannot be read")
        areas.append(area)
        at += 2 + length
    return deleted, areas
