"""Recognition of the numbers printed on labels: couriers, post, products, addresses, set-up codes."""

from collections.abc import Callable

import pytest

from edge.codes import Decision, Kind, Recognition, recognise, to_json
from edge.codes.carriers import CARRIER_NAMES, SHAPES

GS = "\x1d"


def _carriers(recognition: Recognition) -> list[str | None]:
    return [c.carrier for c in recognition.candidates if c.kind is Kind.WAYBILL]


# Public samples of the couriers' modern numbers, one per courier.
MODERN = [
    ("SF1385628716739", "SF"),
    ("73610555582883", "ZTO"),
    ("YT8962646785389", "YTO"),
    ("773277027280336", "STO"),
    ("463431409940372", "YUNDA"),
    ("JT5261988016578", "JT"),
    ("JDX024407261700", "JD"),
    ("DPK202252612836", "DEPPON"),
    ("9860401996391", "POST"),
    ("1207119765021", "EMS"),
    ("611090452344701", "DANNIAO"),
    ("70577935260961", "BEST"),
]


@pytest.mark.parametrize(("number", "carrier"), MODERN)
@pytest.mark.parametrize("wrap", ["{}", "]C0{}", "]C0{}\r", "\x02{}\x03", "{}\r\n", "]Q1{}\n", " {}\t"])
def test_modern_waybill_is_accepted_however_the_gun_wraps_it(number: str, carrier: str, wrap: str) -> None:
    found = recognise(wrap.format(number))

    assert (found.best.kind, found.best.carrier, found.best.value) == (Kind.WAYBILL, carrier, number)
    assert found.decision is Decision.ACCEPT


# Every shape with one digit less and one more: no other length may be taken for a sure waybill of this courier.
LENGTHS = [
    *MODERN,
    ("5000000000001", "EMS"),
    ("5200000000001", "EMS"),
    ("310000000000001", "YUNDA"),
    ("420000000000001", "YUNDA"),
    ("430000000000001", "YUNDA"),
    ("620000000000001", "DANNIAO"),
    ("SA12345678901", "POST"),
    ("GB12345678911", "POST"),
    ("GB12345678965", "POST"),
    ("JDVA12345678901", "JD"),
    ("VA12345678901", "JD"),
    ("DPL202252612836", "DEPPON"),
    ("ZJS123456789012", "ZJS"),
    ("TT1234567890123", "TTK"),
    ("VIP123456789", "UC"),
    ("V12345678901", "UC"),
    ("LBX123456789012345", "UC"),
]


@pytest.mark.parametrize(("number", "carrier"), LENGTHS)
def test_waybill_of_right_length_is_accepted_under_code_128(number: str, carrier: str) -> None:
    found = recognise(f"]C0{number}")

    assert (found.best.carrier, found.decision) == (carrier, Decision.ACCEPT)


@pytest.mark.parametrize("number", [number for number, _ in LENGTHS])
@pytest.mark.parametrize("change", [lambda n: n[:-1], lambda n: n + "7"], ids=["shorter", "longer"])
def test_waybill_of_wrong_length_is_never_accepted_for_its_courier(number: str, change: Callable[[str], str]) -> None:
    carrier = dict(LENGTHS)[number]
    found = recognise(f"]C0{change(number)}")

    assert not (found.decision is Decision.ACCEPT and found.best.carrier == carrier)


@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        *((f"7{second}000000000001", "ZTO") for second in "345689"),
        *((f"7{second}000000000001", "BEST") for second in "012"),
        *((f"9{second}00000000001", "POST") for second in "56789"),
        *((f"{prefix}00000000001", "EMS") for prefix in ("10", "11", "12", "50", "51", "52")),
    ],
)
def test_prefix_of_a_digits_only_number_names_the_courier(number: str, carrier: str) -> None:
    assert recognise(f"]C0{number}").best.carrier == carrier


@pytest.mark.parametrize("number", ["9400000000001", "1300000000001", "5300000000001", "4900000000001"])
def test_thirteen_digits_beside_the_postal_prefixes_are_not_the_posts(number: str) -> None:
    assert not {"POST", "EMS"} & set(_carriers(recognise(f"]C0{number}")))


