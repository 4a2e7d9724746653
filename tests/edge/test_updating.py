"""A release ordered by the hub runs at the end, or the old one does: over the real reception, with the real RAUC.

Every test plays a terminal with two slots through starts, power cuts and health checks, and looks at what the log tells
the hub at the end.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bundles import BOARD, Releasing, needs_rauc
from rauc_stand import ROOT, Machine, ext4_of, needs_slots
from stockroom import MINUTE, NOON, Clock, Dice, Hub, furnish, new_store

from edge import events as ev
from edge import log, update_trial, updates
from edge.clock import BOOT_ID
from edge.release import PIECE, Offer, Sheet, digest, pieces_bytes, sheet_bytes, spans
from edge.store import Store
from edge.update_ask import Helper
from edge.update_settings import UpdateSettings
from edge.updates import State
from edge.updating import QUIET_MS, Parts, Updating
from sync.enrol import EnrolFault

pytestmark = [needs_rauc, needs_slots, pytest.mark.root, pytest.mark.logs("update to", "update:", "was given up")]
NIGHT = NOON + 14 * 60 * MINUTE  # two in the morning
POINT = """site = "QJ-0001"
name = "金溪村服务点"
profile = "shelf_only"
data_dir = "data"
language = "zh"
sim = true
[[shelf]]
name = "A"
levels = 1
positions = 4
[panel]
width = 1280
height = 800
diagonal_inch = 10.1
[update]
helper = "update.sock"
image_file = "village-image"
keyring = "{keyring}"
"""


@dataclass
class Shelf:
    """What a hub's reception hands out, by SHA-256; `drops` ends a fetch after so many bytes, once each."""

    texts: dict[str, bytes] = field(default_factory=dict)
    drops: list[int] = field(default_factory=list)

    def put(self, *files: tuple[Path, str], version: str = "0.2.0") -> str:
        """Offer bundles, each with the release it builds on; return the sheet's name."""
        offers = []
        for file, base in files:
            content = file.read_bytes()
            listed = pieces_bytes([digest(content[a:b]) for a, b in spans(len(content))])
            self.texts |= {digest(content): content, digest(listed): listed}
            offers.append(Offer(digest(content), len(content), base, digest(listed)))
        sheet = sheet_bytes(Sheet(version, BOARD, tuple(offers)))
        self.texts[digest(sheet)] = sheet
        return digest(sheet)

    def ask_time(self) -> None:
        return None

    def fetch(self, name: str, span: tuple[int, int] | None, sink: object) -> None:
        assert callable(sink)
        content = self.texts[name] if span is None else self.texts[name][span[0] : span[1]]
        if span is not None and self.drops:
            sink(content[: self.drops.pop(0)])
            raise EnrolFault("line", "the line dropped")
        sink(content)


@dataclass
class Counter:
    """The kiosk around it."""

    busy: bool = False
    online: bool = True
    health: dict[str, str] = field(default_factory=lambda: {"lock1": "ok", "led": "away"})

    def is_busy(self) -> bool:
        return self.busy

    def devices(self) -> dict[str, str]:
        return self.health

    def is_online(self) -> bool:
        return self.online


class Terminal:
    """The terminal of these tests: the machine, its books, and the task of whichever release runs."""

    def __init__(self, folder: Path, releasing: Releasing, *, still: bool = False) -> None:
        """`still`: nothing will be written, so RAUC need not run."""
        self.still = still
        self.machine = Machine(folder, releasing)
        self.machine.toml.write_text(POINT.format(keyring=releasing.keyring))
        self.data = self.machine.folder / "data"
        self.data.mkdir()
        self.clock, self.shelf, self.counter, self.hub = Clock(wall=NIGHT), Shelf(), Counter(), Hub()
        self.starts = 0
        self.store: Store | None = None
        self.on()
        self.books.run_now(furnish)

    @property
    def books(self) -> Store:
        assert self.store is not None
        return self.store

    def on(self) -> None:
        self.machine.start(still=self.still)
        self.starts += 1
        self.clock.restart(f"boot{self.starts:04d}")
        self.store = new_store(self.data, self.clock, Dice(self.starts))
        self.store.open()
        self.begin_task()

    def begin_task(self) -> None:
        """The kiosk's process begins, with nothing in its memory."""
        settings = UpdateSettings(
            kbit=100_000, helper=self.machine.helper_socket, image_file=self.machine.image_file,
            keyring=self.machine.keyring,
        )  # fmt: skip
        running = settings.running()
        assert running is not None
        parts = Parts(
            self.data / "update", settings, running, Helper(settings.helper), self.shelf, self.clock.boot, 0,
            lambda _s: None,
        )  # fmt: skip
        self.updating = Updating(parts, self.books, self.clock, self.counter)
        self.clock.advance(QUIET_MS)

    def off(self) -> None:
        """The power goes."""
        self.machine.power_cut()
        self.books.close()

    def step(self, times: int = 1) -> None:
        for _ in range(times):
            asyncio.run(self.updating.step())

    def order(self, sheet: str, *, version: str = "0.2.0", at_once: bool = False, order: str = "o1") -> None:
        until = self.clock.wall + 14 * 24 * 60 * MINUTE
        self.hub.tell(self.books, ev.UpdateOrdered(order, version, BOARD, sheet, until, at_once))

    @property
    def state(self) -> State:
        found = self.books.run_now(updates.last)
        assert found is not None
        return found.state

    def told(self) -> list[ev.Fact]:
        """What the log tells of updates."""
        items = [item for item, _ in self.books.run_now(lambda tx: list(log.items(tx)))]
        return [ev.decode(ev.Encoded(i.kind, i.body, {})) for i in items if i.kind.startswith("update_")]

    def slot_holds(self, slot: str, content: bytes) -> bool:
        return (self.machine.folder / f"slot-{slot}").read_bytes()[: len(content)] == content

    def tried(self, version: str = "0.2.0") -> None:
        """Restart into the slot that was written."""
        self.machine.versions["B"] = version
        self.off()
        self.on()


