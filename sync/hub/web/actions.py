"""What the desk does: a file or a notice to points, a device let in or sent away. Each is a form that was believed."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from werkzeug.wrappers import Response

from edge.model import SiteCode
from sync import x509
from sync.hub import manifest
from sync.hub.authority import NoAuthority
from sync.hub.enrolment import NotNow
from sync.hub.store import HubStore
from sync.hub.web import admission, pages
from sync.hub.web.visit import Visit

ALL = "*"
MOST_MISTAKES = 100  # shown of a file
UPLOAD = ".upload-"  # a folder while a file is looked at
NOTICE_ID_SIGNS = 24  # of a hash: the same notice sent twice is one

log = logging.getLogger(__name__)


def clear(folder: Path) -> None:
    """Remove what a kill or a power cut left of files with people in them. Never fails."""
    for each in folder.glob(f"{UPLOAD}*"):
        shutil.rmtree(each, ignore_errors=True)


def send_file(visit: Visit) -> Response:
    """Check and send a file as `village-hub send` does."""
    site = visit.request.form.get("site", "")
    uploaded = visit.request.files.get("file")
    if uploaded is None or not uploaded.filename or site not in visit.house.settings.sites:
        return _mistaken(visit, "send.choose", site=site)
    with TemporaryDirectory(prefix=UPLOAD, dir=visit.house.settings.data_dir) as folder:  # for our eyes only
        file = Path(folder) / "manifest.json"
        uploaded.save(file)
        return _sent(visit, [SiteCode(site)], file, {"site": site})


def send_notice(visit: Visit) -> Response:
    """Write a notice as a file would bring it, to one point or to all."""
    form = visit.request.form
    site, text, until = form.get("site", ""), form.get("text", "").strip(), form.get("valid_until", "")
    given = {"site": site, "text": text, "valid_until": until}
    sites = visit.house.settings.sites
    if site not in (ALL, *sites):
        return _mistaken(visit, "send.choose", **given)
    text = " ".join(text.split())  # a notice is one line at the point
    name = hashlib.sha256(f"{until}|{text}".encode("utf-8", "replace")).hexdigest()[:NOTICE_ID_SIGNS]
    content = {"notices": [{"notice_id": name, "text": text, "valid_until": until}]}
    with TemporaryDirectory(prefix=UPLOAD, dir=visit.house.settings.data_dir) as folder:
        file = Path(folder) / "notice.json"
        file.write_text(json.dumps(content), "ascii")
        return _sent(visit, sorted(sites) if site == ALL else [SiteCode(site)], file, given)


def admit(visit: Visit) -> Response:
    """Let a device in, or send it away."""
    form, words = visit.request.form, visit.words
    code, site = form.get("code", "").strip()[:64], form.get("site", "")
    try:
        if visit.house.settings.enrolment is None:
            return pages.enrolments_page(visit, HTTPStatus.CONFLICT, mistake=words("enrol.none"))
        if form.get("action") == "refuse":
            admission.refuse(visit.house, code)
            log.info("the desk has sent a device away")
            return pages.enrolments_page(visit, told=words("enrol.refused", code=code))
        told = admission.approve(visit.house, code, SiteCode(site), replace="replace" in form)
    except NotNow as error:
        return pages.enrolments_page(visit, HTTPStatus.CONFLICT, mistake=words.maybe("not_now", error.word))
    except (NoAuthority, x509.BadPem) as error:
        log.warning("a device could not be let in: %s", error)
        return pages.enrolments_page(visit, HTTPStatus.CONFLICT, mistake=words("enrol.no_authority"))
    log.info("the desk has let a device in as %s", site)
    return pages.enrolments_page(visit, told=words("enrol.done" if told else "enrol.reload", code=code, site=site))


def _sent(visit: Visit, sites: Iterable[SiteCode], file: Path, given: dict[str, str]) -> Response:
    def write(store: HubStore) -> dict[SiteCode, manifest.Sent]:
        return {site: manifest.send(store, site, file) for site in sites}

    try:
        done = visit.house.writers.run(write)
    except manifest.BadManifest as error:
        words = visit.words
        mistakes = [
            (
                words.maybe("list", each.where),
                each.index,
                words.maybe("column", each.field or ""),
                words.mistake(each.what),
            )
            for each in error.mistakes[:MOST_MISTAKES]
        ]
        more = len(error.mistakes) - len(mistakes)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return pages.send_page(visit, status, mistakes=mistakes, more_mistakes=more, **given)
    log.info("the desk has sent to %s point%s", len(done), "" if len(done) == 1 else "s")
    told = {
        "sites": len(done),
        "parcels": sum(each.parcels for each in done.values()),
        "bills": sum(each.bills for each in done.values()),
        "notices": sum(each.notices for each in done.values()),
        "known": sum(each.known_before for each in done.values()),
    }
    return pages.send_page(visit, sent=told, site=given["site"])


def _mistaken(visit: Visit, key: str, **given: str) -> Response:
    mistakes = [("", None, "", visit.words(key))]
    return pages.send_page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, mistakes=mistakes, **given)
