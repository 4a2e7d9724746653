"""Pipes between a driver and a simulated device in memory, and a loop whose time passes without waiting."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar

from drivers.link import Link, MemoryPort, Reopen
from drivers.sim.device import SimDevice

T = TypeVar("T")
Shape = Callable[[Sequence[bytes]], list[bytes]]


class _InstantSelector(selectors.DefaultSelector):
    """Instead of sleeping until the next timer it moves the loop's time there."""

    loop: InstantLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("the loop would wait for ever: no timer, no byte")
        self.loop.now += timeout
        return ready


class InstantLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time: a wait of an hour takes no time, and order is as on the wall clock."""

    def __init__(self) -> None:
        selector = _InstantSelector()
        selector.loop = self
        self.now = 1000.0
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def run_instantly(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on virtual time."""
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        return runner.run(main)


class LoopClock:
    """The drivers' clock on the running loop's time, real or virtual."""

    def ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)

    def local(self) -> datetime:
        return datetime(2026, 11, 22, 14, 30, 5)  # noqa: DTZ001  the clock of a display is local time


def whole(chunks: Sequence[bytes]) -> list[bytes]:
    """As sent."""
    return list(chunks)


def byte_by_byte(chunks: Sequence[bytes]) -> list[bytes]:
    """As a slow line delivers."""
    return [bytes((byte,)) for chunk in chunks for byte in chunk]


def glued(chunks: Sequence[bytes]) -> list[bytes]:
    """As a busy reader finds it: everything in one piece."""
    return [b"".join(chunks)] if chunks else []


def lossy(seed: int, rate: float) -> Shape:
    """Swallow this share of the chunks."""
    dice = random.Random(seed)
    return lambda chunks: [chunk for chunk in chunks if dice.random() >= rate]


def noisy(seed: int, rate: float) -> Shape:
    """Put bytes from nowhere before this share of the chunks."""
    dice = random.Random(seed)

    def shape(chunks: Sequence[bytes]) -> list[bytes]:
        return [
            part for chunk in chunks for part in (dice.randbytes(3) if dice.random() < rate else b"", chunk) if part
        ]

    return shape


class Pipe:
    """A simulated device on the other end of a link, with a plug."""

    def __init__(self, device: SimDevice, shape: Shape = whole) -> None:
        self.device = device
        self._shape = shape
        self._port: MemoryPort | None = None
        self._is_plugged = True

    def connect(self) -> MemoryPort:
        if not self._is_plugged:
            raise FileNotFoundError(2, "no such port")
        self._port = MemoryPort(
            lambda chunk: self._shape(self.device.receive(chunk)), lambda: self.device.line.delay_ms / 1000
        )
        return self._port

    def link(self, name: str, echo: bool = False) -> Link:
        return Link(name, self.connect, echo, Reopen(0.01, 0.1))

    def tick(self) -> None:
        """Let the device say what it has to say unasked."""
        chunks = self.device.tick(int(asyncio.get_running_loop().time() * 1000))
        if self._port is not None:
            self._port.deliver(self._shape(chunks))

    def unplug(self) -> None:
        self._is_plugged = False
        if self._port is not None:
            self._port.cut()

    def replug(self) -> None:
        self._is_plugged = True
