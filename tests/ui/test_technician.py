"""The technician's tools without a window: what taps, steps, scans and silence do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from barcode import Code128
from technician_samples import CELLS, GUNS, LED, PAYMENT, PRINTER, SCALE, WAYBILL

from edge import steps as s
from edge.model import CellNo, OperatorId, Role
from edge.steps import Finding
from edge.steps import workbench as w
from ui.viewmodels import Face, Frame, on_step, press, scan, start, tick
from ui.viewmodels import technician_states as t
from ui.viewmodels.code128 import modules
from ui.viewmodels.staff_states import Devices, Login
from ui.viewmodels.touch_grid import grid, is_done, judged, places, touched

PANEL = (221.4, 129.7)


def play(view: Frame, *events: str | s.Step) -> tuple[Frame, list[s.Intent]]:
    asked: list[s.Intent] = []
    for event in events:
        if isinstance(event, str):
            view, intents = press(view, f"{view.state.screen}.{event}")
        else:
            view, intents = on_step(view, event)
        asked += intents
    return view, asked


def technician(*events: str | s.Step) -> tuple[Frame, list[s.Intent]]:
    view, _ = on_step(start(Face()).to(Login(busy=True)), s.LoggedIn(OperatorId("T1"), Role.TECHNICIAN))
    return play(view, "tools", *events)


def test_the_tools_are_the_technicians() -> None:
    view, _ = on_step(start(Face()).to(Login(busy=True)), s.LoggedIn(OperatorId("O1"), Role.OPERATOR))
    operator, _ = play(view, "devices", "tools")

    assert technician()[0].state == t.Tools()
    assert operator.state == Devices()


def test_the_raw_view_shows_the_chosen_scanner_newest_first_and_is_put_down_by_back() -> None:
    hall = replace(WAYBILL, scanner="scanner-hall")
    view, asked = technician("raw", w.ToolShown("raw", GUNS), WAYBILL, hall, PAYMENT)
    assert isinstance(view.state, t.RawView)
    first = view.state.shown
    view, _ = play(view, "other")
    assert isinstance(view.state, t.RawView)
    second = view.state.shown
    view, closing = play(view, "back")

    assert first == (PAYMENT, WAYBILL)
    assert second == (hall,)
    assert asked == [w.OpenTool("raw")]
    assert (view.state, closing) == (t.Tools(), [w.CloseTool()])


def test_the_raw_view_keeps_a_bounded_number_of_reads() -> None:
    reads = [replace(WAYBILL, took_ms=n) for n in range(50)]
    view, _ = technician("raw", w.ToolShown("raw", GUNS), *reads)

    assert isinstance(view.state, t.RawView)
    assert [read.took_ms for read in view.state.reads] == [49, 48, 47, 46]


@pytest.mark.parametrize("tool", ["raw", "enrol", "display", "print", "scale", "touch", "doors", "polarity"])
def test_a_scan_does_nothing_on_a_tools_page(tool: str) -> None:
    view, _ = technician(tool)

    assert scan(view, "]C1SF1300000000001", "gun") == (view, ())


def test_a_door_needs_reason_and_pin_and_the_pin_is_forgotten_at_once() -> None:
    view, _ = technician("doors", w.DoorsSeen(CELLS), "cell_7", *"123456")
    early, none = play(view, "ok")
    view, asked = play(view, "repair", "ok")

    assert none == []
    assert isinstance(early.state, t.DoorReason)
    assert early.state.pin == "123456"
    assert asked == [w.OpenCell(CellNo(7), "doors", "repair", "123456")]
    assert isinstance(view.state, t.DoorReason)
    assert (view.state.pin, view.state.busy) == ("", True)
    assert "123456" not in repr(asked)


def test_a_held_cell_is_refused_in_words_before_anything_is_asked() -> None:
    view, asked = technician("doors", w.DoorsSeen(CELLS), "cell_5")

    assert isinstance(view.state, t.DoorWall)
    assert view.notice is not None
    assert view.notice.key == "refused.cell_not_empty"
    assert asked == [w.OpenTool("doors")]


def test_a_wrong_pin_leaves_the_page_ready_for_another() -> None:
    view, _ = technician("doors", w.DoorsSeen(CELLS), "cell_7", "repair", *"123456", "ok", s.Refusal("wrong_pin"))

    assert isinstance(view.state, t.DoorReason)
    assert (view.state.busy, view.state.cell, view.state.reason) == (False, 7, "repair")
    assert view.notice is not None


def test_the_page_of_an_open_door_is_not_left_and_afterwards_leads_to_a_fresh_wall() -> None:
    view, _ = technician("doors", w.DoorsSeen(CELLS), "cell_7", "repair", *"123456", "ok",
                         w.CellTried(CellNo(7), "opening"), w.CellTried(CellNo(7), "open"))  # fmt: skip
    stays, none = play(view, "back")
    view, asked = play(view, w.CellTried(CellNo(7), "shut"), "back")

    assert (stays.state, none) == (t.DoorMoves(t.DoorWall("doors", CELLS), CellNo(7), "open"), [])
    assert view.state == t.DoorWall("doors")
    assert asked == [w.OpenTool("doors")]


def test_the_polarity_is_asked_once_and_the_verdict_stays_when_the_door_is_shut() -> None:
    told = w.PolarityTold(CellNo(2), "right", ('polarity = "short_when_open"',))
    view, _ = technician("polarity", w.DoorsSeen(CELLS), "cell_2", *"123456", "ok", w.PolarityAsk(CellNo(2)))
    view, asked = play(view, "yes", "no", told, w.CellTried(CellNo(2), "shut"))

    assert asked == [w.SawDoor(CellNo(2), is_open=True)]
    assert isinstance(view.state, t.PolarityVerdict)
    assert view.state.told == told


def test_the_answer_of_another_display_is_dropped() -> None:
    other = w.DisplayTried("led-back", "lines", "ok", Finding("display", "ok", "", "device_ok"))
    view, asked = technician("display", w.ToolShown("display", (LED,)), "lines", other)

    assert isinstance(view.state, t.DisplayTrial)
    assert (view.state.busy, view.state.tried) == (True, None)
    assert asked[-1] == w.TryDisplay("led-front", "lines")


def test_a_tool_that_does_not_answer_is_given_up_in_words() -> None:
    view, _ = technician("print", w.ToolShown("print", PRINTER), "go")
    waiting, _ = tick(view, 59_000, 59_000)
    late, _ = tick(view, 60_000, 60_000)

    assert waiting.state.busy is True  # type: ignore[attr-defined]
    assert late.state.busy is False  # type: ignore[attr-defined]
    assert late.notice is not None


def test_the_pan_follows_the_scale_that_is_chosen() -> None:
    view, _ = technician("scale", w.ToolShown("scale", SCALE), w.ScaleSeen("scale", 1200), w.ScaleSeen("other", 7))

    assert isinstance(view.state, t.ScaleTrial)
    assert view.state.seen == w.ScaleSeen("scale", 1200)


def test_leaving_by_silence_logs_out() -> None:
    view, _ = technician("raw", w.ToolShown("raw", GUNS))
    view, asked = tick(view, 901_000, 901_000)

    assert view.role is None
    assert s.Logout() in asked


# --- touches ------------------------------------------------------------------------------------------------------


def test_the_grid_reaches_the_corners_of_any_panel() -> None:
    for panel in (PANEL, (217.5, 135.9), (267.7, 476.0)):
        made = grid(*panel)
        at = places(made, *panel)
        assert len(at) == made.columns * made.rows <= 100
        assert (min(x for x, _ in at), min(y for _, y in at)) == pytest.approx((8, 8))
        assert max(x for x, _ in at) == pytest.approx(panel[0] - 8)


def test_every_target_touched_ends_the_test_with_a_good_word() -> None:
    view, _ = technician("touch")
    assert isinstance(view.state, t.TouchGrid)
    for x, y in places(view.state, *PANEL):
        view, _ = play(view, f"at_{round(10 * x) + 3}_{round(10 * y) - 2}_500")

    assert isinstance(view.state, t.TouchVerdict)
    told = judged(view.state.grid)
    assert (told.dead, told.right, told.up, told.is_far) == ((), 3, -2, False)


def test_strays_and_doubles_are_counted_and_are_no_hits() -> None:
    made = grid(*PANEL)
    (x, y), (next_x, _) = places(made, *PANEL)[:2]
    made = touched(made, (x, y), 500, PANEL)
    made = touched(made, (x, y), 12, PANEL)
    made = touched(made, ((x + next_x) / 2, y), 500, PANEL)

    assert (len(made.hits), made.doubles, made.strays) == (1, 1, 1)
    assert not is_done(made)


def test_silence_and_a_long_press_end_the_touch_test() -> None:
    view, _ = technician("touch", "at_80_80_500")
    held, _ = play(view, "held")
    silent, _ = tick(view, 20_000, 20_000)

    assert isinstance(held.state, t.TouchVerdict)
    assert silent.state == held.state
    assert len(judged(held.state.grid).dead) == len(places(held.state.grid, *PANEL)) - 1


# --- the code on the screen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["K7QX2M4WZP", "A0", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", " !~", "a-b", "K7QX2M4WZPA"])
def test_the_bars_are_those_of_another_encoder(text: str) -> None:
    drawn = "".join(("1" if at % 2 == 0 else "0") * width for at, width in enumerate(modules(text)))

    assert drawn == Code128(text).build()[0]


def test_signs_that_the_set_has_not_are_refused() -> None:
    for text in ("", "码", "\x1d"):
        with pytest.raises(ValueError, match="printable ASCII"):
            modules(text)
