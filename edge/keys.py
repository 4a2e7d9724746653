"""The secrets of a terminal, from files: the device key made on the device, the link key shared with the hub."""

from __future__ import annotations

import os
import secrets
import string
from pathlib import Path

from edge.config import ConfigError, Problem, Settings
from edge.store import Keys

DEVICE_KEY = "device.key"
KEY_BYTES = 32


def load(settings: Settings) -> Keys:
    """Read both keys; make the device key on the first start. Errors: ConfigError for an unreadable link key."""
    device = device_key(settings.data_dir / DEVICE_KEY)
    link = settings.hub.link_key() if settings.hub is not None else device
    return Keys(link=link, device=device)


def device_key(path: Path) -> bytes:
    """Return the device key, making it once: whole and durable, or not at all.

    Errors: ConfigError for a damaged one; a new key would lock every PIN out and break the chain.
    """
    if path.exists():
        text = path.read_text(encoding="latin-1").strip()
        if len(text) != 2 * KEY_BYTES or not set(text) <= set(string.hexdigits):
            raise ConfigError(path, [Problem(1, path.name, "must hold 64 hexadecimal digits")])
        return bytes.fromhex(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY_BYTES)
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, key.hex().encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key
