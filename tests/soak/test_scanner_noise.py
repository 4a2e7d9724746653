"""A day of noise on each decoder of a scanner, without waiting: no crash, no growth, and every good code afterwards.

Each simulated second brings a piece of noise and then, after a pause, a good code. Plain lines carry no check, so what
noise types there is a text; with a checksum noise is one only when it hits the sum.
"""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest

from drivers.base import Batch, Read
from drivers.batch import Memory, Rhythm, Uploads
from drivers.wire.gun import GunWire
from drivers.wire.honeywell import Honeywell, framed, menu
from drivers.wire.keys import KeyScans
from drivers.wire.newland import Newland, command, reply
from drivers.wire.scans import LineScans, Scan
from drivers.wire.ssi import DECODE_DATA, DECODER, Ssi, sealed
from tests.soak.ledger import Ledger

Count = Callable[[int, int], int]
SHORT, DAY = 300, 86_400  # simulated seconds
PASSES = 2e-4  # a packet cut inside its sum and finished by noise passes once in 256: one in 20,000 pieces here
GROWTH = 64 * 1024  # bytes; dictionaries of the interpreter breathe by less
CODE = "SF1385628716739"


class Lines:
    """Plain lines, looked at like the others."""

    def __init__(self) -> None:
        self.lines = LineScans()

    def run(self, noise: bytes, at_ms: int) -> list[str]:
        scans = self.lines.feed(noise, at_ms) + self.lines.idle(at_ms + 400)
        return texts(scans + self.lines.feed(CODE.encode() + b"\r", at_ms + 500))


class Talking:
    """A protocol with commands; every other second a command is out."""

    def __init__(self, wire: GunWire, good: bytes) -> None:
        self.wire = wire
        self.good = good
        self.seconds = 0

    def run(self, noise: bytes, at_ms: int) -> list[str]:
        self.seconds += 1
        self.wire.expect(
            menu("DECHDR1") if self.seconds % 4 == 1 else command("SCNTRG1") if self.seconds % 4 == 3 else None
        )
        scans = [*self.wire.feed(noise, at_ms).scans, *self.wire.idle(at_ms + 300).scans]
        self.wire.expect(None)
        scans += self.wire.idle(at_ms + 600).scans
        return texts([*scans, *self.wire.feed(self.good, at_ms + 700).scans])


class Keys:
    """Typed keys; noise is any event a kernel could report."""

    def __init__(self) -> None:
        self.keys = KeyScans()

    def run(self, noise: bytes, at_ms: int) -> list[str]:
        events = [(noise[i] % 5, noise[i + 1], noise[i + 2] % 3) for i in range(0, len(noise) - 2, 3)]
        scans = [scan for event in events for scan in self.keys.feed(*event, at_ms)]
        scans += self.keys.idle(at_ms + 400)
        self.keys.lost()  # a key that noise holds down stays down; a gun whose keys stick is plugged in again
        for code in (2, 3, 4, 28):
            scans += self.keys.feed(1, code, 1, at_ms + 500)
        return texts(scans)


def texts(scans: list[Scan]) -> list[str]:
    return [scan.text for scan in scans if scan.flaw is None]


PACKET = sealed(DECODE_DATA, b"\x1c" + CODE.encode(), DECODER)
DECODERS: dict[str, tuple[Callable[[], Lines | Talking | Keys], str]] = {
    "lines": (Lines, CODE),
    "keys": (Keys, "123"),
    "ssi": (lambda: Talking(Ssi(), PACKET), CODE),
    "newland": (lambda: Talking(Newland(), reply("SCNTRG1") + CODE.encode() + b"\r"), CODE),
    "honeywell": (lambda: Talking(Honeywell(), framed(CODE)), "]C0" + CODE),
}


def noise(dice: random.Random, decoder: str) -> bytes:
    """Any bytes, or bytes that look like the protocol's own."""
    raw = dice.randbytes(dice.randrange(40))
    match dice.randrange(4):
        case 0:
            broken = bytearray(PACKET if decoder == "ssi" else framed(CODE))
            broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
            return bytes(broken[: dice.randrange(len(broken))]) + raw
        case 1:
            return bytes((dice.choice((0x02, 0x16, 0xFF, 0x04, 0x14)),)) + raw
    return raw


@pytest.mark.parametrize("name", DECODERS)
def test_a_day_of_noise_leaves_a_decoder_as_it_was(name: str, count: Count, ledger: Ledger) -> None:
    make, good = DECODERS[name]
    decoder, dice = make(), random.Random(7)
    seconds = count(SHORT, DAY)
    started = wrong = 0

    tracemalloc.start()
    for second in range(seconds):
        seen = decoder.run(noise(dice, name), second * 1000)
        assert seen[-1:] == [good]
        wrong += len(seen) - 1
        if second == seconds // 4:
            started = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - started
    tracemalloc.stop()

    by_chance = wrong if name == "ssi" else 0  # a sum of 16 bits cannot do better; the others have none
    ledger.note("R18", "scanner noise", seconds, scanner_noise_hours=seconds / 3600, codes_by_chance=by_chance)
    assert grown < GROWTH
    if name == "ssi":
        assert wrong <= seconds * PASSES


@pytest.mark.parametrize("memory", Memory)
def test_a_day_of_scanning_loses_nothing_and_stays_bounded(memory: Memory, count: Count) -> None:
    """Live codes, uploads, repetitions and broken-off uploads of one gun; nothing lost, nothing kept for ever."""
    uploads, dice, now, given = Uploads("gun", Rhythm(memory)), random.Random(3), 0, 0
    live = uploaded = 0

    def take(items: list[Read | Batch]) -> None:
        nonlocal live, uploaded
        for item in items:
            if isinstance(item, Batch):
                uploaded += len(item.reads) + item.repeated
            else:
                live += 1

    for visit in range(count(60, 6000)):
        stored = [f"{visit % 40}-{n}" for n in range(dice.randrange(1, 60))]
        for code in stored:
            now += dice.choice((20, 30)) if visit % 2 else dice.randrange(300, 2000)
            take(uploads.take(Read(code, "gun", now), now - 10))
            given += 1
        if dice.random() < 0.2:
            take(uploads.lost())
        now += 20_000
        take(uploads.idle(now))

    assert uploads.due_ms is None
    assert len(uploads._known._sequences) <= 16
    assert live + uploaded == given if memory is not Memory.WATCHED else live + uploaded >= given
