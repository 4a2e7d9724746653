"""The root of the first start: a window with one page, a thread that looks again and again, and then the kiosk.

The same page says why a point that was set up cannot start (`out_of_order`).

Beside edge/app.py the only root. What is looked at is edge/first_start.py; when the settings are written the process
is replaced by a fresh start of the same command, which then finds them.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable

from edge import screen_size, watchdog
from edge.clock import SystemClock
from edge.config import Panel
from edge.district import District
from edge.enrolling import ASK_EVERY_S
from edge.first_files import Place
from edge.first_start import Beginning, mistakes_of
from edge.mistakes import ConfigError
from edge.reopen import Reopening
from edge.setup import prove
from edge.signals import on_signals
from edge.steps.first import AskAnew, FirstStart, GoOn, ProfileRefused
from edge.steps.intents import Intent
from sync.x509 import BadPem
from ui.bridge import Bridge
from ui.mistakes import lines_of, printed

log = logging.getLogger(__name__)

STOP_S = 5.0
AGAIN_S = 120.0  # three tries in the five minutes in which systemd bears ten
SHOWN_S = 2.0  # how long a person can read that the machine starts
SLOW_S = 180.0  # one look, or the next part of books that come back: a few calls of at most half a minute each


class Looker:
    """The thread that looks. It ends by itself when the settings are written, or when it is asked to."""

    def __init__(self, beginning: Beginning, bridge: Bridge, pause_s: float = ASK_EVERY_S) -> None:
        self._beginning = beginning
        self._bridge = bridge
        self._pause_s = pause_s
        self._wake = threading.Event()
        self._intents: list[Intent] = []
        self._last: FirstStart | None = None
        self._thread = threading.Thread(target=self._run, name="first start", daemon=True)
        self._looked_at = time.monotonic()

    @property
    def is_done(self) -> bool:
        """Whether the settings are written."""
        return self._beginning.is_done

    @property
    def is_alive(self) -> bool:
        """Whether it goes on looking, for the watchdog."""
        got_on_at = max(self._looked_at, self._beginning.got_on_at)
        return self._thread.is_alive() and time.monotonic() - got_on_at < SLOW_S

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Wait for the look that is under way, but not for a slow line."""
        self._wake.set()
        self._thread.join(STOP_S)

    def submit(self, intent: Intent) -> None:
        """Take what a person wants. Any thread."""
        self._intents.append(intent)
        self._wake.set()

    def _run(self) -> None:
        while not self._bridge.stopped.is_set():
            self._wake.clear()
            self._tell(self._look())
            self._looked_at = time.monotonic()
            if self.is_done:
                self._bridge.stopped.wait(SHOWN_S)
                self._bridge.stop()
                return
            if self._last is None or self._last.state != "restoring":  # that one only says what comes next
                self._wake.wait(self._pause_s)

    def _look(self) -> FirstStart:
        try:
            while self._intents:
                self._do(self._intents.pop(0))
            return self._beginning.turn()
        except (OSError, BadPem) as error:
            log.critical("first start: %s", error)
            return FirstStart("disk")
        except Exception:  # the top of the thread: a bug is told and tried again, the page does not stand still
            log.exception("first start")
            return FirstStart("other")

    def _do(self, intent: Intent) -> None:
        match intent:
            case AskAnew():
                self._beginning.ask_anew()
            case GoOn():
                self._beginning.go_on()

    def _tell(self, told: FirstStart) -> None:
        """Show it, and say each change on a line of its own for whoever supervises us."""
        self._bridge.post(told)
        if told != self._last:
            self._last = told
            log.info("first start: %s", told.state)
            _say({"first_start": True, "state": told.state, "code": told.code, "site": told.site}
                 | {"refused": [_plain(each) for each in told.refusals]})  # fmt: skip


def run(place: Place, *, headless: bool) -> int:
    """Show the first page until the settings are there, then become the kiosk. Return the exit code otherwise."""
    bridge = Bridge()
    reopening = Reopening(place.data_dir, bridge.stop)
    on_signals(bridge.stop)
    place.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    beginning = Beginning(place, screen_size.panel(), prove, SystemClock())
    looker = Looker(beginning, bridge)
    bridge.on_intent = looker.submit
    looker.start()
    _beat_beside(lambda: looker.is_alive, bridge)
    try:
        if headless:
            bridge.stopped.wait()
        else:
            _show(beginning.district(), bridge)
    finally:
        looker.stop()
    if looker.is_done:
        reopening.begin_anew()
    return 0


def out_of_order(error: ConfigError) -> None:
    """Settings or keys that are there cannot be used: say so on the screen until they are worth another try.

    Without this page a supervisor would start us again and again before a dark screen.
    """
    log.critical("out of order: %s", printed(error))
    bridge = Bridge()
    on_signals(bridge.stop)
    told = FirstStart("bad_settings", file=str(error.file), mistakes=mistakes_of(error))
    bridge.post(told)
    _say({"out_of_order": True, "file": told.file, "mistakes": lines_of(told.mistakes)})
    _beat_beside(lambda: True, bridge)
    again = threading.Timer(AGAIN_S, bridge.stop)
    again.daemon = True
    again.start()
    _show(None, bridge)


def _show(district: District | None, bridge: Bridge) -> None:
    from ui.app import UiSettings, run_app

    values = screen_size.panel() if district is None or district.panel is None else district.panel
    panel = Panel(
        int(values["width"]), int(values["height"]), float(values["diagonal_inch"]), bool(values["fullscreen"])
    )
    bridge.on_ready = lambda: _say({"ready": True, "first_start": True})
    language = "zh" if district is None else district.language
    size = (panel.width, panel.height, panel.diagonal_inch, panel.fullscreen)
    run_app(UiSettings(*size, language=language, first_start=True), bridge)


def _beat_beside(is_alive: Callable[[], bool], bridge: Bridge) -> None:
    threading.Thread(target=_beat, args=(is_alive, bridge), name="watchdog", daemon=True).start()


def _beat(is_alive: Callable[[], bool], bridge: Bridge) -> None:
    """Tell systemd that we live as long as the work is alive and the window turns."""
    watchdog.tell("READY=1")
    while not bridge.stopped.wait(watchdog.BEAT_S):
        window_is_well = bridge.beat == 0.0 or time.monotonic() - bridge.beat < watchdog.HUNG_S
        if is_alive() and window_is_well:
            watchdog.tell("WATCHDOG=1")


def _plain(refused: ProfileRefused) -> dict[str, object]:
    """As a supervisor reads it, in English."""
    return {
        "source": refused.source,
        "word": refused.word,
        "detail": refused.detail,
        "mistakes": lines_of(refused.mistakes),
    }


def _say(told: dict[str, object]) -> None:
    print(json.dumps(told, ensure_ascii=False), flush=True)  # noqa: T201 a supervisor reads these lines
