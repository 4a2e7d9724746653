"""The check-up: every device and every part of the terminal with the next hand movement, and the code of it."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps import CheckupBoard, Finding
from ui.screens import theme
from ui.screens.chrome import staff_page
from ui.screens.kit import Kit
from ui.screens.pickup_pages import pager
from ui.screens.qr import QrCode
from ui.screens.theme import Colour
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels.checkup import Checkup
from ui.viewmodels.formats import pages

ROW, GAP, HEAD = 14.0, 2.0, 12.0
LOOKS: dict[str, tuple[Colour, Colour, str]] = {
    "fault": (theme.BRICK_PALE, theme.BRICK_DEEP, "warn"),
    "warn": (theme.AMBER_PALE, theme.INK, "warn"),
    "unknown": (theme.CARD, theme.SOFT, "person"),  # somebody must look
    "ok": (theme.CARD, theme.JADE_DEEP, "check"),
}


def checkup(kit: Kit) -> Widget:
    """The findings, worst first, or their code."""
    state = kit.frame.state
    assert isinstance(state, Checkup)
    title = kit.t("checkup.title")
    if state.board is None:
        return staff_page(kit, title, kit.text(kit.t("checkup.busy"), theme.STAFF_TITLE, align="center"), "device")
    other = "list" if state.shows_code else "code"
    acts = (
        kit.button("again", kit.t("checkup.again"), look="line", width=38),
        kit.button(other, kit.t(f"checkup.{other}"), look="line", width=38),
    )
    body = _code(kit, state.board) if state.shows_code else _list(kit, state, state.board)
    return staff_page(kit, title, body, "device", *acts)


def _list(kit: Kit, state: Checkup, board: CheckupBoard) -> Widget:
    rows = kit.frame.face.operator_rows
    shown = board.findings[state.page * rows : state.page * rows + rows]
    turn = pager(kit, state.page, pages(len(board.findings), rows), theme.STAFF)
    head = fix(row(weigh(_verdict(kit, board), 1), *[fix(t, width=kit.mm(72)) for t in turn]), height=kit.mm(HEAD))
    return column(head, *[_finding(kit, each) for each in shown], Widget(), gap=kit.mm(GAP))


def _verdict(kit: Kit, board: CheckupBoard) -> Widget:
    faults = sum(each.level == "fault" for each in board.findings)
    said = kit.t("checkup.sick", n=faults) if faults else kit.t("checkup.well")
    colour = theme.BRICK_DEEP if faults else theme.JADE_DEEP
    return kit.text(said, theme.STAFF_TITLE, bold=True, colour=colour)


def _finding(kit: Kit, finding: Finding) -> Widget:
    ground, ink, icon = LOOKS[finding.level]
    what = kit.text(kit.t(f"doctor_what.{finding.what}"), theme.STAFF_LESS, bold=True, on=ground)
    if finding.subject:
        name = kit.text(finding.subject, theme.STAFF_FLOOR, on=ground, colour=theme.SOFT, height=4.5)
        what = column(what, name)
    said = kit.t(f"doctor.{finding.key}", **dict(finding.slots))
    code = finding.code or kit.t(f"doctor_level.{finding.level}")
    return kit.card(
        kit.icon(icon, 7, ink, ground),
        kit.text(code, theme.STAFF_MAIN, bold=True, on=ground, colour=ink, width=17),
        fix(what, width=kit.mm(36)),
        weigh(kit.text(said, theme.STAFF_LESS, on=ground, colour=theme.INK), 1),
        fill=ground, orientation="horizontal", pad=(4, 0.8), gap=3, height=ROW,
    )  # fmt: skip


def _code(kit: Kit, board: CheckupBoard) -> Widget:
    """The code to photograph, and what it says for the telephone."""
    words = column(
        Widget(),
        kit.text(kit.t("checkup.photo"), theme.STAFF_TITLE, bold=True, floor=5, height=24, valign="bottom"),
        kit.text(board.report.replace("/", " "), theme.STAFF_LESS, colour=theme.SOFT, height=44, valign="top"),
        Widget(),
        gap=kit.mm(4),
    )
    code = kit.card(QrCode(board.report), fill=theme.WHITE, pad=1)
    if kit.portrait:
        return column(weigh(code, 3), weigh(words, 2), gap=kit.mm(4))
    return row(weigh(code, 1), weigh(words, 1), gap=kit.mm(6))
