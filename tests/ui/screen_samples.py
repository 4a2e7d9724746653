"""One frame for every screen and every part of it that looks different: long names, large sums, full lists, bad news.

Not a test; `draw.py` draws them and the tests of the view models press their buttons.
"""

from __future__ import annotations

from dataclasses import replace

from stick_samples import RELEASE_STICKS, STICKS, stick_pages
from technician_samples import ALIKE_TOOLS, tool_samples
from wizard_samples import ALIKE_WIZARD, wizard_samples

from edge import steps as s
from edge.mistakes import Problem, mistake
from edge.model import (
    AccountNo,
    BillId,
    CellNo,
    Fen,
    Name,
    OperatorId,
    ParcelId,
    Phone,
    PickupCode,
    Place,
    Role,
)
from edge.steps.stick import StickDone
from ui import words
from ui.viewmodels import Face, Frame, Notice, Now, State
from ui.viewmodels import staff_states as staff
from ui.viewmodels import states as v
from ui.viewmodels.batch import GunList
from ui.viewmodels.checkup import Checkup
from ui.viewmodels.first import FirstPage
from ui.viewmodels.stick import StickPage
from ui.viewmodels.weigh import WeighGoods

AT = 1_782_869_400_000  # 2026-07-01 09:30 in Beijing
OFFLINE = s.LinkState(online=False, days_offline=3, pending=1482)
SENDING = s.LinkState(online=True, days_offline=0, pending=37)
CLAIM = s.Pairing("waiting", "K7QM-2XWD-P4TR", "VPCLAIM:1:K7QM-2XWD-P4TR")
NOTICES = (
    "七月五日上午九点，村委会门口发放秋种补贴，请带身份证。",
    "停水通知：七月三日八点到十八点，长春村一组、二组。",
    "猕猴桃收购价：一级每公斤 8.60 元。",
)


def first_pages(rows: tuple[int, int]) -> dict[str, Frame]:
    """The page of a terminal without settings, in every state that looks different."""
    waiting = s.FirstStart("waiting", CLAIM.code, CLAIM.qr, "023-79220000", network="up", address="192.168.1.23")
    profiles = mistake("one_of", choices=("village_point", "urban_locker", "shelf_only"))
    polarities = mistake("one_of", choices=("short_when_locked", "open_when_locked", "short_when_open"))
    mistakes = (
        Problem(3, "profile", replace(profiles, meant="village_point")),
        Problem(14, "devices.locker.polarity", replace(polarities, meant="short_when_locked")),
        Problem(27, "shelf.levels", mistake("whole", low=1, high=20)),
        Problem(31, "devices.gun.path", replace(mistake("path"), is_missing=True)),
    )
    bare = replace(waiting, code="", qr="")
    wrong = s.ProfileRefused("hub", "invalid", "", mistakes * 3)
    foreign = s.ProfileRefused("stick", "other_device", "AAAA-BBBB-CCCC")
    told = {
        "waiting": waiting,
        "line": replace(waiting, state="line", phone="", network="no_cable", address=""),
        "refused": replace(waiting, state="refused"),
        "card": replace(waiting, may_go_on=True, network="no_address"),
        "card-wrong": replace(waiting, refusals=(replace(wrong, source="card"), foreign)),
        "no-district": replace(bare, state="no_district", file="/boot/firmware/village-point"),
        "bad-district": replace(
            bare, state="bad_district", file="/boot/firmware/village-point/district.toml", mistakes=mistakes * 3
        ),
        "bad-settings": replace(
            bare, state="bad_settings", phone="", file="/etc/village-point/point.toml", mistakes=mistakes * 3
        ),
        "no-profile": replace(bare, state="no_profile", site="QJ-0001"),
        "wrong-profile": replace(bare, state="no_profile", site="QJ-0001", refusals=(wrong,)),
        "wrong-profiles": replace(bare, state="no_profile", site="QJ-0001", refusals=(wrong, foreign)),
    }
    pages = {f"first-{name}": frame(FirstPage(each), rows) for name, each in told.items()}
    return pages | {"first-go-on": frame(FirstPage(told["card"], asks_go_on=True), rows)}


