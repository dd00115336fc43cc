"""The comparison itself, without any library: what it counts, on which values, and the table."""

import numpy as np
import pytest

from refcompress.formulas.quantization.conventions import PRESETS
from tests.crosscheck import __main__ as program
from tests.crosscheck import table
from tests.crosscheck.comparison import Comparison, Pair, compare, differences, ranges, values, weight_rows

EMPTY = Comparison("onnx", "a library", "1.0", "run")


def test_differences_are_counted_and_the_first_is_told():
    q = np.array([3, 4, 5])
    x = np.array([0.5, 1.5, 2.5], np.float32)
    found = compare(EMPTY, lambda: iter([Pair("a", q, q, x, 2), Pair("b", np.array([3, 9, 7]), q, x, 1)]))
    assert (found.values, found.random, found.mismatches) == (6, 3, 2)
    assert found.first == "b of [1.5]: library 9, refcompress 4"


def test_stop_ends_at_the_first_mismatch():
    pairs = [Pair("a", np.array([1]), np.array([2])), Pair("b", np.array([1]), np.array([1]))]
    assert compare(EMPTY, lambda: iter(pairs), stop=True).values == 1


def test_floats_are_compared_bit_for_bit_but_nan_is_nan():
    ours = np.array([0.0, 1.0, np.nan, np.inf], np.float32)
    theirs = np.array([-0.0, np.nextafter(np.float32(1), 2), -np.nan, np.inf], np.float32)
    np.testing.assert_array_equal(differences(theirs, ours), [True, True, False, False])


def test_a_code_that_is_no_integer_differs():
    np.testing.assert_array_equal(differences(np.array([1.5, np.nan, 2.0]), np.array([1, 0, 2])), [True, True, False])


@pytest.mark.parametrize(("theirs", "ours"), [(np.zeros(2), np.zeros(3)), (np.zeros(0), np.zeros(0))])
def test_nothing_and_other_shapes_are_no_comparison(theirs, ours):
    with pytest.raises(AssertionError):
        differences(theirs, ours)


@pytest.mark.parametrize("scale", [0.1, 0.0371, 123.4])
def test_the_values_hold_every_tie_in_both_roundings(scale):
    s, Z = np.float32(scale), 3
    x = set(values(s, Z, -8, 7, ("infinite", "nan"), np.random.default_rng(1), 40).tolist())
    k = np.arange(-8, 7) + 0.5 - Z
    for tie in (np.float32(k * np.float64(s)), np.float32(k / np.float64(np.float32(1) / s))):
        for direction in (-np.inf, np.inf):
            near = np.nextafter(tie, np.float32(direction))
            assert set(tie.tolist()) | set(near.tolist()) <= x
            assert set(np.nextafter(near, np.float32(direction)).tolist()) <= x
    assert {np.inf, -np.inf, 0.0, 1e-45} - {1e-45} | {float(np.float32(1e-45))} <= x
    assert any(np.isnan(v) for v in x)


def test_values_without_huge_ones_fit_into_an_int32():
    x = values(np.float32(0.1), 0, -128, 127, (), np.random.default_rng(2), 4000)
    assert np.isfinite(x).all()
    assert np.abs(x).max() / np.float32(0.1) <= 2**30 * (1 + 2**-20)


def test_ranges_are_ordered_and_of_every_kind():
    low, high = ranges(0, 255, np.random.default_rng(3))
    assert (low <= high).all()
    for kind in (low > 0, high < 0, (low < 0) & (high > 0), low == high, (low == 0) & (high == 0), high - low < 1e-30):
        assert kind.any()
    low, high = ranges(0, 15, np.random.default_rng(3), smallest=1e-3, empty=False, largest=10.0)
    assert (low < high).all()
    size = np.maximum(np.abs(low), np.abs(high))
    assert size.min() >= np.float32(1e-3)
    assert size.max() <= 10


def test_weight_rows_begin_with_their_range():
    generator = np.random.default_rng(4)
    rows, drawn = weight_rows(PRESETS["onnx"], 0, 15, 10, generator, ranges(0, 15, generator, smallest=1e-30), 5000)
    np.testing.assert_array_equal(rows.min(1), rows[:, 0])
    np.testing.assert_array_equal(rows.max(1), rows[:, 1])
    assert 5000 <= drawn < rows.size


def test_rows_of_other_environments_fill_the_gaps(tmp_path):
    own = [EMPTY, Comparison("torchao", "torchao", "0.18", "run", values=5)]
    other = [
        Comparison("onnx", "onnx", "1.2", "run", 1_000_000, 900_000, 2, "a mismatch", "codes"),
        Comparison("torchao", "torchao", "0.1", "run", 7),
    ]
    table.save(tmp_path / "other.json", other)
    rows = table.merged(own, table.load(tmp_path / "other.json"))
    assert table.markdown(rows).splitlines()[2:] == [
        "| `onnx` | onnx | 1.2 | run | codes | 1,000,000 | 2 |",
        "| `torchao` | torchao | 0.18 | run |  | 5 | 0 |",
    ]
    assert table.markdown(own).splitlines()[2] == "| `onnx` | a library | 1.0 | run |  | not run |  |"
    assert table.text(rows).splitlines()[-1] == "onnx: a mismatch"
    page = f"a\n<!-- presets -->\n{table.markdown(rows)}\n<!-- /presets -->\nb"
    assert table.shown(rows, page)
    assert not table.shown(rows, page.replace("1,000,000", "1,000,001"))
    assert not table.shown(own, page)
    assert not table.shown(own, f"<!-- presets -->\n{table.markdown(own)}\n<!-- /presets -->")  # one did not run


def test_the_program_prints_every_preset_and_saves_them(tmp_path, capsys):
    path = tmp_path / "records.json"
    assert program.main(["--only", "source", "--markdown", "--json", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("`")[1] for line in lines[2:]] == list(PRESETS)
    assert [row.preset for row in table.load(path) if row.ran] == ["source"]
