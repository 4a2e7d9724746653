"""Who is there: what the points say of themselves, kept for `village-hub status`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from edge.model import SiteCode
from sync.hub.store import HubStore
from sync.wire import Presence


def note_presence(store: HubStore, site: SiteCode, presence: Presence, *, retained: bool) -> None:
    """Keep the newest presence of a site. A retained one is no sign of life. Errors: StoreFault."""
    health = json.dumps(dict(presence.health), ensure_ascii=False, sort_keys=True)
    with store.transaction() as tx:
        tx.execute(
            "UPDATE site SET online = ?, pending = ?, health = ? WHERE code = ?",
            (int(presence.online), presence.pending, health, site),
        )
        if presence.version:
            tx.execute("UPDATE site SET version = ? WHERE code = ?", (presence.version, site))
        if not retained:
            tx.execute("UPDATE site SET seen_at = ? WHERE code = ?", (tx.stamp.at, site))


def note_sign_of_life(store: HubStore, site: SiteCode) -> None:
    """A site that passed for away has spoken. Errors: StoreFault."""
    with store.transaction() as tx:
        tx.execute("UPDATE site SET online = 1, seen_at = ? WHERE code = ?", (tx.stamp.at, site))


def nobody_is_known(store: HubStore, sites: Sequence[SiteCode]) -> None:
    """While their worker was away nobody was heard: forget which of these were online. Errors: StoreFault."""
    with store.transaction() as tx:
        for site in sites:
            tx.execute("UPDATE site SET online = 0 WHERE code = ? AND online <> 0", (site,))