def parcel(n: int, carrier: str = "YTO", **changes: object) -> s.ParcelLine:
    line = s.ParcelLine(
        id=ParcelId(f"p{n}"),
        waybill_no=f"YT{7_512_345_678_900 + n}",
        carrier=carrier,
        recipient=Name("欧阳秀英"),
        phone=Phone("13812345678"),
        place=Place(f"A-2-{n:03d}"),
        cell=None,
        state="on_shelf",
        notified=True,
        days_here=n % 5,
    )
    return replace(line, **changes)  # type: ignore[arg-type]


def in_cell(n: int, cell: int, carrier: str = "SF") -> s.ParcelLine:
    waybill = f"SF{1_234_567_890_100 + n}"
    return parcel(n, carrier, waybill_no=waybill, cell=CellNo(cell), place=None, state="in_locker")


def bill(n: int, kind: str = "power", fen: int = 8650, **changes: object) -> s.BillLine:
    billers = {"power": "国网重庆市电力公司黔江供电分公司", "water": "黔江区乡镇自来水公司", "gas": "黔江燃气有限公司"}
    line = s.BillLine(
        id=BillId(f"b{n}"),
        biller=billers[kind],
        kind=kind,
        account_no=AccountNo(f"50023900{n:04d}"),
        name=Name("司马相如"),
        period="2026年6月",
        fen=Fen(fen),
        state="unpaid",
    )
    return replace(line, **changes)  # type: ignore[arg-type]


PARCELS = (
    in_cell(1, 7),
    in_cell(2, 24, "POST"),
    parcel(3),
    parcel(4, "YMDD"),
    parcel(5, "DEPPON"),
    parcel(6),
    parcel(7),
)
BILLS = (
    bill(1),
    bill(2, "water", 1_234_567),
    bill(3, "gas", 990, state="accepted"),
    bill(4, "power", 45_000, state="posted"),
)
TAKEN = (
    bill(1, state="accepted", slip="JX01-000123", at=AT),
    bill(2, "water", 1_234_567, state="posted", slip="JX01-000124", at=AT),
    bill(3, "gas", 990, state="refused", slip="JX01-000125", at=AT, reason="户号已销户"),
    bill(4, state="reversed", slip="JX01-000126", at=AT),
    bill(5, fen=5, state="accepted", slip="JX01-000127", at=AT),
    bill(6, state="accepted", slip="JX01-000128", at=AT),
    bill(7, state="accepted", slip="JX01-000129", at=AT),
)
DAY = s.DayBoard(
    arrived=187, picked_up=142, in_locker=22, on_shelf=536, expected=60, overdue=14, exceptions=2, bills_accepted=31,
    bills_unposted=9, cash_fen=Fen(1_268_450), cells_free=1, cells_out=1,
    alarms=("wrong_door:7", "fork", "disk_low", "backup_old"), refunds=1,
    pending_deposits=(in_cell(8, 12), in_cell(9, 3)),
)  # fmt: skip
QUIET_DAY = s.DayBoard(
    arrived=0, picked_up=0, in_locker=0, on_shelf=0, expected=60, overdue=0, exceptions=0, bills_accepted=0,
    bills_unposted=0, cash_fen=Fen(0), cells_free=24, cells_out=0, alarms=(),
)  # fmt: skip
PRINTED = (
    "printing", "done", "sent", "unknown", "never", "paper", "cover", "fault", "away", "silent", "limit",
)  # fmt: skip
FOUND = s.ParcelsBoard("5678", (*PARCELS, parcel(8, state="exception", overdue=True), parcel(9, overdue=True)), more=31)
WELL = s.Finding("lock", "ok", "", "device_ok")
SILENT = s.Finding("lock", "fault", "L11", "lock_silent")  # in English the longest sentence of a device
DEVICES = s.DevicesBoard(
    devices=(
        s.DeviceLine("locker-1", "lock", "ok", WELL),
        s.DeviceLine("locker-2", "lock", "away", SILENT),
        s.DeviceLine("scanner-counter", "scanner", "away", s.Finding("scanner", "fault", "G01", "scanner_no_port")),
        s.DeviceLine("led-front", "display", "degraded", s.Finding("display", "warn", "D13", "any_noisy")),
        s.DeviceLine("scanner-hall", "scanner", "ok", WELL),
    ),
    disk_free_mb=412, backup_age_h=None, clock_synced=False, renderer="llvmpipe (LLVM 15.0.6, 256 bits)",
    version="0.1.0", update=s.UpdateLine("A", "0.1.0", "fell_back", "0.2.0", None, "screen"),
)  # fmt: skip
GOOD_DEVICES = replace(DEVICES, update=None, disk_free_mb=21_480, backup_age_h=1, clock_synced=True, renderer="V3D 4.2")
UPDATE = s.UpdateLine("B", "0.12.3", "refused", "0.13.0", None, "wrong_base")  # the longest sentence
CHECKUP = s.CheckupBoard(
    (
        s.Finding("lock", "fault", "L21", "any_part_silent", (("where", "2, 3, 4, 5, 6, 7 ..."),), "locker-hall", 1),
        s.Finding("lock", "fault", "L23", "any_wrong_door", (("cell", 112), ("moved", "7, 8")), "locker-2", 2),
        s.Finding("scanner", "fault", "G01", "scanner_no_port", (), "scanner-counter", 3),
        s.Finding("books", "fault", "B12", "books_broken"),
        s.Finding("link", "fault", "N02", "link_off_long", (("days", 17), ("n", 14_000))),
        s.Finding("price_display", "unknown", "C41", "any_blind", (), "price-counter-left", 4),
        s.Finding("heat", "unknown", "T30", "heat_unknown"),
        s.Finding("printer", "ok", "", "device_ok", (), "printer", 5),
        s.Finding("disk", "ok", "", "disk_ok", (("mb", 21_480),)),
    ),
    "VP1 QJ-0001 0.1.0 2607010130 " + "/".join(f"L{n:02d}.{n}" for n in range(1, 41)) + "/+12",
)
_SLOTS = (
    ("where", "2, 3, 4, 5, 6, 7 ..."), ("cell", 112), ("moved", "7, 8"), ("mb", 21_480), ("percent", 100),
    ("n", 14_000), ("day", "2026-07-01"), ("celsius", 91), ("days", 117), ("hours", 150),
)  # fmt: skip


