"""What the desk looks at: each page reads one state of the database. Nothing is changed here."""

from __future__ import annotations

import re
from dataclasses import fields
from http import HTTPStatus
from pathlib import Path
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from edge.chain import GENESIS
from edge.events import BadFact
from edge.model import SiteCode
from edge.sheet import Sheet
from sync.hub import sheets
from sync.hub.sites_list import SITE_RULE
from sync.hub.store import HubStore, Tx
from sync.hub.web import admission, stream
from sync.hub.web import overview as district
from sync.hub.web import site as one
from sync.hub.web.overview import SiteFigures
from sync.hub.web.running import is_running
from sync.hub.web.visit import MAX_UPLOAD, Visit

STATIC = Path(__file__).parent / "static"
FILES = {"watch.css": "text/css", "watch.js": "text/javascript"}
PAGE = 50
MAX_WANTED = 60  # signs of a search


def overview(visit: Visit) -> Response:
    """All sites, worst first."""
    args = visit.request.args
    show = args.get("show", "all")
    show = show if show in district.FILTERS else "all"
    wanted = args.get("q", "").strip()[:MAX_WANTED]
    names, settings = visit.house.names(), visit.house.settings

    def read(store: HubStore) -> tuple[list[SiteFigures], bool, int]:
        with store.reading() as tx:
            return district.read(tx, names), is_running(tx, settings), tx.stamp.at

    sites, runs, now = visit.house.readers.run(read)
    found = district.worst_first(district.chosen(sites, show, wanted))
    last = max(1, -(-len(found) // PAGE))
    number = min(last, max(1, _number(args.get("page", "1")) or 1))
    return visit.page(
        "overview.html",
        sites=found[(number - 1) * PAGE : number * PAGE],
        found=len(found),
        totals=district.totals(sites),
        show=show,
        filters=list(district.FILTERS),
        wanted=wanted,
        number=number,
        last=last,
        runs=runs,
        now=now,
    )


def site(visit: Visit, code: str) -> Response:
    """One site with its facts."""
    before = visit.request.args.get("before", "")

    def read(store: HubStore) -> dict[str, Any]:
        with store.reading() as tx:
            figures = _figures(tx, visit, code)
            return {
                "site": figures,
                "lists": one.lists(tx, figures.code),
                "facts": stream.read(tx, figures.code, before, visit.words),
                "now": tx.stamp.at,
            }

    values = visit.house.readers.run(read)
    certificates = admission.certificates(visit.house, SiteCode(code))
    return visit.page("site.html", before=before, certificates=certificates, **values)


def sums(visit: Visit, code: str) -> Response:
    """What both ends can compare: a sheet of the newest outage or of a stretch, and the sums from the first fact on."""
    after, upto = (_number(visit.request.args.get(name, "")) for name in ("after", "upto"))

    def read(store: HubStore) -> dict[str, Any]:
        with store.reading() as tx:
            figures = _figures(tx, visit, code)
            found: dict[str, Any] = {"site": figures, "sums": one.sums(tx, figures.code), "now": tx.stamp.at}
        return found | {"sheet": _sheet(store, figures.code, after, upto)}

    found = visit.house.readers.run(read)
    sheet: Sheet | None = found["sheet"]
    counted = [] if sheet is None else [(each.name, getattr(sheet.ours, each.name)) for each in fields(sheet.ours)]
    return visit.page("sums.html", figures=counted, **found)


def _sheet(store: HubStore, site: SiteCode, after: int | None, upto: int | None) -> Sheet | None:
    try:
        sheet = sheets.sheet(store, site, after, upto)
    except BadFact:  # what the point said of its outage cannot be read
        return None
    return None if sheet.stretch.end.mark == GENESIS else sheet


def send(visit: Visit) -> Response:
    """The forms for a notice and a file."""
    return send_page(visit, site=visit.request.args.get("site", ""))


def send_page(visit: Visit, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:
    """The forms, with what became of the last one."""
    blank: dict[str, Any] = {
        "site": "",
        "sent": None,
        "mistakes": [],
        "text": "",
        "valid_until": "",
        "more_mistakes": 0,
    }
    sites = sorted(visit.house.names().items())
    return visit.page("send.html", status, **(blank | values), sites=sites, most_mb=MAX_UPLOAD // 1024 // 1024)


def enrolments(visit: Visit) -> Response:
    """Devices that wait, and those that were decided."""
    return enrolments_page(visit)


def enrolments_page(visit: Visit, status: HTTPStatus = HTTPStatus.OK, told: str = "", mistake: str = "") -> Response:
    """The list, with what became of the last decision."""
    sites = sorted(visit.house.names().items())
    waiting = admission.waiting(visit.house)
    return visit.page("enrolments.html", status, waiting=waiting, sites=sites, told=told, mistake=mistake)


def static(name: str) -> Response:
    """One of our own files."""
    if name not in FILES:
        raise NotFound
    return Response((STATIC / name).read_bytes(), mimetype=FILES[name])


def _figures(tx: Tx, visit: Visit, code: str) -> SiteFigures:
    is_code = re.fullmatch(SITE_RULE, code, re.ASCII) is not None
    found = district.read(tx, visit.house.names(), SiteCode(code)) if is_code else []
    if not found:
        raise NotFound
    return found[0]


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,15}", text, re.ASCII) else None
