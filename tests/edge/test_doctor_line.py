"""The socket of the check-up: the owner's alone, and quiet when the books cannot be read."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge import doctor_line
from edge.doctor_line import SOCKET, Doctor
from edge.steps import CheckupBoard
from edge.store import StoreFault

BOARD = CheckupBoard((), "VP1 T001 0.1 2611221430 OK")


async def well() -> CheckupBoard:
    return BOARD


async def damaged() -> CheckupBoard:
    raise StoreFault("S1", "the books are damaged")


@asynccontextmanager
async def answering(doctor: Doctor, folder: Path) -> AsyncIterator[None]:
    task = asyncio.create_task(doctor.run())
    try:
        async with asyncio.timeout(10):
            while not (folder / SOCKET).exists():
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_whoever_owns_the_folder_gets_the_check_up_and_nobody_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(Doctor(tmp_path, well), tmp_path):
            mode = stat.S_IMODE((tmp_path / SOCKET).stat().st_mode)

            assert await asyncio.to_thread(doctor_line.ask, tmp_path) == BOARD
            assert mode == 0o600

    asyncio.run(story())


def test_a_socket_of_a_killed_kiosk_is_replaced(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / SOCKET).write_text("")

        async with answering(Doctor(tmp_path, well), tmp_path):
            assert await asyncio.to_thread(doctor_line.ask, tmp_path) == BOARD

    asyncio.run(story())


@pytest.mark.logs("could not look")
def test_books_that_cannot_be_read_end_the_question_and_not_the_doctor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with answering(Doctor(tmp_path, damaged), tmp_path):
            assert await asyncio.to_thread(doctor_line.ask, tmp_path) is None
            assert await asyncio.to_thread(doctor_line.ask, tmp_path) is None

    asyncio.run(story())

    assert "exception" not in caplog.text.lower()
    assert "the doctor could not look" in caplog.text
