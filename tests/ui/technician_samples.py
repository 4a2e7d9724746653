"""One frame for every page of the technician's tools, good news and bad. Not a test; part of `screen_samples.py`."""

from __future__ import annotations

from collections.abc import Callable

from edge.model import CellNo, OperatorId, Role
from edge.steps import Finding
from edge.steps import workbench as w
from ui.viewmodels import Frame, Notice
from ui.viewmodels import technician_states as t

WELL = Finding("display", "ok", "", "device_ok")
SILENT = Finding("price_display", "fault", "C11", "price_display_silent")
BY_PATH = "/dev/serial/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.2:1.0-port0"
EVENT = "/dev/input/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.3:1.0-event-kbd"
GUNS = (
    w.ToolDevice("scanner-counter", "evdev_scanner", EVENT, "ok"),
    w.ToolDevice("scanner-hall", "serial_scanner", BY_PATH, "away"),
)
LED = w.ToolDevice("led-front", "onbon", "tcp://192.168.7.20:5005", "ok", ("lines", "light"))
PRICE = w.ToolDevice("price", "led8", "/dev/village/price", "degraded", ("lines", "amount"))
PRINTER = (w.ToolDevice("printer", "escpos", "usb:///dev/usb/lp0", "ok"),)
SCALE = (w.ToolDevice("scale", "yaohua_a9", "/dev/village/scale", "ok"),)
WAYBILL = w.RawRead(
    "scanner-counter", "]C1SF1300000000001", "C1", "\r", 31, "accept",
    (w.Guess("waybill", "SF", 97, "SF and 13 digits, a shape no other carrier uses"),),
)  # fmt: skip
GS1 = w.RawRead(
    "scanner-counter/2",
    "]C10106901234567892\x1d10LOT-42\x1d17261231\x1d21SERIAL-0000123456\x1d8008261122143005" + "X" * 30,
    "C1", "", None, "ask", (w.Guess("gs1", None, 80, "GS1 element string: 01 10 17 21 8008"),),
)  # fmt: skip
PAYMENT = w.RawRead(
    "scanner-counter", w.MASKED * 18, None, "\r", 24, "secret",
    (w.Guess("payment_code", None, 85, "length and prefix of a payment code, WeChat"),), None, "secret",
)  # fmt: skip
PHONE = w.RawRead(
    "scanner-counter", "]Q3" + w.MASKED * 7 + "5678", "Q3", "\n", 12, "accept",
    (w.Guess("phone", None, 90, "mobile number"),), None, "personal",
)  # fmt: skip
DAMAGED = w.RawRead(
    "scanner-counter",
    "",
    None,
    "",
    None,
    "reject",
    (w.Guess("unknown", None, 100, "nothing to read in it"),),
    "damaged",
)
NEW_GUN = w.GunFound(
    "/dev/input/event7", "usb-0000:01:00.0-1.3",
    ("[devices.scanner-new]", 'kind = "evdev_scanner"', 'path = "/dev/input/event7"',
     'phys = "usb-0000:01:00.0-1.3/input0"', 'usb_id = "05e0:1200"'),
    prefix="", has_twin=True, keeps_case=False, has_aim=False,
)  # fmt: skip
OLD_GUN = w.GunFound(
    EVENT, EVENT, ("[devices.scanner-counter]", 'kind = "evdev_scanner"', f'path = "{EVENT}"'), known="scanner-counter"
)
CELLS = tuple(
    w.CellSeen(CellNo(n), "open" if n == 3 else "unknown" if n in (17, 18) else "closed", n in (5, 8, 9), n == 12)
    for n in range(1, 61)
)
INVERTED = ("[devices.locker]", 'polarity = "short_when_open"')


def tool_samples(rows: tuple[int, int], frame: Callable[..., Frame]) -> dict[str, Frame]:
    """Name of the picture -> frame."""
    who = {"role": Role.TECHNICIAN, "operator": OperatorId("T-03")}

    def drawn(state: t.ToolState, **more: object) -> Frame:
        return frame(state, rows, **who, **more)

    return {name: drawn(state) for name, state in {**_devices(), **_doors(), **_touch(rows)}.items()} | {
        "doorpin-wrong": drawn(t.DoorReason(t.DoorWall("doors", CELLS), CellNo(7), "repair"),
                               notice=Notice("refused.wrong_pin", (("minutes", 0),))),
        "doors-held": drawn(t.DoorWall("doors", CELLS[:24]),
                            notice=Notice("refused.cell_not_empty", (("minutes", 0),))),
    }  # fmt: skip


