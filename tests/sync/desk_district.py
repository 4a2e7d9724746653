"""A district for the page of the desk: sites that do well and sites that do not, by real batches."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

from hub_work import KEY, life
from points import Point, exchange, hub_answers

from edge import events as ev
from edge.clock import SystemClock, SystemDice
from edge.model import Ms, Phone, PickupCode, SiteCode, Stamp
from sync.hub.database import Database
from sync.hub.presence import note_presence
from sync.hub.store import HubStore
from sync.wire import Presence

ROOT = Path(__file__).parents[2]
PASSWORD = "金溪 desk 2026"
HOUR_MS = 3_600_000
PHONE = "13800001234"
SCRIPT = "<script>alert(1)</script>"
VILLAGES = ("金溪村", "小南海镇", "濯水镇", "石会镇", "黄溪镇", "马喇镇", "阿蓬江镇", "中塘镇", "沙坝镇", "白石镇")
OpenStore = Callable[[Database], HubStore]


class PastClock(SystemClock):
    """The true time, less what the test says: so that a site was heard some days ago."""

    ago_ms = 0

    def stamp(self) -> Stamp:
        true = super().stamp()
        return Stamp(true.at - self.ago_ms, true.boot, Ms(true.ms), True)


def codes(count: int) -> list[SiteCode]:
    return [SiteCode(f"QJ-{number:04d}") for number in range(1, count + 1)]


def settings_text(place: str, sites: Sequence[SiteCode], more: str = "") -> str:
    tables = "".join(
        f'[sites.{code}]\nname = "{VILLAGES[number % 10]}{number // 10 + 1}号服务点"\nlink_key_file = "link.key"\n'
        for number, code in enumerate(sites)
    )
    return place + '[broker]\nhost = "127.0.0.1"\nport = 1\n' + more + tables


def furnish(database: Database, sites: Sequence[SiteCode], facts: int) -> PastClock:
    """Fill a hub. Every site lives a while; the first ones have one kind of trouble each."""
    clock = PastClock()
    store = HubStore(database, clock, SystemDice(), dict.fromkeys(sites, KEY))
    store.open()
    for number, code in enumerate(sites):
        point, happens = Point(KEY), life(number)
        point.happened(*(next(happens) for _ in range(facts)))
        if number < len(TROUBLES):
            TROUBLES[number](store, code, point)
        clock.ago_ms = AGO_MS.get(number, 0)
        if number != NEVER:
            exchange(point, hub_answers(store, code))
            note_presence(store, code, Presence(number not in AGO_MS, "0.1.0", 3 * (number % 4)), retained=False)
        clock.ago_ms = 0
    store.close()
    return clock


def _forced(_store: HubStore, _code: SiteCode, point: Point) -> None:
    point.happened(
        ev.DoorForced(7, "open"), ev.DoorAuthorised("x1", 9, "deposit", None, "op1"), ev.DoorLeftOpen("x1", 9)
    )


def _unposted(_store: HubStore, _code: SiteCode, point: Point) -> None:
    point.wrote("bill_accepted.1", '{"bill":"B9","fen":123456}')


def _ill(_store: HubStore, _code: SiteCode, point: Point) -> None:
    point.happened(ev.DeviceFaulted("locker", "no_answer"), ev.DeviceFaulted("printer", SCRIPT))
    point.happened(ev.CellFaulted(3, "jammed"))


def _owing(_store: HubStore, _code: SiteCode, point: Point) -> None:
    point.happened(ev.BillAccepted("B-nobody-knows", 8_650, "cash", "S-1", "op1"))


def _hostile(_store: HubStore, _code: SiteCode, point: Point) -> None:
    point.happened(
        ev.ParcelArrived("f" * 16, SCRIPT, "SF", False, "op1", 4, None, Phone(PHONE)),
        ev.ParcelDeposited("f" * 16, 4, "sensor", PickupCode("482913"), None),
        ev.PickupMismatch("f" * 16, f"{SCRIPT} {PHONE}"),
    )
    point.wrote("future_kind.9", json.dumps({"phone": PHONE, "text": SCRIPT}))


def _nothing(_store: HubStore, _code: SiteCode, _point: Point) -> None:
    """Only its line is down."""


TROUBLES = (_forced, _unposted, _ill, _owing, _hostile, _nothing, _nothing)
AGO_MS = {5: 6 * 24 * HOUR_MS + 5 * HOUR_MS, 6: 3 * HOUR_MS, 8: 26 * HOUR_MS}
NEVER = 7


class Page:
    """`village-hub watch` as a program of its own, and a browser without a window: cookies and forms by hand."""

    def __init__(self, settings: Path) -> None:
        self.settings = settings
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.set_cookies: list[str] = []

    def set_password(self, password: str = PASSWORD) -> None:
        done = subprocess.run(
            [*self._command(), "--set-password"], cwd=ROOT, input=password + "\n", text=True, check=False, timeout=60,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        log = (self.settings.parent / "watch.log").open("a")
        self._process = subprocess.Popen(
            [*self._command(), "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=os.environ
        )
        log.close()
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(20)
            self._process.stdout.close()
            self._process = None
        assert '"ready": true' in line, (self.settings.parent / "watch.log").read_text()
        self.port = int(json.loads(line)["url"].rstrip("/").rpartition(":")[2])

    def stop(self) -> int | None:
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(20)
        self._process.stdout.close()
        self._process = None
        return code

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "sync.hub.cli", "watch", "--config", str(self.settings)]

    # --- the browser

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, str]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **(headers or {})}
        line.request(method, path, body or None, sent)
        answer = line.getresponse()
        text = answer.read().decode()
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        self.set_cookies = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        line.close()
        return answer.status, text

    def get(self, path: str, **headers: str) -> str:
        status, text = self.ask("GET", path, headers=headers)
        assert status == 200, (status, path)
        return text

    def post(self, path: str, at: str | None = None, **fields: str) -> tuple[int, str]:
        """Send a form with the token that the page `at` holds."""
        form = {"form_token": token_of(self.get(at or path)), **fields}
        return self.ask("POST", path, urlencode(form).encode(), FORM)

    def upload(self, site: str, content: bytes, token: str | None = None) -> tuple[int, str]:
        token = token_of(self.get("/send")) if token is None else token
        parts = [f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                 for name, value in (("form_token", token), ("site", site))]  # fmt: skip
        head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="m.json"\r\n\r\n'
        body = b"".join(parts) + head + content + b"\r\n--cut--\r\n"
        return self.ask("POST", "/send/file", body, {"Content-Type": "multipart/form-data; boundary=cut"})

    def log_in(self, password: str = PASSWORD) -> int:
        return self.post("/login", password=password)[0]


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class _Tokens(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name") == "form_token":
            self.found = given.get("value") or ""


def token_of(text: str) -> str:
    parser = _Tokens()
    parser.feed(text)
    return parser.found
