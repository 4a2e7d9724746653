"""Simulated devices on the network: found at their address, one guest at a time, unplugged and back."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from drivers.base import Health
from drivers.build import DeviceSettings, build
from drivers.display import LedDisplay
from drivers.sim.host import Host
from drivers.sim.led import Led
from drivers.sim.net import NetTerminal, terminal
from drivers.sim.settings import read_bench
from tests.links import LoopClock


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


def test_a_bench_names_network_devices_by_their_address(tmp_path: Path) -> None:
    (tmp_path / "sim.toml").write_text('[devices.led]\nkind = "onbon"\npath = "tcp://127.0.0.1:5005"\n')

    ((name, device, place),) = read_bench(tmp_path / "sim.toml").devices

    made = terminal(name, device, place)
    assert isinstance(made, NetTerminal)
    assert made.place == "tcp://127.0.0.1:5005"


@pytest.mark.parametrize("place", ["tcp://here:5005", "tcp://127.0.0.1:0", "tcp://127.0.0.1", "udp://127.0.0.1:5"])
def test_an_address_that_is_none_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="is not like tcp://"):
        terminal("led", Led(), place)


def test_a_card_built_from_settings_shows_over_the_network_and_again_after_unplugging() -> None:
    async def until(is_so: bool, lines: list[str], led: Led, display: LedDisplay) -> None:
        async with asyncio.timeout(20):
            while (display.status().health is not Health.AWAY) is not is_so or (is_so and led.shown() != lines):
                await asyncio.sleep(0.02)

    async def main() -> None:
        place = f"tcp://127.0.0.1:{free_port()}"
        led = Led()
        host = Host([terminal("led", led, place)], None)
        display = build(DeviceSettings("led", "onbon", place), LoopClock())
        assert isinstance(display, LedDisplay)
        await display.start()
        display.show(["取件单 A05"])
        await host.start()
        await until(True, ["取件单 A05"], led, display)
        host.poke("led", "unplug", [])
        led.power_off()
        await until(False, [], led, display)
        led.power_on()
        host.poke("led", "replug", [])
        await until(True, ["取件单 A05"], led, display)
        await display.stop()
        await host.stop()

    asyncio.run(main())
