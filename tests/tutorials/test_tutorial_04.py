"""Tutorial 04: its claims about 10,000 weights hold."""

import re
from math import exp, log10

import pytest

from tests.tutorials.test_tutorials import CONVENTIONS as NAME
from tests.tutorials.test_tutorials import execute, missing, numbers, wanted_lines


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(printed text, folder of pictures) of one run."""
    folder = tmp_path_factory.mktemp(NAME) / "made" / "by it"
    return execute(NAME, "--pictures", str(folder)), folder


def found_ranges(printed):
    """Rule → (low, high, SQNR in dB) over the 10,000 weights."""
    rows = re.findall(r"^ *([a-z_]+(?: [\d.]+)?): +(-?[\d.]+) to (-?[\d.]+), SQNR +([\d.]+) dB", printed, re.MULTILINE)
    return {name: tuple(map(float, row)) for name, *row in rows}


def test_describes_and_compares_presets(run):
    assert "values: x̂ = s·(q − Z); the zero point is an integer; s is kept in float16\n" in run[0]
    assert "'clip': ('after', 'before'), 'nonfinite': ('saturate', 'nan_low')" in run[0]


def test_rules_compare_as_the_text_says(run):
    found = found_ranges(run[0])
    assert list(found) == [
        "min_max", "moving_average", "percentile 99.9", "least_error 2.4", "least_error 2", "histogram 16",
        "histogram 256", "entropy", "aciq", "power_of_two",
    ]  # fmt: skip
    low, high = (dict(zip(found, values, strict=True)) for values in list(zip(*found.values(), strict=True))[:2])
    decibel = {name: row[2] for name, row in found.items()}
    assert (low["min_max"], high["min_max"]) == (-1, 1)
    assert min(decibel, key=decibel.get) == "min_max"
    assert low["histogram 16"] == low["histogram 256"] == -1  # "shortens the high end only"
    assert high["histogram 16"] < 0.5
    assert high["histogram 256"] == 0.999  # a bin of 2/2048 less
    assert high["least_error 2"] < high["least_error 2.4"] < 1  # "minds large errors more"
    assert decibel["least_error 2"] > decibel["least_error 2.4"]
    assert max(decibel.values()) - decibel["least_error 2"] < 0.1
    assert abs(1 - exp(-1.5 * 2 / 15 / 0.05) - 0.98) < 0.005  # "98 % of the weights": within 1.5 steps of 0
    ((channels,),) = numbers(r"^min_max for channels, .* SQNR ([\d.]+) dB$", run[0])
    ((blocks,),) = numbers(r"^min_max for blocks of 32, s of shape \(100, 4\): SQNR ([\d.]+) dB$", run[0])
    assert max(decibel.values()) + 3 < channels < blocks - 2  # "finer groups help most"


def test_parts_of_the_error_sum_to_it(run):
    table = numbers(
        r"^[a-z_]+(?: 2)?: clipping (\S+) \+ rounding (\S+) \+ scale in float16 (\S+) = (\S+), exactly: True$", run[0]
    )
    assert len(table) == 3
    for clipping, rounding, storage, total in table:
        assert abs(clipping + rounding + storage - total) < 0.002  # three numbers of 3 digits, one of 5: 0.0015
        assert abs(storage) < 0.01 * total
    (whole, _, _, _), (half_clipped, half_rounded, _, _), (clipped, rounded, _, _) = table
    assert whole < 0.01 < half_rounded < half_clipped < clipped
    assert rounded < half_rounded


def test_a_bit_is_worth_six_decibels(run):
    table = numbers(
        r"^ *(\d+) bits: rule ([\d.]+), exact +([\d.]+), even +([\d.]+), min_max +([\d.]+), aciq +([\d.]+) dB$", run[0]
    )
    assert [row[0] for row in table] == [2, 4, 6, 8, 10]
    for bits, rule, exact, even, min_max, _ in table:
        assert abs(rule - 6.02 * bits) < 0.006
        assert abs(exact - 20 * log10(2**bits - 1)) < 0.006
        assert abs(even - exact) < 0.1
        if bits >= 6:
            assert abs(min_max - (exact - 17.9)) < 0.3
        if bits == 4:
            assert abs(min_max - (exact - 17.9)) > 0.5  # "not equally likely"
    by_bits = {row[0]: (row[4], row[5]) for row in table}
    assert by_bits[4][0] + 5 < by_bits[4][1]  # aciq "is better at 4 bits and worse at 8"
    assert by_bits[8][0] > by_bits[8][1] + 5


def test_a_changed_table_is_seen(run):
    printed = run[0].replace("   histogram 16: -1.000", "   histogram 16: -0.900")
    assert printed != run[0]
    assert found_ranges(printed)["histogram 16"][0] == -0.9
    assert (
        missing(wanted_lines(NAME), run[0].replace("rounded_difference: Z = -126", "rounded_difference: Z = -127"))
        != []
    )
