"""Tasks that end together, whatever comes in the same turn."""

from __future__ import annotations

import asyncio

import pytest

from sync.together import together


async def for_ever() -> None:
    await asyncio.Event().wait()


def test_the_error_of_one_ends_all_and_is_told() -> None:
    async def story() -> None:
        async def fails() -> None:
            raise ConnectionError("lost")

        with pytest.raises(ConnectionError, match="lost"):
            await together("pair", fails=fails(), other=for_ever())
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(story())


@pytest.mark.parametrize("cancelled_first", [True, False])
def test_a_stop_in_the_same_turn_as_an_error_is_a_stop(cancelled_first: bool) -> None:
    async def story() -> None:
        cut = asyncio.Event()

        async def fails() -> None:
            await cut.wait()
            raise ConnectionError("lost")

        async def keeps_on() -> None:
            while True:
                try:
                    await together("pair", fails=fails(), other=for_ever())
                except ConnectionError:
                    cut.clear()

        task = asyncio.create_task(keeps_on())
        await asyncio.sleep(0.01)
        for act in (task.cancel, cut.set) if cancelled_first else (cut.set, task.cancel):
            act()
        await asyncio.wait([task], timeout=1)

        assert task.cancelled()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(story())
