"""Gather what the doctor judges: the disk, the machine, the books. Reads only; changes nothing.

Devices are asked by whoever holds them: the running kiosk (edge/house.py), or the command when none runs. What cannot
be read is told as not known, never as well.
"""

from __future__ import annotations

import os
import sqlite3
import ssl
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from edge import audit, boards, log, reserve
from edge.clock import Clock, Dice
from edge.copies import FILE, copies, holds_facts, read_only
from edge.doctor_facts import BookFacts, CertificateFacts, DiskFacts, LineFacts, MachineFacts
from edge.store import Keys, Tx

MB = 1024 * 1024
DAY_S = 24 * 3600
DAY_MS = DAY_S * 1000
LIFE_STEP = 10  # JEDEC 84-B51: each step of DEVICE_LIFE_TIME_EST is a tenth of what the maker gives; 0x0B is beyond
MAX_ZONES = 64

SYS = Path("/sys")
MEMINFO = Path("/proc/meminfo")


def disk(folder: Path, sys: Path = SYS) -> DiskFacts:
    """Look at the disk under a folder, which need not be there yet."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))
    try:
        room = os.statvfs(there)
        used_up = _used_up(there, sys)
    except OSError:
        return DiskFacts(None)
    has_reserve = reserve.laid(folder) if (folder / FILE).exists() else None
    is_read_only = bool(room.f_flag & os.ST_RDONLY)
    return DiskFacts(room.f_bavail * room.f_frsize // MB, is_read_only, used_up, has_reserve)


def _used_up(folder: Path, sys: Path) -> int | None:
    """Per cent of its writes that a memory card has used up; None for a disk that does not tell."""
    number = folder.stat().st_dev
    block = sys / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    for part in (block, block / ".."):  # a partition, then its disk; the kernel resolves the link before the dots
        try:
            words = (part / "device" / "life_time").read_text(encoding="ascii").split()
            steps = [int(word, 16) for word in words]
        except (OSError, ValueError):
            continue
        worst = max(steps, default=0)
        if worst:
            return worst * LIFE_STEP
    return None


def memory_mb(meminfo: Path = MEMINFO) -> int | None:
    """Memory that programs can still have."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
        told = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(told.split()[1]) // 1024
    except (OSError, StopIteration, IndexError, ValueError):
        return None


def heat_c(sys: Path = SYS) -> int | None:
    """The hottest place the board measures; None where it measures none."""
    found = []
    for zone in sorted((sys / "class" / "thermal").glob("thermal_zone*"))[:MAX_ZONES]:
        try:
            found.append(int((zone / "temp").read_text(encoding="ascii")) // 1000)
        except (OSError, ValueError):  # a zone that is switched off refuses to be read
            continue
    return max(found, default=None)


def certificate_days(file: Path, now_s: int) -> int | None:
    """Days until the first authority in the file is out of date, negative after that; None when it cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=file)
        ends = [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in context.get_ca_certs()]
    except (OSError, ValueError, KeyError):  # ssl.SSLError is an OSError
        return None
    return None if not ends else (int(min(ends)) - now_s) // DAY_S


def machine(clock: Clock, fonts: tuple[Path, ...], certificate: CertificateFacts) -> MachineFacts:
    """Look at the machine itself."""
    stamp = clock.stamp()
    has_fonts = all(font.is_file() for font in fonts)
    return MachineFacts(stamp.at, stamp.synced, memory_mb(), heat_c(), has_fonts, certificate)


def backup_age_h(folder: Path, now: int) -> int | None:
    """Hours since the newest backup; None when there is none."""
    found = copies(folder)
    try:
        return None if not found else max(0, now // 1000 - int(found[0].path.stat().st_mtime)) // 3600
    except OSError:
        return None


def books_in(tx: Tx) -> tuple[BookFacts, int, int | None]:
    """Read the books: what is in them, how many facts wait for the line, when the hub answered last."""
    newest = tx.value("SELECT at FROM fact ORDER BY seq DESC LIMIT 1")
    is_broken = bool(tx.value("SELECT 1 FROM alarm WHERE code = ?", (audit.ALARM,)))
    facts = BookFacts("broken" if is_broken else "", None, newest, boards.forked(tx))
    return facts, log.pending(tx), log.confirmed_at(tx)


def damage(folder: Path) -> str:
    """Check the database file, also beside its running kiosk; "" when it is sound, else as in `BookFacts`."""
    try:
        return "" if holds_facts(folder / FILE) else "new"
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return "damaged" if code in _DAMAGE else "unread"


def books(folder: Path, keys: Keys, clock: Clock, dice: Dice) -> tuple[BookFacts, LineFacts]:
    """Check a database that nobody runs on: the file, the whole log, and what is in it. Takes a second or two."""
    stamp = clock.stamp()
    told = damage(folder)
    if told:
        return BookFacts(told, backup_age_h(folder, stamp.at)), LineFacts()
    try:
        broken = audit.whole(folder, keys, clock, dice)
        with closing(read_only(folder / FILE)) as connection:
            tx = Tx(Database(connection, execute_plugins=False), stamp, dice, keys)
            facts, pending, confirmed_at = books_in(tx)
    except sqlite3.Error:
        return BookFacts("unread", backup_age_h(folder, stamp.at)), LineFacts()
    days = 0 if confirmed_at is None else max(0, stamp.at - confirmed_at) // DAY_MS + 1
    found = BookFacts(
        "" if broken is None else "broken", backup_age_h(folder, stamp.at), facts.newest_at, facts.has_fork
    )
    return found, LineFacts(online=None, days=days, pending=pending)


_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
