"""One suite for every scanner on every pipe: codes whole, in order, once; beeps; uploads; unplugging in mid-scan."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.base import Batch, Flaw, Health, NoAnswer, NotThere, Read, Refused, TimeQuality
from drivers.batch import Memory, Rhythm
from drivers.outbox import USUAL, Habits, ReadingScanner
from drivers.scanner import SerialScanner
from drivers.sim.command_guns import HoneywellGun, NewlandGun
from drivers.sim.device import SimDevice
from drivers.sim.host import Host, Terminal
from drivers.sim.memory import GunMemory
from drivers.sim.scanner import Gun
from drivers.sim.ssi_gun import Layout, SsiGun
from drivers.talking_scanner import TalkingScanner
from drivers.wire.honeywell import Honeywell
from drivers.wire.newland import Newland
from drivers.wire.prefixes import read_prefixes
from drivers.wire.scans import LineScans
from drivers.wire.ssi import Ssi
from tests.links import LoopClock, Pipe, Shape, byte_by_byte, glued, lossy, run_instantly, whole

CODES = [f"SF{number:013}" for number in range(12)]
LONG = "https://qr.example/" + "Q" * 700
PIPES: dict[str, tuple[Shape, int, bool]] = {
    "whole": (whole, 0, False),
    "byte by byte": (byte_by_byte, 0, False),
    "glued": (glued, 0, False),
    "lossy": (lossy(5, 0.05), 0, False),
    "slow": (whole, 100, False),
    "echoing": (whole, 0, True),
}
CHECKED = ("ssi classic", "ssi cordless")  # each code has a checksum and is repeated until it is acknowledged


@dataclass(frozen=True)
class Family:
    """A gun, the scanner that drives it, and how to look at its ears."""

    gun: Callable[[], SimDevice]
    scanner: Callable[[Pipe, bool, Habits], SerialScanner | TalkingScanner]
    beeps: tuple[list[int], list[int]] | None = None  # for accepted and refused
    refusal: tuple[str, str] = ("", "")


def talking(make: Callable[[], Ssi | Newland | Honeywell]) -> Callable[[Pipe, bool, Habits], TalkingScanner]:
    return lambda pipe, echo, habits: TalkingScanner(pipe.link("gun", echo), make(), LoopClock(), habits)


def lines(pipe: Pipe, echo: bool, habits: Habits) -> SerialScanner:
    return SerialScanner(pipe.link("gun", echo), LineScans(), LoopClock(), habits)


FAMILIES = {
    "serial": Family(Gun, lines),
    "ssi classic": Family(SsiGun, talking(lambda: Ssi(aim=False)), ([0], [6]), ("refuse", "6")),
    "ssi cordless": Family(
        lambda: SsiGun(Layout.CORDLESS), talking(lambda: Ssi(aim=False, wake=True)), ([0], [6]), ("refuse", "2")
    ),
    "newland": Family(NewlandGun, talking(Newland), ([2000], [500, 500]), ("answer", "15")),
    "honeywell": Family(HoneywellGun, talking(lambda: Honeywell(framed=False)), ([0], [0, 0, 0])),
}


class Stand:
    """A scanner on a pipe and a hand at the gun."""

    def __init__(self, family: Family, pipe: tuple[Shape, int, bool] = PIPES["whole"], habits: Habits = USUAL) -> None:
        shape, delay_ms, echo = pipe
        self.gun = family.gun()
        self.gun.line.delay_ms, self.gun.line.echoes = delay_ms, echo
        self.pipe = Pipe(self.gun, shape)
        self.scanner = family.scanner(self.pipe, echo, habits)
        self.seen: list[Read] = []
        self.batches: list[Batch] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Stand:
        await self.scanner.start()
        self._tasks = [asyncio.create_task(work) for work in (self._tick(), self._take(), self._take_batches())]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._tasks[0].cancel()
        async with asyncio.timeout(2):  # as the contract says
            await self.scanner.stop()
            await self.scanner.stop()
        await asyncio.gather(*self._tasks[1:])  # the streams end by themselves
        await asyncio.gather(self._tasks[0], return_exceptions=True)

    @property
    def texts(self) -> list[str]:
        return [read.text.removeprefix("]C0") for read in self.seen if read.flaw is None]

    def poke(self, handle: str, *args: str) -> object:
        return self.gun.poke(handle, args)

    def told(self, key: str) -> object:
        state = self.gun.poke("state", [])
        assert isinstance(state, dict)
        return state[key]

    async def _tick(self) -> None:
        while True:
            self.pipe.tick()
            await asyncio.sleep(0.02)

    async def _take(self) -> None:
        async for read in self.scanner.reads():
            self.seen.append(read)

    async def _take_batches(self) -> None:
        async for batch in self.scanner.batches():
            self.batches.append(batch)


async def until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.02)


def play(story: Callable[[Stand], Awaitable[None]], family: str, pipe: str = "whole", habits: Habits = USUAL) -> None:
    async def main() -> None:
        async with Stand(FAMILIES[family], PIPES[pipe], habits) as stand:
            await asyncio.sleep(0.5)  # the gun is greeted
            await story(stand)

    run_instantly(main())


def flips_from_a_code(text: str) -> int:
    """Bits by which a text of the right length differs from the nearest code."""
    pairs = [(code.encode(), text.encode()) for code in CODES if len(code) == len(text)]
    return min((sum((a ^ b).bit_count() for a, b in zip(*pair, strict=True)) for pair in pairs), default=99)


every_family = pytest.mark.parametrize("family", FAMILIES)
every_pipe = pytest.mark.parametrize("pipe", PIPES)
talkers = pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.beeps])


@every_family
@every_pipe
def test_codes_come_whole_in_order_and_once(family: str, pipe: str) -> None:
    async def story(stand: Stand) -> None:
        for code in CODES:
            stand.poke("send", code)
            await asyncio.sleep(0.4)
        await asyncio.sleep(20)  # a gun repeats what was not acknowledged
        if pipe != "lossy" or family in CHECKED:
            assert stand.texts == CODES
        else:  # without a checksum what the line swallows is gone, and no more
            assert [code for code in CODES if code in stand.texts] == stand.texts
            assert len(stand.texts) > 6
        assert {read.time_quality for read in stand.seen} == {TimeQuality.LIVE}
        assert stand.batches == []

    play(story, family, pipe)


@every_family
@every_pipe
def test_a_long_code_comes_whole(family: str, pipe: str) -> None:
    async def story(stand: Stand) -> None:
        for _ in range(5):
            stand.poke("send", LONG)
            await asyncio.sleep(30)
        if pipe == "lossy" and family not in CHECKED:
            return
        assert LONG in stand.texts
        assert set(stand.texts) == {LONG}  # never a part of it
        if pipe != "lossy":
            assert len(stand.texts) == 5

    play(story, family, pipe)


@pytest.mark.parametrize("family", CHECKED)
@pytest.mark.parametrize("seed", range(6))
def test_a_bad_cable_yields_no_piece_of_a_code(family: str, seed: int) -> None:
    async def story(stand: Stand) -> None:
        stand.gun.line.garble(0.15, seed)
        for code in CODES * 4:
            stand.poke("send", code)
            await asyncio.sleep(9)
        stand.gun.line.garble(0, 0)
        await asyncio.sleep(10)
        stand.poke("send", "LAST")
        await asyncio.sleep(10)
        assert stand.texts[-1] == "LAST"
        # Two flips that cancel in a sum pass it: no driver can tell. Pieces, glued codes and noise do not.
        assert all(flips_from_a_code(text) <= 2 for text in stand.texts[:-1])
        assert sum(text in CODES for text in stand.texts) > 40

    play(story, family)


@talkers
@every_pipe
def test_a_signal_beeps_and_never_raises(family: str, pipe: str) -> None:
    accepted, refused = FAMILIES[family].beeps or ([], [])

    async def story(stand: Stand) -> None:
        assert stand.scanner.can_signal
        await stand.scanner.signal(accepted=True)
        await asyncio.sleep(1)
        if pipe != "lossy":
            assert stand.told("beeps") == accepted
        await stand.scanner.signal(accepted=False)
        await asyncio.sleep(1)
        if pipe != "lossy":
            assert stand.told("beeps") == accepted + refused

    play(story, family, pipe)


@talkers
def test_the_trigger_is_pulled_and_let_go(family: str) -> None:
    async def story(stand: Stand) -> None:
        await stand.scanner.trigger(on=True)
        await asyncio.sleep(0.1)
        assert stand.told("triggered") is True
        await stand.scanner.trigger(on=False)
        await asyncio.sleep(0.1)
        assert stand.told("triggered") is False

    play(story, family)


def test_a_scanner_without_an_ear_does_nothing() -> None:
    async def story(stand: Stand) -> None:
        assert (stand.scanner.can_signal, stand.scanner.can_trigger) == (False, False)
        await stand.scanner.signal(accepted=True)
        await stand.scanner.trigger(on=True)
        assert stand.scanner.status().health is Health.OK

    play(story, "serial")


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.refusal[0]])
def test_a_refused_or_unanswered_command_is_told_and_codes_still_come(family: str) -> None:
    async def story(stand: Stand) -> None:
        assert isinstance(stand.scanner, TalkingScanner)
        stand.poke(*FAMILIES[family].refusal)
        with pytest.raises(Refused):
            await stand.scanner.trigger(on=True)
        await stand.scanner.signal(accepted=True)
        assert stand.scanner.status().health is Health.DEGRADED
        stand.poke("send", CODES[0])
        await until(lambda: stand.texts == CODES[:1])

        stand.poke("mute")
        with pytest.raises(NoAnswer):
            await stand.scanner.trigger(on=True)
        stand.poke("unmute")
        stand.poke(FAMILIES[family].refusal[0], "0" if family.startswith("ssi") else "06")
        await stand.scanner.enable(on=False)
        assert stand.told("enabled") is False
        await stand.scanner.enable(on=True)
        assert stand.scanner.status().health is Health.OK

    play(story, family)


@every_family
def test_a_code_half_sent_when_the_port_vanished_is_dropped_and_the_next_comes(family: str) -> None:
    half = {"ssi": "14F300000353463133", "new": "53463133", "hon": "16FE12000000", "ser": "53463133"}[family[:3]]

    async def story(stand: Stand) -> None:
        stand.poke("raw", half)
        await asyncio.sleep(0.05)
        stand.pipe.unplug()
        await until(lambda: stand.scanner.status().health is Health.AWAY)
        if isinstance(stand.scanner, TalkingScanner):
            with pytest.raises(NotThere):
                await stand.scanner.trigger(on=True)
            await stand.scanner.signal(accepted=True)
        await asyncio.sleep(10)
        stand.pipe.replug()
        await until(lambda: stand.scanner.status().health is not Health.AWAY)
        await asyncio.sleep(10)
        stand.poke("send", CODES[3])
        await until(lambda: stand.texts == [CODES[3]])

    play(story, family)


@every_family
def test_two_guns_behind_one_dongle_are_told_by_their_prefix(family: str) -> None:
    async def story(stand: Stand) -> None:
        for text in ("A:SF1", "B:SF1", "SF1"):
            stand.poke("send", text)
            await asyncio.sleep(0.5)
        assert [(read.scanner, read.text) for read in stand.seen] == [
            ("gun/A", "SF1"), ("gun/B", "SF1"), ("gun", "SF1")
        ]  # fmt: skip

    play(story, family, habits=Habits(read_prefixes("A:,B:")))


@pytest.mark.parametrize("family", ["serial", "newland", "honeywell"])
@pytest.mark.parametrize("pace_ms", [0, 30, 80])
def test_a_memory_is_uploaded_as_one_batch_and_known_again(family: str, pace_ms: int) -> None:
    async def story(stand: Stand) -> None:
        assert isinstance(stand.gun, Gun)
        stand.gun.memory = GunMemory(pace_ms, keeps=True)
        stand.poke("store", *CODES)
        stand.poke("upload", "7")
        await asyncio.sleep(3)
        stand.poke("upload")
        await asyncio.sleep(3)
        assert stand.seen == []
        assert [[read.text for read in batch.reads] for batch in stand.batches] == [CODES[:7], CODES[7:]]
        assert [batch.repeated for batch in stand.batches] == [0, 7]
        assert {read.time_quality for batch in stand.batches for read in batch.reads} == {TimeQuality.UPLOAD}

    play(story, family, habits=Habits(rhythm=Rhythm(Memory.HELD)))


@pytest.mark.parametrize("family", CHECKED)
def test_stored_codes_of_a_packet_gun_are_one_batch_without_any_setting(family: str) -> None:
    async def story(stand: Stand) -> None:
        stand.poke("store", *CODES * 3)
        stand.poke("upload")
        await asyncio.sleep(5)
        assert [[read.text for read in batch.reads] for batch in stand.batches] == [CODES * 3]
        assert stand.seen == []

    play(story, family)


def test_a_packet_gun_is_not_acknowledged_when_nobody_takes_its_codes() -> None:
    async def main() -> None:
        gun = SsiGun()
        pipe = Pipe(gun)
        scanner = TalkingScanner(pipe.link("gun"), Ssi(aim=False), LoopClock())
        await scanner.start()
        for number in range(513):
            gun.send(f"C{number}")
        for _ in range(2000):
            pipe.tick()
            await asyncio.sleep(0.01)
        assert (gun.acknowledged, gun.lost, gun.beeps[-4:]) == (512, 1, [5, 5, 5, 5])
        assert scanner.status().health is Health.DEGRADED
        await scanner.stop()

    run_instantly(main())


def test_a_gun_is_greeted_at_each_opening() -> None:
    async def main() -> None:
        async with Stand(FAMILIES["ssi classic"]) as stand:
            await until(lambda: stand.told("packeted") is True)
            assert isinstance(stand.gun, SsiGun)
            stand.gun.is_packeted = stand.gun.is_enabled = False
            stand.pipe.unplug()
            await asyncio.sleep(1)
            stand.pipe.replug()
            await until(lambda: bool(stand.told("packeted")) and bool(stand.told("enabled")))

    run_instantly(main())


def test_a_framing_gun_is_asked_to_frame_and_its_lines_stay_together() -> None:
    async def main() -> None:
        family = Family(HoneywellGun, talking(Honeywell))
        async with Stand(family) as stand:
            await asyncio.sleep(0.5)
            stand.poke("send", "丰优22\r\n某种业\r\nhttps://seed.example")
            await until(lambda: bool(stand.seen))
            assert [read.text for read in stand.seen] == ["]C0丰优22\r\n某种业\r\nhttps://seed.example"]

    run_instantly(main())


def test_the_lines_of_one_label_share_their_burst_and_their_gun() -> None:
    async def story(stand: Stand) -> None:
        assert isinstance(stand.gun, Gun)
        stand.gun.burst(["A:丰优22", "某种业", "0001", "https://seed.example"])
        await asyncio.sleep(1)
        stand.gun.burst(["SF1"])
        await asyncio.sleep(1)
        assert [read.burst for read in stand.seen] == [1, 1, 1, 1, 2]
        assert [read.scanner for read in stand.seen] == ["gun/A"] * 4 + ["gun"]

    play(story, "serial", habits=Habits(read_prefixes("A:"), Rhythm(Memory.WATCHED)))


@talkers
def test_the_same_on_a_real_terminal(family: str, tmp_path: Path) -> None:
    """Real time, a real pseudo-terminal, the table of kinds."""
    from drivers.build import DeviceSettings, build

    async def main() -> list[str]:
        gun = FAMILIES[family].gun()
        host = Host([Terminal("gun", gun, tmp_path / "gun")], None)
        await host.start()
        kind = f"{family.partition(' ')[0]}_scanner"
        scanner = build(DeviceSettings("gun", kind, str(tmp_path / "gun")), LoopClock())
        assert isinstance(scanner, ReadingScanner)
        assert isinstance(scanner, TalkingScanner)
        await scanner.start()
        try:
            await asyncio.sleep(0.3)
            await scanner.signal(accepted=True)
            await asyncio.sleep(0.1)
            for code in CODES[:3]:
                gun.poke("send", [code])
                await asyncio.sleep(0.2)
            return await _texts(scanner, 3)
        finally:
            async with asyncio.timeout(2):
                await scanner.stop()
            await host.stop()
            state = gun.poke("state", [])
            assert isinstance(state, dict)
            assert state["beeps"] == (FAMILIES[family].beeps or ([],))[0]

    assert [text.removeprefix("]C0") for text in asyncio.run(main())] == CODES[:3]


async def _texts(scanner: ReadingScanner, count: int) -> Sequence[str]:
    texts: list[str] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            async for read in scanner.reads():
                texts.append(read.text)
                if len(texts) == count:
                    break
    return texts


def test_a_code_too_long_is_told_by_every_family() -> None:
    async def story(stand: Stand) -> None:
        stand.poke("send", "7" * 5000)
        await asyncio.sleep(60)
        assert [(read.text, read.flaw) for read in stand.seen] == [("", Flaw.OVERLONG)]

    for family in FAMILIES:
        play(story, family)
