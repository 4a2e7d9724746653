"""What a projection is given with a fact, and how it says no."""

from __future__ import annotations

from typing import NamedTuple

from edge.model import EventId, SiteCode
from sync.hub.down import DownLog


class Case(NamedTuple):
    """One new fact of a site. `at`: UTC milliseconds by the site's clock; `down`: where results are told."""

    site: SiteCode
    event: EventId
    at: int
    down: DownLog


class NotApplicable(Exception):
    """The fact is kept but cannot be applied. `reason` is one word; the operator at the point sees it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
