"""The touch test: a grid of targets over the whole panel, and what the touches have shown."""

from __future__ import annotations

import time
from typing import Any

from kivy.graphics import Color, Line, SmoothEllipse
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from ui.screens import theme
from ui.screens.kit import Kit
from ui.screens.technician_pages import BAD, DOUBT, GOOD, tool_page, verdict_card
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels import Frame
from ui.viewmodels.technician_states import TouchGrid, TouchVerdict
from ui.viewmodels.touch_grid import EDGE_MM, Judgement, judged, places

TARGET_MM = 11.0  # across: the smallest key of the staff's pages
POINT_MM = 1.2
HOLD_S = 2.0  # a finger that rests so long has had enough
LONG_AGO_MS = 9_999


def grid(kit: Kit) -> Widget:
    """Targets and nothing else: each corner of the panel can be touched."""
    state = kit.frame.state
    assert isinstance(state, TouchGrid)
    panel = kit.ruler.panel
    pad = _Pad(kit, state)
    kit.live(pad.update)
    page = FloatLayout()
    page.add_widget(pad)
    # Between the rows of targets, where no target lies.
    pitch = (panel.height_mm - 2 * EDGE_MM) / ((3 if state.is_cross else state.rows) - 1)
    high = min(14 * panel.scale, pitch - TARGET_MM - 4)
    for at, (text, size, ink) in enumerate(_lines(kit)):
        box = kit.text(text, size, bold=at == 0, align="center", colour=ink, floor=3.5)
        middle = panel.height_mm - EDGE_MM - (at + 0.5) * pitch
        box.size_hint = (0.9, high / panel.height_mm)
        box.pos_hint = {"center_x": 0.5, "center_y": middle / panel.height_mm}
        page.add_widget(box)
    return page


def _lines(kit: Kit) -> tuple[tuple[str, float, theme.Colour], ...]:
    return (kit.t("touching.ask"), 9, theme.INK), (kit.t("touching.end"), theme.STAFF_MAIN, theme.SOFT)


class _Pad(Widget):  # type: ignore[misc]  # Kivy has no types
    """Takes every touch with its place and its time, and draws the targets."""

    def __init__(self, kit: Kit, state: TouchGrid) -> None:
        super().__init__()
        panel = kit.ruler.panel
        self._kit = kit
        self._px = panel.px_per_mm
        self._at = places(state, panel.width_mm, panel.height_mm)
        self._state = state
        self._down: dict[int, tuple[float, int]] = {}  # touch -> since when, and ms after the touch before
        self._last_s: float | None = None
        self.bind(pos=self._paint, size=self._paint)

    def update(self, frame: Frame) -> None:
        """Draw what was hit."""
        if isinstance(frame.state, TouchGrid):
            self._state = frame.state
            self._paint()

    def on_touch_down(self, touch: Any) -> bool:
        now = time.monotonic()
        gap_ms = LONG_AGO_MS if self._last_s is None else min(LONG_AGO_MS, round((now - self._last_s) * 1000))
        self._last_s = now
        if len(self._down) < 10:  # fingers
            self._down[touch.uid] = (now, gap_ms)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        since_s, gap_ms = self._down.pop(touch.uid, (None, 0))
        if since_s is None:
            return True  # it began on the page before
        if time.monotonic() - since_s >= HOLD_S:
            self._kit.act(f"{TouchGrid.screen}.held")
        else:
            x, y = (round(10 * place / self._px) for place in (touch.ox, touch.oy))
            self._kit.act(f"{TouchGrid.screen}.at_{max(0, x)}_{max(0, y)}_{gap_ms}")
        return True

    def _paint(self, *_: Any) -> None:
        self.canvas.clear()
        met = {hit[0]: hit for hit in self._state.hits}
        radius = TARGET_MM / 2 * self._px
        with self.canvas:
            for i, (x_mm, y_mm) in enumerate(self._at):
                x, y = x_mm * self._px, y_mm * self._px
                Color(*(theme.JADE if i in met else theme.CARD))
                SmoothEllipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius))
                Color(*(theme.JADE_DEEP if i in met else theme.SLATE))
                Line(circle=(x, y, radius), width=max(1.2, 0.3 * self._px))
                self._cross(x, y, theme.WHITE if i in met else theme.SLATE)
                if i in met:
                    self._point(x + met[i][1] / 10 * self._px, y + met[i][2] / 10 * self._px)

    def _cross(self, x: float, y: float, ink: theme.Colour) -> None:
        arm = 2 * self._px
        Color(*ink)
        Line(points=(x - arm, y, x + arm, y), width=1.1)
        Line(points=(x, y - arm, x, y + arm), width=1.1)

    def _point(self, x: float, y: float) -> None:
        """Where the finger came down."""
        side = POINT_MM * self._px
        Color(*theme.AMBER_PALE)
        SmoothEllipse(pos=(x - side, y - side), size=(2 * side, 2 * side))


