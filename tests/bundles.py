"""Real signed bundles for tests: a small authority of releasing people, and RAUC itself to build with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

BOARD = "village-terminal-amd64"
SIGNER = """basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=codeSigning,emailProtection
"""
needs_rauc = pytest.mark.skipif(
    shutil.which("rauc") is None or shutil.which("mksquashfs") is None,
    reason="rauc and squashfs-tools are missing: packaging/setup.sh installs them",
)


class Releasing:
    """The releasing people: `keyring` is what terminals and hubs believe."""

    def __init__(self, folder: Path, name: str = "district") -> None:
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.keyring, self.cert, self.key = (self.folder / each for each in ("root.pem", "cert.pem", "cert.key"))
        root_key, request, more = self.folder / "root.key", self.folder / "cert.csr", self.folder / "more"
        more.write_text(SIGNER)
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl(
            "req", "-x509", *curve, "-keyout", root_key, "-out", self.keyring, "-days", 3650, "-subj",
            f"/CN={name} root", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip
        openssl("req", *curve, "-keyout", self.key, "-out", request, "-subj", f"/CN={name} signer")
        openssl(
            "x509", "-req", "-in", request, "-CA", self.keyring, "-CAkey", root_key, "-CAcreateserial", "-days", 3650,
            "-out", self.cert, "-extfile", more,
        )  # fmt: skip

    def bundle(
        self, version: str, content: bytes, *, compatible: str = BOARD, base: str = "", form: str = "verity",
        files: dict[str, bytes] | None = None, image: str = "root.ext4", hooks: str = "",
    ) -> Path:  # fmt: skip
        """Build and sign one. Shape: `files` lie beside the image, a file named `hook` is the bundle's hook."""
        made = self.folder / f"{version}{'-on-' + base if base else ''}-{compatible}-{form}.raucb"
        made.unlink(missing_ok=True)
        inside = self.folder / "inside"
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir()
        (inside / image).write_bytes(content)
        for name, text in (files or {}).items():
            (inside / name).write_bytes(text)
            (inside / name).chmod(0o755)
        (inside / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n"
            + (f"description=on {base}\n" if base else "")
            + f"[bundle]\nformat={form}\n"
            + ("[hooks]\nfilename=hook\n" if "hook" in (files or {}) else "")
            + f"[image.rootfs]\nfilename={image}\n"
            + (f"hooks={hooks}\n" if hooks else "")
        )
        run("rauc", "bundle", f"--cert={self.cert}", f"--key={self.key}", f"--keyring={self.keyring}", inside, made)
        return made


def openssl(*words: object) -> None:
    run("openssl", *words)


def run(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
