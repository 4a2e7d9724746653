"""One step of the wizard on trial: scan this, which number is there, is the door open, is the weight right."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from edge.steps.wizard import WizardNow, parts_of
from ui.screens import theme
from ui.screens.bill_pages import pin_boxes
from ui.screens.intake_pages import staff_beside
from ui.screens.keypad import keypad
from ui.screens.kit import Kit
from ui.screens.scan_pages import bar_code
from ui.screens.technician_pages import DOUBT, verdict_card
from ui.screens.widgets import Tap, column, fix, row, weigh
from ui.screens.wizard_kit import ICONS, key, natural, question, stacked, step_name, wizard_page
from ui.viewmodels import Frame
from ui.viewmodels.states import PIN_MIN
from ui.viewmodels.wizard_states import WizardDoor, WizardTrial


def trial(kit: Kit) -> Widget:
    """The page of the stage the trial is in."""
    state = kit.frame.state
    assert isinstance(state, WizardTrial)
    what, device = parts_of(state.step)
    title = step_name(kit, what, device)
    now = state.now
    stage = "busy" if now is None or (state.said and now.stage != "weigh") else now.stage
    body = STAGES.get(stage, _busy)(kit, now or WizardNow(state.step, "busy"))
    left_out = [] if state.is_at_door else [key(kit, "skip", kit.t("wizard.skip"), look="line", width=46)]
    return wizard_page(kit, title, ICONS[what], body, *left_out, back=not state.is_at_door)


def _busy(kit: Kit, now: WizardNow) -> Widget:
    what, _ = parts_of(now.step)
    return stacked(kit, natural(question(kit, kit.t(f"wizard_busy.{what}"), kit.t("wizard.wait"))))


def _scan(kit: Kit, now: WizardNow) -> Widget:
    _, name = parts_of(now.step)
    parts: list[Widget] = [
        kit.text(kit.t("wizard_ask.scan", name=name), 9, bold=True, align="center", height=13, floor=5.5),
        bar_code(kit, now.code),
    ]
    if now.heard:
        said = kit.t("wizard.other_gun", heard=now.heard, name=name)
        parts.append(verdict_card(kit, DOUBT, said, height=16))
    else:
        parts.append(kit.text(kit.t("wizard_hint.scan"), 5.5, align="center", height=16, colour=theme.SOFT, floor=4.2))
    return stacked(kit, *parts, gap=2)


def _choose(kit: Kit, now: WizardNow) -> Widget:
    """Three numbers, one of which is there; and the key for nothing at all."""
    what, _ = parts_of(now.step)
    high = 34 if kit.portrait else 27
    numbers: list[Widget] = [
        _awake(kit, key(kit, f"say_{at}", n, theme.STAFF, look="line", em=14, height=high))
        for at, n in enumerate(now.choices)
    ]
    none = _awake(kit, key(kit, "say_none", kit.t(f"wizard_none.{what}"), theme.HELP, look="line", em=6.5, height=18))
    return stacked(
        kit,
        natural(question(kit, kit.t(f"wizard_ask.{what}"))),
        fix(row(*numbers, gap=kit.mm(4)), height=kit.mm(high)),
        fix(row(*_other_ways(kit, what, none), gap=kit.mm(4)), height=kit.mm(18)),
    )


def _other_ways(kit: Kit, what: str, none: Widget) -> list[Widget]:
    """Beside the numbers: nothing at all; of a sound, to hear it again."""
    if what != "sound":
        return [Widget(), weigh(none, 4), Widget()]
    again = key(kit, "say_again", kit.t("wizard.hear_again"), theme.STAFF, em=6.5, height=18, icon="sound")
    return [weigh(_awake(kit, again), 1), weigh(none, 1)]


def _weigh(kit: Kit, now: WizardNow) -> Widget:
    figure = kit.live_text(_grams, 26, bold=True, align="center", on=theme.CARD, floor=12)
    mark = kit.live_text(lambda f: _rest(kit, f), 6.5, bold=True, align="center", on=theme.CARD, height=10)
    pan = kit.card(weigh(figure, 1), mark, pad=(4, 1.5), height=60 if kit.portrait else 36)
    right = key(kit, "say_right", kit.t("wizard.right"), theme.PICKUP, em=7, height=18, icon="check")
    kit.able(right, _may_be_right)
    wrong = key(kit, "say_wrong", kit.t("wizard.wrong"), theme.HELP, look="line", em=6, height=18)
    none = key(kit, "say_none", kit.t("wizard_none.weigh"), theme.HELP, look="line", em=6, height=18)
    keys = row(weigh(right, 1.2), weigh(wrong, 1), weigh(none, 1), gap=kit.mm(3))
    ask = kit.text(kit.t(f"wizard_ask.{now.step.partition(':')[0]}"), 8, bold=True, align="center", height=22, floor=5)
    return stacked(kit, ask, pan, fix(keys, height=kit.mm(18)))


def _may_be_right(frame: Frame) -> bool:
    now = getattr(frame.state, "now", None)
    return bool(now and now.grams and now.is_stable)


def _grams(frame: Frame) -> str:
    now = getattr(frame.state, "now", None)
    return "--" if now is None or now.grams is None else f"{now.grams / 1000:.3f} kg"


def _rest(kit: Kit, frame: Frame) -> str:
    now = getattr(frame.state, "now", None)
    if now is None or now.grams is None:
        return kit.t("wizard.no_number")
    return kit.t("tools.stable" if now.is_stable else "tools.moving")


def _no_cell(kit: Kit, _now: WizardNow) -> Widget:
    return stacked(kit, natural(question(kit, kit.t("wizard.no_cell"), kit.t("wizard.no_cell_hint"))))


def _opening(kit: Kit, now: WizardNow) -> Widget:
    return stacked(kit, natural(question(kit, kit.t("wizard.opening", n=now.cell or 0), kit.t("wizard.wait"))))


def _eyes(kit: Kit, now: WizardNow) -> Widget:
    """Eyes decide: nothing the board says is shown here, so that it cannot lead the answer."""
    yes = _awake(kit, key(kit, "say_yes", kit.t("trial.yes"), theme.PICKUP, em=9, height=30, icon="door"))
    no = _awake(kit, key(kit, "say_no", kit.t("trial.no"), theme.HELP, em=9, height=30))
    return stacked(
        kit,
        natural(question(kit, kit.t("trial.ask", n=now.cell or 0), kit.t("trial.ask_hint"))),
        fix(row(yes, no, gap=kit.mm(6)), height=kit.mm(30)),
    )


def _shut(kit: Kit, now: WizardNow) -> Widget:
    parts = [natural(question(kit, kit.t("trial.please_shut", n=now.cell or 0)))]
    if not now.has_sensor:
        parts.append(key(kit, "shut", kit.t("door.shut"), theme.PICKUP, em=9, height=26))
    return stacked(kit, *parts)


def _hub(kit: Kit, now: WizardNow) -> Widget:
    ask = kit.t("wizard_ask.hub" if kit.frame.link.online else "wizard.hub_offline")
    return stacked(kit, natural(question(kit, ask, kit.t("wizard.hub_wait", n=now.seconds))))


STAGES: dict[str, Callable[[Kit, WizardNow], Widget]] = {
    "scan": _scan,
    "choose": _choose,
    "weigh": _weigh,
    "cell": _no_cell,
    "opening": _opening,
    "eyes": _eyes,
    "shut": _shut,
    "hub": _hub,
}


def _awake(kit: Kit, tap: Tap) -> Tap:
    return kit.able(tap, lambda f: not getattr(f.state, "said", False))


def door(kit: Kit) -> Widget:
    """Which empty cell, and the PIN of who opens it."""
    state = kit.frame.state
    assert isinstance(state, WizardDoor)
    what, device = parts_of(state.step)
    go = key(kit, "ok", kit.t("trial.go"), theme.HELP, em=theme.STAFF_TITLE, height=17, icon="door")
    kit.able(go, lambda f: len(getattr(f.state, "pin", "")) >= PIN_MIN and not getattr(f.state, "busy", False))
    other = key(kit, "other", kit.t("wizard.other_cell"), look="line", width=40, em=5.5)
    kit.able(other, lambda f: len(getattr(f.state, "cells", ())) > 1 and not getattr(f.state, "busy", False))
    number = kit.text(str(state.cell), 22, bold=True, align="center", floor=12)
    ask = kit.t("trial.busy" if state.busy else "wizard_ask.door", n=state.cell)
    left = column(
        kit.text(ask, 7.5, bold=True, height=18, floor=5),
        fix(row(weigh(number, 1), other, gap=kit.mm(3)), height=kit.mm(22 if kit.portrait else KEY_ROW)),
        kit.text(kit.t("trial.pin"), theme.STAFF_LESS, height=6, colour=theme.SOFT),
        pin_boxes(kit),
        Widget(),
        go,
        gap=kit.mm(1.5),
    )
    pad = keypad(kit, lambda f: not getattr(f.state, "busy", False))
    left_out = key(kit, "skip", kit.t("wizard.skip"), look="line", width=46)
    kit.able(left_out, lambda f: not getattr(f.state, "busy", False))
    return wizard_page(
        kit, step_name(kit, what, device), ICONS[what], staff_beside(kit, left, pad), left_out, back=not state.busy
    )


KEY_ROW = 18
