"""The page of the district's desk: what it tells, what it sends, and whom it keeps out. The program itself, by HTTP."""

from __future__ import annotations

import json
import re
import socket
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from desk_district import FORM, PASSWORD, PHONE, SCRIPT, Page, codes, furnish, settings_text, token_of
from hub_places import Places
from hub_work import KEY

from edge import pickups
from edge.clock import SystemClock, SystemDice
from edge.events import KINDS, Fact
from edge.flows.doors import Outcome
from edge.model import SiteCode
from sync import x509
from sync.hub import report, sheets
from sync.hub.cli_enrolment import authority_of
from sync.hub.config import load
from sync.hub.enrolment import Enrolments
from sync.hub.manifest import RULES
from sync.hub.store import HubStore
from sync.hub.web import overview, stream
from sync.hub.web.entry import IDLE_MS, TRIES, WHOLE_MS, Entry, set_password
from sync.hub.web.words import LANGUAGES, Words, catalogue, moment, yuan

SITES = codes(12)
FACTS = 120


@pytest.fixture
def district(tmp_path: Path, places: Places) -> Path:
    """Settings and a full database of twelve sites."""
    (tmp_path / "link.key").write_text(KEY.hex())
    file = tmp_path / "hub.toml"
    enrolment = '[enrolment]\nhosts = "localhost"\nbroker_dir = "broker"\n'
    file.write_text(settings_text(places.setting("hubdata"), SITES, enrolment))
    furnish(places.database("hubdata"), SITES, FACTS)
    authority_of(load(file)).init("district", datetime.now(UTC))
    return file


@pytest.fixture
def page(district: Path) -> Iterator[Page]:
    started = Page(district)
    started.set_password()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def store(places: Places, page: Page) -> Iterator[HubStore]:
    """The page's database, beside it."""
    opened = HubStore(places.database("hubdata"), SystemClock(), SystemDice(), dict.fromkeys(SITES, KEY))
    opened.open()
    yield opened
    opened.close()


only_sqlite = pytest.mark.parametrize("places", ["sqlite"], indirect=True)


def down_kinds(store: HubStore, site: str) -> list[str]:
    with store.reading() as tx:
        return [row["kind"] for row in tx.rows("SELECT kind FROM down WHERE site = ? ORDER BY seq", (site,))]


def parcels(count: int) -> bytes:
    row = {"carrier": "SF", "recipient": None, "phone": PHONE, "address": None, "consent": "shelf", "size": "M"}
    return json.dumps({"parcels": [{**row, "waybill_no": f"SF{n:012d}"} for n in range(count)]}).encode()


# --- what it tells ------------------------------------------------------------------------------------------------


def test_the_overview_tells_the_worst_first_and_its_figures_are_those_of_status(page: Page, store: HubStore) -> None:
    page.log_in()
    text = page.get("/?lang=en")

    order = re.findall(r'href="/site/(QJ-\d{4})"', text)
    assert order[:4] == ["QJ-0001", "QJ-0002", "QJ-0006", "QJ-0009"]  # a forced door, money, six days, one day
    assert sorted(order) == sorted(SITES)
    for told in (
        "offline 6 d",
        "offline 1 d",
        "¥1,234.56",
        "doors forced: 1",
        "doors left open: 1",
        "faulty devices: 2",
    ):
        assert told in text
    assert "¥{:.2f}".format(report.status(store)["money"]["unposted"]["fen"] / 100).replace("1234", "1,234") in text


def test_filters_and_search_find_sites(page: Page) -> None:
    page.log_in()

    def found(query: str) -> list[str]:
        return re.findall(r'href="/site/(QJ-\d{4})"', page.get(f"/?{query}"))

    assert found("show=money") == ["QJ-0001", "QJ-0002", "QJ-0004"]
    assert found("show=doors") == ["QJ-0001"]
    assert found("q=qj-0003") == ["QJ-0003"]
    assert found("q=%E9%87%91%E6%BA%AA") == ["QJ-0001", "QJ-0011"]  # 金溪
    assert found("show=offline&q=0006&page=99") == ["QJ-0006"]
    assert found("q=nowhere") == []


