"""What a running terminal leaves outside of itself: a sealed copy of its books each night and on sticks, and support
bundles. A part of the composition root; what is in them is edge/kept_copy.py and edge/support.py.

The libraries behind them are loaded with the first use: no start waits for them.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import TYPE_CHECKING

from edge.clock import Clock
from edge.config import HubLink, Settings
from edge.house import House
from edge.release import Unfit
from edge.setup import VERSION
from edge.store import Store
from edge.update_hand import Before, newest, put_on

if TYPE_CHECKING:
    from edge.kept_copy import Say


class Outward:
    """Implements `edge.carrying.Beside`."""

    def __init__(self, settings: Settings, store: Store, house: House, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._house = house
        self._clock = clock

    async def keep_daily(self, hub: HubLink) -> None:
        """Send a copy of the books to the hub every day, for ever."""
        from edge.kept_copy import books_of, keep

        dice = random.SystemRandom().random
        await keep(books_of(self._settings), lambda: self._voice(hub), self._now_ms, dice)

    def keep(self, stick: Path) -> None:
        """Put a copy of the books on a stick."""
        from edge.kept_copy import books_of

        books_of(self._settings).to_stick(stick, self._now_ms())

    async def bundle(self, stick: Path) -> None:
        """Put a support bundle on a stick."""
        from edge import support

        board = await self._house.checkup_board()
        facts = await self._store.run(support.last_facts)
        await asyncio.to_thread(self._write_bundle, stick, support.Told({}, board.findings, facts))

    async def release(self, stick: Path) -> None:
        """Put the release on a stick into the other slot. Errors: Unfit, OSError."""
        file = newest(stick)
        if file is None:
            raise Unfit("half", "no file of a release")
        before = Before(self._house.device_health(), self._house.line.online)
        await asyncio.to_thread(put_on, file, self._settings, before, lambda _told: None)

    def _write_bundle(self, stick: Path, told: object) -> None:
        from edge import support
        from edge.hub_link import IDENTITY
        from sync.identity import AUTHORITY

        assert isinstance(told, support.Told)
        folder, now_ms = self._settings.data_dir, self._now_ms()
        about = support.about(VERSION, now_ms, folder) | {"site": self._settings.site}
        files = support.files(support.Told(about, told.findings, told.facts), folder, self._settings.file)
        support.write(files, folder / IDENTITY / AUTHORITY, stick, self._settings.site, now_ms)

    def _voice(self, hub: HubLink) -> Say:
        from edge.uplink import enroller, true_time
        from sync.identity import Identity

        assert hub.identity_dir is not None, "a terminal that enrols"
        voice = enroller(hub, Identity(hub.identity_dir), true_time(self._clock))
        voice.ask_time()
        return voice.say

    def _now_ms(self) -> int:
        return self._clock.stamp().at
