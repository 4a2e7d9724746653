"""An ESC/POS receipt printer seen from the wire: bytes in, decoded slips out. Pure; no port and no clock."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivers.sim.line import Line, poke_line

MAX_WAITING = 65536  # bytes that wait for paper; a real one has 4 kB and would stop the line
MAX_KEPT = 50  # slips
MAX_LINES = 500  # of a slip that nobody cuts off
MAX_LINE = 4096  # bytes of a line that nobody ends
_COMMANDS = re.compile(
    rb"\x1b@|\x1c[&.]|\x1bd(?P<feed>.)|\x1d!(?P<size>.)|\x1d[hwfH].|\x1b[aE!\-MGt].|\x1dV(?P<cut>[\x00\x01]|[AB].)"
    rb"|\x1dr(?P<mark>.)|\x1dkI(?P<bar>.)|\x1d\(k(?P<code>..)|\x1dv0.(?P<raster>....)"
    rb"|(?P<text>[^\x00-\x1f]+)|(?P<end>\n)|(?P<stray>[\x00-\x1f])",
    re.DOTALL,
)
_LONGEST = 8  # bytes of a command up to its length
_QUESTION = re.compile(rb"\x10\x04([\x01-\x04])")
_HALF_QUESTION = re.compile(rb"\x10\x04?$")
_QR_STORE = b"1P0"
_QR_PRINT = b"1Q0"


class Receipts:
    """The printer. `slips` are what people tear off, as lines of text; codes are lines like "[QR text]"."""

    def __init__(self, answers: bool = True, confirms: bool = True) -> None:
        self.line = Line()
        self.answers = answers
        self.confirms = confirms
        self.slips: list[list[str]] = []
        self.on_paper: list[str] = []  # not torn off yet
        self.lines_left: int | None = None  # None: a full roll
        self.is_near_end = False
        self.is_open = False
        self.has_error = False
        self.has_power = True
        self.received = 0
        self.rejected = 0
        self._held = b""
        self._waiting = bytearray()
        self._text = bytearray()
        self._big = False
        self._qr = ""

    @property
    def is_out(self) -> bool:
        """Whether the roll is at its end."""
        return self.lines_left == 0

    def receive(self, chunk: bytes) -> list[bytes]:
        """Take bytes from the kiosk; returns the chunks that go back."""
        heard = self.line.incoming(chunk)
        if not self.has_power:
            return self.line.outgoing(chunk, [])
        self.received += len(heard)
        replies: list[bytes] = []
        *parts, self._held = _QUESTION.split(self._held + heard)
        for at, part in enumerate(parts):
            if at % 2 == 0:
                self._waiting += part
            elif self.answers:
                replies.append(bytes((self._status(part[0]),)))  # real-time: before everything that waits
        if not _HALF_QUESTION.search(self._held):
            self._waiting += self._held
            self._held = b""
        self._go_on(replies)
        return self.line.outgoing(chunk, replies)

    def tick(self, now_ms: int) -> list[bytes]:  # noqa: ARG002  it speaks when asked
        """Tell the time; goes on printing what waited for paper."""
        replies: list[bytes] = []
        self._go_on(replies)
        return self.line.outgoing(b"", replies)

    def power_off(self) -> None:
        """Cut the supply: what waits is lost."""
        self.has_power = False
        self._waiting.clear()
        self._text.clear()

    def state(self) -> dict[str, object]:
        """Everything a test asks for, ready for JSON."""
        return {
            "slips": self.slips,
            "on_paper": self.on_paper,
            "paper": "out" if self.is_out else "near_end" if self.is_near_end else "ok",
            "cover": "open" if self.is_open else "closed",
            "error": self.has_error,
            "power": self.has_power,
            "waiting": len(self._waiting),
            "received": self.received,
            "rejected": self.rejected,
            "faults": self.line.faults,
        }

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """Move a handle by name. Errors: LookupError, ValueError."""
        match handle, list(args):
            case (("state" | "slips"), []):
                pass
            case "paper_out", rest:
                self.lines_left = int(rest[0]) if rest else 0
            case "new_roll", []:
                self.lines_left, self.is_near_end = None, False
            case "near_end", []:
                self.is_near_end = True
            case (("cover_open" | "cover_close"), []):
                self.is_open = handle == "cover_open"
            case (("jam" | "unjam"), []):
                self.has_error = handle == "jam"
            case (("answers" | "confirms"), [("on" | "off") as way]):
                setattr(self, handle, way == "on")
            case "power_off", []:
                self.power_off()
            case "power_on", []:
                self.has_power = True
            case _:
                return poke_line(self.line, handle, args)
        return self.state()

    def _status(self, what: int) -> int:
        stopped = self.is_out or self.is_open or self.has_error
        match what:
            case 1:
                return 0x12 | stopped * 0x08
            case 2:
                return 0x12 | self.is_open * 0x04 | self.is_out * 0x20 | self.has_error * 0x40
            case 4:
                return 0x12 | (self.is_near_end or self.is_out) * 0x0C | self.is_out * 0x60
        return 0x12

    def _go_on(self, replies: list[bytes]) -> None:
        """Print what waits, as far as there is paper and the bytes are whole."""
        while self._waiting and not (self.is_out or self.is_open or self.has_error) and self.has_power:
            taken = self._take(bytes(self._waiting), replies)
            if taken == 0:
                break
            del self._waiting[:taken]
        del self._waiting[MAX_WAITING:]

    def _take(self, waiting: bytes, replies: list[bytes]) -> int:
        found = _COMMANDS.match(waiting)
        if found is None or (found["stray"] in (b"\x1b", b"\x1d", b"\x1c", b"\x10") and len(waiting) < _LONGEST):
            return 0
        if found["code"] is not None or found["bar"] is not None or found["raster"] is not None:
            return self._graphic(found, waiting)
        if found["text"] is not None:
            self._text = (self._text + found["text"])[-MAX_LINE:]
        elif found["end"] is not None:
            self._print(self._text.decode("gb18030", "replace"))
            self._text.clear()
        elif found["size"] is not None:
            self._big = found["size"] != b"\0"
        elif found["cut"] is not None:
            self._tear()
        elif found["mark"] is not None and self.confirms and self.answers:
            replies.append(b"\0")
        elif found["stray"] is not None:
            self.rejected += 1
        return found.end()

    def _graphic(self, found: re.Match[bytes], waiting: bytes) -> int:
        if found["raster"] is not None:
            size = found["raster"]
            end = found.end() + int.from_bytes(size[:2], "little") * int.from_bytes(size[2:], "little")
        elif found["bar"] is not None:
            end = found.end() + found["bar"][0]
        else:
            end = found.end() + int.from_bytes(found["code"], "little")
        if len(waiting) < end:
            return 0
        body = waiting[found.end() : end]
        if found["raster"] is not None:
            self._print(f"[picture of {len(body)} bytes]")
        elif found["bar"] is not None:
            self._print(f"[128 {_code128(body)}]")
        elif body.startswith(_QR_STORE):
            self._qr = body[len(_QR_STORE) :].decode("utf-8", "replace")
        elif body.startswith(_QR_PRINT):
            self._print(f"[QR {self._qr}]")
        return end

    def _print(self, text: str) -> None:
        self.on_paper = [*self.on_paper, f"[big] {text}" if self._big and text else text][-MAX_LINES:]
        self.line.moved()
        if self.lines_left is not None:
            self.lines_left = max(0, self.lines_left - 1)

    def _tear(self) -> None:
        self.slips = [*self.slips, [line for line in self.on_paper if line]][-MAX_KEPT:]
        self.on_paper = []


def _code128(body: bytes) -> str:
    """The text of a Code 128 in the printer's own notation."""
    text, at, is_pairs = "", 0, False
    while at < len(body):
        if body[at : at + 1] == b"{" and body[at + 1 : at + 2] in (b"B", b"C"):
            is_pairs, at = body[at + 1 : at + 2] == b"C", at + 2
        elif body[at : at + 2] == b"{{":
            text, at = text + "{", at + 2
        else:
            text, at = text + (f"{body[at]:02}" if is_pairs else chr(body[at])), at + 1
    return text
