"""A kiosk on a stand: the real window without flows behind it, told what to do on standard input. Not a test itself.

    python tests/ui/stand.py SOCKET [idle seconds at pick-up]

stdin:  `step EXPR` posts a step (an expression over `edge.steps`), `scan TEXT`, `key SYM`, `click X Y`, `press X Y`,
        `let-go X Y`, `quit` (the window's close button), `slow SECONDS` (the next page is drawn so slowly), `bug`,
        `twice EXPR ; EXPR` (a step's page is drawn, in the next turn another's, slowly), `stop`.
stdout: `ready RENDERER`, and `intent REPR` for each intent, with what it does not show by itself.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

os.environ["SDL_VIDEODRIVER"] = "offscreen"

import screen_samples  # noqa: E402

from edge import model, steps  # noqa: E402
from ui.app import Bridge, IdleTimes, UiSettings, run_app  # noqa: E402

KEY_DOWN, KEY_UP, BUTTON_DOWN, BUTTON_UP, QUIT = 0x300, 0x301, 0x401, 0x402, 0x100  # SDL_events.h, SDL 2


class KeyEvent(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("type", "timestamp", "window")),
        *((name, ctypes.c_uint8) for name in ("state", "repeat", "pad2", "pad3")),
        ("scancode", ctypes.c_int32), ("sym", ctypes.c_int32), ("mod", ctypes.c_uint16), ("unused", ctypes.c_uint32),
        ("rest", ctypes.c_uint8 * 64),
    )  # fmt: skip


class ButtonEvent(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("type", "timestamp", "window", "which")),
        *((name, ctypes.c_uint8) for name in ("button", "state", "clicks", "padding")),
        ("x", ctypes.c_int32), ("y", ctypes.c_int32), ("rest", ctypes.c_uint8 * 64),
    )  # fmt: skip


def sdl() -> Any:
    """The SDL that Kivy's wheel has already loaded."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    path = next(line.split()[-1] for line in maps if "libSDL2-2" in line)
    return ctypes.CDLL(path)


def push(event: ctypes.Structure) -> None:
    assert sdl().SDL_PushEvent(ctypes.byref(event)) == 1


def obey(line: str, bridge: Bridge) -> None:
    word, _, rest = line.strip().partition(" ")
    match word:
        case "step":
            bridge.post(_step(rest))
        case "scan":
            bridge.scan(rest, "counter")
        case "key":
            push(KeyEvent(type=KEY_DOWN, state=1, sym=int(rest)))
            push(KeyEvent(type=KEY_UP, sym=int(rest)))
        case "click" | "press" | "let-go":
            x, y = (int(part) for part in rest.split())
            if word != "let-go":
                push(ButtonEvent(type=BUTTON_DOWN, button=1, state=1, clicks=1, x=x, y=y))
            if word != "press":
                push(ButtonEvent(type=BUTTON_UP, button=1, clicks=1, x=x, y=y))
        case "quit":
            push(KeyEvent(type=QUIT))
        case "slow":
            bridge.call(partial(_slow, float(rest)))
        case "twice":
            bridge.call(partial(_twice, bridge, *(_step(each) for each in rest.split(" ; "))))
        case "bug":
            bridge.call(_bug)
        case "stop":
            bridge.stop()


def _step(text: str) -> Any:
    return eval(text, {**vars(model), **vars(steps), "samples": screen_samples})


def _twice(bridge: Bridge, first: Any, second: Any) -> None:
    from kivy.app import App

    kiosk = App.get_running_app()
    kiosk._step(first)
    kiosk._draw()
    _slow(0.9)
    bridge.post(second)


def _slow(seconds: float) -> None:
    from kivy.clock import Clock

    from ui.screens.root import Root

    show = Root.show

    def slowly(root: Root, frame: Any) -> bool:
        is_new = show(root, frame)
        if is_new:
            Root.show = show  # type: ignore[method-assign]
            Clock.schedule_once(lambda _dt: time.sleep(seconds), -1)  # before this frame is on the panel
        return is_new

    Root.show = slowly  # type: ignore[method-assign]


def _bug() -> None:
    from kivy.clock import Clock

    phone = "138" + "12345678"

    def wrong(_dt: float) -> None:
        raise ValueError(phone)

    Clock.schedule_once(wrong, 0)


def _shown(intent: Any) -> str:
    told = ", ".join(f"{each.name}={getattr(intent, each.name)!r}" for each in dataclasses.fields(intent))
    return f"{type(intent).__name__}({told})"


def main(socket: str, pickup_s: str = "30") -> None:
    bridge = Bridge()
    bridge.on_intent = lambda intent: print("intent", _shown(intent), flush=True)
    bridge.on_ready = lambda: print("ready", bridge.renderer, flush=True)

    def listen() -> None:
        for line in sys.stdin:
            obey(line, bridge)
        bridge.stop()

    threading.Thread(target=listen, daemon=True).start()
    idle = IdleTimes(pickup_s=int(pickup_s), answer_s=2) if pickup_s != "30" else IdleTimes()
    run_app(UiSettings(1024, 600, 10.1, site_name="长春村", idle=idle, drive_socket=Path(socket)), bridge)
    print("stopped", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
