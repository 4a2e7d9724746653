"""The page of a terminal that has no settings yet: its code, how far it is, what is wrong, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from kivy.uix.widget import Widget

from edge.steps import FirstStart, ProfileRefused
from ui.screens import theme
from ui.screens.chrome import language_button
from ui.screens.kit import Kit
from ui.screens.qr import QrCode
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels.first import GOOD, PROFILE_WORDS, WORDS, FirstPage

HEAD, CALL, CODE, LINE = 15.0, 17.0, 15.0, 5.2
NARROW, WIDE, UPRIGHT = 54, 104, 92  # signs of a mistake on one line: beside the code, without it, on a portrait panel
FEW, MANY = 4, 8  # lines of mistakes that fit
MORE = 6  # signs that say how many more there are


def first(kit: Kit) -> Widget:
    """Head, code and words, and below them the network and what may be pressed."""
    page = kit.frame.state
    assert isinstance(page, FirstPage)
    key = "first.title_broken" if page.told.state == "bad_settings" else "first.title"
    title = kit.text(kit.t(key), theme.STAFF_TITLE, bold=True, colour=theme.SLATE_DEEP)
    head = row(weigh(title, 1), language_button(kit), gap=kit.mm(3))
    body = _question(kit) if page.asks_go_on else _body(kit, page.told)
    return column(
        fix(head, height=kit.mm(HEAD)), weigh(body, 1), fix(_foot(kit, page), height=kit.mm(theme.STAFF_BUTTON)),
        gap=kit.mm(3), pad=(kit.mm(4), kit.mm(3), kit.mm(4), kit.mm(3)),
    )  # fmt: skip


def _body(kit: Kit, told: FirstStart) -> Widget:
    if not told.code:
        return column(*_words(kit, told), Widget(), gap=kit.mm(3))
    picture = kit.card(QrCode(told.qr), fill=theme.WHITE, pad=1)
    words = column(*_call(kit, told), *_words(kit, told), Widget(), gap=kit.mm(2))
    if kit.portrait:
        return column(weigh(picture, 2), weigh(words, 3), gap=kit.mm(4))
    return row(weigh(picture, 2), weigh(words, 3), gap=kit.mm(5))


def _call(kit: Kit, told: FirstStart) -> list[Widget]:
    said = kit.t("first.call", phone=told.phone) if told.phone else kit.t("first.call_any")
    return [
        kit.text(said, theme.STAFF_TITLE, height=CALL, valign="bottom"),
        kit.text(told.code, theme.BIG, bold=True, floor=7, height=CODE),
    ]


def _words(kit: Kit, told: FirstStart) -> list[Widget]:
    """How far it is, then what was found and cannot be used, each with its own sentence."""
    word = told.state if told.state in WORDS else "other"
    said = kit.t(f"first_state.{word}", site=told.site, file=told.file)
    colour = theme.SLATE_DEEP if word in GOOD else theme.BRICK_DEEP
    is_alone = not told.refusals and not told.mistakes
    em, height = (
        (theme.STAFF_TITLE, 40.0) if is_alone and not told.code else (theme.STAFF_MAIN, 24.0 if is_alone else 16)
    )
    found: list[Widget] = [kit.text(said, em, bold=True, colour=colour, height=height, valign="top")]
    if is_alone and told.code:
        found.append(kit.text(kit.t("first.next"), theme.STAFF_LESS, colour=theme.SOFT, height=22, valign="top"))
    if told.mistakes:
        found.append(_lines(kit, told.mistakes, _room(kit, told, MANY)))
    room = _room(kit, told, FEW if told.code or len(told.refusals) > 1 else MANY)
    return found + [_refusal(kit, each, room) for each in told.refusals[: 1 if told.code else 2]]


def _refusal(kit: Kit, refusal: ProfileRefused, room: _Room) -> Widget:
    word = refusal.word if refusal.word in PROFILE_WORDS else "damaged"
    where = kit.t(f"first_source.{refusal.source}")
    said = kit.t(f"first_profile.{word}", where=where, detail=refusal.detail or "?")
    high = 7.0 if refusal.mistakes else 12.0
    style = {"colour": theme.BRICK_DEEP, "on": theme.BRICK_PALE, "height": high, "valign": "top"}
    card: list[Widget] = [kit.text(said, theme.STAFF_LESS, bold=True, **style)]
    if refusal.mistakes:
        card.append(_lines(kit, refusal.mistakes, room, theme.BRICK_PALE))
        high += 1 + LINE * sum(lines for _, lines in room.shown(refusal.mistakes))
    return kit.card(*card, fill=theme.BRICK_PALE, border=theme.BRICK_DEEP, pad=(3, 1.5), gap=1, height=high + 3)


@dataclass(frozen=True, slots=True)
class _Room:
    """How many lines of mistakes there is room for, and how many signs stand on one."""

    lines: int
    signs: int

    def shown(self, mistakes: tuple[str, ...]) -> list[tuple[str, int]]:
        """The mistakes that fit, each with the lines it takes; how many more there are stands at the last."""
        found: list[tuple[str, int]] = []
        for at, mistake in enumerate(mistakes):
            needs = 2 if len(mistake) > self.signs - MORE else 1
            if needs > self.lines - sum(lines for _, lines in found):
                last, lines = found[-1]
                return [*found[:-1], (f"{last}  (+{len(mistakes) - at})", lines)]
            found.append((mistake, needs))
        return found


def _room(kit: Kit, told: FirstStart, lines: int) -> _Room:
    return _Room(lines, UPRIGHT if kit.portrait else NARROW if told.code else WIDE)


def _lines(kit: Kit, mistakes: tuple[str, ...], room: _Room, ground: theme.Colour = theme.STAFF_PAPER) -> Widget:
    shown = room.shown(mistakes)
    texts = [
        kit.text(text, theme.STAFF_FLOOR, on=ground, colour=theme.INK, height=LINE * lines, valign="top")
        for text, lines in shown
    ]
    return fix(column(*texts), height=kit.mm(LINE * sum(lines for _, lines in shown)))


def _question(kit: Kit) -> Widget:
    return column(
        Widget(),
        kit.text(kit.t("first.go_on_title"), theme.STAFF_TITLE, bold=True, height=14),
        kit.text(kit.t("first.go_on_why"), theme.STAFF_MAIN, height=44, valign="top"),
        Widget(),
        gap=kit.mm(3),
    )


def _foot(kit: Kit, page: FirstPage) -> Widget:
    told = page.told
    acts: list[Widget] = []
    if page.asks_go_on:
        acts = [
            kit.button("no", kit.t("first.no"), look="line", width=44),
            kit.button("yes", kit.t("first.yes"), theme.HELP, width=44),
        ]
    elif told.state == "refused":
        acts = [kit.button("again", kit.t("first.again"), look="line", width=58)]
    elif told.may_go_on:
        acts = [kit.button("go_on", kit.t("first.go_on"), look="line", width=58)]
    net = kit.t(f"first_net.{told.network}", address=told.address) if told.network else ""
    ill = told.network not in ("", "up")
    line = kit.text(net, theme.STAFF_LESS, bold=ill, colour=theme.BRICK_DEEP if ill else theme.SOFT)
    return row(weigh(line, 1), *acts, gap=kit.mm(3))
