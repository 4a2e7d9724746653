"""The tables of the terminal, as migrations. Appended to, never edited. No logic here."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

TABLES = frozenset(
    (
        "meta fact personal cursor parcel cell place opening bill operator attempt notice refused alarm"
        " carrier_choice applied owed print weighing batch batch_code update_order"
        " commissioning commissioning_step"
    ).split()
)

migrations = Migrations("village-point")

_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE fact (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    boot TEXT NOT NULL,
    ms INTEGER NOT NULL,
    synced INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TABLE personal (
    seq INTEGER NOT NULL REFERENCES fact (seq),
    field TEXT NOT NULL,
    salt TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (seq, field)
) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (name TEXT PRIMARY KEY, log_id TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL,
    at INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE parcel (
    id TEXT PRIMARY KEY,
    waybill_no TEXT NOT NULL,
    carrier TEXT NOT NULL,
    state TEXT NOT NULL,
    recipient TEXT,
    phone TEXT,
    address TEXT,
    consent TEXT NOT NULL,
    size TEXT NOT NULL CHECK (size IN ('S', 'M', 'L')),
    place TEXT,
    cell INTEGER,
    code TEXT,
    token TEXT,
    wrong_tails INTEGER NOT NULL DEFAULT 0,
    expected INTEGER NOT NULL,
    arrived_at INTEGER,
    arrived_day TEXT,
    notified_at INTEGER,
    closed_at INTEGER,
    stored_seq INTEGER REFERENCES fact (seq)
) STRICT;
CREATE UNIQUE INDEX parcel_active_waybill ON parcel (waybill_no) WHERE state NOT IN ('picked_up', 'returned');
CREATE UNIQUE INDEX parcel_cell ON parcel (cell) WHERE cell IS NOT NULL;
CREATE UNIQUE INDEX parcel_place ON parcel (place) WHERE place IS NOT NULL;
CREATE UNIQUE INDEX parcel_code ON parcel (code) WHERE code IS NOT NULL;
CREATE UNIQUE INDEX parcel_token ON parcel (token) WHERE token IS NOT NULL;
CREATE INDEX parcel_phone ON parcel (phone) WHERE phone IS NOT NULL;
CREATE INDEX parcel_open ON parcel (state) WHERE state NOT IN ('picked_up', 'returned', 'expected');
CREATE INDEX parcel_closed ON parcel (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX parcel_day ON parcel (arrived_day) WHERE arrived_day IS NOT NULL;
CREATE TABLE cell (
    cell INTEGER PRIMARY KEY,
    size TEXT NOT NULL CHECK (size IN ('S', 'M', 'L')),
    state TEXT NOT NULL,
    parcel TEXT UNIQUE REFERENCES parcel (id),
    why TEXT
) STRICT;
CREATE TABLE place (place TEXT PRIMARY KEY, shelf TEXT NOT NULL, free_seq INTEGER NOT NULL, free_at INTEGER NOT NULL,
    taken INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX place_free ON place (free_seq, place) WHERE taken = 0;
CREATE TABLE opening (
    id TEXT PRIMARY KEY,
    cell INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    parcel TEXT,
    outcome TEXT,
    closed INTEGER NOT NULL DEFAULT 0,
    seq INTEGER NOT NULL REFERENCES fact (seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX opening_unfinished ON opening (cell) WHERE closed = 0;
CREATE TABLE bill (
    id TEXT PRIMARY KEY,
    biller TEXT NOT NULL,
    kind TEXT NOT NULL,
    account_no TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT,
    period TEXT NOT NULL,
    fen INTEGER NOT NULL CHECK (fen > 0),
    due TEXT NOT NULL,
    state TEXT NOT NULL,
    slip TEXT UNIQUE,
    slip_shown INTEGER NOT NULL DEFAULT 0,
    operator TEXT,
    accepted_at INTEGER,
    accepted_seq INTEGER REFERENCES fact (seq),
    serial TEXT,
    reason TEXT
) STRICT;
CREATE INDEX bill_account ON bill (account_no);
CREATE INDEX bill_taken ON bill (accepted_seq) WHERE accepted_seq IS NOT NULL;
CREATE TABLE operator (id TEXT PRIMARY KEY, role TEXT NOT NULL, pin TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE attempt (scope TEXT PRIMARY KEY, credit INTEGER NOT NULL, fails INTEGER NOT NULL, boot TEXT NOT NULL,
    ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE notice (id TEXT PRIMARY KEY, text TEXT NOT NULL, valid_until TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE refused (event TEXT PRIMARY KEY, reason TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 0)
    STRICT, WITHOUT ROWID;
CREATE TABLE alarm (code TEXT NOT NULL, subject TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (code, subject))
    STRICT, WITHOUT ROWID;
CREATE TABLE applied (event BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE carrier_choice (length INTEGER NOT NULL, prefix TEXT NOT NULL, carrier TEXT NOT NULL,
    PRIMARY KEY (length, prefix)) STRICT, WITHOUT ROWID;
"""


