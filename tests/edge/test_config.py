"""Settings: a good file becomes one value, a bad one every mistake with its line."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers import build
from edge import config
from edge.cabinet_plan import CabinetPart
from edge.mistakes import ConfigError
from edge.toml_table import key_lines, read_text
from tests.mistakes import english
from ui.mistakes import sentence

EXAMPLES = Path(__file__).parents[2] / "packaging/examples"
KEY = "0123456789abcdef" * 4
GOOD = """\
site = "QJ-0001"
name = "金溪村服务点"
profile = "village_point"
data_dir = "point"
language = "zh"
sim = true
pickup_idle_s = 40

[panel]
width = 1280
height = 800
diagonal_inch = 10.1

[hub]
host = "127.0.0.1"
port = 18830
link_key_file = "link.key"

[cabinet]
locker = "locker"
cells = "SSML"

[[shelf]]
name = "A"
levels = 4
positions = 20

[[shelf]]
name = "B"
levels = 2
positions = 10

[devices.locker]
kind = "lock_8a80"
path = "dev/locker"
baud = 9600
boards = 2
polarity = "short_when_locked"

[devices.gun]
kind = "evdev_scanner"
path = "/dev/input/by-id/gun"

[drive]
socket = "run/drive.sock"
"""


def load(folder: Path, text: str | bytes) -> config.Settings:
    (folder / "link.key").write_text(KEY + "\n")
    file = folder / "point.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return config.load(file)


def mistakes(folder: Path, text: str | bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return [(each.line, each.key, sentence(each.mistake, "en")) for each in caught.value.problems]


def problems_of(folder: Path, text: str) -> tuple[config.Problem, ...]:
    try:
        load(folder, text)
    except ConfigError as error:
        return error.problems
    return ()


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def test_good_file_becomes_one_frozen_value(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)

    assert settings.site == "QJ-0001"
    assert settings.data_dir == tmp_path / "point"
    assert settings.idle == config.IdleTimes(operator_s=300, villager_s=90, pickup_s=40)
    assert settings.cabinet == config.Cabinet(("S", "S", "M", "L"), (CabinetPart("locker", (1, 2, 3, 4)),))
    assert settings.shelves == (config.Shelf("A", 4, 20), config.Shelf("B", 2, 10))
    assert settings.drive_socket == tmp_path / "run/drive.sock"
    locker, gun = settings.devices
    assert (locker.path, locker.baud) == (str(tmp_path / "dev/locker"), 9600)
    assert locker.options == {"boards": 2, "polarity": "short_when_locked"}
    assert (gun.path, gun.baud, gun.options) == ("/dev/input/by-id/gun", None, {})


def test_pixels_and_diagonal_give_the_real_dpi(tmp_path: Path) -> None:
    assert round(load(tmp_path, GOOD).panel.dpi, 1) == 149.4  # sqrt(1280^2 + 800^2) / 10.1


def test_relative_paths_are_relative_to_the_file_not_to_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/link.key").write_text(KEY)
    (tmp_path / "conf/point.toml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)

    assert config.load(Path("conf/point.toml")).data_dir == tmp_path / "conf/point"


def test_link_key_and_password_are_read_from_their_files_only_on_demand(tmp_path: Path) -> None:
    (tmp_path / "mqtt.password").write_text("correct horse\n")
    text = GOOD.replace("[cabinet]", 'username = "u"\npassword_file = "mqtt.password"\n[cabinet]')

    hub = load(tmp_path, text).hub

    assert hub is not None
    assert hub.link_key() == bytes.fromhex(KEY)
    assert hub.password() == "correct horse"
    assert KEY not in repr(hub)
    assert "correct" not in repr(hub)


@pytest.mark.parametrize("content", ["", "abc", "g" * 64, KEY + "00"])
def test_a_link_key_that_is_no_key_is_refused_without_being_shown(tmp_path: Path, content: str) -> None:
    hub = load(tmp_path, GOOD).hub
    assert hub is not None
    hub.link_key_file.write_text(content)

    with pytest.raises(ConfigError) as caught:
        hub.link_key()

    assert caught.value.file == hub.link_key_file
    assert not content or content not in str(caught.value)


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    bad = (
        GOOD.replace('"QJ-0001"', '"qj 1"')
        .replace("sim = true", 'sim = "yes"')
        .replace("width = 1280", "widht = 1280")
        .replace("port = 18830", "port = 70000")
        .replace("SSML", "SSXL")
        .replace("levels = 2", "levels = true")
        .replace("lock_8a80", "lock_8a81")
        .replace("baud = 9600", "baud = 9601")
    )

    found = mistakes(tmp_path, bad)

    assert [(line, key) for line, key, _ in found] == [
        (line_of(bad, "site"), "site"),
        (line_of(bad, "sim"), "sim"),
        (line_of(bad, "[panel]"), "panel.width"),
        (line_of(bad, "widht"), "panel.widht"),
        (line_of(bad, "port"), "hub.port"),
        (line_of(bad, "cells"), "cabinet.cells"),
        (line_of(bad, "levels = true"), "shelf.levels"),
        (line_of(bad, "kind"), "devices.locker.kind"),
        (line_of(bad, "baud"), "devices.locker.baud"),
    ]
    messages = {key: message for _, key, message in found}
    assert messages["panel.widht"] == "is not a setting; did you mean width?"
    assert messages["devices.locker.kind"].endswith("did you mean lock_8a80?")
    assert messages["panel.width"].startswith("is missing")


def test_the_error_reads_as_file_line_key_and_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD.replace("port = 18830", "port = 0"))

    assert english(caught.value) == f"{tmp_path}/point.toml:16: hub.port: must be a whole number from 1 to 65535"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("port = 18830", 'port = 18830\npassword = "hunter2"', "hub.password"),
        ("port = 18830", 'port = 18830\nlink_key = "hunter2"', "hub.link_key"),
        ("boards = 2", 'boards = 2\naccess_token = "hunter2"', "devices.locker.access_token"),
    ],
)
def test_a_secret_in_the_file_is_a_mistake_that_does_not_repeat_it(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    [(line, where, message)] = mistakes(tmp_path, GOOD.replace(old, new))

    assert where == key
    assert line == line_of(GOOD, old) + 1
    assert "secret" in message
    assert "_file" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('locker = "locker"', 'locker = "lokcer"', "cabinet.locker", "names no device"),
        ('locker = "locker"', 'locker = "gun"', "cabinet.locker", "opens no doors"),
        ("sim = true", "sim = false", "drive", "sim = true"),
        ('name = "B"', 'name = "A"', "shelf.name", "another shelf"),
        ('profile = "village_point"', 'profile = "shelf_only"', "cabinet", "shelf_only"),
        ("link.key", "no.key", "hub.link_key_file", "not there"),
        ("port = 18830", 'port = 18830\npassword_file = "link.key"', "hub.password_file", "username"),
        ('path = "/dev/input', 'baud = 9600\npath = "/dev/input', "devices.gun.baud", "no serial line"),
        ("run/drive.sock", "d" * 120, "drive.socket", "107 bytes"),
        ("boards = 2", "boards = [2]", "devices.locker.boards", "a text, a number"),
        ("[devices.gun]", '[devices."Gun 1"]', "devices.Gun 1", "small letters"),
        ("[[shelf]]\nname = \"A\"", "[shelf]\nname = \"A\"", "file", "valid TOML"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_together_are_mistakes(tmp_path: Path, old: str, new: str, key: str, said: str) -> None:
    assert old in GOOD

    found = mistakes(tmp_path, GOOD.replace(old, new, 1))

    assert [(where, said in message) for _, where, message in found] == [(key, True)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("dev/locker", "dev/locker"),
        ("dev/locker", "./dev//locker"),
        ("dev/locker", "dev/by-path/lock"),
        ("tcp://192.168.1.50:4001", "tcp://192.168.1.50:4001"),
        ("tcp://lock-1.local:4001", "tcp://LOCK-1.local.:04001"),
        ("usb:///dev/usb/lp0", "file:///dev/usb/../usb/lp0"),
    ],
)
def test_one_port_for_two_devices_is_a_mistake_told_at_both(tmp_path: Path, first: str, second: str) -> None:
    (tmp_path / "dev/by-path").mkdir(parents=True)
    (tmp_path / "dev/by-path/lock").symlink_to("../locker")
    text = GOOD.replace('path = "dev/locker"', f'path = "{first}"').replace("/dev/input/by-id/gun", second)

    locker, gun = mistakes(tmp_path, text)

    assert locker == (line_of(text, f'path = "{first}"'), "devices.locker.path", "is the port of [devices.gun] too")
    assert gun[1:] == ("devices.gun.path", "is the port of [devices.locker] too")
    assert gun[0] > locker[0]


def test_two_ports_of_one_converter_are_two(tmp_path: Path) -> None:
    text = GOOD.replace('"dev/locker"', '"tcp://10.0.0.9:4001"').replace("/dev/input/by-id/gun", "tcp://10.0.0.9:4002")

    assert len(load(tmp_path, text).devices) == 2


def test_two_devices_without_a_path_are_no_devices_on_one_port(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^path = .*$", "path = 7", GOOD)

    assert {message for _, _, message in mistakes(tmp_path, text)} == {"must be a text of 1 to 200 characters"}


def test_a_path_with_a_character_that_no_path_has_is_a_mistake(tmp_path: Path) -> None:
    [(_, key, _)] = mistakes(tmp_path, GOOD.replace("/dev/input/by-id/gun", "/dev/gun\\u0000"))

    assert key == "devices.gun.path"


@pytest.mark.parametrize("profile", ["urban_locker", "village_point", "shelf_only"])
def test_a_profile_without_its_furniture_is_a_mistake(tmp_path: Path, profile: str) -> None:
    text = GOOD[: GOOD.index("[cabinet]")].replace("village_point", profile)

    [(line, key, _)] = mistakes(tmp_path, text)

    assert (line, key) == (3, "profile")


def test_a_syntax_error_is_told_with_its_line(tmp_path: Path) -> None:
    [(line, key, message)] = mistakes(tmp_path, GOOD.replace("height = 800", "height = = 800"))

    assert (line, key) == (line_of(GOOD, "height"), "file")
    assert message.startswith("is not valid TOML")


def test_text_that_ends_in_the_middle_is_told_at_its_last_line(tmp_path: Path) -> None:
    [(line, _, _)] = mistakes(tmp_path, 'site = "A-1"\nname = ["x",\n')

    assert line == 3


@pytest.mark.parametrize("value", ["[" * 20_000, "[" * 2_000 + "]" * 2_000, "9" * 5_000, "0x" + "f" * 50_000])
def test_a_value_that_only_a_spoilt_file_holds_is_told_like_any_mistake(tmp_path: Path, value: str) -> None:
    """A stick is anybody's: what the reader of the language gives up on must not end the program."""
    assert mistakes(tmp_path, f"odd = {value}\n{GOOD}")


