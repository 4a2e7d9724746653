"""Bringing a release to the points: one first, then its township, then all; what came of it; stop when it goes wrong.

A roll-out is a list of sites in waves. A wave begins when the one before has ended, the second only if the first point
runs the release. Each site gets an order in its log (edge/events/updates.py) with an end to it; what the site says
moves its row (`update_moved`, in the transaction that keeps the fact); `advance` does the rest and may be called by
anybody at any time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from edge import events as ev
from edge.events import Fact
from edge.model import SiteCode
from sync.hub import releases
from sync.hub.case import Case
from sync.hub.down import DownLog
from sync.hub.rows import Rows
from sync.hub.store import HubStore, Tx

BOOK = "rollout"
DAY_MS = 24 * 3_600_000
TOGETHER = 100  # sites under way at one moment: a night's work of a line of 20 Mbit/s with files of 20 MB
PLANNED, ORDERED, SILENT, WITHDRAWN, THERE = "planned", "ordered", "silent", "withdrawn", "there"
STATES: dict[type[Fact], str] = {
    ev.UpdateFetched: "fetched",
    ev.UpdateWritten: "written",
    ev.UpdateInstalled: "installed",
    ev.UpdateFellBack: "fell_back",
    ev.UpdateRefused: "refused",
}
UNDER_WAY = (ORDERED, "fetched", "written")
FAILED = ("fell_back", "refused")
GOOD = ("installed", THERE)


class NotRolledOut(Exception):
    """The command is refused; the text says why."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Where to. `word`: site, township or all; `name`: the site's code or the township's part of it."""

    word: str
    name: str = ""

    def sites(self, codes: Iterable[SiteCode]) -> list[SiteCode]:
        """The sites meant."""
        match self.word:
            case "site":
                return [code for code in codes if code == self.name]
            case "township":
                return sorted(code for code in codes if township(code) == self.name)
        return sorted(codes)


@dataclass(frozen=True, slots=True)
class Terms:
    """How careful. `most_failures`: stop at so many; `days` an order lasts; `first`: the point that tries it."""

    most_failures: int = 3
    days: int = 14
    at_once: bool = False
    first: str = ""


def township(code: SiteCode) -> str:
    """The township of a site: its code without the last group."""
    return code.rpartition("-")[0] or code


def start(store: HubStore, version: str, aim: Aim, terms: Terms) -> str:
    """Plan a roll-out and order its first wave; return its id. Errors: NotRolledOut, StoreFault."""
    with store.transaction() as tx:
        tx.hold(BOOK)
        running = tx.value("SELECT version FROM rollout WHERE state = 'running'")
        if running is not None:
            raise NotRolledOut(f"the roll-out of {running} is under way; village-hub rollout stop ends it")
        if not releases.boards(tx, version):
            raise NotRolledOut(f"there is no release {version}; village-hub release add FILE takes one in")
        waves = _waves(tx, aim, terms, aim.sites(store.keys))
        ident = tx.dice.ident()
        tx.execute(
            "INSERT INTO rollout (id, version, aim, state, why, most_failures, forgiven, days, at_once, began_at) "
            "VALUES (?, ?, ?, 'running', '', ?, 0, ?, ?, ?)",
            (ident, version, f"{aim.word} {aim.name}".strip(), terms.most_failures, terms.days, int(terms.at_once),
             tx.stamp.at),
        )  # fmt: skip
        for wave, sites in enumerate(waves):
            for site in sites:
                tx.execute(
                    "INSERT INTO rollout_site (rollout, site, wave, state, why, order_id, until, changed_at) "
                    "VALUES (?, ?, ?, ?, '', '', 0, ?)",
                    (ident, site, wave, THERE if _version(tx, site) == version else PLANNED, tx.stamp.at),
                )
    advance(store)
    return ident


def advance(store: HubStore) -> None:
    """Look at the roll-out under way: end orders whose time is over, stop it, or order what comes next.

    Errors: StoreFault.
    """
    with store.reading() as tx:
        row = tx.row("SELECT id FROM rollout WHERE state = 'running'")
        sites = [] if row is None else _touched(tx, row["id"])
    if row is None:
        return
    with store.transaction() as tx:
        tx.hold(BOOK, *sites)
        rollout = tx.row("SELECT * FROM rollout WHERE id = ? AND state = 'running'", (row["id"],))
        if rollout is not None:
            _advance(tx, rollout, frozenset(sites))


