"""The record of a commissioning on the screen: each step with its result, which terminal, who, and the hub's word."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps.wizard import RecordBoard, WizardLine
from ui.screens import theme
from ui.screens.kit import Kit
from ui.screens.technician_pages import BAD, DOUBT, GOOD, Look
from ui.screens.widgets import column, row, weigh
from ui.screens.wizard_kit import ICONS, LOOKS, key, measured, step_name, wizard_page
from ui.viewmodels.formats import full_minute, pages
from ui.viewmodels.wizard import lines
from ui.viewmodels.wizard_states import RecordPage

VERDICTS: dict[str, Look] = {"whole": GOOD, "gaps": DOUBT, "faults": BAD}
DIGEST_SIGNS = 16  # of 64: enough to compare by eye


def record(kit: Kit) -> Widget:
    """One page."""
    state = kit.frame.state
    assert isinstance(state, RecordPage)
    board = state.board
    title = kit.t("record.title")
    if board is None or not board.rows:
        said = kit.t("wait.words") if board is None else kit.t("record.none")
        return wizard_page(kit, title, "check", kit.text(said, theme.STAFF_TITLE, align="center"))
    most = lines(kit.frame)
    count = pages(len(board.rows), most)
    acts: list[Widget] = []
    if count > 1:
        previous = key(kit, "previous", kit.t("page.previous"), look="line", width=26)
        following = key(kit, "next", kit.t("page.next"), look="line", width=26)
        acts += [kit.able(previous, lambda _f: state.page > 0), kit.able(following, lambda _f: state.page < count - 1)]
    if kit.frame.notice is not None:
        acts.clear()  # the news needs the room
    acts.append(key(kit, "save", kit.t("record.save"), look="line", width=34))
    if kit.frame.face.has_printer:
        acts.append(key(kit, "print", kit.t("record.print"), theme.PICKUP, width=36, icon="printer"))
    shown = board.rows[state.page * most : (state.page + 1) * most]
    short = most - len(shown)
    steps = kit.card(*[weigh(_row(kit, each), 1) for each in shown], *([weigh(Widget(), short)] if short else []),
                     pad=(4, 1.5), gap=0)  # fmt: skip
    if kit.portrait:
        body = column(_head(kit, board), weigh(steps, 1.7), weigh(_facts(kit, board), 1), gap=kit.mm(3))
    else:
        sides = row(weigh(steps, 1.35), weigh(_facts(kit, board), 1), gap=kit.mm(3))
        body = column(_head(kit, board), weigh(sides, 1), gap=kit.mm(2))
    return wizard_page(kit, title, "check", body, *acts)


def _head(kit: Kit, board: RecordBoard) -> Widget:
    ground, ink, icon = VERDICTS[board.verdict]
    said = kit.text(kit.t(f"record.verdict_{board.verdict}"), theme.STAFF_TITLE, bold=True, on=ground, colour=ink,
                    floor=4.6)  # fmt: skip
    where = kit.text(
        f"{kit.frame.face.site_name}  {board.site}", theme.STAFF_MAIN, on=ground, colour=ink, align="right"
    )
    line = row(kit.icon(icon, 8, ink, ground), weigh(said, 1), weigh(where, 1), gap=kit.mm(3))
    return kit.card(line, fill=ground, border=ink, pad=(5, 1), height=14)


def _row(kit: Kit, each: WizardLine) -> Widget:
    _, ink, mark = LOOKS[each.result]
    name = step_name(kit, each.what, each.device)
    told = kit.t(f"wizard_why.{each.reason}") if each.reason else measured(kit, each.what, each.detail)
    return row(
        kit.icon(ICONS[each.what], 5, theme.SOFT, theme.CARD),
        weigh(kit.text(name, theme.STAFF_LESS, bold=True, on=theme.CARD, floor=3.5), 1.6),
        weigh(kit.text(told, theme.STAFF_LESS, on=theme.CARD, colour=theme.SOFT, floor=3.5), 1),
        kit.text(each.code, theme.STAFF_LESS, bold=True, on=theme.CARD, colour=ink, width=12, align="right"),
        kit.icon(mark, 5, ink, theme.CARD),
        gap=kit.mm(2),
    )  # fmt: skip


def _facts(kit: Kit, board: RecordBoard) -> Widget:
    """Which terminal, when, who; the digest, and what the hub says to it."""
    said = [
        kit.t("record.device", device=board.device),
        kit.t("record.version", version=board.version),
        kit.t("record.time", time=full_minute(board.at), at=board.at),
        kit.t("record.operator", name=board.operator),
        kit.t("record.digest", digest=board.digest[:DIGEST_SIGNS]),
    ]
    parts: list[Widget] = [weigh(kit.text(each, theme.STAFF_LESS, on=theme.CARD, floor=3.5), 1) for each in said]
    word = board.confirmation if board.is_sent or board.confirmation != "waits" else "unsent"
    bad = word in ("differs", "forged")
    parts.append(weigh(kit.text(kit.t(f"record.hub_{word}"), theme.STAFF_LESS, bold=True, on=theme.CARD,
                                colour=theme.BRICK_DEEP if bad else theme.INK, floor=3.5), 1.4))  # fmt: skip
    if board.code:
        parts.append(weigh(kit.text(kit.t("record.code", code=board.code), 7, bold=True, on=theme.CARD, floor=5,
                                    align="center"), 1.8))  # fmt: skip
    return kit.card(*parts, pad=(5, 1.5), gap=0)
