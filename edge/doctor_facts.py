"""What the doctor is told of a point: values only. Gathered by edge/examine.py, judged by edge/doctor.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.base import Status


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """A device of the settings, in their order. `what` is lock, scanner, and so on."""

    what: str
    status: Status


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """`free_mb` None: the folder cannot be looked at. `used_up` per cent of its writes, None where it does not tell."""

    free_mb: int | None
    is_read_only: bool = False
    used_up: int | None = None
    has_reserve: bool | None = None  # None: there are no books yet that need one


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """The certificate of the line. `kind`: "" none is used | file an authority's | own | missing: not yet enrolled.

    Units: days; `days` left, negative after the end, None when it cannot be read.
    """

    kind: str = ""
    days: int | None = None
    life_days: int = 0  # of an own one, from its begin to its end


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """The machine. None: cannot be measured here. Units: UTC ms, MB, degrees Celsius."""

    now: int
    is_synced: bool
    memory_mb: int | None
    heat_c: int | None
    has_fonts: bool
    certificate: CertificateFacts = CertificateFacts()


@dataclass(frozen=True, slots=True)
class LineFacts:
    """The line to the hub. `online` None: only the running kiosk would know. `trouble` as in `sync.port.LinkInfo`."""

    is_set: bool = False
    online: bool | None = None
    days: int = 0
    pending: int = 0
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class BookFacts:
    """The database. `damage`: "" sound | new | damaged | broken | unread | key; `backup_age_h` None: never made."""

    damage: str = ""
    backup_age_h: int | None = None
    newest_at: int | None = None  # of the newest fact, UTC ms
    has_fork: bool = False
    is_kiosk_mute: bool = False  # a kiosk holds the folder and does not answer


@dataclass(frozen=True, slots=True)
class PointFacts:
    """Everything the doctor looks at."""

    site: str
    version: str
    devices: Sequence[DeviceFacts]
    disk: DiskFacts
    machine: MachineFacts
    line: LineFacts
    books: BookFacts
