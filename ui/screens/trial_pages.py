"""Doors on trial: the wall of cells, why and who, the door that moves, the question of the polarity and its answer."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps.workbench import CellSeen
from ui.screens import theme
from ui.screens.bill_pages import pin_boxes
from ui.screens.intake_pages import staff_beside
from ui.screens.keypad import keypad
from ui.screens.kit import Kit
from ui.screens.pickup_pages import pager
from ui.screens.technician_pages import BAD, DOUBT, GOOD, settings_card, tool_page, verdict_card, wide_button
from ui.screens.theme import Accent
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels.formats import pages
from ui.viewmodels.states import PIN_MIN
from ui.viewmodels.technician_states import (
    CELLS_A_PAGE,
    REASONS,
    DoorMoves,
    DoorReason,
    DoorWall,
    PolarityQuestion,
    PolarityVerdict,
)

DOORS: dict[str, Accent] = {
    "open": Accent(theme.BRICK, theme.BRICK_DEEP, theme.AMBER_PALE),
    "closed": Accent(theme.STAFF_LINE, theme.INK, theme.CARD),
    "unknown": Accent(theme.SLATE, theme.INK, theme.SLATE_PALE),
}
HELD = Accent(theme.STAFF_LINE, theme.SOFT, theme.STAFF_PAPER)
STAGES = {"opening": DOUBT, "open": DOUBT, "shut": GOOD}


def wall(kit: Kit) -> Widget:
    """Every cell: its door as the board says it, and whether something lies in it."""
    state = kit.frame.state
    assert isinstance(state, DoorWall)
    again = kit.button("refresh", kit.t("devices.refresh"), look="line", width=30)
    if state.cells is None:
        return tool_page(kit, state.tool, kit.text(kit.t("trial.asking"), theme.STAFF_TITLE, align="center"), again)
    if not state.cells:
        return tool_page(kit, state.tool, kit.text(kit.t("trial.none"), theme.STAFF_TITLE, align="center"), again)
    first = state.page * CELLS_A_PAGE
    shown = state.cells[first : first + CELLS_A_PAGE]
    wide = 4 if kit.portrait else 8
    taps: list[Widget] = [_cell(kit, cell) for cell in shown]
    taps += [Widget() for _ in range(-len(taps) % wide)]
    lines: list[Widget] = [row(*taps[i : i + wide], gap=kit.mm(2.5)) for i in range(0, len(taps), wide)]
    short = CELLS_A_PAGE // wide - len(lines)
    body = column(
        kit.text(kit.t(f"trial.{state.tool}"), theme.STAFF_TITLE, bold=True, height=10, floor=4.6),
        *([] if state.has_sensor else [kit.text(kit.t("trial.no_sensor"), theme.STAFF_LESS, height=6.5)]),
        weigh(column(*lines, gap=kit.mm(2.5)), max(1, len(lines))),
        *([weigh(Widget(), short)] if short else []),
        gap=kit.mm(2),
    )
    turn = pager(kit, state.page, pages(len(state.cells), CELLS_A_PAGE), theme.STAFF)
    return tool_page(kit, state.tool, body, *[fix(t, width=kit.mm(72)) for t in turn], again)


def _cell(kit: Kit, cell: CellSeen) -> Widget:
    accent = HELD if cell.is_held else DOORS[cell.door]
    word = "held" if cell.is_held else cell.door
    said = kit.t(f"cell_is.{word}")
    if cell.is_out:
        said = f"{said} {kit.t('cell_is.out')}"
    return kit.button(
        f"cell_{cell.cell}", str(cell.cell), accent, look="pale", em=9, height=None, sub=said, sub_em=theme.STAFF_LESS,
        pad=(1, 1.5),
    )  # fmt: skip


def reason(kit: Kit) -> Widget:
    """Why this cell is opened, and the PIN of who opens it; asked for every door."""
    state = kit.frame.state
    assert isinstance(state, DoorReason)
    go = kit.button("ok", kit.t("trial.go"), theme.HELP, em=theme.STAFF_TITLE, height=17, icon="door")
    kit.able(go, lambda f: len(getattr(f.state, "pin", "")) >= PIN_MIN and bool(getattr(f.state, "reason", "")))
    title = kit.t("trial.busy" if state.busy else f"trial.open_{state.wall.tool}", n=state.cell)
    parts: list[Widget] = [kit.text(title, 8, bold=True, height=13, floor=5)]
    if state.wall.tool == "doors":
        parts += [kit.text(kit.t("trial.why"), theme.STAFF_LESS, height=6, colour=theme.SOFT), _reasons(kit, state)]
    else:
        parts.append(kit.text(kit.t("trial.polarity_how"), theme.STAFF_MAIN, height=28))
    parts += [
        kit.text(kit.t("trial.pin"), theme.STAFF_LESS, height=6, colour=theme.SOFT),
        pin_boxes(kit),
        Widget(),
        go,
    ]
    left = column(*parts, gap=kit.mm(1.5))
    pad = keypad(kit, lambda f: not getattr(f.state, "busy", False))
    return tool_page(kit, state.wall.tool, staff_beside(kit, left, pad))


def _reasons(kit: Kit, state: DoorReason) -> Widget:
    taps = [
        kit.button(name, kit.t(f"trial_why.{name}"), look="fill" if name == state.reason else "line",
                   em=theme.STAFF_LESS, height=None)
        for name in REASONS
    ]  # fmt: skip
    for tap in taps:
        kit.able(tap, lambda f: not getattr(f.state, "busy", False))
    both = column(row(*taps[:2], gap=kit.mm(2)), row(*taps[2:], gap=kit.mm(2)), gap=kit.mm(2))
    return fix(both, height=kit.mm(26))


def moves(kit: Kit) -> Widget:
    """One pulse went out: what the board says of the door."""
    state = kit.frame.state
    assert isinstance(state, DoorMoves)
    look = STAGES.get(state.stage, BAD)
    number = kit.text(
        str(state.cell), 40 if kit.portrait else 26, bold=True, align="center", height=70 if kit.portrait else 34
    )
    said = verdict_card(
        kit, look, kit.t(f"stage.{state.stage}", n=state.cell), kit.t(f"stage_next.{state.stage}"), height=36
    )
    parts: list[Widget] = [Widget(), number, said, Widget()]
    if state.stage == "open" and not state.has_sensor:
        parts.append(wide_button(kit, "shut", kit.t("door.shut"), theme.PICKUP))
    return tool_page(kit, state.wall.tool, column(*parts, gap=kit.mm(2)), back=state.stage not in ("opening", "open"))


def question(kit: Kit) -> Widget:
    """Eyes decide: nothing the board says is shown here, so that it cannot lead the answer."""
    state = kit.frame.state
    assert isinstance(state, PolarityQuestion)
    yes = kit.button("yes", kit.t("trial.yes"), theme.PICKUP, em=9, height=None, icon="door")
    no = kit.button("no", kit.t("trial.no"), theme.HELP, em=9, height=None)
    for tap in (yes, no):
        kit.able(tap, lambda f: not getattr(f.state, "busy", False))
    keys = row(yes, no, gap=kit.mm(6)) if not kit.portrait else column(yes, no, gap=kit.mm(6))
    body = column(
        kit.text(kit.t("trial.ask", n=state.cell), 11, bold=True, align="center", height=24, floor=6),
        kit.text(kit.t("trial.ask_hint"), theme.STAFF_MAIN, align="center", height=12, colour=theme.SOFT),
        fix(keys, height=kit.mm(80 if kit.portrait else 38)),
        Widget(),
        gap=kit.mm(3),
    )
    return tool_page(kit, "polarity", body, back=False)


def verdict(kit: Kit) -> Widget:
    """What was proven, the line for the settings, and the next hand movement."""
    state = kit.frame.state
    assert isinstance(state, PolarityVerdict)
    told = state.told
    look = GOOD if told.verdict == "right" else DOUBT if told.verdict == "inverted" else BAD
    said = verdict_card(
        kit, look, kit.t(f"verdict.{told.verdict}"), kit.t(f"verdict_next.{told.verdict}", n=told.cell), height=36
    )
    parts: list[Widget] = [said]
    if told.lines:
        parts.append(settings_card(kit, told.lines))
    parts.append(kit.text(kit.t("trial.please_shut", n=told.cell), theme.STAFF_MAIN, height=10, colour=theme.SOFT))
    again = kit.button("again", kit.t("trial.again"), look="line", width=48)
    return tool_page(kit, "polarity", column(*parts, Widget(), gap=kit.mm(3)), again)
