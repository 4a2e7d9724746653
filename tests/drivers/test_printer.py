"""The receipt printer on virtual time: what each outcome means, and what is never claimed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from drivers.base import Health, NoAnswer, NotThere, Refused
from drivers.paper import Cover, Cut, Line, Paper, Printed, Printer, QrCode, Text
from drivers.ports import link_to
from drivers.printer import SlipPrinter, draw
from drivers.sim.host import Host, Terminal
from drivers.sim.printer import Receipts
from drivers.wire.escpos import Form
from tests.links import Pipe, Shape, byte_by_byte, glued, run_instantly, whole

SLIP: list[Line] = [Text("收据 0007", is_big=True), *[Text(f"第{n}行") for n in range(30)], QrCode("7"), Cut()]
LINES = ["[big] 收据 0007", *[f"第{n}行" for n in range(30)], "[QR 7]"]
Story = Callable[[Printer, Receipts, Pipe], Awaitable[None]]


@pytest.fixture(autouse=True, scope="module")
def _library() -> None:
    draw([], Form())  # loaded before virtual time begins: a thread knows no virtual time


def play(story: Story, shape: Shape = whole, receipts: Receipts | None = None, echo: bool = False) -> None:
    sim = receipts or Receipts()
    sim.line.echoes = echo
    pipe = Pipe(sim, shape)

    async def main() -> None:
        printer = SlipPrinter(pipe.link("printer", echo), Form())
        await printer.start()
        ticking = asyncio.create_task(_tick(pipe))
        try:
            await asyncio.sleep(3)
            await story(printer, sim, pipe)
        finally:
            ticking.cancel()
            async with asyncio.timeout(2):
                await printer.stop()
                await printer.stop()

    run_instantly(main())


async def _tick(pipe: Pipe) -> None:
    while True:
        pipe.tick()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("shape", [whole, byte_by_byte, glued])
@pytest.mark.parametrize("echo", [False, True])
def test_a_slip_is_printed_once_and_confirmed_however_the_bytes_come(shape: Shape, echo: bool) -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        assert await printer.print(SLIP) is Printed.DONE
        assert sim.slips == [LINES]
        status = printer.status()
        assert (status.health, status.paper, status.cover) == (Health.OK, Paper.OK, Cover.CLOSED)

    play(story, shape, echo=echo)


def test_slips_queue_up_and_do_not_mix() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        done = await asyncio.gather(*(printer.print([Text(f"{n}"), Text("x"), Cut()]) for n in range(5)))
        assert done == [Printed.DONE] * 5
        assert sim.slips == [[f"{n}", "x"] for n in range(5)]

    play(story)


def test_a_printer_that_never_answers_is_sent_the_slip_and_nothing_is_claimed() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        assert await printer.print(SLIP) is Printed.SENT
        assert sim.slips == [LINES]
        status = printer.status()
        assert (status.health, status.paper, status.cover) == (Health.OK, Paper.UNKNOWN, Cover.UNKNOWN)
        assert "never answers" in status.hint

    play(story, receipts=Receipts(answers=False))


def test_noise_makes_no_answering_printer_of_a_mute_one() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        assert pipe._port is not None
        for _ in range(60):
            pipe._port.deliver([b"\x16"])  # reads as "cover open", once
            await asyncio.sleep(1.3)
        assert (printer.status().health, printer.status().cover) == (Health.OK, Cover.UNKNOWN)
        assert await printer.print(SLIP) is Printed.SENT
        assert sim.slips == [LINES]

    play(story, receipts=Receipts(answers=False))


def test_a_printer_that_does_not_know_the_mark_is_well_and_does_not_confirm() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        assert await printer.print(SLIP) is Printed.SENT
        assert sim.slips == [LINES]
        assert printer.status().paper is Paper.OK

    play(story, receipts=Receipts(confirms=False))


@pytest.mark.parametrize(
    ("handle", "heal", "hint"),
    [
        ("paper_out", "new_roll", "paper is out"),
        ("cover_open", "cover_close", "cover is open"),
        ("jam", "unjam", "reports an error"),
    ],
)
def test_nothing_is_printed_on_a_printer_that_says_it_cannot(handle: str, heal: str, hint: str) -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        sim.poke(handle, [])
        with pytest.raises(Refused, match=hint):
            await printer.print(SLIP)
        assert printer.status().health is Health.DEGRADED
        assert hint in printer.status().hint
        sim.poke(heal, [])
        assert await printer.print(SLIP) is Printed.DONE
        assert sim.slips == [LINES]

    play(story)


def test_paper_and_cover_are_watched_between_slips() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        sim.poke("near_end", [])
        await asyncio.sleep(15)
        assert (printer.status().health, printer.status().paper) == (Health.DEGRADED, Paper.NEAR_END)
        assert await printer.print(SLIP) is Printed.DONE
        sim.poke("cover_open", [])
        await asyncio.sleep(15)
        assert printer.status().cover is Cover.OPEN

    play(story)


def test_paper_that_ends_in_a_slip_leaves_its_outcome_unknown() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        sim.poke("paper_out", ["10"])
        assert await printer.print(SLIP) is Printed.UNKNOWN
        assert sim.slips == []
        assert printer.status().paper is Paper.OUT
        sim.poke("new_roll", [])
        await asyncio.sleep(1)
        assert await printer.print(SLIP) is Printed.DONE

    play(story)


def test_a_printer_that_answered_and_is_silent_now_gets_no_slip() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        sim.power_off()
        with pytest.raises(NoAnswer):
            await printer.print(SLIP)
        status = printer.status()
        assert (status.health, status.paper, status.cover) == (Health.AWAY, Paper.UNKNOWN, Cover.UNKNOWN)
        sim.has_power = True
        assert await printer.print(SLIP) is Printed.DONE
        assert sim.slips == [LINES]

    play(story)


def test_a_printer_that_goes_silent_in_a_slip_leaves_its_outcome_unknown() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        sim.line.mute(after_moves=3)
        assert await printer.print(SLIP) is Printed.UNKNOWN

    play(story)


def test_an_unplugged_printer_is_not_there_and_comes_back() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        pipe.unplug()
        await asyncio.sleep(0.1)
        with pytest.raises(NotThere):
            await printer.print(SLIP)
        assert printer.status().health is Health.AWAY
        pipe.replug()
        await asyncio.sleep(2)
        assert await printer.print(SLIP) is Printed.DONE
        assert sim.slips == [LINES]

    play(story)


def test_a_cable_pulled_in_a_slip_leaves_its_outcome_unknown() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        receive = sim.receive

        def tear(chunk: bytes) -> list[bytes]:
            if len(chunk) == 256:
                pipe.unplug()
            return receive(chunk)

        sim.receive = tear  # type: ignore[method-assign]
        assert await printer.print(SLIP) is Printed.UNKNOWN

    play(story)


def test_a_bad_cable_never_makes_two_slips_of_one() -> None:
    async def story(printer: Printer, sim: Receipts, pipe: Pipe) -> None:
        sim.line.garble(0.1, 4)
        printed = 0
        for number in range(40):
            try:
                printed += await printer.print([Text(f"n{number}"), Cut()]) is Printed.DONE
            except (NoAnswer, Refused):
                await asyncio.sleep(5)
        assert printed > 5
        tops = [slip[0] for slip in sim.slips if slip]
        assert len(tops) == len(set(tops))

    play(story)


def test_a_printer_on_a_real_terminal_prints(tmp_path: Path) -> None:
    async def main() -> None:
        sim = Receipts()
        host = Host([Terminal("printer", sim, tmp_path / "printer")], None)
        await host.start()
        printer = SlipPrinter(link_to("printer", str(tmp_path / "printer"), 9600), Form())
        await printer.start()
        assert await printer.print(SLIP) is Printed.DONE
        assert sim.slips == [LINES]
        await printer.stop()
        await host.stop()

    asyncio.run(main())


def test_a_printer_on_the_network_prints(tmp_path: Path) -> None:
    sim = Receipts()
    guests: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guests.append(writer)
        while chunk := await reader.read(4096):
            for reply in sim.receive(chunk):
                writer.write(reply)

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        printer = SlipPrinter(link_to("printer", f"tcp://127.0.0.1:{port}", 0), Form())
        await printer.start()
        async with asyncio.timeout(10):
            while printer.status().paper is not Paper.OK:
                await asyncio.sleep(0.02)
        assert await printer.print(SLIP) is Printed.DONE
        await printer.stop()
        server.close()
        for guest in guests:
            guest.transport.abort()
        await asyncio.sleep(0.05)

    asyncio.run(main())
    assert sim.slips == [LINES]


def test_a_slip_goes_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "slips").touch()

    async def main() -> None:
        printer = SlipPrinter(link_to("printer", f"file://{tmp_path}/slips", 0), Form())
        await printer.start()
        assert await printer.print(SLIP) is Printed.SENT
        await printer.stop()

    asyncio.run(main())
    sim = Receipts()
    sim.receive((tmp_path / "slips").read_bytes())
    assert sim.slips == [LINES]