def test_the_stream_is_whole_newest_first_and_masked(page: Page, store: HubStore) -> None:
    page.log_in()
    path, seqs = "/site/QJ-0005", []
    for _ in range(10):
        text = page.get(path)
        assert PHONE not in text
        assert "482913" not in text
        seqs += [int(each) for each in re.findall(r'<tr title="[0-9a-f]+"><td class="num">(\d+)</td>', text)]
        older = re.search(r'\?before=([0-9a-f-]+)"', text)
        if older is None:
            break
        path = f"/site/QJ-0005?before={older[1]}"

    with store.reading() as tx:
        held = tx.value("SELECT count(*) FROM fact WHERE site = 'QJ-0005'")
    assert seqs == list(range(held, 0, -1))
    assert "138******34" in page.get("/site/QJ-0005")


def test_text_of_a_point_is_never_markup(page: Page) -> None:
    page.log_in()

    for path in ("/site/QJ-0005", "/site/QJ-0003", f"/?q={SCRIPT.replace('<', '%3C')}"):
        text = page.get(path)
        assert SCRIPT not in text
        assert "&lt;script&gt;alert(1)" in text


def test_the_sums_are_those_of_the_command_line(page: Page, store: HubStore) -> None:
    page.log_in()
    told = next(each for each in report.status(store)["sites"] if each["site"] == "QJ-0001")

    text = page.get("/site/QJ-0001/sums?lang=en")

    assert told["digest"] in text
    assert f"Facts: {told['facts']}" in text
    assert told["logs"][0]["mark"][:32] in text


def test_a_sheet_of_a_stretch_is_that_of_the_command_line(page: Page, store: HubStore) -> None:
    page.log_in()
    sheet = sheets.sheet(store, SITES[0], 10, 50)

    text = page.get("/site/QJ-0001/sums?after=10&upto=50")

    assert sheet.code in text
    assert sheet.ours.digest in text
    assert sheet.ours.facts == 40
    assert sheets.sheet(store, SITES[0]).code in page.get("/site/QJ-0001/sums")  # all of it: no outage was told of
    assert "没有记录" in page.get("/site/QJ-0001/sums?upto=999999")
    assert "没有记录" in page.get("/site/QJ-0008/sums?after=%ff")  # never heard of


@only_sqlite
def test_statements_are_few_and_read_no_large_table_whole(store: HubStore) -> None:
    names = dict.fromkeys(SITES, "")
    said: list[str] = []
    store.database._db.set_trace_callback(said.append)
    with store.reading() as tx:
        overview.read(tx, names)
        plans = [
            row["detail"]
            for each in list(said)
            if each.startswith("SELECT")
            for row in tx.rows(f"EXPLAIN QUERY PLAN {each}")
        ]
        stream_plan = [
            row["detail"] for row in tx.rows(f"EXPLAIN QUERY PLAN {stream.NEXT}", ("QJ-0001", 9, 9, "a", 51))
        ]
    store.database._db.set_trace_callback(None)

    assert len([each for each in said if each.startswith("SELECT")]) == 9  # for twelve sites as for 350
    whole = [plan for plan in plans if plan.startswith("SCAN") and "USING" not in plan]
    assert not any(re.match(r"SCAN (fact|f|parcel|posting|refusal|sms|down)\b", plan) for plan in whole), plans
    assert any("parcel_not_gone" in plan for plan in plans)
    assert "USING INDEX sqlite_autoindex_fact_1 (site=? AND seq<?)" in stream_plan[0]


@only_sqlite
def test_a_hub_that_does_not_run_is_told(page: Page, district: Path) -> None:
    import fcntl

    page.log_in()
    assert "not running" in page.get("/?lang=en")

    with (load(district).data_dir / "hub.running").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "not running" not in page.get("/")


# --- what it sends ------------------------------------------------------------------------------------------------


@only_sqlite
def test_a_file_that_a_kill_left_half_way_is_gone_when_the_page_starts_again(district: Path) -> None:
    """It holds names and telephone numbers, and nobody would look for it."""
    data = load(district).data_dir
    (data / ".upload-abc").mkdir(parents=True)
    (data / ".upload-abc/manifest.json").write_text("names")
    started = Page(district)
    started.set_password()

    started.start()
    started.stop()

    assert list(data.glob(".upload-*")) == []


