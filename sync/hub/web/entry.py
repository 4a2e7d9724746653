"""Who may see the pages: one password of the desk, few tries, and sessions that end by themselves.

The password's file holds an argon2id text and nothing else. Cookies and forms are in sync/hub/web/pages.py.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sync.files import replace_file
from sync.hub.https import Allowance

FILE = "watch.password"
SHORTEST, LONGEST = 10, 200  # signs; ten random letters outlast the tries below by far
TRIES = 10  # at once; then one every REFILL_S. All callers come over loopback and share them
REFILL_S = 20.0
IDLE_MS = 30 * 60_000  # a desk that was left
WHOLE_MS = 12 * 3_600_000  # a shift
MAX_SESSIONS = 50
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's argon2id profile


class BadPassword(Exception):
    """The new password cannot be used; the text says why."""


@dataclass(slots=True)
class Session:
    """One browser that knew the password. Units: monotonic milliseconds; `entry` names the password it knew."""

    form_token: str
    began: int
    touched: int
    entry: str


def set_password(folder: Path, password: str) -> None:
    """Keep a new password; whoever knew the old one is out. Errors: BadPassword, OSError."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadPassword(f"a password has {SHORTEST} to {LONGEST} signs")
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / FILE, _hasher.hash(password).encode("ascii") + b"\n")


def has_password(folder: Path) -> bool:
    """Tell whether one was set."""
    return _kept(folder) is not None


class Entry:
    """The door: the password and the sessions in memory. Calls may come from several threads."""

    def __init__(self, folder: Path, ms: Callable[[], int]) -> None:
        self._folder = folder
        self._ms = ms
        self._tries = Allowance(ms, TRIES, REFILL_S)
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def may_try(self) -> bool:
        """Use up one try, before the password is looked at."""
        with self._lock:
            return self._tries.take("desk")

    def begin(self, password: str) -> str | None:
        """Return the secret of a new session, None for a wrong password. Slow on purpose."""
        kept = _kept(self._folder)
        if kept is None or len(password) > LONGEST:
            return None
        try:
            _hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return None
        secret, now = secrets.token_urlsafe(32), self._ms()
        with self._lock:
            self._sessions[_name(secret)] = Session(secrets.token_urlsafe(32), now, now, kept)
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return secret

    def session(self, secret: str, *, live: bool) -> Session | None:
        """The session with this secret if it is still good.

        `live`: the page has asked by itself. A desk that nobody has touched for a while goes on showing how the sites
        stand until the shift is over; the first touch then asks for the password again.
        """
        name, now, kept = _name(secret), self._ms(), _kept(self._folder)
        with self._lock:
            found = self._sessions.get(name)
            if found is None:
                return None
            is_left = not live and now - found.touched > IDLE_MS
            if is_left or now - found.began > WHOLE_MS or found.entry != kept:
                del self._sessions[name]
                return None
            if not live:
                found.touched = now
            self._sessions.move_to_end(name)
            return found

    def end(self, secret: str) -> None:
        """Forget a session."""
        with self._lock:
            self._sessions.pop(_name(secret), None)


def same(given: str, wanted: str) -> bool:
    """Compare secrets without telling by time how far they agree."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8"))


def _name(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _kept(folder: Path) -> str | None:
    try:
        return (folder / FILE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
