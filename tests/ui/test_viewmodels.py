"""Journeys through the screens as lists: what was touched, what came back, what the flows were asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from screen_samples import BILLS, DAY, FOUND, PARCELS, SLIP, STORED, TAKEN, bill, frame, in_cell, parcel, samples

from edge import steps as s
from edge.model import BillId, CellNo, Fen, Name, OperatorId, ParcelId, Phone, Role
from ui.settings import IdleTimes
from ui.viewmodels import Face, Frame, on_step, press, scan, start, tick
from ui.viewmodels import staff_states as staff
from ui.viewmodels import states as v


def play(view: Frame, *events: str | s.Step) -> tuple[Frame, list[s.Intent]]:
    """Buttons (without their screen) and steps, one after another; all intents in order."""
    asked: list[s.Intent] = []
    for event in events:
        if isinstance(event, str):
            view, intents = press(view, event if "." in event else f"{view.state.screen}.{event}")
        else:
            view, intents = on_step(view, event)
        asked += intents
    return view, asked


def logged_in(role: Role = Role.OPERATOR) -> Frame:
    view, _ = on_step(start(Face()).to(staff.Login(busy=True)), s.LoggedIn(OperatorId("O1"), role))
    return view


def test_pick_up_by_code_submits_by_itself_and_forgets_the_digits() -> None:
    view, asked = play(start(Face()), "start", "pickup", *"123456", *"5678")

    assert [type(one) for one in asked] == [s.PickUp]
    assert isinstance(asked[0], s.PickUp)
    assert (asked[0].code.plain(), asked[0].last4) == ("123456", "5678")
    assert view.state == v.CodeEntry(busy=True)


def test_pick_up_goes_on_to_the_door_and_thanks() -> None:
    view, _ = play(start(Face()), "start", "pickup", *"1234565678")
    screens = []
    for step in (s.OpeningDoor(CellNo(7)), s.TakeParcel(CellNo(7), 45, 0), s.Remind(CellNo(7)), s.Thanks(1)):
        view, _ = on_step(view, step)
        screens.append(view.state)

    assert screens == [v.Opening(CellNo(7)), v.Door(CellNo(7), 45), v.Door(CellNo(7), 45, stage="remind"), v.Done(1)]


@pytest.mark.parametrize(("keys", "code", "tail"), [
    (("1", "2", "erase", "3"), "13", ""),
    (("1", "2", "clear"), "", ""),
    ((*"123456", "7", "erase"), "123456", ""),
    ((*"123456", "7", "erase", "erase"), "12345", ""),
    (("erase",), "", ""),
])  # fmt: skip
def test_erasing_goes_back_digit_by_digit(keys: tuple[str, ...], code: str, tail: str) -> None:
    view, _ = play(frame(v.CodeEntry()), *keys)

    assert view.state == v.CodeEntry(code, tail)


def test_typed_digits_are_not_in_the_repr() -> None:
    view, _ = play(frame(v.CodeEntry()), *"123456")
    login, _ = play(frame(staff.Login()), *"13579")

    assert "123456" not in repr(view)
    assert "13579" not in repr(login)


def test_several_parcels_can_be_chosen_or_taken_all() -> None:
    found = s.ParcelsFound(PARCELS, "g7")
    view, _ = play(frame(v.CodeEntry(busy=True)), found)

    _, every = play(view, "all")
    _, some = play(view, "row_1", "next", "row_0", "some")
    _, none = play(view, "row_1", "row_1", "some")

    assert every == [s.TakeParcels(tuple(p.id for p in PARCELS), "g7")]
    assert some == [s.TakeParcels((PARCELS[1].id, PARCELS[3].id), "g7")]
    assert none == []


def test_a_found_list_that_comes_too_late_is_not_shown_to_the_next_person() -> None:
    waiting = frame(v.Wait("pickup"))
    gone, asked = play(waiting, "home", s.ParcelsFound(PARCELS, "g7"), s.BillsFound(BILLS))

    assert asked == [s.CancelFlow()]
    assert gone.state == v.Home()


@pytest.mark.parametrize("state", [
    v.Standby(), v.Home(), v.CodeEntry("12"), v.Done(1), v.Refused("wrong_code"), v.BillKind(), v.BillAccount("gas"),
    v.BillList(BILLS), staff.Login("12"),
])  # fmt: skip
def test_a_scan_leads_on_from_every_villagers_screen_without_a_touch(state: v.State) -> None:
    view, intents = scan(frame(state), "VP1:ABC", "counter")

    assert intents == (s.Scanned("VP1:ABC", state.scan, "counter"),)
    assert isinstance(view.state, v.Wait)


@pytest.mark.parametrize("state", [v.Opening(CellNo(7)), v.Door(CellNo(7), 45), v.BillCash(BILLS[0], BILLS, "12")])
def test_a_scan_does_not_take_a_door_or_the_cash_from_the_screen(state: v.State) -> None:
    view, intents = scan(frame(state), "SF1234567890123")

    assert view.state == state
    assert len(intents) == 1


@pytest.mark.parametrize("state", [staff.Board(), staff.Intake(busy=True), v.Slip(SLIP, "done")])
def test_a_slip_held_before_the_scanner_offers_all_parcels_of_its_person_from_any_page(state: v.State) -> None:
    """One parcel opens its door from these pages; of several nothing was seen at all."""
    view, _ = scan(logged_in().to(state), "VP1:ABC")
    view, _ = play(view, s.ParcelsFound(PARCELS, "g7"))

    assert view.state == v.Choose(PARCELS, "g7")


def test_whoever_leaves_while_the_wrong_parcel_is_told_gives_the_fetching_up() -> None:
    view, asked = play(frame(v.Fetch(PARCELS[2:3])), s.Refusal("wrong_parcel"), "home")

    assert asked == [s.CancelFlow()]
    assert view.state == v.Home()


def test_the_operators_scan_at_a_shelf_parcel_hands_it_out() -> None:
    view, intents = scan(frame(v.Fetch(PARCELS[2:3])), "YT7512345678903")

    assert intents == (s.Scanned("YT7512345678903", "handover"),)
    assert isinstance(view.state, v.Fetch)


def test_the_operator_logs_in_from_the_shelf_page_and_hands_the_parcel_out() -> None:
    view, asked = play(
        frame(v.Fetch(PARCELS[2:3])), "operator", *"2468", "ok", s.LoggedIn(OperatorId("O1"), Role.OPERATOR)
    )
    view, intents = scan(view, "YT7512345678903")
    view, rest = play(view, s.HandOverAsk(PARCELS[2]), "self", s.Thanks(1))

    assert asked == [s.CancelFlow(), s.Login("2468"), s.ShowBoard("day")]
    assert intents == (s.Scanned("YT7512345678903", "handover"),)
    assert rest == [s.HandOver(PARCELS[2].id, "self")]
    assert view.state == staff.Board()


@pytest.mark.parametrize("state", [v.CodeEntry(busy=True), staff.Login(busy=True)])
@pytest.mark.parametrize("button", ["home", "back"])
def test_whoever_leaves_before_the_answer_takes_the_question_along(state: v.State, button: str) -> None:
    _, asked = play(frame(state), button)
    _, after_help = play(frame(state), "help", "home")

    assert asked == [s.CancelFlow()]
    assert after_help[-1] == s.CancelFlow()


CASH = v.BillCash(BILLS[0], BILLS)
CARD = staff.ParcelCard(PARCELS[0], staff.Search(), "self", busy=True)


@pytest.mark.parametrize(("state", "button"), [(replace(CASH, busy=True), "back"), (CARD, "back"), (CARD, "home")])
def test_whoever_goes_back_after_the_pin_takes_cash_and_door_along(state: v.State, button: str) -> None:
    _, asked = play(logged_in().to(state), button)
    _, typing = play(frame(CASH), "back")

    assert asked[0] == s.CancelFlow()
    assert typing == []


@pytest.mark.parametrize("state", [v.Opening(CellNo(7)), v.Door(CellNo(7), 45)])
def test_whoever_goes_away_from_an_open_door_takes_along_what_waits_behind_it(state: v.State) -> None:
    _, asked = play(frame(state), "help", "home")

    assert asked == [s.CallHelp(state.screen), s.CancelFlow()]


def test_a_scan_at_the_shelf_page_without_login_asks_for_the_pin() -> None:
    view, _ = play(frame(v.Fetch(PARCELS[2:3])), s.Refusal("login_first"))

    assert view.state == staff.Login()


def test_a_bill_is_found_confirmed_and_paid_with_the_operators_pin() -> None:
    view, asked = play(
        start(Face()), "start", "bill", "power", *"50023900", "ok", s.BillsFound(BILLS), "row_0", "pay", *"2468", "ok"
    )

    assert asked[0] == s.FindBill("power", asked[0].account_no)  # type: ignore[union-attr]
    assert asked[0].account_no.plain() == "50023900"  # type: ignore[union-attr]
    assert asked[1] == s.AcceptBill(BILLS[0].id, Fen(8650), "2468")
    assert view.state == v.BillCash(BILLS[0], BILLS, busy=True)


def test_a_wrong_pin_leaves_the_bill_open_and_the_pin_empty() -> None:
    view, _ = play(frame(v.BillCash(BILLS[0], BILLS, busy=True)), s.Refusal("wrong_pin"))

    assert view.state == v.BillCash(BILLS[0], BILLS)
    assert view.notice is not None
    assert view.notice.key == "refused.wrong_pin"


def test_a_bill_already_paid_cannot_be_chosen() -> None:
    view, asked = play(frame(v.BillList(BILLS)), "row_2")

    assert (view.state, asked) == (v.BillList(BILLS), [])


def test_a_slip_is_shown_even_when_nobody_waits_as_after_a_restart() -> None:
    view, _ = play(start(Face()), SLIP)

    assert view.state == v.Slip(SLIP)


def test_slips_that_a_power_cut_kept_are_seen_one_after_another() -> None:
    """They come together at the start; each stays until it is left, by a touch or by silence."""
    slips = [replace(SLIP, slip=f"00012{n}", printed="unknown") for n in range(3)]

    view, _ = play(start(Face()), *slips)
    seen = [view.state]
    view, _ = play(view, "print", s.Printing("000120", "done", 1), "home")
    seen.append(view.state)
    times = view.face.idle
    view, _ = tick(view, (times.villager_s + times.answer_s) * 1000, 0)
    seen.append(view.state)
    view, _ = play(view, "home")

    assert [page.slip.slip for page in seen if isinstance(page, v.Slip)] == ["000120", "000121", "000122"]
    assert view.state == v.Home()


@pytest.mark.parametrize(("state", "retry"), [
    (v.CodeEntry(busy=True), "pickup"), (v.Wait("bill"), "bill"), (v.Wait("pickup"), "pickup"), (v.Home(), ""),
])  # fmt: skip
def test_a_refusal_offers_the_same_task_again(state: v.State, retry: str) -> None:
    view, _ = play(frame(state), s.Refusal("busy"))

    assert isinstance(view.state, v.Refused)
    assert view.state.retry == retry


def test_locked_out_names_the_minutes() -> None:
    view, _ = play(frame(v.CodeEntry(busy=True)), s.Refusal("locked_out", {"minutes": 5}))

    assert dict(view.state.slots)["minutes"] == 5  # type: ignore[attr-defined]


def test_help_keeps_what_the_person_was_doing() -> None:
    view, asked = play(frame(v.CodeEntry("1234")), "help", s.HelpCalled("023-1"), "back")

    assert asked == [s.CallHelp("pickup")]
    assert view.state == v.CodeEntry("1234")


def test_closed_stays_closed_whatever_comes() -> None:
    view, _ = play(
        frame(v.Home()), s.Closed("S1"), s.Thanks(1), s.LoggedIn(OperatorId("O1"), Role.OPERATOR), "help", "home"
    )
    view, intents = scan(view, "SF1234567890123")

    assert (view.state, intents) == (v.Shut("S1"), ())


# --- operator -----------------------------------------------------------------------------------------------------


def test_login_asks_for_a_fresh_board() -> None:
    view, asked = play(start(Face()), "start", "operator", *"2468", "ok", s.LoggedIn(OperatorId("O1"), Role.OPERATOR))

    assert asked == [s.Login("2468"), s.ShowBoard("day")]
    assert (view.state, view.role, view.operator) == (staff.Board(), Role.OPERATOR, "O1")


@pytest.mark.parametrize("way", [("home",), ("back",), ("help", "home"), ("home", "pickup")])
@pytest.mark.parametrize("role", Role)
def test_a_pin_that_is_found_right_after_its_page_was_left_opens_nothing(way: tuple[str, ...], role: Role) -> None:
    left, _ = play(start(Face()), "start", "operator", *"2468", "ok", *way)

    view, asked = play(left, s.LoggedIn(OperatorId("O1"), role))

    assert view == left
    assert asked == [s.Logout()]


def test_a_pin_that_is_found_right_after_the_next_person_has_scanned_opens_nothing() -> None:
    left, _ = play(start(Face()), "start", "operator", *"2468", "ok", "home")
    left, _ = scan(left, "VP1:ABC")

    view, asked = play(left, s.LoggedIn(OperatorId("O1"), Role.OPERATOR))

    assert (view, asked) == (left, [s.Logout()])


def test_a_pin_that_is_found_right_after_silence_opens_nothing() -> None:
    late, _ = tick(frame(staff.Login(busy=True)), 60_000, 60_000)

    view, asked = play(late, s.LoggedIn(OperatorId("O1"), Role.OPERATOR), s.LoggedOut())

    assert (view.state, view.role) == (late.state, None)
    assert asked == [s.Logout()]


def test_help_and_a_scan_while_the_pin_is_compared_do_not_undo_the_login() -> None:
    helped, _ = play(frame(staff.Login(busy=True)), "help", s.LoggedIn(OperatorId("O1"), Role.OPERATOR))
    scanned, _ = scan(frame(staff.Login(busy=True)), "SF1234567890123")
    scanned, _ = play(scanned, s.LoggedIn(OperatorId("O1"), Role.OPERATOR))

    assert helped.state == scanned.state == staff.Board()


def test_intake_begins_with_automatic_after_each_login() -> None:
    """Also of an operator who was logged in and typed the PIN at a shelf page; the flows forget the choice as well."""
    view, _ = play(logged_in(), "intake", "shelf", "back", s.FetchFromShelf(PARCELS[2:3]), "operator", *"246813", "ok")

    view, _ = play(view, s.LoggedIn(OperatorId("O1"), Role.OPERATOR))

    assert (view.state, view.target) == (staff.Board(), "auto")


def test_a_technician_lands_on_the_devices() -> None:
    view, asked = play(frame(staff.Login(busy=True)), s.LoggedIn(OperatorId("T1"), Role.TECHNICIAN))

    assert (view.state, asked) == (staff.Devices(), [s.ShowBoard("devices")])


def test_the_intake_loop_needs_no_touch() -> None:
    view, _ = play(logged_in(), "intake")
    seen = []
    for n, step in enumerate((STORED, s.Refusal("already_in_stock", {"place": "A-1-001"}), STORED)):
        view, intents = scan(view, f"YT75123456789{n:02d}")
        seen.append((intents[0], view.state))
        view, _ = on_step(view, step)
        seen.append((view.stored, view.notice.key if view.notice else None))

    assert seen[0][0] == s.Scanned("YT7512345678900", "intake")
    assert seen[1::2] == [(STORED, None), (STORED, "refused.already_in_stock"), (STORED, None)]
    assert view.state == staff.Intake()


def test_intake_questions_are_answered_and_lead_back_to_the_loop() -> None:
    view, _ = play(logged_in(), "intake")

    view, carrier = play(view, s.AskCarrier("773", ("STO", "ZTO")), "ZTO")
    view, phone = play(view, s.AskPhone("773", "ZTO"), *"13812345678", "consent", "ok")
    view, consent = play(view, s.NeedConsent(parcel(3)), "shelf")
    view, refused = play(view, s.NeedConsent(parcel(3)), "back")

    assert carrier == [s.ChooseCarrier("773", "ZTO")]
    assert phone == [s.GivePhone("773", Phone("13812345678"), consented=True)]
    assert consent == [s.RecordConsent(ParcelId("p3"), "shelf")]
    assert refused == [s.CancelFlow()]
    assert view.state == staff.Intake()


def test_an_open_door_of_the_intake_is_not_left_by_back() -> None:
    view, _ = play(logged_in(), "intake", s.OpeningDoor(CellNo(4)), s.PutIn(in_cell(1, 4), CellNo(4), 60))
    view, asked = play(view, "back")

    assert isinstance(view.state, staff.IntakeDoor)
    assert asked == []
    assert play(view, "cancel")[1] == [s.CancelDeposit(ParcelId("p1"))]


def test_a_failed_cell_of_the_intake_is_told_in_the_loop() -> None:
    view, _ = play(logged_in(), "intake", s.OpeningDoor(CellNo(4)), s.CallStaff(CellNo(4), "no_answer"))

    assert view.state == staff.Intake()
    assert view.notice is not None
    assert view.notice.bad


def test_a_parcel_is_searched_and_handed_over_after_a_question() -> None:
    view, asked = play(logged_in(), "search", *"56", "A", "dash", "ok", FOUND, "row_2", "self", "yes", s.Thanks(1))

    assert asked == [s.ShowBoard("parcels"), s.Search("56A-"), s.HandOver(PARCELS[2].id, "self")]
    assert view.state == staff.Board()
    assert view.notice is not None
    assert not view.notice.bad


def test_a_parcel_in_a_cell_is_handed_over_with_the_pin_that_opens_its_door() -> None:
    view, asked = play(logged_in(), "search", FOUND, "row_0", "proxy", *"270", "ok", *"415", "erase", "5", "ok", "ok")

    assert asked == [s.ShowBoard("parcels"), s.HandOver(PARCELS[0].id, "proxy", "270415")]
    assert view.state == staff.ParcelCard(PARCELS[0], staff.Search(result=FOUND), "proxy", busy=True)
    view, _ = play(view, s.Refusal("wrong_pin"))
    assert view.state == staff.ParcelCard(PARCELS[0], staff.Search(result=FOUND), "proxy")
    assert view.notice is not None
    view, asked = play(view, *"270415", "ok", s.OpeningDoor(CellNo(7)), s.TakeParcel(CellNo(7), 45, 0), s.Thanks(1))
    assert len(asked) == 1
    assert view.state == v.Done(1)


def test_the_pin_of_a_cell_is_forgotten_by_back_and_asked_of_a_scanned_parcel_too() -> None:
    view, _ = play(logged_in(), s.HandOverAsk(PARCELS[0]), "self", *"2704", "back")
    assert view.state == staff.ParcelCard(PARCELS[0], staff.Search())

    view, asked = play(view, "self", "yes", "ok")

    assert asked == []
    assert view.state == staff.ParcelCard(PARCELS[0], staff.Search(), "self")


def test_an_exception_is_resolved_by_looking() -> None:
    odd = parcel(8, state="exception")
    _, asked = play(logged_in(), "search", s.ParcelsBoard("", (odd,)), "row_0", "gone", "yes")

    assert asked[1:] == [s.ResolveException(odd.id, "gone"), s.ShowBoard("parcels")]


@pytest.mark.parametrize("found", ["gone", "on_shelf"])
def test_what_the_key_got_out_is_asked_where_it_is(found: str) -> None:
    stuck = replace(PARCELS[0], stuck=True)
    view, _ = play(logged_in(), "search", s.ParcelsBoard("", (stuck,)), "row_0", "key", "yes", "in_cell")
    assert view.state == staff.ParcelCard(stuck, staff.Search(result=s.ParcelsBoard("", (stuck,))), "key")
    back, none = play(view, "back")
    assert (back.state, none) == (replace(view.state, ask=""), [])  # type: ignore[arg-type, call-arg, type-var]

    _, asked = play(view, found)

    assert asked == [s.ResolveException(stuck.id, found), s.ShowBoard("parcels")]


def test_the_key_is_offered_for_a_stuck_door_alone() -> None:
    view, asked = play(logged_in(), "search", FOUND, "row_0", "key", "yes")

    assert asked == [s.ShowBoard("parcels")]
    assert view.state == staff.ParcelCard(PARCELS[0], staff.Search(result=FOUND))


def test_a_refund_is_asked_twice() -> None:
    view, _ = play(logged_in(), "money", s.BillsBoard(TAKEN, Fen(1), Fen(1)), "row_2")
    kept, none = play(view, "back")
    _, asked = play(view, "yes")

    assert (kept.state.refund, none) == (None, [])  # type: ignore[attr-defined]
    assert asked == [s.RefundBill(BillId("b3")), s.ShowBoard("bills")]


def test_a_cell_goes_out_of_service_with_a_reason() -> None:
    _, asked = play(logged_in(), "cells", "1", "2", "dirty", "out")

    assert asked == [s.CellToService(CellNo(12), in_service=False, reason="dirty"), s.ShowBoard("day")]


def test_half_done_deposits_are_cancelled_from_the_list() -> None:
    _, asked = play(logged_in(), DAY, "pending", "row_1")

    assert asked == [s.CancelDeposit(DAY.pending_deposits[1].id), s.ShowBoard("day")]


def test_log_out_forgets_everything() -> None:
    view, asked = play(replace(logged_in(), lang="en", stored=STORED, day=DAY), "logout")

    assert asked == [s.Logout()]
    assert (view.role, view.stored, view.day, view.lang, view.state) == (None, None, None, "zh", v.Standby())


# --- silence ------------------------------------------------------------------------------------------------------

TIMES = IdleTimes(pickup_s=30, villager_s=90, answer_s=30, result_s=30, operator_s=300, technician_s=900)


@pytest.mark.parametrize(("state", "limit"), [
    (v.CodeEntry("12"), 30), (v.Choose(PARCELS, "g"), 30), (v.BillKind(), 90), (v.BillAccount("gas", "12"), 90),
    (v.Slip(SLIP), 90), (staff.Login("12"), 90),
])  # fmt: skip
def test_the_screen_asks_then_goes_home_with_everything_cleared(state: v.State, limit: int) -> None:
    view = replace(frame(state), lang="en")

    before, _ = tick(view, limit * 1000 - 1, 0)
    asked, _ = tick(view, limit * 1000, 0)
    last, _ = tick(view, (limit + 30) * 1000 - 1, 0)
    over, _ = tick(view, (limit + 30) * 1000, 0)

    assert [before.ask_s, asked.ask_s, last.ask_s, over.ask_s] == [None, 30, 1, None]
    assert (over.state, over.lang) == (v.Home(), "zh")


def test_one_touch_answers_the_question() -> None:
    asked, _ = tick(frame(v.BillKind()), 95_000, 0)
    here, intents = press(asked, "idle.here")

    assert (here.ask_s, here.state, intents) == (None, v.BillKind(), ())


def test_going_home_by_silence_gives_up_the_grant() -> None:
    _, intents = tick(frame(v.Choose(PARCELS, "g")), 60_000, 0)

    assert intents == (s.CancelFlow(),)


@pytest.mark.parametrize(("role", "limit"), [(Role.OPERATOR, 300), (Role.TECHNICIAN, 900)])
def test_silence_logs_the_staff_out(role: Role, limit: int) -> None:
    before, none = tick(logged_in(role), limit * 1000 - 1, 0)
    after, intents = tick(logged_in(role), limit * 1000, 0)

    assert (before.role, none) == (role, ())
    assert before.ask_s == 1
    assert (after.role, after.state, intents) == (None, v.Standby(), (s.Logout(),))


def test_a_short_limit_leaves_the_operator_time_to_work() -> None:
    view = logged_in(Role.OPERATOR)
    view = replace(view, face=replace(view.face, idle=replace(TIMES, operator_s=30)))

    at_work, asked, last, over = (tick(view, ms, 0)[0] for ms in (14_000, 15_000, 29_999, 30_000))

    assert [at_work.ask_s, asked.ask_s, last.ask_s, over.role] == [None, 15, 1, None]


def test_a_result_goes_home_after_thirty_seconds() -> None:
    shown, _ = tick(frame(v.Done(1)), 29_000, 29_000)
    gone, _ = tick(frame(v.Done(1)), 30_000, 30_000)

    assert (shown.state, shown.left_s, gone.state) == (v.Done(1), 1, v.Home())


def test_an_open_door_is_never_cleared_by_silence() -> None:
    view, intents = tick(frame(v.Door(CellNo(7), 45)), 3_600_000, 3_600_000)

    assert (view.state, view.left_s, intents) == (v.Door(CellNo(7), 45), 0, ())


def test_an_unanswered_wait_ends() -> None:
    soon, _ = tick(frame(v.Wait("bill")), 0, 1_000)
    late, intents = tick(frame(v.Wait("bill")), 0, 60_000)

    assert (soon.state, late.state) == (v.Wait("bill", words=True), v.Refused("no_answer", retry="bill"))
    assert intents == (s.CancelFlow(),)


def test_a_bug_goes_home_by_itself() -> None:
    view, _ = tick(frame(v.Broken("E1")), 0, 6_000)

    assert view.state == v.Home()


# --- every button does something ----------------------------------------------------------------------------------


def test_no_button_of_another_screen_does_anything() -> None:
    for view in samples().values():
        assert press(view, "elsewhere.home") == (view, ())


def test_a_name_is_never_in_an_intents_or_frames_repr() -> None:
    secret = replace(bill(1), name=Name("司马相如"))

    assert "相如" not in repr(frame(v.BillConfirm(secret, (secret,))))
    assert "5002390" not in repr(frame(v.BillConfirm(secret, (secret,))))


@pytest.mark.parametrize("typed", ["9061", "司马"])
def test_what_the_operator_looks_for_is_in_no_repr(typed: str) -> None:
    """A phone's tail or a name, as typed and as the answer brings it back."""
    found = s.ParcelsBoard(typed, ())

    assert typed not in repr(found)
    assert typed not in repr(frame(staff.Search(typed, found)))