def stop(store: HubStore) -> str:
    """Stop the roll-out under way, withdraw its open orders; return its version. Errors: NotRolledOut, StoreFault."""
    with store.reading() as tx:
        row = tx.row("SELECT * FROM rollout WHERE state = 'running'")
        sites = [] if row is None else [each["site"] for each in _rows(tx, row["id"]) if each["state"] in UNDER_WAY]
    if row is None:
        raise NotRolledOut("no roll-out is under way")
    with store.transaction() as tx:
        tx.hold(BOOK, *sites)
        _stop(tx, row["id"], "by hand", frozenset(sites))
    return str(row["version"])


def resume(store: HubStore, *, retry: bool) -> str:
    """Go on with the roll-out that was stopped last: its failures so far are forgiven, `retry` tries them again.

    Return its version. Errors: NotRolledOut, StoreFault.
    """
    with store.transaction() as tx:
        tx.hold(BOOK)
        row = tx.row("SELECT * FROM rollout ORDER BY began_at DESC, id LIMIT 1")
        if row is None or row["state"] != "stopped":
            raise NotRolledOut("no roll-out was stopped")
        again = [SILENT, WITHDRAWN, *(FAILED if retry else ())]
        marks = ", ".join("?" * len(again))
        tx.execute(
            f"UPDATE rollout_site SET state = ?, why = '' WHERE rollout = ? AND state IN ({marks})",  # noqa: S608 marks only
            (PLANNED, row["id"], *again),
        )
        failures = sum(each["state"] in FAILED for each in _rows(tx, row["id"]))
        tx.execute("UPDATE rollout SET state = 'running', why = '', forgiven = ? WHERE id = ?", (failures, row["id"]))
    advance(store)
    return str(row["version"])


def update_moved(rows: Rows, case: Case, fact: Any) -> None:
    """A point says how far it is with a release; one that a technician brought moves no roll-out."""
    state, why = STATES[type(fact)], getattr(fact, "why", "")
    rows.tx.execute(
        "INSERT INTO site_update (site, version, state, why, changed_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (site) "
        "DO UPDATE SET version = excluded.version, state = excluded.state, why = excluded.why, "
        "changed_at = excluded.changed_at",
        (case.site, fact.version, state, why, case.at),
    )
    if fact.order:
        rows.tx.execute(
            "UPDATE rollout_site SET state = ?, why = ?, changed_at = ? WHERE site = ? AND order_id = ?",
            (state, why, case.at, case.site, fact.order),
        )


def status(tx: Tx, last: int = 5) -> list[dict[str, Any]]:
    """The newest roll-outs, each with its sites by state, and those that went wrong by name."""
    told = []
    for row in list(tx.rows("SELECT * FROM rollout ORDER BY began_at DESC, id LIMIT ?", (last,))):
        sites = _rows(tx, row["id"])
        told.append(
            {
                "rollout": row["id"],
                "version": row["version"],
                "aim": row["aim"],
                "state": row["state"],
                "why": row["why"],
                "sites": dict(sorted(Counter(each["state"] for each in sites).items())),
                "wave": _wave(sites),
                "failed": {
                    each["site"]: f"{each['state']}: {each['why']}" for each in sites if each["state"] in FAILED
                },
            }
        )
    return told


# --- inside -------------------------------------------------------------------------------------------------------


def _waves(tx: Tx, aim: Aim, terms: Terms, sites: Sequence[SiteCode]) -> list[list[SiteCode]]:
    """One point, its township, the others; a wave that would be empty is left out."""
    if not sites:
        raise NotRolledOut(f"no site is meant by {aim.word} {aim.name}")
    online = [site for site in sites if tx.value("SELECT online FROM site WHERE code = ?", (site,))]
    first = SiteCode(terms.first) if terms.first else (online or list(sites))[0]
    if first not in sites:
        raise NotRolledOut(f"the first point {first} is not among the sites meant")
    near = [site for site in sites if site != first and township(site) == township(first)]
    far = [site for site in sites if township(site) != township(first)]
    return [wave for wave in ([first], near, far) if wave]


