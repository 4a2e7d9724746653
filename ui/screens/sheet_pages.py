"""Behind the page of the line: the reconciliation sheet of the newest outage, and the sticks that carry the log."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.model import Role
from edge.steps.stick import SheetBoard, SheetRow, StickDone, StickLine
from ui.screens import theme
from ui.screens.chrome import staff_page
from ui.screens.kit import Kit
from ui.screens.theme import Colour
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels.formats import full_minute, yuan
from ui.viewmodels.stick import SheetPage, StickPage

VERDICTS: dict[str, tuple[Colour, Colour, str]] = {
    "agrees": (theme.JADE_PALE, theme.JADE_DEEP, "check"),
    "waits": (theme.AMBER_PALE, theme.INK, "sync"),
    "differs": (theme.BRICK_PALE, theme.BRICK_DEEP, "warn"),
    "forged": (theme.BRICK_PALE, theme.BRICK_DEEP, "warn"),
}
RELEASE_MAX = 34  # signs of a file name that fit beside three buttons
DIGEST_SIGNS = 12  # of 64: enough to compare by eye


def sheet(kit: Kit) -> Widget:
    """What both sides count of the time without a line, and the hub's code."""
    state = kit.frame.state
    assert isinstance(state, SheetPage)
    title = kit.t("sheet.title")
    board = state.board
    if board is None or not board.rows:
        said = kit.t("wait.words") if board is None else kit.t("sheet.none")
        return staff_page(kit, title, kit.text(said, theme.STAFF_TITLE, align="center"), "sync")
    acts = [kit.button("print", kit.t("sheet.print"), look="line", width=34)] if kit.frame.face.has_printer else []
    figures = kit.card(*[weigh(_figure(kit, each), 1) for each in board.rows], pad=(6, 1.5), gap=0)
    if kit.portrait:
        body = column(_verdict(kit, board), weigh(figures, 1.2), weigh(_proof(kit, board), 1), gap=kit.mm(2.5))
    else:
        share = 1.9 if board.verdict == "differs" else 1
        sides = row(weigh(figures, share), weigh(_proof(kit, board), 1), gap=kit.mm(3))
        body = column(_verdict(kit, board), weigh(sides, 1), gap=kit.mm(2.5))
    return staff_page(kit, title, body, "sync", *acts)


def _verdict(kit: Kit, board: SheetBoard) -> Widget:
    ground, ink, icon = VERDICTS[board.verdict]
    said = kit.text(
        kit.t(f"sheet.verdict_{board.verdict}"), theme.STAFF_TITLE, bold=True, on=ground, colour=ink, floor=4.6
    )
    away = kit.t("sheet.away", days=board.days, hours=board.hours)
    long = kit.text(away, theme.STAFF_MAIN, on=ground, colour=ink, align="right")
    line = row(kit.icon(icon, 8, ink, ground), weigh(said, 1.5), weigh(long, 1), gap=kit.mm(3))
    return kit.card(line, fill=ground, border=ink, pad=(5, 1), height=16)


def _figure(kit: Kit, figure: SheetRow) -> Widget:
    """One line: what is counted, and the hub's count after ours where the two differ."""
    ink = theme.BRICK_DEEP if figure.differs else theme.INK
    told = _told(kit, figure.ours, figure.fen)
    if figure.differs:
        told = kit.t("sheet.both", ours=told, hub=_told(kit, figure.hub or 0, figure.hub_fen))
    name = kit.text(kit.t(f"sheet.{figure.name}"), theme.STAFF_LESS, colour=theme.SOFT, on=theme.CARD)
    size = theme.STAFF_LESS if figure.differs else theme.STAFF_MAIN  # both sides' money has to stand in one line
    number = kit.text(told, size, bold=True, on=theme.CARD, colour=ink, align="right", floor=3.4)
    return row(weigh(name, 1), weigh(number, 3.4 if figure.differs else 1.6), gap=kit.mm(2))


def _told(kit: Kit, number: int, fen: int | None) -> str:
    return str(number) if fen is None else kit.t("sheet.money", n=number, yuan=yuan(fen), fen=fen)


