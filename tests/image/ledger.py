"""What the scenarios found: checks with their violations, counts, times; a table, and the exit code."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class NotSeen(AssertionError):
    """Something did not happen in its time."""


@dataclass(slots=True)
class Ledger:
    """Rows of what was checked. A scenario that breaks off is a violation too, and the next one begins."""

    folder: Path
    began: float = field(default_factory=time.monotonic)
    checks: dict[str, list[str]] = field(default_factory=dict)  # what -> violations
    counts: dict[str, int] = field(default_factory=dict)  # what -> how often it was looked at
    figures: dict[str, Any] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    machine: str = ""  # whose figures these are, where there are several

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:7.1f} s] {text}", flush=True)

    def check(self, what: str, is_so: object, seen: object = "") -> bool:
        """Note one look at an invariant."""
        self.counts[what] = self.counts.get(what, 0) + 1
        bad = self.checks.setdefault(what, [])
        if not is_so:
            bad.append(str(seen)[:300])
            self.say(f"VIOLATION: {what}: {str(seen)[:300]}")
        return bool(is_so)

    def figure(self, name: str, value: Any, unit: str = "s") -> None:
        """Note a measured figure."""
        key = f"{self.machine}{name} [{unit}]"
        self.figures[key] = round(value, 1) if isinstance(value, float) else value
        self.say(f"{key}: {self.figures[key]}")

    def count(self, name: str) -> None:
        """Note that it has happened once more."""
        key = f"{self.machine}{name} [times]"
        self.figures[key] = self.figures.get(key, 0) + 1
        self.say(f"{key}: {self.figures[key]}")

    def skip(self, what: str, why: str) -> None:
        """Note what was left out."""
        self.skipped.append(f"{what}: {why}")
        self.say(f"left out: {what}: {why}")

    @contextmanager
    def scenario(self, name: str) -> Iterator[None]:
        """Run one scenario; an error in it is a violation with its last words."""
        self.say(f"--- {name}")
        started = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001  # told, counted, and the next scenario begins
            self.check(f"{name} runs to its end", is_so=False, seen=f"{type(error).__name__}: {error}")
        else:
            self.check(f"{name} runs to its end", is_so=True)
        self.figures[f"{name} took [s]"] = round(time.monotonic() - started, 1)

    @property
    def violations(self) -> int:
        return sum(map(len, self.checks.values()))

    def close(self) -> int:
        """Print the table, write it beside the pictures, and tell the exit code."""
        wide = max([len(what) for what in [*self.checks, *self.figures]], default=10)
        print(f"\n{'invariant':<{wide}}  looked  violations")
        for what, bad in self.checks.items():
            print(f"{what:<{wide}}  {self.counts[what]:>6}  {len(bad):>10}")
        print()
        for name, value in self.figures.items():
            print(f"{name:<{wide}}  {value}")
        for line in self.skipped:
            print(f"left out: {line}")
        took = time.monotonic() - self.began
        print(f"\n{self.violations} violations in {sum(self.counts.values())} looks, {took:.0f} s", flush=True)
        told = {"checks": self.checks, "counts": self.counts, "figures": self.figures, "skipped": self.skipped}
        (self.folder / "report.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
        return 1 if self.violations else 0


def until(what: str, look: Callable[[], Any], seconds: float, every_s: float = 1.0) -> Any:
    """Look until something true is seen. Errors: NotSeen."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise NotSeen(f"not within {seconds:.0f} s: {what}")
        time.sleep(every_s)
