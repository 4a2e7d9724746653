"""A real Mosquitto and a real hub program of a test's own, to be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

MOSQUITTO = "/usr/sbin/mosquitto"


class PrivateBroker:
    """One mosquitto process on a port of its own, without state on disk."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int | None = None) -> None:
        self.port = port or free_port()
        self._host = host
        self._file = folder / "mosquitto.conf"
        self._file.write_text(f"listener {self.port} {host}\nallow_anonymous true\npersistence false\nlog_type none\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._file)], stderr=subprocess.DEVNULL)
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex((self._host, self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError("mosquitto does not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(5)
            self._process = None


class HubProcess:
    """`village-hub run` as a program of its own."""

    def __init__(self, settings: Path) -> None:
        self._settings = settings
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        arguments = [sys.executable, "-m", "sync.hub.cli", "run", "--config", str(self._settings)]
        log = (self._settings.parent / "hub.log").open("a")
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=log, text=True, cwd=Path(__file__).parents[2], env=os.environ
        )
        log.close()
        ready = self.process.stdout.readline()
        assert '"ready": true' in ready, ready

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process.stdout.close()
            self.process = None

    def terminate(self) -> int:
        self.process.terminate()
        code = self.process.wait(10)
        self.process.stdout.close()
        self.process = None
        return code


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
