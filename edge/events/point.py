"""Facts about the point itself, its people, devices and its log."""

from __future__ import annotations

from typing import ClassVar

from edge.events.base import Fact


class NoticePublished(Fact, frozen=True):  # from the hub
    kind: ClassVar[str] = "notice_published.1"
    notice: str
    text: str
    valid_until: str


class OperatorAdded(Fact, frozen=True):
    kind: ClassVar[str] = "operator_added.1"
    operator: str
    role: str


class LoggedIn(Fact, frozen=True):
    kind: ClassVar[str] = "logged_in.1"
    operator: str
    role: str


class HelpCalled(Fact, frozen=True):
    kind: ClassVar[str] = "help_called.1"
    screen: str


class DeviceFaulted(Fact, frozen=True):
    kind: ClassVar[str] = "device_faulted.1"
    device: str
    what: str
    left_out: int | None = None  # changes since this device's last fact that were too many to be written


class DeviceRecovered(Fact, frozen=True):
    kind: ClassVar[str] = "device_recovered.1"
    device: str
    left_out: int | None = None


class TerminalStarted(Fact, frozen=True):
    kind: ClassVar[str] = "terminal_started.1"
    version: str
    boot: str
    clean: bool  # whether the last run ended in order


class TerminalStopped(Fact, frozen=True):
    kind: ClassVar[str] = "terminal_stopped.1"
    version: str


class LogForked(Fact, frozen=True):
    """Our history and the hub's differ (card restored or copied). A new log id starts here."""

    kind: ClassVar[str] = "log_forked.1"
    old_log: str
    new_log: str
    at_seq: int


class PersonalErased(Fact, frozen=True):
    kind: ClassVar[str] = "personal_erased.1"
    fields: int
    why: str  # used | retention


class BackupMade(Fact, frozen=True):
    kind: ClassVar[str] = "backup_made.1"
    upto: int
    mark: str


class BooksRestored(Fact, frozen=True):
    """This terminal took another one's place. `old_log`: the name of the log whose history goes on here.

    `source`: hub | stick | facts (no copy, only what the hub had); `upto` the last fact of that copy, `at_seq` the
    last fact the hub had beyond it; `to_check` parcels an operator has to look at.
    """

    kind: ClassVar[str] = "books_restored.1"
    old_log: str
    source: str
    upto: int
    at_seq: int
    to_check: int


class FactRefused(Fact, frozen=True):  # from the hub
    """The hub keeps the fact but could not apply it; the operator sees the reason."""

    kind: ClassVar[str] = "fact_refused.1"
    event: str
    reason: str


class OutageEnded(Fact, frozen=True):
    """The hub has all that waited through an hour or longer without a line: facts after `after` up to `upto`.

    Units: UTC ms: when the first of them began to wait, and when the hub had the last.
    """

    kind: ClassVar[str] = "outage_ended.1"
    log: str
    after: int
    upto: int
    mark: str
    since: int
    until: int


class SheetConfirmed(Fact, frozen=True):  # from the hub
    """The hub's side of a reconciliation sheet (edge/sheet.py). Units: fen; `digest` over the event ids."""

    kind: ClassVar[str] = "sheet_confirmed.1"
    log: str
    after: int
    upto: int
    mark: str
    facts: int
    parcels_in: int
    parcels_out: int
    accepted: int
    accepted_fen: int
    posted: int
    posted_fen: int
    refused: int
    refused_fen: int
    digest: str
    code: str
