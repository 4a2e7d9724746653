"""The list of a gun's memory: what a tap, a board and a new upload do to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge import steps as s
from edge.model import CellNo, Role
from ui.viewmodels import Face, Frame, Notice, on_step, press
from ui.viewmodels.batch import GunList
from ui.viewmodels.staff_states import Board, Intake, IntakeCarrier, IntakeDoor
from ui.viewmodels.states import Home

LINES = tuple(
    s.BatchLine(f"SF{at}", "SF", kind)
    for at, kind in enumerate(("shelf", "cell", "consent", "carrier", "unknown", "here", "taken"))
)
BOARD = s.BatchBoard("b1", "gun", 0, LINES, proposed=1, waiting=5)


def listed(board: s.BatchBoard | None = BOARD, **state: object) -> Frame:
    return Frame(Face(), GunList(board, **state), "zh", role=Role.OPERATOR)  # type: ignore[arg-type]


def test_the_board_leads_to_the_list() -> None:
    frame, intents = press(replace(listed(), state=Board()), "board.batch")

    assert (frame.state, intents) == (GunList(), (s.ShowBoard("batch"),))


def test_what_is_proposed_is_taken_by_one_tap() -> None:
    assert press(listed(), "batch.take")[1] == (s.TakeBatch("b1"),)
    assert press(listed(replace(BOARD, proposed=0)), "batch.take")[1] == ()


@pytest.mark.parametrize("row", range(5))
def test_a_line_that_wants_a_hand_is_taken_alone(row: int) -> None:
    page, at = divmod(row, 4)

    frame, intents = press(listed(page=page), f"batch.row_{at}")

    assert (frame.state, frame.from_list, intents) == (Intake(busy=True), True, (s.TakeCode(f"SF{row}"),))


@pytest.mark.parametrize("row", [1, 2])
def test_a_line_that_is_done_does_nothing(row: int) -> None:
    assert press(listed(page=1), f"batch.row_{row}") == (listed(page=1), ())


def test_leaving_codes_out_is_asked_first() -> None:
    asked, intents = press(listed(), "batch.close")
    assert (asked.state, intents) == (GunList(BOARD, ask=True), ())

    assert press(asked, "batch.back")[0].state == GunList(BOARD)
    assert press(asked, "batch.yes")[1] == (s.CloseBatch("b1"), s.ShowBoard("day"))


def test_a_list_without_waiting_codes_is_closed_at_once() -> None:
    assert press(listed(replace(BOARD, waiting=0)), "batch.close")[1][0] == s.CloseBatch("b1")


def test_from_the_intake_of_one_code_one_comes_back_to_the_list() -> None:
    for state in (Intake(), IntakeCarrier("SF1", ("SF", "OTHER"))):
        frame = replace(listed(), state=state, from_list=True)

        back, intents = press(frame, f"{state.screen}.back")

        assert (back.state, back.from_list) == (GunList(), False)
        assert intents == (s.CancelFlow(), s.ShowBoard("batch"))


def test_an_open_door_is_not_left_for_the_list() -> None:
    frame = replace(listed(), state=IntakeDoor(CellNo(3), "put"), from_list=True)

    assert press(frame, "intake_door.back") == (frame, ())


def test_intake_from_the_board_forgets_the_list() -> None:
    frame = replace(listed(), state=Board(), from_list=True)

    assert not press(frame, "board.intake")[0].from_list


def test_a_shorter_board_keeps_the_page_inside_it_and_another_list_begins_at_its_top() -> None:
    shorter = replace(BOARD, lines=LINES[:3])

    assert on_step(listed(page=1), shorter)[0].state == GunList(shorter, 0)
    assert on_step(listed(page=1), BOARD)[0].state == GunList(BOARD, 1)
    assert on_step(listed(page=1), replace(BOARD, batch="b2"))[0].state == GunList(replace(BOARD, batch="b2"), 0)


def test_a_late_list_does_not_open_itself() -> None:
    frame = replace(listed(), state=Board())

    assert on_step(frame, BOARD) == (frame, ())


def test_an_upload_is_told_to_an_operator_and_to_nobody_else() -> None:
    told, intents = on_step(listed(), s.CodesWait(3))
    assert told.notice == Notice("batch.arrived", (("n", 3),), bad=False)
    assert intents == (s.ShowBoard("batch"),)

    villager = Frame(Face(), Home(), "zh")
    assert on_step(villager, s.CodesWait(3)) == (villager, ())


def test_the_list_is_paged() -> None:
    assert press(listed(), "batch.next")[0].state == GunList(BOARD, 1)
    assert press(listed(page=1), "batch.previous")[0].state == GunList(BOARD, 0)
