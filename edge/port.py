"""The log as `sync` sees it: positions, reading, confirming and applying, each one transaction in the store thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from edge import inbox, log, outages
from edge.chain import Item, Linked, Position
from edge.model import LogId, Seq
from edge.store import Store
from edge.store import Tx as _Tx


class StoreLog:
    """Implements the `LogPort` of `sync`. Lives in the io thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._more = asyncio.Event()
        store.on_commit.append(self._more.set)

    async def up_position(self) -> Position:
        return await self._store.run(log.cursor, log.UP)

    async def head(self) -> Position:
        return await self._store.run(log.head)

    async def mark_at(self, seq: Seq) -> str | None:
        return await self._store.run(log.mark_at, seq)

    async def read_after(self, seq: Seq, limit: int, max_bytes: int) -> tuple[Item, ...]:
        return await self._store.run(log.read_after, seq, limit, max_bytes)

    async def confirm(self, position: Position) -> None:
        await self._store.run(_confirm, position)

    async def fork(self, seen: Position) -> Position:
        return await self._store.run(log.fork, seen)

    async def down_position(self) -> Position:
        return await self._store.run(log.cursor, log.DOWN)

    async def apply_down(self, log_id: LogId, items: Sequence[Item], marks: Sequence[str]) -> Position:
        return await self._store.run(_apply, log_id, items, marks)

    async def newest_of(self, kinds: Sequence[str], after: Seq, limit: int) -> tuple[Linked, ...]:
        return await self._store.run(log.newest_of, kinds, after, limit)

    async def apply_advance(self, linked: Linked) -> None:
        await self._store.run(log.apply_advance, linked, inbox.apply)

    async def wait_for_more(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._more.wait()
        except TimeoutError:
            pass
        self._more.clear()


def _confirm(tx: _Tx, position: Position) -> None:
    """A stick may have named our log anew while an answer about the old name was on its way: that means nothing now."""
    if position.log_id == log.cursor(tx, log.UP).log_id:
        outages.confirmed(tx, position)


def _apply(tx: _Tx, log_id: LogId, items: Sequence[Item], marks: Sequence[str]) -> Position:
    """A stick may have moved the position, or renamed the log, since these facts were judged: then they come again."""
    at = log.cursor(tx, log.DOWN)
    have = at.upto if at.log_id == log_id else 0
    if items and items[0].seq > have + 1:
        return at
    return log.apply_down(tx, log_id, items, marks, inbox.apply)
