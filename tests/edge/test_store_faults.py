"""The store on bad ground: a damaged, missing or empty file, a full disk, a disk that fails."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from disks import small_disk, spoil
from stockroom import NOON, Clock, Dice, Hub, bill, dump, expected, furnish, kinds, new_store, stored

from edge import backup, bills, cells, events, log, parcels
from edge.model import BillId, CellNo, Fen, OperatorId, Rejected
from edge.reserve import BALLAST
from edge.store import FILE, Store, StoreFault, Tx

pytestmark = pytest.mark.logs("disk full", "no reserve", "could not be reopened", "checkpoint at close failed")


@pytest.fixture
def filled(store: Store, hub: Hub) -> Store:
    """A closed store with a parcel, a bill and a hundred facts, and a good backup of it."""
    stored(store, hub, 1)
    for _ in range(100):
        store.run_now(log.append, events.HelpCalled("home"))
    backup.make(store.folder)
    store.close()
    return store


def fault_at_start(folder: Path) -> StoreFault:
    again = new_store(folder, Clock(), Dice(7))
    with pytest.raises(StoreFault) as caught:
        again.open()
    again.close()
    return caught.value


DAMAGE = {
    "noise in a page": lambda path: spoil(path, 1),
    "noise in the header": lambda path: path.write_bytes(b"\0" * 100 + path.read_bytes()[100:]),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 // 4096 * 4096]),
    "no bytes left": lambda path: path.write_bytes(b""),
    "another program's file": lambda path: path.write_text("[devices]\n" * 2000),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_set_aside_whole_and_a_backup_is_named(filled: Store, damage: object) -> None:
    damage(filled.path)  # type: ignore[operator]
    spoilt = filled.path.read_bytes()

    fault = fault_at_start(filled.folder)

    assert fault.code == "S1"
    assert fault.backup == backup.copies(filled.folder)[0].path
    assert not filled.path.exists()
    assert (filled.folder / f"{FILE}.damaged-1").read_bytes() == spoilt


def test_a_journal_goes_aside_with_its_damaged_file_unmoved(store: Store, hub: Hub) -> None:
    stored(store, hub, 1)
    store.run_now(Tx.value, "PRAGMA wal_checkpoint(TRUNCATE)")
    store.run_now(log.append, events.HelpCalled("home"))
    crashed = store.folder.parent / "crashed"
    shutil.copytree(store.folder, crashed)
    spoilt, journal = spoil(crashed / FILE, 3), (crashed / f"{FILE}-wal").read_bytes()
    assert journal

    fault_at_start(crashed)

    assert (crashed / f"{FILE}.damaged-1").read_bytes() == spoilt
    assert (crashed / f"{FILE}.damaged-1-wal").read_bytes() == journal


def test_after_a_damaged_file_the_next_start_makes_no_new_database(filled: Store) -> None:
    spoil(filled.path, 2)
    fault_at_start(filled.folder)

    fault = fault_at_start(filled.folder)

    assert (fault.code, fault.backup) == ("S1", backup.copies(filled.folder)[0].path)
    assert not filled.path.exists()
    assert not list(filled.folder.glob("*damaged-2*"))


@pytest.mark.parametrize("with_backup", [True, False])
def test_a_missing_file_never_becomes_a_new_database(filled: Store, with_backup: bool) -> None:
    filled.path.unlink()
    if not with_backup:
        shutil.rmtree(filled.folder / "backup")

    fault = fault_at_start(filled.folder)

    assert fault.code == "S1"
    assert (fault.backup is not None) == with_backup
    assert not filled.path.exists()


def test_a_damaged_backup_is_not_offered(filled: Store) -> None:
    good = backup.copies(filled.folder)[0].path
    newer = good.with_name("point-000002-000000000999.db")
    shutil.copy(good, newer)
    spoil(newer, 4)
    (good.parent / "point-from-a-friend.db").write_text("not ours")
    filled.path.unlink()

    assert fault_at_start(filled.folder).backup == good


def test_a_start_that_was_cut_before_the_first_tables_goes_on(tmp_path: Path, clock: Clock, dice: Dice) -> None:
    (tmp_path / FILE).touch()
    (tmp_path / "point.lock").touch()
    fresh = new_store(tmp_path, clock, dice)

    fresh.open()
    fresh.run_now(furnish)

    assert fresh.run_now(log.verify) is None
    fresh.close()


def test_damage_found_at_work_closes_the_store_until_it_is_checked(store: Store, hub: Hub) -> None:
    stored(store, hub, 1)
    for _ in range(300):
        store.run_now(log.append, events.HelpCalled("x" * 200))
    store.close()
    size = store.path.stat().st_size
    store.open()
    with store.path.open("r+b") as file:  # the card goes bad under the running program
        file.seek(4096)
        file.write(random.Random(5).randbytes(size - 4096))

    with pytest.raises(StoreFault) as first:
        store.run_now(Tx.rows, "SELECT * FROM fact")
    with pytest.raises(StoreFault) as second:
        store.run_now(Tx.value, "SELECT 1")

    assert (first.value.code, second.value.code) == ("S1", "S1")


# --- a full disk --------------------------------------------------------------------------------------------------


def press(tx: Tx, more_pages: int) -> None:
    """Let the database grow by so many pages and no further: what it says then is what a full disk makes it say."""
    pages = tx.value("PRAGMA page_count")
    tx.value(f"PRAGMA max_page_count = {pages + more_pages}")


def fill(store: Store) -> int:
    """Append facts until the disk is full; return how many went in."""
    for number in range(10_000):
        try:
            store.run_now(log.append, events.HelpCalled("x" * 500))
        except StoreFault as fault:
            if fault.code == "S2":
                return number
            raise
    raise AssertionError("the disk never filled")


def test_a_full_disk_refuses_whole_and_leaves_nothing_half_done(store: Store, hub: Hub) -> None:
    hub.tell(store, bill(1))
    store.run_now(press, 3)

    taken = fill(store)
    before = dump(store)
    with pytest.raises(StoreFault):
        store.run_now(log.append, events.HelpCalled("y" * 9000))

    assert not (store.folder / BALLAST).exists()
    assert dump(store) == before
    assert len(kinds(store)) == taken
    assert store.run_now(log.verify) is None


def test_on_the_reserve_work_goes_on_but_no_money_is_taken(store: Store, hub: Hub) -> None:
    hub.tell(store, bill(1))
    parcel = stored(store, hub, 1)
    (store.folder / BALLAST).unlink()

    with pytest.raises(Rejected) as caught:
        store.run_now(bills.accept, BillId("b1"), Fen(100), OperatorId("op1"))

    assert caught.value.code == "disk_low"
    assert "bill_accepted" not in kinds(store)
    store.run_now(cells.authorise, CellNo(2), "service", None, OperatorId("op1"))
    assert parcel.cell == 1


def test_a_disk_that_is_really_full_gives_up_its_reserve_first(tmp_path: Path, clock: Clock, dice: Dice) -> None:
    with small_disk(tmp_path / "disk", "80m") as disk:
        small = new_store(disk, clock, dice)
        small.open()
        small.run_now(furnish)
        Hub().tell(small, bill(1))
        small.run_now(log.append, events.HelpCalled("x" * 200_000))
        assert (disk / BALLAST).exists()
        with (disk / "other").open("wb") as other:
            os.posix_fallocate(other.fileno(), 0, os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize)

        before = len(kinds(small))
        while (disk / BALLAST).exists():
            small.run_now(log.append, events.HelpCalled("x" * 2000))
        for _ in range(50):
            small.run_now(log.append, events.HelpCalled("after"))
        with pytest.raises(Rejected, match="disk_low"):
            small.run_now(bills.accept, BillId("b1"), Fen(100), OperatorId("op1"))
        taken = len(kinds(small))
        more = fill(small)

        assert kinds(small).count("help_called") == taken + more
        assert taken - before >= 51
        assert small.run_now(log.verify) is None
        small.close()
        (disk / "other").unlink()
        small.open()
        assert (small.run_now(log.verify), len(kinds(small))) == (None, taken + more)
        small.close()


def test_a_start_without_room_for_the_reserve_takes_no_money(tmp_path: Path, clock: Clock, dice: Dice) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        small = new_store(disk, clock, dice)
        small.open()
        small.run_now(furnish)

        assert small.run_now(lambda tx: tx.on_reserve) is True
        small.close()


# --- a disk that fails --------------------------------------------------------------------------------------------

WORKER = """
import json, sys
sys.path[:0] = sys.argv[2:4]
from pathlib import Path
from stockroom import Clock, Dice, Hub, bill, furnish, new_store
from edge import bills, events, log
from edge.store import StoreFault
store = new_store(Path(sys.argv[1]), Clock(), Dice())
said = []
try:
    store.open()
    store.run_now(furnish)
    if store.run_now(log.cursor, log.DOWN).upto == 0:
        Hub().tell(store, *(bill(n) for n in range(12)))
    for n in range(12):
        try:
            done, logged = store.run_now(bills.accept, f"b{n}", 100, "op1")
            said.append([n, done.slip, logged.mark])
        except StoreFault as fault:
            said.append([n, fault.code, ""])
