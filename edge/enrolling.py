"""Enrol a terminal: from a file that knows only where the hub is, to one that can run.

The file a card is prepared with holds no secret: host, ports and the fingerprint of the district's authority. It may
hold everything else too; where it names no site, the hub's profile of the approved site completes it. How the hub is
spoken to is in sync/enrol.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import screen_size
from edge.clock import SystemClock
from edge.config import HubLink
from edge.district import hub_table
from edge.hub_link import path_of, read_hub
from edge.mistakes import ConfigError, Mistake, Problem, mistake
from edge.site_profile import BadProfile, Ground, settings_of, whole
from edge.toml_table import read
from edge.uplink import enroller, true_time
from sync.enrol import Claim, EnrolFault
from sync.files import replace_file
from sync.identity import Identity

ASK_EVERY_S = 5.0
LATER = ("line", "busy", "closed", "full")  # words of what may be over by the next question


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the file of a card says before the terminal is enrolled. `site`: empty when the hub is to say."""

    file: Path
    site: str
    data_dir: Path
    hub: HubLink


def prepared(path: Path) -> Prepared:
    """Read as much as is needed to enrol. Errors: ConfigError."""
    file = path.absolute()
    table = read(file)
    data_dir = path_of(table, "data_dir", file.parent)
    hub = read_hub(table.table("hub"), file.parent, data_dir)
    site = table.optional_text("site", r"[A-Z0-9-]{3,20}", mistake("site_code"))
    if hub.identity_dir is None:
        table.wrong(mistake("no_fingerprint"), "hub", "ca_fingerprint")
    if table.problems:
        raise ConfigError(file, table.problems)
    return Prepared(file, site or "", data_dir, hub)


def enrol(card: Prepared, tell: Callable[[Claim], None], wait_s: float) -> Claim:
    """Ask until somebody has decided or the time is over; `tell` hears each change. Return the last answer.

    Errors: EnrolFault, WrongGrant, BadPem, InUse, OSError; ConfigError for a profile that cannot be used.
    """
    if card.hub.identity_dir is None:
        raise AssertionError("prepared() checked this")
    clock = SystemClock()
    voice = enroller(card.hub, Identity(card.hub.identity_dir), true_time(clock))
    give_up_ms = clock.ms() + round(1000 * wait_s)
    last: Claim | None = None
    while True:
        try:
            claim = voice.ask(card.site)
        except EnrolFault as fault:
            if fault.word not in LATER or clock.ms() >= give_up_ms:
                raise
        else:
            if claim.state == "granted":
                complete(card, claim)
            if claim != last:
                tell(claim)
            last = claim
            if claim.state != "waiting" or clock.ms() >= give_up_ms:
                return claim
        time.sleep(ASK_EVERY_S)


def complete(card: Prepared, claim: Claim) -> None:
    """Write the whole settings where the card named no site. Errors: ConfigError; then the file is as before."""
    if card.site:
        return
    if claim.profile is None:
        raise _bad(card, mistake("no_profile", site=claim.site))
    ground = Ground(card.data_dir, None, screen_size.panel(), hub_table(card.hub))
    try:
        settings_of(claim.profile, card.file, ground, claim.site)
    except BadProfile as error:
        raise _bad(card, mistake("other_profile", site=claim.site, said=str(error))) from error
    replace_file(card.file, whole(claim.profile, ground).encode())


def _bad(card: Prepared, what: Mistake) -> ConfigError:
    return ConfigError(card.file, [Problem(1, "site", what)])
