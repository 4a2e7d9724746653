"""`make run`: start the whole sample district, say each step, watch it, and end it in order on Ctrl-C.

How a program is started is in stand.py, what the district holds in sample.py.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO

import sample
from blank import BlankStand
from district import Kind
from programs import StandError
from stand import Stand

LOOK_S = 0.5  # how soon a program that died is noticed
HELP_LINE = """\
  cut | mend              take the line to the hub away, give it back
"""
HELP = """\
  scan TEXT               read a bar code with the simulated scanner
  DEVICE HANDLE [WORD..]  move a simulated device: locker jam 7, cellar close_door 3, gun unplug, led shown,
                          scale put 1250, printer slips, wand store SF1 SF2, wand upload
"""


class EndAsked(BaseException):
    """Ctrl-C or SIGTERM: not an error, and nothing on the way may swallow it."""


def main() -> int:
    """Run until asked to end. Exit code 0 after Ctrl-C or SIGTERM, 1 when a program did not start or died."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/run"), help="folder of the sample district")
    parser.add_argument("--plain", action="store_true", help="a new district has no certificates and no encryption")
    parser.add_argument("--only", choices=["sim"], help="start only the simulated devices")
    parser.add_argument("--first-start", action="store_true", help="a new district has a terminal without settings")
    asked = parser.parse_args()
    if asked.first_start:
        asked.data = asked.data.with_name(f"{asked.data.name}-first")
    asked.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    kind = Kind(has_tls=(not asked.plain and asked.only is None) or asked.first_start)
    made = BlankStand if asked.first_start else Stand
    with (asked.data / ".lock").open("w") as lock, made(asked.data, kiosk_environment(os.environ), kind) as stand:
        if not _taken(lock):
            return _failed(f"{asked.data} is in use by another make run")
        return _run(stand, only_sim=asked.only == "sim")


def kiosk_environment(environment: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """Give the kiosk a window where there is a screen, else a picture in memory; what a person chose stays."""
    has_screen = any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"))
    return dict(environment) if has_screen else {**environment, "SDL_VIDEODRIVER": "offscreen"}


def _run(stand: Stand, *, only_sim: bool) -> int:
    code = 0
    try:
        for number, (what, work) in enumerate(steps := stand.steps(only_sim=only_sim), 1):
            _step(f"{number}/{len(steps)}", what, work)
        _greet(stand, only_sim=only_sim)
        _watch(stand)
    except EndAsked:
        pass
    except (StandError, ValueError, OSError) as error:
        code = _failed(str(error))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of them running
    print("\nstopping ...", flush=True)
    started = time.monotonic()
    codes = stand.stop_all()
    ends = ", ".join(name if code == 0 else f"{name} (exit {code})" for name, code in codes.items())
    print(f"stopped in {time.monotonic() - started:.1f} s: {ends or 'nothing was running'}", flush=True)
    return code


def _step(number: str, what: str, work: Callable[[], object]) -> None:
    print(f"[{number}] {what} ... ", end="", flush=True)
    started = time.monotonic()
    try:
        was_needed = work()
    except BaseException:
        print(flush=True)
        raise
    word = "as before" if was_needed is False else "ok"
    print(f"{word} ({time.monotonic() - started:.1f} s)", flush=True)


def _greet(stand: Stand, *, only_sim: bool) -> None:
    for said in stand.programs.said("sim"):
        if "path" in said:
            print(f"      {said.get('name', '')}: {said['path']}")
    if isinstance(stand, BlankStand):
        print(f"\nThe terminal shows its claim code; type approve to be the district's desk. Card: {stand.folder}/card")
    elif not only_sim:
        pins = ", ".join(f"{each.role} {each.pin}" for each in sample.OPERATORS)
        print(f"\n{sample.SITE} {sample.SITE_NAME} is open. PINs of the sample: {pins}.")
        print(f"Logs: {stand.folder}/log. The point's settings: {stand.point_toml}.")
        if stand.environment.get("SDL_VIDEODRIVER") == "offscreen":
            print(
                "No display was found: the kiosk draws offscreen. To see its screens: make day, then build/day/*.png."
            )
    print(f"Ctrl-C ends all. Or type:\n{'' if only_sim else HELP_LINE}{HELP}", end="", flush=True)


def _watch(stand: Stand) -> None:
    """Obey what is typed until asked to end. Errors: StandError when a program died."""
    typed = bytearray()
    listening = sys.stdin.isatty()
    while True:
        if (ended := stand.programs.ended()) is not None:
            raise StandError(f"{ended.name} ended by itself with exit code {ended.code}:\n{ended.last_words}")
        stand.programs.bound_logs()
        ready, _, _ = select.select([sys.stdin] if listening else [], [], [], LOOK_S)
        if not ready:
            continue
        chunk = os.read(sys.stdin.fileno(), 4096)
        listening = bool(chunk)  # the end of input ends typing, not the district
        typed += chunk
        while b"\n" in typed:
            line, _, rest = bytes(typed).partition(b"\n")
            typed[:] = rest
            _obey(stand, line.decode("utf-8", errors="replace").strip())


def _obey(stand: Stand, line: str) -> None:
    try:
        match shlex.split(line):
            case []:
                return
            case ["cut"]:
                stand.cut_line()
                print("the line is cut")
            case ["mend"]:
                stand.restore_line()
                print("the line is back")
            case ["approve"] if isinstance(stand, BlankStand):
                print(f"approved: {', '.join(stand.approve()) or 'nobody waits'}")
            case ["scan", text]:
                print(stand.poke("gun", "send", text))
            case [device, handle, *words]:
                print(stand.poke(device, handle, *words))
            case _:
                print(HELP_LINE + HELP, end="")
    except (StandError, ValueError, OSError) as error:
        print(error)


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _failed(why: str) -> int:
    print(f"make run: {why}", file=sys.stderr, flush=True)
    return 1


def _end(_number: int, _frame: FrameType | None) -> None:
    raise EndAsked


if __name__ == "__main__":
    sys.exit(main())