def _longest(lang: str) -> list[str]:
    """The longest sentences of the doctor, which must fit like the others."""
    said = {key[7:]: text for key, text in words.catalogue(lang).items() if key.startswith("doctor.")}
    return sorted(said, key=lambda key: -len(said[key]))[:8]


LONG = s.CheckupBoard(
    tuple(
        s.Finding("price_display", "fault", "C45", key, _SLOTS, "price-counter-left", 12)
        for key in dict.fromkeys(_longest("zh") + _longest("en"))
    ),
    "VP1 QJ-0001 0.1.0 2607010130 OK",
)
SYNC = s.SyncBoard(
    online=False, days_offline=7, pending=14_000, last_ack_at=AT, refused=("户号不存在", "包裹不在本区"),
    log_id="9f31c2d07ab4", upto=99_812, fork=True,
)  # fmt: skip
SLIP = s.SlipShown(bill(1), "JX01-000123", "冉站长", AT, posted=False, check="9f31c2d0")
STORED = s.Stored(parcel(13), 41, PickupCode("123456"))


TIGHTEST = "1024x600"
# Pages that differ by one sentence only: drawn at the size where room is least.
ALIKE_PAGES = frozenset(
    "refused-unreadable refused-unknown_code refused-ask_staff refused-not_here refused-unknown_bill "
    "refused-busy refused-secret_code refused-grant_over refused-no_answer staff-stayed_closed "
    "staff-unknown staff-not_there staff-no_answer staff-left_open refused-disk_low "
    "refused-already_accepted refused-refund_due refused-refunded intake_door-opening devices-good money-none "
    "board-quiet login closed-S4 "
    "home-offline standby-offline pickup-busy account cash-busy choose search-none sync-done "
    "intake_phone-empty board-empty cells sync-revoked intake-busy intake_door-late idle-staff pickup "
    "slip-done slip-never slip-cover slip-fault slip-away slip-silent weigh-busy weigh-restless "
    "weigh-overload weigh-away weigh-silent weigh-unfit".split()
)
ALIKE = ALIKE_PAGES | ALIKE_TOOLS | ALIKE_WIZARD


