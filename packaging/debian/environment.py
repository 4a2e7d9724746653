"""The virtual environment of a package: locked libraries and our rooms, pruned, stripped and compiled.

Nothing of the other machine is run: built files are taken as they are, what has to be compiled is cross-compiled.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lock import HERE, SOURCES, platform

ROOT = HERE.parents[1]
PYTHON = "/usr/bin/python3.11"  # Debian 12's, on this machine and where the package is installed
TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
SITE = "lib/python3.11/site-packages"
# Parts of libraries that no terminal and no hub ever loads; patterns below site-packages.
DROPPED = """
bin ui/fonts/build.py ui/fonts/standard_8105.txt
kivy/tests kivy/tools kivy/include kivy/garden kivy/lib/vidcore_lite kivy/data/logo
PIL/_imagingtk* PIL/_tkinter_finder.py
**/tests **/sboms **/*.c **/*.h **/*.pyx **/*.pxd **/*.pxi **/*.pyi **/*.po
""".split()


@dataclass(frozen=True, slots=True)
class Rooms:
    """Which of our rooms a package carries, and the parts of them that only the other package uses."""

    whole: tuple[str, ...]
    without: tuple[str, ...]


def fill(home: Path, arch: str, lock: Path, rooms: Rooms, work: Path) -> None:
    """Make the environment in `home`, a folder named as it will stand below /opt. `work` keeps what is fetched."""
    site = home / SITE
    site.mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "bin/python").symlink_to(PYTHON)
    (home / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11\n")
    _libraries(site, arch, lock, _tools(work), work)
    _rooms(site, rooms)
    _prune(site)
    _strip(site, arch)
    compiled = [
        PYTHON,
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode=unchecked-hash",
        "-s",
        home.parents[1],
        "-p",
        "/",
    ]
    subprocess.run([*compiled, site], check=True, env={**os.environ, "PYTHONHASHSEED": "0"})


def script(home: Path, command: str, target: str) -> None:
    """Write a command for the place where it will stand."""
    module, function = target.split(":")
    path = home / "bin" / command
    path.write_text(
        f"#!/opt/{home.name}/bin/python -I\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
    )
    path.chmod(0o755)


def _tools(work: Path) -> Path:
    """A pip and a setuptools of known versions, made once."""
    python = work / "tools/bin/python"
    if not python.exists():
        subprocess.run([PYTHON, "-m", "venv", work / "tools"], check=True)
        _pip(python, "install", "--require-hashes", "--requirement", HERE / "tools.lock")
    return python


def _pip(python: Path, *words: str | Path, more: dict[str, str] | None = None) -> None:
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *map(str, words)]
    subprocess.run(pip, check=True, env={**os.environ, **(more or {})}, stdin=subprocess.DEVNULL)


def _libraries(site: Path, arch: str, lock: Path, python: Path, work: Path) -> None:
    lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line]
    sources = [line for line in lines if line.split("==")[0] in SOURCES]
    built = work / "built.txt"
    built.write_text("\n".join(line for line in lines if line not in sources) + "\n")
    into = ["install", "--target", site, "--no-compile", "--no-deps", "--only-binary=:all:", *platform(arch)]
    _pip(python, *into, "--require-hashes", "--requirement", built)
    for line in sources:
        machine = TRIPLETS[arch].split("-")[0]
        _pip(python, *into, f"--platform=linux_{machine}", _wheel(line, arch, python, work))


def _wheel(line: str, arch: str, python: Path, work: Path) -> Path:
    """Compile one library for `arch`, with the sum of its source checked."""
    wanted, wheels = work / "source.txt", work / f"wheels-{arch}"
    wanted.write_text(line + "\n")
    shutil.rmtree(wheels, ignore_errors=True)
    made = ["wheel", "--no-deps", "--no-build-isolation", "--no-cache-dir", "--no-binary=:all:", "--wheel-dir", wheels]
    _pip(python, *made, "--require-hashes", "--requirement", wanted, more=_compiler(arch, work))
    return next(wheels.glob("*.whl"))


def _compiler(arch: str, work: Path) -> dict[str, str]:
    """The settings under which setuptools compiles for `arch`."""
    if arch == _here():
        return {"CFLAGS": "-g0"}
    triplet, other = TRIPLETS[arch], work / f"python-{arch}"  # unpacked by get_tools.sh
    return {
        "CFLAGS": "-g0 " + " ".join(f"-I{other}/usr/include{part}" for part in ("", f"/{triplet}", "/python3.11")),
        "PYTHONPATH": f"{other}/usr/lib/python3.11/target",
        "_PYTHON_HOST_PLATFORM": f"linux-{triplet.split('-')[0]}",
        "_PYTHON_SYSCONFIGDATA_NAME": f"_sysconfigdata__{triplet}",
    }


def _here() -> str:
    asked = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True)
    return asked.stdout.strip()


def _rooms(site: Path, rooms: Rooms) -> None:
    """Copy the packages of setup.py that belong to `rooms`, with the files it names."""
    with tempfile.TemporaryDirectory() as folder:
        build = [
            sys.executable,
            "setup.py",
            "--quiet",
            "egg_info",
            "--egg-base",
            folder,
            "build_py",
            "--build-lib",
            folder,
        ]
        subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        for room in rooms.whole:
            shutil.copytree(Path(folder) / room, site / room, ignore=shutil.ignore_patterns("__pycache__"))
    for part in rooms.without:
        shutil.rmtree(site / part)


def _prune(site: Path) -> None:
    for pattern in DROPPED:
        for path in list(site.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    for record in site.glob("*.dist-info/RECORD"):
        record.unlink()  # pip's list of files, no longer true


def _strip(site: Path, arch: str) -> None:
    """Take out what a debugger would want: nine tenths of the window library."""
    strip = f"{TRIPLETS[arch]}-strip"
    found = [path for path in sorted(site.rglob("*.so*")) if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    subprocess.run([strip, "--strip-debug", "--enable-deterministic-archives", *found], check=True)
