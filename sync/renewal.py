"""When a terminal calls the hub's reception by itself: to renew in the last third of a certificate's life, and for the
time when certificates and clock do not agree. How it calls is in sync/enrol.py.

Calls block, so they run in the loop's helper thread; one at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sync.enrol import EnrolFault, Enroller
from sync.identity import Identity, InUse, WrongGrant
from sync.relay import Backoff
from sync.true_time import TrueTime
from sync.x509 import BadPem

LAST_PART = 3  # the same part of a life as at the hub, which else would give the old certificate again
LOOK_S = 3_600.0
RETRY_BASE_S, RETRY_CAP_S = 60.0, 6 * 3_600.0  # there is a month to succeed in; 350 points must not come together
FAULTS = (EnrolFault, InUse, WrongGrant, BadPem, OSError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Life:
    """How the certificate stands. Units: days left by the best known time; `clock_off_s` as TrueTime says."""

    days_left: int
    clock_off_s: float
    word: str | None


class Renewal:
    """The task of one terminal. `on_new` is called on the loop when another certificate is in force."""

    def __init__(
        self, enroller: Enroller, identity: Identity, time: TrueTime, dice: Callable[[], float],
        on_new: Callable[[], None],
    ) -> None:  # fmt: skip
        self._enroller = enroller
        self._identity = identity
        self._time = time
        self._on_new = on_new
        self._backoff = Backoff(dice, RETRY_BASE_S, RETRY_CAP_S)
        self._one = asyncio.Lock()
        self._word: str | None = None

    def life(self) -> Life:
        """How the certificate stands now. Errors: OSError, BadPem."""
        left_s = self._identity.certificate().span.end.timestamp() - self._time.now_s()
        return Life(int(left_s // 86_400), self._time.wrong_by_s, self._word)

    async def run(self) -> None:
        """Renew for ever, in time."""
        while True:
            pause_s = LOOK_S
            if self.is_due():
                pause_s = LOOK_S if await self.renew() else self._backoff.next_s()
            await asyncio.sleep(pause_s)

    def is_due(self) -> bool:
        """Whether the last third has begun. A damaged file is not due: it needs a person."""
        try:
            span = self._identity.certificate().span
        except (OSError, BadPem):
            return False
        left_s = span.end.timestamp() - self._time.now_s()
        return left_s <= (span.end - span.begin).total_seconds() / LAST_PART

    async def renew(self) -> bool:
        """Fetch the next certificate; tell whether it is in force."""
        async with self._one:
            try:
                await asyncio.to_thread(self._enroller.renew)
            except FAULTS as error:
                self._word = getattr(error, "word", "disk")
                log.warning("the certificate was not renewed: %s (%s)", error, self._word)
                return False
        self._word = None
        self._backoff.reset()
        log.info("a new certificate is in force")
        self._on_new()
        return True

    async def put_right(self, word: str) -> bool:
        """A certificate was not taken: hear the hub's time if a clock may be wrong; tell whether to try again at once.

        Only news is worth another try: an hour's drift of the clock since the last question, or the first one.
        """
        if word != "hub_clock":
            return False
        before = self._time.now_s()
        async with self._one:
            with suppress(*FAULTS):
                await asyncio.to_thread(self._enroller.ask_time)
        moved_s = abs(self._time.now_s() - before)
        if moved_s > LOOK_S:
            log.warning(
                "this machine's clock is wrong by %d days; the hub's is used", round(self._time.wrong_by_s / 86_400)
            )
        return moved_s > LOOK_S
