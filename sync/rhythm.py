"""When to ask, when to give up waiting, when to rest: the timing around a `Sender`, for both directions.

Pure: the caller tells the time in monotonic milliseconds and sleeps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sync.relay import RETRY_BASE_S, RETRY_CAP_S, Backoff


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. Tests shorten them; the defaults are for a 4G line in the mountains."""

    answer_s: float = 10.0  # a batch over 256 kbit/s with a second of latency took 3 s; waited longer after each loss
    ask_every_s: float = 60.0  # an idle line is asked this often whether the hub still answers
    retry_base_s: float = RETRY_BASE_S
    retry_cap_s: float = RETRY_CAP_S
    connect_s: float = 10.0
    fork_rest_s: float = 600.0  # between two new names of a log: two live copies of a card must not race


PATIENCE = 16  # times `answer_s` is the longest wait: a full batch at 4,800 bit/s takes two minutes
QUEUE_MS = 1_000  # so much may wait on the line; twice as much is too much
QUICK = 0.5  # of `answer_s`: an answer within it shows that the line can carry more


class Rhythm:
    """What the clock says about one sender."""

    def __init__(self, dice: Callable[[], float], timing: Timing) -> None:
        self._timing = timing
        self._backoff = Backoff(dice, timing.retry_base_s, timing.retry_cap_s)
        self._waiting_since: int | None = None
        self._last_answer: int | None = None
        self._rest_until = 0
        self._patience = 1
        self._in_doubt = False
        self._sent: deque[int] = deque()  # when each batch went out that is on its way
        self._least_ms: int | None = None  # from sending to answer on this line, with nothing else waiting

    def sent(self, now_ms: int, batches: int = 0) -> None:
        """Something that wants an answer went out, and so many batches of facts in it."""
        self._sent.extend([now_ms] * batches)
        if self._waiting_since is None:
            self._waiting_since = now_ms

    def answered(self, now_ms: int, *, more: bool, well: bool) -> None:
        """An answer came. `more`: others are still outstanding; `well`: nothing is wrong that resting should ease."""
        self._in_doubt = False
        self._last_answer = now_ms
        self._waiting_since = now_ms if more else None
        self._rest_until = 0
        if well:
            self._backoff.reset()

    def pace(self, now_ms: int, in_flight: int) -> int:
        """Tell, when facts are confirmed, whether one more batch (1), as many or one fewer (-1) may be on their way.

        The time from sending a batch to its answer says how much waits in front of the line, in a modem or at a busy
        hub: what is urgent waits behind it. Ask before `answered`. The first answer after a loss may be late for
        something older, so it shows nothing.
        """
        sent = None
        while len(self._sent) > in_flight:
            sent = self._sent.popleft()
        if sent is None or self._in_doubt:
            return 0
        trip_ms = now_ms - sent
        self._least_ms = min(trip_ms, self._least_ms or trip_ms)
        is_quick, waits_ms = trip_ms < 1000 * QUICK * self._timing.answer_s, trip_ms - self._least_ms
        if is_quick:
            self._patience = 1  # wait for answers as short as at first
        if waits_ms > 2 * QUEUE_MS:
            return -1
        return int(is_quick and waits_ms <= QUEUE_MS)

    def rest(self, now_ms: int) -> None:
        """It did not work: wait before the next try, longer each time, and then longer for its answer."""
        if self.is_overdue(now_ms):
            self._patience = min(PATIENCE, 2 * self._patience)
            self._in_doubt = True
        self._waiting_since = None
        self._rest_until = now_ms + round(1000 * self._backoff.next_s())

    def begin(self) -> None:
        """The line is new, or the other end is: forget what was outstanding and try at once."""
        self._waiting_since = None
        self._rest_until = 0
        self._sent.clear()
        self._least_ms = None
        self._patience = 1  # nothing waits in front of a new line
        self._backoff.reset()

    @property
    def _allowed_ms(self) -> int:
        return round(1000 * self._timing.answer_s * self._patience)

    def is_overdue(self, now_ms: int) -> bool:
        """Whether an answer should have come by now."""
        return self._waiting_since is not None and now_ms - self._waiting_since >= self._allowed_ms

    def rests(self, now_ms: int) -> bool:
        """Whether to stay quiet for now."""
        return now_ms < self._rest_until

    def wants_sign_of_life(self, now_ms: int) -> bool:
        """Whether the line was idle long enough to ask."""
        if self._waiting_since is not None:
            return False
        return self._last_answer is None or now_ms - self._last_answer >= 1000 * self._timing.ask_every_s

    def next_s(self, now_ms: int) -> float:
        """Seconds until the next of these can change by time alone."""
        timing = self._timing
        if self.rests(now_ms):
            due = self._rest_until
        elif self._waiting_since is not None:
            due = self._waiting_since + self._allowed_ms
        else:
            due = (now_ms if self._last_answer is None else self._last_answer) + round(1000 * timing.ask_every_s)
        return max(0.001, (due - now_ms) / 1000)
