"""How one parcel is named on a screen: carrier, place, person. Masking is done by the values themselves."""

from __future__ import annotations

from edge.steps import ParcelLine
from ui import words
from ui.screens.kit import Kit


def carrier_name(kit: Kit, carrier: str) -> str:
    key = f"carrier.{carrier}"
    return kit.t(key) if words.known(key, kit.lang) else carrier


def where(kit: Kit, line: ParcelLine) -> str:
    if line.cell is not None:
        return kit.t("place.cell", n=line.cell)
    if line.place is not None:
        return kit.t("place.shelf", place=line.place)
    return kit.t("place.none")


def person(kit: Kit, line: ParcelLine) -> str:
    """For the operator: 王* 1******5678."""
    name = line.recipient.masked() if line.recipient else kit.t("parcel.no_name")
    phone = line.phone.for_operator() if line.phone else kit.t("parcel.no_phone")
    return f"{name}  {phone}"


def state_name(kit: Kit, line: ParcelLine) -> str:
    return kit.t(f"state.{line.state}")
