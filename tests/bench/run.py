"""`make bench`: the figures of this machine, each against a limit measured in the same run; JSON in build/bench/.

Exit code 1 when a wanted ratio is missed that was not known to be. `--only NAME` (several times) runs some, `--quick`
runs shorter rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, ROOT / "packaging" / "dev", Path(__file__).parent):
    sys.path.insert(0, str(place))

from process import go_first  # noqa: E402
from table import Figure, table  # noqa: E402

Measure = Callable[..., list[Figure]]
NAMES = tuple(
    "devices scanners scan_in start idle scan_to_pixels touch_to_pixels memory drain urgent month hub_ingest".split()
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="run this figure only; may be given again")
    parser.add_argument("--quick", action="store_true", help="shorter rounds, for a first look")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bench")
    asked = parser.parse_args()
    went_first = go_first()  # on a kiosk there are no neighbours
    figures: list[Figure] = []
    broken: dict[str, str] = {}
    for name in asked.only or NAMES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            figures += _one(name, asked.build, quick=asked.quick)
        except Exception as error:  # noqa: BLE001  the top of a task: the other figures are still worth their time
            traceback.print_exc()
            broken[name] = f"{type(error).__name__}: {error}"
    text = table(figures)
    report = {
        "machine": {**machine(), "went_first": went_first},
        "quick": asked.quick,
        "figures": [figure.as_json() for figure in figures],
    }
    (asked.build / "bench.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(text)
    for name, why in broken.items():
        print(f"  {name} broke off: {why}")
    return 1 if broken or any(figure.fails for figure in figures) else 0


def _one(name: str, build: Path, *, quick: bool) -> list[Figure]:
    folder = build / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    measure: Measure = import_module(name).measure
    figures = measure(folder, quick=quick)
    print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return figures


def machine() -> dict[str, object]:
    import sqlite3

    return {
        "cpu": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": round(os.getloadavg()[0], 2),
    }


if __name__ == "__main__":
    sys.exit(main())
