"""Files of parcels, bills and notices: every mistake named, nothing half done, nothing doubled."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model import SiteCode
from sync.hub import manifest
from sync.hub.manifest import BadManifest, Mistake
from sync.hub.store import HubStore

SITE = SiteCode("QJ-0001")
PARCEL = {
    "waybill_no": "SF1234567890123",
    "carrier": "SF",
    "recipient": "王小明",
    "phone": "13800001234",
    "address": "金溪村3组12号",
    "consent": "locker",
    "size": "S",
}
BILL = {
    "bill_id": "B1",
    "biller": "供电所",
    "kind": "power",
    "account_no": "5001",
    "name": "王小明",
    "address": None,
    "period": "2026-02",
    "fen": 8650,
    "due": "2026-03-31",
}
NOTICE = {"notice_id": "N1", "text": "停水通知", "valid_until": "2026-03-31"}
OpenHub = Callable[..., HubStore]


def send(store: HubStore, tmp_path: Path, content: object) -> manifest.Sent:
    file = tmp_path / "m.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return manifest.send(store, SITE, file)


def refused(store: HubStore, tmp_path: Path, content: object) -> list[Mistake]:
    with pytest.raises(BadManifest) as refusal:
        send(store, tmp_path, content)
    with store.reading() as tx:
        assert tx.value("SELECT count(*) FROM down") == 0
    return refusal.value.mistakes


def test_a_good_file_is_written_whole(open_hub: OpenHub, tmp_path: Path) -> None:
    sent = send(open_hub(), tmp_path, {"parcels": [PARCEL], "bills": [BILL], "notices": [NOTICE]})

    assert sent == manifest.Sent(1, 1, 1, 0)


def test_the_same_file_again_doubles_nothing(open_hub: OpenHub, tmp_path: Path) -> None:
    store = open_hub()
    content = {"parcels": [PARCEL], "bills": [BILL], "notices": [NOTICE]}
    send(store, tmp_path, content)

    assert send(store, tmp_path, content) == manifest.Sent(0, 0, 0, 3)
    with store.reading() as tx:
        assert tx.value("SELECT count(*) FROM down") == 3


def test_a_waybill_twice_in_one_file_is_named_with_both_rows(open_hub: OpenHub, tmp_path: Path) -> None:
    other = {**PARCEL, "waybill_no": "SF0000000000009"}

    assert refused(open_hub(), tmp_path, {"parcels": [PARCEL, other, PARCEL]}) == [
        Mistake("parcels", 2, "waybill_no", "stands in row 0 already")
    ]


def test_a_waybill_in_small_letters_is_the_one_a_gun_will_read(open_hub: OpenHub, tmp_path: Path) -> None:
    """Guns and labels know capitals alone: a parcel told in small letters would come unannounced, and stay expected."""
    store = open_hub()
    small = {**PARCEL, "waybill_no": "sf1234567890123"}

    assert refused(store, tmp_path, {"parcels": [PARCEL, small]}) == [
        Mistake("parcels", 1, "waybill_no", "stands in row 0 already")
    ]
    assert (
        refused(store, tmp_path, {"parcels": [{**PARCEL, "waybill_no": "sf12345678901\u0131"}]})[0].field
        == "waybill_no"
    )
    send(store, tmp_path, {"parcels": [small]})

    with store.reading() as tx:
        assert json.loads(tx.value("SELECT body FROM down"))["waybill_no"] == "SF1234567890123"
        assert tx.value("SELECT waybill_no FROM parcel") == "SF1234567890123"
    assert send(store, tmp_path, {"parcels": [PARCEL]}).known_before == 1


def test_one_waybill_from_two_carriers_is_a_mistake_in_one_file_and_in_two(open_hub: OpenHub, tmp_path: Path) -> None:
    store, twin = open_hub(), {**PARCEL, "carrier": "ZTO"}

    assert refused(store, tmp_path, {"parcels": [PARCEL, twin]}) == [
        Mistake("parcels", 1, "waybill_no", "stands in row 0 already")
    ]
    send(store, tmp_path, {"parcels": [PARCEL]})
    with pytest.raises(BadManifest) as refusal:
        send(store, tmp_path, {"parcels": [twin]})
    assert [(m.index, m.field) for m in refusal.value.mistakes] == [(0, "waybill_no")]


def test_all_mistakes_are_named_at_once_and_without_personal_values(open_hub: OpenHub, tmp_path: Path) -> None:
    bad = {**PARCEL, "waybill_no": "SF0000000000009", "phone": "call 13800001234", "size": "XXL"}
    del bad["carrier"]
    mistakes = refused(
        open_hub(),
        tmp_path,
        {
            "parcels": [PARCEL, bad, 7],
            "bills": [{**BILL, "fen": 86.5, "tip": 1}],
            "notices": [{**NOTICE, "valid_until": "soon"}],
        },
    )

    assert {(m.where, m.index, m.field) for m in mistakes} == {
        ("parcels", 1, "carrier"),
        ("parcels", 1, "phone"),
        ("parcels", 1, "size"),
        ("parcels", 2, None),
        ("bills", 0, "fen"),
        ("bills", 0, "tip"),
        ("notices", 0, "valid_until"),
    }
    assert all("138" not in m.what for m in mistakes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("waybill_no", ""),
        ("waybill_no", "SF 1"),
        ("waybill_no", 123),
        ("waybill_no", "顺丰123456"),
        ("carrier", None),
        ("recipient", "王\u0000明"),
        ("recipient", "\ud800"),
        ("recipient", " "),
        ("recipient", []),
        ("phone", "1" * 30),
        ("consent", "perhaps"),
        ("size", 1),
    ],
)
def test_a_wrong_value_is_refused(open_hub: OpenHub, tmp_path: Path, field: str, value: object) -> None:
    [mistake] = refused(open_hub(), tmp_path, {"parcels": [{**PARCEL, field: value}]})

    assert (mistake.index, mistake.field) == (0, field)


@pytest.mark.parametrize("fen", [0, -1, True, 1.0, "8650", 10**9, None])
def test_money_is_whole_positive_fen(open_hub: OpenHub, tmp_path: Path, fen: object) -> None:
    [mistake] = refused(open_hub(), tmp_path, {"bills": [{**BILL, "fen": fen}]})

    assert mistake.field == "fen"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "null", "{", '{"parcel": []}', '{"parcels": {}}', "[" * 100_000, '{"a":NaN}']
)
def test_a_file_of_another_shape_is_refused(open_hub: OpenHub, tmp_path: Path, content: str) -> None:
    assert refused(open_hub(), tmp_path, content)


def test_a_file_that_is_not_there_is_refused(open_hub: OpenHub, tmp_path: Path) -> None:
    with pytest.raises(BadManifest) as refusal:
        manifest.send(open_hub(), SITE, tmp_path / "nothing.json")

    assert "cannot be read" in refusal.value.mistakes[0].what


def test_a_bill_id_that_names_another_bill_undoes_the_whole_file(open_hub: OpenHub, tmp_path: Path) -> None:
    store = open_hub()
    send(store, tmp_path, {"bills": [BILL]})

    with pytest.raises(BadManifest) as refusal:
        send(store, tmp_path, {"parcels": [PARCEL], "bills": [{**BILL, "bill_id": "B2"}, {**BILL, "fen": 1}]})

    assert refusal.value.mistakes == [Mistake("bills", 1, "bill_id", "names another bill already")]
    with store.reading() as tx:
        assert tx.value("SELECT count(*) FROM down") == 1
        assert tx.value("SELECT count(*) FROM parcel") == 0


def test_a_hundred_thousand_rows_are_taken_within_bounded_memory(open_hub: OpenHub, tmp_path: Path) -> None:
    store = open_hub()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = ({**PARCEL, "waybill_no": f"YT{n:013d}"} for n in range(100_000))
    with (tmp_path / "m.json").open("w") as file:
        file.write('{"parcels":[')
        for n, row in enumerate(rows):
            file.write(("," if n else "") + json.dumps(row, ensure_ascii=False))
        file.write("]}")

    sent = manifest.send(store, SITE, tmp_path / "m.json")

    assert sent.parcels == 100_000
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 400


def test_a_late_mistake_in_a_hundred_thousand_rows_leaves_nothing_behind(open_hub: OpenHub, tmp_path: Path) -> None:
    rows = [{**PARCEL, "waybill_no": f"YT{n:013d}"} for n in range(100_000)]
    rows[99_999] = {**rows[99_999], "size": None}

    assert refused(open_hub(), tmp_path, {"parcels": rows}) == [
        Mistake("parcels", 99_999, "size", "must be one of: S, M, L")
    ]


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.lists(st.integers(), max_size=2)
)


@given(
    st.dictionaries(
        st.sampled_from(["parcels", "bills", "notices"]),
        st.lists(
            st.one_of(values, st.dictionaries(st.sampled_from([*PARCEL, *BILL, *NOTICE, "x"]), values, max_size=9)),
            max_size=3,
        ),
        max_size=3,
    )
)
def test_checking_never_fails_whatever_the_file_holds(content: dict[str, list[object]]) -> None:
    whole = {key: content.get(key, []) for key in manifest.LISTS}

    assert bool(list(manifest.check(whole))) == any(whole.values())
