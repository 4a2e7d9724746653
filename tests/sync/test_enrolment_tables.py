"""The tables of enrolment, on every database of the hub."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, SITE

from sync import x509
from sync.hub.authority import Authority
from sync.hub.enrolment import MAX_WAITING_OF_PEER, Enrolments, NotNow


def asked(name: str = "") -> tuple[bytes, x509.Request]:
    key = x509.new_key()
    return key, x509.read_request(x509.request(key, name, ""))


@pytest.fixture
def tables(tmp_path: Path, open_hub: Any) -> Enrolments:
    authority = Authority(tmp_path / "hubdata", tmp_path / "broker", ("localhost",), (8883, 8884))
    authority.init("district", datetime.now(UTC))
    made = Enrolments(open_hub(), authority, 90)
    made.prepare()
    made.prepare()  # a second program starts
    return made


def test_one_device_from_its_question_to_its_end(tables: Enrolments) -> None:
    key, request = asked()
    assert tables.ask(request, "", "10.0.0.1").state == "waiting"
    code = tables.ask(request, "", "10.0.0.2").code  # the same question, over another line
    serial = tables.approve(code, SITE)
    granted = tables.ask(request, "", "10.0.0.1")
    assert (granted.state, granted.site) == ("granted", SITE)
    assert x509.unseal(key, bytes.fromhex(granted.sealed)) == KEY
    assert x509.describe(granted.certificate.encode()).serial == serial
    _, following = asked()
    renewed = tables.renew(serial, following)
    assert tables.renew(serial, following) == renewed
    assert len(tables.revoke(SITE, "stolen")) == 2
    assert {each["reason"] for each in tables.certificates()} == {"stolen"}
    with pytest.raises(NotNow) as caught:
        tables.renew(serial, following)
    assert caught.value.word == "revoked"
    assert tables.ask(request, "", "10.0.0.1").state == "refused"


def test_a_code_is_approved_once(tables: Enrolments) -> None:
    code = tables.ask(asked()[1], "", "a").code
    tables.approve(code, SITE)
    with pytest.raises(NotNow) as caught:
        tables.approve(code, SITE, replace=True)
    assert caught.value.word == "unknown_code"


def test_one_address_cannot_fill_the_waiting_list(tables: Enrolments) -> None:
    for _ in range(MAX_WAITING_OF_PEER):
        tables.ask(asked()[1], "", "loud")
    with pytest.raises(NotNow) as caught:
        tables.ask(asked()[1], "", "loud")
    assert caught.value.word == "full"
    assert tables.ask(asked()[1], "", "quiet").state == "waiting"


def test_a_certificate_this_hub_never_gave_is_not_renewed(tables: Enrolments) -> None:
    with pytest.raises(NotNow) as caught:
        tables.renew("abc", asked()[1])
    assert caught.value.word == "unknown"


def test_the_authority_stays_and_its_own_pairs_follow_their_end_and_the_host_names(tmp_path: Path) -> None:
    now = datetime.now(UTC)

    def authority(*hosts: str) -> Authority:
        return Authority(tmp_path / "hubdata", tmp_path / "broker", hosts, (8883, 8884))

    first = authority("localhost")
    assert first.init("district", now)
    fingerprint, server = first.fingerprint(), first.server()
    assert not first.init("district", now)
    assert (first.fingerprint(), first.server()) == (fingerprint, server)
    assert first.renew_own(now + timedelta(days=200)) == []
    assert first.renew_own(now + timedelta(days=250)) == ["server.pem", "hub.pem"]
    second = authority("hub.example.net", "192.0.2.1")
    assert second.renew_own(now) == ["server.pem"]
    assert second.server().hosts == ("hub.example.net", "192.0.2.1")
    assert second.fingerprint() == fingerprint
    assert stat.S_IMODE((tmp_path / "hubdata/ca/ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "hubdata/ca").stat().st_mode) == 0o700
