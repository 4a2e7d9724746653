"""Walk through the drawn pages at random: buttons that are really there, steps, scans, silence, languages. Not a test.

    python tests/ui/walk.py 1024x600 10.1 SEED MOVES

Prints one JSON object: how often each page was seen, and what was wrong (errors, texts cut off, secrets in a repr).
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import traceback
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from draw import prepare, samples
from screen_samples import BILLS, CHECKUP, DAY, DEVICES, FOUND, LONG, PARCELS, SLIP, STORED, SYNC, TAKEN, TICKET
from technician_samples import CELLS, DAMAGED, GS1, GUNS, INVERTED, LED, NEW_GUN, PAYMENT, PRICE, PRINTER, SCALE

from edge import steps as s
from edge.model import CellNo, Fen, OperatorId, Role
from edge.steps import Finding
from edge.steps import workbench as w
from ui.panel import Panel
from ui.settings import UiSettings
from ui.viewmodels import Frame, amounts, on_step, press, scan, tick
from ui.viewmodels.staff_states import Login

C7 = CellNo(7)
BLANK = s.ShowAmount(Fen(0), "")
KINDS = ("shelf", "cell", "consent", "carrier", "unknown", "here", "taken")
LIST = s.BatchBoard(
    "b1", "gun", 1_782_869_400_000,
    tuple(s.BatchLine(f"SF13000000000{n:02d}", "SF", KINDS[n % 7]) for n in range(23)), 40, 4, 15, 3, False, 2,
)  # fmt: skip
PRINT_STATES = ("printing", "done", "sent", "unknown", "paper", "cover", "fault", "away", "silent")
WELL = Finding("display", "ok", "", "device_ok")
STAGES = ("opening", "open", "shut", "left_open", "stayed_closed", "unknown", "not_there", "refused", "wrong_door",
          "unanswered")  # fmt: skip
VERDICTS = ("right", "inverted", "stuck", "other", "not_opened", "blind")
REFUSALS = ("busy", "login_first", "not_allowed", "wrong_pin", "locked_out", "no_printer", "unknown_slip", "no_scale",
            "wrong_amount", "cell_not_empty", "no_such_device", "not_here", "no_free_place", "unknown_code",
            "no_locker", "unreadable", "secret_code", "already_accepted", "disk_low", "grant_over")  # fmt: skip
STEPS: tuple[s.Step, ...] = (
    s.Checking(), s.ParcelsFound(PARCELS, "g"), s.OpeningDoor(C7), s.TakeParcel(C7, 45, 1),
    s.FetchFromShelf(PARCELS[2:3]), s.DoorStillOpen(C7), s.CallStaff(C7, "unknown"), s.CallStaff(None, "no_answer"),
    s.Thanks(2), s.PutIn(PARCELS[0], C7, 60), s.Remind(C7), STORED,
    s.AskCarrier("123456789012", ("SF", "YTO", "OTHER")),
    s.AskPhone("SF1385628716739", "SF"), s.NeedConsent(PARCELS[0]), s.BillsFound(BILLS), s.BillsFound(()), SLIP,
    replace(SLIP, printed="never"), s.LoggedIn(OperatorId("冉站长"), Role.OPERATOR),
    s.LoggedIn(OperatorId("T-03"), Role.TECHNICIAN), s.LoggedOut(), s.HelpCalled("023-79001234"),
    s.HandOverAsk(PARCELS[0]), DAY, replace(DAY, pending_deposits=(), codes=0), replace(DAY, codes=9999), FOUND,
    s.ParcelsBoard("", ()), s.BillsBoard(TAKEN, Fen(9_999_999), Fen(1)), s.BillsBoard((), Fen(0), Fen(0)), SYNC,
    DEVICES, CHECKUP, LONG, s.CheckupBoard((), ""), s.Trouble("0042"), s.CodesWait(0), s.CodesWait(8192), LIST,
    replace(LIST, lines=LIST.lines[:1], more=0), s.BatchBoard(), s.LinkState(False, 12, 99_999),
    s.LinkState(True, 0, 0), s.NoticeBoard(("停电通知",)), s.NoticeBoard(()), s.WeighBoard(TICKET, 350),
    s.WeighBoard(None, 0), s.Weighing(), s.Weighed(TICKET), s.Weighed(replace(TICKET, fen_per_kg=None, fen=None)),
    s.TareSet(0), s.TareSet(350), *(s.NotWeighed(why) for why in ("empty", "same_load", "restless", "overload", "away",
    "silent", "garbled", "unfit")), *(s.Printing(n, x, 1) for n in (SLIP.slip, TICKET.ticket) for x in PRINT_STATES),
    *(s.Refusal(code, {"minutes": 5, "cell": 7, "slip": "000001"}) for code in REFUSALS),
    *(w.ToolShown(tool, GUNS) for tool in ("raw", "enrol")), w.ToolShown("display", (LED, PRICE)),
    w.ToolShown("display", ()), w.ToolShown("print", PRINTER), w.ToolShown("scale", SCALE), w.ToolShown("scale", ()),
    GS1, PAYMENT, DAMAGED, NEW_GUN, w.EnrolShown("ABCDEF2345", 60), w.EnrolOver("late"), w.EnrolOver("no_input"),
    w.DisplayTried("led-front", "lines", "ok", WELL), w.PrinterTried("printer", "unknown", "out", "open"),
    w.ScaleSeen("scale", None), w.ScaleSeen("scale", 12_345, True), w.Tared("scale", "restless"),
    w.DoorsSeen(CELLS), w.DoorsSeen(CELLS[:3], False), w.DoorsSeen(()), w.PolarityAsk(C7),
    *(w.CellTried(C7, stage) for stage in STAGES), *(w.PolarityTold(C7, v, INVERTED) for v in VERDICTS),
)  # fmt: skip


class Walk:
    """One person after another at the kiosk, all of them at once in a hurry and asleep."""

    def __init__(self, root: Any, dice: random.Random, rows: tuple[int, int]) -> None:
        self.root, self.dice = root, dice
        self.starts = list(samples(rows).values())
        self.kinds = sorted({type(start.state).__name__ for start in self.starts})
        self.seen: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.amount: s.ShowAmount = BLANK
        self.view = self.starts[0]

    def go(self, moves: int) -> None:
        for number in range(moves):
            if number % 40 == 0:
                kind = self.dice.choice(self.kinds)  # a page with many samples comes no oftener than others
                self.view = self.dice.choice([each for each in self.starts if type(each.state).__name__ == kind])
                self.amount = BLANK
                self.follow(replace(self.view, state=self.view.state), ())
            move = "start"
            try:
                self.look()
                move = self.move()
            except Exception as error:  # noqa: BLE001  every error is a finding
                at = traceback.extract_tb(error.__traceback__)[-1]
                self.note(f"{type(error).__name__} at {Path(at.filename).name}:{at.lineno} after {move}: {error}")
                self.view = self.starts[0]

    def look(self) -> None:
        """The page can be drawn, nothing is cut off."""
        from kivy.clock import Clock

        from ui.screens.root import widgets_of
        from ui.screens.text import Text

        self.root.show(self.view)
        for _ in range(2):
            Clock.tick()
            Clock.tick_draw()
        self.seen[type(self.view.state).__name__] += 1
        for text in widgets_of(self.root, Text):
            if text.text and not text.fits:
                self.note(f"cut off in {self.view.lang} on {type(self.view.state).__name__}: {text.text}")

    def move(self) -> str:
        """Do one thing, and return what it was."""
        dice, view = self.dice, self.view
        what = dice.random()
        buttons = sorted(name for name, tap in self.root.taps().items() if tap.enabled)
        if what < 0.6 and buttons:
            name = dice.choice(buttons)
            self.follow(*press(view, name))
            return name
        if what < 0.9:
            step = dice.choice(STEPS)
            if isinstance(step, s.LoggedIn) and not view.role:  # the PIN was typed before
                view = view.cleared(Login(busy=True))
            self.follow(*on_step(view, step))
            return repr(step)[:80]
        if what < 0.95:
            idle_ms, shown_ms = dice.choice((0, 9_000, 61_000, 700_000)), dice.choice((0, 7_000, 61_000))
            self.follow(*tick(view, idle_ms, shown_ms))
            return f"silence {idle_ms} {shown_ms}"
        self.follow(*scan(view, dice.choice(("SF1300000000001", "VP1:" + "A" * 26)), "gun"))
        return "scan"

    def follow(self, after: Frame, intents: tuple[s.Intent, ...]) -> None:
        """Go to the next page; what must hold of every page is asked here."""
        for intent in (*intents, *amounts(self.view, after)):
            if isinstance(intent, s.ShowAmount):
                self.amount = intent
        if self.amount != BLANK and after.state.screen in ("standby", "home", "pickup", "board", "login", "intake"):
            self.note(f"an amount stays up on {after.state.screen}")
        if after.state.who == "staff" and not after.role and after.state.screen != "intake_door":
            self.note(f"{type(after.state).__name__} without a login")
        if (pin := getattr(after.state, "pin", "")) and len(pin) > 3 and repr(pin) in repr(after):
            self.note(f"a PIN in the repr of {type(after.state).__name__}")
        if getattr(after.state, "page", 0) < 0:
            self.note(f"{type(after.state).__name__} before its first page")
        self.view = after

    def note(self, what: str) -> None:
        self.wrong[what] += 1


def main(size: str, diagonal: str, seed: str, moves: str) -> None:
    width, height = (int(part) for part in size.split("x"))
    home = tempfile.TemporaryDirectory()
    prepare(UiSettings(width, height, float(diagonal)), Path(home.name))
    from kivy.app import App
    from kivy.base import runTouchApp
    from kivy.clock import Clock

    from ui.screens.root import Root
    from ui.screens.text import register_font
    from ui.screens.theme import Ruler

    register_font()
    panel = Panel(width, height, float(diagonal))
    root = Root(Ruler(panel), lambda _name: None, lambda: None)
    app = App()
    app.root = root
    app._run_prepare()
    runTouchApp(embedded=True)
    Clock._max_fps = 0
    walk = Walk(root, random.Random(int(seed)), (panel.villager_rows, panel.operator_rows))
    walk.go(int(moves))
    print(json.dumps({"seen": walk.seen, "wrong": walk.wrong}, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