def frame(state: State, rows: tuple[int, int] = (3, 5), **changes: object) -> Frame:
    face = Face("金溪镇长春村服务点", "023-79001234", villager_rows=rows[0], operator_rows=rows[1])
    made = Frame(face=face, state=state, lang="zh", now=Now("09:30", (2026, 7, 1, 2)), notices=NOTICES)
    if state.who == "staff":
        made = replace(made, role=Role.OPERATOR, operator="冉站长", day=DAY)
    return replace(made, **changes)  # type: ignore[arg-type]


def samples(rows: tuple[int, int] = (3, 5)) -> dict[str, Frame]:
    """Name of the picture -> frame. Names begin with the screen's."""
    made = {
        **_pickup(rows), **_doors(rows), **_bills(rows), **_staff(rows), **_intake(rows), **_technician(rows),
        **_weigh(rows),
    }  # fmt: skip
    every = sorted({f.state.screen for f in made.values()})
    asked = frame(v.CodeEntry("12"), rows, ask_s=27)
    made |= tool_samples(rows, frame) | wizard_samples(rows, frame)
    return {**made, "idle": asked, "idle-staff": frame(staff.Board(), rows, ask_s=9)} if every else {}


def _pickup(rows: tuple[int, int]) -> dict[str, Frame]:
    many = v.Choose(PARCELS, "g1", (PARCELS[0].id, PARCELS[2].id))
    return {
        "standby": frame(v.Standby(), rows),
        **first_pages(rows),
        "standby-pairing": frame(v.Standby(), rows, link=OFFLINE, pairing=CLAIM),
        "standby-pairing-line": frame(v.Standby(), rows, link=OFFLINE, pairing=replace(CLAIM, state="line")),
        "standby-pairing-first": frame(v.Standby(), rows, link=OFFLINE, pairing=s.Pairing("wrong_hub")),
        "standby-offline": frame(v.Standby(), rows, link=OFFLINE, notices=()),
        "standby-offline-notices": frame(v.Standby(), rows, link=OFFLINE),
        "home": frame(v.Home(), rows),
        "home-offline": frame(v.Home(), rows, link=OFFLINE),
        "pickup": frame(v.CodeEntry(), rows),
        "pickup-typing": frame(v.CodeEntry("1234"), rows),
        "pickup-tail": frame(v.CodeEntry("123456", "56"), rows, link=OFFLINE),
        "pickup-busy": frame(v.CodeEntry(busy=True), rows),
        "wait": frame(v.Wait("bill", words=True), rows),
        "choose": frame(v.Choose(PARCELS[:2], "g1"), rows),
        "choose-many": frame(many, rows),
    }


def _doors(rows: tuple[int, int]) -> dict[str, Frame]:
    codes = (
        "unreadable", "unknown_code", "wrong_code", "locked_out", "ask_staff", "not_here", "unknown_bill",
        "already_accepted", "refund_due", "refunded", "secret_code", "busy", "grant_over", "disk_low", "no_answer",
        "something_new",
    )  # fmt: skip
    slots = (("minutes", 5), ("slip", "JX01-000123"), ("where", "A-2-013"))
    refusals = {
        f"refused-{code}": frame(v.Refused(code, slots, "bill" if "bill" in code else "pickup"), rows, left_s=25)
        for code in codes
    }
    whys = ("stayed_closed", "unknown", "not_there", "wrong_door", "no_answer", "left_open")
    return {
        **refusals,
        **{f"staff-{why}": frame(v.Staff(CellNo(24), why), rows, left_s=12) for why in whys},
        "opening": frame(v.Opening(CellNo(24)), rows),
        "door": frame(v.Door(CellNo(24), 45, 2), rows, left_s=38),
        "door-remind": frame(v.Door(CellNo(7), 45, stage="remind"), rows, left_s=18, link=OFFLINE),
        "door-late": frame(v.Door(CellNo(7), 0, stage="late"), rows),
        "door-blind": frame(v.Door(CellNo(112), 45, 1), rows, left_s=44, face=_blind(rows)),
        "fetch": frame(v.Fetch(PARCELS[2:3]), rows),
        "fetch-many": frame(v.Fetch(PARCELS[2:]), rows),
        "fetch-offline": frame(v.Fetch(PARCELS[2:3]), rows, link=s.LinkState(False, 14, 99_999)),
        "thanks": frame(v.Done(3), rows, left_s=29),
        "help": frame(v.Help("023-79001234", v.Home()), rows, left_s=29),
        "closed": frame(v.Shut("S1", "backup-2026-07-01.db"), rows),
        "closed-S4": frame(v.Shut("S9"), rows),
        "trouble": frame(v.Broken("E40213"), rows),
    }


