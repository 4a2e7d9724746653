"""One process of hub_ingest.py: a hub worker, or the bare loader it is held against.

    hub_ingest_worker.py hub|bare KIND PLACE PAYLOADS K/N

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

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, ROOT / "tests" / "sync"):
    sys.path.insert(0, str(place))

import psycopg  # noqa: E402
from hub_work import KEY, Arrivals  # noqa: E402

from edge.clock import SystemClock, SystemDice  # noqa: E402
from edge.model import SiteCode  # noqa: E402
from sync.hub.database import statements  # noqa: E402
from sync.hub.intake import GROUP, Intake  # noqa: E402
from sync.hub.postgres_db import PostgresDatabase  # noqa: E402
from sync.hub.schema import FACT, FIRST  # noqa: E402
from sync.hub.sqlite_db import SqliteDatabase  # noqa: E402
from sync.hub.store import HubStore  # noqa: E402

Row = tuple[object, ...]


def hub(kind: str, place: str, codes: list[SiteCode], arrivals: Arrivals) -> Callable[[str], None]:
    """The intake of the running hub, with what waits taken in groups as it does."""
    database = SqliteDatabase(Path(place)) if kind == "sqlite" else PostgresDatabase(place)
    store = HubStore(database, SystemClock(), SystemDice(), dict.fromkeys(codes, KEY))
    store.open()
    seen = Intake(store)

    def run(what: str) -> None:
        intake = Intake(store) if what == "cold" else seen
        for first in range(0, len(arrivals), GROUP):
            answers = intake.accept(arrivals[first : first + GROUP])
            assert all(answer.why is None for answer in answers)

    return run


def bare(kind: str, place: str, _codes: list[SiteCode], arrivals: Arrivals) -> Callable[[str], None]:
    """Batches into a table, and nothing else."""
    insert = sqlite_insert(Path(place)) if kind == "sqlite" else postgres_insert(place)

    def run(_what: str) -> None:
        for site, payload in arrivals:
            insert(rows(site, payload))

    return run


def rows(site: str, payload: bytes) -> list[Row]:
    """What a plain consumer makes of a batch: the text of each body, ids by number, stamps added up."""
    top = json.loads(zlib.decompress(payload))
    log_id, first, boots = top["log"], top["first"], top["boots"]
    made: list[Row] = []
    at = ms = 0
    for seq, (kind, body, at_more, ms_more, boot, *personal) in enumerate(top["facts"], first):
        at, ms = at + at_more, ms + ms_more
        stamp = (at, boots[boot // 2], ms, boot % 2)
        held = json.dumps(personal[0]) if personal else None
        made.append((site, f"{site}-{seq}", log_id, seq, kind, json.dumps(body), *stamp, "", held, 0))
    return made


def definitions() -> list[str]:
    return [each for each in statements(FIRST) if "TABLE fact " in each or "INDEX fact_" in each]


def sqlite_insert(folder: Path) -> Callable[[list[Row]], None]:
    folder.mkdir(exist_ok=True)
    db = sqlite3.connect(folder / "bare.db", isolation_level=None, timeout=30)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    for each in definitions():
        db.execute(each.replace("TABLE fact", "TABLE IF NOT EXISTS fact").replace("INDEX", "INDEX IF NOT EXISTS"))

    def insert(made: list[Row]) -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(f"INSERT INTO fact VALUES ({', '.join('?' * len(FACT.columns))})", made)
        db.execute("COMMIT")

    return insert


def postgres_insert(url: str) -> Callable[[list[Row]], None]:
    db = psycopg.connect(url, autocommit=True)
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(1)")
        for each in definitions():
            text = each.replace("TABLE fact", "TABLE IF NOT EXISTS fact").replace("INDEX", "INDEX IF NOT EXISTS")
            db.execute(text.replace(" INTEGER", " BIGINT").replace(") STRICT", ")"))  # type: ignore[call-overload]

    def insert(made: list[Row]) -> None:
        with db.transaction(), db.cursor().copy("COPY fact FROM STDIN") as copy:
            for row in made:
                copy.write_row(row)

    return insert


def main() -> None:
    mode, kind, place, payloads, shard = sys.argv[1:]
    number, of = (int(part) for part in shard.split("/"))
    codes, arrivals = pickle.loads(Path(payloads).read_bytes())
    mine = [arrival for arrival in arrivals if codes.index(arrival[0]) % of == number]
    run = (hub if mode == "hub" else bare)(kind, place, codes, mine)
    print("ready", flush=True)
    for line in sys.stdin:
        cpu = time.process_time()
        run(line.strip())
        print(json.dumps({"cpu_s": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main()
