"""Simulated guns: built from a bench's settings, moved by their handles, heard on a wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.sim.device import SimDevice
from drivers.sim.scanner import Gun
from drivers.sim.settings import BadBench, read_bench
from drivers.sim.ssi_gun import RESPONSE_MS, SsiGun
from drivers.wire.honeywell import menu
from drivers.wire.newland import command, reply
from drivers.wire.ssi import ACK, RETRANSMITTED, is_whole, nak, sealed

BENCH = """
[devices.plain]
kind = "serial_scanner"
path = "plain"
prefixes = "A:,B:"
pace_ms = 50
wraps = true
[devices.zebra]
kind = "ssi_scanner"
path = "zebra"
layout = "cordless"
[devices.newland]
kind = "newland_scanner"
path = "newland"
terminator = "crlf"
[devices.honeywell]
kind = "honeywell_scanner"
path = "honeywell"
"""


@pytest.fixture
def guns(tmp_path: Path) -> dict[str, SimDevice]:
    (tmp_path / "sim.toml").write_text(BENCH)
    return {name: device for name, device, _ in read_bench(tmp_path / "sim.toml").devices}


def test_two_guns_behind_one_dongle_type_their_prefixes(guns: dict[str, SimDevice]) -> None:
    gun = guns["plain"]
    gun.poke("pull", ["1", "SF1"])
    gun.poke("pull", ["2", "SF1"])

    assert gun.tick(0) == [b"A:SF1\r", b"B:SF1\r"]
    with pytest.raises(ValueError, match=r"gun 3 is not in 1\.\.2"):
        gun.poke("pull", ["3", "SF1"])


def test_a_memory_leaves_at_its_pace_between_its_wrapper_lines(guns: dict[str, SimDevice]) -> None:
    gun = guns["plain"]
    gun.poke("store", ["SF1", "SF2"])
    gun.poke("upload", [])

    said = [gun.tick(now) for now in (1000, 1020, 1050, 1100, 1150, 9000)]

    assert said == [[b"<UPL>: start 00002\r"], [], [b"SF1\r"], [b"SF2\r"], [b"<UPL>: transmission OK\r"], []]
    assert isinstance(gun, Gun)
    assert gun.memory.stored == []


def test_a_broken_off_upload_keeps_the_memory(guns: dict[str, SimDevice]) -> None:
    gun = guns["newland"]
    gun.poke("store", ["SF1", "SF2", "SF3"])
    gun.poke("upload", ["2"])

    assert gun.tick(0) + gun.tick(100) + gun.tick(200) == [b"SF1\r\n", b"SF2\r\n"]
    assert isinstance(gun, Gun)
    assert gun.memory.stored == ["SF1", "SF2", "SF3"]
    gun.poke("forget", [])
    assert gun.memory.stored == []


def test_a_packet_gun_repeats_twice_and_gives_up_with_four_low_beeps(guns: dict[str, SimDevice]) -> None:
    gun = guns["zebra"]
    gun.poke("send", ["SF1"])

    sent = [gun.tick(now) for now in (0, 1000, RESPONSE_MS, 2 * RESPONSE_MS, 3 * RESPONSE_MS)]

    assert [len(each) for each in sent] == [1, 0, 1, 1, 0]
    assert [each[0][3] & RETRANSMITTED for each in sent if each] == [0, 1, 1]
    assert isinstance(gun, SsiGun)
    assert (gun.lost, gun.beeps) == (1, [5] * 4)


def test_a_packet_gun_sends_the_next_code_once_the_first_is_acknowledged(guns: dict[str, SimDevice]) -> None:
    gun = guns["zebra"]
    gun.poke("burst", ["SF1", "SF2"])
    [first] = gun.tick(0)

    [again] = gun.receive(nak(1))
    [second] = gun.receive(sealed(ACK))

    assert is_whole(first)
    assert b"SF1" in again
    assert b"SF2" in second
    assert gun.receive(sealed(ACK)) == []
    assert gun.receive(b"\x05\xe6\x04\x00\x00\xff\x12") == [bytes.fromhex("05 D1 00 00 01 FF 29")]


def test_guns_with_ears_obey_answer_and_refuse(guns: dict[str, SimDevice]) -> None:
    newland, honeywell = guns["newland"], guns["honeywell"]

    assert newland.receive(command("SCNENA0").frame) == [reply("SCNENA0")]
    assert newland.poke("answer", ["05"])
    assert newland.receive(command("SCNENA1").frame[:9]) + newland.receive(command("SCNENA1").frame[9:]) == [
        reply("SCNENA1", 0x05)
    ]
    state = newland.poke("state", [])
    assert isinstance(state, dict)
    assert state["enabled"] is False
    assert honeywell.receive(menu("DECHDR1").frame) == [b"DECHDR1\x06!"]
    honeywell.poke("send", ["SF1"])
    assert honeywell.tick(0)[0].startswith(b"\x16\xfe")
    with pytest.raises(LookupError):
        honeywell.poke("dance", [])


def test_wrong_settings_of_a_gun_are_told(tmp_path: Path) -> None:
    (tmp_path / "sim.toml").write_text(BENCH.replace("cordless", "wireless").replace("crlf", "bell"))

    with pytest.raises(BadBench) as caught:
        read_bench(tmp_path / "sim.toml")

    assert len(caught.value.mistakes) == 2
