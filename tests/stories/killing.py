"""Kills a victim at every place an operation has, and keeps what is left: the disk, the board, and what was shown."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.sim.host import Host, Terminal
from drivers.sim.lock_board import Cabinet
from tests.stories.invariants import WitnessBoard
from tests.stories.point import SIZES
from tests.stories.victim import STEPS

ROOT = Path(__file__).parents[2]
KINDS = ("before_commit", "after_commit", "before_pulse", "after_pulse", "at_step", "waiting")
MOST = 40  # places of one kind; an operation has a dozen
SIGKILL = 9


@dataclass(frozen=True, slots=True)
class Corpse:
    """What is left: disk, board, screen. `asked` are the commands the board got, `unaudited` those without a fact."""

    place: str
    folder: Path
    asked: Counter[int]
    open_doors: frozenset[int]
    unaudited: tuple[int, ...]
    shown: tuple[str, ...]
    died: bool


class Nursery:
    """The process that forks victims."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def victim(self, order: dict[str, Any]) -> int:
        """Let one victim live; returns the signal that ended it, 0 for none. Errors: AssertionError when it failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        ended = json.loads(await asyncio.wait_for(self._process.stdout.readline(), 60))
        assert ended["signal"] == SIGKILL or ended["code"] == 0, ended
        return int(ended["signal"])


@asynccontextmanager
async def nursery(program: str = "tests.stories.victim") -> AsyncIterator[Nursery]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", program, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"ready\n"
    try:
        yield Nursery(process)
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 10)


async def killed(nursery: Nursery, template: Path, place: tuple[str, int], order: dict[str, Any]) -> Corpse:
    """Play an operation on a copy of a data folder, against a board of its own, and kill it at one place."""
    kind, number = place
    folder = template.with_name(f"{template.name}-{kind}-{number}")
    shutil.copytree(template, folder)
    port = folder / "port"
    board = WitnessBoard(Cabinet(len(SIZES), auto_close_s=0.15), folder)
    host = Host([Terminal("locker", board, port)], None)
    await host.start()
    try:
        whole = {
            "folder": str(folder), "port": str(port), "cells": len(SIZES), "has_door_sensor": True,
            "kind": kind, "number": number, **order,
        }  # fmt: skip
        signal = await nursery.victim(whole)
        await asyncio.sleep(0.02)  # what the victim had written still arrives
    finally:
        await host.stop()
    shown = (folder / STEPS).read_text().split() if (folder / STEPS).exists() else []
    was_open = frozenset(board.open_doors)
    place_name = f"{kind} {number}"
    return Corpse(place_name, folder, board.asked, was_open, tuple(board.unaudited), tuple(shown), signal == SIGKILL)


async def all_corpses(template: Path, order: dict[str, Any], kinds: tuple[str, ...] = KINDS) -> list[Corpse]:
    """Kill at the first, second, ... place of each kind until the operation outlives it."""
    corpses: list[Corpse] = []
    async with nursery() as nurses:
        for kind in kinds:
            for number in range(1, MOST):
                corpse = await killed(nurses, template, (kind, number), order)
                corpses.append(corpse)
                if not corpse.died:
                    break
            else:
                raise AssertionError(f"{kind}: no end after {MOST} places")
    return corpses
