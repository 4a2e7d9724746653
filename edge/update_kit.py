"""Build what carries releases: a part of the composition root (edge/app.py), which runs it.

Without an image there is nothing to update, and no task.
"""

from __future__ import annotations

import random
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.clock import BOOT_ID, Clock
from edge.config import HubLink, Settings
from edge.house import House
from edge.store import Store
from edge.update_settings import FOLDER
from edge.uplink import enroller, true_time

if TYPE_CHECKING:  # the libraries of certificates cost a tenth of a start: loaded where there is a hub
    from edge.updating import Updating, Voice

LATE_MINUTES = 45  # the points of a district begin within so many minutes of each other


@dataclass(frozen=True, slots=True)
class AtWork:
    """The running terminal as edge/updating.py sees it."""

    house: House
    is_taken: Any  # whether a flow runs or somebody is logged in

    def is_busy(self) -> bool:
        return bool(self.is_taken())

    def devices(self) -> dict[str, str]:
        return self.house.device_health()

    def is_online(self) -> bool:
        return self.house.line.online


def updating_of(settings: Settings, store: Store, clock: Clock, kiosk: AtWork) -> Updating | None:
    """The task of this terminal, None where no image runs."""
    running = settings.update.running()
    if running is None:
        return None
    from edge.update_ask import Helper
    from edge.updating import Parts, Updating

    parts = Parts(
        folder=settings.data_dir / FOLDER,
        settings=settings.update,
        running=running,
        helper=Helper(settings.update.helper),
        voice=voice_of(settings.hub, clock),
        boot=BOOT_ID.read_text(encoding="ascii").strip(),
        late=random.SystemRandom().randrange(LATE_MINUTES),
        rest=time.sleep,
    )
    return Updating(parts, store, clock, kiosk)


def work_of(updating: Updating | None) -> list[tuple[str, Coroutine[Any, Any, None]]]:
    """The tasks to run."""
    return [] if updating is None else [("update", updating.run())]


def voice_of(hub: HubLink | None, clock: Clock) -> Voice | None:
    """The terminal's voice at the hub's reception, None before it was let in."""
    if hub is None or hub.identity_dir is None or not hub.is_ready:
        return None
    from sync.identity import Identity

    return enroller(hub, Identity(hub.identity_dir), true_time(clock))
