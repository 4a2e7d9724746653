"""On which cores the io thread runs. Its loop and the store's thread take turns at every commit: never both at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial


def stay_on_one(loop: asyncio.AbstractEventLoop) -> None:
    """Keep the calling thread, in which `loop` runs, on one core; what the loop has done by its pool runs on any.

    The store's thread stays with it (edge/worker.py): to wake a neighbour on the same core is a change of thread, on
    another it is to wake a sleeping core that then finds nothing of the transaction in its cache.
    """
    everywhere = os.sched_getaffinity(0)
    _move({max(everywhere)})  # the first core is the one that serves most interrupts
    anywhere = partial(_move, everywhere)
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="aside", initializer=anywhere))


def _move(wanted: Set[int]) -> None:
    """Keep the calling thread on these cores. Where that is not allowed it stays as it is: slower, not wrong."""
    with suppress(OSError):
        os.sched_setaffinity(0, wanted)
