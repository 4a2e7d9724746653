"""The command `village-point`: the kiosk, and what technicians and checks ask of it.

Shape:  JSON on standard output (one object per line where it is a stream), errors as one plain sentence on standard
        error. Exit 0 done, 1 refused, 2 usage, 3 device, 4 store.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys

from drivers.base import DeviceError
from edge import codes
from edge.cli import batch, commission, devices, doctor, enrol, keep, sheet, stick, store, support, update
from edge.cli.common import DEVICE, DONE, REFUSED, STORE, USAGE, NotNow, Parser, command, emit, settings_of
from edge.cli.first import add_places, first_place, is_first
from edge.cli.owner import hand_over
from edge.command_line import plain, settle_input
from edge.mistakes import ConfigError
from edge.model import Rejected
from edge.store import StoreFault
from ui.mistakes import printed

WHY = {
    "not_allowed": "this cell is not known or holds a parcel; a parcel is given out at the kiosk",
    "weak_pin": "a PIN has 6 to 8 digits and is neither a row nor one digit again and again",
    "pin_taken": "somebody else has this PIN",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command. Return the exit code."""
    arguments = _parser().parse_args(argv)
    settle_input()
    logging.getLogger().addHandler(logging.NullHandler())  # what a library warns of is no second sentence
    try:
        return int(arguments.run(arguments) or DONE)
    except ConfigError as error:
        return _fail(printed(error), USAGE)
    except ValueError as error:  # of what was typed
        return _fail(str(error), USAGE)
    except NotNow as error:
        return _fail(str(error), REFUSED)
    except Rejected as error:
        return _fail(f"refused: {WHY.get(error.code, error.code)}", REFUSED)
    except DeviceError as error:
        return _fail(f"device {error.device}: {error.hint}", DEVICE)
    except StoreFault as error:
        return _fail(f"store {error.code}: {error}", STORE)
    except KeyboardInterrupt:
        return _fail("interrupted", REFUSED)
    except BrokenPipeError:  # whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _fail(f"store S3: {plain(error)}", STORE)
    finally:
        if (folder := getattr(arguments, "worked_in", None)) is not None:
            hand_over(folder)


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="village-point", description="The terminal of a village service point.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = command(commands, "run", "start the kiosk", _run)
    run.add_argument("--headless", action="store_true", help="without a window: scans are only looked up")
    run.add_argument("--verbose", action="store_true", help="log frames and other details")
    add_places(run)
    code = commands.add_parser("code", help="what is this code?").add_subparsers(required=True, metavar="ACTION")
    recognise = code.add_parser("recognise", help="rank what a scanned text may be")
    recognise.add_argument("text", help="as the scanner gave it; put -- before it")
    recognise.set_defaults(run=_recognise)
    devices.add(commands)
    store.add(commands)
    doctor.add(commands)
    enrol.add(commands)
    keep.add(commands)
    stick.add(commands)
    support.add(commands)
    sheet.add(commands)
    commission.add(commands)
    batch.add(commands)
    update.add(commands)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from edge import app, keys, logs, setup, watchdog

    place = first_place(arguments)
    if is_first(place, arguments):
        from edge import first_app

        logs.set_up(place.data_dir / "log", verbose=arguments.verbose)
        return first_app.run(place, headless=arguments.headless)
    try:
        settings = settings_of(arguments)
        keys.load(settings)
        setup.prove(settings)
    except ConfigError as error:
        if arguments.headless or not watchdog.is_supervised():
            raise  # somebody reads the sentence
        from edge import first_app

        logs.set_up(place.data_dir / "log", verbose=arguments.verbose)
        first_app.out_of_order(error)
        return USAGE
    logs.set_up(settings.data_dir / "log", verbose=arguments.verbose)
    return app.run(settings, headless=arguments.headless)


def _recognise(arguments: argparse.Namespace) -> None:
    emit(codes.to_json(codes.recognise(arguments.text)))
