"""Which family hangs on an unknown port? Asked for by a person, one port, listening first and then reads alone.

Nothing here opens a door, prints, feeds, shows or stores anything. The frames are built by drivers/probe_locks.py and
drivers/probe_others.py; what is heard is judged by drivers/probe_ear.py. A read of one family may be an act in another,
so the order is part of the safety, and asking ends as soon as one family is sure:

- Scales that stream and guns speak by themselves: they are listened to, at each baud, before anything is sent. Where
  bytes keep coming that fit nobody, nothing is sent at all.
- An XK3190-A12 in command mode tares on `T` (54h) and zeroes on `Z` (5Ah). Every Onbon packet ends with 5Ah and an
  Alpha packet carries one, so the scales are asked at all their bauds before those two.
- Winnsen's read `90 06 12 ST LOCK 03` has the head and length of "open several" of an 8A/80 board with the number 6.
  The XOR that such a board wants has its high bit set for every station and lock, and is never 03h; but a board that
  does not look at the XOR would open doors. So 8A/80 board 6 is asked before, and Winnsen is asked last of all.
- An 8A/80 read of board 2 is `80 02 00 33 B1`, and `02 00 33` begins a Kerong "open all": board 2 is asked only when
  the make is known already.
- An Alpha read of file 0 would be `02 42 30`, which sets the baud of an LED8 display: file A is read instead.
- `10 05` and `10 14` are acts of an ESC/POS printer, and 0Ah, 0Ch, 0Dh print what it has gathered: no question sent to
  an unknown port holds them, and printers are asked at all their bauds before lock boards and displays. Letters wait
  in a printer's line and are dropped by the `ESC @` of the next slip. A customer display may show stray signs until
  it is written to.
- The stations, units and boards that mean "all" are never addressed, and the "all relays off" with which the Modbus
  driver begins is a write: it is not sent here.
- Guns have no read that is not a command, LED8 and CD5220 displays never answer, and the Modbus form of Armfly knows
  writes alone: none of them is asked.

The wrong baud turns bytes into others. The test resamples every question at every baud in use and finds no opening in
it. What is left: a receipt printer that never answers, at another baud than is asked, may print a line of junk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from drivers import probe_locks, probe_others
from drivers.base import HELD, NotThere
from drivers.build import KINDS
from drivers.link import Connect, Link, SerialPort
from drivers.ports import CONNECT_S, link_to
from drivers.probe_ear import NOISE_BYTES, Ear
from drivers.probe_talks import SURE, Ask, Finding, Scalar, Talk

__all__ = ["HELD", "SURE", "Finding", "Patience", "probe"]

LISTEN_BAUDS = (9600, 1200, 2400, 4800, 19200, 115200)
_QUIET_S = 0.08  # without a byte: an answer is over
_GAP_S = 0.06  # line turnaround, as with the drivers
_MOST_STRAY = 20  # pieces; who talks longer is not waited for

Begin = Callable[[], Talk]
_SCALES: tuple[tuple[str, Begin], ...] = (("yaohua_a12", probe_others.ask_a12), ("yaohua_a9", probe_others.ask_a9))
_PRINTER: tuple[str, Begin] = ("escpos", probe_others.ask_printer)
_ONBON: tuple[str, Begin] = ("onbon", probe_others.ask_onbon)
_WKLY: tuple[str, Begin] = ("wkly", lambda: probe_locks.ask(probe_locks.WKLY))
PLAN: Sequence[tuple[int, Sequence[tuple[str, Begin]]]] = (
    *((baud, _SCALES) for baud in (9600, 1200, 2400, 4800)),
    *((baud, (_PRINTER,)) for baud in (9600, 4800, 19200, 38400, 57600, 115200)),
    (
        9600,
        (
            ("lock_8a80", lambda: probe_locks.ask(probe_locks.EIGHT_A)),
            _WKLY,
            ("modbus_relay", probe_locks.ask_modbus),
            ("armfly", probe_others.ask_armfly),
        ),
    ),
    (
        19200,
        (
            ("kerong_cu16", lambda: probe_locks.ask(probe_locks.CU16)),
            ("kerong_cu48", lambda: probe_locks.ask(probe_locks.CU48_B)),
            ("kerong_cu48", lambda: probe_locks.ask(probe_locks.CU48_A)),
        ),
    ),
    (115200, (_WKLY,)),
    (57600, (_ONBON,)),
    (9600, (_ONBON, ("alpha", probe_others.ask_alpha))),
    (9600, (("winnsen", lambda: probe_locks.ask(probe_locks.WINNSEN)),)),
)
_UNASKED: Mapping[str, str] = {
    "led8": "never answers: tell it by its label, and try `device price show`",
    "cd5220": "never answers: tell it by its label, and try `device price show`",
    "newland_scanner": "sends codes as serial_scanner does: tell it by its label",
    "honeywell_scanner": "sends codes as serial_scanner does: tell it by its label",
    "serial_scanner": "no code came: scan one while it listens",
    "ssi_scanner": "no code came: scan one while it listens",
    "scale_equals": "no reading came",
    "toledo": "no reading came",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the port is listened to at each baud, in seconds; longer gives a person time to scan a code."""

    listen_s: float = 1.2


