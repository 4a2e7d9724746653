"""The cluster drill: three broker nodes, the hub, thousands of light terminals and a real one; nodes die in turn.

    drill.py [--sites N] [--facts F] [--seconds S] [--kills 0,1,2] [--folder FOLDER]

While facts flow at a steady rate, each named node is ended by kill -9 and started again. Then the hub's database is
held against every terminal: each fact once, in order, the same digest. Prints one JSON object; exit 0 if all held.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import simulated
from cluster import Cluster, missing

from edge.clock import SystemClock, SystemDice
from edge.model import SiteCode
from sync.hub.config import load
from sync.hub.place import database_of
from sync.hub.report import site_digest
from sync.hub.store import HubStore

ROOT = Path(__file__).resolve().parents[2]
REAL = SiteCode("DRILL-0001")
READY_S = 60.0
GRACE_S = 180.0  # after the last fact: an answer that was lost costs 10 s, and each try after it twice as long
DOWN_S = 4.0  # a killed node stays away so long
SETTLE_S = 3.0  # between one that is back and the next that dies


@dataclass(frozen=True, slots=True)
class Drill:
    """What to play: facts of each site over so many seconds, and which nodes die in which order."""

    sites: int = 300
    facts: int = 40
    seconds: int = 60
    kills: tuple[int, ...] = (0, 1, 2)
    qos: int = 0


class DrillFailed(Exception):
    """A program of the drill did not do its part; the text holds its last words."""


def play(folder: Path, drill: Drill) -> dict[str, Any]:
    """Run the drill in a folder. Errors: DrillFailed, TimeoutError."""
    with Cluster(folder / "cluster") as cluster:
        cluster.start()
        settings = _settings(folder / "hub", cluster, drill)
        with (folder / "hub.err").open("wb") as errors:
            hub = _program(["-m", "sync.hub.cli", "run", "--config", str(settings)], errors)
        try:
            _wait_ready(hub, folder / "hub.err")
            return _play(folder, settings, cluster, drill)
        finally:
            hub.terminate()
            hub.communicate(timeout=READY_S)


def _play(folder: Path, settings: Path, cluster: Cluster, drill: Drill) -> dict[str, Any]:
    point = _program([str(ROOT / "packaging/hub/drill_point.py"), json.dumps(_order(folder, cluster, drill))], None)
    rate = drill.sites * drill.facts / drill.seconds
    words = ["-m", "sync.hub.cli", "simulate", "--config", str(settings), "--sites", str(drill.sites)]
    words += ["--facts", str(drill.facts), "--rate", str(rate), "--seconds", str(drill.seconds + int(GRACE_S))]
    simulation = _program([*words, "--connections", str(min(40, drill.sites))], None)
    killed: list[dict[str, Any]] = []
    murder = threading.Thread(target=_kill_in_turn, args=(cluster, drill.kills, killed), name="kill -9")
    murder.start()
    try:
        played = _last_word(simulation, drill.seconds + 2 * GRACE_S)
        real = _last_word(point, GRACE_S)
    finally:
        murder.join()
        for each in (simulation, point):
            each.kill()
    return _report(settings, drill, played, real, killed)


def _report(
    settings: Path, drill: Drill, played: dict[str, Any], real: dict[str, Any], killed: list[dict[str, Any]]
) -> dict[str, Any]:
    given = load(settings)
    store = HubStore(database_of(given), SystemClock(), SystemDice(), given.keys())
    store.open()
    with store.reading() as tx:
        rows = list(
            tx.rows("SELECT seq, event, received_at FROM fact WHERE site = ? ORDER BY received_at, seq", (REAL,))
        )
        same = site_digest(tx, REAL) == real["digest"]
        alarms = list(tx.rows("SELECT site, what, times FROM alarm"))
        late = tx.value(
            "SELECT count(*) FROM fact f JOIN fact g ON g.site = f.site AND g.seq = f.seq + 1 "
            "WHERE g.received_at < f.received_at"
        )
    store.close()
    in_order = [row["seq"] for row in rows] == list(range(1, real["facts"] + 1)) and late == 0
    whole = same and in_order and len(rows) == real["facts"] and real["pending"] == 0
    return {
        "held": bool(whole and played["done"] and played["hub"]["equal"] and not alarms),
        "killed": killed,
        "qos": drill.qos,
        "real_point": {**real, "at_hub": len(rows), "digest_equal": same, "order_kept": in_order},
        "out_of_order": late,
        "alarms": alarms,
        "simulation": played,
    }


def _kill_in_turn(cluster: Cluster, kills: Sequence[int], killed: list[dict[str, Any]]) -> None:
    time.sleep(SETTLE_S)
    for number in kills:
        began = time.monotonic()
        cluster.kill(number)
        time.sleep(DOWN_S)
        cluster.start_node(number)
        killed.append({"node": number, "back_after_s": round(time.monotonic() - began, 1)})
        time.sleep(SETTLE_S)


def _settings(folder: Path, cluster: Cluster, drill: Drill) -> Path:
    broker = {"host": cluster.host, "port": cluster.port, "protocol": "3.1.1", "qos": drill.qos}
    settings = simulated.lay_out(folder, drill.sites, broker, {})
    (folder / "real.key").write_text(secrets.token_hex(32) + "\n", "ascii")
    with (folder / simulated.LIST).open("a", encoding="utf-8") as sites:
        sites.write(f"{REAL},a real terminal,real.key\n")
    return settings


def _order(folder: Path, cluster: Cluster, drill: Drill) -> dict[str, Any]:
    pace_s = 0.1
    return {
        "folder": str(folder / "point"), "site": REAL, "link_key": (folder / "hub/real.key").read_text("ascii").strip(),
        "host": cluster.host, "port": cluster.port, "protocol": 4, "qos": drill.qos,
        "facts": int(drill.seconds / pace_s), "pace_s": pace_s, "give_up_s": drill.seconds + GRACE_S,
    }  # fmt: skip


def _program(words: Sequence[str], errors: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)


def _wait_ready(hub: subprocess.Popen[str], errors: Path) -> None:
    assert hub.stdout is not None
    watch = threading.Timer(READY_S, hub.kill)
    watch.start()
    line = hub.stdout.readline()
    watch.cancel()
    if '"ready": true' not in line:
        raise DrillFailed(f"the hub did not start: {errors.read_text('utf-8')[-400:]}")


def _last_word(program: subprocess.Popen[str], wait_s: float) -> dict[str, Any]:
    said, _ = program.communicate(timeout=wait_s)
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if not lines:
        raise DrillFailed(f"{program.args!r:.120} ended with {program.returncode} and said nothing")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def main() -> int:
    usual = Drill()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=usual.sites)
    parser.add_argument("--facts", type=int, default=usual.facts)
    parser.add_argument("--seconds", type=int, default=usual.seconds)
    parser.add_argument("--kills", default="0,1,2")
    parser.add_argument("--qos", type=int, choices=(0, 1), default=usual.qos)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    why = missing()
    if why is not None:
        sys.exit(f"drill: {why}")
    drill = Drill(
        given.sites, given.facts, given.seconds, tuple(int(each) for each in given.kills.split(",")), given.qos
    )
    with tempfile.TemporaryDirectory(prefix="vp-drill-") as made:
        found = play(given.folder or Path(made), drill)
    print(json.dumps(found, indent=1))
    return 0 if found["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