def _proof(kit: Kit, board: SheetBoard) -> Widget:
    """From when to when, which facts, the digests of both logs, and the code to compare."""
    said = [
        kit.t("sheet.from", time=full_minute(board.since), at=board.since),
        kit.t("sheet.to", time=full_minute(board.until), at=board.until),
        kit.t("sheet.span", first=board.first, last=board.last),
        kit.t("sheet.digest", digest=board.digest[:DIGEST_SIGNS]),
    ]
    if board.hub_digest:
        said.append(kit.t("sheet.digest_hub", digest=board.hub_digest[:DIGEST_SIGNS]))
    lines: list[Widget] = [weigh(kit.text(each, theme.STAFF_LESS, on=theme.CARD, floor=3.2), 1) for each in said]
    if board.code:
        code = kit.text(kit.t("sheet.code", code=board.code), 8, bold=True, on=theme.CARD, floor=5, align="center")
        lines.append(weigh(code, 2))
    return kit.card(*lines, pad=(6, 1.5), gap=0)


def stick(kit: Kit) -> Widget:
    """The sticks that are in, with the two things one can do with each."""
    state = kit.frame.state
    assert isinstance(state, StickPage)
    again = kit.button("refresh", kit.t("devices.refresh"), look="line", width=40)
    kit.able(again, lambda frame: not getattr(frame.state, "busy", False))
    parts: list[Widget] = [kit.text(kit.t("stick.how"), theme.STAFF_LESS, colour=theme.SOFT, height=13, floor=3.6)]
    if state.busy:
        parts.append(_news(kit, kit.t("stick.busy"), theme.AMBER_PALE, theme.INK, "sync"))
    elif state.done is not None:
        parts.append(_done(kit, state.done))
    board = state.board
    if board is None:
        parts.append(_words(kit, kit.t("wait.words")))
    elif not board.sticks:
        parts.append(_words(kit, kit.t("stick.none" if board.is_set_up else "stick.off")))
    else:
        shown = board.sticks[: max(1, kit.frame.face.operator_rows - 1)]
        parts += [_stick(kit, number, each) for number, each in enumerate(shown)]
    return staff_page(
        kit, kit.t("stick.title"), column(*parts, Widget(), gap=kit.mm(2.5)), "sync", again, back=not state.busy
    )


def _stick(kit: Kit, number: int, line: StickLine) -> Widget:
    has_release = bool(line.release) and kit.frame.role is Role.TECHNICIAN
    less = line.release[:RELEASE_MAX] if has_release else kit.t("stick.free", n=line.free_mb)
    name = column(
        weigh(kit.text(line.name, theme.STAFF_MAIN, bold=True, on=theme.CARD, floor=3.6), 1),
        weigh(kit.text(less, theme.STAFF_LESS, on=theme.CARD, colour=theme.SOFT, floor=3.6), 1),
    )
    acts = ["write", "read", *(["bundle"] if kit.frame.role is Role.TECHNICIAN else [])]
    if has_release:
        acts[1] = "place"  # a stick that brings a release brings nothing from the centre
    taps = [
        kit.button(
            f"{act}_{number}", kit.t(f"stick.{act}"), theme.PICKUP, look="fill" if act == "write" else "line",
            width=44 if len(acts) == 2 else 38, em=theme.STAFF_MAIN,
        )
        for act in acts
    ]  # fmt: skip
    for tap in taps:
        kit.able(tap, lambda frame: not getattr(frame.state, "busy", False))
    return kit.card(weigh(name, 1), *taps, orientation="horizontal", pad=(5, 1.5), gap=3, height=17)


def _done(kit: Kit, done: StickDone) -> Widget:
    if done.what.startswith("update:"):
        why = kit.t(f"update_why.{done.what.removeprefix('update:')}")
        return _news(kit, kit.t("stick.not_placed", why=why), theme.BRICK_PALE, theme.BRICK_DEEP, "warn")
    if not done.is_good:
        return _news(kit, kit.t(f"stick_why.{done.what}"), theme.BRICK_PALE, theme.BRICK_DEEP, "warn")
    said = {
        "written": kit.t("stick.written", n=done.facts),
        "taken": kit.t("stick.taken", confirmed=done.facts, applied=done.applied),
        "nothing_new": kit.t("stick.nothing_new"),
        "bundled": kit.t("stick.bundled"),
        "placed": kit.t("stick.placed"),
    }[done.what]
    return _news(kit, said, theme.JADE_PALE, theme.JADE_DEEP, "check")


def _news(kit: Kit, said: str, ground: Colour, ink: Colour, icon: str) -> Widget:
    text = kit.text(said, 5.4, bold=True, on=ground, colour=ink, floor=4)
    line = row(kit.icon(icon, 7, ink, ground), weigh(text, 1), gap=kit.mm(3))
    return kit.card(line, fill=ground, border=ink, pad=(5, 1), height=16)


def _words(kit: Kit, said: str) -> Widget:
    return fix(kit.text(said, theme.STAFF_TITLE, align="center"), height=kit.mm(24))
