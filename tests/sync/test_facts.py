"""The facts of a batch as text: the quick way reads what the slow way reads, and nothing that it would refuse."""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_wire import batches

from edge import events as ev
from edge.chain import GENESIS, Item, link, walk
from edge.events import BadFact, read
from edge.model import Seq, Stamp
from sync import wire
from sync.facts import read_quickly, read_slowly, write_facts
from sync.strict import BadBatch
from sync.wire import Batch

STAMP = Stamp(1_760_000_000_000, "0a1b2c3d", 5_000, True)
USUAL = (
    Item(Seq(1), "door_opened.1", '{"cell":1,"opening":"d1"}', STAMP),
    Item(Seq(2), "parcel_arrived.1", '{"parcel":"p","~":{"phone":"ab"}}', STAMP, {"phone": ("00", "王 138")}),
    Item(Seq(3), "door_opened.1", r'{"cell":2,"opening":"],[\"k\",{}\\"}', STAMP._replace(synced=False)),
)


@given(batches())
def test_both_ways_read_the_same(batch: Batch) -> None:
    boots, text = write_facts(batch.items)

    quickly = read_quickly(text, batch.first, boots)
    slowly = read_slowly(json.loads(f"[{text}]"), batch.first, boots)

    assert slowly == batch.items
    assert quickly is None or quickly == (slowly, [json.loads(item.body) for item in slowly])


def test_usual_facts_are_read_quickly() -> None:
    boots, text = write_facts(USUAL)

    found = read_quickly(text, Seq(1), boots)

    assert found is not None
    assert found[0] == USUAL
    assert [body.get("cell") for body in found[1]] == [1, None, 2]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + ",",
        lambda text: "," + text,
        lambda text: text.replace("],[", "],,["),
        lambda text: text.replace("],[", "][", 1),
        lambda text: text.replace("],[", "], [", 1),
        lambda text: text.replace('{"cell":1', '{"cell":01'),
        lambda text: text.replace('{"cell":1,', '{"cell":1,,'),
        lambda text: text.replace(",5000,1]", ",05000,1]", 1),
        lambda text: text.replace(",5000,1]", ",5000,7]", 1),
        lambda text: text.replace("door_opened.1", "door opened.1", 1),
        lambda text: text.replace('"d1"', '"\\ud800"'),
        lambda text: text.replace('"d1"', '"\x01"'),
        lambda text: text.replace('["00","王 138"]', '["00","王 138",""]'),
        lambda text: text.replace('["00","王 138"]', '{"00":"王 138"}'),
        lambda text: text.replace('"王 138"', f'"{"9" * 5_000}"'),
    ],
)
def test_what_is_otherwise_is_left_to_the_slow_way(spoil: object) -> None:
    boots, text = write_facts(USUAL)
    assert callable(spoil)
    spoiled = spoil(text)
    assert spoiled != text

    assert read_quickly(spoiled, Seq(1), boots) is None


def test_a_spoiled_batch_is_refused_and_a_blank_is_not() -> None:
    mark = walk(b"k", GENESIS, USUAL)[-1]
    plain = wire.plain_batch(Batch(wire.LogId("a"), Seq(1), GENESIS, USUAL, mark))

    blank = wire.decode_batch(zlib.compress(plain.replace(b"],[", b"], [", 1)))
    with pytest.raises(BadBatch):
        wire.decode_batch(zlib.compress(plain.replace(b"],[", b"],,[", 1)))

    assert blank.items == USUAL
    assert not blank.bodies


@given(st.binary(min_size=1, max_size=100), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_chain_is_hmac_sha256(key: bytes, body: str) -> None:
    item = Item(Seq(7), "k.1", body, Stamp(5, "b", 6, False))
    whole = f"{GENESIS}\n7\nk.1\n5 b 6 0\n{body}".encode()

    assert link(key, GENESIS, item) == hmac.new(key, whole, hashlib.sha256).hexdigest()


def test_types_that_fitted_once_do_not_let_a_number_beyond_counting_in() -> None:
    assert read(ev.DoorOpened, {"opening": "d", "cell": 1}, {}) == ev.DoorOpened("d", 1)

    with pytest.raises(BadFact, match="counting"):
        read(ev.DoorOpened, {"opening": "d", "cell": 2**63}, {})
    with pytest.raises(BadFact, match="wrong type"):
        read(ev.DoorOpened, {"opening": "d", "cell": True}, {})
    with pytest.raises(BadFact, match="missing"):
        read(ev.DoorOpened, {"opening": "d"}, {})
    with pytest.raises(BadFact, match="digests"):
        read(ev.DoorOpened, {"opening": "d", "cell": 1, "~": 5}, {})


def test_an_item_shows_no_personal_value() -> None:
    assert "138" not in repr(USUAL[1])
