"""`village-sim`: simulated devices on pseudo-terminals, and the hand that moves their handles. No device logic here."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from drivers.sim.host import BenchTaken, Host, Terminal
from drivers.sim.net import terminal
from drivers.sim.settings import BadBench, read_bench

POKE_S = 5.0  # the bench answers at once; more means that it hangs


class _Parser(argparse.ArgumentParser):
    """Says one sentence about a mistake instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (0 done, 1 refused, 2 usage, 3 no bench or no terminal)."""
    words = list(sys.argv[1:] if argv is None else argv)
    return _poke(words[1:]) if words[:1] == ["poke"] else _run(words)


def _run(words: Sequence[str]) -> int:
    parser = _Parser(
        prog="village-sim",
        description="Simulate the devices of a village point. Move their handles with: village-sim poke --help",
    )
    parser.add_argument("--config", type=Path, required=True, help="TOML file with the devices")
    args = parser.parse_args(words)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        bench = read_bench(args.config)
    except BadBench as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{args.config}: cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    try:
        terminals = [terminal(name, device, place) for name, device, place in bench.devices]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(Host(terminals, bench.control), terminals))
    except BenchTaken as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"a terminal or the control socket cannot be made: {error}", file=sys.stderr)
        return 3
    return 0


async def _serve(host: Host, terminals: Sequence[Terminal]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await host.start()
    try:
        for each in terminals:
            print(json.dumps({"name": each.name, "path": each.place}), flush=True)
        await ended.wait()
    finally:
        await host.stop()


def _poke(words: Sequence[str]) -> int:
    parser = _Parser(
        prog="village-sim poke",
        description="Move a handle of a simulated device and print the result as JSON.",
        epilog="all: mute [AFTER_MOVES], unmute, garble RATE SEED, rubbish on|off, slow MS, echo on|off, unplug, "
        "replug, state | onbon: refuse COMMAND ERROR, obey | "
        "all lock boards: close_door N, open_by_hand N, jam N, unjam N, wrong_door N OTHER, auto_close SECONDS, "
        "pulses | kerong_cu16: put N, take N | wkly: fail N, mend N, lie on|off | modbus_relay: hold N | "
        "all displays: shown, power_off, power_on | "
        "all scales: put GRAMS, take, swing GRAMS, unit kg|lb, bad_check on|off, join_at BYTES, power_off, power_on | "
        "escpos: slips, paper_out [AFTER_LINES], new_roll, near_end, cover_open, cover_close, jam, unjam, "
        "answers on|off, confirms on|off, power_off, power_on | "
        "serial_scanner: send TEXT [cr|crlf|lf|none], burst TEXT..., raw HEX, "
        "pull GUN TEXT; all guns: store TEXT..., upload [ONLY_SO_MANY], forget | "
        "ssi_scanner: send TEXT [TYPE], refuse REASON | newland_scanner, honeywell_scanner: answer 06|15|05",
    )
    parser.add_argument("--control", type=Path, required=True, help="control socket of the bench")
    parser.add_argument("name")
    parser.add_argument("handle")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    args = parser.parse_args(words)
    try:
        result = _asked(args.control, [args.name, args.handle, *args.args])
    except (OSError, ValueError) as error:
        print(f"no bench answers at {args.control}: {error}", file=sys.stderr)
        return 3
    if not result["ok"]:
        print(result["error"], file=sys.stderr)
        return 1
    print(json.dumps(result["result"], ensure_ascii=False))
    return 0


def _asked(control: Path, request: Sequence[str]) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(POKE_S)
        line.connect(str(control))
        line.sendall(json.dumps(request).encode() + b"\n")
        answer: dict[str, object] = json.loads(line.makefile("rb").readline())
        return answer


if __name__ == "__main__":
    sys.exit(main())
