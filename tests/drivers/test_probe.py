"""Finding out what hangs on an unknown port: every family is found, and nothing of any family is moved by it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import xor
from typing import Any

import pytest

from drivers import probe_ear, probe_locks
from drivers.base import NotThere
from drivers.build import KINDS, DeviceSettings, build
from drivers.probe import LISTEN_BAUDS, PLAN, SURE, Finding, Patience, probe
from drivers.probe_talks import Ask
from drivers.sim import lock_board
from drivers.sim.cabinet import CabinetSim
from drivers.sim.command_guns import HoneywellGun, NewlandGun
from drivers.sim.device import SimDevice
from drivers.sim.kerong import Cu16Board, Cu16Cabinet, Cu48Board, Cu48Cabinet
from drivers.sim.led import Led
from drivers.sim.lock_board import LockBoard
from drivers.sim.modbus_relay import RelayBoard, RelayCabinet
from drivers.sim.panels import AlphaSim, ArmflySim, Cd5220Sim, Led8Sim
from drivers.sim.printer import Receipts
from drivers.sim.scale import Build, PanScale, Talk
from drivers.sim.scanner import Gun
from drivers.sim.ssi_gun import SsiGun
from drivers.sim.winnsen import WinnsenBoard, WinnsenCabinet
from drivers.sim.wkly import WklyBoard, WklyCabinet
from drivers.wire.kerong_cu48 import CommandSet, Layout
from tests.links import LoopClock, Pipe, run_instantly

USUAL = Patience()
PATH = "/dev/serial/by-path/port-3"


def scale(talk: Talk) -> Callable[[], SimDevice]:
    return lambda: PanScale(Build(talk=talk))


# Every simulator in every way it is built, and what must be found: family, and settings beside kind, path and baud.
FOUND: Mapping[str, tuple[Callable[[], SimDevice], str, Mapping[str, object]]] = {
    "8A/80": (LockBoard, "lock_8a80", {}),
    "8A/80 of 16": (lambda: LockBoard(lock_board.Cabinet(16, 16)), "lock_8a80", {"ways": 16}),
    "8A/80 of 32, two": (lambda: LockBoard(lock_board.Cabinet(64, 32)), "lock_8a80", {"ways": 32, "boards": 2}),
    "CU16": (Cu16Board, "kerong_cu16", {}),
    "CU16 from 2, three": (lambda: Cu16Board(Cu16Cabinet(48, first=2)), "kerong_cu16", {"first": 2, "boards": 3}),
    "CU48 set B": (Cu48Board, "kerong_cu48", {}),
    "CU48 set A": (
        lambda: Cu48Board(Cu48Cabinet(command_set=CommandSet.A, layout=Layout.ETX)), "kerong_cu48",
        {"command_set": "a"},
    ),
    "CU24": (lambda: Cu48Board(Cu48Cabinet(24, 24)), "kerong_cu48", {"ways": 24}),
    "WKLY": (WklyBoard, "wkly", {}),
    "WKLY of 12 from 1": (lambda: WklyBoard(WklyCabinet(12, 12, first=1)), "wkly", {"ways": 12, "first": 1}),
    "Modbus": (RelayBoard, "modbus_relay", {}),
    "Modbus of 4": (lambda: RelayBoard(RelayCabinet(4, 4)), "modbus_relay", {"ways": 4}),
    "Modbus of 16, unit 2": (
        lambda: RelayBoard(RelayCabinet(16, 16, first=2)), "modbus_relay", {"ways": 16, "first": 2},
    ),
    "Winnsen": (WinnsenBoard, "winnsen", {}),
    "Winnsen, two": (lambda: WinnsenBoard(WinnsenCabinet(32)), "winnsen", {"boards": 2}),
    "Onbon": (Led, "onbon", {}),
    "Onbon 7": (lambda: Led(screen=7), "onbon", {"screen": 0xFFFE}),
    "Alpha": (AlphaSim, "alpha", {"parity": "even", "answers": True}),
    "Alpha of eight bits": (lambda: AlphaSim(is_even=False), "alpha", {"parity": "none", "answers": True}),
    "Armfly": (ArmflySim, "armfly", {"form": "ascii"}),
    "A9": (scale(Talk.A9), "yaohua_a9", {}),
    "A9 asked": (scale(Talk.A9_ASKED), "yaohua_a9", {"mode": "command"}),
    "A12": (scale(Talk.A12), "yaohua_a12", {}),
    "A12 asked": (scale(Talk.A12_ASKED), "yaohua_a12", {"mode": "command"}),
    "equals": (scale(Talk.EQUALS), "scale_equals", {}),
    "Toledo": (scale(Talk.TOLEDO), "toledo", {}),
    "Toledo without check": (scale(Talk.TOLEDO_PLAIN), "toledo", {"has_check": False}),
    "ESC/POS": (Receipts, "escpos", {}),
}  # fmt: skip
SILENT: Mapping[str, Callable[[], SimDevice]] = {
    "LED8": Led8Sim,
    "LED8 binary": lambda: Led8Sim("binary"),
    "CD5220": Cd5220Sim,
    "Armfly Modbus": lambda: ArmflySim(form="modbus"),
    "printer that never answers": lambda: Receipts(answers=False),
    "gun at rest": Gun,
    "Newland at rest": NewlandGun,
    "Honeywell at rest": HoneywellGun,
    "SSI at rest": SsiGun,
}
ALL = {name: make for name, (make, _, _) in FOUND.items()} | SILENT


class Bench(Pipe):
    """A simulated device that keeps every byte it was sent."""

    def __init__(self, device: SimDevice) -> None:
        super().__init__(device)
        self.asked = b""
        device.receive = self._noted(device.receive)  # type: ignore[method-assign]

    def _noted(self, receive: Callable[[bytes], list[bytes]]) -> Callable[[bytes], list[bytes]]:
        def noted(chunk: bytes) -> list[bytes]:
            self.asked += chunk
            return receive(chunk)

        return noted

    def search(self, *, scans: tuple[str, ...] = (), patience: Patience = USUAL) -> list[Finding]:
        async def main() -> list[Finding]:
            ticking = asyncio.create_task(self._tick(list(scans)))
            try:
                return await probe(PATH, patience, self.connect)
            finally:
                ticking.cancel()
                await asyncio.gather(ticking, return_exceptions=True)

        return run_instantly(main())

    async def _tick(self, scans: list[str]) -> None:
        while True:
            await asyncio.sleep(0.05)
            if scans:
                self.device.poke("send", [scans.pop(0)])
            self.tick()


def untouched(device: SimDevice) -> dict[str, object]:
    """Everything about a device that an act would change."""
    state: Any = device.poke("state", [])
    gone = {"faults", "sent", "asked_scale", "received", "waiting", "rejected", "exceptions", "naks", "commands"}
    told = {key: value for key, value in state.items() if key not in gone}
    if isinstance(device, PanScale):
        told.pop("asked")  # a reading is what it is asked for
    if isinstance(device, Cd5220Sim | Led8Sim):  # letters of questions may be seen on them: no setting
        told = {key: value for key, value in told.items() if key not in ("shown", "updates")}
    if isinstance(device, AlphaSim):
        told["files"] = dict(device.files)
    return told


@pytest.mark.parametrize("name", FOUND)
def test_every_family_is_found_with_what_to_write_down(name: str) -> None:
    make, kind, options = FOUND[name]

    findings = Bench(make()).search()

    assert [finding.kind for finding in findings if finding.sure >= SURE] == [kind]
    best = findings[0]
    assert (best.kind, best.answered) == (kind, True)
    assert {key: best.settings[key] for key in options} == options
    assert set(best.settings) == {"kind", "path", "baud", *options}
    assert {finding.kind for finding in findings} == {name for name, each in KINDS.items() if each.baud is not None}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_written_down_builds_a_driver(name: str) -> None:
    found = dict(Bench(FOUND[name][0]()).search()[0].settings)
    kind, path, baud = str(found.pop("kind")), str(found.pop("path")), int(found.pop("baud"))

    assert build(DeviceSettings("it", kind, path, baud, found), LoopClock()).name == "it"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("is_mute", [False, True], ids=["answering", "mute"])
def test_no_family_is_moved_printed_on_or_changed_by_any_question(name: str, is_mute: bool) -> None:
    device = ALL[name]()
    if is_mute:
        device.line.mute()  # it hears every question of every family then, and would obey
    if isinstance(device, RelayBoard):
        device.hold(2)  # what somebody else left on stays on, too
    before = untouched(device)

    bench = Bench(device)
    bench.search()

    assert untouched(device) == before
    if isinstance(device, CabinetSim):
        assert (device.pulses.total(), device.asked.total(), device.refused) == (0, 0, 0)
    if isinstance(device, Receipts):
        assert (device.slips, device.on_paper) == ([], [])
    if isinstance(device, NewlandGun | HoneywellGun):
        assert device.ears.commands == 0
    if is_mute and name in ("8A/80", "ESC/POS"):
        assert len(bench.asked) > 200  # all families were asked


def test_a_streaming_scale_is_known_before_a_byte_is_sent() -> None:
    for name in ("A9", "A12", "equals", "Toledo", "Toledo without check"):
        bench = Bench(FOUND[name][0]())
        bench.search()
        assert bench.asked == b""


def test_a_scanned_code_tells_the_gun_and_nothing_is_sent() -> None:
    for device, kind in ((Gun(), "serial_scanner"), (SsiGun(), "ssi_scanner")):
        bench = Bench(device)
        findings = bench.search(scans=("SF1385628716739", "6901234567892"))
        assert (findings[0].kind, findings[0].sure >= SURE, bench.asked) == (kind, True, b"")


def test_one_plain_code_is_not_enough_to_be_sure_of_a_gun() -> None:
    ear = probe_ear.Ear()
    ear.feed(b"6901234567892\r", 0)

    assert [finding.sure < SURE for finding in ear.findings()] == [True]


def test_a_port_that_babbles_is_not_asked_anything() -> None:
    bench = Bench(Gun())

    async def main() -> list[Finding]:
        async def babble() -> None:
            while True:
                await asyncio.sleep(0.01)
                bench.device.poke("raw", ["f0e1d2c3b4"])
                bench.tick()

        task = asyncio.create_task(babble())
        try:
            return await probe(PATH, Patience(), bench.connect)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    findings = run_instantly(main())

    assert bench.asked == b""
    assert not any(finding.answered for finding in findings)
    assert any("something talks on this port" in finding.why for finding in findings)


def test_an_echoing_adapter_is_seen_through_and_told() -> None:
    for name in ("8A/80", "CU16", "Modbus", "Winnsen", "WKLY"):
        device = FOUND[name][0]()
        device.line.echoes = True
        best = Bench(device).search()[0]
        assert (best.kind, best.sure >= SURE, best.settings.get("echo")) == (FOUND[name][1], True, True)
    silent = Receipts(answers=False)
    silent.line.echoes = True
    assert Bench(silent).search()[0].sure < SURE  # an echo is no answer


def test_asking_ends_with_the_first_family_that_is_sure() -> None:
    bench = Bench(LockBoard())
    findings = bench.search()

    assert b"\x90\x06" not in bench.asked
    assert b"\x5a" not in bench.asked
    assert {finding.why for finding in findings if finding.kind == "winnsen"} == {
        "not asked: lock_8a80 was sure before"
    }


@pytest.mark.parametrize("name", ["8A/80", "CU16", "WKLY", "Modbus", "Winnsen", "A9", "ESC/POS", "Onbon"])
@pytest.mark.parametrize("seed", range(4))
def test_a_bad_cable_never_makes_another_family_sure_and_opens_nothing(name: str, seed: int) -> None:
    device = FOUND[name][0]()
    device.line.garble(0.4, seed)

    findings = Bench(device).search()

    assert {finding.kind for finding in findings if finding.sure >= SURE} <= {FOUND[name][1]}
    if isinstance(device, CabinetSim):
        assert (device.pulses.total(), device.asked.total(), device.refused) == (0, 0, 0)


def test_answers_that_contradict_each_other_are_not_sure() -> None:
    device = LockBoard()
    bench = Bench(device)

    async def main() -> list[Finding]:
        async def shake() -> None:
            while True:
                for hand in (device.open_by_hand, device.close_door):
                    await asyncio.sleep(0.1)
                    hand(3)

        task = asyncio.create_task(shake())
        try:
            return await probe(PATH, Patience(), bench.connect)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    best = run_instantly(main())[0]
    assert (best.kind, best.sure < SURE) == ("lock_8a80", True)


def test_an_unplugged_port_is_told() -> None:
    bench = Bench(LockBoard())
    bench.unplug()

    with pytest.raises(NotThere):
        bench.search()
    with pytest.raises(NotThere):
        run_instantly(probe("/dev/serial/by-path/nowhere"))


def test_a_port_that_vanishes_is_told() -> None:
    bench = Bench(Gun())

    async def main() -> None:
        asyncio.get_running_loop().call_later(9, bench.unplug)
        await probe(PATH, Patience(), bench.connect)

    with pytest.raises(NotThere, match="vanished"):
        run_instantly(main())


@pytest.mark.parametrize("path", ["usb:///dev/usb/lp0", "file:///tmp/slips", "http://there"])
def test_only_ports_are_probed(path: str) -> None:
    with pytest.raises(ValueError, match="no serial port"):
        run_instantly(probe(path))


# --- the frames themselves, against what boards obey that look less closely than the simulators -----------------------


def questions() -> Iterator[tuple[int, bytes]]:
    """Every question that goes out to a port nobody answers on, with its baud."""
    for baud, talks in PLAN:
        for _, begin in talks:
            talk = begin()
            ask: Ask = next(talk)
            with contextlib.suppress(StopIteration):
                while True:
                    yield baud, ask.request
                    ask = talk.send(b"")


def is_xor(frame: bytes) -> bool:
    return reduce(xor, frame, 0) == 0


def acts(stream: bytes) -> list[str]:  # noqa: PLR0912  a list of all of them
    """Every act of any family at any place of a stream of bytes, noise between frames or not."""
    found = []
    for at in range(len(stream)):
        piece = stream[at : at + 16]
        if piece[:1] == b"\x8a" and piece[3:4] == b"\x11":
            found.append("8A/80 opening")  # whatever its XOR
        if piece[:1] in (b"\x9a", b"\x9b", b"\x9d") and (piece[3:4] in (b"\x10", b"\x33") or is_xor(piece[:5])):
            found.append("8A/80 hold or test")
        if piece[:1] == b"\x90" and len(piece) >= 6 and is_xor(piece[:6]):
            found.append("8A/80 open several")
        if piece[:3] == b"\x90\x06\x05" and piece[5:6] == b"\x03":
            found.append("Winnsen opening")
        if len(piece) > 2 and piece[0] == 2 and piece[2] in (0x31, 0x33, 0x37, 0x39, 0x40):  # whatever follows
            found.append("CU16 act")
        if len(piece) > 4 and piece[0] == 2 and piece[3] in (0x51, 0x61) and piece[4] == 3:
            found.append("CU48 opening")
        if piece[:4] == b"WKLY" and piece[6:7] in b"\x80\x81\x82\x86\x87\x88\x89" and len(piece) > 6:
            found.append("WKLY act")
        if len(piece) > 7 and piece[1] in (0x05, 0x06, 0x0F, 0x10) and piece[0] < 32 and _is_modbus(stream[at:]):
            found.append("Modbus write")
        if piece[:2] in (b"\x10\x05", b"\x10\x14", b"\x1bp") or piece[:1] in (b"\x1b", b"\x1c", b"\x1d"):
            found.append("printer or display command")
        if piece[:1] in (b"\n", b"\r", b"\x0c", b"\x18", b"\x16", b"\x7e"):
            found.append("line end, clear, or gun command")
        if piece[:2] == b"\x02B" and piece[2:3] in (*(b"%d" % n for n in range(6)),):
            found.append("LED8 baud")
        if piece[:2] == b"\x02L" and piece[2:3] in (b"0", b"1"):
            found.append("LED8 lamps")
        if re.match(rb"\$[0-9]{3},[^#&]*#", piece):
            found.append("Armfly show")
        if re.match(rb"\x00{3,}\x01.{3}\x02[AEGIO]", piece, re.DOTALL):
            found.append("Alpha write")
    return found


def _is_modbus(rest: bytes) -> bool:
    from drivers.wire.modbus_relay import is_sealed

    return is_sealed(rest[:8]) or (len(rest) > 8 and is_sealed(rest[: 9 + rest[6]]))


def test_the_list_of_acts_knows_an_act() -> None:
    samples = (
        "8A 01 01 11 9B", "90 01 05 00 00 94", "9A 01 01 10 8A", "90 06 05 01 07 03", "02 12 31 03 48",
        "02 00 2F 51 03 85", "57 4B 4C 59 09 00 82 01 83", "01 05 02 00 00 07 8D B0", "02 42 32", "0A",
    )  # fmt: skip
    assert all(acts(bytes.fromhex(sample)) for sample in samples)


def test_no_question_nor_any_two_in_a_row_hold_an_act_of_any_family() -> None:
    sent = [request for _, request in questions()]

    assert len(sent) > 40
    assert acts(b"".join(sent)) == []
    for request in sent:
        assert acts(request + request) == []


def test_scales_are_asked_at_all_their_bauds_before_a_z_or_t_goes_out() -> None:
    sent = list(questions())
    first = next(at for at, (_, request) in enumerate(sent) if set(request) & set(b"TZ"))

    asked = [baud for baud, request in sent[:first] if request == b"R"]
    assert set(asked) == {1200, 2400, 4800, 9600}
    assert b"R" not in [request for _, request in sent[first:]]


def test_winnsen_is_asked_last_and_every_8a80_board_that_could_mistake_it_before() -> None:
    sent = [request for _, request in questions()]
    winnsen = [at for at, request in enumerate(sent) if request[:1] == b"\x90"]
    boards = {request[1] for request in sent[: winnsen[0]] if request[:1] == b"\x80"}

    assert winnsen == list(range(winnsen[0], len(sent)))
    assert {sent[at][1] for at in winnsen} <= boards  # its length is read as a number there
    assert not any(is_xor(sent[at]) for at in winnsen)


def misheard(sent: bytes, at_baud: int, by_baud: int, phase: float) -> bytes:
    """What a receiver at another baud makes of a line: the line sampled in the middle of the receiver's own bits."""
    bits = [bit for byte in sent for bit in (0, *(byte >> n & 1 for n in range(8)), 1)] + [1] * 40
    ratio = at_baud / by_baud  # bits of the sender in one of the receiver
    out, time, is_high = bytearray(), phase, True

    def level(when: float) -> int:
        return bits[int(when)] if when < len(bits) else 1

    while time < len(bits):
        if not (is_high and level(time) == 0):  # a start bit begins with a fall
            is_high = level(time) == 1
            time += ratio / 16
            continue
        out.append(sum(level(time + ratio * (1.5 + n)) << n for n in range(8)))
        time += ratio * 9.5
        is_high = level(time) == 1
    return bytes(out)


