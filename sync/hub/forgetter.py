"""The chore of a running hub that forgets people: now and then over its sites, in steps between which others work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from edge.model import SiteCode
from sync.hub.forgetting import Forgotten, loose_ends, step
from sync.hub.lived import DAY_MS, Times, note_day, times
from sync.hub.store import HubStore, StoreFault

FIRST_S = 60.0
ROUND_S = 6 * 3_600.0
REST_S = 0.05  # after each step: a hub that has years to forget still takes batches most of its time

log = logging.getLogger(__name__)


class Forgetter:
    """Forgets for the sites this worker serves, and for those no settings name any more. `sites`: those it serves."""

    def __init__(self, store: HubStore, keep_days: int, sites: Callable[[], Iterable[SiteCode]]) -> None:
        self._store = store
        self._keep_days = keep_days
        self._sites = sites
        self._noted_ms: int | None = None
        self.failed = 0  # sites of the last round whose people could not be forgotten

    async def run(self) -> None:
        """Go round for ever."""
        rest_s = FIRST_S
        while True:
            await asyncio.sleep(rest_s)
            rest_s = ROUND_S
            try:
                done = await self.go_round()
            except StoreFault as fault:  # the hub tells of it by itself, if it lasts
                log.info("personal values are forgotten later: %s", fault.code)
                rest_s = FIRST_S
                continue
            if done != Forgotten():
                log.info(
                    "forgotten: the people of %s parcels and %s bills, in %s facts and %s announcements",
                    done.parcels, done.bills, done.facts, done.announcements,
                )  # fmt: skip

    async def go_round(self, sites: Iterable[SiteCode] | None = None) -> Forgotten:
        """Forget all that is old enough now. Errors: StoreFault; what was forgotten stays so."""
        self._note_day()
        with self._store.reading() as tx:
            now = times(tx, self._keep_days)
        done, self.failed = Forgotten(), 0
        for site in self.all_sites() if sites is None else sites:
            try:
                done += await self._forget(site, now)
            except StoreFault:
                raise
            except Exception as error:  # noqa: BLE001  the top of a task: one site must not keep the people of all
                self.failed += 1
                log.error("people of site %s could not be forgotten: %s", site, type(error).__name__)  # noqa: TRY400  a trace may quote them
            await asyncio.sleep(0)
        return done

    async def _forget(self, site: SiteCode, now: Times) -> Forgotten:
        done = Forgotten()
        for act in (step, loose_ends):
            while (some := act(self._store, site, now)) is not None:
                done += some
                await asyncio.sleep(REST_S)
        return done

    def _note_day(self) -> None:
        """Half a day apart at least by the machine's own count: a clock that jumps about lives no more days."""
        ms = int(self._store.clock.ms())
        if self._noted_ms is None or ms - self._noted_ms >= DAY_MS // 2:
            with self._store.transaction() as tx:
                note_day(tx)
            self._noted_ms = ms

    def all_sites(self) -> list[SiteCode]:
        """Those it goes round."""
        with self._store.reading() as tx:
            known = {SiteCode(row["code"]) for row in tx.rows("SELECT code FROM site")}
        return sorted({*self._sites()} | (known - self._store.keys.keys()))
