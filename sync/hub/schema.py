"""The hub's tables. Appended, never edited: each entry of MIGRATIONS runs once, in order.

Types and statements stay within what SQLite and PostgreSQL share; PostgreSQL's side drops the word STRICT and widens
INTEGER to 64 bits. Below: the tables that are written by whole rows.
"""

from __future__ import annotations

from sync.hub.database import Table

FIRST = """
CREATE TABLE site (
    code TEXT PRIMARY KEY, down_log TEXT NOT NULL, sent_log TEXT NOT NULL, sent_upto INTEGER NOT NULL,
    sent_mark TEXT NOT NULL, online INTEGER NOT NULL DEFAULT 0, version TEXT NOT NULL DEFAULT '',
    pending INTEGER NOT NULL DEFAULT 0, health TEXT NOT NULL DEFAULT '{}', seen_at INTEGER, started_at INTEGER
) STRICT;
CREATE TABLE head (
    site TEXT NOT NULL, log_id TEXT NOT NULL, nth INTEGER NOT NULL, began_at INTEGER NOT NULL, upto INTEGER NOT NULL,
    mark TEXT NOT NULL, heard_at INTEGER NOT NULL, PRIMARY KEY (site, log_id)
) STRICT;
CREATE TABLE fact (
    site TEXT NOT NULL, event TEXT NOT NULL, log_id TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, at INTEGER NOT NULL, boot TEXT NOT NULL, ms INTEGER NOT NULL, synced INTEGER NOT NULL,
    hash TEXT NOT NULL, personal TEXT, received_at INTEGER NOT NULL, PRIMARY KEY (site, event)
) STRICT;
CREATE INDEX fact_by_seq ON fact (site, seq);
CREATE TABLE unprojected (
    site TEXT NOT NULL, event TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (site, event)
) STRICT;
CREATE TABLE down (
    site TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    at INTEGER NOT NULL, boot TEXT NOT NULL, ms INTEGER NOT NULL, synced INTEGER NOT NULL, hash TEXT NOT NULL,
    personal TEXT, PRIMARY KEY (site, seq)
) STRICT;
CREATE TABLE alarm (
    site TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL, times INTEGER NOT NULL, first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL, PRIMARY KEY (site, what, subject)
) STRICT;
CREATE TABLE parcel (
    site TEXT NOT NULL, parcel TEXT NOT NULL, state TEXT NOT NULL, waybill_no TEXT, carrier TEXT, recipient TEXT,
    phone TEXT, address TEXT, consent TEXT, size TEXT, cell INTEGER, place TEXT, notified_at INTEGER,
    changed_at INTEGER NOT NULL, PRIMARY KEY (site, parcel)
) STRICT;
CREATE INDEX parcel_by_waybill ON parcel (site, waybill_no);
CREATE TABLE sms (
    site TEXT NOT NULL, event TEXT NOT NULL, parcel TEXT NOT NULL, template TEXT NOT NULL, phone TEXT, code TEXT,
    place TEXT, at INTEGER NOT NULL, PRIMARY KEY (site, event)
) STRICT;
CREATE INDEX sms_by_parcel ON sms (site, parcel);
CREATE TABLE door (
    site TEXT NOT NULL, cell INTEGER NOT NULL, opening TEXT, state TEXT NOT NULL, fault TEXT,
    changed_at INTEGER NOT NULL, PRIMARY KEY (site, cell)
) STRICT;
CREATE TABLE device (
    site TEXT NOT NULL, device TEXT NOT NULL, state TEXT NOT NULL, what TEXT, changed_at INTEGER NOT NULL,
    PRIMARY KEY (site, device)
) STRICT;
CREATE TABLE bill (
    site TEXT NOT NULL, bill TEXT NOT NULL, biller TEXT NOT NULL, sort TEXT NOT NULL, account_no TEXT NOT NULL,
    name TEXT NOT NULL, address TEXT, period TEXT NOT NULL, fen INTEGER NOT NULL, due TEXT NOT NULL,
    state TEXT NOT NULL, changed_at INTEGER NOT NULL, PRIMARY KEY (site, bill)
) STRICT;
CREATE INDEX bill_by_id ON bill (bill);
CREATE TABLE posting (
    site TEXT NOT NULL, event TEXT NOT NULL, bill TEXT NOT NULL UNIQUE, slip TEXT NOT NULL, fen INTEGER NOT NULL,
    serial INTEGER NOT NULL UNIQUE, at INTEGER NOT NULL, PRIMARY KEY (site, event)
) STRICT;
CREATE TABLE refusal (
    site TEXT NOT NULL, event TEXT NOT NULL, bill TEXT NOT NULL, slip TEXT NOT NULL, fen INTEGER NOT NULL,
    reason TEXT NOT NULL, refunded INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (site, event)
) STRICT;
CREATE TABLE notice (
    site TEXT NOT NULL, notice TEXT NOT NULL, text TEXT NOT NULL, valid_until TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (site, notice)
) STRICT
"""

