"""`village-hub`: run the reference hub, list facts, show how all sites stand, send a file to a point.

JSON on stdout, one plain sentence on stderr. Exit 0 done, 1 refused, 2 wrong usage or settings, 4 the database.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import random
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge import logs
from edge.clock import SystemClock, SystemDice
from edge.command_line import Parser, emit, plain, settle_input
from edge.mistakes import ConfigError
from edge.model import SiteCode
from sync.dial import Tls
from sync.hub import (
    cli_enrolment,
    cli_forget,
    cli_profile,
    cli_release,
    cli_simulate,
    cli_stick,
    cli_support,
    cli_watch,
    manifest,
    report,
)
from sync.hub.app import Hub, HubOutside
from sync.hub.config import MAX_SHARDS, HubSettings, load
from sync.hub.intake import collect_rarely
from sync.hub.place import database_of
from sync.hub.shards import Fixed, Leases, Ownership, Whole
from sync.hub.store import HubStore, StoreFault
from sync.mqtt import Broker
from ui.mistakes import printed

CONFIG_VARIABLE = "VILLAGE_HUB_CONFIG"
RUN_LOCK = "hub.running"
DONE, REFUSED, USAGE, STORE = 0, 1, 2, 4


class Refused(Exception):
    """The command cannot be done; the text says why."""


class WrongUsage(Exception):
    """The command line lacks something; the text says what."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The program. Return its exit code."""
    options = _parser().parse_args(arguments)
    settle_input()
    logs.set_up(None)
    try:
        settings = load(_config_file(getattr(options, "config", None)))
        return int(options.command(settings, options))
    except ConfigError as error:
        return _said(printed(error), USAGE)
    except WrongUsage as error:
        return _said(str(error), USAGE)
    except manifest.BadManifest as error:
        emit({"sent": False, "mistakes": [_mistake(each) for each in error.mistakes]})
        return _said(str(error), REFUSED)
    except (Refused, cli_release.Refused, cli_simulate.Refused, *cli_enrolment.Refused) as error:
        return _said(str(error), REFUSED)
    except StoreFault as error:
        return _said(str(error), STORE)
    except BrokenPipeError:  # the reader of our lines has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:  # of the disk, or of a file that was named
        return _said(plain(error), STORE)
    except KeyboardInterrupt:
        return _said("interrupted", REFUSED)


def _run(settings: HubSettings, options: argparse.Namespace) -> int:
    broker = _broker(settings)
    with _store(settings) as store:
        work = _ownership(store, settings, options)
        collect_rarely()
        with _alone(settings.data_dir, work.name):
            asyncio.run(_serve(store, broker, work, settings.work.personal_keep_days))
    return DONE


def _ownership(store: HubStore, settings: HubSettings, options: argparse.Namespace) -> Ownership:
    if options.shard is not None:
        return Fixed(store, *options.shard)
    if settings.work.shards > 1:
        return Leases(store, f"{socket.gethostname()[:20]}-{os.getpid()}", settings.work.shards)
    return Whole(store)


def _shard(text: str) -> tuple[int, int]:
    number, of = (int(part) if part.isdecimal() else -1 for part in f"{text}/".split("/")[:2])
    if not 0 <= number < of <= MAX_SHARDS:
        raise argparse.ArgumentTypeError(f"must be as in 0/2: the first of two, at most {MAX_SHARDS}")
    return number, of


async def _serve(store: HubStore, broker: Broker, work: Ownership, keep_days: int) -> None:
    dice = random.SystemRandom().random
    outside = HubOutside(dice, lambda: emit({"ready": True, "pid": os.getpid()}), personal_keep_days=keep_days)
    hub = asyncio.create_task(Hub(store, broker, outside, work).run(), name="hub")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hub.cancel)
    with suppress(asyncio.CancelledError):
        await hub


def _facts(settings: HubSettings, options: argparse.Namespace) -> int:
    with _store(settings) as store:
        for each in report.facts(store, _site(settings, options)):
            emit(each)
    return DONE


def _status(settings: HubSettings, _options: argparse.Namespace) -> int:
    with _store(settings) as store:
        emit(report.status(store))
    return DONE


def _send(settings: HubSettings, options: argparse.Namespace) -> int:
    site = _site(settings, options)
    with _store(settings) as store:
        sent = manifest.send(store, site, options.file)
    emit(
        {
            "sent": True,
            "parcels": sent.parcels,
            "bills": sent.bills,
            "notices": sent.notices,
            "known": sent.known_before,
        }
    )
    return DONE


# --- parts --------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="village-hub", description="The reference hub of a district.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="serve the points of the district")
    run.add_argument(
        "--shard", type=_shard, metavar="K/N", help="serve only every N-th part of the points, from 0/N on"
    )
    facts = commands.add_parser("facts", help="list the facts of a point, one JSON object a line")
    status = commands.add_parser("status", help="how all points stand")
    send = commands.add_parser("send", help="send a file of parcels, bills and notices to a point")
    for each, command in ((run, _run), (facts, _facts), (status, _status), (send, _send)):
        each.set_defaults(command=command)
    for each in (facts, send):
        each.add_argument("--site", required=True, help="code of the point")
    facts.add_argument("--jsonl", action="store_true", help="one JSON object a line (the only form there is)")
    send.add_argument("file", type=Path, metavar="FILE")
    cli_enrolment.add(commands, _store)
    cli_forget.add(commands, _store)
    cli_profile.add(commands, _store)
    cli_release.add(commands, _store)
    cli_stick.add(commands, _store)
    cli_support.add(commands)
    cli_watch.add(commands)
    cli_simulate.add(commands, _store, _broker)
    return parser


def _config_file(given: Path | None) -> Path:
    named = os.environ.get(CONFIG_VARIABLE)
    if given is None and not named:
        raise WrongUsage(f"give --config FILE or set {CONFIG_VARIABLE}")
    return given if given is not None else Path(str(named))


def _site(settings: HubSettings, options: argparse.Namespace) -> SiteCode:
    site = SiteCode(options.site)
    if site not in settings.sites:
        raise Refused(f"site {site!r} is not in {settings.file}")
    return site


def _broker(settings: HubSettings) -> Broker:
    at = settings.broker
    tls = None if at.tls_ca_file is None else Tls(at.tls_ca_file, at.tls_cert_file, at.tls_key_file)
    return Broker(at.host, at.port, at.username, settings.password(), tls, at.protocol, qos=at.qos)


@contextmanager
def _store(settings: HubSettings) -> Iterator[HubStore]:
    store = HubStore(database_of(settings), SystemClock(), SystemDice(), settings.keys())
    store.open()
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _alone(folder: Path, name: str | None) -> Iterator[None]:
    """Two running hubs under one name would throw each other off the broker."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = (folder / (RUN_LOCK if name is None else f"{RUN_LOCK}-{name}")).open("a")
    except OSError as error:
        raise StoreFault("disk", f"the folder {folder} cannot be used: {error.strerror}") from error
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"a hub is already running on {folder}") from None
        yield


def _mistake(each: manifest.Mistake) -> dict[str, Any]:
    return {"list": each.where, "index": each.index, "field": each.field, "what": each.what}


def _said(sentence: str, code: int) -> int:
    print(f"village-hub: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
