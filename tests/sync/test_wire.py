"""The codec of batches, answers and presence: round trips, bounds, and whatever bytes may come."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.chain import GENESIS, Item, Position, walk
from edge.events import canonical
from edge.model import LogId, Seq, SiteCode, Stamp
from sync import wire
from sync.strict import BadBatch
from sync.wire import Ack, Batch, Presence, Why

KEY = b"k" * 32
MARK = "ab" * 32
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
hashes = st.integers(0, 2**256 - 1).map(lambda n: f"{n:064x}")
plain_bodies = st.dictionaries(texts, st.one_of(texts, st.integers(-(2**60), 2**60), st.booleans()), max_size=5)
odd_bodies = st.sampled_from(
    ["", "no json", '{"b":1,"a":2}', '{"a": 1}', "[1]", '{"a":1e5}', '{"a":NaN}', '{"a":"\\u00e9"}']
)
stamps = st.builds(
    Stamp,
    at=st.integers(-(10**15), 10**15),
    boot=st.sampled_from(["0a1b2c3d", "ffffffff", "新"]),
    ms=st.integers(0, 10**12),
    synced=st.booleans(),
)
personals = st.dictionaries(
    st.sampled_from(["phone", "name", "code"]), st.tuples(st.just("00" * 16), texts), max_size=3
)
kinds = st.sampled_from(["parcel_arrived.1", "thing_of_tomorrow.7", "odd"])


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    first = draw(st.integers(1, 10**9))
    facts = draw(
        st.lists(st.tuples(kinds, st.one_of(plain_bodies.map(canonical), odd_bodies), stamps, personals), max_size=8)
    )
    items = tuple(Item(Seq(first + i), *fact) for i, fact in enumerate(facts))
    prev = draw(hashes)
    return Batch(LogId("0123456789abcdef"), Seq(first), prev, items, (walk(KEY, prev, items) or [prev])[-1])


@given(batches())
def test_a_batch_comes_out_as_it_went_in(batch: Batch) -> None:
    assert wire.decode_batch(wire.encode_batch(batch)) == batch


@given(batches(), st.data())
def test_a_truncated_batch_is_refused(batch: Batch, data: st.DataObject) -> None:
    packed = wire.encode_batch(batch)
    cut = data.draw(st.integers(0, len(packed) - 1))

    with pytest.raises(BadBatch):
        wire.decode_batch(packed[:cut])


@given(batches(), st.binary(min_size=1, max_size=20))
def test_something_behind_a_batch_is_refused(batch: Batch, more: bytes) -> None:
    with pytest.raises(BadBatch):
        wire.decode_batch(wire.encode_batch(batch) + more)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read_and_never_crash(payload: bytes) -> None:
    for read in (wire.decode_batch, wire.decode_ack, wire.decode_presence):
        with pytest.raises(BadBatch):
            read(payload)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda deeper: st.lists(deeper, max_size=6),
    max_leaves=12,
)


@given(batches(), st.sampled_from(["v", "log", "first", "prev", "boots", "facts", "mark"]), json_values)
def test_a_field_of_the_wrong_type_is_refused_or_harmless(batch: Batch, name: str, value: object) -> None:
    top = json.loads(zlib.decompress(wire.encode_batch(batch)))
    top[name] = value

    try:
        read = wire.decode_batch(zlib.compress(json.dumps(top).encode()))
    except BadBatch:
        return
    assert all(isinstance(item.body, str) and item.body.encode() is not None for item in read.items)


@given(batches().filter(lambda b: b.items), st.integers(0, 5), json_values)
def test_a_damaged_fact_is_refused_or_harmless(batch: Batch, place: int, value: object) -> None:
    top = json.loads(zlib.decompress(wire.encode_batch(batch)))
    fact = top["facts"][0]
    fact[min(place, len(fact) - 1)] = value

    try:
        read = wire.decode_batch(zlib.compress(json.dumps(top).encode()))
    except BadBatch:
        return
    assert read.items[0].seq == batch.first


@pytest.mark.parametrize(
    "plain",
    [
        b"[" * 200_000,
        b'{"v":1,"log":"a","first":1,"prev":"' + b"0" * 64 + b'","boots":["b"],"facts":[["k.1",' + b'{"a":' * 50_000,
        b'{"v":1,"log":"a","first":' + b"9" * 5_000 + b"}",
        b'{"v":2}',
        b"null",
        b'"\xff"',
    ],
)
def test_hostile_json_is_refused(plain: bytes) -> None:
    with pytest.raises(BadBatch):
        wire.decode_batch(zlib.compress(plain))


def test_a_bomb_is_refused_before_it_grows() -> None:
    bomb = zlib.compress(b" " * 200_000_000, 9)
    assert len(bomb) < wire.MAX_PACKED

    with pytest.raises(BadBatch, match="too large"):
        wire.decode_batch(bomb)


def test_half_a_surrogate_pair_never_reaches_the_store() -> None:
    facts = f'[["k.1",{{"a":"\\ud800"}},0,0,0]]'  # noqa: F541
    plain = f'{{"v":1,"log":"a","first":1,"prev":"{MARK}","boots":["b"],"facts":{facts},"mark":"{MARK}"}}'

    with pytest.raises(BadBatch, match="half a character"):
        wire.decode_batch(zlib.compress(plain.encode()))


def test_a_fact_too_large_to_travel_is_told_to_the_sender() -> None:
    item = Item(Seq(1), "k.1", canonical({"a": "x" * wire.MAX_PLAIN}), Stamp(0, "b", 0, False))

    with pytest.raises(BadBatch, match="too large"):
        wire.encode_batch(Batch(LogId("a"), Seq(1), GENESIS, (item,), MARK))


def test_two_hundred_usual_facts_take_less_than_forty_bytes_each() -> None:
    stamps_ = [Stamp(1_760_000_000_000 + 37_123 * i, "0a1b2c3d", 1_000_000 + 37_120 * i, True) for i in range(200)]
    items = tuple(
        Item(
            Seq(81 + i),
            ("door_opened.1", "parcel_picked_up.1", "pickup_started.1", "door_closed.1")[i % 4],
            canonical(
                [
                    {"opening": f"{i * 7919:016x}", "cell": i % 24 + 1},
                    {"parcel": f"{i * 104729:016x}", "by": "self", "evidence": "sensor"},
                    {"parcel": f"{i * 104729:016x}", "by": "code"},
                    {"opening": f"{i * 7919:016x}", "cell": i % 24 + 1},
                ][i % 4]
            ),
            stamps_[i],
        )
        for i in range(200)
    )

    packed = wire.encode_batch(Batch(LogId("0123456789abcdef"), Seq(81), GENESIS, items, MARK))

    assert len(packed) / 200 < 40


@given(
    st.integers(0, 2**62 - 1),
    hashes,
    st.sampled_from([None, *Why]),
    st.lists(st.tuples(st.integers(0, 2**62 - 1), hashes), max_size=9),
)
def test_an_answer_comes_out_as_it_went_in(upto: int, mark: str, why: Why | None, known: list[tuple[int, str]]) -> None:
    ack = Ack(Position(LogId("x-1"), Seq(upto), mark), why, tuple((Seq(s), m) for s, m in known))

    assert wire.decode_ack(wire.encode_ack(ack)) == ack


def test_an_endless_answer_is_refused() -> None:
    with pytest.raises(BadBatch):
        wire.decode_ack(b" " * (wire.MAX_ANSWER + 1))


@given(
    st.booleans(),
    st.integers(0, 10**6),
    st.dictionaries(st.sampled_from("abc"), st.one_of(texts, st.integers(), st.booleans())),
)
def test_a_presence_comes_out_as_it_went_in(online: bool, pending: int, health: dict[str, str | int | bool]) -> None:
    presence = Presence(online, "0.1.0", pending, health)

    assert wire.decode_presence(wire.encode_presence(presence)) == presence


@pytest.mark.parametrize(
    ("version", "health"), [("1\0", {}), ("\ud800", {}), ("1", {"a": "\ud800"}), ("1", {"\udfff": 1})]
)
def test_a_presence_that_no_database_keeps_is_refused(version: str, health: dict[str, str | int]) -> None:
    top = {"v": 1, "online": True, "version": version, "pending": 0, "health": health}

    with pytest.raises(BadBatch):
        wire.decode_presence(json.dumps(top).encode())


def test_topics_name_the_site_and_are_read_back() -> None:
    topics = wire.Topics(SiteCode("QJ-0001"))

    assert wire.split_topic(topics.up) == ("QJ-0001", "up")
    assert wire.split_topic(topics.down_ack) == ("QJ-0001", "down/ack")


@pytest.mark.parametrize(
    "topic", ["", "vp", "vp/QJ-0001", "vp//up", "xx/QJ-0001/up", "vp/a b/up", "vp/../up", "vp/" + "x" * 40 + "/up"]
)
def test_a_foreign_topic_is_not_ours(topic: str) -> None:
    assert wire.split_topic(topic) is None