def test_a_file_is_sent_once_however_often_it_is_uploaded(page: Page, store: HubStore) -> None:
    page.log_in()
    before = down_kinds(store, "QJ-0008")

    first = page.upload("QJ-0008", parcels(700))
    again = page.upload("QJ-0008", parcels(700))

    assert (first[0], again[0]) == (200, 200)
    assert down_kinds(store, "QJ-0008") == [*before, *["parcel_expected.1"] * 700]
    assert "700" in again[1]


def test_a_file_with_mistakes_sends_nothing_and_names_them_without_values(page: Page, store: HubStore) -> None:
    page.log_in()
    before = down_kinds(store, "QJ-0008")
    content = json.loads(parcels(2))
    content["parcels"][1]["phone"] = f"no {PHONE}"

    status, text = page.upload("QJ-0008", json.dumps(content).encode())
    broken = page.upload("QJ-0008", b"\xff{")

    assert status == broken[0] == 422
    assert "第 2 行" in text
    assert "必须是电话号码" in text
    assert PHONE not in text
    assert "不是 JSON" in broken[1]
    assert down_kinds(store, "QJ-0008") == before
    assert not list(load(page.settings).data_dir.glob(".upload-*"))


def test_a_notice_goes_to_all_points_once(page: Page, store: HubStore) -> None:
    page.log_in()
    for _ in range(2):
        status, text = page.post(
            "/send/notice", "/send", site="*", text="周五  停电\n请早取件", valid_until="2026-12-31"
        )
        assert status == 200
    assert "12 个站点" in text
    with store.reading() as tx:
        assert tx.value("SELECT count(*) FROM notice WHERE text = '周五 停电 请早取件'") == len(SITES)
    assert page.post("/send/notice", "/send", site="QJ-0001", text="x", valid_until="tomorrow")[0] == 422
    assert page.post("/send/notice", "/send", site="QJ-9999", text="x", valid_until="2026-12-31")[0] == 422


def test_a_device_is_let_in_and_another_sent_away(page: Page, store: HubStore, district: Path) -> None:
    tables = Enrolments(store, authority_of(load(district)), 90)
    asked = [tables.ask(x509.read_request(x509.request(x509.new_key(), "", "")), "", "10.0.0.9") for _ in range(2)]
    page.log_in()

    def decide(code: str, action: str, **more: str) -> tuple[int, str]:
        return page.post("/enrolments", code=code, site="QJ-0003", action=action, **more)

    assert asked[0].code in page.get("/enrolments")
    assert "已批准" in decide(asked[0].code, "approve")[1]
    assert decide(asked[1].code, "approve")[0] == 409  # the site is occupied
    assert "已拒绝" in decide(asked[1].code, "refuse")[1]
    assert decide(asked[1].code, "refuse")[0] == 409
    assert [each["site"] for each in tables.certificates()] == ["QJ-0003"]
    assert "有效" in page.get("/site/QJ-0003")


# --- whom it keeps out --------------------------------------------------------------------------------------------


@only_sqlite
def test_a_stranger_sees_the_door_only(page: Page) -> None:
    for path in ("/", "/site/QJ-0001", "/site/QJ-0001/sums", "/send", "/enrolments"):
        assert page.ask("GET", path)[0] == 303
        assert page.headers["location"] == "/login"
    assert page.ask("POST", "/send/notice", b"site=*", FORM)[0] == 303
    assert page.log_in("not the password") == 403
    assert page.ask("GET", "/")[0] == 303
    assert page.log_in() == 303
    assert page.ask("GET", "/")[0] == 200


@only_sqlite
def test_cookies_and_headers_are_sealed(page: Page) -> None:
    page.get("/login")
    assert "HttpOnly" in page.headers["set-cookie"]
    page.log_in()
    page.get("/")
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    assert "server" not in page.headers
    status, _ = page.post("/login", password=PASSWORD)
    assert status == 303
    assert all("HttpOnly" in each and "SameSite=Strict" in each for each in page.set_cookies)


