"""Which keyboard is the scanner: the one that types the code on the screen. Pure; drivers/enrol_watch.py listens.

No capability tells a scanner from a keyboard, and cheap dongles carry the ids of keyboard chips. So a random code is
shown and every keyboard is listened to without taking it; the node that types the code is the scanner. Two equal
dongles differ by nothing but the port they are in: label the ports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.wire.keys import KeyScans
from drivers.wire.prefixes import MAX_PREFIX
from drivers.wire.scans import Scan

MIN_TEXT = 8  # signs; nobody types that many random ones by chance within the minute the code is shown
MAX_NODES = 64  # a bus with more keyboards is no service point

_AIM = re.compile(r"\][A-Za-z][0-9A-F]")


@dataclass(frozen=True, slots=True)
class Node:
    """One input device that types. `phys` names the port, such as "usb-0000:01:00.0-1.2/input0"."""

    path: str
    name: str
    phys: str
    vendor: int
    product: int

    @property
    def usb_id(self) -> str:
        """Vendor and product, as settings have them."""
        return f"{self.vendor:04x}:{self.product:04x}"

    @property
    def port(self) -> str:
        """What all nodes of one device share of their `phys`."""
        return self.phys.partition("/input")[0]


@dataclass(frozen=True, slots=True)
class Found:
    """The scanner. `prefix` is what the gun types before each code, its AIM identifier left out.

    `has_twin`: another device of the same vendor and product is there, so only the port tells them apart. Without
    `keeps_case` the gun swaps capitals (CapsLock): it must be set up again before it is used. Without `has_aim` it
    does not tell the kind of its codes: switch the AIM identifier on.
    """

    node: Node
    prefix: str
    has_twin: bool
    keeps_case: bool
    has_aim: bool

    @property
    def settings(self) -> dict[str, str]:
        """What the settings of this scanner should say."""
        return {"kind": "evdev_scanner", "path": self.node.path, "phys": self.node.phys, "usb_id": self.node.usb_id}


class Enrolment:
    """Watch nodes for one code. Errors: ValueError for a code that a finger could type by chance."""

    def __init__(self, text: str, nodes: Iterable[Node] = ()) -> None:
        if len(text) < MIN_TEXT or not text.isascii() or not text.isalnum() or text != text.upper():
            raise ValueError(f"the code must be {MIN_TEXT} or more digits and capitals")
        self._text = text
        self._nodes: dict[str, tuple[Node, KeyScans]] = {}
        for node in nodes:
            self.add(node)

    def add(self, node: Node) -> None:
        """Listen to one more node; those beyond MAX_NODES are not listened to."""
        if len(self._nodes) < MAX_NODES:
            self._nodes[node.path] = (node, KeyScans())

    def remove(self, path: str) -> None:
        """The node is gone, and what it had typed with it."""
        self._nodes.pop(path, None)

    def feed(self, path: str, event: tuple[int, int, int], at_ms: int) -> Found | None:
        """Take one event (type, code, value) of a node; returns the scanner once it has typed the whole code."""
        known = self._nodes.get(path)
        return None if known is None else self._judged(known[0], known[1].feed(*event, at_ms))

    def idle(self, now_ms: int) -> Found | None:
        """Tell the time: a gun that sends no Enter ends its code with a pause."""
        for node, keys in self._nodes.values():
            found = self._judged(node, keys.idle(now_ms))
            if found is not None:
                return found
        return None

    def _judged(self, node: Node, scans: Iterable[Scan]) -> Found | None:
        for scan in scans:
            before, ours = scan.text[: -len(self._text)], scan.text[-len(self._text) :]
            prefix = _AIM.sub("", before, count=1)
            if ours.upper() == self._text and len(prefix) <= MAX_PREFIX:
                return Found(node, prefix, self._has_twin(node), ours == self._text, prefix != before)
        return None

    def _has_twin(self, node: Node) -> bool:
        return any(each.usb_id == node.usb_id and each.port != node.port for each, _ in self._nodes.values())
