"""Pairing: what a terminal that is not yet enrolled shows, and when it may begin anew."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pairing:
    """How our question to the hub stands. `state`: waiting | granted | refused | a word of sync.enrol.EnrolFault.

    Shape: `code` what is read out to the hub's desk, `qr` the same for a telephone; both empty before the first answer.
    """

    state: str
    code: str = ""
    qr: str = ""


@dataclass(frozen=True, slots=True)
class BeginAnew:
    """The hub has let us in and nobody stands here: the terminal may begin anew, with its line."""
