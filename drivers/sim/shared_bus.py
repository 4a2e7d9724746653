"""Several simulated boards on one RS-485 bus, as one device on one terminal. Pure; no port and no clock.

Each board keeps its name and its handles; the bus has the cable's handles for all of them. Boards hear not only the
kiosk but each other, as on a real pair of wires.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drivers.sim.device import SimDevice
from drivers.sim.line import Line, poke_line


class SharedBus:
    """The bus. `members` are its boards by name."""

    def __init__(self, members: Mapping[str, SimDevice]) -> None:
        self.line = Line()
        self.members = dict(members)

    def receive(self, chunk: bytes) -> list[bytes]:
        """Take bytes from the kiosk; returns the chunks that go back."""
        sent = self.line.incoming(chunk)
        return self.line.outgoing(chunk, self._heard(sent, speaker=None))

    def tick(self, now_ms: int) -> list[bytes]:
        """Tell each board the time; returns what they say unasked."""
        said = [(name, reply) for name, member in self.members.items() for reply in member.tick(now_ms)]
        answers = [answer for name, reply in said for answer in self._heard(reply, speaker=name)]
        return self.line.outgoing(b"", [reply for _, reply in said] + answers)

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """Move a handle of the cable; `state` tells that of each board. Errors: LookupError, ValueError."""
        if handle == "state" and not args:
            return {name: member.poke("state", []) for name, member in self.members.items()}
        return poke_line(self.line, handle, args)

    def _heard(self, chunk: bytes, speaker: str | None) -> list[bytes]:
        """What the boards say to the kiosk's words, and what the others say to that; no further, or it never ends."""
        if not chunk:
            return []
        replies: list[bytes] = []
        for name, member in self.members.items():
            if name == speaker:
                continue
            for reply in member.receive(chunk):
                replies.append(reply)
                replies += self._heard(reply, name) if speaker is None else []
        return replies
