"""Every screen at three sizes in two languages: drawn, kept under `build/screens/`, measured."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from screen_samples import ALIKE, TIGHTEST, samples

from ui import words
from ui.viewmodels import (
    State,
    batch,
    checkup,
    first,
    press,
    staff_states,
    states,
    stick,
    technician_states,
    weigh,
    wizard_states,
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "screens"
SIZES = {"1024x600": "10.1", "1280x800": "10.1", "1080x1920": "21.5"}
KEYS = {*"0123456789", "clear", "erase"}
# Screens of the operator and technician; the keys of their pads may be smaller (reference, section 3).
STAFF = {f.state.screen for f in samples().values() if f.state.who == "staff"}
WIZARD = {getattr(kind, "screen", "") for kind in vars(wizard_states).values()} - {"", "touch", "setpin"}
MAINS = {
    "standby.start", "home.pickup", "home.bill", "home.staff", "bill.water", "bill.power", "bill.gas", "choose.all",
    "account.ok", "confirm.pay", "cash.ok", "refused.retry", "refused.done", "thanks.done", "slip.done", "idle.here",
}  # fmt: skip
HARMLESS = {"cells.door", "doorpin.repair", "weigh.0"}  # chosen already; a price does not begin with a nought
SLACK_MM = 0.12  # half a pixel of rounding on the coarsest panel

Page = dict[str, Any]
pytestmark = pytest.mark.timeout(300)  # three windows are drawn first; a busy machine takes its time


@pytest.fixture(scope="module")
def pages() -> list[Page]:
    runs = [
        subprocess.Popen([sys.executable, str(Path(__file__).with_name("draw.py")), size, inch, str(FOLDER)])
        for size, inch in SIZES.items()
    ]
    try:
        codes = [run.wait(timeout=240) for run in runs]
    finally:
        for run in runs:
            if run.poll() is None:
                run.kill()
                run.wait()
    assert codes == [0, 0, 0]
    return [page for size in SIZES for page in json.loads((FOLDER / f"{size}.json").read_text(encoding="utf-8"))]


def faults(pages: list[Page], part: str, bad: Any) -> list[str]:
    return [f"{p['size']} {p['lang']} {p['name']}: {bad(p, x)}" for p in pages for x in p[part] if bad(p, x)]


def test_every_state_has_a_sample_and_a_picture_in_both_languages(pages: list[Page]) -> None:
    drawn = {(p["size"], p["lang"], p["name"]) for p in pages}
    rooms = (states, staff_states, batch, first, weigh, checkup, technician_states, stick, wizard_states)
    every = {kind.__name__ for room in rooms for kind in vars(room).values() if is_screen(kind)}
    wanted = {
        (size, lang, name)
        for size in SIZES
        for lang in words.LANGUAGES
        for name in samples()
        if size == TIGHTEST or name not in ALIKE
    }

    assert {p["state"] for p in pages if p["size"] != TIGHTEST} == every
    assert drawn == wanted
    assert all((FOLDER / size / lang / f"{name}.png").stat().st_size > 2_000 for size, lang, name in drawn)


def test_no_text_is_cut_off(pages: list[Page]) -> None:
    assert faults(pages, "texts", lambda _p, t: not t["fits"] and t["text"]) == []


def test_no_text_lies_on_another_and_all_stay_inside_the_window(pages: list[Page]) -> None:
    def outside(page: Page, thing: Page) -> str:
        left, bottom, right, top = thing["box"]
        inside = left >= -1 and bottom >= -1 and right <= page["window"][0] + 1 and top <= page["window"][1] + 1
        return "" if inside else str(thing.get("id") or thing["text"])

    assert faults(pages, "texts", outside) == []
    assert faults(pages, "taps", outside) == []
    assert [o for page in pages for o in overlaps(page, "texts", "text")] == []


def test_no_button_lies_on_another(pages: list[Page]) -> None:
    assert [o for page in pages for o in overlaps(page, "taps", "id")] == []


def test_text_and_buttons_of_others_do_not_touch(pages: list[Page]) -> None:
    """A text lies wholly inside a button or wholly outside of it."""
    found = []
    for page in pages:
        for tap in page["taps"]:
            for text in page["texts"]:
                cut = common(tap["box"], text["box"])
                inside = all(a <= b + 1 for a, b in zip(tap["box"][:2], text["box"][:2], strict=True)) and all(
                    a >= b - 1 for a, b in zip(tap["box"][2:], text["box"][2:], strict=True)
                )
                if cut > 2 and not inside:
                    found.append(f"{page['size']} {page['lang']} {page['name']}: {tap['id']} and {text['text']}")
    assert found == []


def test_buttons_are_large_enough_for_old_fingers(pages: list[Page]) -> None:
    def small(page: Page, tap: Page) -> str:
        screen, _, name = tap["id"].rpartition(".")
        least = 11.0
        if screen in WIZARD:
            least = 16.0
        elif screen not in STAFF:
            least = 16.0 if name in KEYS else 19.0 if tap["id"] in MAINS else 14.0
        return f"{tap['id']} {tap['mm']}" if min(tap["mm"]) < least - SLACK_MM else ""

    assert faults(pages, "taps", small) == []


def test_text_is_large_enough_to_read(pages: list[Page]) -> None:
    """Villagers: never below 4.8 mm, one text of 7.5 mm on each page; staff stand nearer: 3.5 mm."""
    floors = faults(
        pages, "texts", lambda p, t: t["text"] if t["em_mm"] < (3.5 if staff_page(p) else 4.8) - SLACK_MM else ""
    )
    small_pages = [p["name"] for p in pages if max(t["em_mm"] for t in p["texts"]) < 7.4]

    assert floors == []
    assert small_pages == []


def test_text_stands_out_from_the_ground_that_was_drawn(pages: list[Page]) -> None:
    assert (
        faults(pages, "texts", lambda _p, t: not t["asleep"] and t["contrast"] < 7.0 and (t["text"], t["contrast"]))
        == []
    )


def test_no_line_begins_with_a_mark_and_no_amount_is_torn(pages: list[Page]) -> None:
    assert (
        faults(pages, "texts", lambda _p, t: any(line[:1] in "，。、；：？！）》”%" and line for line in t["lines"]))
        == []
    )
    assert faults(pages, "texts", lambda _p, t: any(line.endswith("￥") for line in t["lines"])) == []


def test_every_sign_is_in_both_fonts(pages: list[Page]) -> None:
    signs = {sign for p in pages for t in p["texts"] for sign in t["text"]} - {"\n"}
    signs |= {sign for lang in words.LANGUAGES for said in words.catalogue(lang).values() for sign in said}

    for weight in ("regular", "bold"):
        with TTFont(ROOT / "ui" / "fonts" / f"kiosk-{weight}.otf", lazy=True) as font:
            known = font.getBestCmap()
        assert {sign for sign in signs if ord(sign) not in known} == set()


def test_help_is_on_every_villagers_page_and_language_on_all(pages: list[Page]) -> None:
    for page in pages:
        names = {tap["id"].rpartition(".")[2] for tap in page["taps"]}
        if not staff_page(page):
            assert "help" in names, page["name"]
        if page["name"].partition("-")[0] not in ("idle", "touch"):  # the grid is nothing but targets
            assert "lang" in names, page["name"]


def test_every_button_that_is_awake_does_something(pages: list[Page]) -> None:
    dead = []
    for page in pages:
        if page["size"] == TIGHTEST and page["lang"] == "zh":
            view = samples((3, 5))[page["name"]]
            dead += [t["id"] for t in page["taps"] if t["enabled"] and press(view, t["id"]) == (view, ())]

    # In an empty field there is nothing to erase.
    assert {name for name in dead if name.rpartition(".")[2] not in {"erase", "clear"}} <= HARMLESS


def test_no_full_phone_but_where_the_operator_must_call(pages: list[Page]) -> None:
    showing = {p["name"] for p in pages for t in p["texts"] if "13812345678" in t["text"].replace(" ", "")}

    assert showing == {"intake_consent"}


def test_no_full_name_and_no_code_on_any_page(pages: list[Page]) -> None:
    texts = " ".join(t["text"] for p in pages for t in p["texts"])

    assert "秀英" not in texts
    assert "相如" not in texts
    assert "123456" not in texts.replace("123456789", "")


def is_screen(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, State) and bool(kind.screen)


def staff_page(page: Page) -> bool:
    return page["name"].partition("-")[0] in STAFF or page["name"] == "idle-staff"


def overlaps(page: Page, part: str, name: str) -> list[str]:
    where = f"{page['size']} {page['lang']} {page['name']}"
    return [
        f"{where}: {a[name]} and {b[name]}" for a, b in combinations(page[part], 2) if common(a["box"], b["box"]) > 2
    ]


def common(one: list[float], other: list[float]) -> float:
    """The smaller side of the common rectangle, in pixels; 0 when they do not meet."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, min(width, height))
