"""Who may try, and who is who: the allowance of tries for codes and PINs, and the PINs themselves.

A try is taken off the allowance in a committed transaction *before* anything is compared, so that a power cut gives
nothing back. Time is monotonic since boot; after a restart only the time since that boot counts.
"""

from __future__ import annotations

import hmac
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from edge import events, log
from edge.model import OperatorId, Rejected, Role, Stamp
from edge.store import Tx

FREE_TRIES = 5  # reference/reliability.md 3.3: five free, then one in five minutes: 5.1e-5 in 30 days of guessing
TRY_MS = 300_000
PIN_LOCKS_MS = (60_000, 300_000, 900_000, 3_600_000)  # after the 5th wrong PIN: 1, 5, 15 min, then 1 h each
PICKUP = "pickup"
PIN = "pin"
MIN_PIN, MAX_PIN = 6, 8  # digits; the screen takes no more
SET_UP_HERE = "first_people"  # key in meta
FIRST = {Role.TECHNICIAN: "tech1", Role.OPERATOR: "op1"}  # ids of the first two people of a point set up on its screen

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's argon2id profile, 28 ms here


def take_try(tx: Tx) -> None:
    """Take one try off the allowance for pickup codes. Errors: Rejected locked_out (minutes).

    The refusal changes nothing. Commit this before the comparison.
    """
    credit = _credit(tx)
    if credit < TRY_MS:
        raise Rejected("locked_out", minutes=-(-(TRY_MS - credit) // 60_000))
    _save(tx, PICKUP, credit - TRY_MS, 0)
    log.append(tx, events.PickupTried(PICKUP))


def give_back_try(tx: Tx) -> None:
    """The code was right: this try was none."""
    tx.bookkeeping = True
    _save(tx, PICKUP, min(_credit(tx) + TRY_MS, FREE_TRIES * TRY_MS), 0)


def take_pin_try(tx: Tx) -> None:
    """Count a PIN as wrong before it is compared. Errors: Rejected locked_out (minutes)."""
    row = tx.row("SELECT * FROM attempt WHERE scope = ?", (PIN,))
    fails = 0 if row is None else int(row["fails"])
    if row is not None and fails >= FREE_TRIES:
        lock = PIN_LOCKS_MS[min(fails - FREE_TRIES, len(PIN_LOCKS_MS) - 1)]
        left = lock - _since(tx.stamp, row["boot"], row["ms"])
        if left > 0:
            raise Rejected("locked_out", minutes=-(-left // 60_000))
    _save(tx, PIN, 0, fails + 1)
    log.append(tx, events.PickupTried(PIN))


def clear_pin_tries(tx: Tx) -> None:
    tx.bookkeeping = True
    _save(tx, PIN, 0, 0)


def _credit(tx: Tx) -> int:
    row = tx.row("SELECT * FROM attempt WHERE scope = ?", (PICKUP,))
    if row is None:
        return FREE_TRIES * TRY_MS
    return min(FREE_TRIES * TRY_MS, int(row["credit"]) + _since(tx.stamp, row["boot"], row["ms"]))


def _since(now: Stamp, boot: str, ms: int) -> int:
    return max(0, now.ms - ms) if now.boot == boot else now.ms


def _save(tx: Tx, scope: str, credit: int, fails: int) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO attempt (scope, credit, fails, boot, ms) VALUES (?, ?, ?, ?, ?)",
        (scope, credit, fails, tx.stamp.boot, tx.stamp.ms),
    )


# --- PINs ---------------------------------------------------------------------------------------------------------


def check_pin_form(pin: str) -> None:
    """Errors: Rejected weak_pin for fewer than six digits or more than eight, all equal, or a plain run like 123456."""
    steps = {int(b) - int(a) for a, b in pairwise(pin)} if pin.isascii() and pin.isdigit() else set()
    if not MIN_PIN <= len(pin) <= MAX_PIN or not steps or steps in ({0}, {1}, {-1}):
        raise Rejected("weak_pin")


def hash_pin(pin: str, device_key: bytes) -> str:
    """Return the argon2id text of a PIN bound to this device. Slow on purpose: never inside a transaction."""
    return _hasher.hash(_peppered(pin, device_key))


def fits(hashed: str, pin: str, device_key: bytes) -> bool:
    """Tell whether a PIN is the hashed one. Slow on purpose: never inside a transaction."""
    try:
        return _hasher.verify(hashed, _peppered(pin, device_key))
    except (VerificationError, InvalidHashError):  # a damaged row lets nobody in, and must not lock the others out
        return False


def _peppered(pin: str, device_key: bytes) -> bytes:
    return hmac.digest(device_key, b"pin\x00" + pin.encode(), "sha256")  # a stolen card without the key tells nothing


def add_operator(tx: Tx, operator: OperatorId, role: Role, hashed: str) -> None:
    """Add a person or give them a new PIN."""
    tx.execute("INSERT OR REPLACE INTO operator (id, role, pin) VALUES (?, ?, ?)", (operator, role, hashed))
    log.append(tx, events.OperatorAdded(operator, role))
    log.drop_alarm(tx, "new_pin", operator)


def next_first(tx: Tx) -> Role | None:
    """Whose PIN a point that is set up on its screen gets next: a technician's, then an operator's, then nobody's.

    A point whose people came from elsewhere has nothing to be set up.
    """
    roles = {str(row["role"]) for row in tx.rows("SELECT role FROM operator")}
    if not roles:
        return Role.TECHNICIAN
    was_here = tx.value("SELECT 1 FROM meta WHERE key = ?", (SET_UP_HERE,))
    return Role.OPERATOR if was_here and Role.OPERATOR not in roles else None


def add_first(tx: Tx, role: Role, hashed: str) -> None:
    """Add the first person of a role. Errors: Rejected not_allowed when it is not their turn."""
    if next_first(tx) is not role:
        raise Rejected("not_allowed")
    add_operator(tx, OperatorId(FIRST[role]), role, hashed)
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (SET_UP_HERE, role))


def operators(tx: Tx) -> tuple[tuple[OperatorId, Role, str], ...]:
    rows = tx.rows("SELECT * FROM operator ORDER BY id")
    return tuple((OperatorId(row["id"]), Role(row["role"]), str(row["pin"])) for row in rows)


def whose(
    people: tuple[tuple[OperatorId, Role, str], ...], pin: str, device_key: bytes
) -> tuple[OperatorId, Role] | None:
    """Return who has this PIN. Slow on purpose, and as slow for everybody: never inside a transaction."""
    found = [(operator, role) for operator, role, hashed in people if fits(hashed, pin, device_key)]
    return found[0] if found else None


def logged_in(tx: Tx, operator: OperatorId, role: Role) -> None:
    clear_pin_tries(tx)
    log.append(tx, events.LoggedIn(operator, role))