@only_sqlite
def test_a_form_without_its_token_or_from_elsewhere_does_nothing(page: Page, store: HubStore) -> None:
    page.log_in()
    before = down_kinds(store, "QJ-0001")
    body = b"site=QJ-0001&text=x&valid_until=2026-12-31&form_token="
    token = token_of(page.get("/send")).encode()

    assert page.ask("POST", "/send/notice", body, FORM)[0] == 403
    assert page.ask("POST", "/send/notice", body + b"A" * 43, FORM)[0] == 403
    assert page.ask("POST", "/send/notice", body + token, {**FORM, "Origin": "http://evil.example"})[0] == 403
    assert page.upload("QJ-0001", parcels(1), token="")[0] == 403
    assert down_kinds(store, "QJ-0001") == before
    assert page.ask("POST", "/logout", b"form_token=" + token, FORM)[0] == 303
    assert page.ask("GET", "/")[0] == 303


@only_sqlite
def test_guessing_is_slowed_down_for_the_right_password_too(page: Page) -> None:
    answers = [page.log_in(f"guess number {n}") for n in range(TRIES)]
    assert answers == [403] * TRIES
    assert page.log_in() == 429


@only_sqlite
def test_another_name_of_this_machine_is_refused(page: Page) -> None:
    page.log_in()
    for host, status in (
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost:1", 200),
        ("[", 421),
        ("", 421),
    ):
        assert page.ask("GET", "/", headers={"Host": host})[0] == status, host


@only_sqlite
def test_a_new_password_ends_the_sessions_of_the_old_one(page: Page) -> None:
    page.log_in()
    page.set_password("another 2026 one")
    assert page.ask("GET", "/")[0] == 303
    file = load(page.settings).data_dir / "watch.password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "another" not in file.read_text()


