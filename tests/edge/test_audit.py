"""The log is checked by itself: a break rings, and the ringing ends when the log fits again."""

from __future__ import annotations

from stockroom import Clock, Dice

from edge import audit, boards, log
from edge.events import HelpCalled
from edge.store import Store, Tx


def called(store: Store) -> None:
    for _ in range(3):
        store.run_now(log.append, HelpCalled("home"))


def spoil(tx: Tx, body: str) -> None:
    tx.bookkeeping = True
    tx.execute("UPDATE fact SET body = ? WHERE seq = 2", (body,))


def test_a_sound_log_rings_no_alarm(store: Store) -> None:
    called(store)

    assert store.run_now(audit.tail) is None
    assert store.run_now(boards.alarms) == ()


def test_an_altered_fact_rings_until_it_is_put_right(store: Store, clock: Clock, dice: Dice) -> None:
    called(store)
    store.run_now(spoil, '{"screen":"bill"}')

    broken = audit.whole(store.folder, store.keys, clock, dice)
    assert broken is not None
    assert broken.seq == 2
    store.run_now(audit.noted, broken)
    assert store.run_now(boards.alarms) == ("log_broken",)

    store.run_now(spoil, '{"screen":"home"}')
    store.run_now(audit.noted, audit.whole(store.folder, store.keys, clock, dice))
    assert store.run_now(boards.alarms) == ()
