"""The udev rules: every line is one that udev reads, jumps land, and each family of devices has a rule.

What udev makes of them on a machine is seen by `make deb-test` and by the booted image.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"
NAMES = PACKAGING / "udev/71-village-names.rules"
KIOSK = PACKAGING / "session/kiosk/udev.rules"
POWER = PACKAGING / "session/kiosk/power-switch.rules"
# udev(7): keys that are compared, keys that are set.
COMPARED = {
    "ACTION",
    "KERNEL",
    "SUBSYSTEM",
    "DRIVER",
    "ATTR",
    "KERNELS",
    "SUBSYSTEMS",
    "DRIVERS",
    "ATTRS",
    "ENV",
    "TAG",
}
SET = {"SYMLINK", "OWNER", "GROUP", "MODE", "ENV", "TAG", "GOTO", "LABEL", "IMPORT"}
TOKEN = re.compile(r'\s*([A-Z]+)(\{[^}]+\})?(==|!=|\+=|-=|:=|=)"([^"]*)"\s*(,|$)')


def rules(file: Path) -> list[list[tuple[str, str, str, str]]]:
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        at, tokens = 0, []
        while at < len(line):
            token = TOKEN.match(line, at)
            assert token is not None, f"{file.name}: {line[at:]}"
            tokens.append((token[1], token[2] or "", token[3], token[4]))
            at = token.end()
        found.append(tokens)
    return found


@pytest.mark.parametrize("file", [NAMES, KIOSK, POWER], ids=["names", "kiosk", "power"])
def test_each_key_is_compared_or_set_as_udev_allows(file: Path) -> None:
    for rule in rules(file):
        for key, _, sign, _ in rule:
            assert key in (COMPARED if sign in ("==", "!=") else SET), rule


@pytest.mark.parametrize("file", [NAMES, KIOSK, POWER], ids=["names", "kiosk", "power"])
def test_every_jump_lands_further_down(file: Path) -> None:
    seen = rules(file)
    labels = {value: at for at, rule in enumerate(seen) for key, _, _, value in rule if key == "LABEL"}
    jumps = [(at, value) for at, rule in enumerate(seen) for key, _, _, value in rule if key == "GOTO"]

    assert jumps
    assert all(labels[value] > at for at, value in jumps)


@pytest.mark.parametrize("kind", ["serial", "scanner", "touch", "printer"])
def test_each_kind_of_device_has_a_name_by_its_socket(kind: str) -> None:
    links = [value for rule in rules(NAMES) for key, _, _, value in rule if key == "SYMLINK"]

    assert any(link.startswith(f"village/{kind}/$env{{ID_PATH}}") for link in links)


def test_names_come_after_the_rules_that_find_the_socket() -> None:
    """60-serial and 60-persistent-input import ID_PATH."""
    assert int(NAMES.name[:2]) > 60
    script = (PACKAGING / "session/village-point-kiosk").read_text(encoding="utf-8")
    assert "udev.rules /etc/udev/rules.d/95-village-kiosk.rules" in script


def test_no_key_of_a_gun_or_a_keyboard_is_a_power_switch() -> None:
    """Laid in the place of systemd's file: taken away by a later file, logind has seen the tag already."""
    script = (PACKAGING / "session/village-point-kiosk").read_text(encoding="utf-8")
    assert "power-switch.rules /etc/udev/rules.d/70-power-switch.rules" in script
    seen = rules(POWER)
    passed_over = next(at for at, rule in enumerate(seen) if any(value.startswith("usb|") for *_, value in rule))
    tagged = [at for at, rule in enumerate(seen) for key, _, sign, _ in rule if (key, sign) == ("TAG", "+=")]

    assert ("GOTO", "", "=", "power_switch_end") in seen[passed_over]
    assert tagged
    assert min(tagged) > passed_over


def test_installing_alone_takes_no_device_from_anybody() -> None:
    assigned = {key + of for rule in rules(NAMES) for key, of, sign, _ in rule if sign not in ("==", "!=")}

    assert assigned <= {"GOTO", "LABEL", "IMPORT{builtin}", "SYMLINK", "ENV{.VILLAGE_PORT}", "GROUP", "MODE"}


def test_the_kiosk_keeps_others_away() -> None:
    told = {key + of: value for rule in rules(KIOSK) for key, of, sign, value in rule if sign in ("=", "-=")}

    assert told["ENV{ID_MM_PORT_IGNORE}"] == "1"
    assert told["ENV{UDISKS_IGNORE}"] == "1"
    assert told["ENV{BRLTTY_BRAILLE_DRIVER}"] == ""
