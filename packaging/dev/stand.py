"""A whole district on this machine: private broker, hub, simulated devices, kiosk, and a line that can be cut.

Every program is a child process of its own, as in the field, so that a test can kill or restart one alone.
Used by `make run`, `make day`, the soak and the tests. What a parcel or a screen is is not known here.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import admission
import district
import sample
from line import Line
from ports import HOST, Ports
from programs import ROOT, Programs, Said, StandError

from ui.drive_client import Driver

PLAIN = district.Kind()
Step = tuple[str, Callable[[], object]]  # its name for people, and the work
START_ORDER = ("broker", "reception", "hub", "sim", "kiosk")
# Seconds until a program must have said that it is up. The kiosk opens a window, on a small board from a slow card.
READY_S: Mapping[str, float] = {"broker": 10, "reception": 30, "hub": 30, "sim": 15, "kiosk": 90}
COMMAND_S = 60.0  # a command of the command line, such as sending a manifest
ASK_S = 15.0  # an answer on a control socket


class Stand:
    """Starts and stops the programs of one sample district. Use it in one thread that lives as long as it does."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, kind: district.Kind = PLAIN) -> None:
        """`kind` is what a district is like that is new; one that is there stays as it is."""
        self.folder = folder.absolute()
        self._kind = kind
        self.environment = dict(os.environ if environment is None else environment)
        self.point_toml = self.folder / "point.toml"
        self.hub_toml = self.folder / "hub.toml"
        self.sim_toml = self.folder / "sim.toml"
        self.manifest = self.folder / "manifest.json"
        self.ports: Ports | None = None
        self.line: Line | None = None
        self.programs = Programs(self.folder / "log", self.environment)

    def __enter__(self) -> Stand:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    # -- the district ------------------------------------------------------------------------------------------

    def lay_out(self) -> bool:
        """Choose ports and write the sample's files where they are missing; tell whether the district is new.

        Errors: ValueError when the folder's path is too long for a socket.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ports = Ports.of(self.folder / "ports.json")
        today = datetime.now(UTC).date()
        return district.write(
            self.folder, self.ports, today, self._kind, lambda: admission.fingerprint(self.hub_command)
        )

    @property
    def has_tls(self) -> bool:
        """Whether the line is encrypted and the terminal enrolled, in the district that is there or will be."""
        return district.has_tls(self.folder) if self.hub_toml.exists() else self._kind.has_tls

    def enrol(self) -> bool:
        """Make the operators known at the point, once per district; tell whether it was done now."""
        return self._once("enrolled", self._enrol)

    def admit(self) -> bool:
        """Have the terminal enrolled and approved, once per district; tell whether it was done now."""
        return self._once("admitted", lambda: admission.admit(self.point_command, self.hub_command, sample.SITE))

    def send_manifest(self) -> bool:
        """Hand the sample's parcels, bills and notices to the hub, once per district; tell whether it was done now."""
        return self._once("sent", lambda: self.hub_command("send", "--site", sample.SITE, str(self.manifest)))

    def _enrol(self) -> None:
        for each in sample.OPERATORS:
            who = ("--id", each.operator_id, "--role", each.role, "--pin-stdin")
            self.point_command("operator", "add", *who, text=each.pin + "\n")

    def _once(self, name: str, work: Callable[[], object]) -> bool:
        done = self.folder / f".{name}"
        if done.exists():
            return False
        work()
        done.touch()
        return True

    # -- programs ----------------------------------------------------------------------------------------------

    def start_broker(self) -> None:
        """Start a Mosquitto of our own: loopback only, nothing kept."""
        assert self.ports is not None, "lay_out comes first"
        ports = [self.ports.broker, *([self.ports.hub] if self.has_tls else [])]
        config = self.folder / "mosquitto.conf"
        config.write_text(self._broker_config(self.ports), "utf-8")
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise StandError("mosquitto is not installed; make setup installs it")
        self._start("broker", [program, "-c", str(config)], lambda _: all(map(_listens, ports)))

    def start_line(self) -> None:
        """Lay the line from the point to the broker; one that is there stays as it is, cut or not."""
        assert self.ports is not None, "lay_out comes first"
        if self.line is None:
            self.line = Line(self.ports.line, self.ports.broker)
            self.line.start()

    def start_reception(self) -> None:
        """Start the hub's reception, where terminals enrol and renew."""
        self._start("reception", _python("sync.hub.cli", "reception", "--config", str(self.hub_toml)), _said_ready)

    def start_hub(self) -> None:
        """Start the district hub."""
        self._start("hub", _python("sync.hub.cli", "run", "--config", str(self.hub_toml)), _said_ready)

    def start_sim(self) -> None:
        """Start the simulated devices; they are up when all terminals were named."""
        count = self.sim_toml.read_text("utf-8").count("[devices.")
        command = _python("drivers.sim.cli", "--config", str(self.sim_toml))
        self._start("sim", command, lambda said: sum("path" in each for each in said) >= count)

    def start_kiosk(self, *, headless: bool = False) -> None:
        """Start the kiosk and its line, in a window or offscreen as its environment says, or with no window at all."""
        self.start_line()
        extra = ("--headless",) if headless else ()
        command = _python("edge.cli", "run", "--config", str(self.point_toml), *extra)
        self._start("kiosk", command, _said_ready)

    def start_all(self) -> None:
        """Start all programs in order, with operators and manifest where they are not yet known."""
        for _, work in self.steps():
            work()

    def steps(self, *, only_sim: bool = False) -> list[Step]:
        """What starts all programs, in order, each with a name for people."""
        files: Step = ("sample district", self.lay_out)
        simulators: Step = ("simulated devices", self.start_sim)
        if only_sim:
            return [files, simulators]
        certificates: list[Step] = [
            ("reception for certificates", self.start_reception),
            ("the terminal enrols and is approved", self.admit),
        ]
        return [
            files,
            ("private broker", self.start_broker),
            *(certificates if self.has_tls else []),
            ("district hub", self.start_hub),
            ("manifest, bills and notices to the hub", self.send_manifest),
            simulators,
            ("operators of the point", self.enrol),
            ("kiosk", self.start_kiosk),
        ]

    def stop_all(self) -> dict[str, int]:
        """End everything in reverse order; tell the exit codes by name. Safe to call twice."""
        codes: dict[str, int] = {}
        for name in reversed(START_ORDER):
            code = self.programs.stop(name)
            if code is not None:
                codes[name] = code
        if self.line is not None:
            self.line.stop()
            self.line = None
        return codes

    # -- the line ----------------------------------------------------------------------------------------------

    def cut_line(self) -> None:
        """Take the point's line away: connections break and are refused."""
        self._line().cut()

    def restore_line(self) -> None:
        """Give the line back."""
        self._line().mend()

    def _line(self) -> Line:
        if self.line is None:
            raise StandError("there is no line: the kiosk was not started")
        return self.line

    # -- words with programs -----------------------------------------------------------------------------------

    def poke(self, device: str, handle: str, *words: str | int) -> Any:
        """Move a handle of a simulated device and tell what it answers.

        Errors: StandError when the device refuses, OSError when no simulator answers.
        """
        answer = _ask(self.folder / "run/sim.sock", [device, handle, *map(str, words)])
        if not answer.get("ok"):
            raise StandError(f"sim {device} {handle}: {answer.get('error')}")
        return answer.get("result")

    def at_cell(self, cell: int, handle: str, *words: str | int) -> Any:
        """Move a handle of the lock behind a cell, by the number that stands on its door. Errors: as `poke`."""
        board, cells = next((board, cells) for board, cells in sample.BOARDS.items() if cell in cells)
        return self.poke(board, handle, cells.index(cell) + 1, *words)

    def cells(self, what: str) -> dict[int, Any]:
        """Tell what all lock boards say of their cells ("doors", "pulses"), by the numbers on the doors."""
        told = {board: self.poke(board, "state")[what] for board in sample.BOARDS}
        return {
            sample.BOARDS[board][int(lock) - 1]: each for board, said in told.items() for lock, each in said.items()
        }

    def driver(self) -> Driver:
        """Connect to the kiosk's drive socket, to touch its screen. Errors: DriveError when none listens in time."""
        return Driver(self.folder / "run/drive.sock")

    def point_command(self, *words: str, text: str = "", refusal_is_fine: bool = False) -> str:
        """Run one `village-point` command against this point and tell its output. Errors: StandError."""
        command = [*_python("edge.cli", *words), "--config", str(self.point_toml)]
        return self._command("village-point", command, text, 1 if refusal_is_fine else 0)

    def hub_command(self, *words: str) -> str:
        """Run one `village-hub` command against this hub and tell its output. Errors: StandError."""
        return self._command("village-hub", [*_python("sync.hub.cli", *words), "--config", str(self.hub_toml)])

    # -- inside ------------------------------------------------------------------------------------------------

    def _broker_config(self, ports: Ports) -> str:
        if self.has_tls:
            return _as_root() + admission.broker_config(self.folder, ports, self.hub_command)
        return _as_root() + _plain_broker(ports.broker)

    def _command(self, program: str, command: Sequence[str], text: str = "", worst: int = 0) -> str:
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=self.environment, input=text, capture_output=True, text=True,
                timeout=COMMAND_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise StandError(f"{program} {command[3]}: no end within {COMMAND_S:g} s") from error
        if not 0 <= done.returncode <= worst:
            raise StandError(f"{program} {command[3]} (exit {done.returncode}): {done.stderr.strip()}")
        return done.stdout

    def _start(self, name: str, command: Sequence[str], is_up: Callable[[Said], bool]) -> None:
        self.programs.start(name, command, is_up, READY_S[name])


def _python(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", module, *words]


def _said_ready(said: Said) -> bool:
    return any(each.get("ready") is True for each in said)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _plain_broker(port: int) -> str:
    """Nothing is kept on disk and no queue is bounded by dropping: the log of the point is what remembers."""
    lines = [
        f"listener {port} {HOST}",
        "allow_anonymous true",  # loopback only; facts are sealed with the link key anyway
        "persistence false",
        "max_queued_messages 0",
        "max_inflight_messages 100",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    ]
    return "\n".join(lines) + "\n"


def _as_root() -> str:
    """Else the broker becomes another user, who may not read this folder."""
    return "user root\n" if os.geteuid() == 0 else ""


def _ask(path: Path, request: object) -> Any:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(ASK_S)
        line.connect(str(path))
        line.sendall(json.dumps(request, ensure_ascii=False).encode() + b"\n")
        return json.loads(line.makefile("rb").readline())
