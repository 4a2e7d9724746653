"""When old pages are thrown away: in a quiet moment after the new one stands, never in the middle of an answer.

A page of Kivy is a knot of references that only Python's collector unties. Left alone it lets some twenty pages pile
up and then takes 150 to 230 ms for them, wherever the window happens to be (measured on the development machine: each
tenth scan was answered that late). One page takes 5 to 15 ms, and nobody waits for it.
"""

from __future__ import annotations

import gc

QUIET_S = 0.25  # after the last page and the last touch: the answer stands, the hand is on its way to the next parcel
MOST_PAGES = 12  # even a hurried hand must not pile up more
OLD_GENERATION = 1_000  # automatic collections of everything become rare, not impossible: other garbage exists


class Tidy:
    """Owned by the window's thread."""

    def __init__(self) -> None:
        self._pages = 0
        self._at = 0.0

    def take_over(self) -> None:
        """After the first picture: what lives now lives for ever and need not be looked at again."""
        gc.collect()
        gc.freeze()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, OLD_GENERATION)

    def page_left(self, now_s: float) -> None:
        self._pages += 1
        self._at = now_s

    def turn(self, now_s: float, touched_s: float) -> None:
        """Once per turn of the window's loop."""
        if self._pages and (self._pages >= MOST_PAGES or now_s - max(self._at, touched_s) >= QUIET_S):
            self._pages = 0
            gc.collect()
