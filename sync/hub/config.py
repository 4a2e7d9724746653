"""The hub's settings: one TOML file to one frozen value, or every mistake at once. Secrets are in their own files."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from edge.mistakes import ConfigError, Problem, mistake
from edge.model import SiteCode
from edge.toml_table import Table, read
from sync.hub import broker_files
from sync.hub.enrolment_config import EnrolmentSettings, read_enrolment
from sync.hub.lived import LEAST_DAYS, MOST_DAYS, USUAL_DAYS
from sync.hub.sites_list import PATH_RULE, SITE_RULE, SiteSettings, read_list

URL_RULE = r"postgres(?:ql)?://[^\s]{1,400}"
MAX_SHARDS = 1024
_HOST = r"[0-9A-Za-z.:_-]{1,253}"
HOST_RULE = rf"{_HOST}( {_HOST}){{0,7}}"
PROTOCOLS = {"5": 5, "3.1.1": 4}  # what people call it -> what the protocol calls itself


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker is, and how to be let in."""

    host: str
    port: int
    username: str | None
    password_file: Path | None
    tls_ca_file: Path | None
    tls_cert_file: Path | None
    tls_key_file: Path | None
    protocol: int  # 5, or 4 for MQTT 3.1.1
    qos: int = 1


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """Where the rows are and how the work is shared. Shape: `database` None for a SQLite file in the hub's folder.

    `shards`: into how many parts the sites fall when several workers share them; 1 means one worker has all.
    `personal_keep_days`: how long people are remembered after their parcel is gone or their bill settled.
    """

    database: str | None = None
    shards: int = 1
    personal_keep_days: int = USUAL_DAYS


@dataclass(frozen=True, slots=True)
class HubSettings:
    """All of it."""

    file: Path
    data_dir: Path
    broker: BrokerSettings
    sites: dict[SiteCode, SiteSettings]
    enrolment: EnrolmentSettings | None = None
    work: WorkSettings = WorkSettings()

    def keys(self) -> dict[SiteCode, bytes]:
        """Read the key of every site. Errors: ConfigError naming every file that holds none."""
        keys: dict[SiteCode, bytes] = {}
        problems: list[Problem] = []
        for code, site in self.sites.items():
            text = _content(site.link_key_file)
            if text is None or not re.fullmatch(r"[0-9a-fA-F]{64}", text):
                problems.append(Problem(1, f"sites.{code}.link_key_file", mistake("hex_key_file")))
            else:
                keys[code] = bytes.fromhex(text)
        if problems:
            raise ConfigError(self.file, problems)
        return keys

    def password(self) -> str | None:
        """Read the broker's password; None when there is none. Errors: ConfigError."""
        path = self.broker.password_file
        text = None if path is None else _content(path)
        if path is not None and text is None:
            raise ConfigError(self.file, [Problem(1, "broker.password_file", mistake("unread"))])
        return text


def load(file: Path) -> HubSettings:
    """Read the settings. Errors: ConfigError with all mistakes."""
    table = read(file)
    folder = file.resolve().parent
    data_dir = folder / table.text("data_dir", PATH_RULE, mistake("just_a_path"))
    broker = _broker(table.table("broker"), folder)
    sites = read_list(table, folder)
    for code, inside in table.named_tables("sites").items():
        if not re.fullmatch(SITE_RULE, code):
            inside.wrong(mistake("site_key"))
        if SiteCode(code) in sites:
            inside.wrong(mistake("also_in_list"))
        name = inside.text("name")
        key = folder / inside.text("link_key_file", PATH_RULE, mistake("just_a_path"))
        profile = inside.optional_text("profile_file", PATH_RULE, mistake("just_a_path"))
        sites[SiteCode(code)] = SiteSettings(name, key, None if profile is None else folder / profile)
        inside.finish()
    enrolment = read_enrolment(table.table("enrolment"), folder) if table.has("enrolment") else None
    work = _work(table.table("hub")) if table.has("hub") else WorkSettings()
    if not sites:
        table.wrong(mistake("no_sites"), "sites")
    table.finish()
    if table.problems:
        raise ConfigError(file, table.problems)
    return HubSettings(file, data_dir, _with_own_pair(broker, enrolment), sites, enrolment, work)


def _work(table: Table) -> WorkSettings:
    database = table.optional_text("database", URL_RULE, mistake("database_url"))
    if database is not None and re.match(r"[^/]*//[^/@]*:[^/@]*@", database):
        table.wrong(mistake("url_password"), "database")
    shards = table.whole("shards", 1, MAX_SHARDS, 1)
    keep_days = table.whole("personal_keep_days", LEAST_DAYS, MOST_DAYS, USUAL_DAYS)
    table.finish()
    return WorkSettings(database, shards, keep_days)


def _broker(table: Table, folder: Path) -> BrokerSettings:
    host = table.text("host", HOST_RULE, mistake("host"))
    port = table.whole("port", 1, 65535, 1883)
    username = table.optional_text("username", r".{1,100}", mistake("text", low=1, high=100))
    names = ("password_file", "tls_ca_file", "tls_cert_file", "tls_key_file")
    texts = [table.optional_text(name, PATH_RULE, mistake("just_a_path")) for name in names]
    password, ca, cert, key = (None if text is None else folder / text for text in texts)
    protocol = PROTOCOLS[table.choice("protocol", tuple(PROTOCOLS)) if table.has("protocol") else "5"]
    qos = table.whole("qos", 0, 1, 1)
    if (cert is None) != (key is None):
        table.wrong(mistake("tls_pair"), "tls_cert_file")
    table.finish()
    return BrokerSettings(host, port, username, password, ca, cert, key, protocol, qos)


def _with_own_pair(broker: BrokerSettings, enrolment: EnrolmentSettings | None) -> BrokerSettings:
    """A hub with an authority of its own talks to the broker with a certificate of it, where no other is named."""
    if enrolment is None or broker.tls_ca_file is not None:
        return broker
    pair = enrolment.broker_dir / broker_files.HUB
    ca = enrolment.broker_dir / broker_files.CA
    return replace(broker, tls_ca_file=ca, tls_cert_file=pair, tls_key_file=pair)


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
