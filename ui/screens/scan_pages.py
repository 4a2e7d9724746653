"""Scans as they come, sign by sign; and the code on the screen that finds the gun which reads it."""

from __future__ import annotations

from kivy.graphics import Color, Rectangle
from kivy.uix.widget import Widget

from edge.steps.workbench import MASKED, EnrolOver, GunFound, RawRead
from ui import words
from ui.screens import theme
from ui.screens.kit import Kit
from ui.screens.parcel_lines import carrier_name
from ui.screens.technician_pages import (
    BAD,
    DOUBT,
    GOOD,
    device_page,
    settings_card,
    tail,
    tool_page,
    verdict_card,
    wide_button,
)
from ui.screens.theme import Colour
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels.code128 import QUIET, modules
from ui.viewmodels.technician_states import EnrolGun, RawView

CONTROL = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
).split()
MODULE_MM = 0.5  # a gun held at a hand's length reads this, and the whole code fits into its line
BARS_MM = 34.0
PER_ROW, PER_ROW_TALL = 27, 20  # boxes in a line
OLDER_MAX = 44  # signs of an older read in one line
PORT_MAX = 44  # signs of a port's name, in two lines
AIM = 3  # signs of an AIM identifier: ]C1


def raw(kit: Kit) -> Widget:
    """The newest scan in boxes, the older ones as lines."""
    state = kit.frame.state
    assert isinstance(state, RawView)
    reads = state.shown
    if not reads:
        return device_page(kit, state, [
            Widget(),
            kit.text(kit.t("raw.ask"), 11, bold=True, align="center", height=20),
            kit.text(kit.t("raw.only"), theme.STAFF_MAIN, align="center", height=10, colour=theme.SOFT),
            Widget(),
        ])  # fmt: skip
    room = 4 if kit.portrait else 2 if len(reads[0].text) <= PER_ROW else 1
    older = [_older(kit, read) for read in reads[1 : 1 + room]]
    return device_page(kit, state, [_newest(kit, reads[0]), *older, Widget()])


