"""`village-hub watch`: the page of the district's desk on loopback. Manners are those of sync/hub/cli.py."""

from __future__ import annotations

import argparse
import getpass
import logging
import os
import signal
import sys
from types import FrameType
from typing import Any

from edge.clock import SystemClock, SystemDice
from edge.command_line import emit
from sync.hub.config import HubSettings
from sync.hub.place import database_of
from sync.hub.store import HubStore, StoreFault

PORT = 8090
READ_S, WRITE_S = 30.0, 120.0  # a manifest of 100,000 rows takes some 10 s; others may be written before it
DONE, REFUSED, USAGE = 0, 1, 2


def add(commands: Any) -> None:
    """Add the command to those of `village-hub`."""
    watch = commands.add_parser("watch", help="serve the page of the district's desk on this machine")
    watch.add_argument("--port", type=_port, default=PORT, metavar="N", help=f"on 127.0.0.1, {PORT} without it")
    watch.add_argument(
        "--set-password", action="store_true", help="set the desk's password (asked for, or a line of standard input)"
    )
    watch.set_defaults(command=_watch)


def _watch(settings: HubSettings, options: argparse.Namespace) -> int:
    from sync.hub.web import entry  # other commands need none of it

    if options.set_password:
        try:
            entry.set_password(settings.data_dir, _asked())
        except entry.BadPassword as error:
            return _said(str(error), REFUSED)
        except OSError as error:
            raise StoreFault("disk", f"the password cannot be kept: {error.strerror}") from error
        emit({"password_set": True})
        return DONE
    if not entry.has_password(settings.data_dir):
        return _said("set the desk's password first: village-hub watch --set-password", REFUSED)
    return _serve(settings, options.port)


def _serve(settings: HubSettings, port: int) -> int:
    from sync.hub.web import actions, admission, overview, server
    from sync.hub.web.entry import Entry
    from sync.hub.web.gate import Gate
    from sync.hub.web.stores import StoreThread
    from sync.hub.web.visit import House

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # more pages than threads is no news
    clock, keys = SystemClock(), settings.keys()

    def make() -> HubStore:
        return HubStore(database_of(settings), clock, SystemDice(), keys)

    def prepare(store: HubStore) -> None:
        overview.prepare(store)
        admission.prepare(settings, store)

    writers, readers = StoreThread("writes", make, WRITE_S), StoreThread("reads", make, READ_S)
    try:
        writers.open(prepare)
        readers.open()
        gate = Gate(House(settings, readers, writers), Entry(settings.data_dir, lambda: int(clock.ms())))
        try:
            page = server.open_server(gate, port)
        except OSError as error:
            return _said(f"port {port} cannot be used: {error.strerror}", REFUSED)
        actions.clear(settings.data_dir)
        signal.signal(signal.SIGTERM, _leave)
        emit({"ready": True, "pid": os.getpid(), "url": f"http://{server.HOST}:{server.port_of(page)}/"})
        page.run()
    finally:
        readers.close()
        writers.close()
    return DONE


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(DONE)  # the server lets its threads end and returns


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("new password of the desk: ")
    return first if first == getpass.getpass("once more: ") else ""


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 6 else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return number


def _said(sentence: str, code: int) -> int:
    sys.stderr.write(f"village-hub: {sentence}\n")
    return code
