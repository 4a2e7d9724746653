"""The wizard's view models, pure: what taps, steps and silence do, and what the screens of a new point lead to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from screen_samples import samples
from wizard_samples import CELLS, STEPS, board, record

from edge import steps as s
from edge.model import CellNo, OperatorId, Role
from edge.steps import wizard as z
from ui import words
from ui.viewmodels import Face, Frame, on_step, press, scan, start, tick
from ui.viewmodels import states as v
from ui.viewmodels import wizard_states as w
from ui.viewmodels.staff_states import Devices, Login
from ui.viewmodels.touch_grid import IDLE_MS, cross, places
from ui.viewmodels.wizard import rows

FACE = Face("金溪村服务点")
HERE = board({})


def at(state: Any, **more: Any) -> Frame:
    return replace(start(FACE), state=state, role=Role.TECHNICIAN, operator=OperatorId("t-1"), **more)


def trial(stage: str, step: str = "line:led-front", **more: Any) -> Frame:
    return at(w.WizardTrial(HERE, step, z.WizardNow(step, stage, **more)))


def told(frame: Frame, step: s.Step) -> Frame:
    return on_step(frame, step)[0]


# --- a new point --------------------------------------------------------------------------------------------------


def test_a_point_without_people_leads_from_standby_to_the_first_pins() -> None:
    frame = told(start(FACE), z.SetupDue("people"))
    frame, intents = press(frame, "standby.setup")

    assert (frame.state, intents) == (w.FirstPin("technician"), ())


def typed(frame: Frame, pin: str) -> tuple[Frame, tuple[s.Intent, ...]]:
    for digit in pin:
        frame, _ = press(frame, f"setpin.{digit}")
    return press(frame, "setpin.ok")


def test_the_same_pin_is_typed_twice_and_then_the_operators() -> None:
    frame, none = typed(at(w.FirstPin()), "246813")
    assert (frame.state, none) == (w.FirstPin(first="246813"), ())
    frame, intents = typed(frame, "246813")

    assert intents == (z.FirstPin("technician", "246813"),)
    assert frame.state == w.FirstPin(busy=True)
    frame = told(frame, z.PinTaken("operator"))
    assert frame.state == w.FirstPin("operator")
    assert told(frame, z.PinTaken("")).state == Login()


def test_two_different_pins_begin_anew_and_a_short_one_is_no_pin() -> None:
    frame, _ = typed(at(w.FirstPin()), "246813")
    frame, intents = typed(frame, "246814")

    assert (frame.state, intents) == (w.FirstPin(), ())
    assert frame.notice is not None
    assert typed(at(w.FirstPin()), "12345")[1] == ()


def test_a_refused_pin_is_asked_again_with_the_reason() -> None:
    frame = told(at(w.FirstPin("operator", busy=True)), s.Refusal("pin_taken"))

    assert frame.state == w.FirstPin("operator")
    assert frame.notice is not None
    assert frame.notice.key == "refused.pin_taken"


def test_the_digits_of_a_pin_are_in_no_text_of_the_state() -> None:
    assert "246813" not in repr(w.FirstPin("technician", "246813", "246813"))
    assert "246813" not in repr(w.WizardDoor(HERE, "door:locker", CELLS, 0, "246813"))
    assert "246813" not in repr(z.TryDoor("door:locker", CellNo(1), "246813"))
    assert "246813" not in repr(z.FirstPin("technician", "246813"))


def test_setting_up_is_remembered_when_people_come_and_go() -> None:
    frame = told(start(FACE), z.SetupDue("commission"))

    assert frame.cleared(v.Standby()).setup == "commission"
    assert press(frame, "standby.setup")[0].state == Login()
    assert told(frame, z.SetupDue("")).setup == ""


# --- the overview -------------------------------------------------------------------------------------------------


def test_after_a_technicians_login_the_wizard_opens_over_the_devices() -> None:
    frame = told(start(FACE).to(Login(busy=True)), s.LoggedIn(OperatorId("t-1"), Role.TECHNICIAN))
    assert isinstance(frame.state, Devices)
    frame = told(frame, HERE)

    assert frame.state == w.Wizard(HERE)
    assert press(frame, "wizard.back")[1] == (z.LeaveWizard(), s.ShowBoard("devices"))


def test_going_on_begins_with_the_first_step_without_a_result() -> None:
    some = board({STEPS[0]: ("done", "", "", ""), STEPS[1]: ("failed", "G71", "", "")})
    frame, intents = press(at(w.Wizard(some)), "wizard.go")

    assert intents == (z.TryStep(STEPS[2]),)
    assert frame.state == w.WizardTrial(some, STEPS[2])


def test_any_step_can_be_taken_again_by_its_row() -> None:
    every = board(dict.fromkeys(STEPS, ("done", "", "", "")))
    _, intents = press(at(w.Wizard(every)), "wizard.row_4")

    assert intents == (z.TryStep(STEPS[4]),)
    assert press(at(w.Wizard(every)), "wizard.go") == (at(w.Wizard(every)), ())


def test_the_run_is_ended_only_when_every_step_has_come_out() -> None:
    every = board(dict.fromkeys(STEPS, ("done", "", "", "")))

    assert press(at(w.Wizard(every)), "wizard.end")[1] == (z.EndWizard(),)
    assert press(at(w.Wizard(HERE)), "wizard.end")[1] == ()


def test_more_steps_than_a_page_holds_are_on_the_next() -> None:
    many = board({}, tuple(f"scan:gun-{n}" for n in range(20)))
    frame, _ = press(at(w.Wizard(many)), "wizard.next")
    frame, _ = press(frame, "wizard.next")
    frame, _ = press(frame, "wizard.next")

    assert frame.state == w.Wizard(many, (20 - 1) // rows(frame))


# --- a step -------------------------------------------------------------------------------------------------------


def test_a_number_is_chosen_by_its_place_and_said_once() -> None:
    frame, intents = press(trial("choose", choices=("17.70", "47.70", "77.70")), "wizardtrial.say_1")

    assert intents == (z.SayStep("line:led-front", "47.70"),)
    assert press(frame, "wizardtrial.say_2")[1] == ()


@pytest.mark.parametrize(("stage", "more", "answer", "is_taken"), [
    ("choose", {"choices": ("1", "2")}, "none", True), ("choose", {"choices": ("1", "2")}, "7", False),
    ("choose", {"choices": ("1", "2")}, "again", False), ("eyes", {"cell": CellNo(3)}, "yes", True),
    ("eyes", {"cell": CellNo(3)}, "none", False), ("weigh", {"grams": 100, "is_stable": True}, "right", True),
    ("weigh", {"grams": 100}, "right", False), ("weigh", {}, "right", False), ("weigh", {}, "none", True),
    ("scan", {"code": "X"}, "none", False), ("busy", {}, "none", False),
])  # fmt: skip
def test_what_may_be_said_depends_on_the_stage(stage: str, more: dict[str, Any], answer: str, is_taken: bool) -> None:
    _, intents = press(trial(stage, **more), f"wizardtrial.say_{answer}")

    assert bool(intents) is is_taken


def test_a_sound_may_be_heard_again() -> None:
    frame = trial("choose", "sound:speaker", choices=("1", "2", "3"))

    assert press(frame, "wizardtrial.say_again")[1] == (z.SayStep("sound:speaker", "again"),)


@pytest.mark.parametrize("stage", ["opening", "eyes", "shut"])
def test_an_open_door_is_not_left(stage: str) -> None:
    frame = trial(stage, "door:locker", cell=CellNo(3))

    for button in ("back", "home", "skip"):
        assert press(frame, f"wizardtrial.{button}") == (frame, ())


def test_a_door_without_a_sensor_is_said_to_be_shut_by_hand() -> None:
    frame = trial("shut", "door:locker", cell=CellNo(3), has_sensor=False)

    assert press(frame, "wizardtrial.shut")[1] == (s.DoorIsShut(CellNo(3)),)


def test_the_cell_is_chosen_round_and_round_and_opened_under_a_pin() -> None:
    frame = at(w.WizardDoor(HERE, "door:locker", CELLS[:2]))
    frame, _ = press(frame, "wizarddoor.other")
    assert isinstance(frame.state, w.WizardDoor)
    assert frame.state.cell == 2
    frame, _ = press(frame, "wizarddoor.other")
    for digit in "975310":
        frame, _ = press(frame, f"wizarddoor.{digit}")
    frame, intents = press(frame, "wizarddoor.ok")

    assert intents == (z.TryDoor("door:locker", CellNo(1), "975310"),)
    assert frame.state == w.WizardDoor(HERE, "door:locker", CELLS[:2], busy=True)


def test_a_wrong_pin_leaves_the_page_of_the_door() -> None:
    frame = told(at(w.WizardDoor(HERE, "door:locker", CELLS, busy=True)), s.Refusal("wrong_pin"))

    assert frame.state == w.WizardDoor(HERE, "door:locker", CELLS)
    assert frame.notice is not None


def test_a_step_is_left_out_with_a_reason_and_the_next_one_follows() -> None:
    frame, intents = press(trial("choose", choices=("1", "2")), "wizardtrial.skip")
    assert intents == (z.LeaveWizard(),)
    frame, intents = press(frame, "wizardskip.no_time")
    assert intents == (z.SkipStep("line:led-front", "no_time"),)
    some = board({STEPS[0]: ("skipped", "", "no_time", "")})
    frame, intents = on_step(frame, some)

    assert intents == (z.TryStep(STEPS[1]),)


def test_a_result_stands_until_it_was_read_and_then_the_next_step_follows() -> None:
    line = z.WizardLine(STEPS[0], "failed", "G71")
    frame = told(trial("scan", STEPS[0], code="X"), z.WizardTold(line, "eyes_scan_none"))
    assert isinstance(frame.state, w.WizardResult)

    assert press(frame, "wizardtold.again")[1] == (z.TryStep(STEPS[0]),)
    assert press(frame, "wizardtold.next")[1] == (z.TryStep(STEPS[1]),)


def test_after_the_last_step_comes_the_overview() -> None:
    every = board(dict.fromkeys(STEPS[:-1], ("done", "", "", "")))
    frame = at(w.WizardTrial(every, "hub", z.WizardNow("hub", "hub")))
    frame = told(frame, z.WizardTold(z.WizardLine("hub", "done")))
    frame, intents = press(frame, "wizardtold.next")

    assert (frame.state, intents) == (w.Wizard(), (z.OpenWizard(),))


def test_what_is_told_of_a_step_that_was_left_changes_nothing() -> None:
    for frame in (at(w.Wizard(HERE)), at(Devices()), start(FACE), trial("choose", "print:printer", choices=("1",))):
        assert told(frame, z.WizardNow(STEPS[0], "scan", code="X")) == frame
        assert told(frame, z.WizardTold(z.WizardLine(STEPS[0], "done"))) == frame
        assert told(frame, record("whole", "agrees")) == frame


@pytest.mark.parametrize("name", [name for name in samples() if name.split("-")[0] in (
    "wizard", "wizardtrial", "wizarddoor", "wizardskip", "wizardtold", "record")])  # fmt: skip
def test_a_stray_scan_does_nothing_on_any_of_the_pages(name: str) -> None:
    frame = samples()[name]

    assert scan(frame, "SF1300000000001") == (replace(frame, ask_s=None), ())


# --- touch --------------------------------------------------------------------------------------------------------


def pressed(frame: Frame, number: int, right: int = 0, up: int = 0) -> tuple[Frame, tuple[s.Intent, ...]]:
    """Touch a target, so far off; tenths of a millimetre."""
    x, y = places(cross(), frame.face.width_mm, frame.face.height_mm)[number]
    return press(frame, f"touch.at_{round(10 * x) + right}_{round(10 * y) + up}_500")


def test_the_corners_and_the_middle_are_asked_and_told_with_their_misses() -> None:
    frame, none = press(at(w.Wizard(board({}, ("touch",)))), "wizard.go")
    assert none == ()
    for number in range(4):
        frame, none = pressed(frame, number, right=3, up=-4)
        assert none == ()
    frame, intents = pressed(frame, 4)

    (intent,) = intents
    assert isinstance(intent, z.TouchTold)
    assert (intent.targets, len(intent.misses), intent.misses[0]) == (5, 5, (3, -4))
    assert isinstance(frame.state, w.WizardTrial)
    assert frame.state.said


def test_targets_lie_in_the_corners_and_the_middle() -> None:
    spots = places(cross(), 200.0, 100.0)

    assert spots == [(8.0, 92.0), (192.0, 92.0), (100.0, 50.0), (8.0, 8.0), (192.0, 8.0)]


def test_silence_or_a_long_press_ends_the_touches_with_what_was_hit() -> None:
    frame, _ = pressed(at(replace(cross(), board=HERE, step="touch")), 2)
    after, intents = tick(frame, IDLE_MS, IDLE_MS)
    held = press(frame, "touch.held")[1]

    assert intents == held == (z.TouchTold("touch", 5, ((0, 0),)),)
    assert isinstance(after.state, w.WizardTrial)


def test_the_misses_are_on_the_result() -> None:
    frame, _ = press(at(replace(cross(), board=HERE, step="touch", hits=((0, 3, 4),))), "touch.held")
    frame = told(frame, z.WizardTold(z.WizardLine("touch", "failed", "K71", "", "1/5, 0.5 mm")))

    assert isinstance(frame.state, w.WizardResult)
    assert frame.state.grid is not None
    assert frame.state.grid.hits == ((0, 3, 4),)


# --- silence and the record ---------------------------------------------------------------------------------------


def test_nobody_waits_for_ever_for_an_answer_that_does_not_come() -> None:
    for state in (w.WizardTrial(HERE, "hub"), w.WizardSkip(HERE, "hub", busy=True)):
        frame, _ = tick(at(state), 61_000, 61_000)
        assert frame.notice is not None


def test_a_technician_who_goes_away_is_logged_out() -> None:
    frame = trial("choose", choices=("1", "2"))
    away_ms = 1000 * FACE.idle.technician_s
    after, intents = tick(frame, away_ms, away_ms)

    assert isinstance(after.state, v.Standby)
    assert s.Logout() in intents


def test_the_record_is_shown_printed_and_told_where_paper_is_missing() -> None:
    frame = told(at(w.RecordPage()), record("whole", "agrees"))
    assert press(frame, "record.print")[1] == (z.PrintRecord(),)
    frame = told(frame, s.Printing("C-r1", "paper", 0))

    assert frame.notice is not None
    assert frame.notice.key == "record.no_print"
    assert press(frame, "record.back")[1] == (z.OpenWizard(),)


def test_the_record_goes_to_a_stick_and_the_page_says_how_that_went() -> None:
    frame = told(at(w.RecordPage()), record("whole", "agrees"))
    assert press(frame, "record.save")[1] == (z.SaveRecord(),)

    for word in ("saved", "off", "none", "several", "full", "read_only", "gone"):
        notice = told(frame, z.RecordSaved(word)).notice
        assert notice is not None
        assert notice.bad is (word != "saved")
        assert f"record_save.{word}" in words.catalogue("zh")
