"""The hub's settings: one TOML file to one frozen value, or every mistake at once. Secrets are in their own files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edge.model import SiteCode
from edge.toml_table import ConfigError, Problem, Table, read

SITE_RULE = r"[A-Z0-9][A-Z0-9-]{1,18}[A-Z0-9]"
SITE_HINT = "must be 3 to 20 capital letters, digits, hyphens"
PATH_RULE, PATH_HINT = r"[^\x00]{1,400}", "must be a path"


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


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """One point of the district."""

    name: str
    link_key_file: Path


@dataclass(frozen=True, slots=True)
class HubSettings:
    """All of it."""

    file: Path
    data_dir: Path
    broker: BrokerSettings
    sites: dict[SiteCode, SiteSettings]

    def keys(self) -> dict[SiteCode, bytes]:
        """Read the key of every site. Errors: ConfigError naming every file that holds none."""
        keys: dict[SiteCode, bytes] = {}
        problems: list[Problem] = []
        for code, site in self.sites.items():
            text = _content(site.link_key_file)
            if text is None or not re.fullmatch(r"[0-9a-fA-F]{64}", text):
                problems.append(Problem(1, f"sites.{code}.link_key_file", "must name a file of 64 hexadecimal digits"))
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
            raise ConfigError(self.file, [Problem(1, "broker.password_file", "cannot be read")])
        return text


def load(file: Path) -> HubSettings:
    """Read the settings. Errors: ConfigError with all mistakes."""
    table = read(file)
    folder = file.resolve().parent
    data_dir = folder / table.text("data_dir", PATH_RULE, PATH_HINT)
    broker = _broker(table.table("broker"), folder)
    sites: dict[SiteCode, SiteSettings] = {}
    for code, inside in table.named_tables("sites").items():
        if not re.fullmatch(SITE_RULE, code):
            inside.wrong(f"the code of a site {SITE_HINT}")
        name = inside.text("name")
        sites[SiteCode(code)] = SiteSettings(name, folder / inside.text("link_key_file", PATH_RULE, PATH_HINT))
        inside.finish()
    if not sites:
        table.wrong("at least one [sites.CODE] is needed", "sites")
    table.finish()
    if table.problems:
        raise ConfigError(file, table.problems)
    return HubSettings(file, data_dir, broker, sites)


def _broker(table: Table, folder: Path) -> BrokerSettings:
    host = table.text("host", r"[0-9A-Za-z.:_-]{1,253}", "must be a host name or address")
    port = table.whole("port", 1, 65535, 1883)
    username = table.optional_text("username", r".{1,100}", "must be a text of 1 to 100 characters")
    names = ("password_file", "tls_ca_file", "tls_cert_file", "tls_key_file")
    texts = [table.optional_text(name, PATH_RULE, PATH_HINT) for name in names]
    password, ca, cert, key = (None if text is None else folder / text for text in texts)
    protocol = table.whole("mqtt", 4, 5, 5)
    if (cert is None) != (key is None):
        table.wrong("needs tls_cert_file and tls_key_file together", "tls_cert_file")
    table.finish()
    return BrokerSettings(host, port, username, password, ca, cert, key, protocol)


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
