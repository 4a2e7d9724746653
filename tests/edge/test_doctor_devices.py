"""Faults put into simulated devices on real pseudo-terminals: each must give its code and its sentence.

The table is the contract with the technician on the telephone: a changed sentence or code is changed here on purpose.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import serial

from drivers.base import Device, DeviceError
from drivers.build import DeviceSettings, build
from drivers.faults import Fault
from drivers.sim.host import Host
from drivers.sim.net import terminal
from drivers.sim.settings import read_bench
from edge.cli.doctor import said
from edge.clock import SystemClock
from edge.config import DEVICE_KINDS
from edge.doctor import device as judged
from edge.doctor_facts import DeviceFacts
from edge.steps import Finding

SOON_S = 25.0  # a silent display is asked three times for three seconds, a printer every ten
AT_ONCE = 24
NOWHERE = "nowhere"


@dataclass(frozen=True)
class Case:
    """`bench` are sections of a simulator bench; `before` and `after` (once it is well) are handles moved there."""

    name: str
    kind: str
    code: str
    zh: str
    en: str
    options: Mapping[str, Any] = field(default_factory=dict)
    sim: Mapping[str, Any] = field(default_factory=dict)
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    act: Callable[[Any], Awaitable[None]] | None = None
    path: str = "dev/it"
    level: str = "fault"
    boards: int = 0


def opens(cell: int) -> Callable[[Any], Awaitable[None]]:
    async def act(device: Any) -> None:
        with contextlib.suppress(DeviceError):  # what went wrong is what the status must tell
            await device.open(cell)

    return act


async def beeps(device: Any) -> None:
    await device.signal(True)


def shows(text: str) -> Callable[[Any], Awaitable[None]]:
    async def act(device: Any) -> None:
        device.show([text])

    return act


LOCK_SILENT = (
    "柜锁板没有回应：检查 485 的 A/B 线是否接反，再看锁板的电源灯",
    "the lock board does not answer: check whether A and B of the 485 line are swapped, then its power light",
)
NO_PORT = (
    "找不到它的端口：把 USB 插头拔下来，重新插紧",
    "its port is not there: pull the USB plug and push it in again",
)
NO_GUN = (
    "找不到扫码枪：把插头或接收器拔下来，重新插紧",
    "the scanner is not there: pull its plug or dongle and push it in again",
)
BLIND = ("看不到它显示什么，它从不回话：请用眼睛看", "it never answers, so look at it with your eyes")
SMALL = {"cells": 24}
CASES = [
    Case("port_is_not_there", "lock_8a80", "L01", *NO_PORT, path=NOWHERE),
    Case("printer_is_not_there", "escpos", "P01", *NO_PORT, path=NOWHERE),
    Case("scanner_was_unplugged", "serial_scanner", "G01", *NO_GUN, after=["unplug"]),
    Case("keyboard_scanner_is_not_there", "evdev_scanner", "G01", *NO_GUN, path=NOWHERE),
    Case(
        "another_program_holds_the_port", "yaohua_a9", "W02",
        "端口被别的程序占着：关掉别的调试软件，再看一次", "another program holds the port: close it, then look again",
        path="dev/held",
    ),
    Case(
        "nobody_at_the_address", "kerong_cu16", "L05",
        "网络上找不到它：看网线两头的灯，再核对地址",
        "nobody answers at its address: look at the lights of the network cable, then check the address",
        path="tcp://127.0.0.1:9",
    ),
    Case("lock_board_is_mute", "lock_8a80", "L11", *LOCK_SILENT, sim=SMALL, before=["mute"]),
    Case("lock_board_falls_silent", "wkly", "L11", *LOCK_SILENT, sim=SMALL, after=["mute"]),
    Case(
        "lock_board_at_another_speed", "lock_8a80", "L12",
        "柜锁板的话听不懂：核对波特率和锁板型号，再查 A/B 线",
        "what the lock board says makes no sense: check baud rate and kind of board, then the A/B wires",
        sim=SMALL, before=["rubbish on"],
    ),
    Case(
        "noise_on_the_line", "lock_8a80", "L13",
        "线路时好时坏：拧紧接线，屏蔽层接地，离电源线远一点",
        "the line is noisy: tighten the wires, ground the shield, keep away from power cables",
        sim=SMALL, after=["garble 0.4 3"], level="warn",
    ),
    Case(
        "adapter_echoes", "lock_8a80", "L15",
        "转换器把话又送回来：在配置里写 echo = true", "the adapter echoes: write echo = true in the settings",
        sim=SMALL, before=["echo on"], level="warn",
    ),
    Case(
        "one_board_of_two_is_silent", "kerong_cu16", "L21",
        "第 2 块锁板没有回应：查它的电源灯、拨码和 A/B 线",
        "lock board number 2 does not answer: check its power light, its switches and its A/B wires",
        options={"boards": 2}, boards=2, before=["it1 mute"],
    ),
    Case(
        "polarity_is_the_other_one", "lock_8a80", "L22",
        "所有的门都报开着：门要是关着，把 polarity 换成另一种，再开一个空格试",
        "every door says open: if they are shut, set the other polarity and open one empty cell to prove it",
        sim=SMALL | {"polarity": "short_when_open"},
    ),
    Case(
        "wrong_door_moves", "lock_8a80", "L23",
        "开的是 3 号，动的是 5 号：断开锁的电源，把这两把锁的线对调",
        "cell 3 was opened and 5 moved: cut the power of the locks and swap their wires",
        sim=SMALL, after=["wrong_door 3 5"], act=opens(3),
    ),
    Case(
        "door_is_stuck", "kerong_cu48", "L24",
        "3 号格打不开：用手推一下门，看锁舌，再查锁的插头",
        "cell 3 stays shut: push its door by hand, look at the latch, then at the plug of the lock",
        after=["jam 3"], act=opens(3),
    ),
    Case(
        "board_refuses_the_pulse", "modbus_relay", "L25",
        "锁板不肯开 2 号格：插紧这把锁的插头，再试一次",
        "the board will not open cell 2: push the plug of that lock in and try again",
        sim={"cells": 8, "ways": 8, "has_flash": False}, act=opens(2),
    ),
    Case(
        "no_sensor_and_no_reply", "lock_8a80", "L26",
        "开门后锁板不回话：把锁板设成有回复，或接上门感应线",
        "the board says nothing after an opening: set it to answer, or connect the door sensors",
        sim=SMALL | {"reply": "none"}, options={"has_door_sensor": False}, act=opens(4), level="warn",
    ),
    Case(
        "no_door_sensors", "lock_8a80", "L27",
        "正常；没有门感应，开门后请用眼睛看", "well; there are no door sensors, so look with your eyes",
        sim=SMALL, options={"has_door_sensor": False}, level="ok",
    ),
    Case(
        "scanner_refuses_commands", "newland_scanner", "G14",
        "扫码枪不接受命令：扫一次出厂设置码，再扫设置码",
        "the scanner refuses commands: scan its factory code, then its set-up codes",
        before=["answer 15"], act=beeps,
    ),
    Case(
        "scanner_is_deaf", "newland_scanner", "G34",
        "扫码枪能扫，但是不听命令：扫设置码打开串口命令",
        "the scanner reads and takes no commands: scan the code that switches them on",
        before=["mute"], act=beeps, level="warn",
    ),
    Case(
        "scanner_at_another_speed", "serial_scanner", "G36",
        "连着几个码读坏了：核对波特率，再扫设置码",
        "several codes in a row were damaged: check the baud rate, then scan the set-up codes",
        after=["rubbish on", "send 1234", "state", "sleep", "send 1235", "sleep", "send 1236"], level="warn",
    ),
    Case(
        "display_has_no_power", "onbon", "D11",
        "显示屏没有回应：看屏的电源灯，再查 A/B 线和屏号",
        "the display does not answer: look at its power light, then check the A/B wires and its number",
        before=["power_off"],
    ),
    Case(
        "display_at_another_speed", "onbon", "D12",
        "显示屏的话听不懂：核对波特率和控制卡型号",
        "what the display says makes no sense: check baud rate and kind of card",
        before=["rubbish on"],
    ),
    Case(
        "display_has_no_font", "onbon", "D43",
        "显示屏里没有字库：用厂家软件装 GB2312 字库",
        "a font is missing on the display: load GB2312 with the maker's tool",
        before=["refuse text 12", "refuse clear 12"], act=shows("欢迎"),
    ),
    Case(
        "display_has_too_little_room", "onbon", "D44",
        "文字太长，显示屏放不下：写短一点", "the text is too long for the display: write less",
        before=["refuse text 4"], act=shows("欢迎"),
    ),
    Case(
        "panel_is_smaller", "onbon", "D45",
        "屏的大小没写对：核对 width、height 和 in_pixels",
        "the size of the panel is wrong: check width, height and in_pixels",
        before=["refuse text 18"], act=shows("欢迎"),
    ),
    Case(
        "card_is_another_type", "onbon", "D46",
        "控制卡型号不对：核对 device_type", "the kind of card is wrong: check device_type",
        before=["refuse ping 17"],
    ),
    Case(
        "card_has_another_number", "onbon", "D47",
        "屏号不对：核对 screen", "this is another card's number: check screen", before=["refuse ping 19"],
    ),
    Case(
        "card_is_busy", "onbon", "D48",
        "显示屏正忙：等一分钟再看", "the display is busy: look again in a minute",
        before=["refuse ping 3"], level="warn",
    ),
    Case(
        "card_sees_damaged_frames", "onbon", "D49",
        "显示屏收到的话是坏的：查 A/B 线，屏蔽层接地",
        "the display receives damaged words: check the A/B wires and ground the shield",
        before=["refuse ping 5"],
    ),
    Case(
        "card_takes_no_brightness", "onbon", "D50",
        "文字能显示，亮度或时间设不了：核对控制卡型号",
        "the text is shown, light or clock cannot be set: check the kind of card",
        before=["refuse brightness 2"], level="warn",
    ),
    Case(
        "sign_has_no_chinese", "alpha", "D42",
        "有字它显示不了：只发数字，或换汉字屏",
        "it has no signs for this text: send digits only, or take a display with Chinese",
        act=shows("欢迎"), level="warn",
    ),
    Case("price_display_never_answers", "led8", "C41", *BLIND, level="unknown"),
    Case(
        "price_display_is_mute", "armfly", "C11",
        "价格屏没有回应：看它的电源灯，再查串口线和单元号",
        "the price display does not answer: look at its power light, then check the cable and its unit number",
        before=["power_off"],
    ),
    Case(
        "price_display_at_another_speed", "armfly", "C12",
        "价格屏的话听不懂：核对波特率和 form 设置",
        "what the price display says makes no sense: check baud rate and the option form",
        before=["rubbish on"],
    ),
    Case(
        "scale_is_off", "yaohua_a9", "W11",
        "秤没有送数来：看秤开机没有，再查串口线",
        "the scale sends nothing: see that it is switched on, then check the cable",
        before=["power_off"],
    ),
    Case(
        "scale_at_another_speed", "toledo", "W12",
        "秤送来的数读不懂：核对秤的型号、波特率和输出方式",
        "what the scale sends makes no sense: check its kind, baud rate and output mode",
        before=["rubbish on"],
    ),
    Case(
        "scale_frames_get_damaged", "yaohua_a9", "W13",
        "线路时好时坏：拧紧接线，屏蔽层接地，离电源线远一点",
        "the line is noisy: tighten the wires, ground the shield, keep away from power cables",
        after=["bad_check on"], level="warn",
    ),
    Case(
        "scale_weighs_in_pounds", "yaohua_a12", "W51",
        "秤的单位不对：在秤上换成公斤", "the scale weighs in another unit: switch it to kilograms",
        before=["unit lb"],
    ),
    Case(
        "scale_is_overloaded", "toledo", "W54",
        "秤上太重了：拿下来一些", "too much lies on the scale: take some off", before=["put 31000"], level="warn",
    ),
    Case(
        "scale_never_rests", "yaohua_a9", "W55",
        "秤一直不稳：放平四脚，避开风，看东西碰没碰到别处",
        "the scale never stands still: level its feet, keep the wind off, see that nothing touches the load",
        before=["put 5000", "swing 300"], level="warn",
    ),
    Case(
        "paper_is_out", "escpos", "P61",
        "没有纸了：打开盖子，换一卷热敏纸", "paper is out: open the lid and put in a new roll", before=["paper_out"],
    ),
    Case(
        "paper_is_near_its_end", "escpos", "P62",
        "纸快用完了：准备好新的一卷", "paper is near its end: have a new roll ready",
        before=["near_end"], level="warn",
    ),
    Case(
        "printer_is_open", "escpos", "P63",
        "打印机的盖子开着：按下去，听到咔一声", "the lid of the printer is open: press it until it clicks",
        before=["cover_open"],
    ),
    Case(
        "printer_is_jammed", "escpos", "P64",
        "打印机切刀或打印头出错：关掉，取出卡住的纸，再打开",
        "the knife or head of the printer reports an error: switch off, take out jammed paper, switch on",
        before=["jam"],
    ),
    Case(
        "printer_falls_silent", "escpos", "P11",
        "打印机不再回应：看电源灯，关掉等五秒再打开",
        "the printer answers no more: look at its light, switch it off, wait five seconds, switch it on",
        after=["power_off"],
    ),
    Case(
        "printer_never_answers", "escpos", "P41",
        "打印机从不回话，不知道还有没有纸：打开盖子看一眼",
        "the printer never answers: open the lid and look for paper",
        sim={"answers": False}, level="unknown",
    ),
]  # fmt: skip


BLIND_KINDS = {"led8": "C41", "cd5220": "C41", "alpha": "D41"}  # they never answer
WELL = [
    Case(f"{kind}_is_well", kind, BLIND_KINDS.get(kind, ""), "", "")
    for kind in sorted(set(DEVICE_KINDS) - {"evdev_scanner", "alsa_speaker"})
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Finding]:
    """All cases at once, each on a terminal of its own: most of them wait."""

    async def all_of_them() -> list[Finding]:
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(case: Case) -> Finding:
            async with turns:
                return await _found(case, tmp_path_factory.mktemp("case"))

        return await asyncio.gather(*map(one, CASES + WELL))

    return dict(zip([case.name for case in CASES + WELL], asyncio.run(all_of_them()), strict=True))


def test_the_table_has_every_code_once_or_more_and_at_least_twenty_faults() -> None:
    assert len({case.code for case in CASES}) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_injected_fault_gives_its_code_and_its_sentence(case: Case, found: Mapping[str, Finding]) -> None:
    finding = found[case.name]

    assert (finding.code, finding.level, said(finding, "zh"), said(finding, "en")) == (
        case.code, case.level, case.zh, case.en,
    )  # fmt: skip


@pytest.mark.parametrize("case", WELL, ids=[case.name for case in WELL])
def test_a_device_that_is_well_gives_no_fault(case: Case, found: Mapping[str, Finding]) -> None:
    finding = found[case.name]

    assert (finding.code, finding.level) == (case.code, "unknown" if case.code else "ok")


async def _found(case: Case, folder: Path) -> Finding:
    host = _bench(case, folder)
    await host.start()
    held = serial.Serial(str(folder / case.path), exclusive=True) if case.path == "dev/held" else None
    path = case.path if "://" in case.path else str(folder / case.path)
    device = build(DeviceSettings("it", case.kind, path, None, dict(case.options)), SystemClock())
    try:
        await _move(host, case.before)
        await device.start()
        if case.after:
            await _until(lambda: device.status().fault is None)
        await _move(host, case.after)
        if case.act is not None:
            await _until(lambda: device.status().fault is not Fault.STARTING, 1.0)
            await case.act(device)
        return await _settled(device, case)
    finally:
        await device.stop()
        await host.stop()
        if held is not None:
            held.close()


async def _settled(device: Device, case: Case) -> Finding:
    """Wait for what is expected; at the end of the patience, what there is instead."""
    what = DEVICE_KINDS[case.kind][0]
    await _until(lambda: judged(DeviceFacts(what, device.status()), 1).code == case.code)
    return judged(DeviceFacts(what, device.status()), 1)


async def _until(is_so: Callable[[], bool], seconds: float = SOON_S) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not is_so() and loop.time() < deadline:
        await asyncio.sleep(0.05)


async def _move(host: Host, handles: Sequence[str]) -> None:
    for handle in handles:
        if handle == "sleep":
            await asyncio.sleep(0.3)  # codes apart, as a hand scans them
            continue
        words = handle.split()
        name = words.pop(0) if words[0].startswith("it") else "it"
        host.poke(name, words[0], words[1:])


def _bench(case: Case, folder: Path) -> Host:
    kind = "serial_scanner" if case.kind == "evdev_scanner" else case.kind
    where = "dev/other" if case.path == NOWHERE or "://" in case.path else case.path
    if case.boards:
        sections = [(f"it{n}", case.sim | {"bus": "it", "first": n}) for n in range(case.boards)]
    else:
        sections = [("it", case.sim)]
    lines = []
    for name, settings in sections:
        lines += [f"[devices.{name}]", f'kind = "{kind}"', f'path = "{where}"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    (folder / "sim.toml").write_text("\n".join(lines), encoding="utf-8")
    bench = read_bench(folder / "sim.toml")
    return Host([terminal(name, device, place) for name, device, place in bench.devices], None)
