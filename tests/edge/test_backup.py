"""Backups: made beside a writer, checked, kept by threes, and put back to a state that verifies."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from disks import small_disk, spoil
from stockroom import OPERATOR, SOAK, Clock, Dice, Hub, bill, dump, kinds, new_store, stored

from edge import backup, bills, events, log, weighings
from edge.model import BillId, Fen
from edge.store import FILE, Store, StoreFault, take_lock
from edge.weighings import Load

pytestmark = pytest.mark.logs("no reserve", "checkpoint at close failed")

ROUNDS = 40 if SOAK else 3


def call(store: Store, times: int = 1) -> None:
    for _ in range(times):
        store.run_now(log.append, events.HelpCalled("home"))


def books(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row but the numbers of the last slip and ticket."""
    rows = dump(store)
    return rows | {"meta": [row for row in rows["meta"] if row[0] not in ("slip", "ticket")]}


def paid(store: Store, number: int) -> tuple[str, str]:
    """Take a bill's cash and weigh something; return the numbers of both papers."""
    taken, _ = store.run_now(bills.accept, BillId(f"b{number}"), Fen(100), OPERATOR)
    ticket = store.run_now(weighings.weighed, Load(500), None, OPERATOR)
    return str(taken.slip), ticket.ticket


def opened(folder: Path) -> Store:
    store = new_store(folder, Clock(), Dice(5))
    store.open()
    return store


def test_a_backup_restores_to_the_very_same_rows(store: Store, hub: Hub) -> None:
    stored(store, hub, 1)
    before = books(store)
    made = backup.make(store.folder)
    call(store, 5)
    store.close()

    aside = backup.restore(store.folder, made.path)

    assert aside == store.folder / f"{FILE}.damaged-1"
    again = opened(store.folder)
    assert books(again) == before
    assert again.run_now(log.verify) is None
    again.close()


@pytest.mark.parametrize("before", [0, 1, 7])
def test_no_slip_or_ticket_number_is_given_twice_because_a_backup_was_put_back(
    store: Store, hub: Hub, before: int
) -> None:
    """The papers given out since are in people's hands; the hub would take a second payment for the first."""
    hub.tell(store, *(bill(number) for number in range(1, 20)))
    given = [paid(store, number) for number in range(1, before + 1)]
    made = backup.make(store.folder)
    given += [paid(store, number) for number in range(before + 1, before + 6)]
    store.close()
    backup.restore(store.folder, made.path)

    again = opened(store.folder)
    given += [paid(again, number) for number in range(before + 1, before + 6)]
    again.close()

    assert len(given) == before + 10
    assert len({number for pair in given for number in pair}) == 2 * len(given)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_backup_beside_a_flat_out_writer_ends_and_verifies(store: Store, hub: Hub, number: int) -> None:
    stored(store, hub, 1)
    for _ in range(40):  # more pages than one step of the backup interface would copy
        store.run_now(log.append, events.HelpCalled("x" * 20_000))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            call(store)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = backup.make(store.folder)
    finally:
        stop.set()
        writer.join()
    told = store.run_now(log.mark_at, made.upto)  # type: ignore[arg-type]
    store.close()
    backup.restore(store.folder, made.path)

    again = opened(store.folder)
    head = again.run_now(log.head)
    assert (head.upto, head.mark) == (made.upto, told)
    assert again.run_now(log.verify) is None
    again.close()


def test_the_newest_three_are_kept(store: Store) -> None:
    made = []
    for _ in range(5):
        call(store)
        made.append(backup.make(store.folder))

    assert backup.copies(store.folder) == made[:-4:-1]
    assert [copy.upto for copy in backup.copies(store.folder)] == [5, 4, 3]
    assert {p.name for p in (store.folder / "backup").iterdir()} == {copy.path.name for copy in made[2:]}


def test_after_a_restore_new_backups_come_before_those_of_the_lost_history(store: Store) -> None:
    call(store)
    old = backup.make(store.folder)
    call(store, 50)
    for _ in range(2):
        backup.make(store.folder)
    store.close()
    backup.restore(store.folder, old.path)
    again = opened(store.folder)
    call(again)

    newest = backup.make(again.folder)

    assert newest.path.exists()
    assert backup.copies(again.folder)[0] == newest
    assert newest.upto == 2
    again.close()


def test_a_backup_is_for_its_owner_alone(store: Store) -> None:
    made = backup.make(store.folder)

    assert made.path.stat().st_mode & 0o077 == 0
    assert made.path.parent.stat().st_mode & 0o077 == 0


def test_the_fact_of_a_backup_names_its_last_fact(store: Store) -> None:
    call(store, 3)
    made = backup.make(store.folder)

    store.run_now(backup.note, made)

    body = store.run_now(log.read_after, 3, 1, 1000)[0].body  # type: ignore[arg-type]
    assert body == f'{{"mark":"{store.run_now(log.mark_at, 3)}","upto":3}}'  # type: ignore[arg-type]


@pytest.mark.parametrize("left", ["new.tmp", "new.tmp-journal"])
def test_what_a_cut_left_behind_is_no_backup_and_in_nobodys_way(store: Store, left: str) -> None:
    (store.folder / "backup").mkdir()
    (store.folder / "backup" / left).write_bytes(b"half a copy")
    assert backup.copies(store.folder) == []

    made = backup.make(store.folder)

    assert backup.copies(store.folder) == [made]


