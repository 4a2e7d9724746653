"""The pages of printer, price display and scale as lists: what was touched, what came back, what was asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from screen_samples import BILLS, PRINTED, SLIP, TAKEN, TICKET, frame

from edge import steps as s
from edge.model import Fen
from ui.viewmodels import Frame, amounts, on_step, press, scan
from ui.viewmodels import staff_states as staff
from ui.viewmodels import states as v
from ui.viewmodels.weigh import WeighGoods

CONFIRM = frame(v.BillConfirm(BILLS[0], BILLS))
PAGE = frame(WeighGoods())
TOTAL, RECEIVED = s.ShowAmount(BILLS[0].fen, "total"), s.ShowAmount(SLIP.bill.fen, "received")
BLANK = s.ShowAmount(Fen(0), "")


def touched(view: Frame, *names: str) -> tuple[Frame, list[s.Intent]]:
    asked: list[s.Intent] = []
    for name in names:
        view, intents = press(view, f"{view.state.screen}.{name}")
        asked += intents
    return view, asked


def goods(view: Frame) -> WeighGoods:
    assert isinstance(view.state, WeighGoods)
    return view.state


# --- the price display follows the page ---------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after", "told"), [
    (v.BillList(BILLS), CONFIRM.state, (TOTAL,)),
    (CONFIRM.state, v.BillCash(BILLS[0], BILLS), ()),
    (v.BillCash(BILLS[0], BILLS), v.BillCash(BILLS[0], BILLS, "12"), ()),
    (v.BillCash(BILLS[0], BILLS), v.Slip(SLIP), (RECEIVED,)),
    (v.Slip(SLIP), v.Slip(SLIP, "done"), ()),
    (v.Slip(SLIP), v.Home(), (BLANK,)),
    (CONFIRM.state, v.BillList(BILLS), (BLANK,)),
    (CONFIRM.state, v.Broken("E1"), (BLANK,)),
    (CONFIRM.state, v.BillConfirm(BILLS[1], BILLS), (s.ShowAmount(BILLS[1].fen, "total"),)),
    (v.Home(), v.Standby(), ()),
    (WeighGoods(), WeighGoods(ticket=TICKET), ()),
    (WeighGoods(ticket=TICKET), staff.Board(), (BLANK,)),
    (WeighGoods(ticket=TICKET), WeighGoods(), (BLANK,)),
])  # fmt: skip
def test_the_price_display_is_told_when_the_amount_changes(
    before: v.State, after: v.State, told: tuple[s.Intent, ...]
) -> None:
    assert amounts(frame(before), frame(after)) == told


# --- slips --------------------------------------------------------------------------------------------------------


def test_the_slip_page_follows_its_own_print_only() -> None:
    view, _ = on_step(frame(v.BillCash(BILLS[0], BILLS, busy=True)), replace(SLIP, printed="printing"))

    other, _ = on_step(view, s.Printing("000777", "paper", 0))
    mine, _ = on_step(view, s.Printing(SLIP.slip, "paper", 0))

    assert other.state == v.Slip(replace(SLIP, printed="printing"), "printing")
    assert mine.state == v.Slip(replace(SLIP, printed="printing"), "paper")


@pytest.mark.parametrize("printed", ["", *PRINTED])
def test_print_again_is_offered_unless_it_prints_or_has_printed(printed: str) -> None:
    view, asked = touched(frame(v.Slip(SLIP, printed)), "print")

    offered = printed not in ("", "printing", "done", "limit")
    assert asked == ([s.PrintAgain(SLIP.slip)] if offered else [])
    assert view.state == v.Slip(SLIP, "printing" if offered else printed)


@pytest.mark.parametrize(("code", "printed"), [("login_first", "limit"), ("busy", "printing"), ("no_printer", "away")])
def test_a_refused_print_keeps_the_slip_on_the_page(code: str, printed: str) -> None:
    view, _ = on_step(frame(v.Slip(SLIP, "printing")), s.Refusal(code))

    assert view.state == v.Slip(SLIP, printed)


@pytest.mark.parametrize("code", ["login_first", "unreadable", "secret_code", "wrong_code"])
@pytest.mark.parametrize("printed", [p for p in ("", *PRINTED) if p != "printing"])
def test_a_code_read_at_the_slip_says_nothing_about_its_paper(printed: str, code: str) -> None:
    """The gun reads a parcel that lies there: the payer can still have the slip printed."""
    page = frame(v.Slip(SLIP, printed))

    view, _ = on_step(scan(page, "SF1300000000001")[0], s.Refusal(code))

    assert view.state == page.state


def test_a_code_read_while_a_slip_prints_calls_no_printer_away() -> None:
    view, _ = on_step(frame(v.Slip(SLIP, "printing")), s.Refusal("unreadable"))

    assert view.state == v.Slip(SLIP, "printing")


def test_a_print_that_ends_after_the_payer_left_shows_nobody_anything() -> None:
    for state in (v.Home(), v.Standby(), v.CodeEntry("12"), staff.Board()):
        assert on_step(frame(state), s.Printing("000001", "paper", 0)) == (frame(state), ())


def test_the_operator_prints_from_the_bills_taken_and_is_told() -> None:
    board = frame(staff.Money(s.BillsBoard(TAKEN, Fen(1), Fen(1)), page=1))

    view, asked = touched(board, "print_1")
    told, _ = on_step(view, s.Printing("JX01-000129", "cover", 1))

    assert asked == [s.PrintAgain("JX01-000129")]
    assert told.notice is not None
    assert (told.notice.key, told.notice.bad) == ("told_print.cover", True)


# --- the scale ----------------------------------------------------------------------------------------------------


def test_a_price_is_typed_in_fen_and_goes_along() -> None:
    view, asked = touched(PAGE, "0", "8", "6", "0", "weigh")

    assert goods(view).price == "860"
    assert asked == [s.Weigh(Fen(860), again=False)]
    assert goods(view).busy


def test_five_digits_are_enough_and_can_be_erased() -> None:
    view, _ = touched(PAGE, *"123456")
    assert goods(view).price == "12345"
    view, _ = touched(view, "erase")
    assert goods(view).price == "1234"
    view, asked = touched(view, "clear", "weigh")
    assert asked == [s.Weigh(None, again=False)]


def test_another_price_for_the_same_goods_weighs_them_again() -> None:
    done = frame(WeighGoods(price="860", ticket=TICKET, last=TICKET))

    assert touched(done, "weigh")[1] == [s.Weigh(Fen(860), again=False)]
    assert touched(done, "erase", "weigh")[1] == [s.Weigh(Fen(86), again=True)]
    assert touched(done, "again")[1] == [s.Weigh(Fen(860), again=True)]


def test_while_it_weighs_nothing_but_leaving_does_anything() -> None:
    busy = frame(WeighGoods(busy=True))

    for name in ("weigh", "again", "tare", "print", "5"):
        assert touched(busy, name)[1] == []
    assert isinstance(touched(busy, "back")[0].state, staff.Board)


def test_a_weighing_shows_its_ticket_and_an_empty_pan_takes_it_away() -> None:
    view, _ = on_step(frame(WeighGoods(busy=True)), s.Weighed(TICKET))
    assert (goods(view).ticket, goods(view).last, goods(view).busy) == (TICKET, TICKET, False)

    same, _ = on_step(view, s.NotWeighed("same_load"))
    gone, _ = on_step(view, s.NotWeighed("empty"))

    assert goods(same).ticket == TICKET
    assert (goods(gone).ticket, goods(gone).last, goods(gone).why) == (None, TICKET, "empty")


def test_the_last_ticket_can_be_printed_when_the_page_opens() -> None:
    view, _ = on_step(PAGE, s.WeighBoard(TICKET, 350))

    view, asked = touched(view, "print")
    view, _ = on_step(view, s.Printing(TICKET.ticket, "done", 1))

    assert asked == [s.PrintAgain(TICKET.ticket)]
    assert (goods(view).printed, goods(view).tare_g) == ("done", 350)


def test_a_refusal_frees_the_page_and_says_why() -> None:
    view, _ = on_step(frame(WeighGoods(busy=True)), s.Refusal("no_scale"))

    assert not goods(view).busy
    assert view.notice is not None
    assert view.notice.key == "refused.no_scale"


def test_a_tare_is_told_and_takes_the_old_weight_away() -> None:
    view, _ = on_step(frame(WeighGoods(ticket=TICKET, busy=True)), s.TareSet(350))

    assert (goods(view).ticket, goods(view).tare_g, goods(view).busy) == (None, 350, False)
    assert view.notice is not None
    assert view.notice.slots == (("kg", "0.350"),)


def test_steps_of_the_scale_find_no_other_page() -> None:
    for step in (s.Weighed(TICKET), s.NotWeighed("empty"), s.Weighing(), s.TareSet(5), s.WeighBoard(TICKET, 0)):
        assert on_step(frame(staff.Board()), step)[0] == frame(staff.Board())


@pytest.mark.parametrize(("page", "told"), [
    (v.Standby(), BLANK), (staff.Board(), BLANK), (CONFIRM.state, TOTAL), (v.Slip(SLIP), RECEIVED),
])  # fmt: skip
def test_a_weighing_that_ends_after_its_page_was_left_is_taken_off_the_price_display(
    page: v.State, told: s.Intent
) -> None:
    view, asked = on_step(frame(page), s.Weighed(TICKET))

    assert view.state == page
    assert asked == (told,)
