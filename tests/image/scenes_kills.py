"""The running machine is killed at random moments, started cold, and must come up: at work, and during a first start.

What the disk keeps of a kill is in cut_disk.py, what must hold in scenes_cuts.py. A round that a hand could not play to
its end is a violation, and the next one begins with another cold start.
"""

from __future__ import annotations

import json
import random
import struct
import threading
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import sample
from emulated_point import EmulatedPoint
from firmware_disk import partitions
from image_district import ImageDistrict
from ledger import Ledger, NotSeen, until
from machine import MachineError
from qmp import QmpError
from root_shell import ShellError
from scenes_counter import Counter
from scenes_cuts import DISK, UP, Books, Promise, data_check, heard_upto, judge, read_books
from scenes_start import FIRST, STANDBY, Watcher

from ui.drive_client import DriveError

ROUND = "a round of kills is played to its end"
THANKED = "every pick-up that the screen confirmed is in the books"
SLIPS = "every payment whose slip was shown is in the books"
SAME_CODE = "a terminal that had asked the hub asks with the same key after a power cut"
ONE_KEY = "a card asks with one key, however often its first start is cut"
GROWN = "the data partition fills the card after a cut first start"
SCANS_S, TOUCH_S = 18.0, 8.0  # latest moment of a cut: after the intake is open; after the deciding touch
WORKS = ("intake", "intake", "intake", "pick-up", "bill")
FIRST_SEED = 1000  # of manifests beside the sample's own
ROWS_PER_KILL = 12  # parcels expected for each kill, more than can be scanned
ASKED_S = 240.0
ASK_AGAIN_S = 8.0  # a terminal asks every 5 s
SUPERBLOCK_AT = 1024 + 4  # from the count of blocks on
SPARE = 1 << 20  # of the partition that a file system may leave
PAGE_S = 75.0  # from power on to the pairing page, as long as nothing was measured
LATE = 1.15  # latest moment of a cut of a first start, in the time the pairing page needed
GONE = (QmpError, DriveError, ShellError, MachineError, NotSeen, OSError)  # what hands meet when the power is gone


def cut_writes(counter: Counter, watcher: Watcher, dice: random.Random, times: int) -> None:
    """Kill the machine while parcels are scanned in, given out and bills are paid; start it cold, again."""
    ledger, point = watcher.ledger, counter.point
    rows = expect_parcels(counter, times * ROWS_PER_KILL)
    killed = facts = 0
    for number in range(1, times + 1):
        work = dice.choice(WORKS)
        try:
            at = _work_until_cut(counter, dice, work, rows)
            hurt = point.settle(dice)
            books = read_books(point, point.folder)
            judge_work(books, counter, ledger)
            new, facts = _facts(books) - facts, _facts(books)
            took = _back_at_work(point, watcher)
        except GONE as error:
            ledger.check(ROUND, is_so=False, seen=f"kill {number}, {work}: {type(error).__name__}: {error}")
            _start_over(point, watcher, dice)
            continue
        ledger.check(ROUND, is_so=True)
        killed += 1
        ledger.figures["machine killed at work [kills]"] = killed
        ledger.say(f"kill {number}/{times} {at:.1f} s into {work}: {new} facts, {hurt} writes hurt, up in {took:.0f} s")
    ledger.figure("writes that did not survive a kill whole", point.disk.hurt, "writes")


def expect_parcels(counter: Counter, count: int) -> list[str]:
    """Have the hub announce at least so many more parcels; tell their waybills."""
    rows = more_parcels(count)
    file = counter.district.stand.folder / "more.json"
    file.write_text(json.dumps({"parcels": rows, "bills": [], "notices": []}, ensure_ascii=False), "utf-8")
    counter.district.stand.hub_command("send", "--site", sample.SITE, str(file))
    return [str(row["waybill_no"]) for row in rows]


