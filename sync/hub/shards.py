"""Which sites a worker serves. A site falls into one shard by its code; a shard is one worker's at a time.

Workers do not share a subscription: a broker would hand the batches of one site to several of them, out of order. Each
subscribes to the topics of its own sites. A lease says who does the work, not who may: two workers that serve one site
for a moment disturb nobody, because the site is held and its position compared in the transaction of the facts.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Protocol

from edge.model import SiteCode
from sync.hub.store import HubStore, Tx

LEASE_MS = 15_000  # by the clock of the database: so long a dead worker's sites wait
BEAT_S = 5.0
LEASES = "leases"  # the name to hold


class Ownership(Protocol):
    """Who serves what. `name` is None for the one hub of a district."""

    @property
    def name(self) -> str | None: ...

    def beat(self) -> frozenset[SiteCode]:
        """The sites to serve from now on. Errors: StoreFault."""

    def leave(self) -> None:
        """Give them up at once, for others to take. Errors: StoreFault."""


def shard_of(site: SiteCode, shards: int) -> int:
    """The shard of a site: the same on every machine and in every release."""
    return zlib.crc32(site.encode()) % shards


def sites_of(sites: Iterable[SiteCode], owned: Iterable[int], shards: int) -> frozenset[SiteCode]:
    """The sites that fall into some shards."""
    mine = frozenset(owned)
    return frozenset(site for site in sites if shard_of(site, shards) in mine)


class Whole:
    """One hub for all."""

    name: str | None = None

    def __init__(self, store: HubStore) -> None:
        self._sites = frozenset(store.keys)

    def beat(self) -> frozenset[SiteCode]:
        """All, always."""
        return self._sites

    def leave(self) -> None:
        """Nobody else waits."""


class Fixed:
    """A worker started for one shard, `--shard 0/2`: whoever starts the workers sees to it that each shard has one."""

    def __init__(self, store: HubStore, shard: int, shards: int) -> None:
        self.name: str | None = f"{shard}-{shards}"
        self._sites = sites_of(store.keys, [shard], shards)

    def beat(self) -> frozenset[SiteCode]:
        """Those of the shard."""
        return self._sites

    def leave(self) -> None:
        """Nobody else may take it."""


class Leases:
    """A worker among others: each takes its fair share of the shards and gives up what is more.

    Shards of a worker that does not beat any more are free after LEASE_MS.
    """

    def __init__(self, store: HubStore, name: str, shards: int) -> None:
        self.name: str | None = name
        self._worker = name
        self._store = store
        self._shards = shards

    def beat(self) -> frozenset[SiteCode]:
        """Renew, give up, take: in one transaction."""
        with self._store.transaction() as tx:
            tx.hold(LEASES)
            now = tx.session.now_ms()
            share = self._fair_share(tx, now)
            held = {int(row["shard"]): str(row["worker"]) for row in tx.rows("SELECT shard, worker FROM lease")}
            mine = sorted(shard for shard, worker in held.items() if worker == self._worker)
            free = [shard for shard in range(self._shards) if shard not in held]
            owned = (mine + free)[:share]
            for shard in mine[share:]:
                tx.execute("DELETE FROM lease WHERE shard = ?", (shard,))
            for shard in owned:
                tx.execute(
                    "INSERT INTO lease (shard, worker, until) VALUES (?, ?, ?) "
                    "ON CONFLICT (shard) DO UPDATE SET until = excluded.until",
                    (shard, self._worker, now + LEASE_MS),
                )
        return sites_of(self._store.keys, owned, self._shards)

    def leave(self) -> None:
        """Free everything of this worker."""
        with self._store.transaction() as tx:
            tx.hold(LEASES)
            tx.execute("DELETE FROM lease WHERE worker = ?", (self._worker,))
            tx.execute("DELETE FROM worker WHERE name = ?", (self._worker,))

    def _fair_share(self, tx: Tx, now: int) -> int:
        tx.execute(
            "INSERT INTO worker (name, until) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET until = excluded.until",
            (self._worker, now + LEASE_MS),
        )
        tx.execute("DELETE FROM worker WHERE until < ?", (now,))
        tx.execute("DELETE FROM lease WHERE until < ? OR shard >= ?", (now, self._shards))
        workers = int(tx.value("SELECT count(*) FROM worker"))
        return -(-self._shards // workers)
