"""Whose business the personal values of a fact are, and which facts end it: one table for every kind that has any.

A parcel's people are needed until it is gone, a payer until the bill is posted or the cash given back. What a fact of
an unknown kind names as its parcel or bill is believed, for it only decides how long its values stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from edge import events as ev
from edge.events import BadFact, Fact
from edge.model import BillState
from sync.hub.manifest import GONE
from sync.hub.projections import STATES

PARCEL, BILL, NOTHING = "parcel", "bill", ""
SETTLED = (BillState.POSTED.value, BillState.REVERSED.value)

# Every kind with personal values has its rule here; the word is also the field that names the parcel or bill.
RULES: Mapping[type[Fact], str] = {
    ev.ParcelExpected: PARCEL,
    ev.ParcelArrived: PARCEL,
    ev.ParcelShelved: PARCEL,  # codes and tokens: not kept here by sync/hub/keeping.py
    ev.ParcelDeposited: PARCEL,
    ev.BillIssued: BILL,
}
ENDINGS: Mapping[str, str] = {
    **{fact.kind: PARCEL for fact, state in STATES.items() if state in GONE},
    ev.BillAccepted.kind: BILL,
    ev.BillRefunded.kind: BILL,
}
_SORTS = {**{fact.kind: sort for fact, sort in RULES.items()}, **ENDINGS}


class Subject(NamedTuple):
    """A parcel or a bill of a site. Of what names neither, both parts are empty."""

    sort: str
    ident: str


class Named(NamedTuple):
    """What a body names: its subject, and the waybill number for one that goes by another id by now."""

    subject: Subject
    waybill_no: str


UNNAMED = Named(Subject(NOTHING, ""), "")


def named_by(kind: str, body: str) -> Named:
    """What a fact is about. A body that cannot be read names nothing."""
    try:
        told = ev.parse_body(body)
    except BadFact:
        return UNNAMED
    for sort in (_SORTS[kind],) if kind in _SORTS else (PARCEL, BILL):
        if ident := _word(told, sort):
            return Named(Subject(sort, ident), _word(told, "waybill_no"))
    return UNNAMED


def _word(told: Mapping[str, Any], field: str) -> str:
    """A text that a database can look for; empty for anything else."""
    value = told.get(field)
    is_sound = isinstance(value, str) and "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    return str(value) if is_sound else ""
