"""The catalogues: complete, used, plain."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from edge.codes import CARRIER_NAMES
from edge.model import ParcelState
from ui import words

ROOM = Path(__file__).resolve().parents[2] / "ui"
# The root shows a few words on the display at the door; all others are used in this room.
FILES = (*ROOM.rglob("*.py"), *(ROOM.parent / "edge").rglob("*.py"))
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
LITERAL = r'"([a-z_]+\.[A-Za-z_0-9]+)"'
# Keys made of a family and a code: t(f"refused.{code}"), t("kind." + kind), Notice("told....").
FAMILIES = {
    *re.findall(r'f"([a-z_]+)\.[a-z_]*\{', SOURCES),
    *re.findall(r'"([a-z_]+)\." \+', SOURCES),
    "slip",  # t(f"{kind}_note")
}
OURS = {key for path in ROOM.rglob("*.py") for key in re.findall(LITERAL, path.read_text(encoding="utf-8"))}
LITERALS = set(re.findall(LITERAL, SOURCES))


def slots(said: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(said) if name}


def test_both_languages_have_the_same_keys_and_slots() -> None:
    zh, en = words.catalogue("zh"), words.catalogue("en")

    assert zh.keys() == en.keys()
    assert {key for key in zh if slots(zh[key]) != slots(en[key])} == set()


def test_every_key_of_the_program_is_in_the_catalogue() -> None:
    families = {key.partition(".")[0] for key in words.catalogue("zh")}
    wanted = {key for key in OURS if key.partition(".")[0] in families}

    assert wanted - words.catalogue("zh").keys() == set()
    assert FAMILIES - families - {"cell_", "row_"} == set()


def test_no_key_is_left_over() -> None:
    unused = {key for key in words.catalogue("zh") if key not in LITERALS and key.partition(".")[0] not in FAMILIES}

    assert unused == set()


def test_every_state_and_every_refusal_has_a_word() -> None:
    rejected = re.search(
        r"Codes: (.*?)\n    \"\"\"", (ROOM.parent / "edge/model.py").read_text(encoding="utf-8"), re.DOTALL
    )
    assert rejected
    raised = "\n".join(path.read_text(encoding="utf-8") for path in (ROOM.parent / "edge").rglob("*.py"))
    codes = {*re.findall(r"[a-z_]+", rejected[1]), *re.findall(r'Rejected\(\s*"([a-z_]+)"', raised)}
    codes -= {"weak_pin", "pin_taken"}  # told by the command line, where PINs are set

    assert {f"state.{state}" for state in ParcelState} <= words.catalogue("zh").keys()
    assert {f"refused.{code}" for code in codes} - words.catalogue("zh").keys() == set()


def test_every_carrier_has_a_name() -> None:
    assert {f"carrier.{code}" for code in CARRIER_NAMES} - words.catalogue("zh").keys() == set()


@pytest.mark.parametrize("family", ["door", "refused", "thanks", "fetch", "cash", "pickup", "standby", "idle", "help"])
def test_the_first_sentence_for_villagers_is_short(family: str) -> None:
    """At most 15 signs up to the first mark (reference, section 3, speech)."""
    said = {k: v for k, v in words.catalogue("zh").items() if k.startswith(f"{family}.")}
    first = {key: re.split(r"[，。？！：“]", re.sub(r"\{\w+\}", "12", text))[0] for key, text in said.items()}

    assert {key: text for key, text in first.items() if len(text) > 15} == {}


def test_an_unknown_key_language_or_slot_is_an_error() -> None:
    for key, lang in (("nothing.here", "zh"), ("chrome.back", "fr"), ("chrome.goes", "zh")):
        with pytest.raises(KeyError):
            words.t(key, lang)