async def probe(path: str, patience: Patience = Patience(), connect: Connect | None = None) -> list[Finding]:
    """Find out what hangs on this one port. `path` is a serial port or tcp://host:port; `connect` replaces the port.

    Shape:  one finding per family of the table, the surest first; `settings` of those that answered name kind, path,
            and baud. At most one is SURE unless they contradict each other.
    Errors: NotThere when the port cannot be had or vanishes; ValueError for a path that is neither.
    """
    is_tcp = path.startswith("tcp://")
    if "://" in path and not is_tcp:
        raise ValueError(f"path {path!r} is no serial port and no tcp://host:port")
    kinds = [name for name, kind in KINDS.items() if ("tcp" in kind.schemes if is_tcp else kind.baud is not None)]
    search = _Search(path, patience, connect, is_tcp, {})
    await search.run(kinds)
    found = [search.found.get(kind) or Finding(kind, False, 0.0, search.excuse(kind)) for kind in kinds]
    return sorted(found, key=lambda finding: -finding.sure)


@dataclass(slots=True)
class _Search:
    """One search. `found` keeps the best finding of each family."""

    path: str
    patience: Patience
    connect: Connect | None
    is_tcp: bool
    found: dict[str, Finding]
    stop: str = ""  # why nothing more is asked

    async def run(self, kinds: Sequence[str]) -> None:
        for baud in LISTEN_BAUDS[:1] if self.is_tcp else LISTEN_BAUDS:
            await self._listen(baud)
            if self._is_over():
                return
        if self.stop:
            return
        for baud, talks in PLAN:
            known = [(kind, begin) for kind, begin in talks if kind in kinds and not self._has_asked(kind)]
            if not known:
                continue
            async with self._line(baud) as line:
                for _, begin in known:
                    self._note(await line.play(begin()), baud)
                    if self._is_over():
                        return

    def excuse(self, kind: str) -> str:
        """Why a family was not found out about."""
        return _UNASKED.get(kind) or self.stop or "cannot be found by asking: tell it by its label"

    def _has_asked(self, kind: str) -> bool:
        """On a network there is no baud: one talk with each family is enough."""
        return self.is_tcp and kind in self.found

    async def _listen(self, baud: int) -> None:
        ear = Ear()
        async with self._line(baud) as line:
            await line.listen(ear, self.patience.listen_s)
        findings = ear.findings()
        for finding in findings:
            self._note(finding, baud)
        if ear.heard > NOISE_BYTES and not findings:
            self.stop = "not asked: something talks on this port that no family knows at any baud"
        elif findings:
            self.stop = ""  # at another baud it was noise

    def _note(self, finding: Finding, baud: int) -> None:
        best = self.found.get(finding.kind)
        if best is not None and (best.sure, best.answered) >= (finding.sure, finding.answered):
            return
        where: dict[str, Scalar] = {"kind": finding.kind, "path": self.path}
        if not self.is_tcp:
            where["baud"] = baud
        settings = where | dict(finding.settings) if finding.answered else {}
        self.found[finding.kind] = replace(finding, settings=settings)

    def _is_over(self) -> bool:
        sure = next((finding for finding in self.found.values() if finding.sure >= SURE), None)
        if sure is not None:
            self.stop = f"not asked: {sure.kind} was sure before"
        return sure is not None

    @asynccontextmanager
    async def _line(self, baud: int) -> AsyncIterator[_Line]:
        if self.connect is not None:
            link = Link(self.path, self.connect)
        elif self.is_tcp:
            link = link_to(self.path, self.path, baud)
        else:
            link = Link(self.path, lambda: SerialPort(self.path, baud))
        await link.start()
        try:
            loop = asyncio.get_running_loop()
            deadline = loop.time() + (CONNECT_S if self.is_tcp else 0.1)
            while not link.is_open and loop.time() < deadline:
                await asyncio.sleep(0.02)
            if not link.is_open:
                raise NotThere(self.path, link.hint)
            yield _Line(link)
        finally:
            await link.stop()


class _Line:
    """The port at one baud."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def play(self, talk: Talk) -> Finding:
        """Ask what a talk wants asked, until it has its finding. Errors: NotThere, NoAnswer."""
        ask = next(talk)
        while True:
            reply = await self._asked(ask)
            try:
                ask = talk.send(reply)
            except StopIteration as end:
                finding: Finding = end.value
                return finding

    async def listen(self, ear: Ear, seconds: float) -> None:
        """Listen until one family is sure or the time is over. Errors: NotThere."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not ear.is_sure and (left_s := deadline - loop.time()) > 0:
            ear.feed(await self._received(left_s), int(loop.time() * 1000))

    async def _asked(self, ask: Ask) -> bytes:
        for _ in range(_MOST_STRAY):  # what is still under way belongs to no question
            if not await self._received(_GAP_S):
                break
        await self._link.write(ask.request)
        reply = chunk = await self._received(ask.wait_s)
        while chunk and len(reply) < 4096:
            chunk = await self._received(_QUIET_S)
            if not chunk and reply == ask.request:
                chunk = await self._received(ask.wait_s)  # only the echo so far
            reply += chunk
        return reply

    async def _received(self, wait_s: float) -> bytes:
        """The next bytes; nothing when none came in time. Errors: NotThere."""
        try:
            async with asyncio.timeout(wait_s):
                chunk = await self._link.receive()
        except TimeoutError:
            return b""
        if not chunk:
            raise NotThere(self._link.name, f"vanished while it was asked: {self._link.hint}")
        return chunk
