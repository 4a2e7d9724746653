"""A district with an authority of its own: hub settings, broker and reception as the commands make them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conftest import MOSQUITTO, free_port

from sync import x509
from sync.enrol import Desk, Enroller
from sync.hub.cli_enrolment import authority_of
from sync.hub.config import load
from sync.identity import Identity
from sync.true_time import TrueTime
from sync.x509 import Span, Subject

HOST = "127.0.0.1"
SITES = ("QJ-0001", "QJ-0002")
ROOT = Path(__file__).parents[2]


class TlsDistrict:
    """All of it in one folder. `start` runs broker and reception, `stop` ends them."""

    def __init__(self, folder: Path, *, days: int = 90, burst: int = 10_000, more: str = "") -> None:
        self.folder = folder
        self.port, self.loopback_port, self.reception_port = free_port(), free_port(), free_port()
        self.broker_dir = folder / "broker"
        self.settings_file = folder / "hub.toml"
        sites = "".join(f'[sites.{each}]\nname = "点"\nlink_key_file = "keys/{each}"\n{more}' for each in SITES)
        reload = f"{sys.executable} {Path(__file__).parent / 'reload_broker.py'} {folder / 'broker.pid'}"
        self.settings_file.write_text(
            f'data_dir = "hub"\n[broker]\nhost = "{HOST}"\nport = {self.loopback_port}\n'
            f'[enrolment]\nhosts = "localhost {HOST}"\nlisten = "{HOST}"\nport = {self.reception_port}\n'
            f"burst = {burst}\n"
            f'broker_port = {self.port}\ndays = {days}\nreload = "{reload}"\n{sites}'
        )
        self.children: dict[str, subprocess.Popen[Any]] = {}
        self.hub("ca", "init")

    def hub(self, *words: str) -> list[dict[str, Any]]:
        """Run one `village-hub` command here; it has to succeed."""
        code, said = self.hub_code(*words)
        assert code == 0, (words, code)
        return said

    def hub_code(self, *words: str) -> tuple[int, list[dict[str, Any]]]:
        command = [sys.executable, "-m", "sync.hub.cli", *words, "--config", str(self.settings_file)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    @property
    def authority(self) -> Any:
        return authority_of(load(self.settings_file))

    def start(self) -> None:
        self.start_broker()
        self.start_reception()

    def start_broker(self, *more: str) -> None:
        conf = self.folder / "mosquitto.conf"
        own = (self.broker_dir / "mosquitto.conf").read_text()
        root = "user root\n" if os.geteuid() == 0 else ""
        conf.write_text(f"{root}pid_file {self.folder / 'broker.pid'}\nlog_type none\n{own}" + "\n".join(more))
        self.children["broker"] = subprocess.Popen([MOSQUITTO, "-c", str(conf)], stderr=subprocess.DEVNULL)
        wait_for_port(self.port)
        wait_for_port(self.loopback_port)

    def start_reception(self, *wrapped: str) -> None:
        command = [*wrapped, sys.executable, "-m", "sync.hub.cli", "reception", "--config", str(self.settings_file)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.children["reception"] = child
        assert '"ready": true' in child.stdout.readline()

    def stop(self, *names: str) -> None:
        for name in names or list(self.children):
            child = self.children.pop(name)
            child.send_signal(signal.SIGTERM)
            child.wait(10)
            if child.stdout is not None:
                child.stdout.close()

    def terminal(self, name: str = "terminal", **changes: Any) -> Terminal:
        return Terminal(self, self.folder / name, **changes)

    def enrolled(self, site: str, name: str = "") -> Terminal:
        """A terminal that was let in as `site`."""
        terminal = self.terminal(name or site)
        code = terminal.enroller.ask("").code
        self.hub("approve", code, "--site", site, "--replace")
        assert terminal.enroller.ask("").state == "granted"
        return terminal

    def issue(self, subject: Subject, begin: timedelta, end: timedelta) -> bytes:
        """A pair signed by the district with any life, key and certificate in one."""
        key = x509.new_key()
        now = datetime.now(UTC)
        return key + self.authority.grant(subject, x509.public_of(key), Span(now + begin, now + end))


class Terminal:
    """One terminal's identity and its voice; its clock can be set."""

    def __init__(self, district: TlsDistrict, folder: Path, *, fingerprint: str = "", port: int = 0) -> None:
        self.identity = Identity(folder)
        self.wall_ahead_s = 0.0
        self.time = TrueTime(lambda: time.time() + self.wall_ahead_s, lambda: int(time.monotonic() * 1000))
        desk = Desk(HOST, port or district.reception_port, fingerprint or district.authority.fingerprint())
        self.enroller = Enroller(desk, self.identity, self.time)

    def copy_of(self, other: Path) -> None:
        shutil.copytree(other, self.identity.folder, dirs_exist_ok=True)


def wait_for_port(port: int) -> None:
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError("it does not listen")
