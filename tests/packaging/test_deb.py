"""The Debian packages before they are built: locked libraries, files that exist, scripts a shell can read."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEBIAN = ROOT / "packaging/debian"
SCRIPTS = [
    *sorted(DEBIAN.glob("*/p*inst")), *sorted(DEBIAN.glob("*/p*rm")),
    ROOT / "packaging/session/village-point-session", ROOT / "packaging/session/village-point-kiosk",
]  # fmt: skip

if str(DEBIAN) not in sys.path:  # the folder is no package
    sys.path.insert(0, str(DEBIAN))
build: Any = importlib.import_module("build")
lock: Any = importlib.import_module("lock")


def versions(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if "==" in line and line[0] != "#"]
    return {
        name.lower().replace("_", "-"): version for name, version in (line.split()[0].split("==") for line in lines)
    }


def wanted(part: str) -> set[str]:
    """The libraries that setup.py names in one of its lists."""
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    found = re.search(rf"(?ms)^ *{part}=?\s*=?\s*\[(.*?)^ *\]", text)
    assert found is not None
    return {name.lower() for name in re.findall(r'"([A-Za-z0-9_-]+)', found[1])}


@pytest.mark.parametrize("name", ["point", "hub"])
def test_locked_versions_are_those_that_were_tested(name: str) -> None:
    tested, locked = versions(ROOT / "packaging/requirements.lock"), versions(DEBIAN / f"{name}.lock")

    assert locked
    assert {library: version for library, version in locked.items() if tested.get(library) != version} == {}


@pytest.mark.parametrize("name", ["point", "hub", "tools"])
def test_every_library_is_taken_by_its_sum_alone(name: str) -> None:
    for line in (DEBIAN / f"{name}.lock").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.]+( --hash=sha256:[0-9a-f]{64})+", line), line


def test_compiled_libraries_are_locked_for_both_architectures() -> None:
    for library in ("kivy", "cryptography", "pillow", "cffi"):
        line = next(one for one in (DEBIAN / "point.lock").read_text().splitlines() if one.startswith(f"{library}=="))
        assert line.count("--hash") == len(lock.MACHINES), library


def test_nothing_that_setup_py_asks_for_is_missing() -> None:
    point, hub = versions(DEBIAN / "point.lock"), versions(DEBIAN / "hub.lock")

    assert wanted("install_requires") | wanted("KIOSK") <= point.keys()
    assert wanted("HUB") <= hub.keys()


@pytest.mark.parametrize("package", [build.POINT, build.HUB], ids=lambda package: package.name)
def test_every_file_of_a_package_is_there(package: Any) -> None:
    for pattern, _ in package.files:
        assert list(ROOT.glob(pattern)), pattern


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: f"{script.parent.name}/{script.name}")
def test_scripts_are_read_by_the_shell_that_runs_them(script: Path) -> None:
    first = script.read_text(encoding="utf-8").splitlines()[0]

    assert first == "#!/bin/sh"
    assert subprocess.run(["sh", "-n", script], capture_output=True, timeout=30, check=False).stderr == b""
    if script.parent.name == "session":
        assert os.access(script, os.X_OK)


def test_what_kiosk_mode_lays_is_there_and_taken_away() -> None:
    text = (ROOT / "packaging/session/village-point-kiosk").read_text(encoding="utf-8")
    laid = re.search(r'(?s)LAID="(.*?)"', text)
    assert laid is not None
    files = {line.split()[0] for line in laid[1].splitlines()} | {"kmsdrm.conf"}

    assert files == {path.name for path in (ROOT / "packaging/session/kiosk").iterdir()}
    assert 'while read -r _ to; do rm -f "$to"' in text


class Kiosk:
    """village-point-kiosk, and the postinst that calls it, on a root of their own without a running system."""

    def __init__(self, folder: Path) -> None:
        self.root, self._bin = folder / "root", folder / "bin"
        self.share = self.root / "usr/share/village-point/kiosk"
        shutil.copytree(ROOT / "packaging/session/kiosk", self.share)
        self._bin.mkdir()
        for name, text in (("systemctl", ""), ("udevadm", ""), ("getent", ""), ("id", "echo 0")):
            self._lay(name, f"#!/bin/sh\n{text}\n")
        for script in (ROOT / "packaging/session/village-point-kiosk", DEBIAN / "point/postinst"):
            text = script.read_text(encoding="utf-8")
            for place in ("/etc", "/usr/share", "/run", "/var"):
                text = text.replace(f"{place}/", f"{self.root}{place}/")
            self._lay(script.name, text)
        for link in ("etc/village-point", "var/lib/village-point"):  # as in an image
            (self.root / link).parent.mkdir(parents=True, exist_ok=True)
            (self.root / link).symlink_to("elsewhere")

    def _lay(self, name: str, text: str) -> None:
        (self._bin / name).write_text(text, encoding="utf-8")
        (self._bin / name).chmod(0o755)

    def do(self, *words: str) -> None:
        env = {"PATH": f"{self._bin}:/usr/bin:/bin"}
        subprocess.run([self._bin / words[0], *words[1:]], env=env, check=True, capture_output=True, timeout=30)

    def laid(self) -> dict[str, str]:
        """The files in /etc."""
        etc = self.root / "etc"
        return {str(file.relative_to(etc)): file.read_text() for file in etc.rglob("*") if file.is_file()}

    def upgrade(self) -> None:
        """A package whose files differ takes the place of the old one."""
        for file in self.share.iterdir():
            file.write_text(f"{file.name} of the next version\n")
        self.do("postinst", "configure", "0.1.0")


@pytest.mark.parametrize("mode", [(), ("--kmsdrm",)])
def test_an_upgrade_renews_what_kiosk_mode_has_laid(tmp_path: Path, mode: tuple[str, ...]) -> None:
    kiosk = Kiosk(tmp_path)
    kiosk.do("village-point-kiosk", "enable", *mode)
    before = kiosk.laid()

    kiosk.upgrade()

    assert len(before) == 6 + len(mode)
    assert set(kiosk.laid()) == set(before)
    assert {text.split(" ", 1)[1] for text in kiosk.laid().values()} == {"of the next version\n"}


def test_an_upgrade_makes_no_kiosk_of_a_machine_that_is_none(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)

    kiosk.upgrade()

    assert kiosk.laid() == {}


def test_the_x_server_of_the_kiosk_gives_no_way_out() -> None:
    text = (ROOT / "packaging/session/xorg.conf").read_text(encoding="utf-8")

    for option in ("DontVTSwitch", "DontZap"):
        assert f'Option "{option}" "true"' in text
    assert re.search(r'MatchIsKeyboard "on"\s+Option "Ignore" "on"', text)


def test_the_hub_says_what_is_wrong_in_its_settings_with_the_rooms_of_its_package_alone(tmp_path: Path) -> None:
    for room in build.HUB.rooms.whole:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    for part in build.HUB.rooms.without:
        shutil.rmtree(tmp_path / part)
    (tmp_path / "hub.toml").write_text('data_dir = 3\n[broker]\nhost = "hub"\n', "utf-8")
    command = (
        "import sys; from sync.hub.cli import main; code = main(['--config', 'hub.toml', 'status'])\n"
        "ours = [m for name, m in sys.modules.items() if name.partition('.')[0] in ('drivers', 'edge', 'sync', 'ui')]\n"
        f"print([m.__name__ for m in ours if not m.__file__.startswith({str(tmp_path)!r})]); sys.exit(code)"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", command], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (2, "[]\n")  # nothing came from elsewhere
    assert done.stderr.splitlines()[0].endswith("hub.toml:1: data_dir: must be a path")
