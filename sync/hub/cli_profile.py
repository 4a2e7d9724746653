"""`village-hub profile|district`: the settings of sites for their terminals, and the file new terminals start with.

What a profile may hold is edge/site_profile.py, what is kept sync/hub/profiles.py; manners as in sync/hub/cli.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from edge import district
from edge.command_line import emit
from edge.model import SiteCode
from edge.site_profile import BadProfile
from sync.files import replace_file
from sync.hub.cli_enrolment import authority_of, profiles_of
from sync.hub.config import HubSettings
from sync.hub.enrolment import NotNow, normal
from sync.hub.profiles import Profiles
from sync.hub.store import HubStore
from sync.profile import SUFFIX

DAY_S = 24 * 3600
FOR_ALL = 0o644  # a stick or a card is read by another machine's user; none of it is secret
SENTENCES = {
    "other_site": "this profile names the site {detail}, not the one given",
    "other_district": "this profile names another district: its ca_fingerprint begins with {detail}",
}

OpenStore = Callable[[HubSettings], AbstractContextManager[HubStore]]


def add(commands: Any, open_store: OpenStore) -> None:
    """Add the commands to those of `village-hub`."""
    actions = commands.add_parser("profile", help="the settings of sites for their terminals").add_subparsers(
        required=True, metavar="ACTION"
    )
    put = actions.add_parser("set", help="check a settings file and keep it as the newest profile of a site")
    put.add_argument("file", type=Path, metavar="FILE")
    put.add_argument("--note", default="", help="one line for the record")
    history = actions.add_parser("history", help="every version, and what the terminal said of it")
    show = actions.add_parser("show", help="a version as it was set")
    show.add_argument("--number", type=int, help="which version; the newest when not given")
    write = actions.add_parser("write", help="sign the newest profile and put it on a stick or a card")
    write.add_argument("folder", type=Path, metavar="DIR")
    write.add_argument("--code", default="", help="for the terminal with this claim code alone")
    write.add_argument("--days", type=int, default=0, help="how long it may be used; for ever when not given")
    for each, command in ((put, _set), (history, _history), (show, _show), (write, _write)):
        each.add_argument("--site", required=True, help="code of the point")
        each.set_defaults(command=partial(command, open_store))
    card = commands.add_parser("district", help="write the file district.toml that new terminals start with")
    card.add_argument("folder", type=Path, metavar="DIR")
    card.add_argument("--phone", default="", help="whom the technician calls")
    card.add_argument("--language", choices=("zh", "en"), default="zh")
    card.set_defaults(command=_district)


def _set(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    site = _site(settings, options)
    with _profiles(open_store, settings) as profiles:
        try:
            number = profiles.set(site, options.file, options.note)
        except BadProfile as error:
            raise NotNow(error.word, SENTENCES[error.word].format(detail=error.detail)) from error
    emit({"site": site, "number": number})
    return 0


def _history(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    with _profiles(open_store, settings) as profiles:
        for each in profiles.history(_site(settings, options)):
            emit(each)
    return 0


def _show(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    with _profiles(open_store, settings) as profiles:
        text = profiles.text(_site(settings, options), options.number)
    if text is None:
        raise NotNow("unknown", f"there is no such profile of {options.site}")
    emit({"site": options.site, "text": text})
    return 0


def _write(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    site = _site(settings, options)
    with _profiles(open_store, settings) as profiles:
        until = profiles.store.clock.stamp().at // 1000 + DAY_S * options.days if options.days else 0
        signed = profiles.file(site, normal(options.code), until)
    if signed is None:
        raise NotNow("unknown", f"there is no profile of {site}; village-hub profile set keeps one")
    emit({"site": site, "file": str(_put(options.folder, f"{site}{SUFFIX}", signed))})
    return 0


def _district(settings: HubSettings, options: argparse.Namespace) -> int:
    authority, chosen = authority_of(settings), settings.enrolment
    assert chosen is not None, "authority_of checked this"
    text = district.written(
        options.language, options.phone,
        {"host": chosen.hosts[0], "port": chosen.broker_port, "enrol_port": chosen.port,
         "ca_fingerprint": authority.fingerprint()},
    )  # fmt: skip
    file = options.folder / district.NAME
    district.read_district(text, file, Path("/var/lib/village-point"))  # a phone of letters is found here, not on site
    _put(options.folder, district.NAME, text.encode())
    emit({"file": str(file), "fingerprint": authority.fingerprint()})
    return 0


def _put(folder: Path, name: str, content: bytes) -> Path:
    if not folder.is_dir():
        raise NotNow("no_folder", f"{folder} is no folder")
    try:
        replace_file(folder / name, content, FOR_ALL)
    except OSError as error:
        raise NotNow("no_folder", f"{folder / name} cannot be written: {error.strerror}") from error
    return folder / name


@contextmanager
def _profiles(open_store: OpenStore, settings: HubSettings) -> Iterator[Profiles]:
    with open_store(settings) as store:
        profiles = profiles_of(settings, store)
        profiles.prepare()
        yield profiles


def _site(settings: HubSettings, options: argparse.Namespace) -> SiteCode:
    site = SiteCode(options.site)
    if site not in settings.sites:
        raise NotNow("unknown_site", f"site {site!r} is not in {settings.file}")
    return site
