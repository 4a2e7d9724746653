"""The Kivy application: one window, one frame, one pump that takes what was posted and draws what changed.

Rules of the trade are in `ui.viewmodels`; this file owns time, touches and errors of the window.
"""

from __future__ import annotations

import logging
import time
import traceback
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kivy.app import App
from kivy.base import ExceptionHandler, ExceptionManager, stopTouchApp
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.graphics.opengl import glGetString

from edge.steps import Checking, Intent, LoggedIn, LoggedOut, Step, Trouble
from edge.steps.workbench import RawRead
from ui import viewmodels as vm
from ui.bridge import Bridge, Call, ScanRead
from ui.drive import DriveServer
from ui.panel import Panel
from ui.screens.hand import Hand
from ui.screens.pace import Pace
from ui.screens.root import Root
from ui.screens.text import register_font
from ui.screens.theme import Ruler
from ui.screens.tidy import Tidy
from ui.settings import UiSettings
from ui.viewmodels.formats import BEIJING

log = logging.getLogger(__name__)

GL_RENDERER = 0x1F01
TICK_S = 0.25
# An answer within 0.1 s is felt as immediate, so no "please wait" is drawn for it: two pages would cost twice the time.
# Source: Nielsen, Usability Engineering (1993), section 5.5, after Miller (1968).
PATIENCE_S = 0.1
FAULTS, FAULTS_S = 5, 10.0  # more errors than this in this time: the process ends and systemd starts it anew


class Kiosk(App):  # type: ignore[misc]  # Kivy has no types
    """Everything between the bridge and the widgets."""

    use_kivy_settings = False

    def __init__(self, ui: UiSettings, bridge: Bridge) -> None:
        super().__init__()
        self.ui, self.bridge = ui, bridge
        self.window = Window
        panel = Panel(ui.width, ui.height, ui.diagonal_inch)
        self.frame = vm.start(_face(ui, panel), first=ui.first_start)
        self.ruler = Ruler(panel)
        self.pace = Pace()
        self.tidy = Tidy()
        self.hand = Hand()
        self._touched = self._shown = time.monotonic()
        self._ticked = 0.0
        self._draw_at: float | None = None  # the page is behind the frame until then
        self._faults: list[float] = []
        self._drawn = False
        self._server = DriveServer(ui.drive_socket, bridge, self.hand.obey) if ui.drive_socket else None

    # --- Kivy's life ---------------------------------------------------------------------------------------------

    def build(self) -> Root:
        register_font()
        self.title = "village-point"
        self.surface = Root(self.ruler, self.press, self.touched)
        self.surface.show(self.frame)
        return self.surface

    def on_start(self) -> None:
        for event in ("on_keyboard", "on_key_down", "on_key_up", "on_textinput", "on_request_close"):
            self.window.bind(**{event: _swallow})
        self.window.bind(on_flip=self._first_flip)
        ExceptionManager.add_handler(_Handler(self))
        self.hand.attach(self)
        self.pace.take_over(Clock)
        self.bridge.attach(self.pace.wake)
        Clock.schedule_interval(self._pump, 0)
        if self._server:
            self._server.start()

    def on_stop(self) -> None:
        if self._server:
            self._server.stop()
        self.pace.give_back(Clock)

    def _install_settings_keys(self, window: Any) -> None:
        """Kivy would open its settings at F1."""

    def open_settings(self, *_: Any) -> bool:
        return False

    def load_config(self) -> None:
        """Kivy would look for an ini file."""

    def _first_flip(self, *_: Any) -> None:
        if self._drawn:
            return
        self._drawn = True
        self.bridge.renderer = str(bytes(glGetString(GL_RENDERER) or b"").decode(errors="replace"))
        log.info("window %dx%d drawn by %s", *self.window.size, self.bridge.renderer or "?")
        self.tidy.take_over()
        self._touched = self._shown = time.monotonic()
        self.bridge.on_ready()

    # --- what comes in -------------------------------------------------------------------------------------------

    def _pump(self, _dt: float) -> None:
        """Once per turn of the loop: everything posted, then the clock."""
        self.bridge.beat = time.monotonic()
        if self.bridge.stopped.is_set():
            stopTouchApp()
            return
        for item in self.bridge.take():
            match item:
                case Call():
                    self._draw()
                    _answer(item)
                case ScanRead(text=text, scanner=scanner):
                    self.touched()
                    self._apply(*vm.scan(self.frame, text, scanner), PATIENCE_S)
                case _:
                    self._step(item)
        if self.bridge.beat - self._ticked >= TICK_S:
            self._ticked = self.bridge.beat
            self._tick()
        if self._draw_at is not None and time.monotonic() >= self._draw_at:
            self._draw()
        else:
            self.tidy.turn(self.bridge.beat, self._touched)

    def _step(self, step: Step) -> None:
        if isinstance(step, LoggedIn | LoggedOut | RawRead):
            self.touched()
        self._apply(*vm.on_step(self.frame, step), PATIENCE_S if isinstance(step, Checking) else 0.0)

    def press(self, button: str) -> None:
        self._apply(*vm.press(self.frame, button))
        self._draw()

    def touched(self) -> None:
        self._touched = time.monotonic()
        self.pace.hurry()

    def set_language(self, lang: str) -> None:
        self._apply(replace(self.frame, lang=lang), ())
        self._draw()

    def trouble(self, number: str) -> None:
        self._apply(*vm.on_step(self.frame, Trouble(number)))

    # --- what goes out -------------------------------------------------------------------------------------------

    def _apply(self, frame: vm.Frame, intents: tuple[Intent, ...], patience_s: float = 0.0) -> None:
        """Go on to a frame. It is drawn once per turn of the loop, or after some patience if nothing newer came."""
        if type(frame.state) is not type(self.frame.state) or _stage(frame) != _stage(self.frame):
            self._shown = time.monotonic()
            self._touched = max(self._touched, self._shown)
        if self._draw_at is None or (patience_s == 0 and frame.state != self.frame.state):
            self._draw_at = time.monotonic() + patience_s
        before, self.frame = self.frame, frame
        for intent in (*intents, *vm.amounts(before, frame)):
            self.bridge.on_intent(intent)

    def _draw(self) -> None:
        if self._draw_at is not None:
            self._draw_at = None
            if self.surface.show(self.frame):
                self.tidy.page_left(time.monotonic())

    def _tick(self) -> None:
        now = time.monotonic()
        idle_ms, shown_ms = int((now - self._touched) * 1000), int((now - self._shown) * 1000)
        frame, intents = vm.tick(replace(self.frame, now=self._now()), idle_ms, shown_ms)
        if frame != self.frame or intents:
            self._apply(frame, intents)

    def _now(self) -> vm.Now:
        if self.ui.pinned_clock:
            wall = datetime.strptime(self.ui.pinned_clock, "%Y-%m-%d %H:%M").replace(tzinfo=BEIJING)
        else:
            wall = datetime.now(UTC).astimezone(BEIJING)  # the clock on the wall is for reading only
        return vm.Now(wall.strftime("%H:%M"), (wall.year, wall.month, wall.day, wall.weekday()))

    def fault(self, error: BaseException) -> bool:
        """Log a bug with its number and show the trouble page. False: too many, give up and be restarted."""
        now = time.monotonic()
        self._faults = [at for at in self._faults if now - at < FAULTS_S] + [now]
        number = error_number(error)
        # The place, not the message: the message of an error may hold a name or a number.
        trace = "".join(traceback.format_tb(error.__traceback__))
        log.error("error %s in the window: %s\n%s", number, type(error).__name__, trace)
        if len(self._faults) > FAULTS:
            return False
        Clock.schedule_once(lambda _dt: self.trouble(number), 0)
        return True


