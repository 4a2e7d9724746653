"""Forgets a few facts at a time and kills itself before the N-th act: KIND PLACE AT_MS N.

Acts are the emptying of values, the mark of the walk, the beginning of a step: in a transaction, at its end, between.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from hub_work import KEY, OneFace, database

from edge.model import Ms, SiteCode, Stamp
from sync.hub import forgetter, forgetting, walks
from sync.hub.forgetter import Forgetter
from sync.hub.store import HubStore

kind, place, at, acts = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
numbers = count(1)


class Then:
    """The moment of this round."""

    def stamp(self) -> Stamp:
        return Stamp(at, "0a1b2c3d", Ms(0), True)

    def ms(self) -> Ms:
        return Ms(0)


def dies(act: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*args: Any) -> Any:
        if next(numbers) == acts:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*args)

    return counted


forgetting._erase = dies(forgetting._erase)
forgetting.walked = dies(forgetting.walked)
forgetter.step = dies(forgetter.step)
forgetter.REST_S = 0
walks.BATCH = forgetting.BATCH = 3
store = HubStore(database(kind, place), Then(), OneFace(), {SiteCode("QJ-0001"): KEY})
store.open()
print(asyncio.run(Forgetter(store, 30, lambda: store.keys).go_round()), flush=True)
store.close()
