"""The table [hub] of the settings: where the hub is, and which secrets open the way to it. Secrets stay in their files.

Two ways in. With `ca_fingerprint` the terminal is enrolled: its key is made here, and certificate and link key come
from the hub into the data folder. Without it a link key, and what else is needed, were put into files by hand.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path

from edge.mistakes import ConfigError, Mistake, Problem, mistake
from edge.toml_table import Table

KEY_BYTES = 32  # link key: 256 bits, written as 64 hexadecimal digits
IDENTITY = "identity"  # folder in data_dir: what enrolment wrote
PAIR = "identity.pem"  # in it: key and certificate; sync/identity.py writes it last
LINK_KEY = "link.key"
PROTOCOLS = {"5": 5, "3.1.1": 4}  # what people call it -> what the protocol calls itself
_HOST = r"[A-Za-z0-9.:-]{1,253}"
HOST_RULE = rf"{_HOST}( {_HOST}){{0,7}}"


@dataclass(frozen=True, slots=True)
class HubLink:
    """Where the district hub is reached. The key and the password stay in their files until asked for.

    Shape: `host` one, or a cluster's nodes with blanks between; `identity_dir` None unless the terminal is enrolled;
           then `ca_fingerprint` says which hub to believe. `qos` as in sync.mqtt.Broker.
    """

    host: str
    port: int
    link_key_file: Path
    username: str | None
    password_file: Path | None
    tls_ca_file: Path | None
    protocol: int = 5
    identity_dir: Path | None = None
    ca_fingerprint: str = ""
    enrol_port: int = 0
    qos: int = 1

    @property
    def is_ready(self) -> bool:
        """Whether the way in is open: a terminal that enrols has been let in."""
        return self.identity_dir is None or (self.identity_dir / PAIR).exists()

    def link_key(self) -> bytes:
        """Read the link key. Shape: 32 bytes. Errors: ConfigError when the file does not hold 64 hexadecimal digits."""
        if self.identity_dir is not None and not self.link_key_file.exists():
            raise _bad(self.link_key_file, "hub.ca_fingerprint", mistake("not_enrolled"))
        text = secret(self.link_key_file, "hub.link_key_file")
        if len(text) != 2 * KEY_BYTES or not set(text) <= set(string.hexdigits):
            raise _bad(self.link_key_file, "hub.link_key_file", mistake("hex_key"))
        return bytes.fromhex(text)

    def password(self) -> str | None:
        """Read the broker's password; None when there is none. Errors: ConfigError when the file cannot be read."""
        return None if self.password_file is None else secret(self.password_file, "hub.password_file")


def read_hub(table: Table, base: Path, data_dir: Path) -> HubLink:
    """Read the table; mistakes are noted in it."""
    is_enrolled = table.has("ca_fingerprint")
    identity = data_dir / IDENTITY if is_enrolled else None
    protocol = table.choice("protocol", tuple(PROTOCOLS)) if table.has("protocol") else "5"
    link = HubLink(
        host=table.text("host", HOST_RULE, mistake("host")),
        port=table.whole("port", 1, 65535),
        link_key_file=identity / LINK_KEY if identity else file_of(table, "link_key_file", base),
        username=table.optional_text("username", r".{1,100}", mistake("text", low=1, high=100)),
        password_file=file_of(table, "password_file", base) if table.has("password_file") else None,
        tls_ca_file=file_of(table, "tls_ca_file", base) if table.has("tls_ca_file") else None,
        protocol=PROTOCOLS[protocol],
        identity_dir=identity,
        ca_fingerprint=_fingerprint(table) if is_enrolled else "",
        enrol_port=table.whole("enrol_port", 1, 65535, 8443),
        qos=table.whole("qos", 0, 1, 1),
    )
    for key in ("link_key_file", "username", "password_file", "tls_ca_file"):
        if is_enrolled and table.has(key):
            table.wrong(mistake("beside_fingerprint"), key)
    if link.password_file is not None and link.username is None:
        table.wrong(mistake("needs_username"), "password_file")
    table.finish()
    return link


def path_of(table: Table, key: str, base: Path) -> Path:
    """Read a path, relative to `base` or absolute."""
    return base / table.text(key, r"[^\0]{1,400}", mistake("path"))


def file_of(table: Table, key: str, base: Path) -> Path:
    """Read the path of a file that has to be there."""
    file = path_of(table, key, base)
    if file != base and not file.is_file():
        table.wrong(mistake("no_file", file=str(file)), key)
    return file


def secret(file: Path, key: str) -> str:
    """Read a file that holds one secret. Errors: ConfigError."""
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(file, key, mistake("unread")) from error
    if not text:
        raise _bad(file, key, mistake("empty"))
    return text


def _fingerprint(table: Table) -> str:
    rule = r"([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}"
    return table.text("ca_fingerprint", rule, mistake("fingerprint")).replace(":", "").lower()


def _bad(file: Path, key: str, what: Mistake) -> ConfigError:
    return ConfigError(file, [Problem(1, key, what)])
