"""Facts about codes that a gun had in its memory. When such a code was scanned nobody knows: time quality "upload"."""

from __future__ import annotations

from typing import ClassVar

from edge.events.base import Fact


class CodesUploaded(Fact, frozen=True):
    """A gun emptied its memory. The codes themselves wait for the operator; no parcel has moved."""

    kind: ClassVar[str] = "codes_uploaded.1"
    batch: str
    scanner: str
    codes: int  # that wait now
    again: int  # that are here already or came in an earlier upload
    useless: int  # that are no waybill, could not be read, or found no room
    whole: bool
    quality: str = "upload"


class ParcelFromBatch(Fact, frozen=True):
    """The parcel that has just arrived was taken in from such a list, not scanned at the counter."""

    kind: ClassVar[str] = "parcel_from_batch.1"
    parcel: str
    batch: str
    quality: str = "upload"


class BatchClosed(Fact, frozen=True):
    """The operator has done with the list; `left` codes were left out."""

    kind: ClassVar[str] = "batch_closed.1"
    batch: str
    taken: int
    left: int
    operator: str
