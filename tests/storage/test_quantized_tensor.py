from fractions import Fraction

import numpy as np
import pytest

from refcompress.storage import QuantizedTensor
from tests.oracles import ledger as ledger_oracle
from tests.oracles import uniform as oracle


def tensor(**changes):
    arguments = {
        "codes": np.array([[0, 1, 3], [2, 2, 0]], np.uint8),
        "scale": np.array([0.5, 2.0], np.float32),
        "offset": np.array([-1.0, 3.0], np.float32),
        "bits": 2,
        "code_offset": 0,
        "scheme": "uniform",
    }
    return QuantizedTensor(**(arguments | changes))


def test_literals():
    t = tensor()
    assert t.groups == 2
    assert t.dequantize().tolist() == [[-1.0, -0.5, 0.5], [7.0, 7.0, 3.0]]
    assert t.dequantize().dtype == np.float32
    assert t.stored_codes().tolist() == [[0, 1, 3], [2, 2, 0]]
    assert t.entry() == (2, 8, 8)  # 12 bits; two float32 scales, two offsets
    shifted = tensor(codes=np.array([-2, 1]), scale=np.array([0.25]), offset=np.array([0.0]), code_offset=-2)
    assert shifted.groups == 1
    assert shifted.stored_codes().tolist() == [0, 3]
    assert shifted.dequantize().tolist() == [-0.5, 0.25]
    assert shifted.entry() == (1, 8, 8)  # one float64 each


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("shape", [(3,), (3, 5), (3, 2, 4, 5)])
def test_dequantize_equals_the_oracle(shape, groups, dtype):
    rng = np.random.default_rng(1)
    codes = rng.integers(-5, 11, shape)
    scale, offset = rng.uniform(0.1, 1, groups).astype(dtype), rng.standard_normal(groups).astype(dtype)
    t = tensor(codes=codes, scale=scale, offset=offset, bits=4, code_offset=-5)
    expected = np.empty(shape)
    for place in np.ndindex(shape):
        s, z = (Fraction(float(array[place[0] % groups])) for array in (scale, offset))
        expected[place] = float(oracle.float_value(int(codes[place]), s, z, np.dtype(dtype).name))
    np.testing.assert_array_equal(t.dequantize(), expected)
    assert t.dequantize().dtype == dtype
    count = int(np.prod(shape))
    size = np.dtype(dtype).itemsize * groups
    assert t.entry() == (ledger_oracle.payload(count, 4), size, size)


def test_per_entry_broadcasts_along_the_first_axis():
    t = tensor(codes=np.zeros((2, 3, 4), int))
    assert t.per_entry(t.scale).tolist() == [[[0.5]], [[2.0]]]


@pytest.mark.parametrize("bits", range(1, 17))
def test_the_largest_code_of_every_width(bits):
    largest = 2**bits - 1
    for code_offset in (0, -(2 ** (bits - 1)), 1000):
        codes = np.array([code_offset, code_offset + largest])
        one = {"scale": np.ones(1), "offset": np.zeros(1), "bits": bits, "code_offset": code_offset}
        assert tensor(codes=codes, **one).stored_codes().tolist() == [0, largest]
        for wrong in (codes - 1, codes + 1):
            with pytest.raises(ValueError, match=f"codes - code_offset must be from 0 to {largest}"):
                tensor(codes=wrong, **one)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"codes": np.zeros((2, 3))}, TypeError, "codes"),
        ({"codes": np.zeros((2, 3), bool)}, TypeError, "codes"),
        ({"codes": np.array(1)}, ValueError, "codes"),
        ({"codes": np.zeros((2, 0), int)}, ValueError, "codes"),
        ({"codes": np.full((2, 3), 4)}, ValueError, "codes"),
        ({"codes": np.full((2, 3), -1)}, ValueError, "codes"),
        ({"scale": np.ones(2, int)}, TypeError, "scale"),
        ({"scale": np.ones(2, np.float16)}, TypeError, "scale"),
        ({"scale": np.ones((2, 1), np.float32)}, ValueError, "scale"),
        ({"scale": np.ones(1, np.float32)}, ValueError, "offset"),
        ({"scale": np.ones(3, np.float32), "offset": np.ones(3, np.float32)}, ValueError, "scale must have 1 or 2"),
        ({"scale": np.ones(0, np.float32), "offset": np.ones(0, np.float32)}, ValueError, "scale must have 1 or 2"),
        ({"scale": np.array([1, 0], np.float32)}, ValueError, "scale must be above 0"),
        ({"scale": np.array([1, -1], np.float32)}, ValueError, "scale must be above 0"),
        ({"scale": np.array([1, np.nan], np.float32)}, ValueError, "scale"),
        ({"scale": np.array([1, np.inf], np.float32)}, ValueError, "scale"),
        ({"offset": np.array([1, np.nan], np.float32)}, ValueError, "offset"),
        ({"offset": np.zeros(2, np.float64)}, TypeError, "offset"),  # arrays of one dtype
        ({"bits": 0}, ValueError, "bits"),
        ({"bits": 17}, ValueError, "bits"),
        ({"bits": 2.0}, TypeError, "bits"),
        ({"code_offset": -0.5, "bits": 3}, TypeError, "code_offset"),
        ({"code_offset": "0"}, TypeError, "code_offset"),
        ({"scheme": "float"}, ValueError, "scheme"),
        ({"scheme": None}, ValueError, "scheme"),
    ],
)
def test_refuses(changes, error, match):
    with pytest.raises(error, match=match):
        tensor(**changes)


def test_extreme_codes_do_not_wrap_around():
    """The difference of codes and code_offset is taken in Python's integers or in int64, never in the codes' type."""
    one = {"scale": np.ones(1), "offset": np.zeros(1), "bits": 8}
    t = tensor(codes=np.array([-128, 127], np.int8), code_offset=-128, **one)
    assert t.stored_codes().tolist() == [0, 255]
    with pytest.raises(ValueError, match="codes - code_offset"):
        tensor(codes=np.array([-128, 127], np.int8), code_offset=128, **one)
    with pytest.raises(ValueError, match="codes - code_offset"):
        tensor(codes=np.array([0, 2**64 - 1], np.uint64), code_offset=0, **one)
