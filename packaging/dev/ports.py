"""The local ports of a sample district: chosen once, kept in a file, changed only when somebody has taken one."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """`broker` is Mosquitto's port for points, `line` the forwarder's in front of it.

    Only where certificates are used: `hub` is Mosquitto's port for the hub, `reception` that of enrolment.
    """

    broker: int
    line: int
    hub: int = 0
    reception: int = 0

    @classmethod
    def of(cls, file: Path) -> Ports:
        """Read the district's ports, and choose and write new ones where there are none or they are taken."""
        try:
            known = cls(**json.loads(file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            known = cls(0, 0)
        chosen: dict[str, int] = {}
        for each in fields(cls):
            chosen[each.name] = free_port(getattr(known, each.name), taken=chosen.values())
        ports = cls(**chosen)
        if ports != known:
            file.write_text(json.dumps(asdict(ports)) + "\n", "utf-8")
        return ports

    @staticmethod
    def write_into(settings: Path, table: str, **values: int) -> None:
        """Put ports into lines of one table of a settings file, where they are others. A missing line stays missing."""
        changed = text = settings.read_text("utf-8")
        for key, port in values.items():
            line = rf"(^\[{table}\].*\n(?:[^\[\n].*\n|\n)*?{key} = )[0-9]+"
            changed = re.sub(line, rf"\g<1>{port}", changed, count=1, flags=re.MULTILINE)
        if changed != text:
            settings.write_text(changed, "utf-8")


def free_port(wanted: int = 0, taken: Collection[int] = ()) -> int:
    """Tell `wanted` if it can be had, else any port that can, but never one of `taken`."""
    with ExitStack() as probes:
        for choice in (wanted if wanted not in taken else 0, *[0] * (len(taken) + 1)):
            probe = probes.enter_context(socket.socket())  # those before keep what must not be
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, choice))
                if probe.getsockname()[1] not in taken:
                    return int(probe.getsockname()[1])
    raise OSError("no port is free")
