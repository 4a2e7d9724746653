"""The check-up's page: how one comes to it, what its buttons do, and that its code can be read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from screen_samples import CHECKUP, frame

from edge import steps as s
from edge.model import OperatorId, Role
from ui.viewmodels import Frame, on_step, press
from ui.viewmodels import staff_states as staff
from ui.viewmodels.checkup import Checkup


def technician(state: staff.StaffState) -> Frame:
    return replace(frame(state), role=Role.TECHNICIAN, operator=OperatorId("T-03"))


def test_the_device_board_leads_to_the_check_up_and_back() -> None:
    there, asked = press(technician(staff.Devices()), "devices.checkup")
    back, again = press(there, "checkup.back")

    assert (there.state, asked) == (Checkup(), (s.ShowBoard("checkup"),))
    assert (back.state, again) == (staff.Devices(), (s.ShowBoard("devices"),))


def test_the_findings_come_when_the_doctor_has_looked_and_only_to_that_page() -> None:
    shown, _ = on_step(technician(Checkup()), CHECKUP)
    elsewhere, _ = on_step(technician(staff.Cells()), CHECKUP)

    assert shown.state == Checkup(CHECKUP)
    assert elsewhere.state == staff.Cells()


def test_the_code_is_shown_and_put_away_and_a_new_look_begins_empty() -> None:
    seen = technician(Checkup(CHECKUP, page=1))
    code, _ = press(seen, "checkup.code")
    listed, _ = press(code, "checkup.list")
    again, asked = press(seen, "checkup.again")

    assert code.state == Checkup(CHECKUP, 1, shows_code=True)
    assert listed.state == seen.state
    assert (again.state, asked) == (Checkup(), (s.ShowBoard("checkup"),))


@pytest.mark.parametrize("name", ["code", "list", "again"])
def test_nothing_is_pressed_while_the_doctor_looks(name: str) -> None:
    busy = technician(Checkup())

    assert press(busy, f"checkup.{name}") == (busy, ())


def test_a_code_has_its_three_eyes_and_a_quiet_border() -> None:
    from ui.screens.qr import modules

    rows = modules("VP1 QJ-0001 0.1.0 2607010130 L11.1/P61.4")

    eye = [[True] * 7, [True] + [False] * 5 + [True], [True, False, True, True, True, False, True]]
    assert [row[4:11] for row in rows[4:7]] == eye
    assert [row[-11:-4] for row in rows[4:7]] == eye
    assert not any(any(row) for row in (*rows[:4], *rows[-4:]))


def test_a_text_that_no_telephone_could_read_off_the_screen_is_refused() -> None:
    from ui.screens.qr import modules

    with pytest.raises(ValueError, match="hard to read"):
        modules("A" * 401)