def verdict(kit: Kit) -> Widget:
    """Dead spots on a small picture of the panel, the miss in millimetres, ghosts and doubles."""
    state = kit.frame.state
    assert isinstance(state, TouchVerdict)
    told = judged(state.grid)
    facts = column(
        _said(kit, state.grid, told),
        _line(kit, "touching.hits", f"{len(state.grid.hits)} / {state.grid.columns * state.grid.rows}"),
        _line(kit, "touching.mean", kit.t("touching.offset", x=_mm(told.right), y=_mm(told.up))),
        _line(kit, "touching.most", kit.t("touching.mm", n=f"{told.most / 10:.1f}")),
        _line(kit, "touching.ghosts", kit.t("touching.counts", strays=state.grid.strays, doubles=state.grid.doubles)),
        Widget(),
        gap=kit.mm(2),
    )
    picture = _map(kit, state.grid, told)
    body: Widget
    if kit.portrait:
        body = column(fix(picture, height=kit.mm(150)), weigh(facts, 1), gap=kit.mm(5))
    else:
        body = row(weigh(facts, 1.2), weigh(picture, 1), gap=kit.mm(5))
    return tool_page(kit, "touch", body, kit.button("again", kit.t("touching.again"), look="line", width=44))


def _said(kit: Kit, state: TouchGrid, told: Judgement) -> Widget:
    for key, wrong, look in (
        ("dead", bool(told.dead), BAD),
        ("far", told.is_far, DOUBT),
        ("double", state.doubles > 0, DOUBT),
        ("stray", state.strays > 0, DOUBT),
    ):
        if wrong:
            return verdict_card(kit, look, kit.t(f"touch_told.{key}", n=len(told.dead)), kit.t(f"touch_next.{key}"), 36)
    return verdict_card(kit, GOOD, kit.t("touch_told.good"), height=24)


def _mm(tenths: int) -> str:
    return f"{tenths / 10:+.1f}"


def _line(kit: Kit, key: str, said: str) -> Widget:
    return kit.card(
        weigh(kit.text(kit.t(key), theme.STAFF_LESS, on=theme.CARD, colour=theme.SOFT), 1),
        weigh(kit.text(said, theme.STAFF_MAIN, bold=True, on=theme.CARD, align="right"), 1.3),
        orientation="horizontal", pad=(4, 0.5), gap=2, height=11,
    )  # fmt: skip


def _map(kit: Kit, state: TouchGrid, told: Judgement) -> Widget:
    """The panel small: a check where a target was hit, a warning where it could not be."""
    cells = []
    for i in range(state.columns * state.rows):
        dead = i in told.dead
        ground, ink = (theme.BRICK_PALE, theme.BRICK_DEEP) if dead else (theme.JADE_PALE, theme.JADE_DEEP)
        icon = kit.icon("warn" if dead else "check", 6, ink, ground)
        cells.append(kit.card(row(Widget(), icon, Widget()), fill=ground, border=ink, pad=1, radius=1.5))
    lines = [row(*cells[i : i + state.columns], gap=kit.mm(1.5)) for i in range(0, len(cells), state.columns)]
    return column(*lines, gap=kit.mm(1.5))