def _gun_lists(rows: tuple[int, int]) -> dict[str, Frame]:
    """What a gun had in its memory: before and after the shelf, the question, nothing left."""
    names = (Name("欧阳秀英"), Name("冉䶮"), None)
    kinds = ("shelf", "shelf", "cell", "consent", "carrier", "unknown", "here")
    lines = [
        s.BatchLine(f"YT{7_512_345_678_900 + n}", "" if kind == "carrier" else "YTO", kind, names[n % 3], "B-4-020")
        for n, kind in enumerate(kinds)
    ]
    taken = [replace(line, kind="taken", place=f"A-2-{n:03d}") for n, line in enumerate(lines[:2])]
    board = s.BatchBoard("b1", "gun/2", AT, tuple(lines), 0, 2, 6, 3, False, 1)
    after = replace(board, lines=(*taken, *lines[2:]), proposed=0, waiting=4, whole=True, further=0)
    full = replace(board, scanner="counter_scanner_no_2/12", more=7992, proposed=1234, waiting=8192, useless=1888)
    done = replace(after, lines=tuple(taken), waiting=0, useless=0)
    return {
        "batch": frame(GunList(board), rows),
        "board-codes": frame(staff.Board(), rows, day=replace(DAY, codes=8192)),
        "board-codes-alone": frame(staff.Board(), rows, day=replace(QUIET_DAY, codes=7)),
        "batch-full": frame(GunList(full), rows),
        "batch-after": frame(GunList(after), rows, notice=Notice("refused.no_free_place")),
        "batch-ask": frame(GunList(after, ask=True), rows),
        "batch-done": frame(GunList(done), rows),
        "batch-none": frame(GunList(s.BatchBoard()), rows),
    }


def _blind(rows: tuple[int, int]) -> Face:
    blind = frozenset(range(1, 100))
    return Face("金溪镇长春村服务点", "", blind_cells=blind, villager_rows=rows[0], operator_rows=rows[1])


def _bills(rows: tuple[int, int]) -> dict[str, Frame]:
    large = bill(2, "water", 99_999_999)
    wrong = Notice("refused.wrong_pin", (("minutes", 0), ("slip", ""), ("where", "")))
    return {
        "bill": frame(v.BillKind(), rows, link=OFFLINE),
        "account": frame(v.BillAccount("power"), rows),
        "account-typing": frame(v.BillAccount("", "5002390000011234"), rows),
        "bills": frame(v.BillList(BILLS), rows),
        "confirm": frame(v.BillConfirm(BILLS[0], BILLS), rows),
        "confirm-large": frame(v.BillConfirm(large, BILLS), rows),
        "cash": frame(v.BillCash(BILLS[0], BILLS, "12"), rows),
        "cash-wrong": frame(v.BillCash(large, BILLS), rows, notice=wrong),
        "cash-busy": frame(v.BillCash(BILLS[0], BILLS, busy=True), rows),
        "slip": frame(v.Slip(SLIP), rows, link=OFFLINE),
        **{f"slip-{printed}": frame(v.Slip(SLIP, printed), rows, link=OFFLINE) for printed in PRINTED},
        "slip-receipt": frame(v.Slip(replace(SLIP, posted=True, bill=replace(large, fen=Fen(16_816_883)))), rows),
    }


