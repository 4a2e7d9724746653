"""What the hub says is never believed blindly: one bad fact changes nothing and blocks none of the others."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stockroom import NOON, PHONE, Hub, bill, dump, expected, kinds, parcel_of, stored, waybill

from edge import bills, boards, events, log, parcels
from edge.model import BillId, BillState, Fen, OperatorId, ParcelState, Phone
from edge.store import Store, Tx

pytestmark = pytest.mark.logs("a fact of the hub")


def body(fact: events.Fact, **changes: object) -> tuple[str, str]:
    """A fact as the hub would write it, with some fields changed behind the codec's back."""
    encoded = events.encode(fact, lambda: b"s" * 16)
    plain = json.loads(encoded.body) | changes
    return encoded.kind, json.dumps({k: v for k, v in plain.items() if v != "gone"})


POISON = {
    "unknown kind": ("weather_told.1", '{"rain":1}'),
    "newer version": ("parcel_expected.2", '{"parcel":"p1"}'),
    "no json": ("parcel_expected.1", "{parcel"),
    "no object": ("parcel_expected.1", "[1,2]"),
    "empty": ("parcel_expected.1", ""),
    "endless nesting": ("parcel_expected.1", '{"parcel":' + "[" * 100_000),
    "endless nesting of an unknown kind": ("weather_told.1", '{"rain":' + '{"a":' * 100_000),
    "missing field": body(expected(1), waybill_no="gone"),
    "wrong type": body(expected(1), waybill_no=17),
    "bad size": body(expected(1), size="XXL"),
    "bad consent": body(expected(1), consent="perhaps"),
    "null consent": body(expected(1), consent=None),
    "half a sign": body(expected(1), carrier="\ud800"),
    "money that is no whole number": body(bill(7), fen=1.5),
    "money as text": body(bill(7), fen="100"),
    "money as truth": body(bill(7), fen=True),
    "money beyond all counting": body(bill(7), fen=10**30),
    "money below nothing": body(bill(7), fen=-5),
    "a bill of nothing": body(bill(7), fen=0),
    "posted without a bill": events.BillPosted("nobody", "000001", "S1"),
    "refused without a bill": events.BillRefused("nobody", "000001", "no"),
    "a fact of our own": events.DoorOpened("o1", 3),
    "infinite": ("bill_issued.1", '{"fen":Infinity}'),
    "digests of the wrong shape": ("parcel_expected.1", '{"~":7,"parcel":"p1"}'),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_bad_fact_changes_nothing_and_blocks_nothing(
    store: Store, hub: Hub, caplog: pytest.LogCaptureFixture, poison: events.Fact | tuple[str, str]
) -> None:
    before = dump(store)

    hub.tell(store, poison)

    after = dump(store)
    changed = {table for table in before if before[table] != after[table]}
    assert changed == {"cursor", "applied"}
    assert len(caplog.records) == 1
    hub.tell(store, poison, expected(2))
    assert parcel_of(store, 2).state is ParcelState.EXPECTED


@pytest.mark.parametrize(
    "personal", [{"phone": ("zz", PHONE)}, {"phone": ("00" * 16, PHONE)}, {"phone": ("00", "\ud800")}]
)
def test_a_personal_value_that_does_not_fit_is_refused(
    store: Store, hub: Hub, personal: dict[str, tuple[str, str]]
) -> None:
    from edge import inbox
    from edge.chain import Item
    from edge.model import LogId

    items, marks = hub.items([expected(1)])
    bad = Item(items[0].seq, items[0].kind, items[0].body, items[0].stamp, personal)

    store.run_now(log.apply_down, LogId(hub.name), [bad], marks, inbox.apply)

    assert store.run_now(Tx.value, "SELECT count(*) FROM parcel") == 0


def test_a_warning_tells_no_person_and_no_payload(store: Store, hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    told = events.encode(expected(1, phone="13987654321"), lambda: b"s" * 16)
    hub.tell(store, expected(1, phone="13987654321", size="XL"), (told.kind, told.body.replace('"S"', '"沪XL"')))

    assert "13987654321" not in caplog.text
    assert "沪" not in caplog.text
    assert waybill(1) not in caplog.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@settings(suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(sorted(events.KINDS)),
    fields=st.dictionaries(
        st.sampled_from(sorted({f for c in events.KINDS.values() for f in c.__slots__})), json_values
    ),
)
def test_whatever_the_hub_says_the_log_goes_on(store: Store, kind: str, fields: dict[str, object]) -> None:
    hub = Hub(name=store.run_now(lambda tx: tx.dice.ident()))

    at = hub.tell(store, (kind, json.dumps(fields)))

    assert at.upto == 1
    assert store.run_now(log.verify) is None


# --- the good ones ------------------------------------------------------------------------------------------------


def test_an_announcement_again_corrects_what_is_known(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1, consent="none"), expected(1, phone="13911112222"))

    parcel = parcel_of(store, 1)
    assert parcel.phone == Phone("13911112222")
    assert parcel.consent == "locker"


@pytest.mark.parametrize("there", ["expected", "in stock"])
def test_the_same_waybill_under_another_parcel_is_refused(store: Store, hub: Hub, there: str) -> None:
    """A doubled row of a manifest must not give one person's parcel to another person's phone."""
    if there == "expected":
        hub.tell(store, expected(1))
    else:
        stored(store, hub, 1)
    before = parcel_of(store, 1)

    twin = events.ParcelExpected("p99", waybill(1), "SF", None, Phone("13999999999"), None, "locker", "S")
    hub.tell(store, twin)

    assert parcel_of(store, 1) == before
    assert store.run_now(Tx.value, "SELECT count(*) FROM parcel") == 1


def test_what_came_unannounced_is_completed(store: Store, hub: Hub) -> None:
    from edge.model import Consent

    told = parcels.Arrival(waybill(1), "SF", OperatorId("op1"), "shelf", Phone(PHONE), Consent.SHELF)
    here = store.run_now(parcels.arrive, told)
    from edge.model import Name

    hub.tell(store, events.ParcelExpected("p1", waybill(1), "SF", Name("王小二"), None, None, "locker", "S"))

    line = store.run_now(boards.line, here.id)
    assert (line.recipient, line.phone) == (Name("王小二"), Phone(PHONE))


def test_a_late_announcement_under_the_points_own_id_brings_name_and_consent(store: Store, hub: Hub) -> None:
    from edge.model import Consent, Name

    told = parcels.Arrival(waybill(1), "SF", OperatorId("op1"), "shelf", Phone(PHONE), Consent.SHELF)
    here = store.run_now(parcels.take_in, told)
    late = events.ParcelExpected(here.id, waybill(1), "SF", Name("王小二"), None, None, "locker", "S")

    hub.tell(store, late, late)

    after = store.run_now(parcels.load, here.id)
    line = store.run_now(boards.line, here.id)
    assert (after.state, after.place, after.consent) == (here.state, here.place, Consent.SHELF)
    assert (line.recipient, line.phone) == (Name("王小二"), Phone(PHONE))
    assert store.run_now(Tx.value, "SELECT count(*) FROM parcel") == 1


def test_an_announcement_after_the_parcel_has_left_is_passed_over(store: Store, hub: Hub) -> None:
    from edge import pickups

    parcel = stored(store, hub, 1)
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    store.run_now(pickups.picked_up, parcel.id, "self", "sensor")
    before = dump(store)["parcel"]

    hub.tell(store, expected(1))

    assert dump(store)["parcel"] == before


def test_a_notice_of_sending_is_kept_with_its_first_time(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1), events.NoticeSent("p1", "sms"))
    store._clock.advance(1000)  # type: ignore[attr-defined]
    hub.tell(store, events.NoticeSent("p1", "sms"), events.NoticeSent("nobody", "sms"))

    assert store.run_now(Tx.value, "SELECT notified_at FROM parcel") == NOON


def test_notices_and_refusals_reach_the_boards(store: Store, hub: Hub) -> None:
    hub.tell(
        store,
        events.NoticePublished("n1", "停水", "2026-11-22"),
        events.NoticePublished("n2", "旧", "2026-11-21"),
        events.NoticePublished("n1", "停水两天", "2026-11-23"),
        events.FactRefused("e1", "unknown parcel"),
        events.FactRefused("e1", "again"),
    )

    assert store.run_now(boards.notices) == ("停水两天",)
    assert store.run_now(boards.refusals) == ("unknown parcel",)
    assert kinds(store) == []


def test_an_answer_to_a_slip_of_another_history_is_passed_over(store: Store, hub: Hub) -> None:
    hub.tell(store, bill(1))
    store.run_now(bills.accept, BillId("b1"), Fen(100), OperatorId("op1"))

    hub.tell(store, events.BillPosted("b1", "000009", "S1"), events.BillRefused("b1", "000009", "no"))

    assert store.run_now(bills.load, BillId("b1")).state is BillState.ACCEPTED