def _advance(tx: Tx, rollout: dict[str, Any], held: frozenset[str]) -> None:
    ident, now = rollout["id"], tx.stamp.at
    for each in _rows(tx, ident):
        if each["site"] in held and each["state"] in (ORDERED, "fetched") and each["until"] < now:
            _note(tx, ident, each["site"], SILENT)
    sites = _rows(tx, ident)
    failures = sum(each["state"] in FAILED for each in sites) - rollout["forgiven"]
    wave = _wave(sites)
    if failures >= rollout["most_failures"]:
        _stop(tx, ident, f"{failures} points failed", held)
    elif not any(each["state"] in GOOD for each in sites) and wave != 0:
        _stop(tx, ident, "the first point does not run it", held)
    elif wave is None:
        tx.execute("UPDATE rollout SET state = 'done' WHERE id = ?", (ident,))
    else:
        under_way = sum(each["state"] in UNDER_WAY for each in sites)
        planned = [each for each in sites if each["wave"] == wave and each["state"] == PLANNED and each["site"] in held]
        for each in planned[: max(0, TOGETHER - under_way)]:
            _order(tx, rollout, SiteCode(each["site"]))


def _order(tx: Tx, rollout: dict[str, Any], site: SiteCode) -> None:
    board = _board(tx, rollout["version"], site)
    if site not in tx.keys or board is None:
        _note(tx, rollout["id"], site, SILENT, "not_set_up" if site not in tx.keys else "unknown_board")
        return
    sheet = releases.sheet_of(tx, rollout["version"], board)
    until, order = tx.stamp.at + rollout["days"] * DAY_MS, tx.dice.ident()
    DownLog(tx, site).append(ev.UpdateOrdered(order, rollout["version"], board, sheet, until, bool(rollout["at_once"])))
    tx.execute(
        "UPDATE rollout_site SET state = ?, why = '', order_id = ?, until = ?, changed_at = ? "
        "WHERE rollout = ? AND site = ?",
        (ORDERED, order, until, tx.stamp.at, rollout["id"], site),
    )


def _stop(tx: Tx, ident: str, why: str, held: frozenset[str]) -> None:
    """No new orders; open ones are withdrawn. What is being tried at a point ends by itself."""
    for each in _rows(tx, ident):
        if each["state"] in (ORDERED, "fetched") and each["site"] in held:
            if each["site"] in tx.keys:
                DownLog(tx, SiteCode(each["site"])).append(ev.UpdateWithdrawn(each["order_id"]))
            _note(tx, ident, each["site"], WITHDRAWN)
    tx.execute("UPDATE rollout SET state = 'stopped', why = ? WHERE id = ?", (why, ident))


def _note(tx: Tx, ident: str, site: str, state: str, why: str = "") -> None:
    tx.execute(
        "UPDATE rollout_site SET state = ?, why = ?, changed_at = ? WHERE rollout = ? AND site = ?",
        (state, why, tx.stamp.at, ident, site),
    )


def _touched(tx: Tx, ident: str) -> list[str]:
    """The sites that `_advance` may write to: those under way, and the next ones."""
    sites = _rows(tx, ident)
    wave = _wave(sites)
    under_way = [each["site"] for each in sites if each["state"] in UNDER_WAY]
    planned = [each["site"] for each in sites if each["wave"] == wave and each["state"] == PLANNED]
    return under_way + planned[:TOGETHER]


def _wave(sites: Sequence[dict[str, Any]]) -> int | None:
    """The first wave that has not ended; None when all have."""
    return min((each["wave"] for each in sites if each["state"] in (PLANNED, *UNDER_WAY)), default=None)


def _rows(tx: Tx, ident: str) -> list[dict[str, Any]]:
    return list(tx.rows("SELECT * FROM rollout_site WHERE rollout = ? ORDER BY wave, site", (ident,)))


def _version(tx: Tx, site: SiteCode) -> str:
    return str(tx.value("SELECT version FROM site WHERE code = ?", (site,)) or "")


def _board(tx: Tx, version: str, site: SiteCode) -> str | None:
    """Which of the release's boards the site has: as it says itself; if there is but one, that."""
    there = releases.boards(tx, version)
    try:
        health = json.loads(tx.value("SELECT health FROM site WHERE code = ?", (site,)) or "{}")
    except ValueError:
        health = {}
    told = health.get("board") if isinstance(health, dict) else None
    if told:
        return str(told) if told in there else None
    return there[0] if len(there) == 1 else None
