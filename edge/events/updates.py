"""Facts about new releases of the terminal's system: ordered by the hub, fetched, written, proven or given up."""

from __future__ import annotations

from typing import ClassVar

from edge.events.base import Fact


class UpdateOrdered(Fact, frozen=True):  # from the hub
    """Become this release. `sheet`: SHA-256 of the release's sheet (edge/release.py), which names files and pieces.

    Units: `until` UTC ms; after it the order is void. `at_once`: do not wait for the night.
    """

    kind: ClassVar[str] = "update_ordered.1"
    order: str
    version: str
    compatible: str
    sheet: str
    until: int
    at_once: bool


class UpdateWithdrawn(Fact, frozen=True):  # from the hub
    """The order is void, unless its release is already being tried."""

    kind: ClassVar[str] = "update_withdrawn.1"
    order: str


class UpdateFetched(Fact, frozen=True):
    """All of it is here and was checked. `base`: the release it builds on, empty for a whole one. Units: bytes."""

    kind: ClassVar[str] = "update_fetched.1"
    order: str
    version: str
    base: str
    size: int


class UpdateWritten(Fact, frozen=True):
    """It lies in the other slot; the next start tries it. `order`: empty when a technician brought it."""

    kind: ClassVar[str] = "update_written.1"
    order: str
    version: str
    old: str


class UpdateInstalled(Fact, frozen=True):
    """It was started, passed its health check and is what starts from now on."""

    kind: ClassVar[str] = "update_installed.1"
    order: str
    version: str
    old: str


class UpdateFellBack(Fact, frozen=True):
    """The terminal went back to `old` by itself. `why`: a word of edge/health.py, or `no_start`."""

    kind: ClassVar[str] = "update_fell_back.1"
    order: str
    version: str
    old: str
    why: str


class UpdateRefused(Fact, frozen=True):
    """Nothing was written. `why`: a word of edge/release.py."""

    kind: ClassVar[str] = "update_refused.1"
    order: str
    version: str
    why: str
