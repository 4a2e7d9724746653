"""The technician's tools: which one, and those for display, printer and scale. The others have files of their own."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from ui.screens import theme
from ui.screens.chrome import staff_page
from ui.screens.kit import Kit
from ui.screens.theme import Accent, Colour
from ui.screens.widgets import Tap, column, fix, row, weigh
from ui.viewmodels import Frame
from ui.viewmodels.technician_press import NAMES
from ui.viewmodels.technician_states import DeviceTool, DisplayTrial, PrintTrial, ScaleTrial

ICONS = {
    "raw": "scan", "enrol": "search", "display": "show", "print": "printer", "scale": "scale", "touch": "touch",
    "doors": "door", "polarity": "bolt",
}  # fmt: skip
LIGHTS = ("light_10", "light_50", "light_100", "light_0", "light_own")
PATH_MAX = 30  # signs that fit beside a name
Look = tuple[Colour, Colour, str]  # ground, ink, icon
GOOD: Look = (theme.JADE_PALE, theme.JADE_DEEP, "check")
BAD: Look = (theme.BRICK_PALE, theme.BRICK_DEEP, "warn")
DOUBT: Look = (theme.AMBER_PALE, theme.INK, "warn")
HEALTH = {"ok": GOOD, "degraded": DOUBT}


def tools(kit: Kit) -> Widget:
    """Eight tools, each with a word of what it is for."""
    tiles = [_tile(kit, name) for name in NAMES]
    wide = 2 if kit.portrait else 4
    lines: list[Widget] = [row(*tiles[i : i + wide], gap=kit.mm(4)) for i in range(0, len(tiles), wide)]
    return staff_page(kit, kit.t("tools.title"), column(*lines, gap=kit.mm(4)), "device")


def _tile(kit: Kit, name: str) -> Widget:
    return kit.button(
        name, kit.t(f"tools.{name}"), look="line", icon=ICONS[name], stack=True, icon_size=15, em=7.5, height=None,
        sub=kit.t(f"tools_sub.{name}"), sub_em=theme.STAFF_LESS, pad=(2, 2),
    )  # fmt: skip


# --- what the tools share -----------------------------------------------------------------------------------------


def tool_page(kit: Kit, tool: str, body: Widget, *actions: Widget, back: bool = True) -> Widget:
    """The page of a tool, with its name and picture. `back` False: a door is open, no way back."""
    return staff_page(kit, kit.t(f"tools.{tool}"), body, ICONS[tool], *actions, back=back)


def tail(path: str, most: int) -> str:
    """The end of a path, which tells the port; its beginning is the same for all."""
    return path if len(path) <= most else "…" + path[1 - most :]


def device_page(kit: Kit, state: DeviceTool, parts: Sequence[Widget], *actions: Widget) -> Widget:
    """The page of a tool that works on devices: the chosen one above; nothing else when there is none."""
    tool = state.screen
    if state.devices is None:
        return tool_page(kit, tool, kit.text(kit.t("wait.words"), theme.STAFF_TITLE, align="center"))
    if state.device is None:
        return tool_page(kit, tool, _none(kit, tool))
    return tool_page(kit, tool, column(_device(kit, state), *parts, gap=kit.mm(2.5)), *actions)


def _none(kit: Kit, tool: str) -> Widget:
    return column(
        Widget(),
        kit.text(kit.t(f"tool_none.{tool}"), 9, bold=True, align="center", height=16),
        kit.text(kit.t("tools.none_hint"), theme.STAFF_MAIN, align="center", height=12, colour=theme.SOFT),
        Widget(),
    )


def _device(kit: Kit, state: DeviceTool) -> Widget:
    device = state.device
    assert device is not None
    assert state.devices
    ground, ink, icon = HEALTH.get(device.health, BAD)
    parts: list[Widget] = [
        kit.icon(icon, 6.5, ink, ground),
        weigh(kit.text(device.name, theme.STAFF_MAIN, bold=True, on=ground, colour=ink), 1),
        weigh(kit.text(tail(device.path, PATH_MAX), theme.STAFF_LESS, on=ground, colour=ink), 1.5),
        kit.text(kit.t(f"health.{device.health}"), theme.STAFF_MAIN, bold=True, on=ground, colour=ink, width=24),
    ]
    if len(state.devices) > 1:
        label = kit.t("tools.other", n=state.chosen + 1, of=len(state.devices))
        parts.append(kit.button("other", label, look="line", height=11.5, width=44, em=theme.STAFF_LESS))
    return kit.card(*parts, fill=ground, border=ground, orientation="horizontal", pad=(4, 0.8), gap=3, height=13.5)


def verdict_card(kit: Kit, look: Look, said: str, more: str = "", height: float = 24) -> Widget:
    """One sentence of outcome, with the next hand movement below it."""
    ground, ink, icon = look
    words: Widget = kit.text(
        said, 8, bold=True, on=ground, colour=ink, floor=4.6, valign="bottom" if more else "middle"
    )
    if more:
        words = column(
            weigh(words, 1), weigh(kit.text(more, theme.STAFF_MAIN, on=ground, colour=theme.INK, valign="top"), 1)
        )
    line = row(kit.icon(icon, 11, ink, ground), weigh(words, 1), gap=kit.mm(5))
    return kit.card(line, fill=ground, border=ink, pad=(5, 1.5), height=height)


def settings_card(kit: Kit, lines: Sequence[str]) -> Widget:
    """Lines for the settings file, to be copied sign by sign."""
    head = kit.text(kit.t("tools.settings"), theme.STAFF_LESS, on=theme.CARD, colour=theme.SOFT, height=6.5)
    shown = [kit.text(line, 5.2, bold=True, on=theme.CARD, height=7.5) for line in lines]
    return kit.card(head, *shown, pad=(5, 1.5), gap=0, height=10 + 7.5 * len(shown))


def awake(kit: Kit, tap: Tap) -> Tap:
    """Let a button sleep while the tool works."""
    return kit.able(tap, lambda frame: not getattr(frame.state, "busy", False))


# --- display ------------------------------------------------------------------------------------------------------


def display(kit: Kit) -> Widget:
    """Patterns to be looked at, and the brightness where it can be told."""
    state = kit.frame.state
    assert isinstance(state, DisplayTrial)
    can = () if state.device is None else state.device.can
    patterns = ["lines", *(["digits"] if "amount" in can else []), "blank"]
    parts: list[Widget] = [_choices(kit, "tools.patterns", patterns)]
    if "light" in can:
        parts.append(_choices(kit, "tools.lights", LIGHTS))
    else:
        parts.append(kit.text(kit.t("tools.no_light"), theme.STAFF_LESS, height=8, colour=theme.SOFT))
    parts += [_display_told(kit, state), Widget()]
    return device_page(kit, state, parts)


def _choices(kit: Kit, head: str, names: Sequence[str]) -> Widget:
    taps = [
        awake(kit, kit.button(name, kit.t(f"pattern.{name}"), look="line", em=theme.STAFF_MAIN, height=16))
        for name in names
    ]
    label = kit.text(kit.t(head), theme.STAFF_LESS, height=7, colour=theme.SOFT)
    return fix(column(label, row(*taps, gap=kit.mm(3)), gap=kit.mm(1)), height=kit.mm(24))


def _display_told(kit: Kit, state: DisplayTrial) -> Widget:
    if state.busy:
        return verdict_card(kit, DOUBT, kit.t("tools.sending"), height=22)
    tried = state.tried
    if tried is None:
        return kit.text(kit.t("tools.display_ask"), theme.STAFF_MAIN, height=22, colour=theme.SOFT, align="center")
    if tried.health != "ok":
        return verdict_card(
            kit, HEALTH.get(tried.health, BAD), kit.t("tools.display_bad"), kit.found(tried.finding), height=24
        )
    return verdict_card(kit, GOOD, kit.t(f"pattern_look.{tried.what}"), kit.t("tools.eyes"), height=24)


# --- printer ------------------------------------------------------------------------------------------------------


def print_trial(kit: Kit) -> Widget:
    """One slip with all a slip may hold, and what the printer says of itself."""
    state = kit.frame.state
    assert isinstance(state, PrintTrial)
    go = awake(
        kit, kit.button("go", kit.t("tools.print_go"), theme.STAFF, em=theme.STAFF_TITLE, icon="printer", height=18)
    )
    hold = kit.text(kit.t("tools.print_holds"), theme.STAFF_MAIN, height=10, colour=theme.SOFT, align="center")
    return device_page(kit, state, [hold, go, *_print_told(kit, state), Widget()])


def _print_told(kit: Kit, state: PrintTrial) -> list[Widget]:
    if state.busy:
        return [verdict_card(kit, DOUBT, kit.t("tools.printing"), height=20)]
    tried = state.tried
    if tried is None:
        return []
    look = {"done": GOOD, "sent": DOUBT, "unknown": DOUBT}.get(tried.outcome, BAD)
    paper, cover = kit.t(f"paper_is.{tried.paper}"), kit.t(f"cover_is.{tried.cover}")
    facts = row(
        _fact(kit, kit.t("tools.paper"), paper, tried.paper in ("out", "near_end")),
        _fact(kit, kit.t("tools.cover"), cover, tried.cover == "open"),
        gap=kit.mm(3),
    )
    said = verdict_card(kit, look, kit.t(f"printed.{tried.outcome}"), kit.t(f"printed_next.{tried.outcome}"), height=24)
    return [said, fix(facts, height=kit.mm(14))]


def _fact(kit: Kit, label: str, said: str, bad: bool) -> Widget:
    ground = theme.AMBER_PALE if bad else theme.CARD
    return kit.card(
        kit.text(label, theme.STAFF_LESS, on=ground, colour=theme.INK if bad else theme.SOFT, width=24),
        weigh(kit.text(said, theme.STAFF_MAIN, bold=True, on=ground), 1),
        fill=ground, orientation="horizontal", pad=(4, 0.8), gap=2,
    )  # fmt: skip


# --- scale --------------------------------------------------------------------------------------------------------


def scale_trial(kit: Kit) -> Widget:
    """The weight as it comes, whether it rests, and the tare."""
    state = kit.frame.state
    assert isinstance(state, ScaleTrial)
    figure = kit.live_text(lambda f: _grams(kit, f), 34, bold=True, align="center", on=theme.CARD, floor=9)
    mark = kit.live_text(
        lambda f: _rest(kit, f), theme.STAFF_TITLE, bold=True, align="center", on=theme.CARD, height=12
    )
    pan = kit.card(weigh(figure, 1), mark, pad=(4, 2), height=90 if kit.portrait else 36)
    tare = awake(kit, kit.button("tare", kit.t("tools.tare"), theme.STAFF, em=theme.STAFF_TITLE, height=18))
    return device_page(kit, state, [pan, tare, _tared(kit, state), Widget()])


def _grams(kit: Kit, frame: Frame) -> str:
    seen = getattr(frame.state, "seen", None)
    if seen is None or seen.grams is None:
        return "--"
    return kit.t("tools.overload") if seen.is_over else f"{seen.grams / 1000:.3f} kg"


def _rest(kit: Kit, frame: Frame) -> str:
    seen = getattr(frame.state, "seen", None)
    if seen is None or seen.grams is None:
        return kit.t("tools.no_weight")
    said = kit.t("tools.stable" if seen.is_stable else "tools.moving")
    return f"{said}   {kit.t('tools.net')}" if seen.is_net else said


def _tared(kit: Kit, state: ScaleTrial) -> Widget:
    if state.tared is None:
        said = kit.t("tools.taring" if state.busy else "tools.tare_hint")
        return kit.text(said, theme.STAFF_MAIN, height=14, colour=theme.SOFT, align="center")
    outcome = state.tared.outcome
    look = GOOD if outcome in ("weighed", "empty") else BAD
    return verdict_card(kit, look, kit.t(f"tared.{outcome}"), height=15)


def wide_button(kit: Kit, name: str, label: str, accent: Accent = theme.STAFF) -> Widget:
    """The one thing to do next, across the page."""
    return kit.button(name, label, accent, em=theme.STAFF_TITLE, height=18)
