"""Looking for frames in a stream of bytes, for codecs whose frames have a head, a length and a check. No I/O here.

What a frame is and says is told by each codec (`HuntingParser._front`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from drivers.wire.lock import LockEvent

Found = tuple[int, LockEvent | None]
MORE: Found = (0, None)  # the frame at the front is not complete yet
NO_FRAME: Found = (1, None)  # the byte at the front begins none


class HuntingParser(ABC):
    """`drivers.wire.lock.LockParser` over a codec's look at the front of the buffer.

    The buffer never grows beyond the longest frame of the codec: `_front` must not ask for more than that.
    """

    head = b""  # each frame begins with this; empty when the first byte may be anything

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._asked = b""
        self._rejected = 0

    @property
    def rejected(self) -> int:
        """How many bytes belonged to no frame so far."""
        return self._rejected

    def expect(self, request: bytes) -> None:
        """Forget a half frame and prepare for the answer to this request."""
        self._rejected += len(self._buffer)
        self._buffer.clear()
        self._asked = request

    def feed(self, chunk: bytes) -> list[LockEvent]:
        """Take bytes as they come and return the values completed by them."""
        self._buffer += chunk
        events: list[LockEvent] = []
        while self._at_head():
            taken, event = self._front(self._buffer)
            if taken == 0:
                break
            if taken == 1:
                self._rejected += 1
            if event is not None:
                events.append(event)
            del self._buffer[:taken]
        return events

    @abstractmethod
    def _front(self, buffer: bytearray) -> Found:
        """Look at the front: bytes to take off (0: more are needed, 1: no frame), and the value in them if any."""

    def _at_head(self) -> bool:
        """Skip to the next head; False when nothing is left."""
        if self.head:
            at = self._buffer.find(self.head[:1])
            skip = len(self._buffer) if at < 0 else at
            self._rejected += skip
            del self._buffer[:skip]
        return bool(self._buffer)


def within(number: int, last: int, what: str) -> int:
    """Return a number of 1..last. Errors: ValueError."""
    if not 1 <= number <= last:
        raise ValueError(f"{what} {number} is not in 1..{last}")
    return number