def more_parcels(count: int) -> list[dict[str, object]]:
    """At least so many parcels that the sample's own manifest does not have."""
    seeds = range(FIRST_SEED, FIRST_SEED - (-count // sample.PARCELS))
    return [row for seed in seeds for row in sample.manifest(today(), seed)["parcels"]]


def today() -> date:
    return datetime.now(UTC).date()


def _facts(books: Books) -> int:
    return int(books.proof["facts"]) if books.proof else 0


def _back_at_work(point: EmulatedPoint, watcher: Watcher) -> float:
    """Start cold, up to the standby screen. Tell the seconds."""
    machine = point.power_on()
    watcher.reach(STANDBY, UP)
    took = machine.seconds
    point.open_shell()
    point.open_eyes()
    return took


def _start_over(point: EmulatedPoint, watcher: Watcher, dice: random.Random) -> None:
    if point.is_on:
        point.kill()
    point.settle(dice)
    _back_at_work(point, watcher)


def _work_until_cut(counter: Counter, dice: random.Random, work: str, rows: list[str]) -> float:
    """Work, and the power goes in the middle of it. Tell how long after the deciding moment.

    Errors: those of GONE, while the power is still there.
    """
    touch = None
    if work == "pick-up" and (waiting := counter.waiting()) is not None:
        last = counter.before_pickup(*waiting)
        touch = lambda: counter.fetch(last)  # noqa: E731
    elif work == "bill" and counter.bills:
        bill = counter.bills.pop()
        counter.before_payment(bill)
        touch = lambda: counter.take_cash(bill)  # noqa: E731
    else:
        counter.open_intake()
    began = time.monotonic()
    fuse = threading.Timer(dice.uniform(0.3, SCANS_S if touch is None else TOUCH_S), counter.point.kill)
    fuse.start()
    with suppress(*GONE):
        if touch is not None:
            touch()
        while touch is None and counter.point.is_on:
            counter.point.machine.qmp.scan(rows.pop())
            time.sleep(dice.uniform(0.2, 3.0))
    fuse.join()
    return time.monotonic() - began


def judge_work(books: Books, counter: Counter, ledger: Ledger) -> None:
    """What must hold after a kill at work."""
    judge(books, Promise(0, counter.pulses(), heard_upto(counter.district)), ledger)
    out, paid = books.kinds.get("parcel_picked_up.1", 0), books.kinds.get("bill_accepted.1", 0)
    ledger.check(THANKED, out >= counter.thanked, f"{counter.thanked} were thanked, {out} picked up")
    ledger.check(SLIPS, paid >= counter.slips, f"{counter.slips} slips, {paid} payments")


def cut_first_start(
    point: EmulatedPoint, district: ImageDistrict, watcher: Watcher, dice: random.Random, times: int
) -> None:
    """A blank card, killed anywhere from power on to the pairing page; a cold start must reach it. A new card each."""
    ledger = watcher.ledger
    point.put("district.toml", district.card())
    blank = point.disk.snapshot(point.folder / "blank")
    page_s = PAGE_S
    for number in range(1, times + 1):
        point.disk.restore(blank)
        old = set(district.waiting())
        point.power_on()
        time.sleep(dice.uniform(3.0, page_s * LATE))
        point.kill()
        at = point.machine.seconds
        hurt = point.settle(dice)
        asked = set(district.waiting()) - old
        judge_card(point, ledger)
        try:
            page_s = _first_page(point, district, watcher, old, asked)
            _judge_growth(point, ledger)
        except GONE as error:
            ledger.check(ROUND, is_so=False, seen=f"first start, kill {number}: {type(error).__name__}: {error}")
        else:
            ledger.check(ROUND, is_so=True)
            words = f"{'had asked' if asked else 'had not asked'}, {hurt} writes hurt, up in {page_s:.0f} s"
            ledger.say(f"kill {number}/{times} {at:.0f} s into a first start: {words}")
        ledger.figures["machine killed in a first start [kills]"] = number
        if point.is_on:
            point.cut_power(dice)
        for code in set(district.waiting()) - old:
            district.refuse(code)  # the hub lets twenty wait at one address


def judge_card(point: EmulatedPoint, ledger: Ledger) -> None:
    """The file system of a card whose first start was cut."""
    card = point.folder / "data.ext4"
    fsck, words = data_check(point, card)
    card.unlink()
    ledger.check(DISK, fsck == 0, words)


def _first_page(
    point: EmulatedPoint, district: ImageDistrict, watcher: Watcher, old: set[str], asked: set[str]
) -> float:
    """Start cold, up to the pairing page and the question at the hub. Tell the seconds to the page."""
    ledger, machine = watcher.ledger, point.power_on()
    watcher.reach(FIRST, UP)
    took = machine.seconds
    codes = until("the terminal's question at the hub", lambda: set(district.waiting()) - old, ASKED_S)
    time.sleep(ASK_AGAIN_S)
    codes |= set(district.waiting()) - old
    ledger.check(ONE_KEY, len(codes) == 1, codes)
    if asked:
        ledger.check(SAME_CODE, codes == asked, (asked, codes))
    watcher.wait(FIRST, ASKED_S)
    return took


def _judge_growth(point: EmulatedPoint, ledger: Ledger) -> None:
    """Whether partition and file system fill the card; off, with every write it made."""
    point.kill()
    point.after_off()
    point.disk.flush()
    part, card = partitions(point.disk)[3], point.folder / "data.ext4"
    data_check(point, card)
    size, room = files_end(card), point.disk.size - part.at
    card.unlink()
    ledger.check(GROWN, part.size == room and size > room - SPARE, f"card {room}, partition {part.size}, files {size}")


def files_end(card: Path) -> int:
    """Where an ext4 file system ends, by its first superblock."""
    with card.open("rb") as file:
        file.seek(SUPERBLOCK_AT)
        blocks, _, _, _, _, shift = struct.unpack("<6I", file.read(24))
    return int(blocks) << (10 + shift)
