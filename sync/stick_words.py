"""What the command lines say about a stick: one plain sentence for each word of BadStick. Screens have their own."""

from __future__ import annotations

SENTENCES = {
    "nothing": "there is no file for us on this stick: it is empty, or was written for another point or by another hub",
    "own": "this stick holds only what we wrote ourselves; take it to the other side",
    "unfinished": "the stick was pulled while it was written; write it again, nothing is lost",
    "cut_off": "a file on this stick is cut off; nothing of it was taken, write the stick again",
    "altered": "a file on this stick is damaged or was changed; nothing of it was taken, write the stick again",
    "version": "a file on this stick is from a newer release; bring this side up to date first",
    "gone": "the stick cannot be read or written any more; put it in again and repeat, nothing is doubled",
    "full": "the stick is full; make room or take another one",
    "read_only": "this stick may not be written or read; take off its write protection or mount it for us",
    "not_a_folder": "there is no such folder; name the folder where the stick is mounted",
    "hole": "the log does not hold facts that the hub still needs; call the district's technician",
    "too_large": "a fact is too large to travel; call the district's technician",
    "gap": "facts before these are missing here; write this stick for the point and take it there",
    "fork": "the point's card holds another history than we do; write this stick for the point and take it there",
    "hub_fork": "the hub was put back from a backup; write this stick and take it there, it will send all again",
    "hub_gap": "messages of the hub before these are missing here; write this stick and take it to the hub",
    "bad": "facts do not fit their chain of hashes: the card is damaged or was changed; nothing of them was taken",
    "pruned": "the log does not hold facts that the hub still needs; call the district's technician",
}
DAMAGED = frozenset({"gone", "full", "read_only"})  # the stick itself, not what stands on it
NOTHING_NEW = "there was nothing new on this stick; what it holds came here before"


def sentence(word: str) -> str:
    """The sentence of a word."""
    return SENTENCES.get(word, f"this stick cannot be used ({word})")
