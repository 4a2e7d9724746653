"""The secrets of a terminal, from files: the device key made on the device, the link key shared with the hub."""

from __future__ import annotations

import contextlib
import os
import secrets
import string
import tempfile
from pathlib import Path

from edge.config import Settings
from edge.mistakes import ConfigError, Problem, mistake
from edge.store import Keys

DEVICE_KEY = "device.key"
KEY_BYTES = 32


def load(settings: Settings) -> Keys:
    """Read both keys; make the device key on the first start. It chains the log until there is a link key.

    Errors: ConfigError for an unreadable link key.
    """
    device = device_key(settings.data_dir / DEVICE_KEY)
    hub = settings.hub
    link = hub.link_key() if hub is not None and hub.is_ready else device
    return Keys(link=link, device=device)


def device_key(path: Path) -> bytes:
    """Return the device key, making it once: whole and durable, or not at all.

    Errors: ConfigError for one that is damaged or cannot be read; a new key would lock every PIN out.
    """
    if not path.exists():
        _make(path)
    try:
        text = path.read_text(encoding="latin-1").strip()
    except OSError as error:
        raise ConfigError(path, [Problem(1, path.name, mistake("unreadable", said=str(error.strerror)))]) from error
    if len(text) != 2 * KEY_BYTES or not set(text) <= set(string.hexdigits):
        raise ConfigError(path, [Problem(1, path.name, mistake("hex_key"))])
    return bytes.fromhex(text)


def _make(path: Path) -> None:
    """Write a new key; where another program was faster (a kiosk and a command at the first start), its key stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 600
    try:
        try:
            os.write(handle, secrets.token_hex(KEY_BYTES).encode("ascii"))
            os.fsync(handle)
        finally:
            os.close(handle)
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        Path(fresh).unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