LEASES = """
CREATE TABLE worker (name TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT;
CREATE TABLE lease (shard INTEGER PRIMARY KEY, worker TEXT NOT NULL, until INTEGER NOT NULL) STRICT
"""

RELEASES = """
CREATE TABLE release_file (
    sha256 TEXT PRIMARY KEY, version TEXT NOT NULL, compatible TEXT NOT NULL, base TEXT NOT NULL, size INTEGER NOT NULL,
    pieces TEXT NOT NULL, list TEXT NOT NULL, added_at INTEGER NOT NULL
) STRICT;
CREATE INDEX release_file_by_pieces ON release_file (pieces);
CREATE TABLE release_sheet (
    digest TEXT PRIMARY KEY, version TEXT NOT NULL, compatible TEXT NOT NULL, content TEXT NOT NULL
) STRICT;
CREATE TABLE rollout (
    id TEXT PRIMARY KEY, version TEXT NOT NULL, aim TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL,
    most_failures INTEGER NOT NULL, forgiven INTEGER NOT NULL, days INTEGER NOT NULL, at_once INTEGER NOT NULL,
    began_at INTEGER NOT NULL
) STRICT;
CREATE TABLE rollout_site (
    rollout TEXT NOT NULL, site TEXT NOT NULL, wave INTEGER NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL,
    order_id TEXT NOT NULL, until INTEGER NOT NULL, changed_at INTEGER NOT NULL, PRIMARY KEY (rollout, site)
) STRICT;
CREATE INDEX rollout_site_by_order ON rollout_site (site, order_id);
CREATE TABLE site_update (
    site TEXT PRIMARY KEY, version TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL, changed_at INTEGER NOT NULL
) STRICT
"""

ADVANCES = """
CREATE TABLE advance (
    site TEXT NOT NULL, event TEXT NOT NULL, log_id TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, received_at INTEGER NOT NULL,
    PRIMARY KEY (site, event)
) STRICT
"""

COMMISSIONINGS = """
CREATE TABLE commissioning (
    site TEXT NOT NULL, run TEXT NOT NULL, steps TEXT NOT NULL, version TEXT NOT NULL, device TEXT NOT NULL,
    operator TEXT NOT NULL, begun_at INTEGER, ended_at INTEGER, done INTEGER, failed INTEGER, skipped INTEGER,
    later INTEGER, digest TEXT NOT NULL, agrees INTEGER NOT NULL, PRIMARY KEY (site, run)
) STRICT;
CREATE TABLE commissioning_step (
    site TEXT NOT NULL, run TEXT NOT NULL, step TEXT NOT NULL, result TEXT NOT NULL, code TEXT NOT NULL,
    reason TEXT NOT NULL, detail TEXT NOT NULL, operator TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (site, run, step)
) STRICT
"""

# An event id follows from number and content, so (site, seq, event) is as unique as (site, event). Facts come in the
# order of their numbers: one index grows at the end of each site, instead of one at random places and one in order.
FACTS_IN_ORDER = """
ALTER TABLE unprojected ADD COLUMN seq INTEGER;
UPDATE unprojected SET seq = (
    SELECT f.seq FROM fact f WHERE f.site = unprojected.site AND f.event = unprojected.event
);
CREATE TABLE fact_in_order (
    site TEXT NOT NULL, event TEXT NOT NULL, log_id TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, at INTEGER NOT NULL, boot TEXT NOT NULL, ms INTEGER NOT NULL, synced INTEGER NOT NULL,
    hash TEXT NOT NULL, personal TEXT, received_at INTEGER NOT NULL, PRIMARY KEY (site, seq, event)
) STRICT;
INSERT INTO fact_in_order (
    site, event, log_id, seq, kind, body, at, boot, ms, synced, hash, personal, received_at
) SELECT site, event, log_id, seq, kind, body, at, boot, ms, synced, hash, personal, received_at
FROM fact ORDER BY site, seq, event;
DROP TABLE fact;
ALTER TABLE fact_in_order RENAME TO fact
"""

