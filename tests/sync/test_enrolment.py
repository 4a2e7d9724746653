"""Letting a terminal in: the key is made on it, a code is approved, nothing secret can be read or put in between."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import free_port
from tls_district import HOST, ROOT, SITES, TlsDistrict

from sync import x509
from sync.enrol import EnrolFault
from sync.hub.https import Allowance
from sync.identity import Identity, InUse, WrongGrant
from sync.x509 import Subject

SITE, OTHER = SITES
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsDistrict]:
    made = TlsDistrict(tmp_path_factory.mktemp("district"))
    made.start_reception()
    yield made
    made.stop()


def test_a_device_is_let_in_by_its_code(district: TlsDistrict) -> None:
    terminal = district.terminal("let-in")
    waiting = terminal.enroller.ask(SITE)
    assert (waiting.state, waiting.qr) == ("waiting", f"VPCLAIM:1:{waiting.code}")
    assert [each["code"] for each in district.hub("enrolments") if each["state"] == "waiting"] == [waiting.code]
    district.hub("approve", waiting.code.lower().replace("-", " "), "--site", SITE, "--replace")
    granted = terminal.enroller.ask(SITE)
    assert (granted.state, granted.site) == ("granted", SITE)
    assert terminal.identity.certificate().name == SITE
    assert terminal.identity.link_file.read_text() == (district.folder / "keys" / SITE).read_text()
    assert not (terminal.identity.folder / "claim.key").exists()


def test_secrets_of_a_terminal_are_for_its_owner_alone(district: TlsDistrict) -> None:
    terminal = district.enrolled(SITE, "modes")
    assert stat.S_IMODE(terminal.identity.folder.stat().st_mode) == 0o700
    for file in (terminal.identity.pair_file, terminal.identity.link_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_secret_travels_that_could_be_read(district: TlsDistrict) -> None:
    """What the hub keeps to answer with holds neither the device's key nor the link key in the open."""
    terminal = district.enrolled(SITE, "nothing-readable")
    link = terminal.identity.link_file.read_text().strip()
    rows = b"".join(file.read_bytes() for file in (district.folder / "hub").glob("hub.db*"))
    assert link.encode() not in rows
    assert bytes.fromhex(link) not in rows
    assert b"PRIVATE KEY" not in rows


def test_a_sealed_link_key_opens_for_its_device_alone(district: TlsDistrict) -> None:
    key, other = x509.new_key(), x509.new_key()
    sealed = x509.seal(x509.public_of(key), b"s" * 32)
    assert x509.unseal(key, sealed) == b"s" * 32
    for wrong, box in ((other, sealed), (key, sealed[:-1] + bytes([sealed[-1] ^ 1])), (key, b""), (key, sealed[:70])):
        with pytest.raises(x509.BadPem):
            x509.unseal(wrong, box)


def test_a_hub_with_another_fingerprint_hears_nothing(district: TlsDistrict, tmp_path: Path) -> None:
    middle = TlsDistrict(tmp_path)
    middle.start_reception()
    try:
        terminal = district.terminal("misled", port=middle.reception_port)
        with pytest.raises(EnrolFault) as caught:
            terminal.enroller.ask(SITE)
        assert caught.value.word == "wrong_hub"
        assert middle.hub("enrolments") == []
        assert not terminal.identity.authority_file.exists()
    finally:
        middle.stop()


def test_a_hub_put_in_the_way_later_hears_nothing_either(district: TlsDistrict, tmp_path: Path) -> None:
    terminal = district.enrolled(SITE, "misled-later")
    middle = TlsDistrict(tmp_path)
    middle.start_reception()
    try:
        misled = district.terminal("misled-later", port=middle.reception_port)
        for call in (misled.enroller.renew, misled.enroller.ask_time):
            with pytest.raises(EnrolFault) as caught:
                call()
            assert caught.value.word == "wrong_hub"
        assert terminal.identity.certificate().name == SITE
    finally:
        middle.stop()