def _devices() -> dict[str, t.ToolState]:
    done = w.PrinterTried("printer", "done", "near_end", "closed")
    return {
        "tools": t.Tools(),
        "raw": t.RawView(GUNS, 0, (WAYBILL, PHONE, PAYMENT, GS1)),
        "raw-gs1": t.RawView(GUNS, 0, (GS1, WAYBILL, PHONE)),
        "raw-secret": t.RawView(GUNS, 0, (PAYMENT,)),
        "raw-damaged": t.RawView(GUNS, 0, (DAMAGED, PHONE)),
        "raw-empty": t.RawView(GUNS, 1),
        "raw-none": t.RawView(()),
        "enrol": t.EnrolGun(GUNS, code="K7QX2M4WZP", seconds=60),
        "enrol-new": t.EnrolGun(GUNS, code="K7QX2M4WZP", seconds=60, found=NEW_GUN),
        "enrol-known": t.EnrolGun(GUNS, code="K7QX2M4WZP", seconds=60, found=OLD_GUN),
        "enrol-late": t.EnrolGun(GUNS, code="K7QX2M4WZP", seconds=60, over=w.EnrolOver("late")),
        "display": t.DisplayTrial((LED,)),
        "display-told": t.DisplayTrial((LED, PRICE), tried=w.DisplayTried("led-front", "light_10", "ok", WELL)),
        "display-price": t.DisplayTrial((LED, PRICE), 1, tried=w.DisplayTried("price", "digits", "away", SILENT)),
        "print": t.PrintTrial(PRINTER),
        "print-done": t.PrintTrial(PRINTER, tried=done),
        "print-refused": t.PrintTrial(PRINTER, tried=w.PrinterTried("printer", "refused", "out", "open")),
        "print-sent": t.PrintTrial(PRINTER, tried=w.PrinterTried("printer", "sent", "unknown", "unknown")),
        "scale": t.ScaleTrial(SCALE, seen=w.ScaleSeen("scale", 12_345, is_stable=True, is_net=True)),
        "scale-silent": t.ScaleTrial(SCALE, seen=w.ScaleSeen("scale", None), tared=w.Tared("scale", "no_answer")),
    }  # fmt: skip


def _doors() -> dict[str, t.ToolState]:
    wall = t.DoorWall("doors", CELLS)
    proving = t.DoorWall("polarity", CELLS[:24])
    stages = (
        "opening",
        "open",
        "shut",
        "left_open",
        "stayed_closed",
        "unknown",
        "not_there",
        "refused",
        "wrong_door",
        "unanswered",
    )
    verdicts = ("right", "inverted", "stuck", "other", "not_opened", "blind")
    return {
        "doors": wall,
        "doors-blind": t.DoorWall(
            "doors", tuple(w.CellSeen(CellNo(n), "unknown") for n in range(1, 9)), has_sensor=False
        ),
        "doors-asking": t.DoorWall("doors"),
        "doors-polarity": proving,
        "doorpin": t.DoorReason(wall, CellNo(7), "repair", "1234"),
        "doorpin-polarity": t.DoorReason(proving, CellNo(24), "commissioning"),
        "doorpin-busy": t.DoorReason(wall, CellNo(7), "repair", busy=True),
        **{f"doormoves-{stage}": t.DoorMoves(wall, CellNo(24), stage) for stage in stages},
        "doormoves-blind": t.DoorMoves(wall, CellNo(744), "open", has_sensor=False),
        "polarity": t.PolarityQuestion(proving, CellNo(24)),
        **{
            f"verdict-{told}": t.PolarityVerdict(
                proving, w.PolarityTold(CellNo(24), told, INVERTED if told in ("right", "inverted") else ())
            )
            for told in verdicts
        },
    }


def _touch(rows: tuple[int, int]) -> dict[str, t.ToolState]:
    across, down = (5, 9) if rows[0] == 6 else (6, 4)
    some = tuple((i, 8 - i % 5 * 4, i % 3 * 6 - 6) for i in range(across * down) if i % 7 != 5)
    every = tuple((i, 3, -2) for i in range(across * down))
    far = tuple((i, 45, -8) for i in range(across * down))
    return {
        "touch": t.TouchGrid(across, down, some[:11]),
        "touched": t.TouchVerdict(t.TouchGrid(across, down, some, 2, 1)),
        "touched-good": t.TouchVerdict(t.TouchGrid(across, down, every)),
        "touched-far": t.TouchVerdict(t.TouchGrid(across, down, far)),
    }


ALIKE_TOOLS = frozenset(
    "raw-secret raw-damaged raw-none enrol-late display display-price print print-sent scale-silent doors-asking "
    "doors-held doors-blind doorpin-polarity doorpin-busy doorpin-wrong doormoves-opening doormoves-shut "
    "doormoves-left_open doormoves-stayed_closed doormoves-unknown doormoves-not_there doormoves-refused "
    "doormoves-wrong_door doormoves-unanswered doormoves-blind verdict-right verdict-stuck verdict-other "
    "verdict-not_opened verdict-blind touched-good touched-far".split()
)
