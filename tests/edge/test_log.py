"""The log: nothing in it can be changed unseen, people can be forgotten, cursors tell how far the hub has it."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stockroom import KEYS, SOAK, Hub, arrival, bill, dump, expected, kinds, stored

from edge import bills, events, inbox, log, parcels
from edge.chain import GENESIS, Item, Linked, Position, event_id, field_digest, link, walk
from edge.log import Broken
from edge.model import BillId, Fen, LogId, OperatorId, Phone, Seq
from edge.store import Store, Tx


class Undo(Exception):
    """Rolls a test's vandalism back."""


@pytest.fixture
def told(store: Store, hub: Hub) -> Store:
    """A log with fourteen facts, personal values and two boots among them."""
    stored(store, hub, 1)
    stored(store, hub, 2, "shelf")
    hub.tell(store, bill(1))
    store.run_now(bills.accept, BillId("b1"), Fen(100), OperatorId("op1"))
    store.run_now(parcels.arrive, parcels.Arrival(arrival(9).waybill_no, "SF", OperatorId("op1"), "auto",
                                                  Phone("13912345678"), parcels.Consent.LOCKER))  # fmt: skip
    store._clock.restart("b0070002")  # type: ignore[attr-defined]
    for screen in ("home", "电费", "x" * 3000):
        store.run_now(log.append, events.HelpCalled(screen))
    return store


def verdict_after(store: Store, sql: str, *values: object) -> Broken | None:
    """What `verify` says of a changed log. The change is rolled back afterwards."""
    said: list[Broken | None] = []

    def change(tx: Tx) -> None:
        tx.execute("PRAGMA defer_foreign_keys = ON")
        if tx.execute(sql, values).rowcount < 1:
            raise AssertionError(f"nothing was changed by {sql}")
        said.append(log.verify(tx))
        raise Undo

    with pytest.raises(Undo):
        store.run_now(change)
    return said[0]


def test_an_untouched_log_verifies(told: Store) -> None:
    assert told.run_now(log.verify) is None
    assert told.run_now(log.verify, 3) is None
    assert len(kinds(told)) >= 10


def test_the_chain_is_the_keyed_hash_of_everything_before(told: Store) -> None:
    items = [item for item, _ in told.run_now(lambda tx: list(log.items(tx)))]
    marks = [mark for _, mark in told.run_now(lambda tx: list(log.items(tx)))]

    assert walk(KEYS.link, GENESIS, items) == marks
    assert walk(b"another key" * 3, GENESIS, items) != marks
    assert len({event_id(mark) for mark in marks}) == len(marks)


@given(salt=st.binary(max_size=80), value=st.text())
def test_a_digest_is_the_hmac_of_the_standard_library(salt: bytes, value: str) -> None:
    assert field_digest(salt, value) == hmac.digest(salt, value.encode(), "sha256").hex()[:32]


def undone(tx: Tx) -> None:
    with tx.attempt():
        log.append(tx, events.HelpCalled("undone"))
        raise Undo


@pytest.mark.parametrize("before", [0, 1])
def test_a_fact_after_a_part_that_failed_follows_the_last_one_kept(told: Store, before: int) -> None:
    def work(tx: Tx) -> None:
        for _ in range(before):
            log.append(tx, events.HelpCalled("kept"))
        with pytest.raises(Undo):
            undone(tx)
        log.append(tx, events.HelpCalled("after"))

    told.run_now(work)

    assert told.run_now(log.verify) is None
    assert told.run_now(Tx.value, "SELECT count(*) FROM fact WHERE body LIKE '%undone%'") == 0


