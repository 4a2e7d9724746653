"""A terminal that is not yet enrolled: its counter works, it asks by itself, and its log goes on under the new key."""

from __future__ import annotations

import dataclasses

from edge import events, log
from edge.chain import GENESIS, Position
from edge.model import Seq
from edge.steps import BeginAnew, Pairing
from edge.store import Keys, Store
from ui.viewmodels import states, steps
from ui.viewmodels.frame import Face, Frame

DEVICE, LINK = b"d" * 32, b"l" * 32
WAITING = Pairing("waiting", "K7QM-2XWD-P4TR", "VPCLAIM:1:K7QM-2XWD-P4TR")


def with_keys(store: Store, link: bytes) -> None:
    store.keys = Keys(link=link, device=DEVICE)


def test_a_log_begun_without_a_link_key_is_whole_under_it_afterwards(store: Store) -> None:
    with_keys(store, DEVICE)
    for page in ("home", "pickup", "bill"):
        store.run_now(log.append, events.HelpCalled(page))
    assert store.run_now(log.verify) is None

    with_keys(store, LINK)
    before = store.run_now(log.verify)
    count = store.run_now(log.take_over)

    assert before is not None
    assert count == 3
    assert store.run_now(log.verify) is None
    assert store.run_now(log.take_over) == 0


def test_a_log_the_hub_has_heard_of_is_never_chained_anew(store: Store) -> None:
    with_keys(store, DEVICE)
    logged = store.run_now(log.append, events.HelpCalled("home"))
    at = store.run_now(log.cursor, log.UP)
    store.run_now(log.confirm, Position(at.log_id, Seq(1), logged.mark))
    with_keys(store, LINK)

    assert store.run_now(log.take_over) == 0
    assert store.run_now(log.mark_at, Seq(1)) == logged.mark != GENESIS


def frame(state: object) -> Frame:
    return Frame(face=Face(), state=state, lang="zh")  # type: ignore[arg-type]


def test_the_terminal_begins_anew_only_when_nobody_stands_before_it() -> None:
    granted = Pairing("granted")

    waits, asked = steps.on_step(frame(states.Home()), granted)
    goes, begun = steps.on_step(frame(states.Standby()), granted)

    assert (asked, begun) == ((), (BeginAnew(),))
    assert waits.pairing == goes.pairing == granted


def test_the_claim_stays_on_the_waiting_page_when_a_person_has_gone() -> None:
    shown, intents = steps.on_step(frame(states.Home()), WAITING)

    assert intents == ()
    assert shown.cleared(states.Standby()).pairing == WAITING
    assert dataclasses.replace(shown, pairing=None).cleared(states.Standby()).pairing is None
