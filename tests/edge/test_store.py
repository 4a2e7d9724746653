"""The store: one transaction at a time, all or nothing, one program at a time, and pragmas that keep promises."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stockroom import Clock, Dice, Hub, bill, dump, expected, furnish, kinds, new_store

from edge import events, log, parcels
from edge.reserve import BALLAST
from edge.store import FILE, Store, StoreFault, Tx, set_aside, take_lock


def pragma(store: Store, name: str) -> object:
    return store.run_now(Tx.value, f"PRAGMA {name}")


def help_called(tx: Tx, screen: str = "home") -> None:
    log.append(tx, events.HelpCalled(screen))


def test_pragmas_are_those_that_were_measured(store: Store) -> None:
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 2
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "secure_delete") == 1
    assert pragma(store, "cell_size_check") == 1


def test_the_files_are_for_their_owner_alone(store: Store) -> None:
    assert [f.name for f in store.folder.iterdir() if f.is_file() and f.stat().st_mode & 0o077] == []


def test_an_exception_rolls_everything_back(store: Store) -> None:
    before = dump(store)

    def half(tx: Tx) -> None:
        help_called(tx)
        tx.update("cell", ("cell", 1), {"state": "reserved"})
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        store.run_now(half)

    assert dump(store) == before


def test_a_part_may_fail_alone(store: Store) -> None:
    def work(tx: Tx) -> None:
        help_called(tx, "kept")
        with pytest.raises(ValueError, match="UNIQUE"):
            part(tx)
        help_called(tx, "kept")

    def part(tx: Tx) -> None:
        with tx.attempt():
            help_called(tx, "dropped")
            tx.insert("cell", {"cell": 1, "size": "S", "state": "free"})

    store.run_now(work)

    bodies = [row["body"] for row in store.run_now(Tx.rows, "SELECT body FROM fact ORDER BY seq")]
    assert bodies == ['{"screen":"kept"}', '{"screen":"kept"}']
    assert store.run_now(log.verify) is None


def test_a_change_without_a_fact_is_an_error_in_tests(store: Store) -> None:
    before = dump(store)

    with pytest.raises(AssertionError, match="without a fact"):
        store.run_now(Tx.update, "cell", ("cell", 1), {"state": "reserved"})

    assert dump(store) == before


def test_a_misspelt_table_and_a_missing_row_are_refused(store: Store) -> None:
    with pytest.raises(AssertionError, match="no table"):
        store.run_now(Tx.insert, "parcels", {"id": "x"})
    with pytest.raises(KeyError):
        store.run_now(Tx.update, "cell", ("cell", 99), {"state": "free"})


def test_tables_are_strict_and_references_hold(store: Store) -> None:
    def wrong_type(tx: Tx) -> None:
        help_called(tx)
        tx.execute("UPDATE cell SET cell = 'door' WHERE cell = 1")

    def dangling(tx: Tx) -> None:
        help_called(tx)
        tx.update("cell", ("cell", 1), {"parcel": "nobody"})

    for work in (wrong_type, dangling):
        with pytest.raises(sqlite3.IntegrityError):
            store.run_now(work)


UNIQUE = {
    "two parcels in one cell": "UPDATE parcel SET cell = 1 WHERE id IN ('p1', 'p2')",
    "two parcels on one place": "UPDATE parcel SET place = 'A-1-001' WHERE id IN ('p1', 'p2')",
    "two parcels with one code": "UPDATE parcel SET code = '123456' WHERE id IN ('p1', 'p2')",
    "two active parcels with one waybill": "UPDATE parcel SET waybill_no = 'W' WHERE id IN ('p1', 'p2')",
    "one parcel in two cells": "UPDATE cell SET parcel = 'p1' WHERE cell IN (1, 2)",
    "two bills with one slip": "UPDATE bill SET slip = '000001'",
    "an unknown size": "UPDATE parcel SET size = 'XL' WHERE id = 'p1'",
    "a bill of nothing": "UPDATE bill SET fen = 0",
}


@pytest.mark.parametrize("statement", UNIQUE.values(), ids=UNIQUE)
def test_the_database_itself_refuses(store: Store, hub: Hub, statement: str) -> None:
    hub.tell(store, expected(1), expected(2), *(bill(n) for n in (1, 2)))

    def break_in(tx: Tx) -> None:
        help_called(tx)
        tx.execute(statement)

    with pytest.raises(sqlite3.IntegrityError):
        store.run_now(break_in)


def test_a_waybill_may_come_again_once_the_first_has_left(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1), expected(2))

    def leave(tx: Tx) -> None:
        help_called(tx)
        tx.execute("UPDATE parcel SET waybill_no = 'W', state = 'picked_up', closed_at = 1 WHERE id = 'p1'")
        tx.execute("UPDATE parcel SET waybill_no = 'W' WHERE id = 'p2'")

    store.run_now(leave)

    assert store.run_now(parcels.find_active, "W").id == "p2"  # type: ignore[arg-type, union-attr]


def test_a_transaction_left_open_is_noticed(store: Store) -> None:
    kept: list[Tx] = []
    store.run_now(kept.append)
    kept[0].execute("BEGIN")  # what a rule would leave behind that keeps its Tx or commits by itself

    with pytest.raises(AssertionError, match="left open"):
        store.run_now(help_called)


def test_a_second_program_is_refused(store: Store, clock: Clock, dice: Dice) -> None:
    second = new_store(store.folder, clock, dice)

    with pytest.raises(StoreFault) as caught:
        second.open()

    assert caught.value.code == "S4"
    with pytest.raises(StoreFault):
        take_lock(store.folder)
    assert kinds(store) == []


def test_the_folder_is_free_again_after_close_and_after_a_failed_start(
    tmp_path: Path, clock: Clock, dice: Dice
) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database" * 999)
    with pytest.raises(StoreFault):
        new_store(tmp_path, clock, dice).open()

    os.close(take_lock(tmp_path))


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()

    with pytest.raises(StoreFault) as caught:
        store.run_now(help_called)
    assert caught.value.code == "S4"


def test_what_was_committed_is_there_after_reopening(store: Store) -> None:
    store.run_now(help_called)
    before = dump(store)
    store.close()

    store.open()

    assert dump(store) == before


def test_a_folder_that_cannot_be_written_is_a_store_fault(tmp_path: Path, clock: Clock, dice: Dice) -> None:
    (tmp_path / "data").write_text("a file, not a folder")

    with pytest.raises(StoreFault) as caught:
        new_store(tmp_path / "data", clock, dice).open()

    assert caught.value.code == "S3"


def test_listeners_hear_of_facts_and_of_nothing_else(store: Store) -> None:
    heard: list[int] = []
    store.on_commit.append(lambda: heard.append(1))

    store.run_now(log.head)
    store.run_now(log.verify)
    assert heard == []

    store.run_now(help_called)
    asyncio.run(store.run(help_called))
    assert heard == [1, 1]


def test_a_flow_that_is_cancelled_does_not_leave_half_a_transaction(store: Store) -> None:
    def both(tx: Tx) -> None:
        help_called(tx, "one")
        started.set()
        go.wait(5)
        help_called(tx, "two")

    import threading

    started, go = threading.Event(), threading.Event()

    async def cancelled() -> None:
        task = asyncio.create_task(store.run(both))
        await asyncio.get_running_loop().run_in_executor(None, started.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()

    asyncio.run(cancelled())

    assert len(kinds(store)) == 2


def test_setting_aside_never_overwrites(tmp_path: Path) -> None:
    names = []
    for number in range(3):
        for suffix in ("", "-wal"):
            (tmp_path / (FILE + suffix)).write_text(f"{number}{suffix}")
        names.append(set_aside(tmp_path / FILE).name)

    assert names == [f"{FILE}.damaged-{number}" for number in (1, 2, 3)]
    assert [(tmp_path / name).read_text() for name in names] == ["0", "1", "2"]
    assert [(tmp_path / f"{name}-wal").read_text() for name in names] == ["0-wal", "1-wal", "2-wal"]


def test_the_reserve_is_laid_once(store: Store) -> None:
    assert (store.folder / BALLAST).stat().st_size == 4 * 1024 * 1024
    assert store.run_now(lambda tx: tx.on_reserve) is False


def test_the_lock_is_advisory_and_of_this_process(store: Store) -> None:
    handle = os.open(store.folder / "point.lock", os.O_RDWR)
    try:
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


def test_a_new_store_lays_out_its_cells_again_without_harm(store: Store) -> None:
    before = dump(store)

    store.run_now(furnish)

    assert dump(store) == before


@contextmanager
def held_by_another(store: Store, seconds: float) -> Iterator[None]:
    """A technician's tool writes, and takes so long about it."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        held.set()
        over.wait(seconds)
        other.execute("ROLLBACK")
        other.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(5)
    yield
    over.set()
    thread.join()


def reads_then_writes(tx: Tx, ran: list[int]) -> int:
    ran.append(1)
    before = log.head(tx).upto
    log.append(tx, events.HelpCalled("home"))
    return int(before) + 1


def test_who_has_read_and_comes_to_write_waits_for_another_program(store: Store) -> None:
    ran: list[int] = []
    with held_by_another(store, 0.4):
        seq = store.run_now(reads_then_writes, ran)

    assert store.run_now(log.head).upto == seq
    assert len(ran) == 2  # refused at once, then once more with the database in hand
    assert store.run_now(log.verify) is None


def test_a_database_that_stays_held_is_a_fault_with_nothing_written(store: Store) -> None:
    store.run_now(Tx.execute, "PRAGMA busy_timeout = 200")
    before = store.run_now(log.head)
    with held_by_another(store, 10), pytest.raises(StoreFault) as caught:
        store.run_now(reads_then_writes, [])

    assert caught.value.code == "S4"
    assert store.run_now(log.head) == before
    store.run_now(reads_then_writes, [])
    assert store.run_now(log.verify) is None
