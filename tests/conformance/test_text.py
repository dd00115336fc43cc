"""Arrays as JSON and back: literals, every dtype, and what is refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from refcompress.conformance.text import DTYPES, decode, encode

INFINITY = float("inf")


def test_encode_literals():
    assert encode(np.array([[1, -2, 3]], np.int16)) == {"dtype": "int16", "shape": [1, 3], "values": [1, -2, 3]}
    assert encode(np.array([0.1, -0.0, np.nan, -np.inf], np.float32)) == {
        "dtype": "float32",
        "shape": [4],
        "values": [0.1, -0.0, "nan", "-inf"],
        "hex": ["0x1.99999a0000000p-4", "-0x0.0p+0", "nan", "-inf"],
    }
    assert encode(np.float16(1.5)) == {
        "dtype": "float16",
        "shape": [],
        "values": [1.5],
        "hex": ["0x1.8000000000000p+0"],
    }
    assert encode(2.5) == {"dtype": "float64", "shape": [], "values": [2.5], "hex": ["0x1.4000000000000p+1"]}
    assert encode(np.array([True, False])) == {"dtype": "bool", "shape": [2], "values": [True, False]}
    assert [encode(value) for value in (None, True, 7, "lsb", (1, 2))] == [None, True, 7, "lsb", [1, 2]]


@pytest.mark.parametrize("value", [object(), np.array(["a"]), np.array([None]), 1j, np.array(["2020"], "M8[D]")])
def test_what_is_no_array_is_not_encoded(value):
    with pytest.raises(TypeError, match="value must be an array of bool"):
        encode(value)


SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


@given(st.sampled_from(DTYPES).flatmap(lambda name: arrays.arrays(name, SHAPES)))
def test_there_and_back(array):
    back = np.asarray(decode(json.loads(json.dumps(encode(array), allow_nan=False))))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    nan = np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
    assert (np.isnan(back) if array.dtype.kind == "f" else nan).tolist() == nan.tolist()
    assert back[~nan].tobytes() == array[~nan].tobytes()


@given(arrays.arrays(np.float32, 5, elements=st.floats(width=32, allow_nan=False)))
def test_the_decimals_alone_are_exact_too(array):
    coded = encode(array)
    del coded["hex"]
    assert decode(coded).tobytes() == array.tobytes()


def coded(dtype, values, shape=None):
    return {"dtype": dtype, "shape": [len(values)] if shape is None else shape, "values": values}


def test_decimals_of_c_are_read():
    """What "%.9g" and "%.17g" print: 0.1f is 0.100000001490116…"""
    assert decode(coded("float32", [0.100000001])) == np.float32(0.1)
    assert decode(coded("float32", ["-8.99999976e-01"])) == np.float32(-0.9)
    assert decode(coded("float64", ["0.10000000000000001"])) == 0.1
    assert decode(coded("float16", [0.099976])) == np.float16(0.1)


def test_bare_numbers_are_read():
    assert [decode(value) for value in (True, 7, 2.5, "lsb", [1, 2.5])] == [True, 7, 2.5, "lsb", (1, 2.5)]


def test_floats_are_read_from_strings():
    assert decode(coded("float32", ["0x1.8p+0", "nan", "-inf", "2.5", 3])).tolist()[2:] == [-INFINITY, 2.5, 3.0]
    assert decode(coded("float64", ["0X1p-1"])).tolist() == [0.5]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "object with dtype"),
        ({"dtype": "float32", "shape": [1]}, "object with dtype"),
        (coded("complex64", [1]), "dtype must be one of"),
        (coded("float", [1]), "dtype must be one of"),
        (coded(["float32"], [1]), "dtype must be one of"),
        (coded("uint8", [1, 2], [3]), "there must be 3 values"),
        (coded("uint8", [1], [-1]), "shape must be a list of integers"),
        (coded("uint8", [1], 1), "shape must be a list of integers"),
        (coded("uint8", [1], [True]), "shape must be a list of integers"),
        (coded("uint8", "12", [2]), "there must be 2 values"),
        (coded("uint8", [256]), "integers of uint8, got 256"),
        (coded("int8", [-129]), "integers of int8, got -129"),
        (coded("uint8", [1.0]), "integers of uint8, got 1.0"),
        (coded("uint8", [True]), "integers of uint8, got True"),
        (coded("uint8", ["1"]), "integers of uint8, got '1'"),
        (coded("bool", [1]), "true or false, got 1"),
        (coded("float32", [1e39]), "numbers of float32"),
        (coded("float32", [10**400]), "must be numbers"),
        (coded("float32", [0.1 + 1e-12]), "numbers of float32"),
        (coded("float32", ["one"]), "must be numbers, got 'one'"),
        (coded("float32", ["0xg"]), "must be numbers"),
        (coded("float32", [None]), "must be numbers, got None"),
        (coded("float64", [[1.0]]), "must be numbers"),
        (coded("float64", ["1_0"]), "must be numbers, got '1_0'"),
        (coded("float64", [" 1"]), "must be numbers, got ' 1'"),
        (coded("float64", ["1e999"]), "must be numbers, got '1e999'"),
        (coded("float64", ["0x1p+9999"]), "must be numbers"),
        (coded("float64", [2**53 + 1]), "of at most 53 bits, got 9007199254740993"),
        (coded("float64", ["0x1.00000000000001p+0"]), "of at most 53 bits"),
        (coded("float32", ["0x1.0000001p+0"]), "numbers of float32"),
        (coded("float32", [0.1000000015]), "numbers of float32"),
    ],
)
def test_decode_refuses(wrong, message):
    with pytest.raises(ValueError, match=message):
        decode(wrong)
