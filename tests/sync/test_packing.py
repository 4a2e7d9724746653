"""Dictionaries of our own facts: agreed on in answers, named in the bytes, and old batches stay readable."""

from __future__ import annotations

import io
import json
import sys
import zlib
from pathlib import Path

import pytest
from memory_logs import KEY, ReceivingEnd, SendingEnd
from points import Point
from train_dictionary import batches, packed

from edge.chain import walk
from edge.cli import main
from edge.events import BillAccepted, DoorOpened, ParcelArrived
from edge.model import Phone
from sync import dictionary_1, packing
from sync.relay import Receiver
from sync.strict import BadBatch
from sync.wire import Ack, decode_ack, decode_batch, encode_ack, encode_batch

RECORDED = Path(__file__).parent / "recorded"  # hex, one file for each way of packing that was ever released
FACTS = (
    ParcelArrived("00000000000000aa", "SF0000000000001", "SF", False, "op-1", 7, None, Phone("13812345678")),
    DoorOpened("00000000000000ab", 7),
    BillAccepted("B-7", 8_650, "cash", "S-1", "op-1"),
)


def sent(dictionary: int = 0) -> bytes:
    point = Point()
    point.happened(*FACTS)
    return encode_batch(point.sender.batch(point.disk.items, point.disk.marks[-1]), dictionary)


@pytest.mark.parametrize(("file", "dictionary"), [("plain.hex", 0), ("dictionary_1.hex", 1)])
def test_a_recorded_batch_of_every_release_is_read_and_fits_its_chain(file: str, dictionary: int) -> None:
    payload = bytes.fromhex((RECORDED / file).read_text())

    batch = decode_batch(payload)

    assert packing.dictionary_of(payload) == dictionary
    assert batch == decode_batch(sent())
    assert walk(KEY, batch.prev, batch.items)[-1] == batch.mark


def test_a_released_dictionary_never_changes() -> None:
    assert zlib.adler32(dictionary_1.TEXT.encode()) == 0x6B9F83FB


def test_small_batches_of_a_day_shrink_by_a_quarter() -> None:
    fresh = list(batches(3, 100))

    assert packed(fresh, dictionary_1.TEXT.encode()) < 0.75 * packed(fresh, b"")


def test_a_dictionary_of_tomorrow_is_told_apart_from_damage() -> None:
    packer = zlib.compressobj(zdict=b"what comes after us")
    payload = packer.compress(b'{"v":1}') + packer.flush()

    with pytest.raises(BadBatch, match="another release"):
        decode_batch(payload)


def test_nothing_is_packed_with_a_dictionary_before_the_other_side_has_told_to_know_it() -> None:
    terminal, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    terminal.disk.append('{"n":1}')
    before = terminal.sender.dictionary

    [question] = terminal.outgoing()
    terminal.on_ack(decode_ack(encode_ack(hub.on_batch(question))))

    assert (before, terminal.sender.dictionary) == (0, packing.NEWEST)


def test_an_answer_of_the_first_release_takes_the_dictionary_back() -> None:
    terminal, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    [question] = terminal.outgoing()
    answer = hub.on_batch(question)
    terminal.on_ack(answer)
    of_old = json.loads(encode_ack(answer))
    del of_old["dict"]

    terminal.on_ack(decode_ack(json.dumps(of_old).encode()))

    assert terminal.sender.dictionary == 0


def test_a_hub_of_tomorrow_gets_the_newest_dictionary_that_we_have() -> None:
    assert sent(packing.NEWEST + 5) == sent(packing.NEWEST)
    assert decode_ack(encode_ack(Ack(Point().disk.head(), dictionary=9))).dictionary == 9


def test_a_batch_is_shown_in_plain_words_with_masked_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "batch"
    file.write_bytes(sent(1))

    code = main(["batch", "show", str(file)])

    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert (said[0]["first"], said[0]["last"], said[0]["dictionary"]) == (1, 3, 1)
    assert [each["kind"] for each in said[1:]] == [fact.kind for fact in FACTS]
    assert said[1]["personal"] == {"phone": "138******78"}
    assert said[3]["body"]["fen"] == 8_650


def test_what_is_no_batch_is_refused_with_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"no batch")))

    code = main(["batch", "show", "-"])

    assert code == 1
    assert capsys.readouterr().err == "this is no batch: not deflated\n"
