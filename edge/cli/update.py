"""`village-point update|health`: how the release stands; fetch or install one by hand; is the running one fit to stay.

Nothing is decided here; see edge/updating.py for what the kiosk does by itself. Manners are those of edge/cli/.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge import health, keys, release, update_trial, updates
from edge.cli.common import DONE, REFUSED, STORE, NotNow, command, emit, settings_of
from edge.cli.store import reading
from edge.clock import SystemClock, SystemDice
from edge.config import Settings
from edge.release import BadSheet, Offer, Running, Unfit
from edge.setup import VERSION
from edge.store import FILE
from edge.update_ask import Helper
from edge.update_fetch import Fetching, Interrupted, Pace, pieces, sheet
from edge.update_hand import Before, judged, put_on
from edge.update_kit import voice_of
from edge.update_settings import FOLDER
from edge.updates import Order
from edge.updating import Voice
from sync.enrol import EnrolFault
from sync.update_words import sentence

LIMIT_S = 300


def add(commands: Any) -> None:
    """Add the commands to those of `village-point`."""
    actions = commands.add_parser("update", help="releases of this terminal's system").add_subparsers(
        required=True, metavar="ACTION"
    )
    command(actions, "status", "what runs, what was ordered, how far it is", _told(_status))
    command(actions, "check", "ask the hub what the order would fetch", _told(_check))
    command(actions, "fetch", "fetch what was ordered now, not by night", _told(_fetch))
    install = command(actions, "install", "write a bundle file into the other slot", _told(_install))
    install.add_argument("file", type=Path, metavar="FILE", help="from a stick, or fetched")
    install.add_argument("--force", action="store_true", help="also an older release; as root")
    install.add_argument("--restart", action="store_true", help="restart into it at once")
    command(actions, "restart", "restart into the slot that was written", _told(_restart))
    for parent in (actions, commands):
        fit = command(parent, "health", "is the running release fit to stay? exit 0 when it is", _health)
        fit.add_argument("--limit", type=int, default=LIMIT_S, metavar="S", help=f"give it so long; usual: {LIMIT_S}")


def _told(act: Callable[[Settings, argparse.Namespace], None]) -> Callable[[argparse.Namespace], None]:
    """A command whose refusals are said in one sentence."""

    def run(arguments: argparse.Namespace) -> None:
        try:
            act(settings_of(arguments), arguments)
        except Unfit as error:
            raise NotNow(sentence(error.word) + (f" ({error.detail})" if error.detail else "")) from error
        except (EnrolFault, Interrupted) as error:
            raise NotNow(f"the hub's reception: {error}") from error
        except BadSheet as error:
            raise NotNow(f"the hub's answer cannot be read: {error}") from error

    return run


def _status(settings: Settings, _arguments: argparse.Namespace) -> None:
    running = settings.update.running()
    try:
        slots: dict[str, Any] = Helper(settings.update.helper).status()
    except Unfit as error:
        slots = {"word": error.word}
    order, trial = _order(settings), update_trial.load(settings.data_dir / FOLDER)
    emit(
        {
            "version": None if running is None else running.version,
            "board": None if running is None else running.compatible,
            "program": VERSION,
            "slot": slots.get("booted"),
            "trial": slots.get("trial"),
            "slots": slots.get("slots", slots.get("word")),
            "order": None if order is None else _shown(order),
            "waits_for_restart": trial is not None and trial.written and trial.slot == slots.get("booted"),
        }
    )


def _check(settings: Settings, _arguments: argparse.Namespace) -> None:
    order, running, voice = _open_order(settings), _running(settings), _voice(settings)
    release.check(order.version, order.compatible, running)
    voice.ask_time()
    offer = release.choose(sheet(voice, order.sheet), running, whole=order.why == "whole")
    fetching = Fetching(settings.data_dir / FOLDER, offer, (), voice)
    emit({**_shown(order), "bytes": offer.size, "base": offer.base, "left": fetching.left()})


def _fetch(settings: Settings, _arguments: argparse.Namespace) -> None:
    order, running, voice = _open_order(settings), _running(settings), _voice(settings)
    release.check(order.version, order.compatible, running)
    voice.ask_time()
    offer: Offer = release.choose(sheet(voice, order.sheet), running, whole=order.why == "whole")
    fetching = Fetching(settings.data_dir / FOLDER, offer, pieces(voice, offer), voice)
    clock = SystemClock()
    file = fetching.run(Pace(settings.update.kbit, lambda: True, time.sleep, clock.ms))
    told = judged(file, settings)
    emit({"version": told.version, "file": str(file), "bytes": offer.size, "came": fetching.came})


def _install(settings: Settings, arguments: argparse.Namespace) -> None:
    if not arguments.file.is_file():
        raise NotNow(f"there is no file {arguments.file}")
    alive = health.alive(settings.data_dir)
    before = Before({} if alive is None else alive.devices, alive is not None and alive.online)
    version = put_on(arguments.file, settings, before, _progress, force=arguments.force)
    emit({"written": version, "restart": arguments.restart})
    if arguments.restart:
        Helper(settings.update.helper).restart()
    else:
        sys.stderr.write(
            "it is tried at the next restart: when nobody is at the kiosk, or village-point update restart\n"
        )


def _restart(settings: Settings, _arguments: argparse.Namespace) -> None:
    Helper(settings.update.helper).restart()


def _health(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    folder = settings.data_dir / FOLDER
    before, clock = update_trial.load(folder), SystemClock()
    until_ms = clock.ms() + 1000 * arguments.limit
    wrong = health.books(settings.data_dir, keys.load(settings), clock, SystemDice())
    in_store = bool(wrong)
    if not wrong:
        wrong = health.wait(settings.data_dir, VERSION, before, lambda: clock.ms() < until_ms, time.sleep)
    emit({"healthy": not wrong, "version": VERSION, "wrong": list(wrong), "compared": before is not None})
    if not wrong:
        return DONE
    if before is not None:
        update_trial.note_verdict(folder, wrong)
    sys.stderr.write(f"this release is not fit to stay: {', '.join(wrong)}\n")
    return STORE if in_store else REFUSED


# --- parts --------------------------------------------------------------------------------------------------------


def _order(settings: Settings) -> Order | None:
    if not (settings.data_dir / FILE).exists():
        return None
    with reading(settings) as tx:
        return updates.last(tx)


def _open_order(settings: Settings) -> Order:
    order = _order(settings)
    if order is None or order.state not in updates.OPEN:
        raise NotNow("the hub has ordered nothing that is still to be done")
    return order


def _shown(order: Order) -> Mapping[str, Any]:
    return {"version": order.version, "state": order.state.value, "why": order.why, "until": order.until}


def _running(settings: Settings) -> Running:
    running = settings.update.running()
    if running is None:
        raise Unfit("no_slots")
    return running


def _voice(settings: Settings) -> Voice:
    voice = voice_of(settings.hub, SystemClock())
    if voice is None:
        raise NotNow("this terminal is not enrolled at a hub; a bundle from a stick can be installed")
    return voice


def _progress(told: Mapping[str, Any]) -> None:
    if "percent" in told:
        sys.stderr.write(f"{told['percent']:3}% {told.get('what', '')}\n")
