"""Build what carries the log to the hub: the broker's address, the terminal's identity, its renewal, the link.

A part of the composition root (edge/app.py), which starts and stops what is built here.
"""

from __future__ import annotations

import random
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.clock import Clock
from edge.config import HubLink
from edge.model import SiteCode
from sync.dial import Tls
from sync.link import Link
from sync.mqtt import Broker
from sync.port import LinkSettings, LogPort, Outside
from sync.true_time import TrueTime

if TYPE_CHECKING:  # the libraries of certificates cost a tenth of a start: loaded where there is an identity
    from sync.enrol import Enroller
    from sync.identity import Identity
    from sync.renewal import Renewal


class Uplink:
    """The line to the hub, and for an enrolled terminal the renewal of its certificate."""

    def __init__(self, hub: HubLink, who: tuple[SiteCode, str], port: LogPort, outside: Outside, clock: Clock) -> None:
        """`who`: site and version. Errors: ConfigError when the link key or a password cannot be read."""
        site, version = who
        self._renewal: Renewal | None = None
        tls = None if hub.tls_ca_file is None else Tls(hub.tls_ca_file)
        if hub.identity_dir is not None:
            from sync.identity import Identity
            from sync.renewal import Renewal

            identity = Identity(hub.identity_dir)
            now = true_time(clock)
            tls = Tls(identity.authority_file, identity.pair_file, identity.pair_file, now.now_s)
            dice = random.SystemRandom().random
            self._renewal = Renewal(enroller(hub, identity, now), identity, now, dice, self.begin_anew)
            outside = replace(outside, on_refused=self._renewal.put_right)
        broker = Broker(hub.host, hub.port, hub.username, hub.password(), tls, hub.protocol, qos=hub.qos)
        self._link = Link(LinkSettings(site, broker, hub.link_key(), version), port, outside)

    def work(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """The tasks to run."""
        work = [("link", self._link.run())]
        if self._renewal is not None:
            work.append(("certificate", self._renewal.run()))
        return work

    def begin_anew(self) -> None:
        """Take a new line: the certificate, or by a stick the positions, have changed."""
        self._link.begin_anew()


def true_time(clock: Clock) -> TrueTime:
    """The time for certificates, on this machine's clocks."""
    return TrueTime(lambda: clock.stamp().at / 1000, clock.ms)


def enroller(hub: HubLink, identity: Identity, now: TrueTime) -> Enroller:
    """The terminal's voice at the hub's reception."""
    from sync.enrol import Desk, Enroller

    return Enroller(Desk(hub.host.split()[0], hub.enrol_port, hub.ca_fingerprint), identity, now)
