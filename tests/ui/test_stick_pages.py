"""The stick's page and the sheet's page without a window: what taps and steps do."""

from __future__ import annotations

import pytest

from edge import steps as s
from edge.model import OperatorId, Role
from edge.steps import stick as k
from ui.viewmodels import Face, Frame, on_step, press, start
from ui.viewmodels.frame import Notice
from ui.viewmodels.staff_states import Board, Login, Sync
from ui.viewmodels.stick import SheetPage, StickPage

BOARD = k.StickBoard((k.StickLine("usb-1", 7), k.StickLine("usb-2", 9)))
SHEET = k.SheetBoard("waits", rows=(k.SheetRow("facts", 4, None, None, None),))


def play(view: Frame, *events: str | s.Step) -> tuple[Frame, list[s.Intent]]:
    asked: list[s.Intent] = []
    for event in events:
        if isinstance(event, str):
            view, intents = press(view, f"{view.state.screen}.{event}")
        else:
            view, intents = on_step(view, event)
        asked += intents
    return view, asked


@pytest.fixture
def line() -> Frame:
    """The page of the line, open before an operator."""
    view, _ = on_step(start(Face()).to(Login(busy=True)), s.LoggedIn(OperatorId("O1"), Role.OPERATOR))
    return play(view, "sync")[0]


def test_the_page_of_the_line_leads_to_both(line: Frame) -> None:
    stick, looking = play(line, "stick")
    sheet, counting = play(line, "sheet")

    assert (stick.state, looking) == (StickPage(), [k.ShowSticks()])
    assert (sheet.state, counting) == (SheetPage(), [k.ShowSheet()])


@pytest.mark.parametrize(("tap", "intent"), [("write_0", k.WriteStick("usb-1")), ("read_1", k.ReadStick("usb-2"))])
def test_each_stick_is_written_and_read_by_its_own_buttons(line: Frame, tap: str, intent: s.Intent) -> None:
    view, asked = play(line, "stick", BOARD, tap)

    assert asked[-1] == intent
    assert isinstance(view.state, StickPage)
    assert view.state.busy


@pytest.mark.parametrize("tap", ["write_2", "read_x", "write_", "lend_0"])
def test_a_tap_on_no_stick_does_nothing(line: Frame, tap: str) -> None:
    _, asked = play(line, "stick", BOARD, tap)

    assert asked == [k.ShowSticks()]


def test_while_a_stick_is_in_use_nobody_leaves_or_begins_again(line: Frame) -> None:
    view, asked = play(line, "stick", BOARD, "write_0", k.StickBusy(), "write_1", "refresh", "back", "home")

    assert isinstance(view.state, StickPage)
    assert asked == [k.ShowSticks(), k.WriteStick("usb-1")]


def test_how_it_ended_stays_until_the_next_act(line: Frame) -> None:
    done = k.StickDone("written", 4)
    view, _ = play(line, "stick", BOARD, "write_0", done, BOARD)
    again, _ = play(view, "read_0")
    left, asked = play(view, "back")

    assert view.state == StickPage(BOARD, done=done)
    assert again.state == StickPage(BOARD, busy=True)
    assert (left.state, asked) == (Sync(), [s.ShowBoard("sync")])


def test_a_sheet_that_is_due_opens_over_the_first_page_only(line: Frame) -> None:
    first, _ = play(line, "back", SHEET)
    busy, _ = play(line, SHEET)

    assert first.state == SheetPage(SHEET)
    assert busy.state == Sync()


def test_the_sheet_is_printed_and_its_fate_is_told(line: Frame) -> None:
    view, asked = play(line, "sheet", SHEET, "print")
    good, _ = play(view, s.Printing("D0-4", "done", 0))
    bad, _ = play(view, s.Printing("D0-4", "paper", 0))

    assert asked[-1] == k.PrintSheet()
    assert good.notice == Notice("sheet.printing", bad=False)
    assert bad.notice == Notice("sheet.no_print", bad=True)


def test_an_empty_sheet_is_not_printed(line: Frame) -> None:
    _, asked = play(line, "sheet", k.SheetBoard(), "print")

    assert asked == [k.ShowSheet()]


def test_a_late_answer_opens_nothing(line: Frame) -> None:
    view, _ = play(line, "back", k.StickDone("written", 4), BOARD)

    assert view.state == Board()