def test_the_resampled_line_is_the_line_at_the_same_baud() -> None:
    sent = bytes.fromhex("8A 01 01 11 9B 57 4B 4C 59")

    assert misheard(sent, 9600, 9600, 0.0) == sent
    assert misheard(sent, 19200, 9600, 0.0) != sent


OPENINGS = ("opening", "act", "hold or test", "open several", "Modbus write")


def test_no_question_heard_at_a_wrong_baud_opens_a_door() -> None:
    listeners = {*LISTEN_BAUDS, *(baud for baud, _ in PLAN)}
    for baud in {baud for baud, _ in PLAN}:
        sent = [request for each, request in questions() if each == baud]
        for by_baud in listeners - {baud}:
            for phase in (0.0, 0.03, 0.06):
                heard = b"".join(misheard(request, baud, by_baud, phase) for request in sent)
                assert [act for act in acts(heard) if act.endswith(OPENINGS)] == [], (baud, by_baud)


def test_the_makes_are_asked_by_reads_alone() -> None:
    for make in (probe_locks.EIGHT_A, probe_locks.CU16, probe_locks.CU48_A, probe_locks.CU48_B, probe_locks.WKLY,
                 probe_locks.WINNSEN):  # fmt: skip
        for number in make.numbers:
            requests = {build.wire.looks(build.place)[0].request for build in make.builds(number)}
            assert len(requests) == 1  # one question serves all forms of the make
            board = make.builds(number)[0]
            assert all(board.wire.open(board.place, lock) not in requests for lock in range(1, 13))
