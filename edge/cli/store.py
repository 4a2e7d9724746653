"""`village-point log|backup|restore|status|operator`: what lies in the store, and the way back to it."""

from __future__ import annotations

import argparse
import hashlib
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from edge import backup, boards, events, guard, house, keys, log
from edge.chain import Item, event_id
from edge.cli.common import DONE, STORE, command, emit, settings_of
from edge.clock import SystemClock, SystemDice
from edge.config import Settings
from edge.copies import read_only
from edge.model import OperatorId, Rejected, Role
from edge.setup import begin
from edge.store import FILE, Store, StoreFault, Tx, take_lock

LAST = 20


def add(commands: Any) -> None:
    logs = commands.add_parser("log", help="the facts").add_subparsers(required=True, metavar="ACTION")
    command(logs, "show", f"the last {LAST} facts", _show)
    command(logs, "verify", "recompute the whole hash chain", _verify)
    export = command(logs, "export", "every fact, without personal values", _export)
    export.add_argument("--jsonl", action="store_true", help="one JSON object per line (the only form there is)")
    command(commands, "backup", "copy the database now, also while the kiosk runs", _backup)
    restore = command(commands, "restore", "put a backup in the place of the database", _restore)
    restore.add_argument("--from", dest="source", type=Path, help="which backup; the newest when not given")
    command(commands, "status", "figures of the point", _status)
    operator = commands.add_parser("operator", help="people with a PIN").add_subparsers(required=True, metavar="ACTION")
    person = command(operator, "add", "add a person or give them a new PIN", _operator)
    person.add_argument("--id", required=True)
    person.add_argument("--role", choices=[role.value for role in Role], required=True)
    person.add_argument("--pin-stdin", action="store_true", required=True, help="read the PIN from standard input")


@contextmanager
def reading(settings: Settings) -> Iterator[Tx]:
    """Read beside a running kiosk: a read-only connection and one snapshot. Errors: StoreFault."""
    path = settings.data_dir / FILE
    if not path.exists():
        raise StoreFault("S4", f"there is no database in {settings.data_dir}")
    connection = read_only(path)
    try:
        connection.isolation_level = None
        connection.execute("BEGIN")
        yield Tx(
            Database(connection, execute_plugins=False),
            SystemClock().stamp(),
            SystemDice(),
            keys.load(settings),
        )
    except sqlite3.DatabaseError as error:
        raise StoreFault("S1", f"the database cannot be read: {error}") from error
    finally:
        connection.close()


def _read(arguments: argparse.Namespace, work: Callable[[Tx], None]) -> None:
    with reading(settings_of(arguments)) as tx:
        work(tx)


def _show(arguments: argparse.Namespace) -> None:
    def work(tx: Tx) -> None:
        top = log.head(tx).upto
        for item, mark in list(log.items(tx, after=max(0, top - LAST))):
            emit(_line(item, mark))

    _read(arguments, work)


def _export(arguments: argparse.Namespace) -> None:
    def work(tx: Tx) -> None:
        for item, mark in log.items(tx):
            emit(_line(item, mark))

    _read(arguments, work)


def _line(item: Item, mark: str) -> dict[str, Any]:
    return {
        "seq": item.seq,
        "event": event_id(mark),
        "kind": item.kind,
        "body": events.parse_body(item.body),
        "at": item.stamp.at,
        "boot": item.stamp.boot,
        "ms": item.stamp.ms,
        "synced": item.stamp.synced,
        "hash": mark,
    }


def _verify(arguments: argparse.Namespace) -> int:
    with reading(settings_of(arguments)) as tx:
        broken = log.verify(tx)
        top = log.head(tx)
        if broken is None:
            emit({"ok": True, "facts": top.upto, "log": top.log_id, "mark": top.mark})
            return DONE
        emit({"ok": False, "seq": broken.seq, "why": broken.why})
    sys.stderr.write(f"the log is broken at fact {broken.seq}: {broken.why}\n")
    return STORE


def _status(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    with reading(settings) as tx:
        day = boards.day(tx)
        digest = hashlib.sha256()
        for _, mark in log.items(tx):
            digest.update(event_id(mark).encode() + b"\n")
        states = tx.rows("SELECT state, count(*) AS n FROM parcel GROUP BY state")
        bills = tx.rows("SELECT state, count(*) AS n, sum(fen) AS fen FROM bill GROUP BY state")
        top = log.head(tx)
        emit(
            {
                "site": settings.site,
                "log": top.log_id,
                "facts": top.upto,
                "mark": top.mark,
                "digest": digest.hexdigest(),
                "pending": log.pending(tx),
                "last_answer": log.confirmed_at(tx),
                "parcels": {row["state"]: row["n"] for row in states},
                "bills": {row["state"]: {"count": row["n"], "fen": row["fen"]} for row in bills},
                "cells_free": day.cells_free,
                "cells_out": day.cells_out,
                "alarms": list(day.alarms),
                "refused": list(boards.refusals(tx)),
                "disk_free_mb": house.free_mb(settings.data_dir),
                "backups": [copy.path.name for copy in backup.copies(settings.data_dir)],
            }
        )


def _backup(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    with reading(settings):
        copy = backup.make(settings.data_dir)
    emit({"backup": str(copy.path), "upto": copy.upto})


def _restore(arguments: argparse.Namespace) -> None:
    folder = settings_of(arguments).data_dir
    held = take_lock(folder)
    try:
        source = arguments.source
        if source is None:
            found = backup.copies(folder)
            if not found:
                raise StoreFault("S1", "there is no backup to restore")
            source = found[0].path
        elif not source.is_file():
            raise StoreFault("S1", f"there is no backup {source}")
        aside = backup.restore(folder, source)
    finally:
        os.close(held)
    emit({"restored": str(source), "set_aside": None if aside is None else str(aside)})


def _operator(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    pin = sys.stdin.readline().strip()
    guard.check_pin_form(pin)
    own = keys.load(settings)
    hashed = guard.hash_pin(pin, own.device)
    store = Store(settings.data_dir, SystemClock(), SystemDice(), own)
    store.open()
    try:
        store.run_now(begin, settings)
        people = store.run_now(guard.operators)
        if any(other != arguments.id and guard.fits(text, pin, own.device) for other, _, text in people):
            raise Rejected("pin_taken")
        store.run_now(guard.add_operator, OperatorId(arguments.id), Role(arguments.role), hashed)
    finally:
        store.close()
    emit({"operator": arguments.id, "role": arguments.role})
