"""Real touches on the real window: through the input provider, SDL's own events, the bridge and back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from ui.drive_client import DriveError, Driver

ESCAPE, ENTER, F1, F4, F11, LETTER_A = 27, 13, 0x4000003A, 0x4000003D, 0x40000044, 97


class Stand:
    """A running kiosk, its driver and what it said."""

    def __init__(self, socket: Path, *more: str) -> None:
        script = str(Path(__file__).with_name("stand.py"))
        self.process = subprocess.Popen(
            [sys.executable, script, str(socket), *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: Queue[str] = Queue()
        self.errors = ""
        self._readers = [Thread(target=self._read, daemon=True), Thread(target=self._read_errors, daemon=True)]
        for reader in self._readers:
            reader.start()
        self.drive = Driver(socket)
        self.drive.wait("standby")

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.strip())

    def _read_errors(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.errors += line

    def say(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def heard(self, start: str, timeout_s: float = 5.0) -> str:
        """The next line that begins so. Errors: Empty after the time-out."""
        deadline = time.monotonic() + timeout_s
        while True:
            line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            if line.startswith(start):
                return line

    def silent(self) -> bool:
        """Whether nothing more was said."""
        try:
            self._lines.get(timeout=0.1)
        except Empty:
            return True
        return False

    def fresh(self) -> None:
        """Home, nothing typed, Chinese."""
        self.say("step Thanks(1)")
        self.drive.wait("thanks")
        self.drive.tap("thanks.done")
        self.drive.wait("home")
        self.drive.lang("zh")

    def end(self) -> None:
        """Stop as the root stops it, and give the pipes back."""
        self.drive.close()
        try:
            self.say("stop")
            self.process.wait(timeout=10)
        finally:
            self.process.kill()
            self.process.wait()
            for reader in self._readers:
                reader.join(5)
            for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
                assert pipe
                pipe.close()


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    made = Stand(tmp_path_factory.mktemp("kiosk") / "drive.sock")
    try:
        yield made
    finally:
        made.end()
    assert made.process.returncode == 0


@pytest.fixture
def stand(kiosk: Stand) -> Stand:
    kiosk.fresh()
    while not kiosk.silent():
        pass
    return kiosk


def typed(stand: Stand) -> int:
    return sum(text == "●" or (text.isdigit() and len(text) == 1) for text in stand.drive.screen()["texts"]) - 10


def test_ready_comes_after_the_first_frame_with_the_renderer(kiosk: Stand) -> None:
    assert kiosk.drive.screen()["renderer"] != ""


def test_a_parcel_is_taken_by_touches(stand: Stand) -> None:
    stand.drive.tap("home.pickup")
    stand.drive.wait("pickup")
    stand.drive.type("4711165678")
    asked = stand.heard("intent")
    stand.say("step OpeningDoor(CellNo(7))")
    stand.drive.wait("opening")
    stand.say("step TakeParcel(CellNo(7), 45, 0)")
    page = stand.drive.wait("door")
    stand.say("step Thanks(1)")
    stand.drive.wait("thanks")

    assert asked == "intent PickUp(code=PickupCode(******), last4='5678')"
    assert "7 号门开了，请取包裹" in page["texts"]


def test_a_scan_on_the_home_screen_needs_no_touch(stand: Stand) -> None:
    stand.say("scan VP1:ABCDEF")

    assert stand.heard("intent") == "intent Scanned(text='VP1:ABCDEF', screen='home', scanner='counter')"
    stand.drive.wait("wait")


def test_steps_keep_their_order(stand: Stand) -> None:
    for cell in range(1, 40):
        stand.say(f"step OpeningDoor(CellNo({cell}))")
    stand.say("step Thanks(39)")
    stand.drive.wait("thanks")

    assert "取好了，共 39 件" in stand.drive.screen()["texts"]


def test_stray_keys_and_the_close_button_do_nothing(stand: Stand) -> None:
    stand.drive.tap("home.pickup")
    stand.drive.wait("pickup")
    stand.drive.type("12")
    before = stand.drive.screen()["texts"]
    for key in (ESCAPE, F1, F4, F11, LETTER_A, ENTER, 49, 8):
        stand.say(f"key {key}")
    stand.say("quit")
    time.sleep(0.5)
    after = stand.drive.screen()

    assert (after["screen"], after["texts"]) == ("pickup", before)
    assert stand.process.poll() is None
    assert stand.silent()


def test_a_mouse_touch_from_the_window_system_counts_once(stand: Stand) -> None:
    stand.drive.tap("home.pickup")
    stand.drive.wait("pickup")
    time.sleep(0.35)
    stand.say("click 610 130")
    time.sleep(0.3)

    assert typed(stand) == 1


def test_a_trembling_finger_counts_once(stand: Stand) -> None:
    stand.drive.tap("home.pickup")
    stand.drive.wait("pickup")
    stand.drive.type("1234")
    stand.drive.tap("pickup.erase")
    stand.drive.tap("pickup.erase", raw=True)
    once = typed(stand)
    time.sleep(0.45)
    stand.drive.tap("pickup.erase")

    assert (once, typed(stand)) == (3, 2)


def test_a_digit_meant_twice_counts_twice(stand: Stand) -> None:
    stand.drive.tap("home.pickup")
    stand.drive.wait("pickup")
    stand.drive.tap("pickup.8")
    time.sleep(0.2)
    stand.drive.tap("pickup.8", raw=True)

    assert typed(stand) == 2


def test_the_finger_that_opened_a_page_does_not_press_on_it(stand: Stand) -> None:
    stand.drive.tap("home.pickup")
    stand.drive.tap("pickup.5", raw=True)
    early = typed(stand)
    stand.drive.tap("pickup.5")

    assert (early, typed(stand)) == (0, 1)


def test_a_button_that_is_not_on_the_page_or_asleep_is_refused(stand: Stand) -> None:
    with pytest.raises(DriveError, match="not on the page"):
        stand.drive.tap("pickup.5")
    stand.drive.tap("home.bill")
    stand.drive.tap("bill.power")
    stand.drive.wait("account")
    with pytest.raises(DriveError, match="asleep"):
        stand.drive.tap("account.ok")


def test_the_language_changes_at_once_and_goes_back_with_the_person(stand: Stand) -> None:
    stand.drive.tap("home.lang")
    english = stand.drive.texts()
    stand.drive.tap("home.back")
    stand.drive.wait("standby")

    assert "Parcels" in english
    assert stand.drive.screen()["lang"] == "zh"


def test_help_is_one_touch_away(stand: Stand) -> None:
    stand.drive.tap("home.help")
    stand.drive.wait("help")

    assert stand.heard("intent") == "intent CallHelp(screen='home')"


def test_a_picture_of_the_screen_is_written(stand: Stand, tmp_path: Path) -> None:
    stand.drive.shot(tmp_path / "home.png")

    assert (tmp_path / "home.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_silence_asks_and_then_empties_the_screen(tmp_path: Path) -> None:
    stand = Stand(tmp_path / "drive.sock", "4")  # seconds; a busy machine types slowly
    try:
        stand.drive.tap("standby.start")
        stand.drive.tap("home.pickup")
        stand.drive.wait("pickup")
        stand.drive.type("47")
        deadline = time.monotonic() + 20
        while not (page := stand.drive.screen())["asking"] and time.monotonic() < deadline:
            time.sleep(0.05)
        stand.drive.wait("home", timeout_s=20)
        stand.drive.tap("home.pickup")
        stand.drive.wait("pickup")

        assert "您还在吗？" in page["texts"]
        assert "●" not in page["texts"]
        assert typed(stand) == 0
    finally:
        stand.end()


def test_a_bug_in_the_window_shows_trouble_with_a_number_and_keeps_the_window(stand: Stand) -> None:
    stand.say("bug")
    page = stand.drive.wait("trouble")
    (number,) = [text.removeprefix("编号 ") for text in page["texts"] if text.startswith("编号 E")]
    stand.fresh()

    assert f"error {number} in the window: ValueError" in stand.errors
    assert "13812345678" not in stand.errors


def spot(stand: Stand, button: str) -> str:
    """Where the middle of a button is, in pixels."""
    x, y = stand.drive.screen()["places"][button]
    return f"{int(x * 1024)} {int(y * 600)}"


def at_handover(stand: Stand, number: int) -> None:
    """The operator has scanned this parcel of the samples; the page is touchable."""
    stand.say(f"step HandOverAsk(samples.PARCELS[{number}])")
    stand.drive.wait("handover")
    time.sleep(0.5)


@pytest.fixture
def counter(stand: Stand) -> Iterator[Stand]:
    """An operator is logged in and has scanned a parcel."""
    stand.drive.tap("home.operator")
    stand.drive.wait("login")
    stand.drive.type("246813")
    stand.drive.tap("login.ok")
    stand.heard("intent Login")
    stand.say("step LoggedIn(OperatorId('O1'), Role.OPERATOR)")
    stand.drive.wait("board")
    stand.heard("intent ShowBoard")
    at_handover(stand, 2)
    yield stand
    stand.say("step LoggedOut()")
    stand.drive.wait("standby")


def test_a_finger_on_one_parcel_hands_no_other_out(counter: Stand) -> None:
    """The next label is scanned while a finger lies on "self" for the one before."""
    stand, self_at = counter, spot(counter, "handover.self")

    stand.say(f"press {self_at}")
    time.sleep(0.3)
    at_handover(stand, 3)
    stand.say(f"let-go {self_at}")
    time.sleep(0.3)
    assert stand.silent()

    stand.say(f"click {self_at}")
    assert stand.heard("intent").startswith("intent HandOver(parcel='p4'")


def test_a_page_that_is_drawn_slowly_is_not_touched_before_it_is_seen(counter: Stand) -> None:
    """On a slow terminal the finger comes down on the old picture and is heard of when the new page is there."""
    stand, self_at = counter, spot(counter, "handover.self")

    stand.say("slow 0.9")
    stand.say("step HandOverAsk(samples.PARCELS[3])")
    time.sleep(0.5)
    stand.say(f"click {self_at}")
    time.sleep(1.0)

    assert stand.silent()


def test_a_page_right_behind_another_is_not_touched_before_it_is_seen(counter: Stand) -> None:
    """The first of the two pages is on the panel for one frame; that it was seen says nothing about the second."""
    stand, self_at = counter, spot(counter, "handover.self")

    stand.say("twice HandOverAsk(samples.PARCELS[3]) ; HandOverAsk(samples.PARCELS[2])")
    time.sleep(0.5)
    stand.say(f"click {self_at}")
    time.sleep(1.0)

    assert stand.silent()


@pytest.mark.parametrize(
    ("asks", "button"),
    [
        ("AskCarrier('77312345678{n}', ('STO', 'ZTO'))", "intake_carrier.STO"),
        ("AskPhone('77312345678{n}', 'STO')", "intake_phone.1"),
    ],
)
def test_a_finger_on_one_question_of_the_intake_answers_no_other(counter: Stand, asks: str, button: str) -> None:
    stand = counter
    stand.say(f"step {asks.format(n=1)}")
    stand.drive.wait(button.partition(".")[0])
    time.sleep(0.5)
    button_at = spot(stand, button)

    stand.say(f"press {button_at}")
    time.sleep(0.3)
    stand.say(f"step {asks.format(n=2)}")
    time.sleep(0.5)
    before = stand.drive.screen()["texts"]
    stand.say(f"let-go {button_at}")
    time.sleep(0.3)

    assert stand.silent()
    assert stand.drive.screen()["texts"] == before


def test_a_finger_that_comes_down_as_the_parcel_changes_hands_none_out(counter: Stand) -> None:
    stand, self_at = counter, spot(counter, "handover.self")

    stand.say("step HandOverAsk(samples.PARCELS[3])")
    stand.say(f"click {self_at}")
    time.sleep(0.5)

    assert stand.silent()


def test_a_finger_on_a_key_counts_though_the_page_is_drawn_anew_under_it(stand: Stand) -> None:
    """The line goes or comes back, and the banner with it, while the finger lies on the key of the same page."""
    stand.drive.tap("home.pickup")
    stand.drive.wait("pickup")
    time.sleep(0.5)

    for number, is_online in enumerate((False, True, False, True), 1):
        key_at = spot(stand, "pickup.7")
        stand.say(f"press {key_at}")
        time.sleep(0.2)
        stand.say(f"step LinkState({is_online}, 0, 3)")
        time.sleep(0.4)
        stand.say(f"let-go {key_at}")
        time.sleep(0.4)
        assert typed(stand) == number
