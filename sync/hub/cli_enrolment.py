"""`village-hub ca|reception|enrolments|certificates|approve|refuse|revoke`: who may talk to the broker.

Nothing is decided here; see sync/hub/enrolment.py. Manners are those of sync/hub/cli.py.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from edge.clock import SystemClock
from edge.command_line import emit
from edge.model import SiteCode
from sync import x509
from sync.dial import Tls
from sync.hub import broker_files, link_keys, reception
from sync.hub.authority import Authority, NoAuthority
from sync.hub.config import HubSettings
from sync.hub.enrolment import Enrolments, NotNow
from sync.hub.enrolment_config import EnrolmentSettings
from sync.hub.for_terminals import ForTerminals
from sync.hub.https import Allowance, HttpsServer
from sync.hub.kept import Kept
from sync.hub.profiles import Profiles
from sync.hub.releases import Releases
from sync.hub.store import HubStore
from sync.mqtt import Broker, Connection, LineLost, Will

KICK_S = 5.0
NAME = "village-hub"

OpenStore = Callable[[HubSettings], AbstractContextManager[HubStore]]
Refused = (NotNow, NoAuthority, x509.BadPem)  # what a command ends with, exit 1


def add(commands: Any, open_store: OpenStore) -> None:
    """Add the commands to those of `village-hub`."""
    ca = commands.add_parser("ca", help="the district's certificate authority")
    actions = ca.add_subparsers(required=True, metavar="ACTION")
    init = actions.add_parser("init", help="make the authority, and the broker's files anew")
    show = actions.add_parser("show", help="the fingerprint that terminals are told")
    serve = commands.add_parser("reception", help="serve enrolment and renewal over HTTPS")
    waiting = commands.add_parser("enrolments", help="devices that asked to be let in")
    given = commands.add_parser("certificates", help="certificates given, and taken back")
    approve = commands.add_parser("approve", help="let the device with this code in")
    refuse = commands.add_parser("refuse", help="send the device with this code away")
    revoke = commands.add_parser("revoke", help="take back the certificates of a site, or one by its serial")
    for each, command in (
        (init, _init), (show, _show), (serve, _reception), (waiting, _enrolments), (given, _certificates),
        (approve, _approve), (refuse, _refuse), (revoke, _revoke),
    ):  # fmt: skip
        each.set_defaults(command=partial(command, open_store))
    for each in (approve, refuse):
        each.add_argument("code", metavar="CODE")
    approve.add_argument("--site", required=True, help="code of the point")
    approve.add_argument("--replace", action="store_true", help="end the certificates of the device that was there")
    revoke.add_argument("named", metavar="SITE_OR_SERIAL")
    revoke.add_argument("--reason", default="revoked", help="one line for the record")


def authority_of(settings: HubSettings) -> Authority:
    """The authority of these settings. Errors: NoAuthority when they name none."""
    chosen = _chosen(settings)
    return Authority(settings.data_dir, chosen.broker_dir, chosen.hosts, (chosen.broker_port, settings.broker.port))


def profiles_of(settings: HubSettings, store: HubStore) -> Profiles:
    """The profiles of these settings. Errors: NoAuthority."""
    files = {site: each.profile_file for site, each in settings.sites.items() if each.profile_file is not None}
    return Profiles(store, authority_of(settings), files)


def _init(_open: OpenStore, settings: HubSettings, _options: argparse.Namespace) -> int:
    authority = authority_of(settings)
    is_new = authority.init(f"village hub {_chosen(settings).hosts[0]}", _now())
    keys = link_keys.make_missing(site.link_key_file for site in settings.sites.values())
    emit({"new": is_new, "fingerprint": authority.fingerprint(), "link_keys_made": len(keys)})
    return 0


def _show(_open: OpenStore, settings: HubSettings, _options: argparse.Namespace) -> int:
    authority = authority_of(settings)
    server = authority.server()
    emit(
        {
            "fingerprint": authority.fingerprint(),
            "server": server.name,
            "server_ends": server.span.end.isoformat(),
        }
    )
    return 0


def _enrolments(open_store: OpenStore, settings: HubSettings, _options: argparse.Namespace) -> int:
    with _tables(open_store, settings) as tables:
        for each in tables.waiting():
            emit(each)
    return 0


def _certificates(open_store: OpenStore, settings: HubSettings, _options: argparse.Namespace) -> int:
    with _tables(open_store, settings) as tables:
        for each in tables.certificates():
            emit(each)
    return 0


def _approve(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    site = SiteCode(options.site)
    if site in settings.sites:
        link_keys.make_missing([settings.sites[site].link_key_file])
    with _tables(open_store, settings) as tables:
        serial = tables.approve(options.code, site, replace=options.replace)
    ended: dict[str, object] = {}
    if options.replace:
        ended = {"broker_reloaded": broker_files.reload(_chosen(settings).reload)}
        ended["cut_off"] = asyncio.run(cut_off(settings, site))  # the terminal before it may have a line now
    emit({"approved": True, "site": site, "serial": serial} | ended)
    return 0


def _refuse(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    with _tables(open_store, settings) as tables:
        tables.refuse(options.code)
    emit({"refused": True})
    return 0


def _revoke(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    with _tables(open_store, settings) as tables:
        serials = tables.revoke(options.named, options.reason)
        sites = sorted({row["site"] for row in tables.certificates() if row["serial"] in serials})
    told = broker_files.reload(_chosen(settings).reload)
    cut = {site: asyncio.run(cut_off(settings, site)) for site in sites}
    emit({"revoked": serials, "broker_reloaded": told, "cut_off": cut})
    return 0


def _reception(open_store: OpenStore, settings: HubSettings, _options: argparse.Namespace) -> int:
    with _tables(open_store, settings) as tables:
        asyncio.run(_serve(settings, tables))
    return 0


async def _serve(settings: HubSettings, tables: Enrolments) -> None:
    chosen, authority = _chosen(settings), authority_of(settings)
    authority.renew_own(_now())
    profiles = profiles_of(settings, tables.store)
    profiles.prepare()
    mine = ForTerminals(tables, profiles, Kept(settings.data_dir / "kept"))
    served = reception.context(authority)
    clock = tables.store.clock
    server = HttpsServer(
        reception.Reception(tables, authority, profiles, mine, Releases(tables.store, settings.data_dir)).answer,
        Allowance(lambda: int(clock.ms()), chosen.burst),
        lambda: clock.stamp().at / 1000,
    )
    port = await server.open(chosen.listen, chosen.port, served)
    keep = asyncio.create_task(
        reception.keep_certificates(authority, _now, served, lambda: broker_files.reload(_chosen(settings).reload)),
        name="certificates",
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, keep.cancel)
    emit({"ready": True, "pid": os.getpid(), "port": port})
    with suppress(asyncio.CancelledError):
        await keep
    await server.close()


async def cut_off(settings: HubSettings, site: str) -> bool:
    """Throw a live line of this terminal off: whoever connects with its client id takes its place.

    The list of revoked certificates is looked at only in a handshake, and a line may live for months.
    """
    at = settings.broker
    tls = None if at.tls_ca_file is None else Tls(at.tls_ca_file, at.tls_cert_file, at.tls_key_file)
    broker = Broker(at.host, at.port, at.username, settings.password(), tls, at.protocol, qos=at.qos)
    will = Will("vp/hub/revoked", b"")
    try:
        async with Connection(broker, site, will, KICK_S) as line:
            await line.farewell(will.topic, will.payload, KICK_S)
    except LineLost:
        return False
    return True


@contextmanager
def _tables(open_store: OpenStore, settings: HubSettings) -> Iterator[Enrolments]:
    authority, days = authority_of(settings), _chosen(settings).days
    with open_store(settings) as store:
        tables = Enrolments(store, authority, days)
        tables.prepare()
        yield tables


def _chosen(settings: HubSettings) -> EnrolmentSettings:
    if settings.enrolment is None:
        raise NoAuthority(f"there is no [enrolment] in {settings.file}")
    return settings.enrolment


def _now() -> datetime:
    return datetime.fromtimestamp(SystemClock().stamp().at / 1000, UTC)
