"""The house keeps its own rules: import contracts, sizes, quiet imports, time and dice in one place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("edge", "ui", "drivers", "sync")
WISHED_LINES = 300
MOST_LINES = 400
# Who may ask the machine for the time, an id or a random number; everybody else is handed them.
# The screens' kiosk shows the wall clock to people and decides nothing by it.
ROOT_OF_TIME = ("edge/clock.py", "sync/hub/app.py", "sync/hub/clock.py", "ui/screens/kiosk.py")
TIME_AND_DICE = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns"},
    "uuid": {"uuid1", "uuid4"},
    "random": {"random", "randint", "randrange", "choice", "choices", "shuffle", "sample", "uniform", "seed"},
}


def sources(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def short(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_import_contracts_are_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", ["packaging", "tests"])
def test_folder_is_no_package(folder: str) -> None:
    # packaging/__init__.py would hide the library of that name from the checkout's root
    assert not list((ROOT / folder).rglob("__init__.py"))


def test_no_module_has_more_lines_than_a_reader_can_hold(capsys: pytest.CaptureFixture[str]) -> None:
    lines = {short(file): len(file.read_text("utf-8").splitlines()) for file in sources(*ROOMS, "packaging")}

    with capsys.disabled():
        for name, count in lines.items():
            if count > WISHED_LINES:
                print(f"\n{name} has {count} lines; look for the two rooms in it", end="")
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_every_module_says_what_lives_in_it() -> None:
    files = [file for file in sources(*ROOMS, "packaging") if file.read_text("utf-8").strip()]

    assert [short(file) for file in files if not ast.get_docstring(ast.parse(file.read_text("utf-8")))] == []


def test_time_and_dice_come_from_the_root_alone() -> None:
    files = [file for file in sources(*ROOMS) if short(file) not in ROOT_OF_TIME]

    assert [f"{short(file)}:{call}" for file in files for call in time_or_dice(file)] == []


def time_or_dice(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if node.attr in TIME_AND_DICE.get(owner, ()):
                yield f"{node.lineno} {owner}.{node.attr}"


def test_the_check_for_time_and_dice_bites(tmp_path: Path) -> None:
    file = tmp_path / "seeded_bug.py"
    file.write_text("import time, datetime\na = time.time()\nb = datetime.datetime.now()\nc = time.monotonic()\n")

    assert sorted(time_or_dice(file)) == ["2 time.time", "3 datetime.now"]


def test_our_folders_belong_to_our_distribution_alone() -> None:
    owners = metadata.packages_distributions()

    assert [room for room in ROOMS if set(owners.get(room, ["village-point"])) != {"village-point"}] == []


# Runs in a process of its own: imports the named modules and reports what their own top level did to the machine.
WATCH = """
import importlib, sys
ROOT = sys.argv[1] + "/"
ROOMS = tuple(ROOT + room + "/" for room in ("edge", "ui", "drivers", "sync"))
found = []

def guilty():
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(ROOMS):
            return name[len(ROOT):] + ":" + str(frame.f_lineno)
        if name.startswith("<frozen importlib"):  # a library's own business, or the reading of a module
            return None
        frame = frame.f_back
    return None

def watch(event, args):
    touches = event in ("subprocess.Popen", "os.mkdir", "os.remove", "sqlite3.connect", "_thread.start_new_thread")
    if touches or event.startswith("socket.") or event == "open":
        place = guilty()
        if place is not None:
            found.append(f"{place} {event} {args[0] if args else ''}")

import threading
start = threading.Thread.start
def loud_start(self):
    watch("_thread.start_new_thread", (self.name,))
    start(self)
threading.Thread.start = loud_start
sys.addaudithook(watch)
for name in sys.argv[2:]:
    importlib.import_module(name)
print("\\n".join(found), end="")
"""


def imported(root: Path, folder: Path, *modules: str) -> str:
    environment = {
        "PATH": "/usr/bin:/bin", "PYTHONPATH": str(root), "HOME": str(folder), "KIVY_HOME": str(folder / "kivy"),
        "KIVY_NO_ARGS": "1", "KIVY_NO_CONFIG": "1", "KIVY_NO_FILELOG": "1", "KIVY_NO_CONSOLELOG": "1",
        "SDL_VIDEODRIVER": "offscreen", "SDL_AUDIODRIVER": "dummy",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(root), *modules],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_a_module_does_nothing(tmp_path: Path) -> None:
    in_packages = [file for file in sources(*ROOMS) if (file.parent / "__init__.py").exists()]
    modules = [short(file).removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in in_packages]

    assert imported(ROOT, tmp_path, *modules) == ""


def test_the_check_for_quiet_imports_bites(tmp_path: Path) -> None:
    for name, body in {
        "noisy": "import threading\nthreading.Thread(target=int).start()\n",
        "wet": "open('left_behind', 'w').close()\n",
        "quiet": "import json\nX = json.loads('1')\n",
    }.items():
        (tmp_path / "edge").mkdir(exist_ok=True)
        (tmp_path / f"edge/{name}.py").write_text(body)

    told = imported(tmp_path, tmp_path, "edge.noisy", "edge.wet", "edge.quiet")

    assert [line.split()[0] for line in told.splitlines()] == ["edge/noisy.py:2", "edge/wet.py:1"]