@pytest.fixture(scope="module")
def releasing(tmp_path_factory: pytest.TempPathFactory) -> Releasing:
    return Releasing(tmp_path_factory.mktemp("releasing"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return ext4_of(tmp_path_factory.mktemp("tree"), {"usr/bin/thing": random.Random(5).randbytes(3 * PIECE)})


@pytest.fixture(scope="module")
def whole(releasing: Releasing, root: bytes) -> Path:
    return releasing.bundle("0.2.0", root, form="plain")


@pytest.fixture
def terminal(tmp_path: Path, releasing: Releasing) -> Iterator[Terminal]:
    made = Terminal(tmp_path, releasing)
    yield made
    made.off()


@pytest.fixture
def still(tmp_path: Path, releasing: Releasing) -> Iterator[Terminal]:
    made = Terminal(tmp_path, releasing, still=True)
    yield made
    made.off()


def kinds(facts: list[ev.Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


def test_an_order_becomes_the_running_release(terminal: Terminal, whole: Path, root: bytes) -> None:
    terminal.order(terminal.shelf.put((whole, "")))

    terminal.step(2)  # fetched and written, then the restart is asked for
    assert terminal.slot_holds("B", root)
    assert terminal.machine.wants_restart()
    assert terminal.state is State.WRITTEN

    terminal.tried()
    assert terminal.machine.slot == "B"
    terminal.step()
    assert terminal.state is State.WRITTEN  # on trial
    terminal.machine.mark_good()
    terminal.step()

    assert terminal.state is State.INSTALLED
    assert terminal.told() == [
        ev.UpdateFetched("o1", "0.2.0", "", whole.stat().st_size),
        ev.UpdateWritten("o1", "0.2.0", "0.1.0"),
        ev.UpdateInstalled("o1", "0.2.0", "0.1.0"),
    ]
    terminal.off()
    terminal.on()
    assert terminal.machine.slot == "B"
    terminal.step()
    assert list((terminal.data / "update").glob("[!.]*")) == []


def test_a_trial_that_was_not_marked_good_falls_back_and_says_so(terminal: Terminal, whole: Path) -> None:
    terminal.order(terminal.shelf.put((whole, "")))
    terminal.step(2)
    terminal.tried()
    update_trial.note_verdict(terminal.data / "update", ("screen", "device lock1"))

    terminal.off()  # the health service restarts, or somebody pulls the plug
    terminal.on()
    assert terminal.machine.slot == "A"
    terminal.step(2)

    assert terminal.state is State.FELL_BACK
    assert terminal.told()[-1] == ev.UpdateFellBack("o1", "0.2.0", "0.1.0", "screen, device lock1")
    assert kinds(terminal.told()).count("UpdateFellBack") == 1
    assert update_trial.load(terminal.data / "update") is None


@pytest.mark.soak
def test_a_slot_that_never_started_is_told_as_such(terminal: Terminal, whole: Path) -> None:
    terminal.order(terminal.shelf.put((whole, "")))
    terminal.step(2)
    (terminal.machine.folder / "trial").unlink()  # the power went before the firmware heard of it

    terminal.off()
    terminal.on()
    terminal.step()

    assert terminal.told()[-1] == ev.UpdateFellBack("o1", "0.2.0", "0.1.0", "no_start")


def test_nothing_is_written_while_somebody_is_there(terminal: Terminal, whole: Path) -> None:
    terminal.order(terminal.shelf.put((whole, "")))
    terminal.counter.busy = True
    terminal.step(3)
    assert terminal.state is State.FETCHED

    terminal.counter.busy = False
    terminal.step()
    assert terminal.state is State.FETCHED  # they have only just gone
    terminal.clock.advance(QUIET_MS)
    terminal.step()
    assert terminal.state is State.WRITTEN

    terminal.counter.busy = True
    terminal.step()
    assert not terminal.machine.wants_restart()


@pytest.mark.soak
def test_by_day_it_waits_unless_it_is_to_be_at_once(terminal: Terminal, whole: Path) -> None:
    terminal.clock.wall = NOON
    sheet = terminal.shelf.put((whole, ""))
    terminal.order(sheet)
    terminal.step()
    assert (terminal.state, terminal.told()) == (State.WAITING, [])

    terminal.order(sheet, at_once=True, order="o2")
    terminal.step()
    assert terminal.state is State.WRITTEN


@pytest.mark.soak
def test_a_line_that_drops_is_taken_up_again(terminal: Terminal, whole: Path) -> None:
    terminal.shelf.drops = [1, 50_000, 100_000, 7, 200_000]
    terminal.order(terminal.shelf.put((whole, "")))

    terminal.step(6)

    assert terminal.state is State.WRITTEN
    assert kinds(terminal.told()) == ["UpdateFetched", "UpdateWritten"]


def test_a_rauc_that_does_not_tell_for_a_while_is_asked_again(terminal: Terminal, whole: Path) -> None:
    """Its service or the bus had just died: nothing is wrong with the release, and no order is lost over it."""
    program = terminal.machine.folder / "bin" / "rauc"
    sound = program.read_text()
    terminal.order(terminal.shelf.put((whole, "")))
    program.write_text("#!/bin/sh\nexit 1\n")
    terminal.step(2)
    assert (terminal.state, kinds(terminal.told())) == (State.FETCHED, ["UpdateFetched"])

    program.write_text(sound)
    terminal.step()

    assert terminal.state is State.WRITTEN


LATER = [pytest.param(s, marks=pytest.mark.soak) for s in (0.0, 0.2, 0.6, 0.8, 1.2, 2.0)]


@pytest.mark.parametrize("after_s", [0.4, *LATER])
def test_the_power_may_go_while_it_is_written(terminal: Terminal, whole: Path, root: bytes, after_s: float) -> None:
    """At any moment of the helper's and RAUC's work; the next start writes it again and gets there."""
    terminal.order(terminal.shelf.put((whole, "")))
    terminal.counter.busy = True
    terminal.step()
    terminal.counter.busy = False
    terminal.clock.advance(QUIET_MS)
    cut = threading.Timer(after_s, terminal.machine.power_cut)
    cut.start()
    terminal.step()
    cut.join()
    terminal.books.close()

    terminal.machine.versions["B"] = "0.2.0"  # should it have been whole before the cut
    terminal.on()
    if terminal.machine.slot == "B":  # a quick machine: it was, and is on trial now
        assert terminal.slot_holds("B", root)
        terminal.step()
        assert terminal.state is State.WRITTEN
        return
    terminal.step(4)

    assert terminal.state in (State.WRITTEN, State.FELL_BACK)  # written before the cut: the order for a trial was lost
    assert terminal.state is State.FELL_BACK or terminal.slot_holds("B", root)


@pytest.mark.soak
def test_the_program_may_end_after_every_step(terminal: Terminal, whole: Path) -> None:
    terminal.order(terminal.shelf.put((whole, "")))
    for _ in range(3):
        terminal.step()
        terminal.begin_task()
    terminal.tried()
    for _ in range(2):
        terminal.step()
        terminal.begin_task()
    terminal.machine.mark_good()
    terminal.begin_task()
    terminal.step()
    terminal.begin_task()
    terminal.step()

    assert kinds(terminal.told()) == ["UpdateFetched", "UpdateWritten", "UpdateInstalled"]


WRONG = {
    "older": ("0.0.9", BOARD, "older"),
    "other board": ("0.2.0", "village-terminal-arm64", "other_board"),
}


@pytest.mark.parametrize(("version", "board", "why"), WRONG.values(), ids=WRONG)
def test_what_is_not_for_us_is_refused_before_a_byte_comes(still: Terminal, version: str, board: str, why: str) -> None:
    until = still.clock.wall + MINUTE
    still.hub.tell(still.books, ev.UpdateOrdered("o1", version, board, "0" * 64, until, False))

    still.step()

    assert still.told() == [ev.UpdateRefused("o1", version, why)]
    assert not (still.data / "update").exists() or not list((still.data / "update").glob("[!.]*"))


def test_a_foreign_signature_is_refused_and_the_slot_untouched(still: Terminal, root: bytes, tmp_path: Path) -> None:
    stranger = Releasing(tmp_path, "stranger").bundle("0.2.0", root)
    still.order(still.shelf.put((stranger, "")))

    still.step(2)

    assert still.told() == [ev.UpdateRefused("o1", "0.2.0", "foreign_key")]
    assert still.slot_holds("B", bytes(1 << 20))


def test_an_order_that_is_over_or_withdrawn_is_not_carried_out(still: Terminal, whole: Path) -> None:
    sheet = still.shelf.put((whole, ""))
    still.order(sheet)
    still.hub.tell(still.books, ev.UpdateWithdrawn("o1"))
    still.step()
    assert (still.state, still.told()) == (State.WITHDRAWN, [])

    still.order(sheet, order="o2")
    still.clock.advance(30 * 24 * 60 * MINUTE)
    still.step()
    assert still.told() == [ev.UpdateRefused("o2", "0.2.0", "expired")]


HOOK = b"#!/bin/sh\necho 'the running root is not as it was shipped' >&2\nexit 1\n"


def test_where_the_small_file_does_not_fit_the_whole_one_is_fetched(
    terminal: Terminal, releasing: Releasing, whole: Path, root: bytes
) -> None:
    small = releasing.bundle(
        "0.2.0", b"x" * 9000, base="0.1.0", form="plain", files={"hook": HOOK}, image="root.delta", hooks="install"
    )
    terminal.order(terminal.shelf.put((whole, ""), (small, "0.1.0")))

    terminal.step(3)

    assert terminal.state is State.WRITTEN
    assert terminal.slot_holds("B", root)
    assert [fact.base for fact in terminal.told() if isinstance(fact, ev.UpdateFetched)] == ["0.1.0", ""]


def test_the_helper_takes_nothing_but_signed_files_of_the_folder(terminal: Terminal, whole: Path) -> None:
    """The kiosk's user may ask for anything; the other slot stays as it is."""
    from edge.release import Unfit

    helper, folder = Helper(terminal.machine.helper_socket), terminal.data / "update"
    folder.mkdir(exist_ok=True)
    outside = terminal.data / "outside.raucb"
    outside.write_bytes(whole.read_bytes())
    (folder / f"{'a' * 64}.raucb").symlink_to(outside)
    (folder / f"{'b' * 64}.raucb").write_bytes(b"x" * 5000)
    asked = {"../outside.raucb": "not_ours", f"{'a' * 64}.raucb": "not_written", f"{'b' * 64}.raucb": "half"}
    for name, word in asked.items():
        with pytest.raises(Unfit) as caught:
            helper.install(name, lambda _told: None)
        assert caught.value.word == word
    with pytest.raises(Unfit):
        helper.restart()

    assert terminal.slot_holds("B", bytes(1 << 20))
    assert not terminal.machine.wants_restart()


@pytest.mark.soak
def test_two_at_once_are_one(terminal: Terminal, whole: Path) -> None:
    from edge.release import Unfit

    folder = terminal.data / "update"
    folder.mkdir(exist_ok=True)
    name = f"{digest(whole.read_bytes())}.raucb"
    (folder / name).write_bytes(whole.read_bytes())
    words: list[str] = []

    def ask() -> None:
        try:
            Helper(terminal.machine.helper_socket).install(name, lambda _told: None)
            words.append("done")
        except Unfit as error:
            words.append(error.word)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert words.count("done") >= 1
    assert set(words) <= {"done", "busy"}


def command(terminal: Terminal, *words: object) -> tuple[int, str]:
    """`village-point update …` beside the kiosk, as a technician types it; exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "edge.cli", "update", *map(str, words), "--config", terminal.machine.toml],
        cwd=ROOT, env=terminal.machine.environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_technician_brings_a_release_on_a_stick(
    terminal: Terminal, releasing: Releasing, root: bytes, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    new = shutil.copy(releasing.bundle("0.2.0", root, form="plain"), stick)

    code, said = command(terminal, "install", new)
    assert (code, '"written": "0.2.0"' in said, "tried at the next restart" in said) == (0, True, True), said
    assert terminal.slot_holds("B", root)
    terminal.clock.boot = BOOT_ID.read_text(encoding="ascii").strip()  # the command asked the machine itself
    terminal.begin_task()
    terminal.step()
    assert terminal.machine.wants_restart()
    terminal.tried()
    terminal.machine.mark_good()
    terminal.step()

    assert terminal.told() == [ev.UpdateInstalled("", "0.2.0", "0.1.0")]


def test_an_older_release_wants_force(terminal: Terminal, releasing: Releasing, root: bytes, tmp_path: Path) -> None:
    old = shutil.copy(releasing.bundle("0.0.9", root, form="plain"), tmp_path)

    code, said = command(terminal, "install", old)
    assert (code, "--force puts it on all the same" in said) == (1, True), said
    assert terminal.slot_holds("B", bytes(1 << 20))

    code, said = command(terminal, "install", old, "--force", "--restart")
    assert (code, terminal.slot_holds("B", root), terminal.machine.wants_restart()) == (0, True, True), said
