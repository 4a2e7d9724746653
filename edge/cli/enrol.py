"""`village-point enrol|identity`: ask the hub to let this terminal in, and look at what it gave."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from edge.cli.common import CONFIG_VARIABLE, DONE, NotNow, command, emit
from edge.cli.owner import hand_over_file
from edge.enrolling import Prepared, enrol, prepared
from sync.enrol import Claim, EnrolFault
from sync.identity import Identity, InUse, WrongGrant
from sync.x509 import BadPem

WAIT_S = 900
SENTENCES = {
    "wrong_hub": "this is not the hub whose fingerprint is in the settings; nothing was told to it",
    "hub_clock": "the hub's certificate is not valid at this time; look at the clocks of hub and terminal",
    "line": "the hub's reception cannot be reached; look at host, enrol_port and the line",
    "busy": "the hub's reception has no time; try again in a few minutes",
    "full": "too many terminals wait for approval; the hub's desk has to approve or refuse some",
    "closed": "the hub's reception is closed; the hub's people have to look at its log",
    "revoked": "the hub has taken this terminal's certificate back",
}


def add(commands: Any) -> None:
    asking = command(commands, "enrol", "show the claim code and wait until the hub has approved it", _enrol)
    asking.add_argument("--wait", type=int, default=WAIT_S, metavar="SECONDS", help="0 asks once")
    command(commands, "identity", "the certificate of this terminal", _identity)


def _enrol(arguments: argparse.Namespace) -> int:
    card = _card(arguments)
    try:
        claim = enrol(card, _tell, arguments.wait)
    except EnrolFault as fault:
        raise NotNow(SENTENCES.get(fault.word, f"{fault} ({fault.word})")) from fault
    except (InUse, WrongGrant, BadPem) as error:
        raise NotNow(str(error)) from error
    if claim.state == "granted":
        hand_over_file(card.file)
        return DONE
    raise NotNow("nobody has approved the code yet; ask again" if claim.state == "waiting" else "the hub said no")


def _tell(claim: Claim) -> None:
    told = {"state": claim.state, "code": claim.code, "qr": claim.qr}
    emit(told | ({"site": claim.site} if claim.site else {}))


def _identity(arguments: argparse.Namespace) -> None:
    card = _card(arguments)
    if card.hub.identity_dir is None:
        raise AssertionError("prepared() checked this")
    identity = Identity(card.hub.identity_dir)
    if not identity.is_enrolled:
        raise NotNow("this terminal is not enrolled; run: village-point enrol")
    try:
        own = identity.certificate()
    except BadPem as error:
        raise NotNow(f"{identity.pair_file}: {error}; enrol this terminal again") from error
    emit(
        {
            "site": own.name,
            "device": own.device,
            "serial": own.serial,
            "begins": own.span.begin.isoformat(),
            "ends": own.span.end.isoformat(),
        }
    )


def _card(arguments: argparse.Namespace) -> Prepared:
    named = getattr(arguments, "config", None) or os.environ.get(CONFIG_VARIABLE)
    if not named:
        raise ValueError(f"give --config FILE or set {CONFIG_VARIABLE}")
    card = prepared(Path(named))
    arguments.worked_in = card.data_dir
    return card
