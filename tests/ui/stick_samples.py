"""The stick's page and the reconciliation sheet, with their longest words."""

from __future__ import annotations

from edge.steps.stick import SheetBoard, SheetRow, StickBoard, StickDone, StickLine
from ui.viewmodels.frame import State
from ui.viewmodels.stick import SheetPage, StickPage

NOON = 1_795_320_000_000
RELEASE_STICKS = StickBoard((StickLine("KINGSTON-32G", 28_640, "0.2.0-on-0.1.0-arm64"), StickLine("usb-1", 7)))
STICKS = StickBoard((StickLine("KINGSTON-32G", 28_640), StickLine("usb-1", 7)))


def _rows(hub: bool, lost: int) -> tuple[SheetRow, ...]:
    money = {"accepted": 1_284_750, "posted": 1_190_250, "refused": 94_500}
    counted = {"facts": 13_906, "parcels_in": 1_402, "parcels_out": 1_377, "accepted": 96, "posted": 91, "refused": 5}
    return tuple(
        SheetRow(
            name,
            number,
            money.get(name),
            number - lost if hub else None,
            money[name] - 4_150 * lost if hub and name in money else None,
        )
        for name, number in counted.items()
    )


def _sheet(verdict: str, lost: int = 0) -> SheetPage:
    hub = verdict != "waits"
    return SheetPage(
        SheetBoard(
            verdict=verdict,
            days=6,
            hours=23,
            since=NOON - 7 * 86_400_000,
            until=NOON,
            rows=_rows(hub, lost),
            first=48_211,
            last=62_116,
            digest="9f86d081884c7d659a2feaa0c55ad015",
            hub_digest="9f86d081884c7d659a2feaa0c55ad015" if hub else "",
            code="7KQ2-M0XD" if hub else "",
        )
    )


def stick_pages() -> dict[str, State]:
    """The states to draw, by their names."""
    return {
        "sheet": _sheet("agrees"),
        "sheet-differs": _sheet("differs", lost=1),
        "sheet-waits": _sheet("waits"),
        "sheet-none": SheetPage(SheetBoard()),
        "stick": StickPage(STICKS),
        "stick-busy": StickPage(STICKS, busy=True),
        "stick-written": StickPage(STICKS, done=StickDone("written", 13_906)),
        "stick-taken": StickPage(STICKS, done=StickDone("taken", 13_906, 412)),
        "stick-refused": StickPage(STICKS, done=StickDone("hub_gap")),
        "stick-none": StickPage(StickBoard(())),
        "stick-off": StickPage(StickBoard((), is_set_up=False)),
    }
