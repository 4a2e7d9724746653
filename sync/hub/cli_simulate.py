"""`village-hub simulate`: thousands of light terminals against a test hub and its broker, and a check of what it holds.

It plays only points whose code begins with SIM-, and sends only to the broker of the settings; one that is not on this
machine has to be confirmed. How a point is played is in sync/hub/simulation/.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from edge.clock import SystemClock, SystemDice
from edge.command_line import emit
from edge.model import SiteCode
from sync.dial import Tls
from sync.hub.config import HubSettings
from sync.hub.simulation.carrier import Outside
from sync.hub.simulation.play import Plan, Simulation, check
from sync.hub.store import HubStore
from sync.mqtt import Broker

PREFIX = "SIM-"
CONSENT = "--yes-this-is-my-test-broker"
DONE, DIFFERS = 0, 1
MAX_CONNECTIONS = 2_000
MAX_FACTS = 1_000_000  # of one point
MAX_TOTAL = 20_000_000  # 32 bytes each are kept, 640 MB
MAX_SECONDS = 86_400
SPARE_FILES = 64

Opener = Callable[[HubSettings], AbstractContextManager[HubStore]]


class Refused(Exception):
    """The simulation is not begun; the text says why."""


def add(commands: Any, store: Opener, broker: Callable[[HubSettings], Broker]) -> None:
    """Hang the command into the parser."""
    each = commands.add_parser("simulate", help="play light terminals against a test hub, and check what it holds")
    each.add_argument("--sites", type=_count(100_000), required=True, metavar="N", help=f"the first N points {PREFIX}…")
    each.add_argument("--connections", type=_count(MAX_CONNECTIONS), default=40, metavar="C", help="usual: 40")
    each.add_argument("--facts", type=_count(MAX_FACTS), default=10, metavar="F", help="of each point; usual: 10")
    each.add_argument("--rate", type=float, default=0.0, metavar="R", help="facts a second of all; usual: all at once")
    each.add_argument("--seconds", type=_count(MAX_SECONDS), default=600, metavar="S", help="give up after; usual: 600")
    each.add_argument("--username", help="account of the simulator at the broker; usual: that of the hub")
    each.add_argument("--password-file", type=Path, metavar="FILE")
    each.add_argument("--certificate", type=Path, metavar="FILE", help="its certificate and key in one file")
    each.add_argument(CONSENT, dest="is_mine", action="store_true", help="for a broker that is not on this machine")
    each.set_defaults(command=lambda settings, options: _simulate(settings, options, store, broker))


def _simulate(
    settings: HubSettings, options: argparse.Namespace, opener: Opener, broker_of: Callable[[HubSettings], Broker]
) -> int:
    sites = _sites(settings, options.sites)
    if options.facts * len(sites) > MAX_TOTAL:
        raise Refused(f"no more than {MAX_TOTAL} facts in one run")
    if options.rate < 0 or (options.rate and options.facts * len(sites) / options.rate > options.seconds):
        raise Refused("at this rate the facts do not fit into the time; change --rate or --seconds")
    if not options.is_mine and not _is_loopback(settings.broker.host, settings.broker.port):
        raise Refused(f"the broker {settings.broker.host} is not on this machine; if it is for tests, say {CONSENT}")
    broker = _account(broker_of(settings), options)
    connections = min(options.connections, len(sites), _files_left())
    plan = Plan(SystemDice().ident()[:8], options.facts, connections, options.rate, options.seconds)
    clock = SystemClock()
    keys = settings.keys()
    outside = Outside(clock.ms, random.SystemRandom().random)
    simulation = Simulation(plan, broker, {site: keys[site] for site in sites}, outside)
    is_done = asyncio.run(simulation.run())
    with opener(settings) as store:
        found = check(store, simulation.points, plan.run)
    emit({**simulation.figures(), "done": is_done, "hub": found})
    return DONE if is_done and found["equal"] else DIFFERS


def _sites(settings: HubSettings, count: int) -> list[SiteCode]:
    """Only points made for it: what is played becomes part of a point's history for ever."""
    found = sorted(site for site in settings.sites if site.startswith(PREFIX))
    if len(found) < count:
        raise Refused(
            f"{settings.file} has {len(found)} points with a code {PREFIX}…; packaging/hub/simulated.py makes settings"
        )
    return found[:count]


def _account(broker: Broker, options: argparse.Namespace) -> Broker:
    if options.username is not None:
        password = None if options.password_file is None else options.password_file.read_text("utf-8").strip()
        broker = replace(broker, username=options.username, password=password)
    if options.certificate is not None and broker.tls is not None:
        tls = Tls(broker.tls.ca_file, options.certificate, options.certificate)
        broker = replace(broker, tls=tls)
    return broker


def _is_loopback(host: str, port: int) -> bool:
    """Whether every address of every node is on this machine."""
    try:
        found = [each[4][0] for name in host.split() for each in socket.getaddrinfo(name, port)]
    except OSError:
        return False
    return bool(found) and all(ip_address(str(address).split("%")[0]).is_loopback for address in found)


def _files_left() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, soft - SPARE_FILES)


def _count(most: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a number from 1 to {most}")
        return int(text)

    return count
