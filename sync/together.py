"""Tasks that live and die together. Not `asyncio.TaskGroup`: in Python 3.11 it forgets a cancellation that comes in the
same turn as the error of a member, and a line that is lost while the program stops would then go on for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(name: str, **work: Coroutine[Any, Any, None]) -> None:
    """Run until the first ends or this task is cancelled; then end the others too. Errors: those of the first."""
    tasks = [asyncio.create_task(each, name=f"{name} {what}") for what, each in work.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in done:
            task.result()
