"""The intake loop: hands stay on the scanner, the screen only answers. Questions come as pages of their own."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from edge.steps import Stored
from ui.screens import theme
from ui.screens.bill_pages import live_pair
from ui.screens.chrome import notice_text, staff_page
from ui.screens.door_pages import countdown, middle_if_tall
from ui.screens.keypad import field, keypad
from ui.screens.kit import Kit
from ui.screens.parcel_lines import carrier_name, person, where
from ui.screens.theme import Colour
from ui.screens.widgets import Card, column, fix, gap, row, weigh
from ui.viewmodels import Frame
from ui.viewmodels.formats import spaced
from ui.viewmodels.staff_states import (
    PHONE_DIGITS,
    TARGETS,
    Intake,
    IntakeCarrier,
    IntakeConsent,
    IntakeDoor,
    IntakePhone,
)


def intake(kit: Kit) -> Widget:
    """Scan, look, scan: the last place is huge, red when refused."""
    state = kit.frame.state
    assert isinstance(state, Intake)
    news, stored = kit.frame.notice, kit.frame.stored
    if state.busy:
        main: Widget = _big(kit, "hourglass", (kit.t("intake.busy"), ""), theme.CARD, theme.INK)
    elif news is not None and news.bad:
        said = notice_text(kit, news.key, dict(news.slots))
        main = _big(kit, "warn", (said, kit.t("intake.again")), theme.BRICK_PALE, theme.BRICK_DEEP)
    elif stored is not None:
        main = _stored(kit, stored.parcel.cell is not None, stored.code is not None)
    else:
        main = _big(kit, "scan", (kit.t("intake.scan"), kit.t("intake.scan_hint")), theme.CARD, theme.SLATE)
    today = kit.live_text(lambda frame: _today(kit, frame), theme.STAFF_MAIN, bold=True, align="right")
    choices = _targets(kit)
    top: list[Widget] = [*choices, weigh(today, 1)]
    body = column(fix(row(*top, gap=kit.mm(2.5)), height=kit.mm(theme.STAFF_BUTTON)), weigh(main, 1), gap=kit.mm(3))
    kit.quiet = True  # the line below would say it twice
    return staff_page(kit, kit.t("intake.title"), body, "scan")


def _targets(kit: Kit) -> list[Widget]:
    face = kit.frame.face
    offered = [t for t in TARGETS if (t != "locker" or face.has_locker) and (t != "shelf" or face.has_shelf)]
    if len(offered) < 3:
        return []  # with one kind of place there is nothing to choose
    return [
        kit.button(name, kit.t(f"target.{name}"), look="fill" if name == kit.frame.target else "line", width=36)
        for name in offered
    ]


def _big(kit: Kit, icon: str, said: tuple[str, str], ground: Colour, ink: Colour) -> Card:
    title, hint = said
    style = {"on": ground, "colour": ink, "align": middle_if_tall(kit)}
    title_em = 14 if kit.portrait else 13
    words = column(
        Widget(),
        kit.text(title, title_em, bold=True, height=38, floor=6, valign="bottom" if hint else "middle", **style),
        kit.text(hint, theme.STAFF_MAIN, height=16 if hint else 1, valign="top", **style),
        Widget(),
        gap=kit.mm(2),
    )
    picture = kit.icon(icon, 34, ink, ground)
    if kit.portrait:
        middle = fix(row(Widget(), picture, Widget()), height=kit.mm(34))
        words = fix(words, height=kit.mm(64))
        return kit.card(Widget(), middle, words, Widget(), fill=ground, pad=(10, 6), gap=6)
    return kit.card(picture, weigh(words, 1), fill=ground, orientation="horizontal", pad=(10, 4), gap=10)


def _today(kit: Kit, frame: Frame) -> str:
    return kit.t("intake.today", n=frame.stored.today if frame.stored else 0)


def _stored(kit: Kit, in_cell: bool, has_code: bool) -> Widget:
    """Where the last one went, readable from the other end of the counter; below it the call to go on.

    All of it is live: `ui.screens.root` keeps the page from one stored parcel to the next.
    """
    ground, ink = theme.JADE_PALE, theme.JADE_DEEP
    kind = kit.t("place.cell_word") if in_cell else kit.t("place.shelf_word")
    spot = kit.live_text(_of(_spot), 60 if kit.portrait else 34, bold=True, on=ground, colour=ink, floor=14)
    left = column(kit.text(kind, theme.STAFF_TITLE, on=ground, colour=ink, height=11), spot)
    facts = [
        ("label.waybill", _of(lambda s: f"{carrier_name(kit, s.parcel.carrier)} {s.parcel.waybill_no}")),
        ("label.person", _of(lambda s: person(kit, s.parcel))),
    ]
    if has_code:
        facts.append(("label.code", _of(lambda s: s.code.masked() if s.code else "")))
    right = column(
        *[fix(live_pair(kit, kit.t(key), say, ground), height=kit.mm(11)) for key, say in facts], gap=kit.mm(1)
    )
    if kit.portrait:
        inner: Widget = column(weigh(left, 1), fix(right, height=kit.mm(40)), gap=kit.mm(4))
    else:
        inner = row(
            weigh(left, 1), weigh(column(Widget(), fix(right, height=kit.mm(35)), Widget()), 1.15), gap=kit.mm(4)
        )
    card = kit.card(weigh(inner, 1), fill=ground, border=ink, pad=(7, 3))
    more = kit.card(
        row(kit.icon("scan", 8, theme.SLATE, theme.CARD), weigh(kit.text(
            kit.t("intake.next"), theme.STAFF_TITLE, bold=True, on=theme.CARD, colour=theme.SLATE), 1), gap=kit.mm(4)),
        pad=(7, 1), height=15,
    )  # fmt: skip
    return column(weigh(card, 1), more, gap=kit.mm(3))


def _of(say: Callable[[Stored], str]) -> Callable[[Frame], str]:
    return lambda frame: say(frame.stored) if frame.stored else ""


def _spot(stored: Stored) -> str:
    line = stored.parcel
    return str(line.cell) if line.cell is not None else str(line.place or "--")


def carrier(kit: Kit) -> Widget:
    """Several carriers are possible: the ranked guesses, best first."""
    state = kit.frame.state
    assert isinstance(state, IntakeCarrier)
    shown = state.carriers[: 8 if kit.portrait else 6]
    keys = [kit.button(c, carrier_name(kit, c), look="line", em=theme.STAFF_TITLE, height=20) for c in shown]
    if len(keys) % 2:
        keys.append(gap())
    lines = [row(keys[i], keys[i + 1], gap=kit.mm(4)) for i in range(0, len(keys), 2)]
    for line in lines:
        fix(line, height=kit.mm(20))
    head = kit.text(kit.t("carrier_ask.title", waybill=state.waybill_no), theme.STAFF_TITLE, bold=True, height=16)
    body = column(head, *lines, Widget(), gap=kit.mm(4))
    return staff_page(kit, kit.t("intake.title"), body, "scan")


def phone(kit: Kit) -> Widget:
    """The parcel is not in the manifest: the phone printed on the label, and whether the recipient agreed."""
    state = kit.frame.state
    assert isinstance(state, IntakePhone)
    shown = field(
        kit, lambda f: spaced(getattr(f.state, "digits", ""), (3, 4)), kit.t("phone_ask.empty"), theme.STAFF, 16
    )
    agreed = kit.button(
        "consent", kit.t("phone_ask.consent"), theme.PICKUP, look="fill" if state.consented else "line",
        icon="check" if state.consented else "ring", left=True, em=theme.STAFF_MAIN, height=17, icon_size=8,
    )  # fmt: skip
    go = kit.button("ok", kit.t("chrome.ok"), theme.PICKUP, em=theme.STAFF_TITLE, height=17, icon="check")
    kit.able(go, lambda f: len(getattr(f.state, "digits", "")) == PHONE_DIGITS)
    left = column(
        kit.text(kit.t("phone_ask.title"), theme.STAFF_TITLE, bold=True, height=18, floor=4.6),
        kit.text(
            f"{carrier_name(kit, state.carrier)} {state.waybill_no}", theme.STAFF_LESS, colour=theme.SOFT, height=8
        ),
        shown,
        agreed,
        go,
        Widget(),
        gap=kit.mm(3),
    )
    return staff_page(kit, kit.t("intake.title"), staff_beside(kit, left, keypad(kit, lambda _f: True)), "phone")


def staff_beside(kit: Kit, left: Widget, pad: Widget) -> Widget:
    if kit.portrait:
        left.add_widget(Widget(), index=len(left.children))
        return column(weigh(left, 1), fix(pad, height=kit.mm(120)), gap=kit.mm(5))
    return row(weigh(left, 1), fix(pad, width=kit.mm(96)), gap=kit.mm(6))


def consent(kit: Kit) -> Widget:
    """Call first. The only staff page that shows a whole number."""
    state = kit.frame.state
    assert isinstance(state, IntakeConsent)
    line = state.parcel
    number = spaced(line.phone.plain(), (3, 4)) if line.phone else kit.t("parcel.no_phone")
    name = line.recipient.masked() if line.recipient else kit.t("parcel.no_name")
    card = kit.card(
        kit.text(
            f"{name}  {carrier_name(kit, line.carrier)} {line.waybill_no}", theme.STAFF_MAIN, on=theme.CARD, height=11
        ),
        row(
            kit.icon("phone", 12, theme.SLATE, theme.CARD),
            weigh(kit.text(number, 15, bold=True, on=theme.CARD, floor=7), 1),
            gap=kit.mm(4),
        ),
        pad=(7, 3),
    )  # fmt: skip
    face = kit.frame.face
    acts: list[Widget] = []
    if face.has_shelf:
        acts.append(
            kit.button("shelf", kit.t("consent.shelf"), theme.PICKUP, icon="shelf", em=theme.STAFF_MAIN, height=21)
        )
    if face.has_locker:
        acts.append(
            kit.button("locker", kit.t("consent.locker"), theme.PICKUP, icon="door", em=theme.STAFF_MAIN, height=21)
        )
    acts.append(kit.button("back", kit.t("consent.no"), theme.HELP, look="line", em=theme.STAFF_MAIN, height=21))
    title = kit.text(kit.t("consent.title"), theme.STAFF_TITLE, bold=True, height=13, floor=4.6)
    stacked = column(*acts, gap=kit.mm(3)) if kit.portrait else row(*acts, gap=kit.mm(3))
    fix(stacked, height=kit.mm(24 * len(acts) - 3 if kit.portrait else 21))
    body = column(title, fix(card, height=kit.mm(42)), stacked, Widget(), gap=kit.mm(3))
    return staff_page(kit, kit.t("consent.head"), body, "phone", back=False)


def door(kit: Kit) -> Widget:
    """The cell stands open: put it in and shut it."""
    state = kit.frame.state
    assert isinstance(state, IntakeDoor)
    late, side = state.stage in ("remind", "late"), middle_if_tall(kit)
    accent = theme.HELP if late else theme.PICKUP
    white = {"on": accent.fill, "colour": theme.WHITE, "align": "center"}
    number = kit.card(
        kit.text(str(state.cell), 44, bold=True, floor=20, **white),
        kit.text(kit.t("door.cell_word"), theme.STAFF_TITLE, height=11, **white),
        fill=accent.fill, border=accent.fill, radius=5,
    )  # fmt: skip
    lines: list[Widget] = [
        Widget(),
        kit.text(
            kit.t(f"put.{state.stage}", n=state.cell), 11, bold=True, height=32, floor=6, colour=accent.deep, align=side
        ),
    ]
    if state.parcel is not None:
        lines.append(kit.text(person(kit, state.parcel), theme.STAFF_MAIN, height=9, align=side))
        lines.append(kit.text(where(kit, state.parcel), theme.STAFF_LESS, colour=theme.SOFT, height=8, align=side))
    if state.seconds:
        lines.append(countdown(kit, accent))
    lines.append(Widget())
    if state.cell in kit.frame.face.blind_cells:
        lines.append(kit.button("shut", kit.t("door.shut"), theme.PICKUP, height=17, icon="check"))
    if state.parcel is not None:
        lines.append(kit.button("cancel", kit.t("put.cancel"), theme.HELP, look="line", height=15))
    words = column(*lines, gap=kit.mm(2.5))
    if kit.portrait:
        body: Widget = column(fix(number, height=kit.mm(100)), weigh(words, 1), gap=kit.mm(6))
    else:
        body = row(fix(number, width=kit.mm(76)), weigh(words, 1), gap=kit.mm(7))
    return staff_page(kit, kit.t("intake.title"), body, "door", back=False)