COLUMNS = {
    "seq": "seq + 1000",
    "kind": "kind || '2'",
    "body": "replace(body, '\"', '''')",
    "at": "at + 1",
    "boot": "'b0070003'",
    "ms": "ms - 1",
    "synced": "1 - synced",
    "hash": "replace(hash, substr(hash, 7, 1), 'g')",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_in_any_column_of_any_row_is_found(told: Store, column: str) -> None:
    for seq in range(1, len(kinds(told)) + 1):
        broken = verdict_after(told, f"UPDATE fact SET {column} = {COLUMNS[column]} WHERE seq = ?", seq)

        assert broken is not None
        assert broken.seq == seq


@settings(suppress_health_check=list(HealthCheck))
@given(picked=st.data())
def test_any_other_value_in_any_column_is_found(told: Store, picked: st.DataObject) -> None:
    column = picked.draw(st.sampled_from(sorted(COLUMNS)))
    seq = picked.draw(st.integers(1, len(kinds(told))))
    old = told.run_now(Tx.value, f"SELECT {column} FROM fact WHERE seq = ?", (seq,))
    number, text = st.integers(-(2**63), 2**63 - 1), st.text(st.characters(codec="utf-8"), max_size=80)
    new = picked.draw(st.one_of(number, st.integers(0, 3)) if isinstance(old, int) else text)
    if column == "seq":
        new = len(kinds(told)) + abs(new) % 2**40 + 1

    broken = verdict_after(told, f"UPDATE fact SET {column} = ? WHERE seq = ?", new, seq) if new != old else "same"

    assert broken is not None


def test_a_missing_row_is_found_anywhere_but_behind_what_the_hub_has(told: Store) -> None:
    last = len(kinds(told))
    for seq in range(1, last):
        assert verdict_after(told, "DELETE FROM fact WHERE seq = ?", seq) == Broken(Seq(seq), "missing")


def test_a_cut_tail_that_the_hub_already_has_is_found(told: Store) -> None:
    told.run_now(log.confirm, told.run_now(log.head))
    last = len(kinds(told))

    broken = verdict_after(told, "DELETE FROM fact WHERE seq > ?", last - 2)

    assert broken == Broken(Seq(last - 1), "missing")


def test_a_swapped_pair_of_rows_is_found(told: Store) -> None:
    sql = "UPDATE fact SET body = (SELECT f.body FROM fact f WHERE f.seq = 5 - fact.seq) WHERE seq IN (2, 3)"

    assert verdict_after(told, sql) == Broken(Seq(2), "hash")


def test_a_personal_value_cannot_be_changed_unseen(told: Store) -> None:
    held = told.run_now(Tx.rows, "SELECT seq, field FROM personal")
    assert len(held) >= 5
    for row in held:
        for column, new in (
            ("value", "'13800000000'"),
            ("salt", "'00112233445566778899aabbccddeeff'"),
            ("salt", "'zz'"),
        ):
            broken = verdict_after(
                told, f"UPDATE personal SET {column} = {new} WHERE seq = ? AND field = ?", row["seq"], row["field"]
            )
            assert broken == Broken(row["seq"], "personal")


def test_a_personal_value_cannot_be_moved_to_another_fact(told: Store) -> None:
    row = told.run_now(Tx.row, "SELECT seq, field FROM personal WHERE field = 'token' ORDER BY seq LIMIT 1")
    assert row is not None

    assert (
        verdict_after(told, "UPDATE personal SET field = 'code2' WHERE seq = ? AND field = 'token'", row["seq"])
        is not None
    )


def test_people_can_be_forgotten_and_the_chain_still_holds(told: Store) -> None:
    seqs = sorted({row["seq"] for row in told.run_now(Tx.rows, "SELECT seq FROM personal")})

    def forget(tx: Tx) -> int:
        log.append(tx, events.PersonalErased(1, "retention"))
        return sum(log.erase(tx, seq) for seq in seqs[1:]) + log.erase(tx, seqs[0], "code")

    assert told.run_now(forget) >= 4

    assert told.run_now(log.verify) is None
    left = told.run_now(Tx.rows, "SELECT seq, field FROM personal")
    assert left == [{"seq": seqs[0], "field": "token"}]
    for item in told.run_now(log.read_after, Seq(0), 100, 10**6):
        events.decode(events.Encoded(item.kind, item.body, item.personal))


def test_an_erased_value_is_not_in_the_file_any_more(told: Store) -> None:
    def forget(tx: Tx) -> None:
        log.append(tx, events.PersonalErased(1, "retention"))
        tx.execute("DELETE FROM personal")
        tx.execute("UPDATE parcel SET phone = NULL")

    told.run_now(forget)
    told.close()

    assert b"13912345678" not in told.path.read_bytes()
    told.open()


# --- reading ------------------------------------------------------------------------------------------------------


def test_reading_keeps_its_limits_and_always_yields_one(told: Store) -> None:
    last = len(kinds(told))

    def seqs(after: int, limit: int, size: int) -> list[int]:
        return [item.seq for item in told.run_now(log.read_after, Seq(after), limit, size)]

    assert seqs(0, 3, 10**6) == [1, 2, 3]
    assert seqs(0, 100, 10**6) == list(range(1, last + 1))
    assert seqs(0, 100, 0) == [1]
    assert seqs(last - 1, 100, 10) == [last]  # the large one travels alone
    assert seqs(last - 3, 100, 1000) == [last - 2, last - 1]
    assert seqs(last, 100, 10**6) == []


def test_what_is_read_carries_its_personal_values(told: Store) -> None:
    whole = told.run_now(log.read_after, Seq(0), 100, 10**6)
    fact = next(item for item in whole if item.kind.startswith("parcel_deposited"))

    again = events.decode(events.Encoded(fact.kind, fact.body, fact.personal))

    assert isinstance(again, events.ParcelDeposited)
    assert again.code is not None
    assert again.code.plain() == told.run_now(Tx.value, "SELECT code FROM parcel WHERE id = 'p1'")


# --- cursors ------------------------------------------------------------------------------------------------------


def position(store: Store, seq: int) -> Position:
    head = store.run_now(log.head)
    mark = store.run_now(log.mark_at, Seq(seq))
    assert mark is not None
    return Position(head.log_id, Seq(seq), mark)


def test_the_cursor_moves_forward_and_back(told: Store) -> None:
    total = len(kinds(told))
    assert told.run_now(log.pending) == total

    for seq in (4, total, 2, 0, total):
        told.run_now(log.confirm, position(told, seq))
        assert told.run_now(log.pending) == total - seq
    assert told.run_now(log.confirmed_at) is not None


@pytest.mark.parametrize("wrong", ["mark", "beyond", "log"])
def test_a_position_that_is_not_ours_is_never_confirmed(told: Store, wrong: str) -> None:
    right = position(told, 3)
    bad = {
        "mark": Position(right.log_id, Seq(3), "f" * 64),
        "beyond": Position(right.log_id, Seq(9999), right.mark),
        "log": Position(LogId("somebody else"), Seq(3), right.mark),
    }[wrong]
    before = dump(told)

    with pytest.raises(AssertionError):
        told.run_now(log.confirm, bad)

    assert dump(told) == before


def test_a_fork_names_the_log_anew_and_goes_on_from_the_cursor(told: Store) -> None:
    told.run_now(log.confirm, position(told, 4))
    old = told.run_now(log.head)

    base = told.run_now(log.fork, Position(old.log_id, Seq(7), "a" * 64))

    head = told.run_now(log.head)
    assert base == Position(head.log_id, Seq(4), position(told, 4).mark)
    assert head.log_id != old.log_id
    assert head.upto == old.upto + 1
    last = told.run_now(log.read_after, Seq(head.upto - 1), 1, 1000)[0]
    forked = events.decode(events.Encoded(last.kind, last.body, {}))
    assert forked == events.LogForked(old.log_id, head.log_id, 7)
    assert told.run_now(log.verify) is None
    assert told.run_now(Tx.value, "SELECT count(*) FROM alarm WHERE code = 'fork'") == 1


def test_a_log_is_begun_once(store: Store) -> None:
    name = store.run_now(log.head).log_id

    store.run_now(log.begin)

    assert store.run_now(log.head).log_id == name


# --- facts of the hub ---------------------------------------------------------------------------------------------


def count(store: Store, sql: str) -> int:
    return int(store.run_now(Tx.value, sql))


def test_facts_of_the_hub_are_applied_once(store: Store, hub: Hub) -> None:
    items, marks = hub.items([expected(1), expected(2), bill(1)])
    applied: list[str] = []

    def apply(tx: Tx, fact: events.Fact) -> None:
        applied.append(fact.kind)
        inbox.apply(tx, fact)

    for upto in (2, 3, 3, 1):
        at = store.run_now(log.apply_down, LogId(hub.name), items[:upto], marks[:upto], apply)

    assert applied == ["parcel_expected.1", "parcel_expected.1", "bill_issued.1"]
    assert at == Position(LogId(hub.name), Seq(3), marks[2])
    assert store.run_now(log.cursor, log.DOWN) == at


def test_a_fact_of_the_hub_that_came_ahead_is_applied_once_and_moves_no_position(store: Store, hub: Hub) -> None:
    items, marks = hub.items([expected(1), expected(2), bill(1)])
    ahead = Linked(marks[1], items[2], marks[2])
    applied: list[str] = []

    def apply(tx: Tx, fact: events.Fact) -> None:
        applied.append(fact.kind)
        inbox.apply(tx, fact)

    before = store.run_now(log.cursor, log.DOWN)
    for _ in range(2):
        store.run_now(log.apply_advance, ahead, apply)
    assert store.run_now(log.cursor, log.DOWN) == before
    assert applied == ["bill_issued.1"]
    store.run_now(log.apply_down, LogId(hub.name), items, marks, apply)
    store.run_now(log.apply_advance, ahead, apply)

    assert applied == ["bill_issued.1", "parcel_expected.1", "parcel_expected.1"]
    assert store.run_now(log.cursor, log.DOWN) == Position(LogId(hub.name), Seq(3), marks[2])


def test_the_newest_facts_of_some_kinds_come_with_both_hashes(store: Store) -> None:
    for number in range(1, 40):
        store.run_now(log.append, events.DoorForced(number, "Z") if number % 4 == 0 else events.DoorOpened("o", number))

    found = store.run_now(log.newest_of, ["door_forced.1"], Seq(8), 3)
    every = store.run_now(log.newest_of, ["door_forced.1", "door_opened.1"], Seq(0), 100)

    assert [each.item.seq for each in found] == [28, 32, 36]
    assert [each.item.seq for each in every] == list(range(1, 40))
    assert every[0].prev == GENESIS
    for each in (*found, *every):
        assert walk(KEYS.link, each.prev, [each.item]) == [each.mark]


def test_a_gap_in_the_facts_of_the_hub_applies_nothing(store: Store, hub: Hub) -> None:
    items, marks = hub.items([expected(n) for n in range(1, 6)])
    store.run_now(log.apply_down, LogId(hub.name), items[:1], marks[:1], inbox.apply)
    before = dump(store)

    with pytest.raises(AssertionError, match="gap"):
        store.run_now(log.apply_down, LogId(hub.name), items[2:], marks[2:], inbox.apply)
    with pytest.raises(ValueError, match="zip"):
        store.run_now(log.apply_down, LogId(hub.name), items[1:], marks[2:], inbox.apply)
    with pytest.raises(AssertionError, match="gap"):
        store.run_now(log.apply_down, LogId("another hub log"), items[2:], marks[2:], inbox.apply)

    assert dump(store) == before


def test_a_renamed_log_of_the_hub_repeats_nothing(store: Store, hub: Hub) -> None:
    items, marks = hub.items([expected(1), bill(1)])
    store.run_now(log.apply_down, LogId(hub.name), items, marks, inbox.apply)
    store.run_now(bills.accept, BillId("b1"), Fen(100), OperatorId("op1"))
    before = dump(store)

    at = store.run_now(log.apply_down, LogId("restored hub"), items, marks, inbox.apply)

    assert at.log_id == "restored hub"
    after = dump(store)
    assert {t: r for t, r in before.items() if t != "cursor"} == {t: r for t, r in after.items() if t != "cursor"}


def test_a_failing_rule_applies_nothing_of_its_batch(store: Store, hub: Hub) -> None:
    items, marks = hub.items([expected(1), expected(2)])
    before = dump(store)

    def broken(tx: Tx, fact: events.Fact) -> None:
        inbox.apply(tx, fact)
        if getattr(fact, "parcel", "") == "p2":
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        store.run_now(log.apply_down, LogId(hub.name), items, marks, broken)

    assert dump(store) == before


@pytest.mark.timeout(600)
def test_a_manifest_of_very_many_rows_is_taken_in_batches_with_level_memory(store: Store, hub: Hub) -> None:
    import tracemalloc

    rows = 100_000 if SOAK else 10_000
    peaks = []
    tracemalloc.start()
    for start in range(1, rows, 200):
        tracemalloc.reset_peak()
        hub.tell(store, *(expected(n) for n in range(start, start + 200)))
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()

    assert count(store, "SELECT count(*) FROM parcel") == rows
    assert peaks[-1] < peaks[2] + 2_000_000
    assert store.run_now(log.cursor, log.DOWN).upto == rows


# --- the seeded bug -----------------------------------------------------------------------------------------------


def test_the_proof_bites_a_chain_without_the_body(told: Store) -> None:
    """With a link that forgot the body, a changed body would verify: the test above could not have failed for show."""
    items = [item for item, _ in told.run_now(lambda tx: list(log.items(tx)))]
    changed = [*items[:3], Item(items[3].seq, items[3].kind, "{}", items[3].stamp), *items[4:]]

    def forgetful(entries: list[Item]) -> list[str]:
        return walk(KEYS.link, GENESIS, [Item(i.seq, i.kind, "", i.stamp) for i in entries])

    assert forgetful(items) == forgetful(changed)
    assert walk(KEYS.link, GENESIS, items)[3] != link(KEYS.link, walk(KEYS.link, GENESIS, items)[2], changed[3])