def _each(db: Database, statements: str) -> None:
    """Execute them one by one: `executescript` would commit what is not whole."""
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def first(db: Database) -> None:
    _each(db, _FIRST)


@migrations()
def codes_owed(db: Database) -> None:
    """Facts whose used codes are still to be forgotten, so that nobody has to read every parcel for them."""
    db.execute("CREATE TABLE IF NOT EXISTS owed (seq INTEGER PRIMARY KEY REFERENCES fact (seq)) STRICT")
    db.execute(
        "INSERT OR IGNORE INTO owed (seq) SELECT r.stored_seq FROM parcel r JOIN personal p ON p.seq = r.stored_seq"
        " WHERE r.state IN ('picked_up', 'returned')"
    )


_COUNTER = """
CREATE TABLE print (seq INTEGER PRIMARY KEY REFERENCES fact (seq), slip TEXT NOT NULL, copy INTEGER NOT NULL,
    outcome TEXT) STRICT;
CREATE INDEX print_slip ON print (slip, seq);
CREATE INDEX print_open ON print (seq) WHERE outcome IS NULL;
CREATE TABLE weighing (
    ticket TEXT PRIMARY KEY,
    net_g INTEGER NOT NULL CHECK (net_g > 0),
    tare_g INTEGER,
    fen_per_kg INTEGER,
    fen INTEGER,
    operator TEXT NOT NULL,
    reweigh TEXT REFERENCES weighing (ticket),
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL UNIQUE REFERENCES fact (seq)
) STRICT, WITHOUT ROWID;
"""


@migrations()
def counter_devices(db: Database) -> None:
    """Slips that went to the printer, and weighings with their tickets."""
    _each(db, _COUNTER)


_BATCHES = """
CREATE TABLE batch (id TEXT PRIMARY KEY, scanner TEXT NOT NULL, at INTEGER NOT NULL, useless INTEGER NOT NULL,
    whole INTEGER NOT NULL, seq INTEGER NOT NULL REFERENCES fact (seq)) STRICT, WITHOUT ROWID;
CREATE TABLE batch_code (
    number TEXT PRIMARY KEY,
    batch TEXT NOT NULL,
    nr INTEGER NOT NULL,
    carriers TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'taken', 'left', 'here')),
    seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_code_batch ON batch_code (batch);
CREATE INDEX batch_code_open ON batch_code (state) WHERE state = 'waiting';
CREATE INDEX batch_code_unseen ON batch_code (batch) WHERE seen = 0;
"""


@migrations()
def gun_memories(db: Database) -> None:
    """Codes from the memories of guns, and what became of each."""
    _each(db, _BATCHES)


_FEWER_PAGES = """
DROP INDEX parcel_active_waybill;
DROP INDEX parcel_open;
DROP INDEX parcel_day;
DROP INDEX parcel_token;
DROP INDEX parcel_closed;
UPDATE parcel SET closed_at = coalesce(arrived_at, 0) WHERE state IN ('picked_up', 'returned') AND closed_at IS NULL;
CREATE UNIQUE INDEX parcel_active_waybill ON parcel (waybill_no) WHERE closed_at IS NULL;
CREATE INDEX parcel_active ON parcel (closed_at) WHERE closed_at IS NULL;
CREATE INDEX parcel_here ON parcel (arrived_day, state, closed_at) WHERE arrived_day IS NOT NULL AND closed_at IS NULL;
CREATE INDEX parcel_closed ON parcel (closed_at, arrived_day) WHERE closed_at IS NOT NULL;
CREATE INDEX parcel_people ON parcel (closed_at)
    WHERE closed_at IS NOT NULL AND coalesce(recipient, phone, address) IS NOT NULL;
CREATE INDEX bill_people ON bill (accepted_at) WHERE accepted_seq IS NOT NULL AND name <> '';
"""