except StoreFault as fault:
    said.append([-1, fault.code, ""])
finally:
    print(json.dumps(said), flush=True)
store.close()
"""


def work_under(folder: Path, prefix: list[str]) -> list[tuple[int, str, str]]:
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [*prefix, sys.executable, "-c", WORKER, folder, tests, tests.parent],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr[-2000:]
    return [tuple(each) for each in json.loads(done.stdout.strip().splitlines()[-1])]


ROUNDS = [("fsync", 1)] + [("fdatasync", n) for n in (1, 3, 9)] + [("pwrite64", n) for n in (2, 7, 30)]


def disk_fails(folder: Path, call: str, nth: int, error: str) -> bool:
    """Let the n-th call fail and every further one too; what was promised before must be there afterwards.

    Return False when the work was done before the n-th call.
    """
    inject = f"inject={call}:error={error}:when={nth}+"
    said = work_under(folder, ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject])
    promised = {slip: mark for _, slip, mark in said if mark}
    failed = {slip for _, slip, mark in said if not mark}
    assert failed <= {"S2", "S3"}

    again = new_store(folder, Clock(wall=NOON + 1), Dice(2))
    again.open()
    rows = (
        again.run_now(
            Tx.rows, "SELECT b.slip, f.hash FROM bill b JOIN fact f ON f.seq = b.accepted_seq ORDER BY b.slip"
        )
        if again.run_now(Tx.value, "SELECT count(*) FROM fact")
        else []
    )
    held = {row["slip"]: row["hash"] for row in rows}
    assert promised.items() <= held.items()
    assert sorted(held) == [f"{n:06d}" for n in range(1, len(held) + 1)]
    assert again.run_now(log.verify) is None
    again.close()
    return bool(failed)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here: disk errors are not injected")
@pytest.mark.parametrize(("call", "nth"), ROUNDS)
def test_no_promise_is_lost_when_the_disk_fails(tmp_path: Path, call: str, nth: int) -> None:
    assert disk_fails(tmp_path / "data", call, nth, "EIO"), "no call was made to fail"


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here: disk errors are not injected")
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_no_promise_is_lost_whichever_call_fails(tmp_path: Path, call: str, error: str) -> None:
    nth = 1
    while disk_fails(tmp_path / str(nth), call, nth, error):
        nth += 1

    assert nth > 10


def test_a_limit_on_file_size_is_a_store_fault_and_no_signal(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", WORKER, folder, tests, tests.parent],
        capture_output=True, text=True, timeout=60, check=False, preexec_fn=limited,
    )  # fmt: skip

    said = json.loads(done.stdout)
    assert {slip for _, slip, mark in said if not mark} <= {"S2", "S3"}
    assert any(not mark for _, _, mark in said)


def test_a_store_that_comes_back_without_its_index_of_codes_stays_shut(store: Store, hub: Hub) -> None:
    """The codes it gave then would be like live ones, and nobody would see it."""

    def fails(_: Tx) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    stored(store, hub, 1)
    stored(store, hub, 2)
    with sqlite3.connect(store.path) as other:  # what no quick look at a file finds
        other.execute("DROP INDEX parcel_code")
        other.execute("UPDATE parcel SET code = '123456'")
    other.close()

    for work in (fails, parcels.new_code):
        with pytest.raises(StoreFault) as caught:
            store.run_now(work)
        assert caught.value.code == "S3"


def test_a_constraint_is_a_bug_and_travels_up_untouched(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.run_now(Tx.insert, "cell", {"cell": 1, "size": "S", "state": "free"})


def test_the_hub_goes_on_after_a_full_disk(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1))
    store.run_now(press, 0)
    at = store.run_now(log.cursor, log.DOWN)
    items, marks = hub.items([expected(n) for n in range(2, 400)])
    from edge import inbox
    from edge.model import LogId

    with pytest.raises(StoreFault):
        store.run_now(log.apply_down, LogId(hub.name), items, marks, inbox.apply)

    assert store.run_now(log.cursor, log.DOWN) == at
    store.run_now(press, 500)
    assert store.run_now(log.apply_down, LogId(hub.name), items, marks, inbox.apply).upto == 399
