"""The commissioning wizard: all steps and how they stand, why one is left out, how one came out, the first PINs."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps.wizard import WizardBoard, WizardLine, WizardTold, parts_of
from ui import words
from ui.screens import theme
from ui.screens.bill_pages import pin_boxes
from ui.screens.chrome import notice, villager_page
from ui.screens.keypad import keypad
from ui.screens.kit import Kit
from ui.screens.pickup_pages import beside
from ui.screens.technician_pages import settings_card
from ui.screens.widgets import column, fix, row, weigh
from ui.screens.wizard_kit import BIG, ICONS, LOOKS, key, measured, natural, question, stacked, step_name, wizard_page
from ui.screens.wizard_touch import misses
from ui.viewmodels.formats import pages
from ui.viewmodels.wizard import FIRST_PIN_MIN, rows
from ui.viewmodels.wizard_states import SKIP_REASONS, FirstPin, Wizard, WizardResult, WizardSkip


def overview(kit: Kit) -> Widget:
    """Every step with its result; one key goes on with the next."""
    state = kit.frame.state
    assert isinstance(state, Wizard)
    board = state.board
    title = kit.t("wizard.title")
    if board is None:
        return wizard_page(kit, title, "check", kit.text(kit.t("wait.words"), theme.STAFF_TITLE, align="center"))
    most = rows(kit.frame)
    first = state.page * most
    wide = 1 if kit.portrait else 2
    cells: list[Widget] = [_row(kit, at, line) for at, line in enumerate(board.lines)][first : first + most]
    cells += [Widget() for _ in range(most - len(cells))]
    high = most // wide
    columns = [column(*cells[i * high : (i + 1) * high], gap=kit.mm(2)) for i in range(wide)]
    body = column(_head(kit, board), weigh(row(*columns, gap=kit.mm(3)), 1), gap=kit.mm(2.5))
    return wizard_page(kit, title, "check", body, *_ways(kit, state, board))


def _head(kit: Kit, board: WizardBoard) -> Widget:
    done = sum(bool(line.result) for line in board.lines)
    said = "begin" if not board.run and not board.is_ended else "over" if board.is_ended else "progress"
    if not board.next_step:
        said = "all"
    text = kit.t(f"wizard.{said}", n=done, of=len(board.lines))
    return kit.text(text, theme.STAFF_TITLE, bold=True, height=16 if kit.portrait else 11, floor=4.6)


def _row(kit: Kit, at: int, line: WizardLine) -> Widget:
    ground, ink, mark = LOOKS[line.result]
    said = kit.t(f"wizard_result.{line.result or 'open'}")
    tap = kit.button(f"row_{at}", "", look="line", height=None, pad=(3, 0.8))
    tap.clear_widgets()
    tap.fill = ground
    tap.colour(ground)
    tap.border(theme.STAFF_LINE if not line.result else ink)
    name = column(
        weigh(kit.text(kit.t(f"wizard_step.{line.what}"), 6, bold=True, on=ground, colour=theme.INK, floor=4.4,
                       valign="bottom" if line.device else "middle"), 1),
        *([weigh(kit.text(line.device, theme.STAFF_LESS, on=ground, colour=theme.SOFT if not line.result else theme.INK,
                          valign="top"), 0.8)] if line.device else []),
    )  # fmt: skip
    told = kit.text(f"{said} {line.code}".strip(), theme.STAFF_MAIN, bold=True, on=ground, colour=ink, align="right",
                    width=30)  # fmt: skip
    return tap.add(row(kit.icon(ICONS[line.what], 9, ink, ground), weigh(name, 1), told,
                       kit.icon(mark, 7, ink, ground), gap=kit.mm(3)))  # fmt: skip


def _ways(kit: Kit, state: Wizard, board: WizardBoard) -> list[Widget]:
    ways: list[Widget] = []
    count = pages(len(board.lines), rows(kit.frame))
    if count > 1:
        following = key(kit, "next", kit.t("page.next"), look="line", width=22)
        previous = key(kit, "previous", kit.t("page.previous"), look="line", width=22)
        ways += [kit.able(previous, lambda _f: state.page > 0), kit.able(following, lambda _f: state.page < count - 1)]
    if board.is_ended:
        ways.append(key(kit, "record", kit.t("wizard.record"), look="line", width=34))
    if board.next_step:
        go = kit.t("wizard.go" if board.run else "wizard.start")
        ways.append(key(kit, "go", go, theme.PICKUP, em=theme.STAFF_TITLE, width=46))
    elif board.run:
        ways.append(key(kit, "end", kit.t("wizard.end"), theme.PICKUP, em=theme.STAFF_TITLE, width=46))
    return ways


def skip(kit: Kit) -> Widget:
    """Why is this step left out? One touch."""
    state = kit.frame.state
    assert isinstance(state, WizardSkip)
    what, device = parts_of(state.step)
    taps: list[Widget] = []
    for name in SKIP_REASONS:
        tap = key(kit, name, kit.t(f"wizard_why.{name}"), look="line", em=7.5, height=26)
        taps.append(kit.able(tap, lambda f: not getattr(f.state, "busy", False)))
    pairs: list[Widget] = [fix(each, height=kit.mm(26)) for each in taps]
    if not kit.portrait:
        pairs = [fix(row(*taps[i : i + 2], gap=kit.mm(4)), height=kit.mm(26)) for i in (0, 2)]
    body = stacked(kit, natural(question(kit, kit.t("wizard.why"))), *pairs)
    return wizard_page(kit, step_name(kit, what, device), ICONS[what], body)


def result(kit: Kit) -> Widget:
    """How the step came out: a check, or the code with the next hand movement."""
    state = kit.frame.state
    assert isinstance(state, WizardResult)
    assert state.told is not None
    told, line = state.told, state.told.line
    failed = line.result == "failed"
    parts: list[Widget] = [_verdict(kit, told)]
    if state.grid is not None:
        parts.append(misses(kit, state.grid))
    if told.lines:
        parts.append(settings_card(kit, told.lines))
    again = key(kit, "again", kit.t("wizard.again"), theme.STAFF, look="fill" if failed else "line", em=7.5, width=46)
    following = key(kit, "next", kit.t("wizard.leave" if failed else "wizard.next"), theme.PICKUP, em=7.5,
                    look="line" if failed else "fill", width=50)  # fmt: skip
    return wizard_page(
        kit, step_name(kit, line.what, line.device), ICONS[line.what], stacked(kit, *parts), again, following
    )


def _verdict(kit: Kit, told: WizardTold) -> Widget:
    line = told.line
    ground, ink, mark = LOOKS[line.result]
    head = kit.t(f"wizard_told.{line.result}")
    facts = "  ".join(part for part in (line.code, measured(kit, line.what, line.detail)) if part)
    more = said(kit, told)
    beside_it = kit.text(facts, 9, bold=True, on=ground, colour=ink, align="right", floor=5)
    word = kit.text(head, 12, bold=True, on=ground, colour=ink, floor=7)
    top = row(kit.icon(mark, 15, ink, ground), weigh(word, 1.2), weigh(beside_it, 1), gap=kit.mm(5))
    parts: list[Widget] = [fix(top, height=kit.mm(20))]
    if more:
        parts.append(kit.text(more, 7.5, on=ground, colour=theme.INK, floor=4.6, height=34 if kit.portrait else 23))
    return kit.card(*parts, fill=ground, border=ink, pad=(6, 2), height=(62 if kit.portrait else 50) if more else 26)


def said(kit: Kit, told: WizardTold) -> str:
    """The doctor's sentence; "" where all is well."""
    name = f"doctor.{told.key}"
    return kit.t(name, **dict(told.slots)) if told.key and words.known(name, kit.lang) else ""


def first_pin(kit: Kit) -> Widget:
    """A new point: whose PIN, typed twice."""
    state = kit.frame.state
    assert isinstance(state, FirstPin)
    ask = "busy" if state.busy else "again" if state.first else state.role
    go = kit.button("ok", kit.t("chrome.ok"), theme.STAFF, em=theme.TITLE, height=20, icon="check")
    kit.able(go, lambda f: len(getattr(f.state, "pin", "")) >= FIRST_PIN_MIN)
    rule: Widget = kit.text(kit.t("setpin.rule"), theme.FLOOR, height=17, colour=theme.SOFT, valign="top")
    if kit.frame.notice is not None:
        rule = fix(notice(kit), height=kit.mm(17))
    ask_for = kit.text(kit.t(f"setpin.{ask}"), BIG, bold=True, height=22, floor=6.5, valign="bottom")
    left = column(ask_for, rule, pin_boxes(kit), go, Widget(), gap=kit.mm(3))
    pad = keypad(kit, lambda f: not getattr(f.state, "busy", False))
    return villager_page(kit, (kit.t("setpin.title"), theme.STAFF, "person"), beside(kit, left, pad))
