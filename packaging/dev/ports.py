"""The two local ports of a sample district: chosen once, kept in a file, changed only when somebody has taken one."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"
_PORT = re.compile(r"^port = [0-9]+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ports:
    """`broker` is Mosquitto's own port, `line` the forwarder's in front of it."""

    broker: int
    line: int

    @classmethod
    def of(cls, file: Path) -> Ports:
        """Read the district's ports, and choose and write new ones where there are none or they are taken."""
        try:
            known = cls(**json.loads(file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            known = cls(0, 0)
        broker = free_port(known.broker)
        ports = cls(broker, free_port(known.line, taken=broker))
        if ports != known:
            file.write_text(json.dumps(asdict(ports)) + "\n", "utf-8")
        return ports

    @staticmethod
    def write_into(settings: Path, port: int) -> None:
        """Put a port into the one `port = ` line of a settings file, when it is another."""
        text = settings.read_text("utf-8")
        changed = _PORT.sub(f"port = {port}", text, count=1)
        if changed != text:
            settings.write_text(changed, "utf-8")


def free_port(wanted: int = 0, taken: int = 0) -> int:
    """Tell `wanted` if it can be had, else any port that can, but never `taken`."""
    with socket.socket() as probe, socket.socket() as second:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted if wanted != taken else 0))
        except OSError:
            probe.bind((HOST, 0))
        if probe.getsockname()[1] != taken:
            return int(probe.getsockname()[1])
        second.bind((HOST, 0))  # the first probe still holds the one that must not be
        return int(second.getsockname()[1])
