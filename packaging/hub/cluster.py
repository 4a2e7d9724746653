"""Three NATS servers with JetStream and MQTT as one cluster on this machine: for drills and tests, never for villages.

    cluster.py FOLDER [--port P]     start it, print one JSON line when it is up, end it with Ctrl-C

The nodes listen on 127.0.0.1, .2 and .3 at one port, as three machines would; a client is given all three. What a
cluster on machines of their own needs is in cluster.conf beside this file.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = "/usr/sbin/nats-server"
NODES = 3
UP_S = 30.0
STOP_S = 10.0
POLL_S = 0.05
CONNECT = bytes.fromhex("101600044d5154540402003c000a") + b"vp-is-it-up"[:10]  # MQTT 3.1.1, clean session, 60 s

NODE = """\
server_name: village-{number}
listen: "{host}:{client_port}"
jetstream {{ store_dir: "{folder}/node-{number}", max_memory_store: 64MB, max_file_store: 1GB }}
cluster {{ name: village, listen: "{host}:{cluster_port}", routes: [{routes}] }}
mqtt {{ listen: "{host}:{port}", stream_replicas: 3, max_ack_pending: 100, ack_wait: "10s" }}
"""


def missing() -> str | None:
    """Why a cluster cannot be started here; None when it can."""
    if not Path(PROGRAM).exists():
        return "nats-server is missing: make cluster installs it"
    return None


class Cluster:
    """The three nodes. Use as a context manager; nodes that still run are killed at the end."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder.absolute()
        self.hosts = [f"127.0.0.{number}" for number in range(1, NODES + 1)]
        self.port, *others = [_free_port(self.hosts, wanted) for wanted in (port, 0, 0)]
        self._ports = tuple(others)
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for number in list(self._running):
            self.kill(number)

    @property
    def host(self) -> str:
        """All nodes, as a setting `host` names them."""
        return " ".join(self.hosts)

    def start(self) -> None:
        """Start every node and wait until one can say hello through each."""
        for number in range(NODES):
            self.start_node(number, wait=False)
        for number in range(NODES):
            self.wait_for(number)

    def start_node(self, number: int, *, wait: bool = True) -> None:
        """Start one node, with what it kept. Errors: TimeoutError."""
        file = self.folder / f"node-{number}.conf"
        self.folder.mkdir(parents=True, exist_ok=True)
        client_port, cluster_port = self._ports
        routes = ", ".join(f'"nats://{host}:{cluster_port}"' for host in self.hosts)
        file.write_text(
            NODE.format(
                number=number, host=self.hosts[number], folder=self.folder, routes=routes,
                client_port=client_port, cluster_port=cluster_port, port=self.port,
            ),
            "utf-8",
        )  # fmt: skip
        with (self.folder / f"node-{number}.log").open("ab") as log:
            self._running[number] = subprocess.Popen([PROGRAM, "-c", str(file)], stdout=log, stderr=log)
        if wait:
            self.wait_for(number)

    def kill(self, number: int) -> None:
        """End one node at once (kill -9)."""
        child = self._running.pop(number)
        child.send_signal(signal.SIGKILL)
        child.wait(STOP_S)

    def wait_for(self, number: int) -> None:
        """Wait until a node lets a client in: its vote is cast and its streams have a leader. Errors: TimeoutError."""
        deadline = time.monotonic() + UP_S
        while not self._says_hello(self.hosts[number]):
            if time.monotonic() > deadline:
                raise TimeoutError(f"node {number} was not up after {UP_S:g} s; see {self.folder}/node-{number}.log")
            time.sleep(POLL_S)

    def _says_hello(self, host: str) -> bool:
        try:
            with socket.create_connection((host, self.port), timeout=6.0) as line:
                line.sendall(CONNECT)
                return line.recv(4) == b"\x20\x02\x00\x00"
        except OSError:
            return False


def _free_port(hosts: list[str], wanted: int) -> int:
    """A port that is free at every address."""
    for _ in range(50):
        probes = [socket.socket() for _ in hosts]
        try:
            port = wanted
            for probe, host in zip(probes, hosts, strict=True):
                probe.bind((host, port))
                port = probe.getsockname()[1]
        except OSError:
            continue
        else:
            return port
        finally:
            for probe in probes:
                probe.close()
    raise OSError("no port is free on all three addresses")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    why = missing()
    if why is not None:
        sys.exit(f"cluster: {why}")
    with Cluster(given.folder, given.port) as cluster:
        cluster.start()
        print(json.dumps({"ready": True, "host": cluster.host, "port": cluster.port, "protocol": "3.1.1"}), flush=True)
        ends = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
