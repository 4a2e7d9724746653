"""At a NATS broker a terminal's certificate opens its own topics and no others; without a place in the list, none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging" / "hub"))

from cluster import PROGRAM, missing
from conftest import free_port
from nats_users import users
from tls_district import HOST, TlsDistrict, wait_for_port

from edge.model import SiteCode
from sync.dial import Tls
from sync.mqtt import Broker, Connection, LineLost, Will
from sync.x509 import Subject

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
WILL = Will("vp/QJ-0001/state", b"gone")
CONF = """\
listen: "127.0.0.1:{client}"
jetstream {{ store_dir: "{folder}/js" }}
mqtt {{ listen: "127.0.0.1:{port}"
  tls {{ cert_file: "{broker}/server.pem", key_file: "{broker}/server.pem", ca_file: "{broker}/ca.pem"
        verify_and_map: true, timeout: 10 }} }}
server_name: alone
include "users.conf"
"""


class Nats:
    """One node with the certificates of a district."""

    def __init__(self, folder: Path) -> None:
        self.district = TlsDistrict(folder)
        self.folder, self.port = folder, free_port()
        self.ca = self.district.broker_dir / "ca.pem"
        conf = CONF.format(client=free_port(), port=self.port, folder=folder, broker=self.district.broker_dir)
        (folder / "nats.conf").write_text(conf)
        (folder / "users.conf").write_text(users([(SiteCode("QJ-0001"), "dev1")]))

    def start(self) -> None:
        log = (self.folder / "nats.log").open("w")
        self.child = subprocess.Popen([PROGRAM, "-c", str(self.folder / "nats.conf")], stderr=log)
        log.close()
        wait_for_port(self.port)

    def line(self, pair: Path) -> Connection:
        broker = Broker(HOST, self.port, tls=Tls(self.ca, pair, pair), protocol=4, qos=0)
        return Connection(broker, pair.stem, WILL, 10.0)

    def pair(self, site: str, device: str) -> Path:
        file = self.folder / f"{site}-{device}.pem"
        file.write_bytes(self.district.issue(Subject(site, device), timedelta(days=-1), timedelta(days=9)))
        return file


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    node = Nats(tmp_path)
    node.start()
    yield node
    node.child.kill()
    node.child.wait(10)
    node.district.stop()


def test_a_terminal_touches_its_own_topics_only(nats: Nats) -> None:
    async def scene() -> None:
        async with nats.line(nats.district.broker_dir / "hub.pem") as hub:
            await hub.subscribe(["vp/+/up"])
            async with nats.line(nats.pair("QJ-0001", "dev1")) as terminal:
                await terminal.subscribe(["vp/QJ-0001/down"])
                terminal.publish("vp/QJ-0002/up", b"another's")
                terminal.publish("vp/QJ-0001/up", b"its own")
                async with asyncio.timeout(5):
                    first = await hub.next_message()
                assert (first.topic, first.payload) == ("vp/QJ-0001/up", b"its own")
                with pytest.raises(LineLost):
                    await terminal.subscribe(["vp/QJ-0002/down"])

    asyncio.run(scene())


@pytest.mark.parametrize(("site", "device"), [("QJ-0002", "dev2"), ("QJ-0001", "dev2")])
def test_a_certificate_that_is_not_listed_is_not_let_in(nats: Nats, site: str, device: str) -> None:
    async def scene() -> None:
        async with nats.line(nats.pair(site, device)):
            pytest.fail("it was let in")

    with pytest.raises(LineLost):
        asyncio.run(scene())
