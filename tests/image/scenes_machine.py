"""What the machine itself does when time, kiosk or kernel go wrong: a clock chip that lost its time, crashes, a freeze.

One start serves all of it: with a clock chip of years ago and a hardware watchdog, both as the emulator gives them.
"""

from __future__ import annotations

import time

from emulated_point import START_S, EmulatedPoint
from ledger import Ledger, until
from scenes_start import CONFIG, STANDBY, Watcher, verified

OLD = "2019-03-01T00:00:00"  # what a clock chip says whose battery is empty
EXTRA = ("-device", "i6300esb", "-rtc", f"base={OLD}")
CRASHES = 3  # one after the other, each waited for
LOOP_KILLS = 30  # more than systemd allows within its five minutes
LOOP_S = 280.0
FREEZE_S = 120.0  # the watchdog is set to 15 s
OUT_OF_ORDER = "journalctl -b -u village-point -o cat | grep -m1 '\"out_of_order\": *true'"
STOP_SLACK_S = 5.0
SOON_S = 120.0
FREEZE = (
    "echo -1 >/proc/sys/kernel/sched_rt_runtime_us; "
    "for each in 1 2 3 4; do setsid chrt -f 99 sh -c 'while :; do :; done' & done\n"
)  # nothing but these loops runs from here on, no first program either


def wrong_turns(point: EmulatedPoint, watcher: Watcher, ledger: Ledger) -> None:
    """The point is on, with a shell; it is on afterwards."""
    facts = verified(point)["facts"]
    off_at = int(point.shell.run("date +%s"))
    point.switch_off()
    point.power_on(extra=EXTRA)
    watcher.wait(STANDBY, START_S)
    point.open_shell()
    clock(point, ledger, off_at)
    settings(point, watcher, ledger)
    crashes(point, watcher, ledger)
    crash_loop(point, watcher, ledger)
    freeze(point, watcher, ledger)
    proof = verified(point)
    ledger.check("crashes and freezes leave the books whole", proof["ok"] and proof["facts"] >= facts, (facts, proof))


def clock(point: EmulatedPoint, ledger: Ledger, off_at: int) -> None:
    """Time goes on from where it stopped, whatever the chip says."""
    chip = point.shell.run("cat /sys/class/rtc/rtc0/date")
    now = int(point.shell.run("date +%s"))
    ledger.check("the clock chip tells a time of years ago", chip.startswith(OLD[:7]), chip)
    ledger.check("the clock is not before the last time known", now >= off_at - STOP_SLACK_S, (off_at, now))
    ledger.figure("clock after a start with a chip of 2019, against the last time known", now - off_at)


def settings(point: EmulatedPoint, watcher: Watcher, ledger: Ledger) -> None:
    """Somebody spoils the settings: the screen says so, nothing restarts again and again; mended, it comes back."""
    point.machine.qmp.events.clear()
    point.shell.run(f"cp -p {CONFIG} /run/kept.toml && echo 'language = \"none\"' >>{CONFIG}")
    point.shell.run("systemctl restart village-point")
    told = until("the kiosk's word that it is out of order", lambda: point.shell.run(OUT_OF_ORDER, worst=1), SOON_S)
    time.sleep(SOON_S / 12)  # it is drawn
    watcher.page()  # one line on an empty page is like several; the picture is kept for eyes
    watcher.keep("bad-settings")
    ledger.check("spoilt settings are told with their file", CONFIG in told, told)
    kiosk = _kiosk(point)
    time.sleep(SOON_S / 4)
    ledger.check(
        "a point with spoilt settings stays up", (_kiosk(point), point.machine.qmp.events) == (kiosk, []), kiosk
    )
    point.shell.run(f"cat /run/kept.toml >{CONFIG}")
    began = time.monotonic()
    watcher.reach(STANDBY, "mended settings are taken by themselves")
    ledger.figure("settings mended to the standby screen", time.monotonic() - began)


def crashes(point: EmulatedPoint, watcher: Watcher, ledger: Ledger) -> None:
    """The kiosk is killed and comes back."""
    for _ in range(CRASHES):
        old = _kiosk(point)
        point.shell.run(f"kill -KILL {old}")
        began = time.monotonic()
        until("another kiosk", lambda old=old: _kiosk(point) not in {old, "0"}, SOON_S)
        time.sleep(SOON_S / 12)  # the former picture is gone
        watcher.reach(STANDBY, "a killed kiosk comes back")
        ledger.figure("kiosk killed to its standby screen", time.monotonic() - began)


def crash_loop(point: EmulatedPoint, watcher: Watcher, ledger: Ledger) -> None:
    """A kiosk that never comes up takes the machine down and up again, rather than leave a dead screen."""
    point.shell.run("systemctl reset-failed village-point")
    point.shell.type(
        f"for each in $(seq {LOOP_KILLS}); do systemctl kill --signal=KILL village-point 2>/dev/null; sleep 4; done\n"
    )
    began = time.monotonic()
    _wait_event(point, "RESET", LOOP_S)
    ledger.figure("a kiosk that dies again and again restarts the machine after", time.monotonic() - began)
    _up_again(point, watcher, ledger, "a restart after a loop of crashes ends at the standby screen")


def freeze(point: EmulatedPoint, watcher: Watcher, ledger: Ledger) -> None:
    """A machine that stands still is restarted by its hardware watchdog."""
    armed = point.shell.run("cat /sys/class/watchdog/watchdog0/state /sys/class/watchdog/watchdog0/timeout").split()
    ledger.check("the hardware watchdog is armed with 15 s", armed == ["active", "15"], armed)
    point.machine.qmp.events.clear()
    point.shell.type(FREEZE)
    began = time.monotonic()
    _wait_event(point, "WATCHDOG", FREEZE_S)
    ledger.figure("a frozen machine is restarted by its watchdog after", time.monotonic() - began)
    _up_again(point, watcher, ledger, "a restart by the watchdog ends at the standby screen")


def _kiosk(point: EmulatedPoint) -> str:
    return point.shell.run("systemctl show village-point -p MainPID --value")


def _wait_event(point: EmulatedPoint, name: str, seconds: float) -> None:
    def look() -> bool:
        point.machine.qmp.ask("query-status")  # what was told meanwhile is read with the answer
        return name in point.machine.qmp.events

    until(f"the emulator's word {name}", look, seconds)


def _up_again(point: EmulatedPoint, watcher: Watcher, ledger: Ledger, what: str) -> None:
    time.sleep(SOON_S / 12)
    watcher.reach(STANDBY, what)
    point.machine.qmp.events.clear()
    point.open_shell()
