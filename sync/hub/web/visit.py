"""One request of one browser, and the answer: what the gate hands to the pages. No decision lives here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Request, Response

from edge.model import SiteCode
from sync.hub.config import HubSettings
from sync.hub.web import render
from sync.hub.web.entry import Session
from sync.hub.web.stores import StoreThread
from sync.hub.web.words import Words

MAX_FORM = 64 * 1024  # bytes of a form without a file
MAX_UPLOAD = 32 * 1024 * 1024  # 100,000 parcels are about 25 MB; what is larger goes by `village-hub send`
MAX_PARTS = 20


class Asked(Request):
    """A request with bounds; beyond them reading the form answers 413."""

    max_content_length = MAX_FORM
    max_form_memory_size = MAX_FORM
    max_form_parts = MAX_PARTS


@dataclass(frozen=True, slots=True)
class House:
    """What all pages share."""

    settings: HubSettings
    readers: StoreThread
    writers: StoreThread

    def names(self) -> dict[SiteCode, str]:
        """What the settings call the sites."""
        return {code: site.name for code, site in self.settings.sites.items()}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. `session` None at the door only; `form_token` must come back with every form."""

    house: House
    request: Asked
    words: Words
    session: Session | None
    form_token: str

    def page(self, template: str, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:
        """Answer with a page."""
        here = self.request.path
        shared: Mapping[str, Any] = {
            "t": self.words,
            "here": here,
            "form_token": self.form_token,
            "is_inside": self.session is not None,
        }
        return Response(render.page(template, **shared, **values), status, mimetype="text/html")

    def message(self, status: HTTPStatus, key: str, **values: object) -> Response:
        """Answer with one sentence."""
        return self.page("message.html", status, sentence=self.words(key, **values), number=int(status))
