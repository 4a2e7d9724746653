"""The operator carries the log on a stick and looks at the reconciliation sheet. Files and keys are the root's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from edge import outages, prints, slips
from edge.flows import printing
from edge.flows.site import Site
from edge.model import OperatorId, Rejected
from edge.prints import Run
from edge.sheet import Figures, Sheet
from edge.steps.stick import (
    PlaceRelease,
    PrintSheet,
    ReadStick,
    SheetBoard,
    SheetRow,
    ShowSheet,
    ShowSticks,
    StickBoard,
    StickBusy,
    StickDone,
    StickIntent,
    StickStep,
    WriteBundle,
    WriteStick,
)
from edge.store import Tx

NAMES = ("facts", "parcels_in", "parcels_out", "accepted", "posted", "refused")


class Carrier(Protocol):
    """Sticks that are mounted, and the two acts on them; what goes wrong is the word of `StickDone`."""

    async def board(self) -> StickBoard: ...

    async def write(self, name: str) -> StickDone: ...

    async def read(self, name: str) -> StickDone: ...

    async def bundle(self, name: str) -> StickDone: ...

    async def release(self, name: str) -> StickDone: ...


class Sticks:
    """Intents to steps. Errors while iterating: Rejected, StoreFault."""

    def __init__(self, site: Site, carrier: Carrier) -> None:
        self._site = site
        self._carrier = carrier

    async def handle(self, intent: StickIntent, who: Callable[[], OperatorId]) -> AsyncIterator[StickStep]:
        """Only for people who are logged in: `who` tells them or refuses."""
        operator = who()
        match intent:
            case ShowSticks():
                yield await self._carrier.board()
            case WriteStick() | ReadStick() | WriteBundle() | PlaceRelease():
                yield StickBusy()
                yield await self._act(intent)
                yield await self._carrier.board()
            case ShowSheet():
                yield board_of(await self._site.store.run(_seen, self._site.code))
            case PrintSheet():
                if not printing.can_print(self._site):
                    raise Rejected("busy" if self._site.counter.printer is not None else "no_printer")
                printing.send(self._site, await self._site.store.run(_begin, self._site.code, operator))

    async def _act(self, intent: WriteStick | ReadStick | WriteBundle | PlaceRelease) -> StickDone:
        match intent:
            case WriteStick():
                return await self._carrier.write(intent.name)
            case ReadStick():
                return await self._carrier.read(intent.name)
            case WriteBundle():
                return await self._carrier.bundle(intent.name)
            case PlaceRelease():
                return await self._carrier.release(intent.name)

    async def due(self) -> SheetBoard | None:
        """The sheet that no operator has seen yet, once."""
        found = await self._site.store.run(_due, self._site.code)
        return None if found is None else board_of(found)


def board_of(sheet: Sheet | None) -> SheetBoard:
    """A sheet as the screen shows it."""
    if sheet is None:
        return SheetBoard()
    end = sheet.stretch.end
    return SheetBoard(
        verdict=slips.verdict(sheet),
        days=sheet.days,
        hours=sheet.hours,
        since=sheet.since,
        until=sheet.until,
        rows=tuple(_row(name, sheet.ours, sheet.hub) for name in NAMES),
        first=sheet.stretch.after + 1,
        last=int(end.upto),
        digest=sheet.ours.digest,
        hub_digest="" if sheet.hub is None else sheet.hub.digest,
        code=sheet.code if sheet.is_genuine else "",
    )


def _row(name: str, ours: Figures, hub: Figures | None) -> SheetRow:
    money = f"{name}_fen"
    return SheetRow(
        name, getattr(ours, name), getattr(ours, money, None), getattr(hub, name, None), getattr(hub, money, None)
    )


def _due(tx: Tx, site: str) -> Sheet | None:
    return _seen(tx, site) if outages.is_due(tx) else None


def _seen(tx: Tx, site: str) -> Sheet | None:
    sheet = outages.newest(tx, site)
    if sheet is not None:
        outages.shown(tx)
    return sheet


def _begin(tx: Tx, site: str, operator: str) -> Run:
    sheet = outages.newest(tx, site)
    if sheet is None:
        raise Rejected("unknown_slip")
    return prints.begin(tx, outages.slip_of(sheet), operator)
