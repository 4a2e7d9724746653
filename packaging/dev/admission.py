"""How the sample's terminal is let in: the commands a district types, done for the person who only types `make run`.

The authority is made by `village-hub ca init`; the terminal asks by `village-point enrol`, the desk says yes by
`village-hub approve`. Nothing here knows how programs are started; stand.py does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ports import HOST, Ports
from programs import StandError

Command = Callable[..., str]  # words of one command, and its output

HEAD = """\
pid_file {folder}/run/broker.pid
log_dest stderr
log_type error
log_type warning
"""


def fingerprint(hub_command: Command) -> str:
    """Make what is missing of the authority and of the broker's files; tell the fingerprint terminals are given."""
    return str(json.loads(hub_command("ca", "init"))["fingerprint"])


def broker_config(folder: Path, ports: Ports, hub_command: Command) -> str:
    """The broker's settings as the authority wrote them, but for the loopback alone: the sample is nobody else's."""
    own = folder / "broker" / "mosquitto.conf"
    if f"listener {ports.broker}\n" not in own.read_text("utf-8") or f"listener {ports.hub} " not in own.read_text():
        fingerprint(hub_command)  # somebody had taken a port
    text = own.read_text("utf-8").replace(f"listener {ports.broker}\n", f"listener {ports.broker} {HOST}\n")
    return HEAD.format(folder=folder) + text


def admit(point_command: Command, hub_command: Command, site: str) -> None:
    """Ask, approve, ask again: then key, certificate and link key lie in the terminal's data. Errors: StandError."""
    code = _asked(point_command, refusal_is_fine=True)["code"]
    hub_command("approve", str(code), "--site", site, "--replace")
    state = _asked(point_command)["state"]
    if state != "granted":
        raise StandError(f"the hub approved {code}, and the terminal was told {state!r}")


def _asked(point_command: Command, *, refusal_is_fine: bool = False) -> dict[str, Any]:
    said = point_command("enrol", "--wait", "0", refusal_is_fine=refusal_is_fine)
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found
