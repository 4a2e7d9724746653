"""The list out of a gun's memory: what goes to the shelf in one go, what wants a hand, what lies where now."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps import BatchBoard, BatchLine
from ui.screens import theme
from ui.screens.chrome import staff_page
from ui.screens.kit import Kit
from ui.screens.parcel_lines import carrier_name
from ui.screens.pickup_pages import pager
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels.batch import OPEN_KINDS, GunList, rows
from ui.viewmodels.formats import minute, pages

ROW = 15.0  # four of them, the head and the two buttons fill the flattest panel
ICONS = {"shelf": "shelf", "cell": "door", "taken": "check", "here": "check"}


def gun_list(kit: Kit) -> Widget:
    """Lines above, the two decisions below; a line that wants a door or an answer is a button of its own."""
    state = kit.frame.state
    assert isinstance(state, GunList)
    board = state.board
    if board is None or not board.batch:
        said = kit.t("batch.none" if board else "wait.words")
        body: Widget = kit.text(said, theme.STAFF_TITLE, align="center", colour=theme.SOFT)
        return staff_page(kit, kit.t("batch.title"), body, "scan")
    per_page = rows(kit.frame)
    shown = board.lines[state.page * per_page : (state.page + 1) * per_page]
    lines: list[Widget] = [_line(kit, line, i) for i, line in enumerate(shown)]
    body = column(_head(kit, board), *lines, Widget(), _acts(kit, state, board), gap=kit.mm(1.5))
    turn = [fix(t, width=kit.mm(72)) for t in pager(kit, state.page, pages(len(board.lines), per_page), theme.STAFF)]
    return staff_page(kit, kit.t("batch.title"), body, "scan", *turn)


def _head(kit: Kit, board: BatchBoard) -> Widget:
    """Which gun, when it was emptied, and what is not in the lines."""
    first = kit.t("batch.head", gun=board.scanner, at=minute(board.at), n=board.waiting)
    rest = [kit.t("batch.undated")]
    if board.useless:
        rest.append(kit.t("batch.useless", n=board.useless))
    if not board.whole:
        rest.append(kit.t("batch.broken"))
    if board.more:
        rest.append(kit.t("batch.more", n=board.more))
    if board.further:
        rest.append(kit.t("batch.further", n=board.further))
    words = column(
        kit.text(first, theme.STAFF_MAIN, bold=True, height=7),
        kit.text("  ".join(rest), theme.STAFF_LESS, colour=theme.SOFT, height=6),
    )
    return fix(words, height=kit.mm(13))


def _line(kit: Kit, line: BatchLine, index: int) -> Widget:
    name = line.recipient.masked() if line.recipient else ""
    carrier = carrier_name(kit, line.carrier) if line.carrier else ""
    first = "  ".join(part for part in (carrier, line.number, name) if part)
    second = kit.t(f"batch.{line.kind}", place=line.place)
    icon = ICONS.get(line.kind, "warn")
    if line.kind in OPEN_KINDS:
        accent = theme.HELP if icon == "warn" else theme.STAFF
        return kit.button(
            f"row_{index}", first, accent, look="line", left=True, icon=icon, em=5, sub=second, sub_em=4.2,
            height=ROW, icon_size=7, icon_gap=3, pad=(3, 0.6),
        )  # fmt: skip
    ground = theme.JADE_PALE if line.kind == "taken" else theme.CARD
    ink = theme.JADE_DEEP if line.kind == "taken" else theme.SOFT
    return kit.card(
        kit.icon(icon, 7, ink, ground),
        weigh(kit.text(first, theme.STAFF_LESS, on=ground), 1.5),
        weigh(kit.text(second, theme.STAFF_MAIN, bold=True, on=ground, colour=ink, align="right"), 1),
        fill=ground, border=ground, orientation="horizontal", pad=(3, 0.6), gap=3, height=ROW,
    )  # fmt: skip


def _acts(kit: Kit, state: GunList, board: BatchBoard) -> Widget:
    """The whole list is taken up by one button, and left by one that asks first while codes wait."""
    if state.ask:
        ask = kit.text(kit.t("batch.ask", n=board.waiting), theme.STAFF_MAIN, bold=True)
        yes = kit.button("yes", kit.t("batch.yes"), theme.HELP, em=theme.STAFF_MAIN, height=None)
        return fix(row(weigh(ask, 1.4), weigh(yes, 1), gap=kit.mm(3)), height=kit.mm(14))
    acts: list[Widget] = []
    if board.proposed:
        said = kit.t("batch.take", n=board.proposed)
        acts.append(weigh(kit.button("take", said, theme.PICKUP, icon="shelf", em=theme.STAFF_MAIN, height=None), 1.4))
    leave = kit.t("batch.leave" if board.waiting else "batch.done")
    look = "line" if board.waiting else "fill"
    acts.append(weigh(kit.button("close", leave, theme.STAFF, look=look, em=theme.STAFF_MAIN, height=None), 1))
    return fix(row(*acts, gap=kit.mm(3)), height=kit.mm(14))
