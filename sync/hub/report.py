"""What the hub tells people: the facts of a site, and how all sites stand. Reads only; masks personal values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from edge import events
from edge.events import PERSONAL, BadFact, Encoded
from edge.logs import mask
from edge.model import EventId, SiteCode
from sync.hub import commissioning, down
from sync.hub.store import HubStore, Tx
from sync.relay import digest

UNPOSTED = """
SELECT f.body FROM fact f WHERE f.kind LIKE 'bill_accepted.%'
AND NOT EXISTS (SELECT 1 FROM posting p WHERE p.site = f.site AND p.event = f.event)
AND NOT EXISTS (SELECT 1 FROM refusal r WHERE r.site = f.site AND r.event = f.event)
"""


def facts(store: HubStore, site: SiteCode) -> Iterator[dict[str, Any]]:
    """Yield every fact of a site in order of its log, personal values masked."""
    with store.reading() as tx:
        for row in tx.rows("SELECT * FROM fact WHERE site = ? ORDER BY seq, event", (site,)):
            yield {
                "event": row["event"],
                "log": row["log_id"],
                "seq": row["seq"],
                "kind": row["kind"],
                "body": json_or_text(row["body"]),
                "at": row["at"],
                "hash": row["hash"],
                **_masked(row),
            }


def status(store: HubStore) -> dict[str, Any]:
    """How all sites stand: logs, counts, digests, money not yet posted, alarms."""
    with store.reading() as tx:
        codes = [SiteCode(row["code"]) for row in list(tx.rows("SELECT code FROM site ORDER BY code"))]
        return {"sites": [_site(tx, code) for code in codes], **_money(tx), "alarms": _alarms(tx)}


def site_digest(tx: Tx, site: SiteCode) -> str:
    """The digest over the event ids of a site, in order of their sequence numbers; the point computes the same."""
    found = tx.rows("SELECT event FROM fact WHERE site = ? ORDER BY seq, event", (site,))
    return digest(EventId(row["event"]) for row in found)


def json_or_text(body: str) -> Any:
    """A body as an object where it is one; any other is no text of ours, and nobody knows what it holds: masked."""
    try:
        value = json.loads(body)
        json.dumps(value, allow_nan=False)  # what comes in may not be what can be written: 1e400, endless nesting
    except (ValueError, RecursionError):
        return mask(body)
    return value


def _masked(row: dict[str, Any]) -> dict[str, Any]:
    personal = down.personal_of(row["personal"])
    if not personal:
        return {}
    try:
        fact = events.decode(Encoded(row["kind"], row["body"], personal))
    except BadFact:
        return {"personal": dict.fromkeys(personal, "*")}
    values = {name: getattr(fact, name, None) for name in personal}
    return {"personal": {name: str(value) if isinstance(value, PERSONAL) else "*" for name, value in values.items()}}


def _site(tx: Tx, site: SiteCode) -> dict[str, Any]:
    row = tx.row("SELECT * FROM site WHERE code = ?", (site,)) or {}
    logs = tx.rows(
        "SELECT log_id AS log, began_at, upto, mark, heard_at FROM head WHERE site = ? ORDER BY nth", (site,)
    )
    head, cursor = down.head(tx, site), down.cursor(tx, site)
    kinds = tx.rows("SELECT kind, count(*) AS n FROM fact WHERE site = ? GROUP BY kind ORDER BY kind", (site,))
    return {
        "site": site,
        "online": bool(row.get("online")),
        "version": row.get("version"),
        "update": tx.row("SELECT version, state, why, changed_at FROM site_update WHERE site = ?", (site,)),
        "pending": row.get("pending"),
        "seen_at": row.get("seen_at"),
        "health": json_or_text(str(row.get("health", "{}"))),
        "logs": list(logs),
        "facts": tx.value("SELECT count(*) FROM fact WHERE site = ?", (site,)),
        "digest": site_digest(tx, site),
        "kinds": {each["kind"]: each["n"] for each in kinds},
        "unprojected": tx.value("SELECT count(*) FROM unprojected WHERE site = ?", (site,)),
        "commissioning": commissioning.newest(tx, site),
        "messages": tx.value("SELECT count(*) FROM sms WHERE site = ?", (site,)),
        "down": {"log": head.log_id, "upto": head.upto, "confirmed": cursor.upto, "pending": head.upto - cursor.upto},
    }


def _money(tx: Tx) -> dict[str, Any]:
    """Accepted money: posted, refused, and neither (a fact that could not be read)."""
    posted = tx.row("SELECT count(*) AS bills, CAST(coalesce(sum(fen), 0) AS BIGINT) AS fen FROM posting")
    refused = tx.row("SELECT count(*) AS bills, CAST(coalesce(sum(fen), 0) AS BIGINT) AS fen FROM refusal")
    bodies = [json_or_text(row["body"]) for row in tx.rows(UNPOSTED)]
    fens = [body.get("fen") for body in bodies if isinstance(body, dict)]
    unposted = {"bills": len(bodies), "fen": sum(fen for fen in fens if type(fen) is int)}
    return {"money": {"posted": posted, "refused": refused, "unposted": unposted}}


def _alarms(tx: Tx) -> list[dict[str, Any]]:
    return list(tx.rows("SELECT site, what, subject, times, first_at, last_at FROM alarm ORDER BY last_at DESC"))