class _Handler(ExceptionHandler):  # type: ignore[misc]
    def __init__(self, kiosk: Kiosk) -> None:
        self._kiosk = kiosk

    def handle_exception(self, inst: BaseException) -> int:
        if not isinstance(inst, Exception):
            return int(ExceptionManager.RAISE)  # KeyboardInterrupt, SystemExit
        return int(ExceptionManager.PASS if self._kiosk.fault(inst) else ExceptionManager.RAISE)


def error_number(error: BaseException) -> str:
    """The same bug has the same number: made of the type and the place, never of the message, which may hold a name."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f"{place[0].filename.rpartition('/')[2]}:{place[0].lineno}" if place else ""
    return f"E{zlib.crc32(f'{type(error).__name__}@{where}'.encode()) % 100_000:05d}"


def _swallow(*_: Any, **__: Any) -> bool:
    """No key and no closing of the window does anything: scanners are read elsewhere, stray keyboards not at all."""
    return True


def _answer(call: Call) -> None:
    try:
        call.answer.set_result(call.what())
    except Exception as error:  # noqa: BLE001  # the caller waits in another thread and gets it
        call.answer.set_exception(error)


def _stage(frame: vm.Frame) -> object:
    """What restarts the clocks of a page although its kind stays: another door, another notice of the flow."""
    state = frame.state
    return (getattr(state, "cell", None), getattr(state, "busy", None), getattr(state, "parcel", None))


def _face(ui: UiSettings, panel: Panel) -> vm.Face:
    return vm.Face(
        site_name=ui.site_name,
        help_phone=ui.help_phone,
        language=ui.language,
        has_locker=ui.has_locker,
        has_shelf=ui.has_shelf,
        has_printer=ui.has_printer,
        has_scale=ui.has_scale,
        blind_cells=ui.blind_cells,
        idle=ui.idle,
        villager_rows=panel.villager_rows,
        operator_rows=panel.operator_rows,
        width_mm=panel.width_mm,
        height_mm=panel.height_mm,
        scale=panel.scale,
    )
