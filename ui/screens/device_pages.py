"""The line to the hub, the devices, the cells: what the operator and the technician look at when something is wrong."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.model import Role
from edge.steps import DeviceLine, DevicesBoard, SyncBoard, UpdateLine
from ui import words
from ui.screens import theme
from ui.screens.bill_pages import pair
from ui.screens.chrome import staff_page
from ui.screens.intake_pages import staff_beside
from ui.screens.keypad import field, keypad
from ui.screens.kit import Kit
from ui.screens.pickup_pages import pager
from ui.screens.theme import Colour
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels.formats import minute, pages
from ui.viewmodels.staff_states import CELL_REASONS, Cells, Devices, Sync

LOW_DISK_MB = 500
ROW, ROW_TALL = 13.0, 19.0  # of a device; a portrait panel has less width and more height
OLD_BACKUP_H = 26  # one a day, and two hours of grace
CERTIFICATE = {  # why a certificate was not taken; a line that is down says none of this
    "revoked": "sync.revoked",
    "expired": "sync.expired",
    "unknown": "sync.unknown",
    "no_certificate": "sync.no_certificate",
    "wrong_hub": "sync.wrong_hub",
    "hub_clock": "sync.hub_clock",
}
SOFTWARE = ("llvmpipe", "softpipe", "SwiftShader")


def sync(kit: Kit) -> Widget:
    """离线第 n 天, 待传 m 条: and what the hub refused."""
    state = kit.frame.state
    assert isinstance(state, Sync)
    again = kit.button("refresh", kit.t("devices.refresh"), look="line", width=40)
    if state.board is None:
        return staff_page(kit, kit.t("sync.title"), kit.text(kit.t("wait.words"), align="center"), "sync", again)
    board = state.board
    good = board.online and not board.fork
    ground, ink = (theme.JADE_PALE, theme.JADE_DEEP) if good else (theme.AMBER_PALE, theme.INK)
    said = _sync_line(kit, board)
    size = 10 if board.refused_by is None else 7  # why a certificate is not taken is a longer sentence
    head = kit.card(
        row(kit.icon("sync" if board.online else "offline", 14, ink, ground),
            weigh(kit.text(said, size, bold=True, on=ground, colour=ink, floor=5), 1), gap=kit.mm(6)),
        fill=ground, border=ground, pad=(8, 2), height=26,
    )  # fmt: skip
    facts = (
        ("sync.last", minute(board.last_ack_at)),
        ("sync.upto", str(board.upto)),
        ("sync.log", board.log_id),
    )
    card = kit.card(
        *[pair(kit, (kit.t(key), value), theme.CARD, 5.5, 44) for key, value in facts], pad=(8, 2), height=32
    )
    parts: list[Widget] = [head, card]
    if board.fork:
        parts.append(_warning(kit, kit.t("sync.fork")))
    if board.refused:
        shown = "；".join(board.refused[:3]) if kit.lang == "zh" else "; ".join(board.refused[:3])
        parts.append(_warning(kit, kit.t("sync.refused", n=len(board.refused), why=shown)))
    doors = {"sheet": "sheet.open", "stick": "stick.open"}
    ways = [kit.button(name, kit.t(word), look="line", width=30) for name, word in doors.items()]
    return staff_page(kit, kit.t("sync.title"), column(*parts, Widget(), gap=kit.mm(2.5)), "sync", *ways, again)


def _sync_line(kit: Kit, board: SyncBoard) -> str:
    if board.refused_by is not None:
        return kit.t(CERTIFICATE[board.refused_by])
    if board.online:
        return kit.t("sync.online", n=board.pending) if board.pending else kit.t("sync.done")
    return kit.t("chrome.staff_offline", days=board.days_offline, n=board.pending)


def _warning(kit: Kit, said: str) -> Widget:
    text = kit.text(said, 5, bold=True, on=theme.BRICK_PALE, colour=theme.BRICK_DEEP)
    line = row(kit.icon("warn", 7, theme.BRICK_DEEP, theme.BRICK_PALE), weigh(text, 1), gap=kit.mm(3))
    return kit.card(line, fill=theme.BRICK_PALE, border=theme.BRICK, pad=(5, 1), height=15)


def devices(kit: Kit) -> Widget:
    """Each device with its health and what to do; below it the terminal itself."""
    state = kit.frame.state
    assert isinstance(state, Devices)
    first = kit.frame.role is Role.TECHNICIAN
    acts: list[Widget] = [
        kit.button("refresh", kit.t("devices.refresh"), look="line", width=26),
        kit.button("checkup", kit.t("checkup.title"), look="fill", width=30),
    ]
    if first:
        acts.append(kit.button("logout", kit.t("board.logout"), look="line", width=30))
    board = state.board
    if board is None:
        body: Widget = kit.text(kit.t("wait.words"), align="center")
        return staff_page(kit, kit.t("devices.title"), body, "device", *acts, back=not first)
    ways = _ways(kit) if first else []
    update = _update(kit, board.update)
    rows = max(1, kit.frame.face.operator_rows - 1 - len(ways) - len(update))
    shown = board.devices[state.page * rows : state.page * rows + rows]
    turn = pager(kit, state.page, pages(len(board.devices), rows), theme.STAFF)
    lines: list[Widget] = [_device(kit, line) for line in shown]
    if not shown:
        lines.append(kit.text(kit.t("devices.none"), theme.STAFF_TITLE, align="center", height=20, colour=theme.SOFT))
    body = column(*lines, Widget(), *turn, *ways, *update, _terminal(kit, board), gap=kit.mm(2))
    return staff_page(kit, kit.t("devices.title"), body, "device", *acts, back=not first)


def _ways(kit: Kit) -> list[Widget]:
    """Where the technician goes from here: one row of buttons."""
    words_of = {"wizard": "wizard.title", "tools": "devices.tools", "cells": "board.cells", "sync": "board.sync"}
    names = {name: kit.t(word) for name, word in words_of.items()}
    line = row(*[kit.button(name, said, look="line") for name, said in names.items()], gap=kit.mm(3))
    return [fix(line, height=kit.mm(theme.STAFF_BUTTON))]


def _device(kit: Kit, line: DeviceLine) -> Widget:
    looks: dict[str, tuple[Colour, Colour, str]] = {
        "ok": (theme.CARD, theme.JADE_DEEP, "check"),
        "degraded": (theme.AMBER_PALE, theme.INK, "warn"),
        "away": (theme.BRICK_PALE, theme.BRICK_DEEP, "warn"),
    }
    ground, ink, icon = looks.get(line.health, looks["away"])
    kind = kit.t(f"device.{line.kind}") if words.known(f"device.{line.kind}", kit.lang) else line.kind
    health = kit.t(f"health.{line.health}") if words.known(f"health.{line.health}", kit.lang) else line.health
    return kit.card(
        kit.icon(icon, 7, ink, ground),
        kit.text(f"{kind}  {line.name}", theme.STAFF_MAIN, bold=True, on=ground, width=66),
        kit.text(health, theme.STAFF_MAIN, bold=True, on=ground, colour=ink, width=18),
        weigh(_advice(kit, line, ground), 1),
        fill=ground, orientation="horizontal", pad=(4, 0.8), gap=3, height=ROW_TALL if kit.portrait else ROW,
    )  # fmt: skip


def _advice(kit: Kit, line: DeviceLine, ground: Colour) -> Widget:
    """The code to read out on the telephone, what is wrong and the next hand movement."""
    if line.health == "ok":
        return Widget()
    return kit.text(kit.found(line.finding), theme.STAFF_LESS, on=ground)


def _update(kit: Kit, line: UpdateLine | None) -> list[Widget]:
    """The system of the terminal and what becomes of a new release: a line of its own, amber where it went wrong."""
    if line is None:
        return []
    bad = line.state in ("fell_back", "refused")
    ground = theme.AMBER_PALE if bad else theme.CARD
    key = f"update.{line.state or 'none'}"
    why = f"update_why.{line.why}"
    said = kit.t(
        key if words.known(key, kit.lang) else "update.none",
        version=line.target,
        running=line.version,
        percent=line.percent or 0,
        why=kit.t(why) if words.known(why, kit.lang) else line.why,
    )
    now = kit.t("update.now", version=line.version, slot=line.slot or "--")
    return [kit.card(
        kit.text(now, 4.4, bold=True, on=ground, width=58),
        weigh(kit.text(said, 4.4, on=ground, colour=theme.INK if bad else theme.SOFT), 1),
        fill=ground, orientation="horizontal", pad=(3, 0.5), gap=3, height=9,
    )]  # fmt: skip


def _terminal(kit: Kit, board: DevicesBoard) -> Widget:
    """Disk, backup, clock, graphics, version: amber where somebody should act."""
    old = board.backup_age_h is None or board.backup_age_h > OLD_BACKUP_H
    backup = kit.t("terminal.never") if board.backup_age_h is None else kit.t("terminal.hours", n=board.backup_age_h)
    soft = any(name in board.renderer for name in SOFTWARE)
    facts = (
        ("terminal.disk", f"{board.disk_free_mb:,} MB", board.disk_free_mb < LOW_DISK_MB),
        ("terminal.backup", backup, old),
        (
            "terminal.clock",
            kit.t("terminal.synced" if board.clock_synced else "terminal.not_synced"),
            not board.clock_synced,
        ),
        ("terminal.graphics", board.renderer.partition(" (")[0] or "--", soft),
        ("terminal.version", board.version, False),
    )
    cards = []
    for key, said, bad in facts:
        ground = theme.AMBER_PALE if bad else theme.CARD
        cards.append(kit.card(
            kit.text(kit.t(key), 4, on=ground, colour=theme.SOFT if not bad else theme.INK, height=6),
            kit.text(said, 5, bold=True, on=ground),
            fill=ground, pad=(3, 1), gap=0,
        ))  # fmt: skip
    return fix(row(*cards, gap=kit.mm(2)), height=kit.mm(17))


def cells(kit: Kit) -> Widget:
    """A cell out of service, or in again, with the reason."""
    state = kit.frame.state
    assert isinstance(state, Cells)
    shown = field(kit, lambda f: getattr(f.state, "digits", ""), kit.t("cells.empty"), theme.STAFF, 16)
    reasons = [
        kit.button(name, kit.t(f"cells.{name}"), look="fill" if name == state.reason else "line", em=theme.STAFF_LESS)
        for name in CELL_REASONS
    ]
    pairs = column(row(*reasons[:2], gap=kit.mm(2)), row(*reasons[2:], gap=kit.mm(2)), gap=kit.mm(2))
    out = kit.button("out", kit.t("cells.out"), theme.HELP, height=16, em=theme.STAFF_MAIN)
    back_in = kit.button("in", kit.t("cells.in"), theme.PICKUP, height=16, em=theme.STAFF_MAIN)
    for tap in (out, back_in):
        kit.able(tap, lambda f: getattr(f.state, "digits", "").strip("0") != "")
    left = column(
        kit.text(kit.t("cells.ask"), theme.STAFF_TITLE, bold=True, height=11, floor=4.6),
        shown,
        kit.text(kit.t("cells.why"), theme.STAFF_MAIN, height=8, colour=theme.SOFT),
        fix(pairs, height=kit.mm(26)),
        fix(row(out, back_in, gap=kit.mm(3)), height=kit.mm(16)),
        Widget(),
        gap=kit.mm(2.5),
    )
    return staff_page(kit, kit.t("cells.title"), staff_beside(kit, left, keypad(kit, lambda _f: True)), "door")
