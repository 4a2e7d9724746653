"""The table [cabinet]: which cells there are, and which lock device opens each. Opens nothing.

A cabinet with one device names it: `locker = "locker"`. One with several has a part for each:

    [[cabinet.part]]
    locker = "left"
    numbers = "1-24"            # lock 1 of `left` is cell 1 of the cabinet, and so on
    [[cabinet.part]]
    locker = "right"
    numbers = "25-30,36,31-35"  # in the order of its locks
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from edge.mistakes import mistake
from edge.toml_table import Scalar, Table

SIZES = "SML"
MAX_CELLS = 31 * 24  # 31 boards of 24 doors on one bus, the most that vendors promise
NAME = "[a-z][a-z0-9_-]{0,19}"
_NUMBERS = r" *\d{1,3}( *- *\d{1,3})?( *, *\d{1,3}( *- *\d{1,3})?)* *"


@dataclass(frozen=True, slots=True)
class CabinetPart:
    """The cells behind one lock device: its lock n is cell `numbers[n - 1]` of the cabinet."""

    locker: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cabinet:
    """A locker: the size (S, M or L) of each cell, cell 1 first, and the devices that open them."""

    cells: tuple[str, ...]
    parts: tuple[CabinetPart, ...]

    @property
    def is_plain(self) -> bool:
        """Tell whether one device opens everything and its locks are numbered as the cells are."""
        return len(self.parts) == 1 and self.parts[0].numbers == tuple(range(1, len(self.cells) + 1))

    def part_of(self, locker: str) -> CabinetPart | None:
        """Return the part of a device; None for one that opens no cell of the cabinet."""
        return next((part for part in self.parts if part.locker == locker), None)


def read_cabinet(table: Table) -> Cabinet:
    """Read the table [cabinet]; every mistake is noted at its line."""
    cells = tuple(table.text("cells", f"[{SIZES}]{{1,{MAX_CELLS}}}", mistake("cells", most=MAX_CELLS)))
    listed = table.listed_tables("part")
    if listed:
        parts = tuple(_part(each) for each in listed)
        if table.has("locker"):
            table.wrong(mistake("locker_beside_parts"), "locker")
        _check(table, cells, parts)
    else:
        locker = table.text("locker", NAME, mistake("name"))
        parts = (CabinetPart(locker, tuple(range(1, len(cells) + 1))),)
    table.finish()
    return Cabinet(cells, parts)


def _part(table: Table) -> CabinetPart:
    locker = table.text("locker", NAME, mistake("name"))
    numbers: list[int] = []
    for word in table.text("numbers", _NUMBERS, mistake("numbers")).split(","):
        ends = [int(digits) for digits in re.findall(r"\d+", word)]
        if ends and ends[0] > ends[-1]:
            table.wrong(mistake("backwards", text=word.strip()), "numbers")
            numbers = []
            break
        numbers += range(ends[0], ends[-1] + 1) if ends else ()
        if len(numbers) > MAX_CELLS:
            table.wrong(mistake("many_cells", most=MAX_CELLS), "numbers")
            numbers = []
            break
    table.finish()
    return CabinetPart(locker, tuple(numbers))  # none: a mistake that was told


def _check(table: Table, cells: Collection[str], parts: tuple[CabinetPart, ...]) -> None:
    """Note what only shows when the parts are read together: each cell has one lock, each device one part."""
    taken: dict[int, str] = {}
    for at, part in enumerate(parts):
        if part.locker and part.locker in [each.locker for each in parts[:at]]:
            table.wrong(mistake("part_twice"), "part", at, "locker")
        for number in part.numbers:
            if number in taken:
                table.wrong(mistake("cell_twice", cell=number, locker=taken[number]), "part", at, "numbers")
            elif not 1 <= number <= len(cells) and cells:
                table.wrong(mistake("cell_beyond", cell=number, count=len(cells)), "part", at, "numbers")
            taken[number] = part.locker
    open_by_none = sorted(set(range(1, len(cells) + 1)) - taken.keys())
    if open_by_none and all(part.numbers for part in parts):
        table.wrong(mistake("no_part", cells=tuple(map(str, open_by_none[:10]))), "cells")


def cross_check(top: Table, cabinet: Cabinet, locks: Mapping[str, int | None]) -> None:
    """Note parts whose device is none, opens no doors or has too few locks.

    `locks`: device -> how many locks the file gives it, None where it leaves that to the driver; no lock device: 0.
    """
    listed = top.table("cabinet").has("part")
    for at, part in enumerate(cabinet.parts):
        where = ("cabinet", "part", at) if listed else ("cabinet",)
        count = locks.get(part.locker)
        if part.locker and part.locker not in locks:
            top.wrong(mistake("no_device", name=part.locker), *where, "locker")
        elif part.locker and count == 0:
            top.wrong(mistake("not_a_lock", name=part.locker), *where, "locker")
        elif listed and count is not None and len(part.numbers) > count:
            top.wrong(mistake("few_locks", cells=len(part.numbers), name=part.locker, locks=count), *where, "numbers")


def locks_of(options: Mapping[str, Scalar]) -> int | None:
    """Return how many locks the options of a lock device tell of; None when they leave it to the driver."""
    cells, ways, boards = (options.get(key) for key in ("cells", "ways", "boards"))
    if isinstance(cells, int) and cells > 0:
        return cells
    return ways * (boards if isinstance(boards, int) else 1) if isinstance(ways, int) else None