@only_sqlite
def test_garbage_gets_a_clear_answer_and_the_page_lives_on(page: Page) -> None:
    page.log_in()
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())

    def raw(text: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", page.port), 30) as line:
            line.sendall(text)
            line.shutdown(socket.SHUT_WR)
            return line.recv(100).split(b"\r\n")[0]

    head = f"Host: 127.0.0.1\r\nCookie: {cookies}\r\n".encode()
    assert b" 400 " in raw(b"\x00\xff\x01 nonsense\r\n\r\n")
    assert b" 431 " in raw(b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n")
    assert b" 413 " in raw(b"POST /send/file HTTP/1.1\r\n" + head + b"Content-Length: 99999999999\r\n\r\n")
    assert b" 501 " in raw(b"POST /send/file HTTP/1.1\r\n" + head + b"Transfer-Encoding: gzip\r\n\r\n")
    assert b" 404 " in raw(b"GET /site/%ff%00%3Cscript%3E HTTP/1.1\r\n" + head + b"\r\n")
    for path in (b"%00", b"QJ-0001%00", b"%2e%2e", b"a" * 4000):
        assert b" 404 " in raw(b"GET /site/" + path + b" HTTP/1.1\r\n" + head + b"\r\n")
    assert b" 405 " in raw(b"DELETE / HTTP/1.1\r\n" + head + b"\r\n")
    assert b" 404 " in raw(b"GET /static/..%2fgate.py HTTP/1.1\r\n" + head + b"\r\n")
    for query in ("page=-1", "page=99999999999999999999", "show=%ff", "q=%00%ff", "lang=../../zh", "before=9-zz"):
        assert page.ask("GET", f"/?{query}")[0] == 200
        assert page.ask("GET", f"/site/QJ-0001?{query}")[0] == 200
    form = b"form_token=" + token_of(page.get("/send")).encode()
    assert page.ask("POST", "/send/notice", form + b"&text=" + b"a" * 70_000, FORM)[0] == 413
    assert page.ask("POST", "/send/notice", b"--x", {"Content-Type": "multipart/form-data; boundary=x"})[0] in (
        400,
        403,
    )
    assert page.ask("POST", "/send/notice", form + b"&site=*&text=%ed%a0%80%00&valid_until=2026-12-31", FORM)[0] == 422
    assert page.ask("GET", "/")[0] == 200


@only_sqlite
def test_silent_callers_do_not_keep_others_out(page: Page) -> None:
    page.log_in()
    lines = [socket.create_connection(("127.0.0.1", page.port), 30) for _ in range(20)]
    for line in lines:
        line.sendall(b"POST /send/file HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nab")

    assert page.ask("GET", "/")[0] == 200

    lines[0].settimeout(60)
    assert lines[0].recv(100) == b""  # given up by the server
    for line in lines:
        line.close()


@only_sqlite
def test_the_command_says_what_is_missing_and_ends_in_order(district: Path) -> None:
    nobody = Page(district)
    with pytest.raises(AssertionError, match="set the desk's password first"):
        nobody.start()
    with pytest.raises(AssertionError, match="10 to 200 signs"):
        nobody.set_password("short")
    nobody.set_password()
    nobody.start()
    assert nobody.stop() == 0


def test_a_session_ends_with_the_shift_and_a_desk_that_was_left_can_only_be_looked_at(tmp_path: Path) -> None:
    now = [0]
    set_password(tmp_path, PASSWORD)
    entry = Entry(tmp_path, lambda: now[0])
    secret = entry.begin(PASSWORD)
    assert entry.begin("wrong password") is None
    assert secret is not None

    now[0] = IDLE_MS + 1
    assert entry.session(secret, live=True) is not None
    assert entry.session(secret, live=False) is None
    assert entry.session(secret, live=True) is None

    again = entry.begin(PASSWORD)
    assert again is not None
    now[0] += WHOLE_MS + 1
    assert entry.session(again, live=True) is None


# --- words --------------------------------------------------------------------------------------------------------


def test_both_languages_have_the_same_texts_and_places() -> None:
    zh, en = (catalogue(language) for language in LANGUAGES)

    assert zh.keys() == en.keys()
    places = {key: (sorted(re.findall(r"{\w+}", zh[key])), sorted(re.findall(r"{\w+}", en[key]))) for key in zh}
    assert {key: both for key, both in places.items() if both[0] != both[1]} == {}


def test_every_fact_every_field_and_every_mistake_has_words() -> None:
    texts = catalogue("zh")

    assert {f"fact.{kind.partition('.')[0]}" for kind in KINDS} - texts.keys() == set()
    assert {f"field.{name}" for kind in KINDS.values() for name in names_of(kind)} - texts.keys() == set()
    columns = {f"column.{column}" for rules in RULES.values() for column in rules}
    assert columns - texts.keys() == set()
    hints = {hint for rules in RULES.values() for _, hint in rules.values()}
    assert {hint for hint in hints if Words("zh").mistake(hint) == hint} == set()


def names_of(kind: type[Fact]) -> list[str]:
    return list(kind.__struct_fields__)


@pytest.mark.parametrize("key", ["reason", "show", "not_now", "what"])
def test_words_made_from_parts_are_there(key: str) -> None:
    made = {
        "reason": {reason for figures in _all_troubles() for reason in figures},
        "show": set(overview.FILTERS),
        "not_now": {"unknown_code", "unknown_site", "occupied", "full"},
        "what": {pickups.BY_KEY, pickups.POWER_CUT, *(each.value for each in Outcome if each is not Outcome.OPEN)},
    }[key]

    assert {f"{key}.{word}" for word in made} - catalogue("zh").keys() == set()


def _all_troubles() -> list[list[str]]:
    worst = overview.SiteFigures(
        SiteCode("QJ-0001"), "", False, False, "", 9_999, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, {"clone": 1, "fork": 1}
    )
    never = overview.SiteFigures(SiteCode("QJ-0002"), "", True, False, "", 0, None)
    just = overview.SiteFigures(SiteCode("QJ-0003"), "", True, False, "", 0, 1)
    told: list[list[str]] = []
    for figures, now in ((worst, 10**10), (never, 10**10), (just, 1_000)):
        overview.judge(figures, now)
        told.append([reason.word for reason in figures.reasons])
    return told


def test_money_and_time_are_written_as_people_write_them() -> None:
    assert (yuan(0), yuan(5), yuan(123_456_789), yuan(-250)) == ("¥0.00", "¥0.05", "¥1,234,567.89", "-¥2.50")
    assert moment(1_760_000_000_000) == "2025-10-09 16:53:20"
    assert moment(10**30) == str(10**30)
