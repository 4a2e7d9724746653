"""Money: taken once, for the whole amount, under a number without gaps; answered by the biller, given back once."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from stockroom import OPERATOR, Clock, Dice, Hub, bill, dump, kinds, new_store

from edge import bills, boards, events, log, retention
from edge.model import AccountNo, BillId, BillState, Fen, IllegalMove, Rejected
from edge.reserve import BALLAST
from edge.store import Store, Tx

pytestmark = pytest.mark.logs("a fact of the hub does not fit")

B1 = BillId("b1")
S = BillState


def state(store: Store, number: int = 1) -> BillState:
    return store.run_now(bills.load, BillId(f"b{number}")).state


def find_again(store: Store) -> object:
    return store.run_now(bills.find, "", AccountNo("110001"))


def accept(store: Store, number: int = 1, fen: int = 100) -> str:
    done, _ = store.run_now(bills.accept, BillId(f"b{number}"), Fen(fen), OPERATOR)
    assert done.slip is not None
    return done.slip


RULES: dict[str, Callable[[Tx], object]] = {
    "accept": lambda tx: bills.accept(tx, B1, Fen(100), OPERATOR),
    "posted": lambda tx: bills.posted(tx, events.BillPosted("b1", "000001", "S1")),
    "refused": lambda tx: bills.refused(tx, events.BillRefused("b1", "000001", "closed account")),
    "refunded": lambda tx: bills.refunded(tx, B1, OPERATOR),
    "issued": lambda tx: bills.issued(tx, bill(1, 999)),
}
ALLOWED = {
    ("accept", S.UNPAID): S.ACCEPTED,
    ("posted", S.ACCEPTED): S.POSTED,
    ("refused", S.ACCEPTED): S.REFUSED,
    ("refunded", S.REFUSED): S.REVERSED,
}


def bring(store: Store, hub: Hub, to: BillState) -> None:
    hub.tell(store, bill(1))
    if to is not S.UNPAID:
        accept(store)
    if to is S.POSTED:
        hub.tell(store, events.BillPosted("b1", "000001", "S1"))
    if to in {S.REFUSED, S.REVERSED}:
        hub.tell(store, events.BillRefused("b1", "000001", "closed account"))
    if to is S.REVERSED:
        store.run_now(bills.refunded, B1, OPERATOR)


@pytest.mark.parametrize("to", BillState)
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_in_every_state(store: Store, hub: Hub, rule: str, to: BillState) -> None:
    bring(store, hub, to)
    before = dump(store)
    store._strict = False  # facts of the hub are applied here without their cursor

    told = ALLOWED.get((rule, to))
    if told is not None:
        store.run_now(RULES[rule])
        assert state(store) is told
        return
    with contextlib.suppress(Rejected, IllegalMove):
        store.run_now(RULES[rule])
    assert dump(store) == before


def test_cash_is_taken_once(store: Store, hub: Hub) -> None:
    hub.tell(store, bill(1))
    slip = accept(store)
    before = dump(store)

    with pytest.raises(Rejected) as caught:
        accept(store)

    assert (caught.value.code, caught.value.facts) == ("already_accepted", {"slip": slip, "posted": 0})
    assert dump(store) == before
    assert kinds(store) == ["bill_accepted"]


@pytest.mark.parametrize("fen", [99, 101, 0, -100, 10_000])
def test_only_the_whole_amount_is_taken(store: Store, hub: Hub, fen: int) -> None:
    hub.tell(store, bill(1))

    with pytest.raises(Rejected) as caught:
        accept(store, 1, fen)

    assert (caught.value.code, caught.value.facts) == ("wrong_amount", {"fen": 100})
    assert (state(store), kinds(store)) == (S.UNPAID, [])


def test_slips_are_numbered_without_a_gap_across_refusals_and_bugs(store: Store, hub: Hub) -> None:
    hub.tell(store, *(bill(n) for n in range(1, 7)))
    slips = [accept(store, 1)]

    def then_a_bug(tx: Tx) -> None:
        bills.accept(tx, BillId("b6"), Fen(100), OPERATOR)
        raise RuntimeError("a bug after the slip was drawn")

    for number in (2, 3, 4):
        with pytest.raises(RuntimeError):
            store.run_now(then_a_bug)
        with pytest.raises(Rejected):
            accept(store, 1)
        slips.append(accept(store, number))
    store.close()
    store.open()
    slips.append(accept(store, 5))

    assert slips == [f"{n:06d}" for n in range(1, 6)]


def test_slips_are_numbered_without_a_gap_across_a_power_cut(store: Store, hub: Hub, tmp_path: Path) -> None:
    """The files as they lie there after each commit are what a cut leaves behind."""
    hub.tell(store, *(bill(n) for n in range(1, 5)))
    for number in range(1, 4):
        accept(store, number)
        cut = tmp_path / f"cut{number}"
        shutil.copytree(store.folder, cut)
        again = new_store(cut, Clock(), Dice(3))
        again.open()
        assert accept(again, 4) == f"{number + 1:06d}"
        assert again.run_now(log.verify) is None
        again.close()


def test_no_money_is_taken_on_the_reserve_but_it_can_be_given_back(store: Store, hub: Hub) -> None:
    bring(store, hub, S.REFUSED)
    hub.tell(store, bill(2))
    (store.folder / BALLAST).unlink()

    with pytest.raises(Rejected, match="disk_low"):
        accept(store, 2)
    store.run_now(bills.refunded, B1, OPERATOR)

    assert (state(store, 1), state(store, 2)) == (S.REVERSED, S.UNPAID)


def test_the_number_of_the_slip_follows_the_bill(store: Store, hub: Hub) -> None:
    bring(store, hub, S.POSTED)

    here = store.run_now(bills.load, B1)
    assert (here.slip, here.serial) == ("000001", "S1")
    assert store.run_now(boards.day).bills_unposted == 0


def test_a_refusal_puts_the_bill_on_the_refund_list_until_the_cash_is_back(store: Store, hub: Hub) -> None:
    bring(store, hub, S.REFUSED)
    assert [alarm.split()[0] for alarm in store.run_now(boards.alarms)] == ["refund"]
    assert store.run_now(boards.day).refunds == 1

    store.run_now(bills.refunded, B1, OPERATOR)

    assert store.run_now(boards.alarms) == ()
    assert kinds(store, 1) == ["bill_refunded"]
    with pytest.raises(Rejected, match="not_allowed"):
        store.run_now(bills.refunded, B1, OPERATOR)


def test_a_slip_that_nobody_saw_is_shown_until_somebody_does(store: Store, hub: Hub) -> None:
    hub.tell(store, bill(1), bill(2))
    accept(store, 1)
    accept(store, 2)
    assert [b.id for b in store.run_now(bills.unshown)] == ["b1", "b2"]

    store.run_now(bills.slip_shown, B1)

    assert [b.id for b in store.run_now(bills.unshown)] == ["b2"]
    assert kinds(store, 1) == ["slip_issued"]


def test_a_slip_of_an_unpaid_bill_is_never_shown(store: Store, hub: Hub) -> None:
    hub.tell(store, bill(1))

    with pytest.raises(AssertionError):
        store.run_now(bills.slip_shown, B1)


@pytest.mark.parametrize("again", [find_again, accept])
def test_whoever_asks_for_a_bill_that_was_not_booked_hears_of_the_money(
    store: Store, hub: Hub, again: Callable[[Store], object]
) -> None:
    """The biller refused it: nobody is told that it is paid, before the cash was given back or after."""
    hub.tell(store, bill(1))
    slip = accept(store)
    hub.tell(store, events.BillRefused("b1", slip, "closed"))

    with pytest.raises(Rejected) as caught:
        again(store)
    assert (caught.value.code, caught.value.facts["slip"]) == ("refund_due", slip)

    store.run_now(bills.refunded, B1, OPERATOR)
    with pytest.raises(Rejected) as caught:
        again(store)
    assert (caught.value.code, caught.value.facts["slip"]) == ("refunded", slip)


def test_money_that_is_owed_is_told_before_what_was_paid_since(store: Store, hub: Hub) -> None:
    hub.tell(store, bill(1), bill(2))
    owed, _ = accept(store), accept(store, 2)
    hub.tell(store, events.BillRefused("b1", owed, "closed"))

    with pytest.raises(Rejected) as caught:
        find_again(store)
    assert (caught.value.code, caught.value.facts["slip"]) == ("refund_due", owed)


def test_bills_are_found_by_account(store: Store, hub: Hub) -> None:
    hub.tell(store, bill(1), bill(2), bill(3, account="220002"))

    assert [b.id for b in store.run_now(bills.find, "water", AccountNo("110001"))] == ["b1", "b2"]
    assert [b.id for b in store.run_now(bills.find, "", AccountNo("220002"))] == ["b3"]
    for kind, account in (("gas", "110001"), ("water", "330003"), ("", ""), ("", "%")):
        with pytest.raises(Rejected, match="unknown_bill"):
            store.run_now(bills.find, kind, AccountNo(account))
    accept(store, 3)
    with pytest.raises(Rejected) as caught:
        store.run_now(bills.find, "", AccountNo("220002"))
    assert (caught.value.code, caught.value.facts["slip"]) == ("already_accepted", "000001")


def test_a_bill_whose_account_was_erased_is_not_found_by_an_empty_account(store: Store, hub: Hub) -> None:
    told = events.encode(bill(1), lambda: b"s" * 16)

    hub.tell(store, (told.kind, told.body))

    with pytest.raises(Rejected, match="unknown_bill"):
        store.run_now(bills.find, "", AccountNo(""))


def test_an_unknown_bill_is_refused_everywhere(store: Store) -> None:
    for rule in (lambda tx: bills.accept(tx, B1, Fen(1), OPERATOR), lambda tx: bills.refunded(tx, B1, OPERATOR)):
        with pytest.raises(Rejected, match="unknown_bill"):
            store.run_now(rule)


def test_payers_of_settled_bills_are_forgotten_and_the_ledger_stays(store: Store, hub: Hub) -> None:
    bring(store, hub, BillState.POSTED)
    day = store.run_now(Tx.value, "SELECT accepted_at FROM bill")

    assert store.run_now(retention.erase_settled_bills, day) == 0
    assert store.run_now(retention.erase_settled_bills, day + 1) == 1
    assert store.run_now(retention.erase_settled_bills, day + 1) == 0

    row = store.run_now(Tx.row, "SELECT name, address, account_no, fen, slip, serial FROM bill")
    assert row is not None
    assert (row["name"], row["address"], row["account_no"][:4]) == ("", None, "****")
    assert row["slip"] == "000001"
    assert row["serial"]
    assert row["fen"] > 0