DOOR_OF_A_TOKEN = (s.OpeningDoor(CellNo(7)), s.TakeParcel(CellNo(7), 45, 0), s.Thanks(1))


@pytest.mark.parametrize(("steps", "button"), [
    (DOOR_OF_A_TOKEN, "done"),
    ((s.OpeningDoor(CellNo(7)), s.CallStaff(CellNo(7), "wrong_door")), "home"),
    ((*DOOR_OF_A_TOKEN, s.HelpCalled("")), "home"),
    ((SLIP,), "home"),
])  # fmt: skip
def test_whoever_leaves_a_page_of_a_villager_leaves_nobody_logged_in(steps: tuple[s.Step, ...], button: str) -> None:
    """The operator scanned a villager's token: the villager presses on, and has no right of the operator after it."""
    view, _ = play(logged_in(), *steps)

    view, asked = play(view, button)

    assert (view.state, view.role) == (v.Home(), None)
    assert s.Logout() in asked


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.TECHNICIAN])
def test_after_an_error_nobody_is_logged_in_behind_the_first_page(role: Role) -> None:
    """A technician's tool would else take every scan of the villagers for hours."""
    view, _ = play(logged_in(role), s.Trouble("1234"))

    view, asked = tick(view, 6_000, 6_000)

    assert (view.state, view.role) == (v.Home(), None)
    assert asked == (s.CancelFlow(), s.Logout())


def test_after_an_error_on_a_page_of_a_villager_nobody_is_logged_out() -> None:
    view, _ = play(start(Face()), s.Trouble("1234"))

    assert tick(view, 6_000, 6_000)[1] == (s.CancelFlow(),)