def test_the_code_is_bound_to_the_key_and_to_the_authority() -> None:
    key, other = x509.public_of(x509.new_key()), x509.public_of(x509.new_key())
    codes = {x509.claim_code(each, authority) for each in (key, other) for authority in ("aa", "bb")}
    assert len(codes) == 4
    assert all(len(code) == 14 and set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-") for code in codes)


def test_a_certificate_for_another_key_is_not_taken(district: TlsDistrict) -> None:
    terminal = district.terminal("not-mine")
    terminal.enroller.ask(SITE)
    key = terminal.identity.claim_key()
    sealed = x509.seal(x509.public_of(key), b"k" * 32)
    foreign = district.issue(Subject(SITE), timedelta(), DAY)
    with pytest.raises(WrongGrant):
        terminal.identity.let_in(SITE, foreign[foreign.index(b"-----BEGIN CERT") :], sealed)
    assert not terminal.identity.is_enrolled


def test_a_site_that_has_a_terminal_gets_no_second_one_unasked(district: TlsDistrict) -> None:
    first = district.enrolled(SITE, "first")
    code = district.terminal("second").enroller.ask("").code
    assert district.hub_code("approve", code, "--site", SITE)[0] == 1
    district.hub("approve", code, "--site", SITE, "--replace")
    with pytest.raises(EnrolFault) as caught:
        first.enroller.renew()
    assert caught.value.word == "revoked"


@pytest.mark.parametrize(
    "words", [("approve", "AAAA-BBBB-CCCC", "--site", SITE), ("refuse", "AAAA"), ("revoke", "XX-9999"), ("revoke", "0")]
)
def test_the_hub_refuses_what_it_does_not_know(district: TlsDistrict, words: tuple[str, ...]) -> None:
    assert district.hub_code(*words)[0] == 1


def test_a_device_set_up_for_one_site_is_not_let_in_as_another(district: TlsDistrict) -> None:
    code = district.terminal("wish").enroller.ask(OTHER).code
    assert district.hub_code("approve", code, "--site", SITE, "--replace")[0] == 1


def test_a_refused_device_is_told(district: TlsDistrict) -> None:
    terminal = district.terminal("refused")
    district.hub("refuse", terminal.enroller.ask("").code)
    assert terminal.enroller.ask("").state == "refused"


def test_a_reception_that_is_away_is_a_line_that_is_down(district: TlsDistrict) -> None:
    away = district.terminal("away", port=free_port())
    with pytest.raises(EnrolFault) as caught:
        away.enroller.ask("")
    assert caught.value.word == "line"


def test_two_programs_do_not_enrol_one_terminal_at_once(district: TlsDistrict) -> None:
    terminal = district.terminal("twice")
    with Identity(terminal.identity.folder).alone(), pytest.raises(InUse):
        terminal.enroller.ask("")


def test_renewing_again_with_the_same_key_gives_the_same_certificate(district: TlsDistrict) -> None:
    terminal = district.enrolled(SITE, "again")
    before = terminal.identity.pair_file.read_bytes()
    key = terminal.identity.next_key()
    terminal.enroller.renew()
    first = terminal.identity.certificate()
    terminal.identity.pair_file.write_bytes(before)  # the power went before the new pair was in place
    (terminal.identity.folder / "next.key").write_bytes(key)
    terminal.enroller.renew()
    assert terminal.identity.certificate() == first


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from sync.identity import Identity
left = int(sys.argv[3])
def counted(work):
    def step(*arguments, **options):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return work(*arguments, **options)
    return step
for name in ("open", "write", "fchmod", "fsync", "close", "unlink", "rename", "replace"):
    setattr(os, name, counted(getattr(os, name)))
Path.unlink = counted(Path.unlink)
Path.replace = counted(Path.replace)
identity = Identity(Path(sys.argv[2]))
"""
RENEWING = KILLED + "identity.next_key(); identity.renewed(Path(sys.argv[4]).read_bytes())"
ENTERING = KILLED + "identity.let_in(sys.argv[5], Path(sys.argv[4]).read_bytes(), bytes.fromhex(sys.argv[6]))"


def run_killed(program: str, folder: Path, step: int, *more: str) -> bool:
    """Run the program, killed before its n-th touch of the disk; tell whether it was."""
    done = subprocess.run([sys.executable, "-c", program, str(ROOT), str(folder), str(step), *more], check=False)
    assert done.returncode in (0, -signal.SIGKILL)
    return done.returncode != 0


def test_a_renewal_killed_at_any_step_leaves_a_pair_that_works(district: TlsDistrict, tmp_path: Path) -> None:
    made = district.terminal("model")
    made.enroller.meet()
    authority = made.identity.authority_file.read_bytes()
    old = district.issue(Subject(SITE), timedelta(), DAY)
    step, killed = 0, True
    while killed:
        identity = Identity(tmp_path / str(step))
        identity.folder.mkdir(mode=0o700)
        identity.authority_file.write_bytes(authority)
        identity.pair_file.write_bytes(old)
        key = identity.next_key()
        answer = tmp_path / "answer.pem"
        pair = district.authority.grant(Subject(SITE), x509.public_of(key), span_of(2))
        answer.write_bytes(pair)
        killed = run_killed(RENEWING, identity.folder, step, str(answer))
        assert works(identity)
        again = identity.next_key()  # the next start goes on
        answer.write_bytes(district.authority.grant(Subject(SITE), x509.public_of(again), span_of(3)))
        identity.renewed(answer.read_bytes())
        assert works(identity)
        step += 1
    assert step > 8


def test_entering_killed_at_any_step_can_be_done_again(district: TlsDistrict, tmp_path: Path) -> None:
    made = district.terminal("model-2")
    made.enroller.meet()
    authority = made.identity.authority_file.read_bytes()
    step, killed = 0, True
    while killed:
        identity = Identity(tmp_path / str(step))
        identity.folder.mkdir(mode=0o700)
        identity.authority_file.write_bytes(authority)
        public = x509.public_of(identity.claim_key())
        answer = tmp_path / "answer.pem"
        answer.write_bytes(district.authority.grant(Subject(SITE), public, span_of(2)))
        sealed = x509.seal(public, b"l" * 32)
        killed = run_killed(ENTERING, identity.folder, step, str(answer), SITE, sealed.hex())
        if identity.is_enrolled:  # then everything is there
            assert works(identity)
            assert identity.link_file.read_text().strip() == (b"l" * 32).hex()
        else:
            identity.let_in(SITE, answer.read_bytes(), sealed)
            assert works(identity)
        step += 1
    assert step > 8


def span_of(days: int) -> x509.Span:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    return x509.Span(now, now + days * DAY)


def works(identity: Identity) -> bool:
    """Whether the pair in force is one: OpenSSL loads it, and the authority made it for this key."""
    pair = identity.pair_file.read_bytes()
    cert = pair[pair.index(b"-----BEGIN CERTIFICATE") :]
    return x509.belongs(cert, pair, identity.authority_file.read_bytes())


# --- the reception's bounds -----------------------------------------------------------------------------------------


def test_one_address_asks_so_often_and_no_more() -> None:
    now = [0]
    allowance = Allowance(lambda: now[0], burst=3, refill_s=2.0)
    assert [allowance.take("a") for _ in range(4)] == [True, True, True, False]
    assert allowance.take("b")
    now[0] = 2_000
    assert [allowance.take("a") for _ in range(2)] == [True, False]


def test_a_reception_that_is_hurried_says_busy(tmp_path: Path) -> None:
    district = TlsDistrict(tmp_path, burst=2)
    district.start_reception()
    try:
        terminal = district.terminal()
        terminal.enroller.meet()
        terminal.enroller.ask_time()
        with pytest.raises(EnrolFault) as caught:
            terminal.enroller.ask("")
        assert caught.value.word == "busy"
    finally:
        district.stop()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /v1/time HTTP/1.1\r\n\r\n", b"200"),
        (b"GET /nothing HTTP/1.1\r\n\r\n", b"404"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"\xff\xfe\r\n\r\n", b"400"),
        (b"POST /v1/enrolment HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"400"),
        (b"POST /v1/enrolment HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"POST /v1/enrolment HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]", b"400"),
        (b'POST /v1/enrolment HTTP/1.1\r\nContent-Length: 15\r\n\r\n{"request":"x"}', b"400"),
        (b'POST /v1/renewal HTTP/1.1\r\nContent-Length: 15\r\n\r\n{"request":"x"}', b"403"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", b"431"),
    ],
)
def test_the_reception_answers_any_bytes_within_its_bounds(district: TlsDistrict, sent: bytes, status: bytes) -> None:
    import socket
    import ssl

    context = ssl.create_default_context(cafile=str(district.broker_dir / "ca.pem"))
    with (
        socket.create_connection((HOST, district.reception_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as line,
    ):
        line.sendall(sent)
        assert line.recv(64).split(b" ")[1] == status


# --- the terminal's command -----------------------------------------------------------------------------------------


def point(*words: str, card: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge.cli", *words, "--config", str(card)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env=os.environ)


def test_a_card_without_any_secret_becomes_a_whole_terminal(tmp_path: Path) -> None:
    import json

    profile = tmp_path / "profile.toml"
    profile.write_text(
        f'site = "{SITE}"\nname = "点"\nprofile = "shelf_only"\ndata_dir = "data"\nlanguage = "zh"\n'
        "[panel]\nwidth = 1280\nheight = 800\ndiagonal_inch = 10.1\n"
        '[[shelf]]\nname = "A"\nlevels = 2\npositions = 5\n'
    )
    district = TlsDistrict(tmp_path, more=f'profile_file = "{profile}"\n')
    district.start_reception()
    try:
        card = tmp_path / "point.toml"
        card.write_text(
            f'data_dir = "data"\n[hub]\nhost = "{HOST}"\nport = {district.port}\n'
            f'enrol_port = {district.reception_port}\nca_fingerprint = "{district.authority.fingerprint()}"\n'
        )
        waiting = point("enrol", "--wait", "0", card=card)
        assert waiting.returncode == 1
        told = json.loads(waiting.stdout)
        assert told["qr"] == f"VPCLAIM:1:{told['code']}"
        district.hub("approve", told["code"], "--site", SITE)
        granted = point("enrol", "--wait", "0", card=card)
        assert (granted.returncode, json.loads(granted.stdout)["site"]) == (0, SITE)
        assert json.loads(point("identity", card=card).stdout)["site"] == SITE
        from edge.config import load

        settings = load(card)
        assert (settings.site, settings.hub.port) == (SITE, district.port)
        assert settings.hub.link_key().hex() == (district.folder / "keys" / SITE).read_text().strip()
    finally:
        district.stop()
