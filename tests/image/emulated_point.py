"""An emulated point as the scenarios handle it: a card that is prepared, switched on, looked at, touched, and cut.

What a parcel is is not known here; the district around it is image_district.py.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cut_disk import CutDisk
from firmware_disk import FirmwareDisk
from image_district import DRIVE, SERIALS
from machine import Build, DirectStart, Machine, MachineError
from nbd import NbdServer
from root_shell import RootShell, words

from ui.drive_client import DriveError, Driver

T = TypeVar("T")

CARD_FOLDER = "village-point"  # of the firmware partition: what a technician puts there
SLOTS = ("A", "B")
CARD = 4 << 30  # bytes of the card that the image was flashed to: larger than the image, as every card is
KEY_SEEN_S = 30.0
STILL, STILL_S = "the window did not answer", 90.0  # words of ui/drive.py, which waits for ten seconds
START_S = 900.0  # a cold start under emulation took 280 s on two cores that fifteen other programs wanted
PYTHON = "/opt/village-point/bin/python"
EYES = f"""
import os, select, socket, time
port = os.open("/dev/virtio-ports/village.eyes", os.O_RDWR)
while True:
    drive = socket.socket(socket.AF_UNIX)
    try:
        drive.connect("{DRIVE}")
    except OSError:
        time.sleep(0.2)
        continue
    while True:
        ready = select.select([port, drive], [], [])[0]
        try:
            said = os.read(port, 65536) if port in ready else b""
            if port in ready and not said:
                time.sleep(0.1)
            drive.sendall(said)
            if drive in ready:
                shown = drive.recv(65536)
                if not shown:
                    break
                os.write(port, shown)
        except OSError:
            break
