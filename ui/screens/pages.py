"""Which drawing shows which state, and the idle question that lies over any of them."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from ui.screens import (
    batch_pages,
    bill_pages,
    board_pages,
    device_pages,
    doctor_pages,
    door_pages,
    first_pages,
    intake_pages,
    parcel_pages,
    pickup_pages,
    record_pages,
    scan_pages,
    sheet_pages,
    technician_pages,
    theme,
    touch_pages,
    trial_pages,
    weigh_pages,
    wizard_pages,
    wizard_trial_pages,
)
from ui.screens.chrome import HEAD, PAD, help_button
from ui.screens.kit import Kit
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels import batch, states
from ui.viewmodels import staff_states as staff
from ui.viewmodels import technician_states as tech
from ui.viewmodels import wizard_states as wiz
from ui.viewmodels.checkup import Checkup
from ui.viewmodels.first import FirstPage
from ui.viewmodels.stick import SheetPage, StickPage
from ui.viewmodels.weigh import WeighGoods

DRAWINGS: dict[type, Callable[[Kit], Widget]] = {
    FirstPage: first_pages.first,
    states.Standby: pickup_pages.standby,
    states.Home: pickup_pages.home,
    states.CodeEntry: pickup_pages.code_entry,
    states.Wait: pickup_pages.wait,
    states.Choose: pickup_pages.choose,
    states.Opening: door_pages.opening,
    states.Door: door_pages.door,
    states.Fetch: door_pages.fetch,
    states.Done: door_pages.done,
    states.Refused: door_pages.refused,
    states.Staff: door_pages.staff,
    states.Help: door_pages.help_called,
    states.Shut: door_pages.shut,
    states.Broken: door_pages.broken,
    states.BillKind: bill_pages.kinds,
    states.BillAccount: bill_pages.account,
    states.BillList: bill_pages.found,
    states.BillConfirm: bill_pages.confirm,
    states.BillCash: bill_pages.cash,
    states.Slip: bill_pages.slip,
    staff.Login: board_pages.login,
    staff.Board: board_pages.board,
    staff.Money: board_pages.money,
    staff.Sync: device_pages.sync,
    StickPage: sheet_pages.stick,
    SheetPage: sheet_pages.sheet,
    staff.Devices: device_pages.devices,
    staff.Cells: device_pages.cells,
    Checkup: doctor_pages.checkup,
    staff.Intake: intake_pages.intake,
    staff.IntakeCarrier: intake_pages.carrier,
    staff.IntakePhone: intake_pages.phone,
    staff.IntakeConsent: intake_pages.consent,
    staff.IntakeDoor: intake_pages.door,
    staff.Pending: parcel_pages.pending,
    batch.GunList: batch_pages.gun_list,
    staff.Search: parcel_pages.search,
    staff.ParcelCard: parcel_pages.card,
    staff.CheckPerson: parcel_pages.check_person,
    tech.Tools: technician_pages.tools,
    tech.RawView: scan_pages.raw,
    tech.EnrolGun: scan_pages.enrol,
    tech.DisplayTrial: technician_pages.display,
    tech.PrintTrial: technician_pages.print_trial,
    tech.ScaleTrial: technician_pages.scale_trial,
    tech.DoorWall: trial_pages.wall,
    tech.DoorReason: trial_pages.reason,
    tech.DoorMoves: trial_pages.moves,
    tech.PolarityQuestion: trial_pages.question,
    tech.PolarityVerdict: trial_pages.verdict,
    tech.TouchGrid: touch_pages.grid,
    tech.TouchVerdict: touch_pages.verdict,
    WeighGoods: weigh_pages.weigh,
    wiz.FirstPin: wizard_pages.first_pin,
    wiz.Wizard: wizard_pages.overview,
    wiz.WizardTrial: wizard_trial_pages.trial,
    wiz.WizardDoor: wizard_trial_pages.door,
    wiz.WizardGrid: touch_pages.grid,
    wiz.WizardSkip: wizard_pages.skip,
    wiz.WizardResult: wizard_pages.result,
    wiz.RecordPage: record_pages.record,
}


def draw(kit: Kit) -> Widget:
    """The page of the frame; while the idle question stands, the question alone can be touched."""
    if kit.frame.ask_s is not None:
        return _question(kit)
    return DRAWINGS[type(kit.frame.state)](kit)


def _question(kit: Kit) -> Widget:
    """A page of its own: what the person left open is not shown to whoever comes next."""
    accent = theme.STAFF if kit.staff else theme.PICKUP
    seconds = kit.live_text(
        lambda frame: kit.t("idle.seconds", n=frame.ask_s or 0),
        theme.MAIN,
        align="center",
        colour=theme.SOFT,
        height=14,
    )
    here = kit.button("idle.here", kit.t("idle.here"), accent, em=theme.BIG, height=30, icon="check")
    body = column(
        Widget(),
        kit.text(kit.t("idle.title"), theme.HUGE, bold=True, align="center", height=36, floor=9),
        seconds,
        fix(row(Widget(), weigh(here, 2), Widget()), height=kit.mm(30)),
        Widget(),
        gap=kit.mm(5),
        pad=kit.mm(6),
    )
    if kit.staff:
        return body
    head = fix(row(Widget(), help_button(kit)), height=kit.mm(HEAD))
    return column(head, weigh(body, 1), pad=(kit.mm(PAD), kit.mm(3), kit.mm(PAD), kit.mm(3)))