def _staff(rows: tuple[int, int]) -> dict[str, Frame]:
    good = Notice("told.handed_over", (("n", 2),), bad=False)
    search = staff.Search("5678", FOUND)
    odd = parcel(8, state="exception", overdue=True, notified=False)
    stuck = replace(PARCELS[0], stuck=True)
    return {
        "login": frame(staff.Login(), rows),
        "login-wrong": frame(staff.Login(), rows, notice=Notice("refused.locked_out", (("minutes", 15),))),
        "board": frame(staff.Board(), rows, link=OFFLINE),
        "board-quiet": frame(staff.Board(), rows, day=QUIET_DAY, notice=good),
        "board-empty": frame(staff.Board(), rows, day=None),
        "search": frame(search, rows, link=SENDING),
        "search-none": frame(staff.Search("999", s.ParcelsBoard("999", ())), rows),
        "parcel": frame(staff.ParcelCard(PARCELS[2], search), rows),
        "parcel-exception": frame(staff.ParcelCard(odd, search), rows),
        "parcel-stuck": frame(staff.ParcelCard(stuck, search), rows),
        "parcel-key": frame(staff.ParcelCard(stuck, search, "key"), rows),
        "parcel-ask": frame(staff.ParcelCard(odd, search, "gone"), rows),
        "parcel-open": frame(staff.ParcelCard(PARCELS[0], search, "self", "27041"), rows),
        "parcel-open-wrong": frame(
            staff.ParcelCard(PARCELS[1], search, "proxy"), rows, notice=Notice("refused.locked_out", (("minutes", 15),))
        ),
        "handover": frame(staff.CheckPerson(PARCELS[3]), rows),
        "pending": frame(staff.Pending(), rows),
        **_gun_lists(rows),
        "money": frame(staff.Money(s.BillsBoard(TAKEN, Fen(1_268_450), Fen(99_000))), rows),
        "money-none": frame(staff.Money(s.BillsBoard((), Fen(0), Fen(0))), rows),
        "money-refund": frame(staff.Money(s.BillsBoard(TAKEN, Fen(1_268_450), Fen(99_000)), refund=TAKEN[2]), rows),
        "money-print": frame(
            staff.Money(s.BillsBoard(TAKEN, Fen(1_268_450), Fen(99_000))),
            rows,
            face=_fitted(rows),
            notice=Notice("told_print.paper", (("slip", "000125"),)),
        ),
        "board-scale": frame(staff.Board(), rows, face=_fitted(rows)),
        "sync": frame(staff.Sync(SYNC), rows, link=OFFLINE),
        **{name: frame(state, rows) for name, state in stick_pages().items()},
        "stick-release": replace(
            frame(StickPage(RELEASE_STICKS, done=StickDone("update:wrong_base")), rows),
            role=Role.TECHNICIAN,
            operator="tech1",
        ),
        "stick-placed": replace(
            frame(StickPage(RELEASE_STICKS, done=StickDone("placed")), rows), role=Role.TECHNICIAN, operator="tech1"
        ),
        "stick-technician": replace(
            frame(StickPage(STICKS, done=StickDone("bundled")), rows), role=Role.TECHNICIAN, operator="tech1"
        ),
        "sync-revoked": frame(staff.Sync(replace(SYNC, fork=False, refused=(), refused_by="revoked")), rows),
        "sync-done": frame(staff.Sync(replace(SYNC, online=True, pending=0, fork=False, refused=())), rows),
    }


TICKET = s.Ticket("W000123", 12_345, 350, Fen(860), Fen(10_617), "冉站长", AT, "9f31c2d0", reweigh="W000122")


def _fitted(rows: tuple[int, int]) -> Face:
    """A point with printer and scale."""
    return Face(
        "金溪镇长春村服务点", "", has_printer=True, has_scale=True, villager_rows=rows[0], operator_rows=rows[1]
    )


