"""Make a compression dictionary out of our own facts, as a module of texts: `train_dictionary.py NUMBER > MODULE`.

Shape: for small batches of every kind of fact the piece is looked for that saves most when it is added, again and
       again, until no piece is worth its place; what was found first lies last, where it is cheapest to point at.
A released dictionary is never made again: batches on the way and sticks in drawers need the old one.
"""

from __future__ import annotations

import json
import random
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1] / part) for part in ("sync", "bench", "..")]

from edge import events
from edge.chain import GENESIS, Item, walk
from edge.events import KINDS, PERSONAL
from edge.model import LogId, Seq, Stamp
from sync.wire import Batch, plain_batch

KEY = bytes(range(32))
WORTH = 4  # bytes over all samples, below which a piece is not kept
LIMIT = 6 * 1024  # a dictionary is hashed anew for each batch: 6 KB cost 20 microseconds
SIZES = (1, 1, 2, 3, 5, 8)  # facts of a batch on an ordinary day: what has happened since the last answer
WORDS: dict[str, tuple[str, ...]] = {
    "carrier": ("SF", "YTO", "ZTO", "STO", "JD", "EMS", "YD", "JT"),
    "purpose": ("deposit", "pickup"),
    "how": ("self", "code", "qr", "operator", "at_counter", "phone_call", "sensor"),
    "evidence": ("sensor", "operator"),
    "consent": ("locker", "shelf", "home"),
    "size": ("S", "M", "L"),
    "sort": ("water", "power", "gas"),
    "means": ("cash",),
    "operator": ("op-1", "op1", "op-2"),
    "by": ("op-1", "self"),
    "reason": ("jammed", "no_answer", "wrong_amount", "paid_elsewhere"),
    "period": ("2026-11", "2026-12", "2027-01"),
    "due": ("2026-11-30", "2026-12-31"),
}
OFTEN = {
    "parcel_arrived.1": 6, "parcel_deposited.1": 6, "door_authorised.1": 8, "door_opened.1": 8, "door_closed.1": 8,
    "parcel_picked_up.1": 6, "pickup_started.1": 4, "parcel_shelved.1": 4, "parcel_expected.1": 6, "notice_sent.1": 4,
    "bill_issued.1": 3, "bill_accepted.1": 3, "bill_posted.1": 2, "print_started.1": 2, "print_ended.1": 2,
}  # fmt: skip


def fact_of(kind: str, dice: random.Random) -> events.Fact:
    """A fact of this kind as it may happen: texts of its fields by their names, numbers of the usual size."""
    cls = KINDS[kind]
    values: dict[str, Any] = {}
    for name, hint in ((n, h) for n, h in get_type_hints(cls).items() if n != "kind"):
        types = get_args(hint) or (hint,)
        personal = next((each for each in types if each in PERSONAL), None)
        if type(None) in types and dice.random() < 0.3:
            values[name] = None
        elif personal is not None:
            values[name] = personal(f"{dice.randrange(10**11):011d}")
        elif bool in types:
            values[name] = dice.random() < 0.7
        elif int in types:
            values[name] = dice.randrange(1, 49) if name == "cell" else dice.randrange(1, 50_000)
        elif name in WORDS:
            values[name] = dice.choice(WORDS[name])
        elif name == "waybill_no":
            values[name] = f"SF{dice.randrange(10**13):013d}"
        else:
            values[name] = f"{dice.getrandbits(64):016x}"
    return cls(**values)


