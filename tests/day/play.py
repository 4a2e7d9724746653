"""`make day`: two days at the point, through the real program, at full speed. Exit code 1 when a figure does not agree.

The first is a whole day (play_day.py), the second a short one with a stick and PostgreSQL (second.py). The end of each
compares every figure from two sides.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, ROOT / "packaging" / "dev", Path(__file__).parent):
    sys.path.insert(0, str(place))

import second  # noqa: E402
from play_day import Day  # noqa: E402


def main() -> int:
    """Play what was asked for. Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "day")
    parser.add_argument("--only", choices=("first", "second"), help="one of the two days")
    asked = parser.parse_args()
    shutil.rmtree(asked.build, ignore_errors=True)
    print(f"day with seed {asked.seed}; pictures in {asked.build}", flush=True)
    code = 0
    if asked.only != "second":
        code = _played(Day, asked.build, asked.seed)
    if asked.only != "first" and code == 0:
        code = _second(asked.build / "second", asked.seed)
    return code


def _second(build: Path, seed: int) -> int:
    print("\nthe second day: the line is cut, a stick carries the facts", flush=True)
    server = second.server()
    try:
        return _played(lambda data, shots, seed: second.SecondDay(data, shots, seed, server), build, seed)
    finally:
        if server is not None:
            server.stop()


def _played(day_of: Callable[[Path, Path, int], Day], build: Path, seed: int) -> int:
    data = build / "data"
    data.mkdir(parents=True)
    day = day_of(data, build, seed)
    code = 1
    try:
        report = day.play()
        print(report.text())
        print(f"line cut for {day.tally.cut_s:.0f} s, {len(list(build.glob('*.png')))} pictures in {build}")
        print("the day agrees" if not report.bad else f"the day DISAGREES: {', '.join(report.bad)}")
        code = 1 if report.bad else 0
    except (AssertionError, OSError, RuntimeError, ValueError) as error:
        print(f"the day broke off: {type(error).__name__}: {error}", file=sys.stderr)
        _last_words(day)
    finally:
        day.hands.stop()
        day.stand.stop_all()
    return code


def _last_words(day: Day) -> None:
    ended: Callable[[], Any] = day.stand.programs.ended
    print(f"a program that ended by itself: {ended()}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
