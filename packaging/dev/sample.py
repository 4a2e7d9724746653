"""What the sample district holds: operators, 60 expected parcels, 30 bills, 3 notices; all made up from a seed.

Values only: district.py writes them into files. People, numbers and accounts are generated; every phone has
0000 in the middle so that nobody takes it for a real one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

SITE = "QJ-0001"
SITE_NAME = "金溪村服务点"
SEED = 20261122
PARCELS = 60
HOUSEHOLDS = 38  # fewer than parcels, so that some people have several waiting
WITHOUT_CONSENT = 8  # these are handed over in person
BILLS_PER_KIND = 10
CELLS = "S" * 12 + "M" * 8 + "L" * 4 + "S" * 6 + "M" * 4 + "L" * 2
BOARDS = {"locker": range(1, 25), "cellar": range(25, 37)}  # lock device -> its cells, in the order of its locks


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who may unlock the counter. The PINs are for the sample only and are printed by `make run`."""

    operator_id: str
    role: str
    pin: str


OPERATORS = (Operator("op1", "operator", "246810"), Operator("tech1", "technician", "975310"))

SURNAMES = "冉谭罗向田杨张陈刘何庞简任王李龚石"
GIVEN = "明华秀英建国玉兰桂芳春林德福小军海燕文静志强晓梅光荣永红世平素珍"
RARE = ("冉䶮", "罗𬭎", "谭㛃", "向𠮷")  # names that older fonts lose
HAMLETS = ("一组", "二组", "三组", "四组", "大坪", "河坝")


@dataclass(frozen=True, slots=True)
class Household:
    """A made-up family with one phone."""

    name: str
    phone: str
    address: str


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """One expected parcel as the hub's manifest carries it."""

    waybill_no: str
    carrier: str
    recipient: str
    phone: str
    address: str
    consent: str
    size: str


@dataclass(frozen=True, slots=True)
class BillRow:
    """One open bill as the biller gave it to the hub."""

    bill_id: str
    biller: str
    kind: str
    account_no: str
    name: str
    address: str
    period: str
    fen: int
    due: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice for the standby screen."""

    notice_id: str
    text: str
    valid_until: str


def manifest(today: date, seed: int = SEED) -> dict[str, list[dict[str, object]]]:
    """Make what the hub sends to the point: parcels, bills, notices. The same seed and day give the same rows."""
    dice = random.Random(seed)
    households = _households(dice)
    return {
        "parcels": [asdict(row) for row in _parcels(dice, households)],
        "bills": [asdict(row) for row in _bills(dice, households, today)],
        "notices": [asdict(row) for row in _notices(today)],
    }


def _households(dice: random.Random) -> list[Household]:
    names = list(RARE)
    while len(names) < HOUSEHOLDS:
        name = dice.choice(SURNAMES) + "".join(dice.sample(GIVEN, dice.choice((1, 2, 2))))
        if name not in names:
            names.append(name)
    tails = dice.sample(range(1000, 10000), HOUSEHOLDS)
    prefixes = ("130", "138", "151", "159", "177", "186", "199")
    return [
        Household(name, f"{dice.choice(prefixes)}0000{tail}", f"金溪村{dice.choice(HAMLETS)}{dice.randint(1, 60)}号")
        for name, tail in zip(names, tails, strict=True)
    ]


def _parcels(dice: random.Random, households: Sequence[Household]) -> list[ParcelRow]:
    carriers = [carrier for carrier, (share, _) in CARRIERS.items() for _ in range(share)]
    assert len(carriers) == PARCELS
    dice.shuffle(carriers)
    consents = ["none"] * WITHOUT_CONSENT + [dice.choice(("locker", "locker", "shelf")) for _ in carriers]
    consents = consents[:PARCELS]
    dice.shuffle(consents)
    rows = []
    for carrier, consent in zip(carriers, consents, strict=True):
        home = dice.choice(households)
        rows.append(
            ParcelRow(
                CARRIERS[carrier][1](dice), carrier, home.name, home.phone, home.address, consent,
                dice.choices("SML", (6, 3, 1))[0],
            )
        )  # fmt: skip
    return rows


def _bills(dice: random.Random, households: Sequence[Household], today: date) -> list[BillRow]:
    billed_month = today.replace(day=1) - timedelta(days=1)
    due = (today + timedelta(days=14)).isoformat()
    kinds = (
        ("water", "区自来水公司", 1200, 9000),
        ("power", "区供电公司", 2500, 32000),
        ("gas", "区燃气公司", 1800, 15000),
    )
    rows = []
    for kind, biller, low, high in kinds:
        for home in dice.sample(households, BILLS_PER_KIND):
            account_no = _digits(dice, 13 if kind == "power" else 10)
            bill_id = f"{kind[0].upper()}{billed_month:%Y%m}-{account_no}"
            fen = dice.randint(low, high)
            rows.append(
                BillRow(bill_id, biller, kind, account_no, home.name, home.address, f"{billed_month:%Y-%m}", fen, due)
            )
    return rows


def _notices(today: date) -> list[NoticeRow]:
    texts = (
        "本周五上午停水检修，请提前储水。",
        "赶场日服务点延长至下午六点。",
        "取件请带手机，代取请报收件人手机后四位。",
    )
    until = (today + timedelta(days=30)).isoformat()
    return [NoticeRow(f"N{today:%Y%m%d}-{number}", text, until) for number, text in enumerate(texts, 1)]


def _digits(dice: random.Random, count: int) -> str:
    return "".join(dice.choices("0123456789", k=count))


def _numbered(*prefixes: str, digits: int) -> Callable[[random.Random], str]:
    def waybill(dice: random.Random) -> str:
        return dice.choice(prefixes) + _digits(dice, digits)

    return waybill


def _s10(dice: random.Random) -> str:
    serial = _digits(dice, 8)
    total = sum(int(digit) * weight for digit, weight in zip(serial, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    check = {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)  # UPU S10, check digit
    return f"{dice.choice(('EA', 'EB', 'EE'))}{serial}{check}CN"


# carrier -> how many of the 60, and how its numbers look. Shares follow nobody's statistics; every shape shall occur.
CARRIERS: dict[str, tuple[int, Callable[[random.Random], str]]] = {
    "ZTO": (11, _numbered("73", "75", "76", "78", digits=12)),
    "YTO": (9, _numbered("YT", digits=13)),
    "STO": (8, _numbered("77", digits=13)),
    "YUNDA": (8, _numbered("31", "43", "46", digits=13)),
    "SF": (7, _numbered("SF", digits=13)),
    "JT": (7, _numbered("JT", digits=13)),
    "JD": (3, _numbered("JDX", "JDK", digits=12)),
    "POST": (3, _numbered("96", "98", digits=11)),
    "EMS": (3, _s10),
    "DEPPON": (1, _numbered("DPK", digits=12)),
}