@pytest.mark.parametrize("number", ["GB12345678910", "GB12345678966", "GB12345678900", "ZZ12345678911"])
def test_postal_letters_need_a_province_at_the_end(number: str) -> None:
    assert recognise(number).best.kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("444010688260", ["SF", "STO"]),
        ("3720159483221", ["STO", "YUNDA"]),
        ("77632957076153", ["STO", "ZTO"]),
        ("77112345678901", ["ZTO", "STO"]),
        ("77771234567890", ["ZTO", "STO"]),
        ("77760012345678", ["ZTO", "STO"]),
        ("77611234567890", ["STO", "ZTO"]),
        ("77761123456789", ["ZTO", "STO"]),
        ("991234567890123", ["FENGWANG", "CAINIAO"]),
        ("5812345678901234", ["JT", "BEST"]),
        ("A123456789012", ["BEST", "ZJS"]),
        ("350000000000001", ["YUNDA"]),
        ("YT896264678538", ["YTO"]),
        ("JT526198801657", ["JT"]),
    ],
)
def test_shape_of_several_couriers_asks_with_all_of_them(number: str, expected: list[str]) -> None:
    found = recognise(number)

    assert _carriers(found)[: len(expected)] == expected
    assert found.decision is Decision.ASK


def test_letters_jd_with_sixteen_digits_are_not_the_courier_jd() -> None:
    found = recognise("JD0123456789012345")

    assert _carriers(found) == ["DHL"]
    assert found.decision is Decision.ASK


@pytest.mark.parametrize("number", ["12345678", "123456789", "1234567890"])
def test_eight_to_ten_digits_are_unknown_before_they_are_a_waybill(number: str) -> None:
    found = recognise(number)

    assert found.best.kind is Kind.UNKNOWN
    assert "DEPPON" in _carriers(found)
    assert found.decision is Decision.ASK


@pytest.mark.parametrize(
    "text",
    [
        "710-A05-00 12",
        "512 B3 07",
        "A12-05-03",
        "755W",
        "028-001",
        "1",
        "7",
        "1234567",
        "SF138562871673",  # one digit short, a common mistake of other tables
        "YT0000020106",
        "123456789012345678901234567890",
        "村口小店",
    ],
)
def test_route_codes_and_short_texts_are_never_waybills(text: str) -> None:
    found = recognise(f"]C0{text}")

    assert [c.kind for c in found.candidates] == [Kind.UNKNOWN]
    assert found.decision is Decision.ASK
    assert found.best.value == text


@pytest.mark.parametrize(
    ("text", "carrier", "waybill", "piece"),
    [
        ("JDX024407261700-1-3-", "JD", "JDX024407261700", (1, 3)),
        ("JDX024407261700-3-3-12A", "JD", "JDX024407261700", (3, 3)),
        ("jdx024407261700-2-3", "JD", "JDX024407261700", (2, 3)),
        ("JDX024407261700N2S3H5", "JD", "JDX024407261700", (2, 3)),
        ("JDX024407261700N12S20H", "JD", "JDX024407261700", (12, 20)),
        ("VA12345678901-1-1-", "JD", "VA12345678901", (1, 1)),
        ("DPK202252612836-2-5-", "DEPPON", "DPK202252612836", (2, 5)),
        ("DPK202252612836-2-", "DEPPON", "DPK202252612836", (2, 0)),
        ("LBX123456789012345-1-2", "UC", "LBX123456789012345", (1, 2)),
    ],
)
def test_package_suffix_gives_the_waybill_and_the_piece(
    text: str, carrier: str, waybill: str, piece: tuple[int, int]
) -> None:
    best = recognise(text).best

    assert (best.kind, best.carrier, best.value, best.piece) == (Kind.WAYBILL, carrier, waybill, piece)
    assert recognise(text).decision is Decision.ACCEPT


@pytest.mark.parametrize("suffix", ["-0-3-", "-4-3-", "N4S3H", "-0-0-"])
def test_impossible_piece_number_asks_and_names_no_piece(suffix: str) -> None:
    found = recognise(f"JDX024407261700{suffix}")

    assert (found.best.value, found.best.piece, found.decision) == ("JDX024407261700", None, Decision.ASK)


def test_plain_waybill_has_no_piece() -> None:
    assert recognise("JDX024407261700").best.piece is None


@pytest.mark.parametrize("number", ["1207119765021", "77632957076153"])
def test_real_waybill_that_passes_a_product_check_digit_stays_ahead_of_the_product(number: str) -> None:
    found = recognise(number)

    assert found.best.kind is Kind.WAYBILL
    assert Kind.GTIN in {c.kind for c in found.candidates}


@pytest.mark.parametrize("number", ["1207119765021", "77632957076153", "9860401996391", "3720159483221"])
def test_code_128_is_no_product_and_no_gs1(number: str) -> None:
    assert {c.kind for c in recognise(f"]C0{number}").candidates} == {Kind.WAYBILL}


