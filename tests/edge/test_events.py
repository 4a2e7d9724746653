"""The vocabulary: every kind goes to its body and back, and nothing else is taken for it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import events
from edge.events import KINDS, BadFact, Encoded, Fact, UnknownFact, decode, encode
from edge.model import PARCEL_MOVES, Phone

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
INTS = st.integers(1 - 2**63, 2**63 - 1)
EACH_KIND = pytest.mark.parametrize("kind", sorted(KINDS))


def values(hint: Any) -> st.SearchStrategy[Any]:
    """What a field of this type may hold."""
    members = get_args(hint) or (hint,)
    plain = {str: TEXT, int: INTS, bool: st.booleans(), NoneType: st.none()}
    return st.one_of(plain[m] if m in plain else TEXT.map(m) for m in members)


def facts(kind: str) -> st.SearchStrategy[Fact]:
    hints = get_type_hints(KINDS[kind])
    return st.builds(KINDS[kind], **{name: values(hints[name]) for name in KINDS[kind].__struct_fields__})


def salted() -> bytes:
    return b"0123456789abcdef"


def some(kind: str) -> Fact:
    """One fact of the kind, every field filled."""
    plain = {str: "x", int: 7, bool: True}
    hints = get_type_hints(KINDS[kind])
    made = {}
    for name in KINDS[kind].__struct_fields__:
        member = next(m for m in get_args(hints[name]) or (hints[name],) if m is not NoneType)
        made[name] = plain[member] if member in plain else member("personal")
    return KINDS[kind](**made)


@EACH_KIND
@given(st.data())
def test_a_fact_goes_to_its_body_and_back(kind: str, data: st.DataObject) -> None:
    fact = data.draw(facts(kind))

    told = encode(fact, salted)

    assert decode(told) == fact
    assert told.kind == kind
    assert events.canonical(json.loads(told.body)) == told.body
    assert encode(decode(told), salted) == told


@pytest.mark.parametrize(
    "value",
    [b"x", bytearray(b"x"), {1}, Decimal(1), UUID(int=0), datetime(2026, 1, 1, tzinfo=UTC), Phone("13800138000")],
)
def test_what_strayed_into_a_fact_is_written_into_no_log(value: Any) -> None:
    with pytest.raises(TypeError):
        events.canonical({"screen": value})
    with pytest.raises(TypeError):
        encode(events.HelpCalled(value), salted)


@EACH_KIND
def test_no_personal_value_is_in_the_body(kind: str) -> None:
    told = encode(some(kind), salted)

    assert "personal" not in told.body
    personal = {f for f in KINDS[kind].__struct_fields__ if isinstance(getattr(some(kind), f), events.PERSONAL)}
    assert set(told.personal) == set(json.loads(told.body).get(events.DIGESTS, {})) == personal


@EACH_KIND
def test_erased_values_come_back_as_none(kind: str) -> None:
    told = encode(some(kind), salted)

    again = decode(Encoded(told.kind, told.body, {}))

    for name in again.__struct_fields__:
        assert (getattr(again, name) is None) == (name in told.personal)


@EACH_KIND
def test_a_missing_field_is_refused_and_an_absent_optional_is_none(kind: str) -> None:
    told = encode(some(kind), salted)
    body = json.loads(told.body)
    hints = get_type_hints(KINDS[kind])
    for name in set(body) - {events.DIGESTS}:
        less = {k: v for k, v in body.items() if k != name}
        if NoneType in get_args(hints[name]):
            assert getattr(decode(Encoded(kind, json.dumps(less), told.personal)), name) is None
        else:
            with pytest.raises(BadFact, match=name):
                decode(Encoded(kind, json.dumps(less), told.personal))


WRONG = [1.5, [], {}, ["x"], {"a": 1}]


@EACH_KIND
def test_a_wrong_type_is_refused(kind: str) -> None:
    told = encode(some(kind), salted)
    body = json.loads(told.body)
    for name in set(body) - {events.DIGESTS}:
        others = {str: [7, True], int: ["7", True, 2**63, -(2**63) - 1], bool: [1, "true"]}[type(body[name])]
        for wrong in [*WRONG, *others]:
            with pytest.raises(BadFact):
                decode(Encoded(kind, json.dumps(body | {name: wrong}), told.personal))


@EACH_KIND
def test_a_personal_value_must_fit_its_digest(kind: str) -> None:
    told = encode(some(kind), salted)
    for name, (salt, value) in told.personal.items():
        for held in ((salt, value + "x"), ("00" * 16, value), ("no hex", value), (salt, "\ud800")):
            with pytest.raises(BadFact):
                decode(Encoded(kind, told.body, {**told.personal, name: held}))


LEAVES = st.none() | st.booleans() | INTS | st.floats() | TEXT
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=6)


@given(kind=st.sampled_from([*KINDS, "unknown.1", ""]), body=st.one_of(TEXT, JSON.map(json.dumps)))
def test_any_text_is_a_fact_an_unknown_fact_or_a_bad_fact(kind: str, body: str) -> None:
    try:
        fact = decode(Encoded(kind, body, {}))
    except BadFact:
        return
    assert isinstance(fact, UnknownFact) == (kind not in KINDS)


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"a":' * 100_000, "1" * 5000, "", "null", "[]", "\ud800", '{"~":1}', "{}" * 2]
)
def test_a_body_that_is_no_body_is_refused(body: str) -> None:
    with pytest.raises(BadFact):
        events.parse_body(body)


def test_an_unknown_kind_is_kept_as_it_came() -> None:
    body = '{"x": [1, 2],  "odd":   "spacing"}'

    assert decode(Encoded("weather_told.3", body, {})) == UnknownFact("weather_told.3", body)


def test_the_message_of_a_bad_fact_holds_no_value() -> None:
    told = encode(
        events.BillIssued("b", "w", "water", events.PERSONAL[3]("110203045566"), None, None, "p", 1, "d"), salted
    )  # type: ignore[arg-type]
    bad = [
        Encoded(told.kind, told.body, {"account_no": ("00", "110203045566")}),
        Encoded(told.kind, told.body.replace('"fen":1', '"fen":"13812345678"'), told.personal),
        Encoded(told.kind, "13812345678 x", {}),
    ]

    for each in bad:
        with pytest.raises(BadFact) as caught:
            decode(each)
        assert not re.search(r"\d{6}", str(caught.value))


def test_kinds_are_versioned_and_each_has_one_class() -> None:
    classes = [cls for cls in _all(Fact) if cls.kind]

    assert {cls.kind for cls in classes} == set(KINDS)
    assert all(re.fullmatch(r"[a-z_]+\.\d+", kind) for kind in KINDS)
    words = {kind.partition(".")[0] for kind in KINDS}
    without_rule = {"return_started", "parcel_returned"}
    assert {move for moves in PARCEL_MOVES.values() for move in moves} - words <= without_rule


def _all(cls: type[Fact]) -> list[type[Fact]]:
    return [each for sub in cls.__subclasses__() for each in (sub, *_all(sub))]


def test_every_personal_field_gets_a_salt_of_its_own() -> None:
    salts = iter([bytes([n]) * 16 for n in range(9)])

    told = encode(events.ParcelExpected("p", "w", "c", None, Phone("1"), None, "none", "S"), lambda: next(salts))
    again = encode(events.ParcelExpected("p", "w", "c", None, Phone("1"), None, "none", "S"), lambda: next(salts))

    assert told.personal["phone"][0] != again.personal["phone"][0]
    assert told.body != again.body