def test_a_file_that_is_absent_too_large_or_no_text_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "none.toml")
    assert "cannot be read: No such file" in english(caught.value)
    assert "larger than" in mistakes(tmp_path, "# " + "x" * 70_000)[0][2]
    assert mistakes(tmp_path, b"site = 1\nname = \"\xff\"") == [(2, "file", "is not written in UTF-8")]  # fmt: skip


def test_of_a_file_far_too_large_no_more_is_read_than_shows_it(tmp_path: Path) -> None:
    """A stick is anybody's, and the memory of a small board is small."""
    with (tmp_path / "district.toml").open("wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match="too_large"):
            read_text(tmp_path / "district.toml")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 1_000_000


def test_a_file_saved_by_the_notepad_of_windows_reads_as_any_other(tmp_path: Path) -> None:
    settings = load(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    assert settings.site == "QJ-0001"


def test_lines_are_found_behind_values_that_span_several_lines() -> None:
    text = 'a = [\n  1,\n  # ] not here\n  2,\n]\nb = """\nc = 3\n[d]\n"""\ne.f = 1\ng = {h = 1}\n[x."y z"]\nk = 1\n'

    lines = key_lines(text)

    assert lines == {("a",): 1, ("b",): 6, ("e",): 10, ("e", "f"): 10, ("g",): 11, ("g", "h"): 11,
                     ("x",): 12, ("x", "y z"): 12, ("x", "y z", "k"): 13}  # fmt: skip


def test_the_shipped_example_is_a_good_file_once_its_secrets_exist(tmp_path: Path) -> None:
    text = (EXAMPLES / "point.example.toml").read_text("utf-8")
    for name in re.findall(r'_file = "(/etc/[^"]+)"', text):
        (tmp_path / Path(name).name).write_text(KEY)
        text = text.replace(name, Path(name).name)

    settings = load(tmp_path, text)

    assert [device.kind for device in settings.devices] == ["lock_8a80", "onbon", "serial_scanner"]


TOKENS = st.sampled_from(
    [*GOOD.split(), "\n", "[", "]", "=", '"', "'''", "[[shelf]]", "-1", "nan", "1979-05-27", "{}", "\x00"]
)


@given(st.lists(TOKENS, max_size=40).map(" ".join), st.integers(0, len(GOOD)))
@example("panel = 3\nhub = []\ncabinet = 1\nshelf = {}\ndevices = 1\ndrive = 0", 0)
@example("shelf = [1]\ndevices = {locker = 1}", 0)
def test_whatever_the_file_holds_the_answer_is_settings_or_a_list_of_mistakes(
    tmp_path_factory: pytest.TempPathFactory, noise: str, at: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    text = GOOD[:at] + noise + ("" if at == 0 else GOOD[at:])

    found = problems_of(folder, text)

    assert all(1 <= each.line <= text.count("\n") + 2 and sentence(each.mistake, "zh") for each in found)


def test_settings_and_drivers_know_the_same_kinds_of_device() -> None:
    kinds = {name: kind.baud is not None for name, kind in build.KINDS.items()}

    assert {name: serial for name, (_, serial) in config.DEVICE_KINDS.items()} == kinds


def test_drivers_accept_every_option_of_the_shipped_example(tmp_path: Path) -> None:
    text = (EXAMPLES / "point.example.toml").read_text("utf-8")
    text = re.sub(r'_file = "[^"]+"', '_file = "link.key"', text)

    for device in load(tmp_path, text).devices:
        build.build(build.DeviceSettings(device.name, device.kind, device.path, device.baud, device.options), lambda: 0)


TWO_LOCKS = """\
[cabinet]
cells = "SSMLLL"

[[cabinet.part]]
locker = "locker"
numbers = "1-2, 6"

[[cabinet.part]]
locker = "right"
numbers = "5,3-4"
"""
RIGHT = """\
[devices.right]
kind = "kerong_cu16"
path = "dev/right"
ways = 12
"""
TWO_MAKES = GOOD.replace('[cabinet]\nlocker = "locker"\ncells = "SSML"\n', TWO_LOCKS) + RIGHT


def test_a_cabinet_may_have_several_lock_devices(tmp_path: Path) -> None:
    cabinet = load(tmp_path, TWO_MAKES).cabinet

    assert cabinet is not None
    assert cabinet.parts == (CabinetPart("locker", (1, 2, 6)), CabinetPart("right", (5, 3, 4)))
    assert cabinet.part_of("right") == cabinet.parts[1]
    assert cabinet.part_of("gun") is None


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('numbers = "5,3-4"', 'numbers = "5,2-4"', "cabinet.part.numbers", "cell 2, which is behind locker already"),
        ('numbers = "5,3-4"', 'numbers = "5,3-4,3"', "cabinet.part.numbers", "cell 3, which is behind right already"),
        ('numbers = "5,3-4"', 'numbers = "5,3-4,7"', "cabinet.part.numbers", "cell 7, but `cells` has 6"),
        ('numbers = "5,3-4"', 'numbers = "0,3-5"', "cabinet.part.numbers", "cell 0, but `cells` has 6"),
        ('numbers = "5,3-4"', 'numbers = "four"', "cabinet.part.numbers", "must name cells like"),
        ('numbers = "5,3-4"', "", "cabinet.part.numbers", "is missing"),
        ('numbers = "1-2, 6"', 'numbers = "1-2"', "cabinet.cells", "no part opens: 6"),
        ('locker = "right"', 'locker = "gun"', "cabinet.part.locker", "opens no doors"),
        ('locker = "right"', 'locker = "rigth"', "cabinet.part.locker", "names no device"),
        ('locker = "right"', 'locker = "locker"', "cabinet.part.locker", "has a part already"),
        ('cells = "SSMLLL"', 'cells = "SSMLLL"\nlocker = "locker"', "cabinet.locker", "no place beside"),
        ("ways = 12", "cells = 2\nways = 12", "cabinet.part.numbers", "names 3 cells, but right has 2 locks"),
        ('locker = "right"', 'locker = "right"\nfirst = 3', "cabinet.part.first", "is not a setting"),
    ],
)  # fmt: skip
def test_every_mistake_in_the_parts_of_a_cabinet_is_told_at_its_line(
    tmp_path: Path, old: str, new: str, key: str, said: str
) -> None:
    assert old in TWO_MAKES
    text = TWO_MAKES.replace(old, new, 1)

    [(line, where, message)] = mistakes(tmp_path, text)

    assert (where, said in message) == (key, True), message
    assert line > line_of(text, "[cabinet]")
    assert line < line_of(text, "[[shelf]]")


def test_a_part_that_counts_backwards_is_told(tmp_path: Path) -> None:
    [(_, _, message)] = mistakes(tmp_path, TWO_MAKES.replace('"5,3-4"', '"5,4-3"'))

    assert message == "counts backwards: 4-3"


def test_a_part_that_names_cells_without_end_is_told_once(tmp_path: Path) -> None:
    [(_, _, message)] = mistakes(tmp_path, TWO_MAKES.replace('"5,3-4"', f'"{"1-744," * 2000}1"'))

    assert message == "names more than 744 cells"
