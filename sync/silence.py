"""When a line on which nobody answers is given up for another node of a clustered broker. Pure.

A node can take what is sent and pass on nothing: cut off from the others, or just started again. The line to it stands,
so only the missing answers tell. Where the broker has one node there is no other to try.
"""

from __future__ import annotations

TIME_OUTS = 3  # without an answer: one message is lost with a node that dies, three in a row are no accident
MOST_DOUBLINGS = 6  # a hub that is away for a week must not be looked for at every node again and again


class Silence:
    """Counts for one client. `turn` says at which node to begin with the next line."""

    def __init__(self, nodes: int) -> None:
        self._nodes = nodes
        self._time_outs = 0
        self._given_up = 0
        self.turn = 0

    def answered(self) -> None:
        """Somebody is there."""
        self._time_outs = self._given_up = 0

    def is_too_long(self) -> bool:
        """Count a time-out without an answer since the last; tell whether to give the line up.

        Each further line is given twice the time, until one brings an answer.
        """
        self._time_outs += 1
        if self._nodes < 2 or self._time_outs < TIME_OUTS * 2 ** min(self._given_up, MOST_DOUBLINGS):
            return False
        self._time_outs = 0
        self._given_up += 1
        self.turn += 1
        return True
