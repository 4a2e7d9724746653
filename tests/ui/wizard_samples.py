"""One frame for every page of the commissioning wizard, good news and bad. Not a test; part of `screen_samples.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edge.model import CellNo, OperatorId, Role
from edge.steps import LinkState
from edge.steps import wizard as z
from ui.viewmodels import Face, Frame, Notice
from ui.viewmodels import states as v
from ui.viewmodels import wizard_states as s
from ui.viewmodels.touch_grid import cross

STEPS = (
    "scan:scanner-counter", "scan:scanner-hall/A", "door:locker", "door:cellar", "line:led-front", "price:price",
    "weigh:scale", "print:printer", "touch", "sound:speaker", "hub",
)  # fmt: skip
SOME = {
    "scan:scanner-counter": ("done", "", "", "]C1 10"),
    "scan:scanner-hall/A": ("failed", "G72", "", ""),
    "door:locker": ("done", "", "", "3"),
    "door:cellar": ("skipped", "", "not_installed", ""),
    "line:led-front": ("failed", "D11", "", ""),
}
EVERY = SOME | {
    "price:price": ("done", "", "", "47.70"),
    "weigh:scale": ("done", "", "", "2.350 kg"),
    "print:printer": ("done", "", "", "377"),
    "touch": ("done", "", "", "5/5, 1.9 mm"),
    "sound:speaker": ("skipped", "", "waits_for_part", ""),
    "hub": ("later", "N01", "", ""),
}
CELLS = tuple(CellNo(n) for n in range(1, 25))
TALL_ROWS = 6
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OFFLINE = LinkState(online=False, days_offline=1, pending=42)
SETTINGS = ("[devices.locker]", 'polarity = "short_when_open"')


def board(results: dict[str, tuple[str, str, str, str]], steps: tuple[str, ...] = STEPS) -> z.WizardBoard:
    lines = tuple(z.WizardLine(step, *results.get(step, ("", "", "", ""))) for step in steps)
    return z.WizardBoard("r1" if results else "", lines)


def record(verdict: str, confirmation: str, *, is_sent: bool = True, **changes: Any) -> z.RecordBoard:
    rows = tuple(z.WizardLine(step, *EVERY[step]) for step in STEPS)
    whole = z.RecordBoard(
        verdict, confirmation, is_sent, "QJ-0001", "7KQ2-M0XD", "0.1.0", "tech1", "r1", 1_782_869_400_000, DIGEST,
        "M3TC-90ZP" if confirmation == "agrees" else "", rows,
    )  # fmt: skip
    return replace(whole, **changes)


def wizard_samples(rows: tuple[int, int], frame: Callable[..., Frame]) -> dict[str, Frame]:
    """Name of the picture -> frame."""
    who = {"role": Role.TECHNICIAN, "operator": OperatorId("tech1")}

    face = Face("金溪镇长春村服务点", "023-79001234", has_printer=True, villager_rows=rows[0], operator_rows=rows[1])
    if rows[0] == TALL_ROWS:
        face = replace(face, width_mm=267.7, height_mm=476.0, scale=1.4)

    def drawn(state: Any, **more: object) -> Frame:
        return frame(state, rows, face=face, **who, **more)

    here = board(SOME)
    every = {**_overviews(), **_trials(here), **_ends(here)}
    return {name: drawn(state) for name, state in every.items()} | {
        "standby-setup": frame(v.Standby(), rows, setup="people"),
        "standby-commission": frame(v.Standby(), rows, setup="commission"),
        "setpin": frame(s.FirstPin("technician", "2468"), rows),
        "setpin-again": frame(s.FirstPin("operator", "", "246813"), rows),
        "setpin-differ": frame(s.FirstPin("operator"), rows, notice=Notice("setpin.differ")),
        "wizarddoor-wrong": drawn(s.WizardDoor(here, "door:cellar", CELLS), notice=Notice("refused.wrong_pin")),
        "wizardtrial-offline": drawn(s.WizardTrial(here, "hub", z.WizardNow("hub", "hub", seconds=30)), link=OFFLINE),
        "record-saved": drawn(s.RecordPage(record("gaps", "agrees")), notice=Notice("record_save.saved", bad=False)),
        "record-several": drawn(s.RecordPage(record("gaps", "agrees")), notice=Notice("record_save.several")),
        "record-printing": drawn(s.RecordPage(record("gaps", "agrees")), notice=Notice("record.printing", bad=False)),
    }


def _overviews() -> dict[str, Any]:
    many = tuple(f"scan:gun-{n}" for n in range(1, 16))
    return {
        "wizard": s.Wizard(board(SOME)),
        "wizard-new": s.Wizard(board({})),
        "wizard-all": s.Wizard(board(EVERY)),
        "wizard-over": s.Wizard(replace(board({}), is_ended=True)),
        "wizard-asking": s.Wizard(),
        "wizard-many": s.Wizard(board({}, many), 1),
    }


def _trials(here: z.WizardBoard) -> dict[str, Any]:
    def at(name: str, stage: str, **more: Any) -> s.WizardTrial:
        return s.WizardTrial(here, name, z.WizardNow(name, stage, **more))

    gun = "scan:scanner-counter"
    three = ("377", "677", "977")
    return {
        "wizardtrial-scan": at(gun, "scan", code="K7QX2M4WZP", seconds=60),
        "wizardtrial-heard": at(gun, "scan", code="K7QX2M4WZP", seconds=60, heard="scanner-hall/A"),
        "wizardtrial-line": at("line:led-front", "choose", choices=("17", "47", "77")),
        "wizardtrial-price": at("price:price", "choose", choices=("17.70", "47.70", "77.70")),
        "wizardtrial-print": at("print:printer", "choose", choices=three),
        "wizardtrial-sound": at("sound:speaker", "choose", choices=("1", "2", "3")),
        "wizardtrial-weigh": at("weigh:scale", "weigh", grams=2350, is_stable=True),
        "wizardtrial-weighing": at("weigh:scale", "weigh"),
        "wizardtrial-busy": at("print:printer", "busy"),
        "wizardtrial-nocell": at("door:locker", "cell"),
        "wizardtrial-opening": at("door:locker", "opening", cell=CellNo(24)),
        "wizardtrial-eyes": at("door:locker", "eyes", cell=CellNo(24)),
        "wizardtrial-shut": at("door:locker", "shut", cell=CellNo(24)),
        "wizardtrial-blind": at("door:locker", "shut", cell=CellNo(24), has_sensor=False),
        "wizardtrial-hub": at("hub", "hub", seconds=30),
        "wizarddoor": s.WizardDoor(here, "door:cellar", CELLS, 1, "1234"),
        "wizarddoor-busy": s.WizardDoor(here, "door:cellar", CELLS, busy=True),
        "touch-cross": replace(cross(), board=here, step="touch", hits=((0, 3, 5), (2, -12, 4))),
        "wizardskip": s.WizardSkip(here, "sound:speaker"),
    }


def _ends(here: z.WizardBoard) -> dict[str, Any]:
    def told(step: str, result: str, code: str = "", detail: str = "", **more: Any) -> s.WizardResult:
        line = z.WizardLine(step, result, code, "", detail)
        return s.WizardResult(here, z.WizardTold(line, **more))

    hit = replace(cross(), hits=((0, 3, 5), (1, -2, 8), (2, -12, 4), (3, 0, 0), (4, 30, 74)))
    dead = replace(cross(), hits=hit.hits[:3])
    inverted = {"key": "eyes_door_inverted", "slots": (("n", 24),), "lines": SETTINGS}
    return {
        "wizardtold": told("scan:scanner-counter", "done", "", "]C1 10"),
        "wizardtold-twice": told("scan:scanner-counter", "done", "G73", "]C1 10", key="eyes_scan_double"),
        "wizardtold-silent": told("line:led-front", "failed", "D11", key="display_silent"),
        "wizardtold-inverted": told("door:locker", "failed", "L71", "24", **inverted),
        "wizardtold-later": told("hub", "later", "N01", key="link_off", slots=(("days", 1), ("n", 42))),
        "wizardtold-touch": replace(told("touch", "failed", "K72", "5/5, 8.0 mm", key="eyes_touch_far"), grid=hit),
        "wizardtold-dead": replace(told("touch", "failed", "K71", "3/5, 1.3 mm", key="eyes_touch_dead"), grid=dead),
        "record": s.RecordPage(record("gaps", "agrees")),
        "record-more": s.RecordPage(record("gaps", "agrees"), 1),
        "record-faults": s.RecordPage(record("faults", "waits", is_sent=False)),
        "record-forged": s.RecordPage(record("whole", "forged")),
        "record-none": s.RecordPage(z.RecordBoard()),
    }


ALIKE_WIZARD = frozenset(
    "wizard-asking wizard-over wizardtrial-price wizardtrial-print wizardtrial-busy wizardtrial-opening setpin-again "
    "wizarddoor-busy wizarddoor-wrong wizardtold-twice wizardtold-silent record-forged record-none record-printing "
    "record-more record-saved standby-commission wizardtrial-weighing wizardtrial-hub".split()
)
