"""One process of hub_ingest.py: a hub worker, or the bare loader it is held against.

    hub_ingest_worker.py hub|bare|facts KIND PLACE PAYLOADS K/N

`bare` puts as many rows into as many tables as the hub does, `facts` only those of the log.

A word on stdin is one order: `work`, `again`, or `cold` (as after a start); the answer is one line. The end ends it.
"""

from __future__ import annotations

import json
import pickle
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, ROOT / "tests" / "sync"):
    sys.path.insert(0, str(place))

import psycopg  # noqa: E402
from hub_work import KEY, Arrivals  # noqa: E402

from edge.clock import SystemClock, SystemDice  # noqa: E402
from edge.model import SiteCode  # noqa: E402
from sync.hub.database import statements  # noqa: E402
from sync.hub.intake import GROUP, Intake, collect_rarely  # noqa: E402
from sync.hub.postgres_db import PostgresDatabase  # noqa: E402
from sync.hub.schema import FACTS_IN_ORDER, FIRST  # noqa: E402
from sync.hub.sqlite_db import SqliteDatabase  # noqa: E402
from sync.hub.store import HubStore  # noqa: E402

Row = tuple[Any, ...]
Tables = dict[str, list[Row]]
CELLS = 48


def hub(kind: str, place: str, codes: list[SiteCode], arrivals: Arrivals) -> Callable[[str], None]:
    """The intake of the running hub, with what waits taken in groups as it does."""
    database = SqliteDatabase(Path(place)) if kind == "sqlite" else PostgresDatabase(place)
    store = HubStore(database, SystemClock(), SystemDice(), dict.fromkeys(codes, KEY))
    store.open()
    collect_rarely()
    seen = Intake(store)

    def run(what: str) -> None:
        intake = Intake(store) if what == "cold" else seen
        for first in range(0, len(arrivals), GROUP):
            answers = intake.accept(arrivals[first : first + GROUP])
            assert all(answer.why is None for answer in answers)

    return run


def loader(kind: str, place: str, arrivals: Arrivals, *, only_facts: bool) -> Callable[[str], None]:
    """Batches into tables, and nothing else."""
    insert = sqlite_insert(Path(place)) if kind == "sqlite" else postgres_insert(place)

    def run(_what: str) -> None:
        for site, payload in arrivals:
            made = rows(site, payload)
            insert({"fact": made} if only_facts else {"fact": made, **results(made)})

    return run


def results(facts: list[Row]) -> dict[str, list[Row]]:
    """Rows of the size and number that the hub makes of these facts: nothing is read, compared or understood."""
    made: dict[str, list[Row]] = {"parcel": [], "sms": [], "down": [], "door": []}
    for site, event, _log, seq, kind, body, at, boot, ms, synced, *_ in facts:
        if kind == "parcel_deposited.1":
            made["parcel"].append(
                (site, event, "in_locker", event, "SF", None, body[:11], None, None, None, 1, None, at, at)
            )
            made["sms"].append((site, event, event, "locker", body[:11], body[:6], "1", at))
            made["down"].append((site, seq, event, kind, body, at, boot, ms, synced, event, None))
        elif kind == "door_closed.1" and len(made["door"]) < CELLS:
            made["door"].append((site, seq, event, "closed", None, at))
    return made


def rows(site: str, payload: bytes) -> list[Row]:
    """What a plain consumer makes of a batch: the text of each body, ids by number, stamps added up; sizes as here."""
    top = json.loads(zlib.decompress(payload))
    log_id, first, boots = top["log"], top["first"], top["boots"]
    made: list[Row] = []
    at = ms = 0
    for seq, (kind, body, at_more, ms_more, boot, *personal) in enumerate(top["facts"], first):
        at, ms = at + at_more, ms + ms_more
        stamp = (at, boots[boot // 2], ms, boot % 2)
        held = json.dumps(personal[0]) if personal else None
        made.append((site, f"{seq:032x}", log_id, seq, kind, json.dumps(body), *stamp, f"{seq:064x}", held, 0))
    return made


def definitions() -> list[str]:
    """The hub's own definitions, without keys where the rows made up here would repeat them."""
    names = ("fact_in_order", "down", "sms", "parcel", "door")
    every = statements(f"{FIRST};{FACTS_IN_ORDER}")
    wanted = [each for each in every if any(f"CREATE TABLE {n} " in each or f" ON {n} " in each for n in names)]
    wanted = [each.replace("fact_in_order", "fact") for each in wanted]
    for key in (", PRIMARY KEY (site, cell)", ", PRIMARY KEY (site, parcel)"):
        wanted = [each.replace(key, "").replace(key.replace(", ", ",\n    "), "") for each in wanted]
    return [
        each.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS").replace("INDEX", "INDEX IF NOT EXISTS")
        for each in wanted
    ]


def sqlite_insert(folder: Path) -> Callable[[Tables], None]:
    folder.mkdir(exist_ok=True)
    db = sqlite3.connect(folder / "bare.db", isolation_level=None, timeout=30)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    for each in definitions():
        db.execute(each)

    def insert(tables: Tables) -> None:
        db.execute("BEGIN IMMEDIATE")
        for name, made in tables.items():
            if made:
                db.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(made[0]))})", made)
        db.execute("COMMIT")

    return insert


def postgres_insert(url: str) -> Callable[[Tables], None]:
    db = psycopg.connect(url, autocommit=True)
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(1)")
        for each in definitions():
            db.execute(each.replace(" INTEGER", " BIGINT").replace(") STRICT", ")"))  # type: ignore[call-overload]

    def insert(tables: Tables) -> None:
        with db.transaction():
            for name, made in tables.items():
                with db.cursor().copy(f"COPY {name} FROM STDIN") as copy:  # type: ignore[call-overload]
                    for row in made:
                        copy.write_row(row)

    return insert


def main() -> None:
    mode, kind, place, payloads, shard = sys.argv[1:]
    number, of = (int(part) for part in shard.split("/"))
    codes, arrivals = pickle.loads(Path(payloads).read_bytes())
    mine = [arrival for arrival in arrivals if codes.index(arrival[0]) % of == number]
    run = hub(kind, place, codes, mine) if mode == "hub" else loader(kind, place, mine, only_facts=mode == "facts")
    print("ready", flush=True)
    for line in sys.stdin:
        cpu = time.process_time()
        run(line.strip())
        print(json.dumps({"cpu_s": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main()
