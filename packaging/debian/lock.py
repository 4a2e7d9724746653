"""Write point.lock and hub.lock: the libraries each package carries, every file with its SHA-256.

Versions are those of ../requirements.lock. Run it after that file changed: `make deb-lock`. It asks the package index
once for each architecture; building then takes only files whose sum stands in the lock.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
VERSIONS = HERE.parent / "requirements.lock"
# The newest first; Debian 12 has glibc 2.36.
TAGS = [f"manylinux_2_{minor}" for minor in range(36, 16, -1)] + ["manylinux2014"]
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}

BOTH = "argon2-cffi cryptography msgspec paho-mqtt requests".split()
POINT = "evdev kivy pillow pyserial python-barcode python-escpos qrcode sqlite-utils".split()
HUB = ["jinja2", "psycopg[binary]", "waitress", "werkzeug"]
# Asked for by a library, used by nothing of ours: its command line, its reader of documents, its add-ons.
UNUSED = "argcomplete docutils kivy-garden pip pygments".split()
SOURCES = ("evdev",)  # the index has no built files of it
COMPILES = "setuptools==84.2.1"  # what builds it


def platform(arch: str) -> list[str]:
    """What tells pip to take files for another machine than this one."""
    tags = [f"--platform={tag}_{MACHINES[arch]}" for tag in TAGS]
    return [*tags, "--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none"]


def main() -> None:
    for name, wanted in (("point", BOTH + POINT), ("hub", BOTH + HUB)):
        sums: dict[str, set[str]] = {}
        for arch in MACHINES:
            built = [each for each in wanted if each not in SOURCES]
            _fetch(["--only-binary=:all:", *platform(arch), *built], sums)
        for source in set(SOURCES) & set(wanted):
            _fetch(["--no-binary=:all:", "--no-deps", source], sums)
        _write(name, sums)
    sums = {}
    _fetch(["--no-deps", "--only-binary=:all:", COMPILES], sums)
    _write("tools", sums)


def _write(name: str, sums: dict[str, set[str]]) -> None:
    lines = [f"{each} " + " ".join(f"--hash=sha256:{one}" for one in sorted(sums[each])) for each in sorted(sums)]
    text = "# Written by lock.py; do not edit. Each library with the sums of its files for amd64 and arm64.\n"
    (HERE / f"{name}.lock").write_text(text + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}.lock: {len(lines)} libraries")


def _fetch(what: list[str], sums: dict[str, set[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--dest", folder]
        subprocess.run([*pip, "--constraint", VERSIONS, *what], check=True)
        for file in Path(folder).iterdir():
            name, version = file.name.removesuffix(".tar.gz").split("-")[:2]
            name = name.lower().replace("_", "-")
            if name not in UNUSED and not (name == "setuptools" and len(what) > 3):
                sums.setdefault(f"{name}=={version}", set()).add(hashlib.sha256(file.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