@pytest.mark.parametrize("number", ["9860401996391", "3720159483221"])
def test_waybills_that_read_as_gs1_elements_are_not_taken_for_gs1(number: str) -> None:
    assert Kind.GS1 not in {c.kind for c in recognise(number).candidates}


def test_postal_number_that_may_be_a_book_asks_and_keeps_the_waybill_first() -> None:
    found = recognise("9787115546081")

    assert [(c.kind, c.carrier) for c in found.candidates[:2]] == [(Kind.WAYBILL, "POST"), (Kind.GTIN, None)]
    assert found.decision is Decision.ASK


@pytest.mark.parametrize("code", ["6901234567892", "96385074", "036000291452", "16901234567899", "2012345678903"])
def test_product_without_the_guns_word_is_never_alone(code: str) -> None:
    found = recognise(code)

    kinds = {c.kind for c in found.candidates}
    assert Kind.GTIN in kinds
    assert found.decision is Decision.ASK


@pytest.mark.parametrize("code", ["6901234567892", "2012345678903"])
def test_product_number_of_thirteen_digits_stands_beside_a_waybill(code: str) -> None:
    assert {c.kind for c in recognise(code).candidates} == {Kind.GTIN, Kind.WAYBILL}


def test_wrong_check_digit_is_no_product() -> None:
    assert Kind.GTIN not in {c.kind for c in recognise("6901234567893").candidates}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("]E06901234567892", "6901234567892"),
        ("]E496385074", "96385074"),
        ("]E0036000291452", "036000291452"),
        ("]E01207119765021", "1207119765021"),
        ("]E09787115546081]E200499", "9787115546081"),
        ("]E3978711554608100499", "9787115546081"),
        ("]E3978711554608112", "9787115546081"),
        ("]I116901234567899", "16901234567899"),
    ],
)
def test_product_is_accepted_when_the_gun_says_so(text: str, value: str) -> None:
    found = recognise(text)

    assert (found.best.kind, found.best.value, found.decision) == (Kind.GTIN, value, Decision.ACCEPT)


@pytest.mark.parametrize("text", ["]E06901234567893", "]E0690123456789", "]E269012"])
def test_unsound_product_under_ean_asks(text: str) -> None:
    found = recognise(text)

    assert (found.best.kind, found.decision) == (Kind.GTIN, Decision.ASK)


# UPU S10: the standard's serials, and the vectors of a public test set.
@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        ("RB123456785GB", None),
        ("EA473124829CN", "EMS"),
        ("RA473124829CN", "POST"),
        ("rr000000005de", None),
        ("CP000000014CN", "POST"),
        ("LX111111115HK", None),
        ("LX000000080HK", None),
        ("LX000000345HK", None),
    ],
)
def test_international_postal_number_is_accepted(number: str, carrier: str | None) -> None:
    found = recognise(number)

    assert (found.best.kind, found.best.carrier, found.best.value) == (Kind.S10, carrier, number.upper())
    assert found.decision is Decision.ACCEPT


@pytest.mark.parametrize("number", ["RB123456786US", "RB123456785XX", "RB123456780GB"])
def test_international_postal_number_with_a_fault_asks(number: str) -> None:
    found = recognise(number)

    assert (found.best.kind, found.decision) == (Kind.S10, Decision.ASK)


@pytest.mark.parametrize(
    "text",
    [
        "MMM={'k1':'755W','k2':'755A','k3':'','k4':'T4','k5':'SF1385628716739','k6':'','k7':'ab12'}",
        "x%MMMMMM={'k1':'755W','k5':'SF1385628716739'}MMMM",
        "MMM={'k5' : 'sf1385628716739'}",
    ],
)
def test_sf_block_gives_its_waybill(text: str) -> None:
    found = recognise(f"]Q1{text}")

    assert (found.best.kind, found.best.carrier, found.best.value) == (Kind.WAYBILL, "SF", "SF1385628716739")
    assert found.decision is Decision.ACCEPT


@pytest.mark.parametrize(
    "text", ["MMM={'k5':'SF1385628716739','k5':'SF1385628716740'}", "MMM={'k5':'SF13856'}", "MMM={'k5':'ABCDEFGHIJ'}"]
)
def test_sf_block_with_a_doubtful_waybill_asks(text: str) -> None:
    assert recognise(text).decision is Decision.ASK


