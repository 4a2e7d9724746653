"""A kiosk that is not yet enrolled asks the hub by itself, and says how that stands; the counter works meanwhile.

What is said to the hub is in sync/enrol.py, the same from a command in edge/enrolling.py. With the grant the terminal
has another link key, so it begins anew once nobody stands before it; its log is chained to that key then
(`log.take_over`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from edge.clock import Clock
from edge.config import HubLink
from edge.enrolling import ASK_EVERY_S
from edge.steps import Step
from edge.steps.pairing import Pairing
from edge.uplink import enroller, true_time
from sync.enrol import Claim
from sync.identity import Identity
from sync.renewal import FAULTS

log = logging.getLogger(__name__)


class Pairer:
    """Asks until the hub has decided. `post` shows each answer, also the same again: a page may have been left."""

    def __init__(self, hub: HubLink, site: str, clock: Clock, post: Callable[[Step], None]) -> None:
        assert hub.identity_dir is not None, "a terminal that enrols"
        self._identity = Identity(hub.identity_dir)
        self._voice = enroller(hub, self._identity, true_time(clock))
        self._site = site
        self._post = post
        self._last = Pairing("")

    async def run(self) -> None:
        """Ask for ever; after the grant only say so."""
        while True:
            told = await self._ask()
            if told.state != self._last.state:
                log.info("pairing: %s", told.state)
            self._last = told
            self._post(told)
            await asyncio.sleep(ASK_EVERY_S)

    async def _ask(self) -> Pairing:
        try:
            if self._identity.is_enrolled:  # by us, or by the command beside us
                return self._let_in(self._identity.certificate().name)
            claim: Claim = await asyncio.to_thread(self._voice.ask, self._site)
        except FAULTS as error:
            return Pairing(getattr(error, "word", "disk"), self._last.code, self._last.qr)
        return self._let_in(claim.site) if claim.state == "granted" else Pairing(claim.state, claim.code, claim.qr)

    def _let_in(self, site: str) -> Pairing:
        """The desk may have approved us as another point: then a person has to act, here or there."""
        return Pairing("granted" if site == self._site else "other_site", self._last.code, self._last.qr)