@migrations()
def fewer_pages(db: Database) -> None:
    """Indexes that an intake does not touch, or touches where it writes anyway: a card wears out by pages.

    What is here and what is on its way are told apart by the days, not by the state, which changes at every step.
    """
    _each(db, _FEWER_PAGES)


_OUTAGES = """
CREATE TABLE outage (
    after INTEGER PRIMARY KEY,
    upto INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    hub TEXT,
    shown INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX bill_accepted ON bill (accepted_seq) WHERE accepted_seq IS NOT NULL;
"""


@migrations()
def outages(db: Database) -> None:
    """Stretches of the log that waited for a line, and the hub's side of their reconciliation sheets."""
    _each(db, _OUTAGES)


_UPDATES = """
CREATE TABLE update_order (
    id TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    compatible TEXT NOT NULL,
    sheet TEXT NOT NULL,
    until INTEGER NOT NULL,
    at_once INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
"""


@migrations()
def update_orders(db: Database) -> None:
    """Releases that the hub has ordered, and how far each is."""
    _each(db, _UPDATES)


_COMMISSIONING = """
CREATE TABLE commissioning (
    run TEXT PRIMARY KEY,
    steps TEXT NOT NULL,
    version TEXT NOT NULL,
    device TEXT NOT NULL,
    operator TEXT NOT NULL,
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL REFERENCES fact (seq),
    ended_at INTEGER,
    ended_seq INTEGER REFERENCES fact (seq),
    digest TEXT,
    hub TEXT,
    code TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE commissioning_step (
    run TEXT NOT NULL REFERENCES commissioning (run),
    step TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('done', 'failed', 'skipped', 'later')),
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    operator TEXT NOT NULL,
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL REFERENCES fact (seq),
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
"""


@migrations()
def commissioning(db: Database) -> None:
    """How a technician went through the point, step by step."""
    _each(db, _COMMISSIONING)


@migrations()
def strangers(db: Database) -> None:
    """What came unannounced and has left, by waybill: its announcement may still be on its way."""
    db.execute(
        "CREATE INDEX IF NOT EXISTS parcel_stranger ON parcel (waybill_no) WHERE expected = 0 AND closed_at IS NOT NULL"
    )


@migrations()
def cells_that_are_no_more(db: Database) -> None:
    """Whether a cell lies beyond the cabinet as the settings name it now."""
    db.execute("ALTER TABLE cell ADD COLUMN down INTEGER NOT NULL DEFAULT 0")


# An index that no card ever sees: the live codes by their last three digits. SQLite keeps it beside the database in
# memory, inside the same transactions, and whoever opens the database anew fills it anew.
_TAILS = """
CREATE TEMP TABLE code_tail (tail TEXT NOT NULL, code TEXT NOT NULL, PRIMARY KEY (tail, code)) STRICT, WITHOUT ROWID;
INSERT INTO code_tail SELECT substr(code, 4), code FROM main.parcel WHERE code IS NOT NULL;
CREATE TEMP TRIGGER code_came AFTER INSERT ON main.parcel WHEN new.code IS NOT NULL
BEGIN INSERT INTO code_tail VALUES (substr(new.code, 4), new.code); END;
CREATE TEMP TRIGGER code_given AFTER UPDATE OF code ON main.parcel WHEN new.code IS NOT NULL
BEGIN INSERT OR IGNORE INTO code_tail VALUES (substr(new.code, 4), new.code); END;
CREATE TEMP TRIGGER code_taken AFTER UPDATE OF code ON main.parcel WHEN new.code IS NOT old.code
BEGIN DELETE FROM code_tail WHERE tail = substr(old.code, 4) AND code = old.code; END;
CREATE TEMP TRIGGER code_gone AFTER DELETE ON main.parcel WHEN old.code IS NOT NULL
BEGIN DELETE FROM code_tail WHERE tail = substr(old.code, 4) AND code = old.code; END;
"""


def index_in_memory(db: Database) -> None:
    """Lay what belongs to an open connection and not to the file."""
    db.conn.executescript(_TAILS)