def _newest(kit: Kit, read: RawRead) -> Widget:
    per_row, most_rows = (PER_ROW_TALL, 5) if kit.portrait else (PER_ROW, 2)
    parts: list[Widget] = [_facts(kit, read, per_row * most_rows)]
    if read.flaw:
        parts.append(kit.text(kit.t(f"raw_flaw.{read.flaw}"), theme.STAFF_TITLE, bold=True, on=theme.CARD,
                              colour=theme.BRICK_DEEP, align="center"))  # fmt: skip
    else:
        signs = read.text[: per_row * most_rows]
        lines = [signs[i : i + per_row] for i in range(0, len(signs), per_row)] or [""]
        start = AIM if read.symbology else 0
        parts += [_keys(kit, line, per_row, start - i * per_row) for i, line in enumerate(lines)]
    parts.append(_meaning(kit, read))
    rows = 1 if read.flaw else max(1, -(-min(len(read.text), per_row * most_rows) // per_row))
    return kit.card(*parts, pad=(3, 1.5), gap=1.5, height=31 + 14.5 * rows)


def _facts(kit: Kit, read: RawRead, most: int) -> Widget:
    """Symbology, what ended it, how long, how fast."""
    pills = [
        _pill(kit, _symbology(kit, read), theme.INDIGO_PALE, theme.INDIGO_DEEP, 1.5),
        _pill(kit, kit.t("raw.ended", how=_ended(kit, read.ended)), theme.SLATE_PALE, theme.INK, 1.4),
        _pill(kit, kit.t("raw.signs", n=len(read.text)), theme.SLATE_PALE, theme.INK, 0.9),
        _pill(kit, _speed(kit, read), theme.SLATE_PALE, theme.INK, 1.3),
    ]
    if len(read.text) > most:
        pills.append(_pill(kit, kit.t("raw.more", n=len(read.text) - most), theme.AMBER_PALE, theme.INK, 0.9))
    return fix(row(*pills, gap=kit.mm(2)), height=kit.mm(9))


def _pill(kit: Kit, said: str, ground: Colour, ink: Colour, share: float) -> Widget:
    text = kit.text(said, theme.STAFF_LESS, bold=True, on=ground, colour=ink, align="center")
    return weigh(kit.card(text, fill=ground, border=ground, pad=(1.5, 0.5), radius=2), share)


def _symbology(kit: Kit, read: RawRead) -> str:
    if read.symbology is None:
        return kit.t("raw.no_aim")
    name = f"aim.{read.symbology[0]}"
    said = kit.t(name) if words.known(name, kit.lang) else kit.t("aim.X")
    return f"]{read.symbology}  {said}"


def _ended(kit: Kit, sign: str) -> str:
    return CONTROL[ord(sign)] if sign and sign < " " else kit.t("raw.pause")


def _speed(kit: Kit, read: RawRead) -> str:
    if read.took_ms is None or len(read.text) < 2:
        return kit.t("raw.no_speed")
    return kit.t("raw.speed", ms=f"{read.took_ms / (len(read.text) - 1):.1f}")


def _keys(kit: Kit, signs: str, per_row: int, aim: int) -> Widget:
    """One box for each sign: the sign, and below it its code in hexadecimal."""
    boxes = [_key(kit, sign, at < aim) for at, sign in enumerate(signs)]
    boxes += [Widget() for _ in range(per_row - len(boxes))]
    return fix(row(*boxes, gap=kit.mm(0.7)), height=kit.mm(13))


def _key(kit: Kit, sign: str, is_aim: bool) -> Widget:
    control = sign < " " or sign == "\x7f"
    ground, ink = (theme.SLATE, theme.WHITE) if control else (theme.FAINT, theme.INK)
    if is_aim:
        ground, ink = theme.INDIGO_PALE, theme.INDIGO_DEEP
    name = ("DEL" if sign == "\x7f" else CONTROL[ord(sign)]) if control else ("␣" if sign == " " else sign)
    code = "··" if sign == MASKED else f"{ord(sign):02X}"
    return kit.card(
        kit.text(name if name != "␣" else "_", 3.6 if control else 6, bold=True, on=ground, colour=ink, align="center",
                 floor=3.5, height=7),
        kit.text(code, 3.5, on=ground, colour=ink, align="center", floor=3.5),
        fill=ground, border=ground, pad=(0, 0.3), gap=0, radius=1,
    )  # fmt: skip


def _meaning(kit: Kit, read: RawRead) -> Widget:
    """What the terminal takes it for, and why; hidden signs are explained first."""
    if read.hidden == "secret":
        ground, ink, icon = BAD
    else:
        ground, ink, icon = GOOD if read.decision == "accept" else DOUBT
    best = read.guesses[0]
    who = f"  {carrier_name(kit, best.carrier)}" if best.carrier else ""
    kind, decision = kit.t(f"code_kind.{best.kind}"), kit.t(f"decision.{read.decision}")
    said = f"{kind}{who}  {best.sure} %  {decision}"
    why = kit.t(f"raw_hidden.{read.hidden}") if read.hidden else best.why
    words_of_it = column(
        kit.text(said, theme.STAFF_MAIN, bold=True, on=ground, colour=ink, valign="bottom"),
        kit.text(why, theme.STAFF_LESS, on=ground, colour=theme.INK, valign="top"),
    )
    line = row(kit.icon(icon, 8, ink, ground), weigh(words_of_it, 1), gap=kit.mm(3))
    return kit.card(line, fill=ground, border=ground, pad=(3, 0.8), height=16)


def _older(kit: Kit, read: RawRead) -> Widget:
    plain = "".join(f"<{CONTROL[ord(sign)]}>" if sign < " " else sign for sign in read.text)
    plain = plain if len(plain) <= OLDER_MAX else plain[: OLDER_MAX - 1] + "…"
    kind = kit.t(f"code_kind.{read.guesses[0].kind}")
    return kit.card(
        weigh(kit.text(plain or "--", theme.STAFF_LESS, on=theme.CARD), 1),
        kit.text(kind, theme.STAFF_LESS, on=theme.CARD, colour=theme.SOFT, align="right", width=34),
        orientation="horizontal", pad=(4, 0.5), gap=3, height=9,
    )  # fmt: skip


# --- which gun is it ----------------------------------------------------------------------------------------------


def enrol(kit: Kit) -> Widget:
    """The code to be scanned; then the gun that did, and its line for the settings."""
    state = kit.frame.state
    assert isinstance(state, EnrolGun)
    if state.found is not None:
        return tool_page(kit, "enrol", _found(kit, state.found), _again(kit))
    if state.over is not None:
        return tool_page(kit, "enrol", _nobody(kit, state.over))
    if not state.code:
        return tool_page(kit, "enrol", kit.text(kit.t("wait.words"), theme.STAFF_TITLE, align="center"))
    body = column(
        Widget(),
        kit.text(kit.t("enrol.ask"), 9, bold=True, align="center", height=16),
        bar_code(kit, state.code),
        kit.text(kit.t("enrol.hint", n=state.seconds), theme.STAFF_MAIN, align="center", height=14, colour=theme.SOFT),
        Widget(),
        gap=kit.mm(2),
    )
    return tool_page(kit, "enrol", body)


def _again(kit: Kit) -> Widget:
    return kit.button("again", kit.t("enrol.again"), look="line", width=44)


def bar_code(kit: Kit, code: str) -> Widget:
    """A code for a gun to read off the screen."""
    widths = modules(code)
    module = max(2, round(MODULE_MM * kit.ruler.panel.px_per_mm))
    bars = _Bars(widths, module)
    fix(bars, width=module * (sum(widths) + 2 * QUIET), height=kit.mm(BARS_MM))
    spelt = kit.text(code, theme.STAFF_MAIN, bold=True, on=theme.CARD, align="center", height=9)
    inside = column(row(Widget(), bars, Widget()), spelt)
    card = kit.card(inside, pad=(4, 4, 4, 1), height=BARS_MM + 15)
    return fix(row(Widget(), weigh(card, 3), Widget()), height=kit.mm(BARS_MM + 15))


class _Bars(Widget):  # type: ignore[misc]  # Kivy has no types
    """Bars on whole pixels: a blurred edge is a code no gun reads."""

    def __init__(self, widths: list[int], module: int) -> None:
        super().__init__()
        self._widths, self._module = widths, module
        self.bind(pos=self._paint, size=self._paint)

    def _paint(self, *_: object) -> None:
        self.canvas.clear()
        left = round(self.x) + QUIET * self._module
        with self.canvas:
            Color(1, 1, 1, 1)
            Rectangle(pos=self.pos, size=self.size)
            Color(0, 0, 0, 1)
            for at, width in enumerate(self._widths):
                if at % 2 == 0:
                    Rectangle(pos=(left, round(self.y)), size=(width * self._module, round(self.height)))
                left += width * self._module


def _found(kit: Kit, found: GunFound) -> Widget:
    said = kit.t("enrol.known", name=found.known) if found.known else kit.t("enrol.found")
    parts: list[Widget] = [
        verdict_card(kit, GOOD, said, kit.t("enrol.port", port=tail(found.port, PORT_MAX)), height=30)
    ]
    for key, wrong in (("twin", found.has_twin), ("case", not found.keeps_case), ("aim", not found.has_aim)):
        if wrong:
            line = row(
                kit.icon("warn", 6, theme.INK, theme.AMBER_PALE),
                weigh(kit.text(kit.t(f"enrol.{key}"), theme.STAFF_LESS, bold=True, on=theme.AMBER_PALE), 1),
                gap=kit.mm(3),
            )
            parts.append(kit.card(line, fill=theme.AMBER_PALE, border=theme.AMBER_PALE, pad=(4, 0.5), height=17))
    card = settings_card(kit, found.lines)
    if kit.portrait or found.known:  # paths of the settings are long
        return column(*parts, card, Widget(), gap=kit.mm(3))
    return row(weigh(column(*parts, Widget(), gap=kit.mm(2)), 1), weigh(column(card, Widget()), 1), gap=kit.mm(4))


def _nobody(kit: Kit, over: EnrolOver) -> Widget:
    return column(
        Widget(),
        verdict_card(kit, BAD, kit.t(f"enrol_over.{over.why}"), kit.t(f"enrol_next.{over.why}"), height=32),
        Widget(),
        wide_button(kit, "again", kit.t("enrol.again")),
    )
