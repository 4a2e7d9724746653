"""A TCP line with the weather of the mountains: slow, late, lossy, half open, cut in the middle; it counts every byte.

It stands between a point and a real broker. What TCP makes of bad radio is modelled where a program sees it: a lost
segment comes later by the time-outs of its repetitions (doubling, as RFC 6298 has it) and holds up all behind it, and
too many in a row break the connection. MQTT packets are known only by their lengths, so that a plan can cut the line
before or after any one of them.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SEGMENT = 1_400  # bytes of payload that travel together
HEADERS = 52  # of IP and TCP with time stamps, for each segment
QUEUED = 32  # segments that a modem holds before the sender feels it
GIVE_UP = 8  # losses of one segment in a row that break the connection


@dataclass(frozen=True, slots=True)
class Weather:
    """How the line is, each way. Nothing set: a good line."""

    latency_s: float = 0.0
    bytes_per_s: float = 0.0  # 0: as fast as the machine
    loss: float = 0.0
    repeat_s: float = 0.2  # first repetition of a lost segment; each further one waits twice as long
    corrupt: float = 0.0  # share of segments in which one bit is turned; only without TLS does it get through


@dataclass(frozen=True, slots=True)
class Cut:
    """Break the connection at the so-manyth packet of one way: before it passes, or after."""

    way: str
    packet: int
    after: bool


def every_step(packets: int) -> Iterator[Cut]:
    """Each packet of both ways, before and after."""
    for packet in range(1, packets + 1):
        for way in ("up", "down"):
            for after in (False, True):
                yield Cut(way, packet, after)


class ChaosLine:
    """Use inside one running loop: `await open()`, change `weather` or `plan` at any time, `await close()`."""

    def __init__(self, upstream_port: int, dice: random.Random, weather: Weather) -> None:
        self.port = 0
        self.weather = weather
        self.plan: Iterator[Cut] = iter(())
        self.carried: Counter[str] = Counter()  # payload bytes by way: up, down
        self.segments: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.is_down = False  # new connections are refused
        self._upstream_port = upstream_port
        self._dice = dice
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()

    @property
    def billed(self) -> int:
        """Bytes as an operator of the network counts them: with headers, and an acknowledgement for every second."""
        segments = sum(self.segments.values())
        return sum(self.carried.values()) + HEADERS * segments + HEADERS * segments // 2

    async def open(self) -> None:
        """Take a port."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End all of it."""
        self._server.close()
        self.cut()
        ending = list(self._tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes aborted sockets in its next turn

    def cut(self) -> None:
        """Break every connection."""
        for end in list(self._ends):
            end.transport.abort()

    def freeze(self) -> None:
        """Half open: nothing moves, nothing breaks."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let the bytes move again; those of before are delivered."""
        self._flows.set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        except OSError:
            writer.transport.abort()
            return
        cut = next(self.plan, None)
        ends = {writer, there_writer}
        self._ends |= ends
        for way, source, sink in (("up", reader, there_writer), ("down", there_reader, writer)):
            pipe = _Pipe(self, way, sink, cut if cut is not None and cut.way == way else None)
            self._start(pipe.fill(source), ends)
            self._start(pipe.empty(), ends)

    def _start(self, work: object, ends: set[asyncio.StreamWriter]) -> None:
        async def guarded() -> None:
            try:
                await work  # type: ignore[misc]
            except (ConnectionError, OSError):
                pass
            finally:
                self._ends -= ends
                for end in ends:
                    end.close()

        task = asyncio.ensure_future(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Pipe:
    """One way of one connection."""

    def __init__(self, line: ChaosLine, way: str, sink: asyncio.StreamWriter, cut: Cut | None) -> None:
        self._line = line
        self._way = way
        self._sink = sink
        self._cut = cut
        self._packets = _Packets()
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUED)
        self._free_at = 0.0

    async def fill(self, source: asyncio.StreamReader) -> None:
        """Take what comes in and say when it will be through."""
        loop = asyncio.get_running_loop()
        while chunk := await source.read(SEGMENT):
            weather = self._line.weather
            leaves = max(loop.time(), self._free_at)
            if weather.bytes_per_s:
                leaves += (len(chunk) + HEADERS) / weather.bytes_per_s
            self._free_at = leaves + self._repetitions(weather)
            await self._queue.put((self._free_at + weather.latency_s, self._weathered(chunk, weather)))
        await self._queue.put((self._free_at + self._line.weather.latency_s, b""))
        await self._queue.join()

    async def empty(self) -> None:
        """Deliver each chunk at its time."""
        loop, line = asyncio.get_running_loop(), self._line
        while True:
            due, chunk = await self._queue.get()
            if not chunk:
                self._queue.task_done()
                return
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            await line._flows.wait()
            for part in self._parts(chunk):
                self._sink.write(part)
                await self._sink.drain()
                line.carried[self._way] += len(part)
            line.segments[self._way] += 1
            self._queue.task_done()

    def _repetitions(self, weather: Weather) -> float:
        waits, wait = 0.0, weather.repeat_s
        for _ in range(GIVE_UP):
            if self._line._dice.random() >= weather.loss:
                return waits
            self._line.faults["lost segment"] += 1
            waits, wait = waits + wait, 2 * wait
        self._line.faults["broken by loss"] += 1
        raise ConnectionResetError

    def _weathered(self, chunk: bytes, weather: Weather) -> bytes:
        if not weather.corrupt or self._line._dice.random() >= weather.corrupt:
            return chunk
        self._line.faults["corrupted"] += 1
        bits = bytearray(chunk)
        bits[self._line._dice.randrange(len(bits))] ^= 1 << self._line._dice.randrange(8)
        return bytes(bits)

    def _parts(self, chunk: bytes) -> Iterable[bytes]:
        """What may pass of a chunk; the connection breaks where the plan says. Errors: ConnectionResetError."""
        if self._cut is None:
            yield chunk
            return
        begins = self._packets.begins(chunk)
        wanted = self._cut.packet + (1 if self._cut.after else 0)
        at = begins.get(wanted)
        if at is None and self._cut.after and self._packets.whole == self._cut.packet:
            at = len(chunk)
        if at is None:
            yield chunk
            return
        yield chunk[:at]
        self._line.faults[f"cut {'after' if self._cut.after else 'before'} a packet {self._way}"] += 1
        raise ConnectionResetError


class _Packets:
    """Finds where MQTT packets begin in a stream: a byte of kind, a length of one to four bytes, as many bytes."""

    def __init__(self) -> None:
        self.whole = 0  # packets that have come in whole
        self._left = 0  # bytes missing of the present one
        self._length: int | None = None  # its length as far as read, None outside of a header
        self._shift = 0
        self._in_header = False

    def begins(self, chunk: bytes) -> dict[int, int]:
        """Where the packets of a chunk begin, by their number from 1 on; a chunk that goes on with one names it not."""
        found: dict[int, int] = {}
        at = 0
        while at < len(chunk):
            if self._left:
                taken = min(self._left, len(chunk) - at)
                self._left, at = self._left - taken, at + taken
                self.whole += not self._left
            elif not self._in_header:
                found[self.whole + 1] = at
                self._in_header, self._length, self._shift, at = True, 0, 0, at + 1
            else:
                assert self._length is not None
                self._length |= (chunk[at] & 127) << self._shift
                self._shift += 7
                if chunk[at] < 128:
                    self._in_header, self._left = False, self._length
                    self.whole += not self._left
                at += 1
        return found
