"""Stories of a gun's memory: an upload becomes a list, the operator takes it in, and nothing is doubled."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.base import Batch, Flaw, Read, TimeQuality
from edge import batch_lists, batches
from edge.flows import batch
from edge.model import Rejected
from edge.steps import (
    AskCarrier,
    AskPhone,
    BatchBoard,
    CloseBatch,
    CodesWait,
    NeedConsent,
    PutIn,
    ShowBoard,
    Stored,
    TakeBatch,
    TakeCode,
)
from tests.stories.patient_loop import run_patiently
from tests.stories.point import OPERATOR, Fittings, Point, waybill

UNKNOWN = "SF1385628716739"
TOKEN = "VP1:" + "A" * 26


def upload(*codes: str, scanner: str = "gun", live: int = 0) -> Batch:
    reads = tuple(Read(code, scanner, 1000 + at, time_quality=TimeQuality.UPLOAD) for at, code in enumerate(codes))
    return Batch(scanner, reads, live=live)


async def shown(point: Point) -> BatchBoard:
    return await point.store.run(batch_lists.board)


async def kinds_of(point: Point) -> dict[str, str]:
    return {line.number: line.kind for line in (await shown(point)).lines}


async def stands_at_the_counter(point: Point) -> None:
    from edge.model import Role

    await point.with_operator()
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)


async def test_an_upload_waits_as_a_list_and_moves_nothing(point: Point) -> None:
    await point.expected(1, consent="shelf")
    await point.expected(2, consent="locker")
    await point.expected(3, consent="none")
    facts = await point.kinds()

    step = await batch.received(point.site, upload(waybill(1), waybill(2), waybill(3), UNKNOWN), {})

    assert step == CodesWait(4)
    assert await kinds_of(point) == {waybill(1): "shelf", waybill(2): "cell", waybill(3): "consent", UNKNOWN: "unknown"}
    assert (await shown(point)).proposed == 1
    assert await point.kinds(len(facts)) == ["codes_uploaded"]
    assert not point.board.pulses
    assert not point.posted


async def test_what_is_proposed_goes_to_the_shelf_without_a_door_and_is_known_as_uploaded(point: Point) -> None:
    await stands_at_the_counter(point)
    shelf, cell = await point.expected(1, consent="shelf"), await point.expected(2, consent="locker")
    await batch.received(point.site, upload(waybill(1), waybill(2)), {})

    [board] = await point.wants(TakeBatch((await shown(point)).batch))

    assert isinstance(board, BatchBoard)
    assert [(line.number, line.kind, bool(line.place)) for line in board.lines] == [
        (waybill(2), "cell", False), (waybill(1), "taken", True)
    ]  # fmt: skip
    assert (await point.parcel(shelf)).state == "on_shelf"
    assert (await point.parcel(cell)).state == "expected"
    assert "parcel_from_batch" in await point.kinds()
    assert not point.board.pulses


async def test_a_parcel_for_a_cell_is_opened_alone_when_the_operator_asks(point: Point) -> None:
    await stands_at_the_counter(point)
    await point.expected(1)
    await point.expected(2)
    await batch.received(point.site, upload(waybill(1), waybill(2)), {})

    steps = await point.wants(TakeCode(waybill(2)))

    assert [type(step) for step in steps][1:] == [PutIn, Stored]
    assert point.board.pulses.total() == 1
    assert await kinds_of(point) == {waybill(1): "cell", waybill(2): "taken"}


async def test_questions_are_asked_one_by_one(point: Point) -> None:
    await stands_at_the_counter(point)
    await point.expected(3, consent="none")
    await batch.received(point.site, upload(waybill(3), UNKNOWN, "7700123456789"), {})
    told = await kinds_of(point)

    assert isinstance((await point.wants(TakeCode(waybill(3))))[-1], NeedConsent)
    assert isinstance((await point.wants(TakeCode(UNKNOWN)))[-1], AskPhone)
    if told["7700123456789"] == "carrier":
        assert isinstance((await point.wants(TakeCode("7700123456789")))[-1], AskCarrier)


async def test_a_deposit_given_up_at_the_door_lets_the_code_wait_again(point: Point) -> None:
    await stands_at_the_counter(point)
    parcel = await point.expected(1)
    await batch.received(point.site, upload(waybill(1)), {})

    def gives_up(at: Point, step: object) -> None:
        if isinstance(step, PutIn):
            at.site.gave_up.set()

    await point.wants(TakeCode(waybill(1)), gives_up)

    assert (await point.parcel(parcel)).state == "expected"
    assert await kinds_of(point) == {waybill(1): "cell"}


async def test_the_same_memory_sent_again_asks_nothing_twice(point: Point) -> None:
    await stands_at_the_counter(point)
    await point.expected(1, consent="shelf")
    await batch.received(point.site, upload(waybill(1), UNKNOWN), {})
    await point.wants(TakeBatch((await shown(point)).batch))
    await point.wants(CloseBatch((await shown(point)).batch))

    assert await batch.received(point.site, upload(waybill(1), UNKNOWN), {}) == CodesWait(0)
    assert await shown(point) == BatchBoard()


async def test_a_parcel_that_was_collected_meanwhile_is_not_asked_for_again(point: Point) -> None:
    from edge import pickups
    from edge.flows.pickup import Hands, hand_over

    await stands_at_the_counter(point)
    parcel = await point.expected(1, consent="shelf")
    await batch.received(point.site, upload(waybill(1)), {})
    await point.wants(TakeBatch((await shown(point)).batch))
    await hand_over(point.site, parcel, Hands("self", OPERATOR))

    assert await batch.received(point.site, upload(waybill(1)), {}) == CodesWait(0)
    assert await point.store.run(pickups.state_of, parcel) == "picked_up"


async def test_codes_that_went_live_before_the_upload_showed_are_here_already(point: Point) -> None:
    await stands_at_the_counter(point)
    shelved = await point.shelved(1)
    await point.expected(2, consent="shelf")

    assert await batch.received(point.site, upload(waybill(1), waybill(2), live=1), {}) == CodesWait(1)
    assert await kinds_of(point) == {waybill(2): "shelf"}
    assert (await point.parcel(shelved.id)).state == "on_shelf"


async def test_a_live_scan_of_a_waiting_parcel_settles_its_code(point: Point) -> None:
    await point.expected(1, consent="shelf")
    await batch.received(point.site, upload(waybill(1)), {})
    await point.shelved(1)

    assert await point.store.run(batches.waiting) == 0
    assert "parcel_from_batch" not in await point.kinds()


async def test_secrets_and_damaged_reads_are_counted_and_kept_nowhere(point: Point) -> None:
    damaged = Read("", "gun", 5, flaw=Flaw.DAMAGED, time_quality=TimeQuality.UPLOAD)
    mixed = upload(TOKEN, "134563912345678901", waybill(1))

    await batch.received(point.site, Batch("gun", (*mixed.reads, damaged)), {})

    board = await shown(point)
    assert (len(board.lines), board.useless) == (1, 3)
    assert b"A" * 26 not in (point.folder / "point.db").read_bytes()


async def test_a_closed_list_makes_room_for_the_next(point: Point) -> None:
    await stands_at_the_counter(point)
    await batch.received(point.site, upload(UNKNOWN), {})
    await batch.received(point.site, upload(waybill(7), scanner="other"), {})
    first = await shown(point)
    assert (first.scanner, first.further) == ("gun", 1)

    [second] = await point.wants(CloseBatch(first.batch))

    assert isinstance(second, BatchBoard)
    assert (second.scanner, second.further) == ("other", 0)
    assert [await point.store.run(batches.waiting)] == [1]


@pytest.mark.parametrize("point", [Fittings(places=1)], indirect=True)
async def test_a_full_shelf_stops_the_list_and_the_rest_waits(point: Point) -> None:
    await stands_at_the_counter(point)
    for number in (1, 2, 3):
        await point.expected(number, consent="shelf")
    await batch.received(point.site, upload(waybill(1), waybill(2), waybill(3)), {})

    with pytest.raises(Rejected, match="no_free_place"):
        await point.wants(TakeBatch((await shown(point)).batch))

    assert list((await kinds_of(point)).values()) == ["shelf", "shelf", "taken"]


async def test_only_an_operator_takes_codes(point: Point) -> None:
    await batch.received(point.site, upload(UNKNOWN), {})

    for intent in (TakeBatch("x"), TakeCode(UNKNOWN), CloseBatch("x"), ShowBoard("batch")):
        with pytest.raises(Rejected, match="login_first"):
            await point.wants(intent)


async def test_a_number_that_does_not_wait_is_not_taken(point: Point) -> None:
    await stands_at_the_counter(point)

    with pytest.raises(Rejected, match="not_here"):
        await point.wants(TakeCode(UNKNOWN))


async def test_lists_are_forgotten_after_a_month(point: Point) -> None:
    await batch.received(point.site, upload(UNKNOWN), {})
    later = (await shown(point)).at + batches.KEEP_MS + 1

    await point.store.run(batches.forget, later - batches.KEEP_MS)

    assert await shown(point) == BatchBoard()


@pytest.mark.parametrize("commits", range(1, 6))
def test_a_restart_in_mid_take_up_doubles_nothing(tmp_path: Path, commits: int) -> None:
    """The program ends between any two commits; afterwards the gun sends its whole memory again."""

    async def story() -> None:
        point = Point(tmp_path / "data")
        codes = [waybill(number) for number in (1, 2, 3)]
        async with point.running():
            await stands_at_the_counter(point)
            parcels = [await point.expected(number, consent="shelf") for number in (1, 2, 3)]
            await batch.received(point.site, upload(*codes), {})
            flow = asyncio.create_task(point.wants(TakeBatch((await shown(point)).batch)))
            point.at_commit(commits, flow.cancel)
            await asyncio.gather(flow, return_exceptions=True)
        async with point.running():
            await stands_at_the_counter(point)
            await batch.received(point.site, upload(*codes), {})
            await point.wants(TakeBatch((await shown(point)).batch))
            assert {(await point.parcel(parcel)).state for parcel in parcels} == {"on_shelf"}
            assert (await point.kinds()).count("parcel_arrived") == 3
            assert await point.store.run(batches.waiting) == 0
            await point.sound()

    run_patiently(story())


PERSONAL = (
    "13812345678", "138 1234 5678", "+86 138 1234 5678", "138-1234-5678", "138.1234.5678", "8613812345678",
    "SF1300000000001 张三 13812345678", "张三", "WANG XIAOMING", "tel:13812345678", "(0791)1234567", "0791-1234567",
    "MECARD:N:张三;TEL:13812345678;;", "BEGIN:VCARD\nTEL:13812345678\nEND:VCARD", "110101199003078515",
    "13812345678A", '{"phone":"13812345678"}', "]C0134563912345678901", "1345\x1d6391\x1d2345678901", "x" * 4000,
)  # fmt: skip


async def test_what_belongs_to_a_person_is_kept_nowhere(point: Point, caplog: pytest.LogCaptureFixture) -> None:
    """A gun's memory holds whatever was before it: visiting cards, identity cards, telephones of other people."""
    caplog.set_level("DEBUG")
    await batch.received(point.site, upload(*PERSONAL, waybill(1)), {})

    board = await shown(point)
    assert [line.number for line in board.lines] == [waybill(1)]
    assert board.useless == len(PERSONAL)
    disk = b"".join(file.read_bytes() for file in point.folder.iterdir() if file.is_file())
    for secret in ("12345678", "1234-5678", "1234 5678", "张三", "XIAOMING", "19900307", "2345678901"):
        assert secret.encode() not in disk
        assert secret not in caplog.text


async def test_a_number_like_a_telephone_is_kept_when_a_parcel_has_it(point: Point) -> None:
    from edge import events
    from tests.stories.point import told

    number = "8613812345678"
    fact = events.ParcelExpected("p-9", number, "YUNDA", None, None, None, "shelf", "S")
    await point.store.run(told, fact)

    await batch.received(point.site, upload(number), {})

    assert await kinds_of(point) == {number: "shelf"}


async def test_the_operator_is_not_asked_for_the_carrier_of_a_text(point: Point) -> None:
    from edge.steps import Scanned

    await stands_at_the_counter(point)

    for text in ("张三 13812345678", "MECARD:N:张三;TEL:13812345678;;"):
        with pytest.raises(Rejected, match="unknown_code"):
            await point.wants(Scanned(text, "intake"))
