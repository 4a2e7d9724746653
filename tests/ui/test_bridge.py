"""The bridge between threads: order kept, bounded, never blocking."""

from __future__ import annotations

import logging
import subprocess
import sys
from threading import Thread

import pytest

from edge.model import CellNo
from edge.steps import LinkState, OpeningDoor
from ui.bridge import BOUND, Bridge, Call, ScanRead


def test_what_is_posted_from_a_thread_comes_out_in_order_and_wakes_the_window() -> None:
    bridge, woken = Bridge(), []
    bridge.attach(lambda: woken.append(1))
    thread = Thread(target=lambda: [bridge.post(OpeningDoor(CellNo(n))) for n in range(500)])

    thread.start()
    thread.join()

    assert bridge.take() == [OpeningDoor(CellNo(n)) for n in range(500)]
    assert bridge.take() == []
    assert len(woken) == 500


def test_a_scan_waits_in_the_same_line_as_the_steps() -> None:
    bridge = Bridge()

    bridge.post(OpeningDoor(CellNo(1)))
    bridge.scan("SF123", "counter")

    assert bridge.take() == [OpeningDoor(CellNo(1)), ScanRead("SF123", "counter")]


def test_a_hung_window_loses_banners_first_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    bridge = Bridge()
    bridge.post(LinkState(online=True, days_offline=0, pending=0))
    with caplog.at_level(logging.ERROR):
        for n in range(BOUND + 5):
            bridge.post(OpeningDoor(CellNo(n)))

    items = bridge.take()
    assert len(items) == BOUND
    assert items[-1] == OpeningDoor(CellNo(BOUND + 4))
    assert not any(isinstance(item, LinkState) for item in items)
    assert len(caplog.records) == 1


def test_a_call_brings_its_answer_back() -> None:
    bridge = Bridge()
    answer = bridge.call(lambda: 42)

    (item,) = bridge.take()
    assert isinstance(item, Call)
    item.answer.set_result(item.what())
    assert answer.result(0) == 42


def test_everything_but_the_screens_works_without_a_window_library() -> None:
    code = (
        "import sys, ui.app, ui.bridge, ui.drive, ui.drive_client, ui.viewmodels, ui.words, ui.panel, ui.wrap;"
        "sys.exit(any(name.split('.')[0] == 'kivy' for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
