"""Customer displays and digit displays, seen from the wire: what people read on them. Pure; no port and no clock."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivers.sim.line import Line, poke_line
from drivers.wire import alpha, armfly
from drivers.wire.onbon import crc16

MAX_BUFFER = 256
LAMPS = ("none", "price", "total", "received", "change")


class PanelSim:
    """What all of them have: a cable, a plug for power, and lines that people see. A subclass reads the bytes."""

    def __init__(self) -> None:
        self.line = Line()
        self.has_power = True
        self.updates = 0
        self.rows: list[str] = []
        self._buffer = bytearray()

    def receive(self, chunk: bytes) -> list[bytes]:
        """Take bytes from the kiosk; returns the chunks that go back."""
        heard = self.line.incoming(chunk)
        if not self.has_power:
            return self.line.outgoing(chunk, [])
        self._buffer += heard
        replies: list[bytes] = []
        while self._buffer:
            taken = self._obey(bytes(self._buffer), replies)
            if taken == 0:
                break
            del self._buffer[:taken]
        del self._buffer[:-MAX_BUFFER]
        return self.line.outgoing(chunk, replies)

    def tick(self, now_ms: int) -> list[bytes]:  # noqa: ARG002  a display never speaks unasked
        """Tell the time; a display never speaks unasked."""
        return []

    def power_off(self) -> None:
        """Cut the supply: dark, and everything is forgotten."""
        self.has_power = False
        self._buffer.clear()
        self._forget()

    def power_on(self) -> None:
        """Give power again."""
        self.has_power = True

    def shown(self) -> list[str]:
        """What people read now."""
        return [row.strip() for row in self.rows if row.strip()] if self.has_power else []

    def state(self) -> dict[str, object]:
        """Everything a test asks for, ready for JSON."""
        return {
            "shown": self.shown(),
            "power": self.has_power,
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
            case "power_off", []:
                self.power_off()
            case "power_on", []:
                self.power_on()
            case _:
                return poke_line(self.line, handle, args)
        return self.state()

    def _forget(self) -> None:
        self.rows = []

    def _showed(self, rows: list[str]) -> None:
        self.rows = rows
        self.updates += 1
        self.line.moved()

    def _obey(self, waiting: bytes, replies: list[bytes]) -> int:
        """Obey the command at the front; returns its length, 0 when more bytes are needed."""
        raise NotImplementedError


class Led8Sim(PanelSim):
    """Eight digits and four lamps. After ESC Q A it is in string mode, which here still takes numbers and lamps."""

    _COMMAND = re.compile(
        rb"\x1b\x40|\x0c|\x18|\x1bQA([0-9.-]{0,15})\r|\x1bs([\x00-\x040-4])|\x02L([01]{4})", re.DOTALL
    )

    def __init__(self, lamp_form: str = "ascii") -> None:
        super().__init__()
        self.lamp = LAMPS[0]
        self.lamp_form = lamp_form

    def state(self) -> dict[str, object]:
        """Everything a test asks for, ready for JSON."""
        return super().state() | {"lamp": self.lamp}

    def _forget(self) -> None:
        super()._forget()
        self.lamp = LAMPS[0]

    def _obey(self, waiting: bytes, replies: list[bytes]) -> int:  # noqa: ARG002  it never answers
        command = self._COMMAND.match(waiting)
        if command is None:
            begins = waiting[0] in b"\x1b\x02" and len(waiting) < 20 and b"\x1b" not in waiting[1:]
            return 0 if begins else 1
        if command[1] is not None:
            self._showed([command[1].decode()])
        elif command[2] is not None and self.lamp_form == ("binary" if command[2] < b"0" else "ascii"):
            self.lamp = LAMPS[command[2][0] & 0x0F]
        elif command[3] is not None and self.lamp_form == "separate":
            self.lamp = LAMPS[command[3].find(b"1") + 1]
        elif command[0] in (b"\x0c", b"\x18", b"\x1b\x40"):
            self.rows = []
        return command.end()


class Cd5220Sim(PanelSim):
    """Two lines of twenty. In string mode, entered by ESC Q, everything but 0C and 18 is ignored."""

    _COLUMNS = 20
    _COMMAND = re.compile(
        rb"\x1b\x40|\x0c|\x18|\x0b|\x0d|\x0a|\x1b[\x11\x12\x13]|\x1bl(.)(.)|\x1b\[K|\x1b_(.)|\x1b\*(.)"
        rb"|\x1bQ([ABD])([^\r]{0,40})\r|([ -~])",
        re.DOTALL,
    )

    def __init__(self) -> None:
        super().__init__()
        self.brightness = 4
        self.is_in_string_mode = False
        self._forget()

    def state(self) -> dict[str, object]:
        """Everything a test asks for, ready for JSON."""
        return super().state() | {"brightness": self.brightness, "string_mode": self.is_in_string_mode}

    def _forget(self) -> None:
        self.rows = [" " * self._COLUMNS] * 2
        self.is_in_string_mode = False
        self._column, self._row = 0, 0

    def _obey(self, waiting: bytes, replies: list[bytes]) -> int:  # noqa: ARG002  it never answers
        if self.is_in_string_mode and waiting[0] not in b"\x0c\x18":
            return 1
        command = self._COMMAND.match(waiting)
        if command is None:
            return 0 if waiting[0] == 0x1B and len(waiting) < 45 else 1
        match command[0][:2]:
            case b"\x0c" | b"\x1b\x40":
                self._forget()
            case b"\x18":
                self._write(self._row, 0, " " * self._COLUMNS)
                self.is_in_string_mode = False
            case b"\x1bl":
                self._column = min(max(command[1][0], 1), self._COLUMNS) - 1
                self._row = min(max(command[2][0], 1), 2) - 1
            case b"\x1b*":
                self.brightness = command[4][0]
            case b"\x1bQ":
                self._write(0 if command[5] != b"B" else 1, 0, command[6].decode("latin1")[:20].ljust(20))
                self.is_in_string_mode = True
            case _ if command[7] is not None:
                self._type(command[7].decode())
        return command.end()

    def _type(self, sign: str) -> None:
        self._write(self._row, self._column, sign)
        self._column += 1
        if self._column == self._COLUMNS:
            self._column, self._row = 0, 1 - self._row

    def _write(self, row: int, at: int, text: str) -> None:
        old = self.rows[row]
        rows = list(self.rows)
        rows[row] = (old[:at] + text + old[at + len(text) :])[: self._COLUMNS]
        self._showed(rows)


class AlphaSim(PanelSim):
    """A sign with files; people see the priority file, or file A. Reads are answered."""

    _PACKET = re.compile(rb"\x00{3,}\x01(.)(..)((?:\x02[^\x04]*)+)\x04", re.DOTALL)

    def __init__(self, is_even: bool = True) -> None:
        super().__init__()
        self.files: dict[str, str] = {}
        self.rejected = 0
        self.is_even = is_even

    def _forget(self) -> None:
        super()._forget()
        self.files.clear()

    def _obey(self, waiting: bytes, replies: list[bytes]) -> int:
        if self.is_even and any(alpha.even(byte) != byte for byte in waiting):
            self.rejected += 1
            return len(waiting)  # a wrong parity spoils what stands around it
        plain = bytes(byte & 0x7F for byte in waiting)
        packet = self._PACKET.search(plain)
        if packet is None:
            return 0 if len(waiting) < MAX_BUFFER else 1
        if packet[1] in b"Z!12f" and packet[2] in (b"00", b"01"):
            for part in packet[3].split(b"\x02")[1:]:
                self._command(part, replies)
        return packet.end()

    def _command(self, part: bytes, replies: list[bytes]) -> None:
        command, end, check = part.partition(b"\x03")
        if end and check and check != alpha.check_sum(b"\x02" + command + end):
            self.rejected += 1
            return
        code, label, text = command[:1], command[1:2].decode(), command[2:].decode("latin1")
        if code == b"A":
            self.files[label] = text
            seen = self.files.get(alpha.PRIORITY) or self.files.get("A", "")
            self._showed(seen[3:].split("\r"))
        elif code == b"B":
            body = b"\x02A" + (label + self.files.get(label, "")).encode("latin1") + b"\x03"
            answer = bytes(20) + b"\x01000" + body + alpha.check_sum(body) + b"\x04"
            replies.append(bytes(map(alpha.even, answer)) if self.is_even else answer)


class ArmflySim(PanelSim):
    """Digits in either form. The point position is forgotten without power."""

    _ASCII = re.compile(rb"\$(\d{3}),([^#&$]{0,16})([#&])")

    def __init__(self, unit: int = 1, digits: int = 4, form: str = "ascii") -> None:
        super().__init__()
        self.unit = unit
        self.digits = digits
        self.form = form
        self._point = 0

    def _forget(self) -> None:
        super()._forget()
        self._point = 0

    def _obey(self, waiting: bytes, replies: list[bytes]) -> int:
        return self._ascii(waiting, replies) if self.form == "ascii" else self._modbus(waiting, replies)

    def _ascii(self, waiting: bytes, replies: list[bytes]) -> int:
        command = self._ASCII.match(waiting)
        if command is None:
            return 0 if waiting[0] == ord("$") and len(waiting) < 24 else 1
        if int(command[1]) != self.unit:
            pass
        elif command[3] == b"#":
            self._showed([command[2].decode("latin1")])
        elif command[2] == b"02":
            replies.append(b"LED-485-054")
        elif command[2] == b"03":
            replies.append(b"V1.2")
        return command.end()

    def _modbus(self, waiting: bytes, replies: list[bytes]) -> int:
        if waiting[0] != self.unit or (len(waiting) > 1 and waiting[1] not in (0x06, 0x10)):
            return 1
        if len(waiting) < 8:
            return 0
        length = 8 if waiting[1] == 0x06 else 9 + waiting[6]
        if len(waiting) < length:
            return 0 if length < 64 else 1
        if crc16(waiting[:length], 0xFFFF):
            return 1
        request = waiting[:length]
        self._write(int.from_bytes(request[2:4], "big"), request)
        replies.append(armfly.answer_to(request))
        return length

    def _write(self, register: int, request: bytes) -> None:
        value = int.from_bytes(request[4:6], "big", signed=True)
        if register == 0x0004:
            self._point = value
        elif register == 0x0000:
            sign, size = "-" if value < 0 else "", f"{abs(value):0{self._point + 1}}"
            cut = len(size) - self._point
            self._showed([sign + size[:cut] + ("." + size[cut:] if self._point else "")])
        elif register == 0x0070:
            self._showed([request[7:-2].decode("latin1")])