@pytest.mark.parametrize("step", ["copied", "set aside", "renamed"])
def test_a_cut_in_the_middle_of_a_restore_is_seen_and_can_be_repeated(store: Store, step: str) -> None:
    call(store, 3)
    made = backup.make(store.folder)
    before = books(store)
    store.close()
    if step != "renamed":
        shutil.copy(made.path, store.folder / "restored.tmp")
    if step == "set aside":
        store.path.rename(store.path.with_name(f"{FILE}.damaged-1"))
        with pytest.raises(StoreFault) as caught:
            new_store(store.folder, Clock(), Dice()).open()
        assert (caught.value.code, caught.value.backup) == ("S1", made.path)

    backup.restore(store.folder, made.path)

    again = opened(store.folder)
    assert books(again) == before
    assert not (store.folder / "restored.tmp").exists()
    again.close()


def test_a_damaged_backup_is_refused_and_the_database_stays(store: Store) -> None:
    call(store, 100)
    made = backup.make(store.folder)
    spoil(made.path, 8)
    store.close()
    body = store.path.read_bytes()

    with pytest.raises(StoreFault) as caught:
        backup.restore(store.folder, made.path)

    assert caught.value.code == "S1"
    assert store.path.read_bytes() == body


def test_a_backup_that_is_not_there_or_no_database_is_refused(store: Store) -> None:
    stray = store.folder / "notes.txt"
    stray.write_text("not a database")
    for path in (stray, store.folder / "nothing.db"):
        with pytest.raises(StoreFault):
            backup.restore(store.folder, path)


def test_two_backups_at_a_time_are_refused(store: Store) -> None:
    backup.make(store.folder)
    other = os.open(store.folder / "backup", os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)

    with pytest.raises(StoreFault) as caught:
        backup.make(store.folder)

    assert caught.value.code == "S4"
    os.close(other)
    assert backup.make(store.folder).number == 2


def test_a_folder_with_odd_signs_in_its_name_is_backed_up_too(tmp_path: Path, clock: Clock, dice: Dice) -> None:
    odd = new_store(tmp_path / "a#b?c%41 d", clock, dice)
    odd.open()
    odd.run_now(log.begin)
    call(odd)

    made = backup.make(odd.folder)

    assert made.upto == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a#b?c%41 d"]
    odd.close()


def test_a_backup_without_room_is_a_store_fault_and_leaves_nothing(tmp_path: Path, clock: Clock, dice: Dice) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        small = new_store(disk, clock, dice)
        small.open()
        small.run_now(log.begin)
        for _ in range(60):
            small.run_now(log.append, events.HelpCalled("x" * 40_000))

        with pytest.raises(StoreFault) as caught:
            backup.make(disk)

        assert caught.value.code == "S2"
        assert list((disk / "backup").iterdir()) == []
        small.close()


def test_a_restore_without_room_leaves_the_old_file_in_its_place(store: Store, tmp_path: Path) -> None:
    for _ in range(60):
        store.run_now(log.append, events.HelpCalled("x" * 40_000))
    made = backup.make(store.folder)
    with small_disk(tmp_path / "disk", "1m") as disk:
        (disk / FILE).write_bytes(b"what was there")

        with pytest.raises(StoreFault) as caught:
            backup.restore(disk, made.path)

        assert caught.value.code == "S2"
        assert [p.name for p in disk.iterdir()] == [FILE]


def test_a_backup_folder_that_cannot_be_made_is_a_store_fault(store: Store) -> None:
    (store.folder / "backup").write_text("in the way")

    with pytest.raises(StoreFault) as caught:
        backup.make(store.folder)

    assert caught.value.code == "S3"


def test_a_backup_is_one_moment_not_two(store: Store, hub: Hub) -> None:
    """State and log in the copy belong together: as many parcels as the log tells of."""
    stop = threading.Event()

    def write() -> None:
        for number in range(1, 200):
            if stop.is_set():
                return
            store.run_now(cut_in_two, number)

    def cut_in_two(tx: log.Tx, number: int) -> None:
        log.append(tx, events.HelpCalled("one"))
        tx.execute("INSERT OR REPLACE INTO meta VALUES ('twin', ?)", (str(number),))

    writer = threading.Thread(target=write)
    writer.start()
    made = [backup.make(store.folder) for _ in range(3)]
    stop.set()
    writer.join()

    for copy in made:
        db = sqlite3.connect(copy.path)
        twin = db.execute("SELECT value FROM meta WHERE key = 'twin'").fetchone()
        db.close()
        assert int(twin[0]) == copy.upto if twin else copy.upto == 0


def test_the_lock_of_the_folder_is_not_needed_for_a_backup(store: Store) -> None:
    with pytest.raises(StoreFault):
        take_lock(store.folder)

    assert backup.make(store.folder).upto == len(kinds(store))


def test_restoring_over_and_over_loses_no_old_file(store: Store) -> None:
    call(store)
    made = backup.make(store.folder)
    store.close()

    names = [backup.restore(store.folder, made.path) for _ in range(3)]

    assert [name.name for name in names if name] == [f"{FILE}.damaged-{n}" for n in (1, 2, 3)]