@pytest.mark.parametrize(
    ("text", "carrier", "value"),
    [
        ("https://mini.ems.com.cn/youzheng/mini/9860401996391", "POST", "9860401996391"),
        ("HTTPS://MINI.EMS.COM.CN/youzheng/mini/1207119765021/?a=b#c", "EMS", "1207119765021"),
        ("http://ucmp.sf-express.com/wxaccess/weixin/activity?p0=x&p1=444010688260&p2=y", "SF", "444010688260"),
        ("http://ucmp.sf-express.com:80/a?p1=SF1385628716739", "SF", "SF1385628716739"),
    ],
)
def test_couriers_own_address_gives_the_waybill(text: str, carrier: str, value: str) -> None:
    found = recognise(text)

    assert (found.best.kind, found.best.carrier, found.best.value) == (Kind.WAYBILL, carrier, value)
    assert found.decision is Decision.ACCEPT


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/App?id=Ab1",
        "http://mini.ems.com.cn@example.com/youzheng/mini/9860401996391",
        "https://mini.ems.com.cn.example.com/youzheng/mini/9860401996391",
        "https://mini.ems.com.cn/youzheng/mini/6901234567892",
        "http://ucmp.sf-express.com/a?xp1=444010688260",
        "http://ucmp.sf-express.com/a?p1=4440106882601",
        "http://[",
    ],
)
def test_other_address_is_an_address_with_its_case_kept(text: str) -> None:
    found = recognise(text)

    assert [(c.kind, c.value) for c in found.candidates] == [(Kind.URL, text)]
    assert found.decision is Decision.ACCEPT


@pytest.mark.parametrize(
    "text",
    [
        "wxp://f2f0abcDEF",
        "https://qr.alipay.com/fkx12345",
        "HTTPS://QR.ALIPAY.COM/FKX12345",
        "https://qr.95516.com/00010000/12345678901234567890123456789012",
        "https://payapp.weixin.qq.com/qr/x",
    ],
)
def test_collecting_code_of_a_shop_is_dropped(text: str) -> None:
    found = recognise(text)

    assert (found.best.kind, found.decision) == (Kind.URL, Decision.REJECT)


@pytest.mark.parametrize(
    "text",
    [
        "%%%EBM",
        "%%%",
        "<UPL>: start 00012",
        "<UPL>: transmission NOK",
        "nls0006010;nls0006000;",
        "NLS0006010;",
        ".E053$",
        "@SCNMOD3",
        "#SCNTRG1",
        "@RRDDUR1000;@SCNMOD0;",
        "$EAN13$",
        "]Z0SF1385628716739",
    ],
)
def test_set_up_text_of_a_gun_is_dropped(text: str) -> None:
    found = recognise(text + "\r")

    assert (found.best.kind, found.decision) == (Kind.SETUP_CODE, Decision.REJECT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("]C1010690123456789210LOT7", "(01)06901234567892(10)LOT7"),
        (f"]d210lot7{GS}3103001250", "(10)lot7(3103)001250"),
        ("]Q3" + f"{GS}17240930" + "7007240901240907", "(17)240930(7007)240901240907"),
        ("]e00106901234567892", "(01)06901234567892"),
        (f"{GS}0106901234567892", "(01)06901234567892"),
        ("]C100369012345678901239", "(00)369012345678901239"),
        (f"]C137007{GS}{GS}2112ab{GS}", "(37)007(21)12ab"),
    ],
)
def test_gs1_is_split_when_the_gun_says_gs1(text: str, value: str) -> None:
    found = recognise(text)

    assert (found.best.kind, found.best.value, found.decision) == (Kind.GS1, value, Decision.ACCEPT)


@pytest.mark.parametrize(
    "text",
    [
        "]C10106901234567893",  # check digit
        "]C117241330",  # month 13
        "]C117240932",  # day 32
        f"]C0010690123456789210A{GS}1112",  # a separator, but no GS1 by the gun, and cut short
        f"]C199{GS}",
    ],
)
def test_doubtful_gs1_asks(text: str) -> None:
    assert recognise(text).decision is Decision.ASK


def test_waybill_under_gs1_128_that_is_no_gs1_is_still_a_waybill() -> None:
    found = recognise("]C1SF1385628716739")

    assert (found.best.carrier, found.decision) == ("SF", Decision.ACCEPT)


@pytest.mark.parametrize(
    ("text", "word"),
    [("1" + "234561" * 5 + "2", "pesticide"), ("SC12345678901234", "food"), ("SF138562871673", "another length")],
)
def test_unknown_says_what_it_resembles(text: str, word: str) -> None:
    found = recognise(text)

    assert (found.best.kind, found.decision) == (Kind.UNKNOWN, Decision.ASK)
    assert word in found.best.why