def batches(seed: int, count: int) -> Iterator[bytes]:
    """Small batches as they travel, before compression."""
    dice = random.Random(seed)
    kinds = [kind for kind in KINDS for _ in range(OFTEN.get(kind, 1))]
    for _ in range(count):
        at = 1_795_350_600_000 + dice.randrange(10**10)
        first, ms = dice.randrange(1, 200_000), dice.randrange(10**8)
        items = []
        for place in range(dice.choice(SIZES)):
            at, ms = at + dice.randrange(60_000), ms + dice.randrange(60_000)
            encoded = events.encode(fact_of(dice.choice(kinds), dice), lambda: dice.randbytes(16))
            stamp = Stamp(at, f"{7:08x}", ms, True)
            items.append(Item(Seq(first + place), encoded.kind, encoded.body, stamp, encoded.personal))
        prev = f"{dice.getrandbits(256):064x}" if first > 1 else GENESIS
        mark = walk(KEY, prev, items)[-1]
        yield plain_batch(Batch(LogId(f"{dice.getrandbits(64):016x}"), Seq(first), prev, tuple(items), mark))


def pieces(samples: list[bytes]) -> list[bytes]:
    """Candidates: each fact and the frame around facts, with everything that never comes twice left out."""
    found: dict[bytes, int] = {}
    for sample in samples:
        top = json.loads(sample)
        frame = '"{},"first":{},"prev":"{}","boots":["00000007"],"facts":[["'
        found[frame.encode()] = found.get(frame.encode(), 0) + 1
        for fact in top["facts"]:
            for text in _parts(json.dumps(fact, ensure_ascii=False, separators=(",", ":"))):
                found[text.encode()] = found.get(text.encode(), 0) + 1
    return sorted(found, key=lambda each: (-found[each], each))[:900]


def _parts(text: str) -> Iterator[str]:
    """A fact in runs without its random texts."""
    run = re.sub(r'"[0-9a-f]{16,}"|"[A-Z]{0,2}[0-9]{6,}"|(?<=[\[,:])-?[0-9]{3,}', '"', text)
    yield run
    for part in run.split(',"'):
        if len(part) > 5:
            yield f',"{part}'


def packed(samples: list[bytes], dictionary: bytes) -> int:
    """Bytes of all samples with this dictionary."""
    size = 0
    for sample in samples:
        packer = zlib.compressobj(6, zdict=dictionary) if dictionary else zlib.compressobj(6)
        size += len(packer.compress(sample)) + len(packer.flush())
    return size


def trained(samples: list[bytes], candidates: list[bytes]) -> bytes:
    """Take the best piece again and again, with each candidate's gain bounded by what it gained when last tried."""
    frame = b'{"v":1,"log":"","first":1,"prev":"","boots":["00000007"],"facts":[["'
    tail = b',true}],"mark":"'
    text = tail + frame
    size = packed(samples, text)
    gains = [(1 << 30, piece) for piece in candidates]
    while gains and len(text) < LIMIT:
        gains.sort(key=lambda each: -each[0])
        for at, (_, piece) in enumerate(gains):  # the first whose fresh gain still beats the next one's old gain
            gain = size - packed(samples, piece + text)
            gains[at] = (gain, piece)
            if at + 1 == len(gains) or gain >= gains[at + 1][0]:
                break
        gain, piece = max(gains)
        if gain < WORTH:
            break
        gains.remove((gain, piece))
        text, size = piece + text, packed(samples, piece + text)
    return text


def module(number: int, text: str) -> str:
    """The dictionary as Python."""
    width = 100
    lines = [f"    {text[first : first + width]!a}" for first in range(0, len(text), width)]
    doc = f'"""Dictionary {number}: pieces of facts that every batch may point at. '
    doc += 'Made by train_dictionary.py; never changed."""'
    return "\n".join([doc, "", "TEXT = (", *lines, ")", ""])


def main() -> None:
    samples = list(batches(1, 160))
    text = trained(samples, pieces(samples)).decode()
    fresh = list(batches(2, 200))
    before, after = packed(fresh, b""), packed(fresh, text.encode())
    print(f"{len(text)} bytes; fresh batches {before} -> {after} bytes ({after / before:.2f})", file=sys.stderr)
    print(module(int(sys.argv[1]), text), end="")


if __name__ == "__main__":
    main()