# For sync/hub/forgetting.py. Days that a hub before this one has lived are taken from the answers it gave.
FORGETTING = """
CREATE TABLE lived (day INTEGER PRIMARY KEY) STRICT;
CREATE TABLE walked (
    site TEXT NOT NULL, way TEXT NOT NULL, log_id TEXT NOT NULL, upto INTEGER NOT NULL,
    PRIMARY KEY (site, way, log_id)
) STRICT;
CREATE TABLE holding (
    site TEXT NOT NULL, sort TEXT NOT NULL, subject TEXT NOT NULL, way TEXT NOT NULL, seq INTEGER NOT NULL,
    event TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (site, sort, subject, way, seq, event)
) STRICT;
INSERT INTO lived (day) SELECT DISTINCT at / 86400000 FROM down
"""

MIGRATIONS: tuple[str, ...] = (FIRST, LEASES, RELEASES, ADVANCES, COMMISSIONINGS, FACTS_IN_ORDER, FORGETTING)

_STAMP = ("at", "boot", "ms", "synced", "hash", "personal")
FACT = Table(
    "fact", ("site", "seq", "event"), ("site", "event", "log_id", "seq", "kind", "body", *_STAMP, "received_at")
)
DOWN = Table("down", ("site", "seq"), ("site", "seq", "event", "kind", "body", *_STAMP))
PARCEL = Table(
    "parcel", ("site", "parcel"),
    ("site", "parcel", "state", "waybill_no", "carrier", "recipient", "phone", "address", "consent", "size", "cell",
     "place", "notified_at", "changed_at"),
)  # fmt: skip
UNPROJECTED = Table("unprojected", ("site", "event"), ("site", "event", "seq", "reason", "at"))
ADVANCE = Table(
    "advance", ("site", "event"),
    ("site", "event", "log_id", "seq", "kind", "body", "at", "state", "received_at"),
)  # fmt: skip
EVENT = Table("fact", ("site", "seq", "event"), ("event",))  # which facts are known, and no more of them
PARCEL_BY_WAYBILL = Table("parcel", ("site", "waybill_no"), PARCEL.columns)
SMS = Table(
    "sms", ("site", "event"), ("site", "event", "parcel", "template", "phone", "code", "place", "at"),
    group=("site", "parcel"),
)  # fmt: skip
HOLDING = Table("holding", ("site", "sort", "subject"), ("site", "sort", "subject", "way", "seq", "event", "at"))
DOOR = Table("door", ("site", "cell"), ("site", "cell", "opening", "state", "fault", "changed_at"))
DEVICE = Table("device", ("site", "device"), ("site", "device", "state", "what", "changed_at"))
BILL = Table(
    "bill", ("site", "bill"),
    ("site", "bill", "biller", "sort", "account_no", "name", "address", "period", "fen", "due", "state", "changed_at"),
)  # fmt: skip
BILL_BY_ID = Table("bill", ("bill",), BILL.columns)
NOTICE = Table("notice", ("site", "notice"), ("site", "notice", "text", "valid_until", "at"))
POSTING = Table("posting", ("bill",), ("site", "event", "bill", "slip", "fen", "serial", "at"))
_SLIP = ("site", "slip", "bill")
REFUSAL = Table(
    "refusal", ("site", "event"), ("site", "event", "bill", "slip", "fen", "reason", "refunded", "at"), group=_SLIP
)  # fmt: skip
REFUSAL_BY_SLIP = Table("refusal", _SLIP, REFUSAL.columns)
COMMISSIONING = Table(
    "commissioning", ("site", "run"),
    ("site", "run", "steps", "version", "device", "operator", "begun_at", "ended_at", "done", "failed", "skipped",
     "later", "digest", "agrees"),
)  # fmt: skip
COMMISSIONING_STEP = Table(
    "commissioning_step", ("site", "run", "step"),
    ("site", "run", "step", "result", "code", "reason", "detail", "operator", "at"),
)  # fmt: skip
