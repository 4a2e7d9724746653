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
from edge.events import BadFact, Encoded, canonical, decode
from edge.model import LogId, Seq, Stamp
from edge.typed_json import is_plain_and_sorted
from sync import wire
from sync.facts import read_quickly, read_slowly
from sync.strict import BadBatch
from sync.wire import Batch

STAMP = Stamp(1_760_000_000_000, "0a1b2c3d", 5_000, True)
USUAL = (
    Item(Seq(1), "door_opened.1", '{"cell":1,"opening":"d1"}', STAMP),
    Item(Seq(2), "parcel_arrived.1", '{"parcel":"p","~":{"phone":"ab"}}', STAMP, {"phone": ("00", "王 138")}),
    Item(Seq(3), "door_opened.1", r'{"cell":2,"opening":"],[\"k\",{}\\"}', STAMP._replace(synced=False)),
)


def plain_of(items: tuple[Item, ...]) -> bytes:
    return wire.plain_batch(Batch(LogId("a"), Seq(1), GENESIS, items, walk(b"k", GENESIS, items)[-1]))


@given(batches())
def test_both_ways_read_the_same(batch: Batch) -> None:
    plain = wire.plain_batch(batch)
    top = json.loads(plain)

    quickly = read_quickly(plain)
    slowly = read_slowly(top["facts"], batch.first, top["boots"])

    assert slowly == batch.items
    assert quickly is None or quickly[1] == slowly


def test_usual_facts_are_read_quickly() -> None:
    found = read_quickly(plain_of(USUAL))

    assert found is not None
    assert found[1] == USUAL


PLAIN = st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.text()
BODIES = st.dictionaries(st.text(), PLAIN | st.dictionaries(st.text(), PLAIN, max_size=3), max_size=5)


@given(BODIES)
def test_a_plain_body_is_written_the_same_by_both_writers(body: dict[str, object]) -> None:
    assert is_plain_and_sorted(canonical(body))


OTHERWISE = [
    "", "{", "[]", "{}{}",
    '{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', '{"a":1.0}', '{"a":1e9}', '{"a":01}', '{"a":-0}',
    '{"a":9223372036854775808}', '{"a":[]}', '{"a":{"b":{}}}', '{"a":"\\u0041"}', '{"a":"\\/"}', '{"a":"\ud800"}',
]  # fmt: skip


@pytest.mark.parametrize("text", OTHERWISE)
def test_any_other_body_is_not_taken_for_plain(text: str) -> None:
    assert not is_plain_and_sorted(text)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + ",",
        lambda text: "," + text,
        lambda text: text.replace('"facts":[', '"facts":[,'),
        lambda text: text.replace('"boots":["0a1b2c3d"]', f'"boots":["{"b" * 65}"]'),
        lambda text: text.replace('{"cell":1,"opening":"d1"}', '"no object"'),
        lambda text: text.replace(",5000,1]", ",5000.0,1]", 1),
        lambda text: text.replace(",5000,1]", f",{2**63},1]", 1),
        lambda text: text.replace(",5000,1]", ",5000,-1]", 1),
        lambda text: text.replace(",5000,1]", ",5000,1,{},{}]", 1),
        lambda text: text.replace("],[", "],,["),
        lambda text: text.replace("],[", "][", 1),
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
    text = plain_of(USUAL).decode()
    assert callable(spoil)
    spoiled = spoil(text)
    assert spoiled != text

    assert read_quickly(spoiled.encode()) is None


def test_bytes_that_are_no_text_are_left_to_the_slow_way() -> None:
    assert read_quickly(plain_of(USUAL).replace(b'"d1"', b'"\xff"')) is None


def test_a_spoiled_batch_is_refused_and_a_blank_is_not() -> None:
    plain = plain_of(USUAL)

    blank = wire.decode_batch(zlib.compress(plain.replace(b"],[", b"], [", 1)))
    with pytest.raises(BadBatch):
        wire.decode_batch(zlib.compress(plain.replace(b"],[", b"],,[", 1)))

    assert blank.items == USUAL


@given(st.binary(min_size=1, max_size=100), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_chain_is_hmac_sha256(key: bytes, body: str) -> None:
    item = Item(Seq(7), "k.1", body, Stamp(5, "b", 6, False))
    whole = f"{GENESIS}\n7\nk.1\n5 b 6 0\n{body}".encode()

    assert link(key, GENESIS, item) == hmac.new(key, whole, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"opening":"d","cell":9223372036854775808}', "counting"),
        ('{"opening":"d","cell":-9223372036854775808}', "counting"),
        ('{"opening":"d","cell":true}', "wrong type"),
        ('{"opening":"d","cell":1.0}', "wrong type"),
        ('{"opening":"d","cell":null}', "missing"),
        ('{"opening":"d"}', "missing"),
        ('{"opening":"d","cell":1,"~":5}', "digests"),
        ('{"opening":"d","cell":1,"~":null}', "digests"),
        ('{"opening":"d","cell":1', "no JSON"),
        ("[1]", "no object"),
    ],
)
def test_a_body_that_does_not_fit_is_named(body: str, why: str) -> None:
    with pytest.raises(BadFact, match=why):
        decode(Encoded("door_opened.1", body, {}))


def test_a_body_may_say_more_and_in_another_order() -> None:
    body = '{ "cell": 9223372036854775807, "later": {"a": [1.5, null]}, "opening": "\\u0064" }'

    assert decode(Encoded("door_opened.1", body, {})) == ev.DoorOpened("d", 2**63 - 1)


def test_an_item_shows_no_personal_value() -> None:
    assert "138" not in repr(USUAL[1])
