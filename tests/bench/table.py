"""Figures as ratios against a limit measured in the same run, and the table of them. Pure: no clock, no I/O.

Shape: a wanted ratio is a floor (`at_least`) or a ceiling (`at_most`); a figure without either is told, not judged.
A miss that stands is told in each table and fails no run, unless it grows.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

HEAD = ("figure", "measured", "limit", "ratio", "wanted", "")


@dataclass(frozen=True, slots=True)
class Rounds:
    """What one thing came to in each round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self, unit: str) -> str:
        """`median unit (min-max)`."""
        low, high = number(min(self.values)), number(max(self.values))
        spread = "" if len(self.values) == 1 else f" ({low}-{high})"
        return f"{number(self.median)} {unit}{spread}".strip()


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    unit: str
    measured: Rounds
    limit: Rounds  # measured in the same run, or the number that was asked for
    at_least: float | None = None
    at_most: float | None = None
    known: tuple[float, str] | None = (
        None  # of a miss that stands: the ratio it may not fall below, and where it is told
    )
    note: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Measured to limit: the median of the ratios of single rounds when both were taken in pairs."""
        if len(self.measured.values) == len(self.limit.values):
            return statistics.median(m / at for m, at in zip(self.measured.values, self.limit.values, strict=True))
        return self.measured.median / self.limit.median

    @property
    def missed(self) -> bool:
        too_low = self.at_least is not None and self.ratio < self.at_least
        return too_low or (self.at_most is not None and self.ratio > self.at_most)

    @property
    def fails(self) -> bool:
        """Missed, and not as it is known to be."""
        return self.missed and (self.known is None or self.ratio < self.known[0])

    @property
    def wanted(self) -> str:
        if self.at_least is not None:
            return f">= {number(self.at_least)}"
        return "-" if self.at_most is None else f"<= {number(self.at_most)}"

    @property
    def verdict(self) -> str:
        if self.at_least is None and self.at_most is None:
            return "-"
        return "MISSED" if self.fails else "MISSED (known)" if self.missed else "ok"

    def as_json(self) -> dict[str, Any]:
        return {
            "figure": self.name,
            "unit": self.unit,
            "measured": self.measured.median,
            "rounds": list(self.measured.values),
            "limit": self.limit.median,
            "limit_rounds": list(self.limit.values),
            "ratio": self.ratio,
            "wanted": self.wanted,
            "verdict": self.verdict,
            "note": self.note,
            **self.extra,
        }


def number(value: float) -> str:
    """Three significant digits, whole numbers from 100 on."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    ranked = sorted(values)
    rank = max(1, -(-len(ranked) * round(share * 1000) // 1000))
    return ranked[rank - 1]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Rise per step of x by the median of all pairs (Theil-Sen): one garbage collection does not tilt it."""
    rises = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points) for b in points[i + 1 :]]
    return statistics.median(rises)


def table(figures: Sequence[Figure]) -> str:
    rows = [HEAD]
    rows += [
        (f.name, f.measured.text(f.unit), f.limit.text(f.unit), number(f.ratio), f.wanted, f.verdict) for f in figures
    ]
    wide = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows]
    lines += [f"  {f.name}: {f.note}" for f in figures if f.note]
    lines += [f"  {f.name}: missed, as {f.known[1]} tells why" for f in figures if f.missed and not f.fails and f.known]
    return "\n".join(lines)