def _weigh(rows: tuple[int, int]) -> dict[str, Frame]:
    plain = replace(TICKET, net_g=29_995, tare_g=0, fen_per_kg=None, fen=None, reweigh=None)
    dear = replace(TICKET, net_g=29_995, fen_per_kg=Fen(99_999), fen=Fen(2_999_470))
    states = {
        "weigh": WeighGoods(last=TICKET),
        "weigh-busy": WeighGoods(price="860", busy=True),
        "weigh-done": WeighGoods(price="860", ticket=TICKET, last=TICKET, tare_g=350, printed="done"),
        "weigh-plain": WeighGoods(ticket=plain, last=plain, printed="silent"),
        "weigh-dear": WeighGoods(price="9999", ticket=dear, last=dear, tare_g=350, printed="cover"),
        "weigh-same": WeighGoods(price="860", ticket=TICKET, last=TICKET, why="same_load"),
    }
    whys = ("empty", "restless", "overload", "away", "silent", "garbled", "unfit")
    states |= {f"weigh-{why}": WeighGoods(why=why, tare_g=350) for why in whys}
    tared = Notice("told.tare", (("kg", "0.350"),), bad=False)
    return {
        **{name: frame(state, rows, face=_fitted(rows)) for name, state in states.items()},
        "weigh-tared": frame(WeighGoods(tare_g=350), rows, face=_fitted(rows), notice=tared),
    }


def _intake(rows: tuple[int, int]) -> dict[str, Frame]:
    slots = (("minutes", 0), ("slip", ""), ("where", "A-2-013"))
    return {
        "intake": frame(staff.Intake(), rows),
        "intake-busy": frame(staff.Intake(busy=True), rows),
        "intake-stored": frame(staff.Intake(), rows, stored=STORED, link=OFFLINE),
        "intake-stored-cell": frame(
            staff.Intake(), rows, stored=replace(STORED, parcel=in_cell(3, 17)), target="locker"
        ),
        "intake-refused": frame(staff.Intake(), rows, notice=Notice("refused.already_in_stock", slots), stored=STORED),
        "intake-refused-again": frame(staff.Intake(), rows, notice=Notice("refused.scan_again"), stored=STORED),
        "intake_carrier": frame(staff.IntakeCarrier("773123456789012", ("SF", "YMDD", "POST", "CAINIAO", "XX")), rows),
        "intake_phone": frame(staff.IntakePhone("YT7512345678903", "YTO", "1381234", consented=True), rows),
        "intake_phone-empty": frame(staff.IntakePhone("YT7512345678903", "YTO"), rows),
        "intake_consent": frame(staff.IntakeConsent(parcel(3)), rows),
        "intake_door": frame(staff.IntakeDoor(CellNo(17), "put", in_cell(3, 17), 60), rows, left_s=52),
        "intake_door-late": frame(staff.IntakeDoor(CellNo(17), "late", in_cell(3, 17)), rows),
        "intake_door-opening": frame(staff.IntakeDoor(CellNo(17), "opening"), rows),
    }


def _technician(rows: tuple[int, int]) -> dict[str, Frame]:
    tech = {"role": Role.TECHNICIAN, "operator": OperatorId("T-03")}
    told = Notice("told.cell_out", (("cell", 7),), bad=False)
    return {
        "devices": frame(staff.Devices(DEVICES), rows, **tech),
        "devices-good": frame(staff.Devices(GOOD_DEVICES), rows),
        "devices-update": frame(staff.Devices(replace(GOOD_DEVICES, update=UPDATE)), rows, **tech),
        "cells": frame(staff.Cells("7", "door"), rows),
        "cells-told": frame(staff.Cells(), rows, notice=told, **tech),
        "checkup": frame(Checkup(CHECKUP), rows, **tech),
        "checkup-next": frame(Checkup(CHECKUP, page=1), rows, **tech),
        "checkup-code": frame(Checkup(CHECKUP, shows_code=True), rows, **tech),
        "checkup-busy": frame(Checkup(), rows, **tech),
        **{f"checkup-long-{page}": frame(Checkup(LONG, page=page), rows, **tech) for page in range(2)},
    }
