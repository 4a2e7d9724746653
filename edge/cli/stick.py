"""`village-point stick`: write the facts for the hub on a stick, and take what the hub wrote on one.

Writing only reads the books and works beside a running kiosk; reading needs them alone, or the kiosk's own page.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from edge import keys, log, outages
from edge.chain import Item, Position
from edge.cli.common import DEVICE, DONE, REFUSED, NotNow, command, emit, settings_of
from edge.cli.store import reading
from edge.clock import SystemClock, SystemDice
from edge.config import Settings
from edge.model import Seq
from edge.port import StoreLog
from edge.store import FILE, Store, StoreFault, Tx, take_lock
from sync.stick import PointStick, Taken
from sync.stick_file import BadStick
from sync.stick_words import DAMAGED, NOTHING_NEW, sentence

T = TypeVar("T")


def add(commands: Any) -> None:
    stick = commands.add_parser("stick", help="the way over a USB stick")
    actions = stick.add_subparsers(required=True, metavar="ACTION")
    for name, text, run in (
        ("write", "write what the hub does not have yet", _write),
        ("read", "take the hub's answers and messages", _read),
    ):
        each = command(actions, name, text, run)
        each.add_argument("folder", type=Path, metavar="DIR", help="where the stick is mounted")


class _Snapshot:
    """The log as it stood at one moment."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def up_position(self) -> Position:
        return log.cursor(self._tx, log.UP)

    async def down_position(self) -> Position:
        return log.cursor(self._tx, log.DOWN)

    async def mark_at(self, seq: Seq) -> str | None:
        return log.mark_at(self._tx, seq)

    async def read_after(self, seq: Seq, limit: int, max_bytes: int) -> tuple[Item, ...]:
        return log.read_after(self._tx, seq, limit, max_bytes)


def _write(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    stick = _stick(settings, arguments.folder)
    with reading(settings) as tx:
        try:
            written = _run(stick.write(_Snapshot(tx)))
        except BadStick as error:
            return _refused(error)
    told = {"written": written.file.name, "facts": written.facts, "first": written.first, "last": written.last}
    emit(told | {"more": written.more})
    return DONE


def _read(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    stick = _stick(settings, arguments.folder)
    store = Store(settings.data_dir, SystemClock(), SystemDice(), keys.load(settings))
    _alone(settings)
    store.open()
    try:
        store.run_now(log.begin)
        taken = _run(stick.read(StoreLog(store)))
        if taken.figures:
            store.run_now(outages.from_stick, taken.figures.decode())
    except BadStick as error:
        return _refused(error)
    finally:
        store.close()
    emit({"confirmed": taken.confirmed, "applied": taken.applied, "forked": taken.forked, "trouble": taken.trouble})
    return _judged(taken)


def _judged(taken: Taken) -> int:
    if taken.trouble is not None:
        sys.stderr.write(f"{sentence(taken.trouble)}\n")
        return REFUSED
    if not taken.confirmed and not taken.applied and not taken.forked:
        sys.stderr.write(f"{NOTHING_NEW}\n")
    return DONE


def _stick(settings: Settings, folder: Path) -> PointStick:
    if settings.hub is None:
        raise NotNow("this point has no [hub] in its settings, so nobody could read its stick")
    return PointStick(folder, settings.hub.link_key(), asyncio.to_thread)


def _alone(settings: Settings) -> None:
    """A running kiosk has the books open: it reads sticks itself."""
    if not (settings.data_dir / FILE).exists():
        raise NotNow(f"there are no books in {settings.data_dir}: nobody has written a stick for them")
    try:
        held = take_lock(settings.data_dir)
    except StoreFault as fault:
        raise NotNow("the kiosk is running: read the stick on its page of the line, or stop it first") from fault
    os.close(held)


def _refused(error: BadStick) -> int:
    sys.stderr.write(f"{sentence(error.word)}\n")
    return DEVICE if error.word in DAMAGED else REFUSED


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