@pytest.mark.parametrize("text", ["", " ", "\r\n", "\t", "\x00\x1b\x1d", "]C0", "]Q1\r\n", "\ufeff", "]Y0"])
def test_nothing_to_read_is_dropped(text: str) -> None:
    found = recognise(text)

    assert (found.best.kind, found.decision) == (Kind.UNKNOWN, Decision.REJECT)


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x08", "\x1b", "\x7f"])
def test_control_keys_inside_a_code_are_dropped(control: str) -> None:
    assert recognise(f"SF13856{control}28716739").decision is Decision.REJECT


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("]C0" + "A" * 512, Decision.ASK),
        ("]C0" + "A" * 513, Decision.REJECT),
        ("]Q1" + "A" * 513, Decision.ASK),
        ("A" * 4096, Decision.ASK),
        ("A" * 4097, Decision.REJECT),
        ("]Q1" + "A" * 4094, Decision.REJECT),
    ],
)
def test_endless_text_is_dropped(text: str, decision: Decision) -> None:
    assert recognise(text).decision is decision


def test_full_width_and_lower_case_are_read_as_printed() -> None:
    assert recognise("ｓｆ１３８５６２８７１６７３９").best.value == "SF1385628716739"


@pytest.mark.parametrize("text", ["١٢٣٤٥٦٧٨٩٠١٢٣", "1３8００13800²", "SF²²²²²²²²²²²²²"])
def test_digits_of_other_scripts_are_no_number(text: str) -> None:
    assert recognise(text).best.kind is Kind.UNKNOWN


def test_aim_prefix_is_read_with_its_case() -> None:
    assert recognise("]C0SF1385628716739").symbology == "C0"
    assert recognise("]e00106901234567892").symbology == "e0"
    assert recognise("SF1385628716739").symbology is None
    assert recognise("]Y1ABSF1385628716739").best.value == "SF1385628716739"


@pytest.mark.parametrize("text", ["SF1385628716739\rSF1385628716739\r", "]C0SF1385628716739\r\n]C0SF1385628716739\r\n"])
def test_one_number_glued_twice_is_that_number(text: str) -> None:
    found = recognise(text)

    assert (found.best.value, found.decision, found.input) == ("SF1385628716739", Decision.ACCEPT, text)


def test_two_numbers_glued_ask() -> None:
    found = recognise("SF1385628716739\rYT8962646785389")

    assert (found.best.kind, found.decision) == (Kind.UNKNOWN, Decision.ASK)


def test_learnt_courier_decides_a_shape_of_several_couriers() -> None:
    found = recognise("444010688260", learnt={(12, "444"): "STO"})

    assert (found.best.carrier, found.decision) == ("STO", Decision.ACCEPT)


@pytest.mark.parametrize("learnt", [{(12, "445"): "STO"}, {(13, "444"): "STO"}, {(12, "444"): "NOBODY"}])
def test_learnt_courier_of_another_shape_or_unknown_name_changes_nothing(learnt: dict[tuple[int, str], str]) -> None:
    assert recognise("444010688260", learnt=learnt) == recognise("444010688260")


def test_learnt_courier_against_a_modern_shape_asks() -> None:
    found = recognise("73610555582883", learnt={(14, "736"): "STO"})

    assert set(_carriers(found)) == {"ZTO", "STO"}
    assert found.decision is Decision.ASK


def test_learnt_courier_names_a_number_no_table_knows() -> None:
    found = recognise("W1234567890", learnt={(11, "W12"): "ANE"})

    assert (found.best.carrier, found.decision) == ("ANE", Decision.ACCEPT)


@pytest.mark.parametrize(("text", "accepted"), [("1234567", False), ("12345678", True), ("123-45678", False)])
def test_learnt_courier_never_makes_a_mark_a_waybill(text: str, accepted: bool) -> None:
    found = recognise(text, learnt={(len(text), text[:3]): "SF"})

    assert (found.decision is Decision.ACCEPT) is accepted


def test_every_courier_of_the_table_has_a_name() -> None:
    assert {shape.carrier for shape in SHAPES} <= set(CARRIER_NAMES)


def test_json_of_a_waybill_has_the_agreed_form() -> None:
    assert to_json(recognise("]C0SF1385628716739")) == {
        "input": "]C0SF1385628716739",
        "candidates": [
            {
                "kind": "waybill",
                "carrier": "SF",
                "value": "SF1385628716739",
                "confidence": 0.97,
                "why": "SF and 13 digits",
            }
        ],
        "decision": "accept",
    }