"""


class NoSuchButton(MachineError):
    """The page that is open has no such button."""


class EmulatedPoint:
    """One card and the machine it is in."""

    def __init__(self, arch: str, image: Path, folder: Path, accel: str = "tcg", card: int = CARD) -> None:
        self.arch, self.folder, self._accel = arch, folder, accel
        self.disk = CutDisk(image, folder, card)
        self._server = NbdServer(self.disk)
        self._server.start()
        self._machine: Machine | None = None
        self._shell: RootShell | None = None
        self._eyes: Driver | None = None
        self.cuts = 0

    def close(self) -> None:
        if self._machine is not None:
            self._let_go()
            self._machine.kill()
        self._server.stop()
        self.disk.close()

    @property
    def is_on(self) -> bool:
        return self._machine is not None and self._machine.is_on

    @property
    def machine(self) -> Machine:
        """The machine that is on, or was."""
        assert self._machine is not None, "power_on comes first"
        return self._machine

    @property
    def shell(self) -> RootShell:
        assert self._shell is not None, "open_shell comes first"
        return self._shell

    @property
    def eyes(self) -> Driver:
        assert self._eyes is not None, "open_eyes comes first"
        return self._eyes

    # -- the card, while nothing runs

    def put(self, name: str, content: bytes) -> None:
        """Put a file into the card's folder for technicians."""
        with FirmwareDisk(self.disk) as firmware:
            firmware.write(f"{CARD_FOLDER}/{name}", content)

    def open_console(self) -> None:
        """Add the words for a root shell to every slot that has boot files."""
        with FirmwareDisk(self.disk) as firmware:
            for slot in SLOTS:
                for name in ("boot.cfg", "cmdline.txt"):
                    path = f"slot-{slot}/{name}"
                    if firmware.has(path):
                        firmware.write(path, with_words(firmware.read(path).decode(), self.arch).encode())

    # -- power

    def power_on(self, *, trial: bool = False, memory_mib: int = 1024, extra: Sequence[str] = ()) -> Machine:
        """Switch it on; on arm64 this is the firmware as well.

        `trial`: the guest asked for the one-shot start. `extra`: further words for QEMU.
        """
        assert not self.is_on, "it is on"
        build = Build(
            self.arch, self.folder, str(self._server.path), self._accel, memory_mib, ports=SERIALS,
            start=self._firmware(trial=trial) if self.arch == "arm64" else None, extra=extra,
        )  # fmt: skip
        self._machine = Machine(build)
        self.machine.power_on()
        return self.machine

    def kill(self) -> None:
        """The power goes, at this moment. Any thread may do it."""
        self.machine.kill()
        self.cuts += 1

    def settle(self, dice: random.Random) -> int:
        """After a kill: the disk keeps what the dice say. Tell how many writes it hurt."""
        self._let_go()
        self._server.drain()
        return self.disk.cut(dice)

    def cut_power(self, dice: random.Random) -> int:
        """The power goes, and the disk keeps what the dice say. Tell how many writes it hurt."""
        self.kill()
        return self.settle(dice)

    def switch_off(self, seconds: float = 180.0) -> None:
        """Ask the system to end, as its own power button would, and wait."""
        self.shell.type("systemctl poweroff\n")
        self.machine.wait_off(seconds)
        self.after_off()

    def press_power(self, seconds: float = 180.0) -> None:
        """Press the board's own power button and wait."""
        self.machine.qmp.ask("system_powerdown")
        self.machine.wait_off(seconds)
        self.after_off()

    def restart(self, seconds: float = 300.0) -> Machine:
        """Ask the system to start anew. On arm64 the firmware's one-shot flag is what the kernel's last words say."""
        self.machine.qmp.ask("set-action", reboot="shutdown")  # so that words can be put on the card in between
        self.shell.type("dmesg -n 7; systemctl reboot\n")
        asked = (
            self.shell.listen(rb"Restarting system with command '0 tryboot'", seconds) if self.arch == "arm64" else None
        )
        return self.follow(seconds, trial=asked is not None)

    def follow(self, seconds: float, *, trial: bool = False) -> Machine:
        """Wait until it is off by itself, put the words for a shell on its card, and switch it on again."""
        self.machine.wait_off(seconds)
        self.after_off()
        self.open_console()
        return self.power_on(trial=trial)

    def after_off(self) -> None:
        """The machine has ended by itself: let go of it, and wait for its last writes."""
        self._let_go()
        self._server.drain()

    # -- looking and touching

    def open_shell(self, seconds: float = START_S) -> RootShell:
        """Wait for the root shell."""
        if self._shell is not None:
            self._shell.close()  # the port takes one caller
        self._shell = RootShell(self.machine.socket("console"), self.folder / "console.log")
        self.shell.open(seconds)
        return self.shell

    def open_eyes(self, seconds: float = START_S) -> Driver:
        """Connect to the kiosk's drive socket, which tells where buttons are. Needs the shell and a kiosk with eyes."""
        deadline = time.monotonic() + seconds
        while self.shell.run(f"test -S {DRIVE}; echo $?") != "0":
            if time.monotonic() > deadline:
                raise MachineError(f"no kiosk with a drive socket within {seconds:g} s")
            time.sleep(2)
        self.shell.put("/run/eyes.py", EYES.encode())
        self.shell.run(f"(setsid {PYTHON} /run/eyes.py >/dev/null 2>/run/eyes.log </dev/null &)")
        self._eyes = Driver(self.machine.socket("eyes"))
        return self.eyes

    def page(self) -> dict[str, Any]:
        """What is on the screen."""
        return self._asked(self.eyes.screen)

    @staticmethod
    def _asked(question: Callable[[], T]) -> T:
        """The window's answer. On a machine that others want too it may stand still: it is asked again."""
        deadline = time.monotonic() + STILL_S
        while True:
            try:
                return question()
            except DriveError as error:
                if STILL not in str(error) or time.monotonic() > deadline:
                    raise

    def tap(self, button: str) -> None:
        """Touch a button through the panel: QEMU's tablet, the kernel, X, the window."""
        page = self.page()
        if button not in page["places"]:
            raise NoSuchButton(f"{button} is not on {page['screen']}: {sorted(page['places'])}")
        deadline = time.monotonic() + KEY_SEEN_S
        while not self._asked(self.eyes.ready):  # a person does not touch in the blink after a page has come up
            if time.monotonic() > deadline:
                raise MachineError(f"{page['screen']} takes no touch within {KEY_SEEN_S:g} s")
        self.machine.qmp.touch(*page["places"][button])
        time.sleep(0.5)

    def type(self, digits: str) -> None:
        """Touch the keys of the open page's keypad; each is waited for on the page, as a person looks while typing."""
        screen = self.page()["screen"]
        for digit in digits:
            before = _typed(self.page())
            self.tap(f"{screen}.{digit}")
            deadline = time.monotonic() + KEY_SEEN_S
            while _typed(self.page()) == before:
                if time.monotonic() > deadline:
                    raise MachineError(f"a key of {screen} was touched and nothing changed")
                time.sleep(0.2)

    def wait(self, screen: str, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for a page, by name ("a|b" for either); a window that stands still is asked again."""
        deadline = time.monotonic() + seconds + STILL_S
        while True:
            try:
                return self.eyes.wait(screen, seconds)
            except DriveError as error:
                if STILL not in str(error) or time.monotonic() > deadline:
                    raise

    # -- inside

    def _firmware(self, *, trial: bool) -> DirectStart:
        with FirmwareDisk(self.disk) as firmware:
            chosen = firmware.start(trial=trial)
            kernel = firmware.copy_out(chosen.kernel, self.folder / "kernel")
            initrd = firmware.copy_out(chosen.initrd, self.folder / "initrd") if chosen.initrd else None
            return DirectStart(kernel, initrd, chosen.words)

    def _let_go(self) -> None:
        for each in (self._eyes, self._shell):
            if each is not None:
                each.close()
        self._eyes = self._shell = None


def with_words(text: str, arch: str) -> str:
    """A kernel's line, or GRUB's file with one, with the words for a root shell; unchanged when it has them."""
    extra = words(arch)
    lines = text.splitlines()
    has_grub = any(line.lstrip().startswith("linux ") for line in lines)
    return "".join(
        f"{line} {extra}\n"
        if (line.lstrip().startswith("linux ") or not has_grub) and extra not in line
        else f"{line}\n"
        for line in lines
    )


def _typed(page: dict[str, Any]) -> list[str]:
    """What stands in the fields: digits and dots, neither the clock nor the banner, which change by themselves."""
    return [text for text in page["texts"] if not set(text) - set("0123456789● ")]
