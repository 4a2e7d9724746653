"""The updater's word with the boot loader, on a folder that stands for the firmware partition, cut at each step."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import killed
import pytest

IMAGE = Path(__file__).parents[2] / "packaging/image"
BACKEND = IMAGE / "files/usr/lib/village/rauc-backend"
PRE_INSTALL = IMAGE / "files/usr/lib/village/rauc-pre-install"
BOARDS = ("amd64", "arm64")


class Terminal:
    """A firmware partition with slot A committed and running, and boot files in both slots."""

    def __init__(self, folder: Path, board: str) -> None:
        self.board, self.folder = board, folder
        self.firmware, self.run = folder / "firmware", folder / "run"
        shutil.copytree(IMAGE / "firmware" / board, self.firmware)
        self.run.mkdir()
        self.mounts = folder / "mounts"
        self.mount = folder / "mount"  # the partition is a folder here: how it is mounted is written down
        self.mount.write_text(  # and as the kernel does it refuses while the caller has a file open
            f'#!/bin/sh\n! ls -l /proc/$PPID/fd | grep -q {self.firmware}/ || exit 32\necho "$*" >>{self.mounts}\n'
        )
        self.mount.chmod(0o755)
        for slot in "AB":
            (self.firmware / f"slot-{slot}").mkdir()
            for name in ("vmlinuz", "initrd.img", "cmdline.txt", "boot.cfg"):
                (self.firmware / f"slot-{slot}" / name).write_text(f"{name} of {slot}")
        self.start_in("A")

    @classmethod
    def after(cls, orders: Sequence[tuple[str, ...]], folder: Path, board: str) -> Terminal:
        """One in a new folder that has had these orders, ("restart",) among them."""
        folder.mkdir()
        terminal = cls(folder, board)
        for words in orders:
            terminal.ordered_restart() if words == ("restart",) else terminal.say(*words)
        return terminal

    def start_in(self, slot: str) -> None:
        """What a start does: another kernel command line, an empty /run."""
        (self.folder / "cmdline").write_text(f"root=PARTUUID=x ro rauc.slot={slot} quiet\n")
        shutil.rmtree(self.run)
        self.run.mkdir()

    @property
    def env(self) -> dict[str, str]:
        return {
            "VILLAGE_FIRMWARE": str(self.firmware),
            "VILLAGE_MOUNT": str(self.mount),
            "VILLAGE_RUN": str(self.run),
            "VILLAGE_CMDLINE": str(self.folder / "cmdline"),
            "VILLAGE_BACKEND": str(BACKEND),
            "PATH": "/usr/sbin:/usr/bin",
        }

    @property
    def is_protected(self) -> bool:
        """Whether the partition is read-only, as it is at every start."""
        if not self.mounts.exists():
            return True
        return self.mounts.read_text().splitlines()[-1] == f"-o remount,ro {self.firmware}"

    def say(self, *words: str) -> str:
        return subprocess.run(
            [BACKEND, *words], env=self.env, check=True, capture_output=True, text=True
        ).stdout.strip()

    def refused(self, *words: str) -> str:
        ended = subprocess.run([BACKEND, *words], check=False, env=self.env, capture_output=True, text=True)
        assert ended.returncode != 0
        return ended.stderr

    def power_cut(self) -> str:
        """The slot that the boot loader starts after the power was away: the whole rule of both boot loaders."""
        if self.board == "arm64":  # the firmware's flag is gone: config.txt
            text = (self.firmware / "config.txt").read_text()
            started = next(line for line in text.splitlines() if line.startswith("os_prefix="))[len("os_prefix=slot-")]
        else:
            started = (self.firmware / "grub/committed.cfg").read_text().strip().removeprefix("set committed=")
            environment = self.firmware / "grub/grubenv"
            if environment.exists():
                content = environment.read_bytes()
                assert len(content) == 1024, "GRUB reads no other size"
                if trial := content.decode().split("trial=")[1].split("\n")[0]:
                    environment.write_bytes(content.replace(b"trial=" + trial.encode(), b"trial=", 1) + b"#")
                    environment.write_bytes(environment.read_bytes()[:1024])
                    started = trial
        assert (self.firmware / f"slot-{started}/vmlinuz").exists(), "a slot without a kernel was started"
        self.start_in(started)
        return started

    def ordered_restart(self) -> str:
        """The slot that starts after the system itself went down."""
        flag = self.run / "systemd/reboot-param"
        if self.board == "amd64" or not flag.exists():
            return self.power_cut()
        assert flag.read_text() == "0 tryboot\n"
        text = (self.firmware / "tryboot.txt").read_text()
        started = next(line for line in text.splitlines() if line.startswith("os_prefix="))[len("os_prefix=slot-")]
        self.start_in(started)
        return started


@pytest.fixture(params=BOARDS)
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Terminal:
    (tmp_path / "terminal").mkdir()
    return Terminal(tmp_path / "terminal", request.param)


def test_a_new_slot_is_tried_once_and_kept_when_it_says_it_is_good(terminal: Terminal) -> None:
    terminal.say("set-primary", "B")

    assert terminal.say("get-primary") == "B"
    assert terminal.ordered_restart() == "B"
    assert terminal.say("get-current") == "B"
    assert terminal.say("get-committed") == "A"
    terminal.say("set-state", "B", "good")
    assert terminal.say("get-committed") == terminal.say("get-primary") == "B"
    assert terminal.power_cut() == "B"
    assert terminal.ordered_restart() == "B"


def test_a_slot_that_was_not_found_good_is_not_started_again(terminal: Terminal) -> None:
    terminal.say("set-primary", "B")
    assert terminal.ordered_restart() == "B"

    assert terminal.power_cut() == "A"
    assert terminal.say("get-primary") == "A"
    assert terminal.ordered_restart() == "A"


def test_a_slot_that_failed_may_be_tried_again(terminal: Terminal) -> None:
    terminal.say("set-primary", "B")
    terminal.ordered_restart()
    terminal.power_cut()

    terminal.say("set-primary", "B")

    assert terminal.ordered_restart() == "B"


def test_going_back_to_the_committed_slot_ends_the_trial(terminal: Terminal) -> None:
    terminal.say("set-primary", "B")
    terminal.say("set-primary", "A")

    assert terminal.say("get-primary") == "A"
    assert terminal.ordered_restart() == "A"


@pytest.mark.parametrize("missing", ["vmlinuz", "initrd.img", "cmdline.txt"])
def test_a_slot_without_its_boot_files_is_bad_and_cannot_be_chosen(terminal: Terminal, missing: str) -> None:
    (terminal.firmware / "slot-B" / missing).write_text("")

    assert terminal.say("get-state", "B") == "bad"
    assert "no boot files" in terminal.refused("set-primary", "B")
    assert "no boot files" in terminal.refused("set-state", "B", "good")
    assert terminal.ordered_restart() == "A"


def test_a_slot_marked_bad_is_not_chosen_until_it_is_good(terminal: Terminal) -> None:
    terminal.say("set-primary", "B")
    terminal.say("set-state", "B", "bad")

    assert terminal.say("get-state", "B") == "bad"
    assert "marked bad" in terminal.refused("set-primary", "B")
    assert terminal.ordered_restart() == "A"
    terminal.say("set-state", "B", "good")
    assert terminal.say("get-state", "B") == "good"
    assert terminal.say("get-committed") == "A", "good alone commits only the slot that says it of itself"


def test_the_running_committed_slot_is_never_marked_bad(terminal: Terminal) -> None:
    assert "running" in terminal.refused("set-state", "A", "bad")
    assert terminal.say("get-state", "A") == "good"


@pytest.mark.parametrize("words", [("set-primary", "C"), ("set-state", "A", "odd"), ("get-state",), ("dance",), ()])
def test_what_it_does_not_know_changes_nothing(terminal: Terminal, words: tuple[str, ...]) -> None:
    before = {path: path.read_bytes() for path in terminal.firmware.rglob("*") if path.is_file()}

    terminal.refused(*words)

    assert before == {path: path.read_bytes() for path in terminal.firmware.rglob("*") if path.is_file()}


def test_nothing_is_installed_while_a_slot_is_on_trial(terminal: Terminal) -> None:
    terminal.say("set-primary", "B")
    terminal.ordered_restart()

    during = subprocess.run([PRE_INSTALL], check=False, env=terminal.env, capture_output=True, text=True)
    terminal.say("set-state", "B", "good")
    after = subprocess.run([PRE_INSTALL], check=False, env=terminal.env, capture_output=True, text=True)

    assert (during.returncode, after.returncode) == (1, 0)
    assert "still on trial" in during.stderr


Step = tuple[list[tuple[str, ...]], tuple[str, ...], set[str], str]  # before, the order, what may start, in the end
STEPS: list[Step] = [
    ([], ("set-primary", "B"), {"A", "B"}, "B"),
    ([("set-primary", "B")], ("set-primary", "A"), {"A", "B"}, "A"),
    ([("set-primary", "B"), ("restart",)], ("set-state", "B", "good"), {"A", "B"}, "B"),
    ([("set-primary", "B")], ("set-state", "B", "bad"), {"A", "B"}, "A"),
    ([("set-state", "B", "bad")], ("set-state", "B", "good"), {"A"}, "A"),
]


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("step", STEPS)
def test_a_power_cut_between_any_two_steps_leaves_a_slot_that_starts(
    tmp_path: Path,
    board: str,
    step: Step,
) -> None:
    before, cut, may_start, in_the_end = step
    bin_folder = killed.wrappers(tmp_path / "bin")
    cuts = 0
    for at in killed.every_cut():
        terminal = Terminal.after(before, tmp_path / str(at), board)
        running = terminal.say("get-current")

        finished = killed.run([str(BACKEND), *cut], at=at, bin_folder=bin_folder, env=terminal.env)
        if finished:
            break
        cuts += 1
        assert terminal.power_cut() in may_start
        terminal.start_in(running)  # as if there had been no start in between: the order is given again
        terminal.say(*cut)
        assert terminal.ordered_restart() == in_the_end
        shutil.rmtree(terminal.folder)
    assert cuts > 3


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("step", [STEPS[0], STEPS[2], STEPS[3]])
def test_any_step_that_fails_leaves_a_partition_that_is_read_only_and_a_slot_that_starts(
    tmp_path: Path,
    board: str,
    step: Step,
) -> None:
    before, failing, may_start, in_the_end = step
    bin_folder = killed.wrappers(tmp_path / "bin")
    failed = 0
    for at in killed.every_cut():
        terminal = Terminal.after(before, tmp_path / str(at), board)
        running = terminal.say("get-current")

        succeeded = killed.fail([str(BACKEND), *failing], at=at, bin_folder=bin_folder, env=terminal.env)
        if at > len(killed.called(bin_folder)):
            break

        failed += not succeeded
        assert terminal.is_protected
        assert terminal.ordered_restart() in ({in_the_end} if succeeded else may_start), at
        terminal.start_in(running)
        terminal.say(*failing)
        assert terminal.ordered_restart() == in_the_end
        shutil.rmtree(terminal.folder)
    assert failed > 3


@pytest.mark.parametrize("signal", ["TERM", "INT", "HUP"])
def test_whoever_ends_it_in_the_middle_finds_the_partition_read_only(
    tmp_path: Path, terminal: Terminal, signal: str
) -> None:
    (tmp_path / "bin").mkdir()
    ending = tmp_path / "bin/sync"
    ending.write_text(f"#!/bin/sh\nkill -{signal} $PPID\n")
    ending.chmod(0o755)
    env = {**terminal.env, "PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin"}

    # Whoever runs this may be deaf to a signal, as after nohup, and a shell cannot trap what it was born deaf to.
    hears = ["/usr/bin/env", f"--default-signal={signal}"]
    ended = subprocess.run([*hears, BACKEND, "set-primary", "B"], check=False, env=env, capture_output=True)

    assert ended.returncode != 0
    assert "remount,rw" in terminal.mounts.read_text()
    assert terminal.is_protected
    assert terminal.ordered_restart() == "A"


def test_a_partition_that_stays_writable_is_a_failure(terminal: Terminal) -> None:
    terminal.mount.write_text('#!/bin/sh\ncase "$*" in *remount,ro*) exit 32 ;; esac\n')

    terminal.refused("set-primary", "B")


@pytest.mark.parametrize("board", BOARDS)
def test_a_file_takes_its_name_only_when_it_is_on_the_card(tmp_path: Path, board: str) -> None:
    bin_folder = killed.wrappers(tmp_path / "bin")
    (tmp_path / "terminal").mkdir()
    terminal = Terminal(tmp_path / "terminal", board)

    assert killed.run([str(BACKEND), "set-primary", "B"], at=10_000, bin_folder=bin_folder, env=terminal.env)

    calls = killed.called(bin_folder)
    renamed = calls.index("mv")
    assert calls[renamed - 1] == "sync"
    assert calls[renamed + 1] == "sync"


class Judge:
    """judge-slot on a terminal, with the programs of Debian that it calls written down instead of run."""

    def __init__(self, terminal: Terminal, folder: Path, *, healthy: bool) -> None:
        self.terminal, self.calls = terminal, folder / "calls"
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        for name, status in (("rauc", 0), ("systemctl", 0), ("setpriv", 0 if healthy else 1)):
            (bin_folder / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{self.calls}\nexit {status}\n')
            (bin_folder / name).chmod(0o755)
        settings = folder / "point.toml"
        settings.write_text("")
        self.env = {**terminal.env, "PATH": f"{bin_folder}:/usr/bin", "VILLAGE_SETTINGS": str(settings)}

    def said(self) -> list[str]:
        self.calls.write_text("")
        subprocess.run([BACKEND.with_name("judge-slot")], env=self.env, check=True, capture_output=True)
        return self.calls.read_text().splitlines()


@pytest.mark.parametrize(("healthy", "last"), [(True, "rauc status mark-good"), (False, "systemctl reboot")])
def test_a_slot_on_trial_is_judged_by_its_health(tmp_path: Path, terminal: Terminal, healthy: bool, last: str) -> None:
    judge = Judge(terminal, tmp_path, healthy=healthy)
    terminal.say("set-primary", "B")
    terminal.ordered_restart()

    asked, done = judge.said()

    assert "village-point health --config" in asked
    assert done == last


def test_a_committed_slot_is_not_judged(tmp_path: Path, terminal: Terminal) -> None:
    assert Judge(terminal, tmp_path, healthy=False).said() == []


def test_a_terminal_without_its_firmware_partition_does_not_restart_for_ever(
    tmp_path: Path, terminal: Terminal
) -> None:
    judge = Judge(terminal, tmp_path, healthy=False)
    shutil.rmtree(terminal.firmware)
    terminal.firmware.mkdir()

    assert judge.said() == []


def test_a_point_that_was_never_set_up_keeps_the_slot_it_came_up_with(tmp_path: Path, terminal: Terminal) -> None:
    judge = Judge(terminal, tmp_path, healthy=False)
    (tmp_path / "point.toml").unlink()
    terminal.say("set-primary", "B")
    terminal.ordered_restart()

    assert judge.said() == ["rauc status mark-good"]
