"""The one surface: draws a frame, keeps the page while only live parts change, locks touches after a change of page."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from ui.screens import theme
from ui.screens.kit import Kit, Live
from ui.screens.pages import draw
from ui.screens.theme import Ruler
from ui.screens.widgets import Tap
from ui.viewmodels import Frame
from ui.viewmodels.batch import GunList
from ui.viewmodels.staff_states import Cells, Intake, IntakePhone, Login, Money, ParcelCard, Pending, Search
from ui.viewmodels.states import BillAccount, BillCash, CodeEntry, Standby
from ui.viewmodels.stick import StickPage
from ui.viewmodels.technician_states import DoorReason, ScaleTrial, TouchGrid
from ui.viewmodels.wizard_states import FirstPin, WizardDoor, WizardGrid, WizardTrial

LOCK_S = 0.3  # from when a page is seen: the finger that opened it must not press a button of the new one
AGAIN_S = 0.4  # a trembling finger taps twice (reference, section 3, slips and misses)
DIGIT_AGAIN_S = 0.15  # the 88 in a phone number is meant: a calm hand needs about 0.2 s for it, a tremor far less
ABOUT = ("parcel", "parcels", "waybill_no", "bill", "slip", "cell", "result", "page")  # see `subject`
# Fields that the page shows by live parts; a change of these alone does not build it anew.
TYPED: dict[type, dict[str, Any]] = {
    BillAccount: {"digits": ""},
    BillCash: {"pin": ""},
    Login: {"pin": ""},
    IntakePhone: {"digits": ""},
    Search: {"text": ""},
    ParcelCard: {"pin": ""},
    Cells: {"digits": ""},
    DoorReason: {"pin": ""},
    ScaleTrial: {"seen": None},
    TouchGrid: {"hits": (), "strays": 0, "doubles": 0},
    WizardGrid: {"hits": (), "strays": 0, "doubles": 0},
    WizardDoor: {"pin": ""},
    FirstPin: {"pin": ""},
}


class Root(FloatLayout):  # type: ignore[misc]  # Kivy has no types
    """`press` takes a button's name, `touched` is told of every touch."""

    def __init__(self, ruler: Ruler, press: Callable[[str], None], touched: Callable[[], None]) -> None:
        super().__init__()
        self.ruler = ruler
        self._press, self._touched = press, touched
        self._shape: object = None
        self._screen = ""
        self._subject: object = None
        self._lives: list[Live] = []
        self._seen_at = 0.0
        self._seen = Clock.create_trigger(self._note_seen, 0)
        self._last: tuple[str, float] = ("", 0.0)
        self._swallowed: set[Any] = set()
        with self.canvas.before:
            self._paper = Color(*theme.PAPER)
            self._ground = Rectangle()
        self.bind(size=self._fill, pos=self._fill)

    def show(self, frame: Frame) -> bool:
        """Draw a frame; tell whether the old page was left for a new one."""
        wanted = shape(frame)
        if wanted == self._shape:
            for update in self._lives:
                update(frame)
            return False
        self._shape = wanted
        about = subject(frame)
        kit = Kit(frame, self.ruler, partial(self._let_go, about))
        page = draw(kit)
        self.clear_widgets()
        self.add_widget(page)
        self._lives = kit.lives
        self._paper.rgba = kit.paper
        name = f"{frame.state.screen}/{frame.ask_s is not None}"
        if name != self._screen or about != self._subject:
            self._screen, self._subject, self._seen_at = name, about, math.inf
            self._seen.cancel()  # of a page that came one frame before
            self._seen()
        return True

    def _note_seen(self, _dt: float) -> None:
        """The frame after the page's first one: by now it is on the panel, however long a slow terminal drew."""
        self._seen_at = time.monotonic()

    def _let_go(self, about: object, button: str) -> None:
        """A finger that came down on one parcel does nothing to the next: a scan can change it under the finger."""
        if about == self._subject:
            self.tapped(button)

    def tapped(self, button: str) -> None:
        now = time.monotonic()
        name, at = self._last
        pause_s = DIGIT_AGAIN_S if button[-2:-1] == "." and button[-1].isdigit() else AGAIN_S
        if button == name and now - at < pause_s:
            return
        self._last = (button, now)
        self._press(button)

    def taps(self) -> dict[str, Tap]:
        """The buttons on the page by name."""
        return {w.button: w for w in self.walk(restrict=True) if isinstance(w, Tap)}

    def locked(self) -> bool:
        return time.monotonic() - self._seen_at < LOCK_S

    def on_touch_down(self, touch: Any) -> bool:
        self._touched()
        if self.locked():
            self._swallowed.add(touch.uid)
            return True
        super().on_touch_down(touch)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        self._touched()
        if touch.uid in self._swallowed:
            self._swallowed.discard(touch.uid)
            return True
        super().on_touch_up(touch)
        return True

    def _fill(self, *_: Any) -> None:
        self._ground.pos, self._ground.size = self.pos, self.size


def shape(frame: Frame) -> object:
    """What decides how the page is built; the rest is live."""
    state = frame.state
    if isinstance(state, CodeEntry):
        state = CodeEntry(code="0" * 6 if state.asks_tail else "", busy=state.busy)
    elif isinstance(state, WizardTrial) and state.now is not None:
        state = replace(state, now=replace(state.now, grams=None, is_stable=False))
    elif type(state) in TYPED:
        state = replace(state, **TYPED[type(state)])
    asked = frame.ask_s is not None
    link = (frame.link.online, frame.link.days_offline)  # how many facts wait is a live number
    pairing, setup = (frame.pairing, frame.setup) if isinstance(state, Standby) else (None, "")
    return (
        type(state),
        state,
        frame.lang,
        link,
        frame.notices,
        frame.notice,
        _staff_shape(frame),
        asked,
        pairing,
        setup,
    )


def subject(frame: Frame) -> object:
    """What the buttons of a page are about: the same page of another parcel, or of other lines, is another page."""
    state = frame.state
    lines: object = frame.day.pending_deposits if isinstance(state, Pending) and frame.day is not None else None
    if isinstance(state, GunList | Money | StickPage):
        lines = state.board
    about = (getattr(state, name, None) for name in ABOUT)
    return state.screen, *about, lines


def _staff_shape(frame: Frame) -> object:
    """The loop of intake keeps its page from one stored parcel to the next: a new page costs three times as much."""
    if frame.state.who != "staff":
        return None
    stored: object = frame.stored
    if isinstance(frame.state, Intake) and frame.stored is not None:
        stored = frame.stored.parcel.cell is None, frame.stored.code is None
    return frame.day, stored, frame.target, frame.role


def widgets_of(root: Widget, kind: type) -> list[Any]:
    return [w for w in root.walk(restrict=True) if isinstance(w, kind)]
