"""Looking at the machine: recorded files of other machines, a real disk, real certificates, real books."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from stockroom import Clock, Dice

from edge import events, examine, log
from edge.store import Store

MEMINFO = "MemTotal:        3884404 kB\nMemFree:          214320 kB\nMemAvailable:    1048576 kB\n"


def test_free_memory_is_what_programs_can_still_have(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)

    assert examine.memory_mb(tmp_path / "meminfo") == 1024
    assert examine.memory_mb(tmp_path / "none") is None


def test_the_hottest_zone_counts_and_a_zone_that_is_off_does_not(tmp_path: Path) -> None:
    for number, text in enumerate(["48312\n", "61250\n", "N/A\n"]):
        zone = tmp_path / "class" / "thermal" / f"thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(text)

    assert examine.heat_c(tmp_path) == 61


def test_a_machine_that_measures_no_temperature_says_so(tmp_path: Path) -> None:
    assert examine.heat_c(tmp_path) is None


@pytest.mark.parametrize(("text", "used_up"), [("0x05 0x0A\n", 100), ("0x01 0x01\n", 10), ("0x00 0x00\n", None)])
def test_a_memory_card_tells_how_much_of_its_life_is_used(tmp_path: Path, text: str, used_up: int | None) -> None:
    number = tmp_path.stat().st_dev
    device = tmp_path / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}" / "device"
    device.mkdir(parents=True)
    (device / "life_time").write_text(text)

    assert examine.disk(tmp_path, tmp_path).used_up == used_up


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_of_its_parent(tmp_path: Path) -> None:
    found = examine.disk(tmp_path / "not" / "yet")

    assert found.free_mb is not None
    assert not found.is_read_only
    assert found.has_reserve is None


def certificate(folder: Path, days: int) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += [
        "-keyout",
        str(folder / "key.pem"),
        "-out",
        str(folder / "ca.pem"),
        "-days",
        str(days),
        "-subj",
        "/CN=d",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "ca.pem"


def test_the_days_of_a_certificate_are_counted_down_and_beyond_its_end(tmp_path: Path) -> None:
    file, now_s = certificate(tmp_path, 40), int(time.time())

    assert examine.certificate_days(file, now_s) in (39, 40)
    assert examine.certificate_days(file, now_s + 50 * examine.DAY_S) in (-11, -10)


def test_a_certificate_that_is_none_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")

    assert examine.certificate_days(tmp_path / "ca.pem", 0) is None
    assert examine.certificate_days(tmp_path / "none.pem", 0) is None


def test_sound_books_are_sound_and_a_changed_fact_breaks_their_chain(store: Store, clock: Clock, dice: Dice) -> None:
    store.run_now(log.append, events.HelpCalled("home"))
    store.close()
    before, _ = examine.books(store.folder, store.keys, clock, dice)
    with sqlite3.connect(store.path) as db:
        changed = db.execute("UPDATE fact SET at = at + 1 WHERE seq = (SELECT max(seq) FROM fact)").rowcount
    db.close()
    assert changed == 1

    after, _ = examine.books(store.folder, store.keys, clock, dice)

    assert (before.damage, after.damage) == ("", "broken")
    assert before.newest_at is not None


def test_a_damaged_file_is_told_and_left_as_it_is(store: Store, clock: Clock, dice: Dice) -> None:
    store.close()
    store.path.write_bytes(b"no database at all" * 1000)

    found, _ = examine.books(store.folder, store.keys, clock, dice)

    assert found.damage == "damaged"
    assert store.path.read_bytes().startswith(b"no database at all")
