"""A technician goes through the wizard on the real screens: scans, opens doors, reads each device, prints the record.

What the devices show, print and sound is read at their own end and said on the screen. The printer has no paper at
first, and the power goes in the middle: both are part of the morning.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from acts import TECHNICIAN_PIN, Acts
from eyes import Eyes, NotSeen, until
from hands import Hands
from report import Report
from stand import Stand

from tests.tapes import heard
from ui.panel import INCH_MM
from ui.viewmodels.touch_grid import CROSS, EDGE_MM

WIDTH, HEIGHT, INCH = 1280, 800, 10.1  # the panel of the sample
MISS_MM = 1.5  # a finger is no pin
GRAMS = 2350
TAPE = "run/speaker.wav"
CODE = re.compile(r"[A-Z2-7]{10}")
NUMBER = re.compile(r"[0-9]{2,3}|[0-9]{2}\.[0-9]{2}")
TOLD = "wizardtold"


@dataclass(slots=True)
class Gone:
    """What the technician has seen: each step with its result, in the order they came out."""

    results: dict[str, str] = field(default_factory=dict)
    failed_first: dict[str, str] = field(default_factory=dict)  # step -> code, of those tried twice
    after_kill: str = ""  # the step the wizard stood at when it was back
    on_paper: bool = False


class Commission:
    """One technician, one morning. `cut_off` kills the kiosk and brings it back."""

    def __init__(self, stand: Stand, eyes: Eyes, acts: Acts, hands: Hands, cut_off: Callable[[], None]) -> None:
        self._stand, self._eyes, self._acts, self._hands = stand, eyes, acts, hands
        self._cut_off = cut_off
        self.gone = Gone()

    def play(self) -> Gone:
        """Go through all steps, end the run, print the record, log out."""
        told = json.loads(self._stand.point_command("commission", "status"))
        steps = [each["step"] for each in told["steps"]]
        self._log_in()
        self._acts.shot("wizard_new")
        self._driver.tap("wizard.go")
        for number, step in enumerate(steps):
            if number == len(steps) // 2:
                self._killed(step)
            self._do(step)
            self._driver.tap(f"{TOLD}.next")
        self._end()
        return self.gone

    @property
    def _driver(self):  # type: ignore[no-untyped-def]
        return self._acts.driver

    def _log_in(self) -> None:
        """The wizard opens by itself."""
        self._acts.log_in(TECHNICIAN_PIN)
        self._driver.wait("wizard")

    def _killed(self, step: str) -> None:
        """The power goes while a step is on trial."""
        self._driver.wait("wizardtrial|wizarddoor|touch")
        self._cut_off()
        self._log_in()
        done = [row[0] for row in self._eyes.point("SELECT step FROM commissioning_step")]
        self.gone.after_kill = step if set(done) == set(self.gone.results) else "lost"
        self._driver.tap("wizard.go")

    def _do(self, step: str) -> None:
        what, _, device = step.partition(":")
        {
            "scan": self._scan, "door": self._door, "line": self._line, "price": self._price, "weigh": self._weigh,
            "print": self._print, "touch": self._touch, "sound": self._sound, "hub": self._hub,
        }[what](device)  # fmt: skip
        self._driver.wait(TOLD, 45)
        self._acts.shot(f"wizard_{what}_told")
        row = self._eyes.point("SELECT result FROM commissioning_step WHERE step = ?", step)
        self.gone.results[step] = row[0][0]

    # -- the steps

    def _scan(self, gun: str) -> None:
        self._driver.wait("wizardtrial")
        code = until("a code to scan", lambda: next(filter(CODE.fullmatch, self._texts()), ""))
        self._acts.shot("wizard_scan")
        self._acts.scan(code, gun)

    def _door(self, _lock: str) -> None:
        self._driver.wait("wizarddoor")
        self._hands.held |= set(range(1, 100))  # the door stands open until it was looked at
        self._driver.type(TECHNICIAN_PIN)
        self._acts.shot("wizard_door")
        self._driver.tap("wizarddoor.ok")
        until("the question of the door", lambda: "wizardtrial.say_yes" in self._buttons(), 30)
        is_open = "open" in self._stand.cells("doors").values()
        self._driver.tap("wizardtrial.say_yes" if is_open else "wizardtrial.say_no")
        self._hands.held.clear()

    def _line(self, device: str) -> None:
        self._choose(lambda: "".join(filter(str.isdigit, " ".join(self._stand.poke(device, "shown")))))

    def _price(self, device: str) -> None:
        self._choose(lambda: self._stand.poke(device, "shown")[0])

    def _print(self, device: str) -> None:
        """The roll is at its end; then there is a new one."""
        self._driver.wait(TOLD, 45)
        self._acts.shot("wizard_no_paper")
        row = self._eyes.point("SELECT step, code FROM commissioning_step WHERE result = 'failed'")
        self.gone.failed_first |= dict(row)
        self._stand.poke(device, "new_roll")
        until("the printer is well", lambda: self._stand.poke(device, "state")["paper"] == "ok")
        time.sleep(4)  # it is asked every few seconds
        self._driver.tap(f"{TOLD}.again")
        self._choose(lambda: self._big(self._stand.poke(device, "state")["slips"]))

    def _choose(self, read: Callable[[], str]) -> None:
        until("numbers to choose from", lambda: "wizardtrial.say_0" in self._buttons(), 45)
        number = until("a number at the device", read)
        shown = list(filter(NUMBER.fullmatch, self._texts()))
        if number not in shown:
            raise NotSeen(f"the device shows {number}, the screen offers {shown}")
        self._driver.tap(f"wizardtrial.say_{shown.index(number)}")

    def _weigh(self, device: str) -> None:
        until("the pan on the screen", lambda: "wizardtrial.say_wrong" in self._buttons())
        self._stand.poke(device, "put", GRAMS)
        until("a weight at rest", lambda: "wizardtrial.say_right" not in self._driver.screen()["asleep"], 30)
        self._acts.shot("wizard_weigh")
        self._driver.tap("wizardtrial.say_right")
        self._stand.poke(device, "take")

    def _touch(self, _device: str) -> None:
        self._driver.wait("touch")
        time.sleep(0.5)
        px = math.hypot(WIDTH, HEIGHT) / INCH / INCH_MM
        edge, miss = EDGE_MM * px, MISS_MM * px
        for x, y in CROSS:
            self._driver.touch(edge + x * (WIDTH - 2 * edge) + miss, edge + y * (HEIGHT - 2 * edge) - miss)
            time.sleep(0.3)

    def _sound(self, _device: str) -> None:
        """The tape is what would be heard."""
        tape = self._stand.folder / TAPE
        until("the question of the sound", lambda: "wizardtrial.say_0" in self._buttons(), 30)
        high = sum(pitch > 1000 for pitch, _ in heard(tape))
        self._driver.tap(f"wizardtrial.say_{high - 1}" if high else "wizardtrial.say_none")

    def _hub(self, _device: str) -> None:
        """Nothing to do but wait."""

    # -- the end

    def _end(self) -> None:
        self._driver.wait("wizard")
        self._acts.shot("wizard_all")
        self._driver.tap("wizard.end")
        self._driver.wait("record")
        until("the hub's word", lambda: self._eyes.point("SELECT code FROM commissioning")[0][0], 30)
        self._driver.tap("record.back")
        self._driver.wait("wizard")
        until("the button of the record", lambda: "wizard.record" in self._buttons())
        self._driver.tap("wizard.record")
        code = self._eyes.point("SELECT code FROM commissioning")[0][0]
        until("the hub's code on the record", lambda: any(code in text for text in self._texts()))
        self._acts.shot("record")
        self._driver.tap("record.print")
        until("the record on paper", lambda: self._is_on_paper(code), 45)
        self.gone.on_paper = True
        self._driver.tap("record.back")
        self._driver.wait("wizard")
        self._driver.tap("wizard.back")
        self._driver.wait("devices")
        self._acts.log_out()

    def _is_on_paper(self, code: str) -> bool:
        return any(code in line for slip in self._stand.poke("printer", "state")["slips"] for line in slip)

    @staticmethod
    def _big(slips: list[list[str]]) -> str:
        """The number a trial slip has in large type."""
        lines = [line.removeprefix("[big] ") for slip in slips[-1:] for line in slip]
        return next((line for line in lines if re.fullmatch(r"[0-9]{3}", line)), "")

    def _texts(self) -> list[str]:
        return [str(text) for text in self._driver.screen()["texts"]]

    def _buttons(self) -> list[str]:
        return [str(name) for name in self._driver.screen()["buttons"]]


def compare_commissioning(report: Report, stand: Stand, eyes: Eyes, gone: Gone, picture: Path) -> None:
    """The steps as the technician saw them, as the point has them and as the hub has them; digest and code."""
    steps = "SELECT step, result, code, reason, detail FROM commissioning_step ORDER BY step"
    here, there = eyes.point(steps), eyes.hub(steps)
    report.add("commissioning: technician vs point", gone.results, {step: result for step, result, *_ in here})
    report.add("commissioning: steps, codes and measures, point vs hub", here, [tuple(row) for row in there])
    report.add("commissioning: all steps good", {"done"}, set(gone.results.values()))
    report.add("commissioning: without paper first", {"print:printer": "P61"}, gone.failed_first)
    report.add("commissioning: after the kill it went on where it was", True, gone.after_kill in gone.results)
    record = json.loads(stand.point_command("commission", "record", "--picture", str(picture)))
    site = json.loads(stand.hub_command("status"))["sites"][0]["commissioning"]
    report.add("commissioning: digest, point vs hub", record["digest"], site["digest"])
    report.add("commissioning: the hub's code, point vs hub", record["hub"]["code"], site["code"])
    report.add("commissioning: the point believes the hub", "agrees", record["hub"]["state"])
    report.add("commissioning: the record on paper and as a picture", (True, True), (gone.on_paper, picture.exists()))
    doors = eyes.point("SELECT count(*) FROM fact WHERE kind = 'door_trial_asked.1'")[0][0]
    report.add("commissioning: doors opened vs locks", sum(step.startswith("door") for step in gone.results), doors)
