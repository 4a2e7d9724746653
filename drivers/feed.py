"""A bounded queue between a device's task and its one reader. No device knowledge here."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Feed(Generic[T]):
    """Items in order. When it is full, either the newest is refused or the oldest forgotten; both are counted."""

    def __init__(self, bound: int, keep_newest: bool) -> None:
        self.lost = 0
        self._items: deque[T] = deque()
        self._bound = bound
        self._keep_newest = keep_newest
        self._has_ended = False
        self._stirred = asyncio.Event()

    def put(self, item: T) -> None:
        """Add an item; never blocks."""
        if len(self._items) >= self._bound:
            self.lost += 1
            if not self._keep_newest:
                return
            self._items.popleft()
        self._items.append(item)
        self._stirred.set()

    def end(self) -> None:
        """Let the reader finish once the items are used up."""
        self._has_ended = True
        self._stirred.set()

    async def items(self) -> AsyncIterator[T]:
        """Yield items until the end. One reader only."""
        while True:
            while self._items:
                yield self._items.popleft()
            if self._has_ended:
                return
            self._stirred.clear()
            await self._stirred.wait()
