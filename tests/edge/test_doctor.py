"""What the doctor makes of recorded facts: disk, clock, memory, heat, line, certificate, books; codes and report."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from drivers.base import Health, Status
from drivers.faults import Fault
from edge import doctor
from edge.cli.doctor import said, sentence
from edge.commissioning_plan import FOUND, code_of
from edge.doctor_facts import (
    BookFacts,
    CertificateFacts,
    DeviceFacts,
    DiskFacts,
    LineFacts,
    MachineFacts,
    PointFacts,
)
from edge.doctor_table import DEVICE_FAULTS, LETTERS, OWN_WORDS, TERMINAL
from edge.steps import Finding
from ui import words

NOW = 1_782_869_400_000  # 2026-07-01
DAY_MS = 24 * 3_600_000
WELL = PointFacts(
    site="QJ-0001",
    version="0.1.0",
    devices=[DeviceFacts("lock", Status("locker", Health.OK)), DeviceFacts("scanner", Status("gun", Health.OK))],
    disk=DiskFacts(20_000, has_reserve=True),
    machine=MachineFacts(NOW, True, 900, 48, True, CertificateFacts("file", 200)),
    line=LineFacts(True, True),
    books=BookFacts(backup_age_h=1, newest_at=NOW - 1000),
)
PARTS = {"disk": WELL.disk, "machine": WELL.machine, "line": WELL.line, "books": WELL.books}
TABLE: list[tuple[str, str, Mapping[str, Any], str, str]] = [
    ("disk", "disk", {"free_mb": 150}, "T01", "warn"),
    ("disk", "disk", {"free_mb": 15}, "T02", "fault"),
    ("disk", "disk", {"is_read_only": True}, "T03", "fault"),
    ("disk", "disk", {"used_up": 80}, "T04", "warn"),
    ("disk", "disk", {"used_up": 110}, "T05", "fault"),
    ("disk", "disk", {"free_mb": None}, "T06", "fault"),
    ("disk", "reserve", {"has_reserve": False}, "T07", "fault"),
    ("machine", "clock", {"is_synced": False}, "T11", "warn"),
    ("machine", "clock", {"now": NOW - DAY_MS}, "T12", "fault"),
    ("machine", "clock", {"now": 1_000_000_000_000}, "T13", "fault"),
    ("machine", "memory", {"memory_mb": 149}, "T21", "warn"),
    ("machine", "memory", {"memory_mb": 59}, "T22", "fault"),
    ("machine", "memory", {"memory_mb": None}, "T20", "unknown"),
    ("machine", "heat", {"heat_c": 75}, "T31", "warn"),
    ("machine", "heat", {"heat_c": 85}, "T32", "fault"),
    ("machine", "heat", {"heat_c": None}, "T30", "unknown"),
    ("machine", "fonts", {"has_fonts": False}, "T41", "fault"),
    ("machine", "certificate", {"certificate": CertificateFacts("file", 29)}, "N11", "warn"),
    ("machine", "certificate", {"certificate": CertificateFacts("file", -1)}, "N12", "fault"),
    ("machine", "certificate", {"certificate": CertificateFacts("file", None)}, "N13", "fault"),
    ("machine", "certificate", {"certificate": CertificateFacts("own", 29, 90)}, "", "ok"),
    ("machine", "certificate", {"certificate": CertificateFacts("own", 14, 90)}, "N14", "warn"),
    ("machine", "certificate", {"certificate": CertificateFacts("own", -1, 90)}, "N15", "fault"),
    ("machine", "certificate", {"certificate": CertificateFacts("own", None)}, "N16", "fault"),
    ("machine", "certificate", {"certificate": CertificateFacts("missing")}, "N17", "warn"),
    ("machine", "certificate", {"certificate": CertificateFacts()}, "", "ok"),
    ("line", "link", {"is_set": False}, "", "ok"),
    ("line", "link", {"pending": 37}, "", "ok"),
    ("line", "link", {"online": None}, "N00", "unknown"),
    ("line", "link", {"online": False, "days": 3}, "N01", "warn"),
    ("line", "link", {"online": None, "days": 3}, "N01", "warn"),
    ("line", "link", {"online": False, "days": 7}, "N02", "fault"),
    ("line", "link", {"online": False, "trouble": "login"}, "N03", "fault"),
    ("line", "link", {"trouble": "not_allowed"}, "N04", "fault"),
    ("line", "link", {"trouble": "hole"}, "N05", "fault"),
    ("line", "link", {"trouble": "revoked"}, "N21", "fault"),
    ("line", "link", {"trouble": "expired"}, "N22", "fault"),
    ("line", "link", {"trouble": "unknown"}, "N23", "fault"),
    ("line", "link", {"trouble": "no_certificate"}, "N24", "fault"),
    ("line", "link", {"trouble": "wrong_hub"}, "N08", "fault"),
    ("line", "link", {"trouble": "hub_clock"}, "N09", "fault"),
    ("books", "link", {"has_fork": True}, "N06", "fault"),
    ("books", "backup", {"backup_age_h": 27}, "B01", "warn"),
    ("books", "backup", {"backup_age_h": None}, "B02", "warn"),
    ("books", "backup", {"backup_age_h": 169}, "B03", "fault"),
    ("books", "books", {"damage": "new"}, "B10", "unknown"),
    ("books", "books", {"damage": "damaged"}, "B11", "fault"),
    ("books", "books", {"damage": "broken"}, "B12", "fault"),
    ("books", "books", {"damage": "unread"}, "B13", "fault"),
    ("books", "books", {"damage": "key"}, "B14", "fault"),
    ("books", "kiosk", {"is_kiosk_mute": True}, "B15", "fault"),
]


def looked(facts: PointFacts, what: str) -> Finding:
    [found] = [each for each in doctor.check_up(facts).findings if each.what == what]
    return found


@pytest.mark.parametrize(("part", "what", "changes", "code", "level"), TABLE)
def test_a_fact_of_the_terminal_gives_its_code(
    part: str, what: str, changes: Mapping[str, Any], code: str, level: str
) -> None:
    facts = replace(WELL, **{part: replace(PARTS[part], **changes)})  # type: ignore[type-var]

    finding = looked(facts, what)

    assert (finding.code, finding.level) == (code, level)
    for lang in words.LANGUAGES:
        assert "{" not in sentence(finding, lang)


def test_a_point_that_is_well_has_one_good_line_for_each_part_and_no_fault() -> None:
    board = doctor.check_up(WELL)

    assert {each.level for each in board.findings} == {"ok"}
    assert doctor.at_fault(board.findings) == ""
    assert board.report == "VP1 QJ-0001 0.1.0 2607010130 OK"


def test_faults_stand_first_and_the_store_decides_before_a_device() -> None:
    lost = DeviceFacts("scanner", Status("gun", Health.AWAY, "gone", fault=Fault.NO_PORT))
    with_device = doctor.check_up(replace(WELL, devices=[lost]))
    with_both = doctor.check_up(replace(WELL, devices=[lost], books=BookFacts("damaged", 1)))

    assert with_device.findings[0].code == "G01"
    assert doctor.at_fault(with_device.findings) == "device"
    assert doctor.at_fault(with_both.findings) == "store"


def test_a_driver_that_only_says_it_is_ill_is_still_a_fault() -> None:
    found = doctor.device(DeviceFacts("lock", Status("locker", Health.AWAY, "something")), 1)

    assert (found.code, found.level) == ("L06", "fault")


def test_every_fault_of_a_driver_has_a_number_of_its_own() -> None:
    numbers = [entry.number for entry in DEVICE_FAULTS.values()]
    codes = [code for code, _ in TERMINAL.values() if code]

    assert set(DEVICE_FAULTS) == set(Fault)
    assert len(numbers) == len(set(numbers))
    assert len(codes) == len(set(codes))
    assert not {code[0] for code in codes} & set(LETTERS.values())


def test_the_catalogues_word_each_finding_and_nothing_else() -> None:
    wanted = set(TERMINAL) | {"device_ok"}
    for fault, entry in DEVICE_FAULTS.items():
        for kind in entry.kinds:
            wanted.add(f"{kind if kind in OWN_WORDS.get(fault, ()) else 'any'}_{fault.value}")

    wanted |= {f"eyes_{what}_{found}" for what, words_of in FOUND.items() for found, _ in words_of}

    for lang in words.LANGUAGES:
        assert {key[7:] for key in words.catalogue(lang) if key.startswith("doctor.")} == wanted


def test_what_people_find_has_a_code_of_its_own_beside_the_doctors() -> None:
    found = [code_of(what, word) for what, words_of in FOUND.items() for word, _ in words_of]
    doctors = {entry.code(kind) for entry in DEVICE_FAULTS.values() for kind in entry.kinds}
    doctors |= {code for code, _ in TERMINAL.values()}

    assert len(found) == len(set(found))
    assert set(found) & doctors == set()


def test_every_bad_sentence_says_what_to_do() -> None:
    """What is seen, a colon, the next hand movement; in one line."""
    mild = {key for key, (code, _) in TERMINAL.items() if not code} | {"device_ok", "any_no_sensor"}
    mild |= {"books_new", "any_blind"}
    for lang, colon in (("zh", "："), ("en", ": ")):
        for key, text in words.catalogue(lang).items():
            if key.startswith("doctor.") and key[7:] not in mild:
                assert colon in text, (lang, key)
                assert "\n" not in text


def test_the_report_holds_codes_and_numbers_only_whatever_the_devices_are_called() -> None:
    named = [
        DeviceFacts("lock", Status("wang-xiuying", Health.AWAY, "13812345678", fault=Fault.PART_SILENT, where=(2,))),
        DeviceFacts("printer", Status("ran-zhanzhang", Health.AWAY, "138", fault=Fault.PAPER_OUT)),
    ]
    report = doctor.check_up(replace(WELL, devices=named)).report

    assert re.fullmatch(r"VP1 [A-Z0-9-]{3,20} [0-9.]+ \d{10} [A-Z]\d\d\.\d+(/[A-Z]\d\d(\.\d+)?)*", report)
    assert report.endswith(" L21.1/P61.2")


def test_a_report_of_many_faults_still_fits_one_code() -> None:
    from ui.screens.qr import modules

    many = [DeviceFacts("lock", Status(f"l{n}", Health.AWAY, fault=Fault.SILENT)) for n in range(90)]
    report = doctor.check_up(replace(WELL, site="ABCDEFGHIJKLMNOPQRST", devices=many)).report

    assert report.endswith("/+50")
    assert set(report) <= set(string.digits + string.ascii_uppercase + " $%*+-./:")  # the dense mode of QR codes
    assert len(modules(report)) <= 61 + 8


def test_a_finding_reads_as_one_line_in_both_languages() -> None:
    status = Status("locker", Health.AWAY, "silent for 0.3 s", fault=Fault.SILENT)
    found = doctor.device(DeviceFacts("lock", status), 1)

    assert sentence(found, "zh") == (
        "故障 L11 柜锁 locker：柜锁板没有回应：检查 485 的 A/B 线是否接反，再看锁板的电源灯"
    )
    assert said(found, "en").startswith("the lock board does not answer: ")
