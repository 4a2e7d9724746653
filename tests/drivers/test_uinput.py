"""The typing scanner on real kernel devices, where this machine may make some: grabbed, unplugged in mid-scan, back."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import evdev
import pytest
from evdev import ecodes

from drivers.base import Health, Read
from drivers.input_nodes import grab_nodes
from drivers.scanner import EvdevScanner
from drivers.wire.keys import KeyScans
from tests.links import LoopClock

NODE = "/dev/uinput"
PLACE = "village-test-1"  # the scanner's port, as `phys` tells it
pytestmark = pytest.mark.skipif(
    not os.access(NODE, os.W_OK), reason=f"{NODE} is not there or not ours: no keyboards can be made"
)


@contextmanager
def keyboard(phys: str = f"{PLACE}/input0") -> Iterator[evdev.UInput]:
    with evdev.UInput(name="village-point test gun", vendor=0x05E0, product=0x1200, phys=phys) as device:
        time.sleep(0.3)  # until its node may be read
        yield device


def strike(device: evdev.UInput, text: str) -> None:
    for name in text:
        code = ecodes.KEY_ENTER if name == "\n" else ecodes.ecodes[f"KEY_{name}"]
        for value in (1, 0):
            device.write(ecodes.EV_KEY, code, value)
            device.syn()


async def read_one(scanner: EvdevScanner) -> Read:
    async with asyncio.timeout(5):
        return await anext(scanner.reads())


async def until(scanner: EvdevScanner, health: Health) -> None:
    async with asyncio.timeout(5):
        while scanner.status().health is not health:
            await asyncio.sleep(0.02)


def test_keys_reach_the_scanner_and_nobody_else() -> None:
    async def main() -> None:
        with keyboard() as device:
            scanner = EvdevScanner("gun", lambda: grab_nodes(f"{PLACE}/input0"), KeyScans(), LoopClock())
            await scanner.start()
            with evdev.InputDevice(device.device.path) as eavesdropper:
                strike(device, "1234567890\n")
                assert (await read_one(scanner)).text == "1234567890"
                assert eavesdropper.read_one() is None
            await scanner.stop()

    asyncio.run(main())


def test_a_plug_pulled_in_mid_scan_drops_the_half_code_and_the_next_device_there_is_taken() -> None:
    async def main() -> None:
        scanner = EvdevScanner("gun", lambda: grab_nodes(f"{PLACE}/input0"), KeyScans(idle_ms=2000), LoopClock())
        with keyboard() as device:
            await scanner.start()
            strike(device, "123")
            await asyncio.sleep(0.2)
        await until(scanner, Health.AWAY)
        with keyboard(phys="village-test-2/input0"), keyboard() as device:
            await until(scanner, Health.OK)
            strike(device, "45\n")
            assert (await read_one(scanner)).text == "45"
        await scanner.stop()

    asyncio.run(main())
