"""The desk's page in a real browser without a window; pictures of every page go to build/screens/hub/."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from desk_district import PASSWORD, Page, codes, furnish, settings_text
from headless import MISSING, PROGRAM, Browser
from hub_work import KEY

from edge.clock import SystemClock, SystemDice
from sync import x509
from sync.hub.cli_enrolment import authority_of
from sync.hub.config import load
from sync.hub.enrolment import Enrolments
from sync.hub.presence import note_presence
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.store import HubStore
from sync.wire import Presence

PICTURES = Path(__file__).parents[2] / "build" / "screens" / "hub"
SIZES = ((1280, 900), (1920, 1080), (800, 900), (420, 900))
SITES = codes(350)
PAGES = {
    "overview": "/",
    "money": "/?show=money",
    "forced": "/site/QJ-0001",
    "site": "/site/QJ-0005",
    "devices": "/site/QJ-0003",
    "sums": "/site/QJ-0001/sums",
    "send": "/send?site=QJ-0001",
    "enrolments": "/enrolments",
}

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "link.key").write_text(KEY.hex())
    enrolment = '[enrolment]\nhosts = "localhost"\nbroker_dir = "broker"\n'
    (folder / "hub.toml").write_text(settings_text('data_dir = "hub"\n', SITES, enrolment))
    furnish(SqliteDatabase(folder / "hub", durable=False), SITES, 24)
    page = Page(folder / "hub.toml")
    page.set_password()
    authority = authority_of(load(page.settings))
    authority.init("district", datetime.now(UTC))
    page.start()
    store = opened(page)
    for _ in range(2):
        request = x509.read_request(x509.request(x509.new_key(), "QJ-0008", ""))
        Enrolments(store, authority, 90).ask(request, "QJ-0008", "10.0.0.9")
    store.close()
    with (load(page.settings).data_dir / "hub.running").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as a running hub does
        yield page
    page.stop()


@pytest.fixture
def browser(district: Page, tmp_path: Path) -> Iterator[Browser]:
    started = Browser(tmp_path, SIZES[0])
    started.open(f"http://127.0.0.1:{district.port}/login?lang=zh")
    started.fill("input[name=password]", PASSWORD)
    started.press("main button")
    yield started
    started.close()


def opened(page: Page) -> HubStore:
    store = HubStore(
        SqliteDatabase(load(page.settings).data_dir), SystemClock(), SystemDice(), dict.fromkeys(SITES, KEY)
    )
    store.open()
    return store


def test_every_page_is_drawn_whole_in_both_languages_and_no_script_of_a_point_runs(
    browser: Browser, district: Page
) -> None:
    base = f"http://127.0.0.1:{district.port}"
    complaints, too_wide = [], []
    for size in SIZES:
        browser.resize(*size)
        for language in ("zh", "en"):
            for name, path in PAGES.items():
                browser.open(f"{base}{path}{'&' if '?' in path else '?'}lang={language}")
                browser.picture(PICTURES / f"{name}-{language}-{size[0]}.png")
                complaints += browser.complaints()
                if browser.run("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                    too_wide.append((name, language, size))

    assert complaints == []  # a script from a point or an inline one would be refused, and said so here
    assert too_wide == []


def test_a_long_digest_does_not_press_the_words_beside_it_into_one_sign_a_line(
    browser: Browser, district: Page
) -> None:
    browser.resize(420, 900)
    browser.open(f"http://127.0.0.1:{district.port}/site/QJ-0001/sums?lang=zh")

    heights = browser.run("[...document.querySelectorAll('td:first-child')].map(cell => cell.clientHeight)")

    assert len(heights) > 10
    assert sum(height > 60 for height in heights) <= 1  # the digest's own row


def test_the_desk_finds_a_site_and_comes_to_its_page(browser: Browser) -> None:
    browser.fill("input[name=q]", "QJ-0333")
    browser.press("form.bar button")
    assert browser.run("document.querySelectorAll('tbody tr').length") == 1
    browser.press("tbody a")
    assert browser.run("location.pathname") == "/site/QJ-0333"


def test_a_notice_is_sent_by_hand(browser: Browser, district: Page) -> None:
    browser.open(f"http://127.0.0.1:{district.port}/send?site=QJ-0002")
    browser.fill("textarea", "周五停电")
    browser.fill("input[type=date]", "2026-12-31")
    browser.press("form[action='/send/notice'] button")
    assert browser.run("document.querySelector('.good').textContent").startswith("已下发到 1 个站点")


def test_the_overview_renews_itself(browser: Browser, district: Page) -> None:
    assert not browser.run("document.getElementById('live').textContent.includes('9999')")
    store = opened(district)
    note_presence(store, SITES[0], Presence(True, "0.1.0", 9999), retained=False)
    store.close()

    for _ in range(60):
        if browser.run("document.getElementById('live').textContent.includes('9999')"):
            return
        time.sleep(0.5)
    raise AssertionError("the page stays as it was")
