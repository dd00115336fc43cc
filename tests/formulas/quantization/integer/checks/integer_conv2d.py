"""What every implementation of the integer convolution must satisfy: functions that take one and assert."""

import numpy as np

from tests.formulas.quantization.integer.checks.common import MIXES, asked, assert_integers, codes, frozen
from tests.oracles import integer_conv2d as conv_oracle


def assert_convolution(f, x, w, z_x=0, z_w=0, **geometry):
    pairs = {k: (v, v) if isinstance(v, int) and k in ("stride", "dilation") else v for k, v in geometry.items()}
    expected = asked(conv_oracle.conv2d, x, w, z_x, z_w, **pairs)
    assert_integers(f.conv2d(x, w, z_x, z_w, **geometry), expected)


def conv_matches_the_oracle(f):
    """N, C, H, W, O, kh, kw pairwise distinct."""
    rng = np.random.default_rng(1)
    geometries = (
        {},
        {"stride": 2},
        {"stride": (3, 2), "padding": 1},
        {"padding": (2, 1), "dilation": (2, 1)},
        {"padding": (0, 1, 2, 3), "stride": (1, 2)},
        {"padding": (3, 0, 1, 2), "dilation": 2, "stride": (2, 3)},
        {"groups": 2, "padding": (0, 4)},
        {"groups": 2, "padding": (4, 0, 0, 1), "stride": (2, 1), "dilation": (3, 1)},
    )
    for k, geometry in enumerate(geometries):
        left, right = MIXES[k]
        x, w = codes(rng, left, (2, 6, 9, 8)), codes(rng, right, (4, 6 // geometry.get("groups", 1), 3, 5))
        if left == right == np.int16:
            x, w = frozen(x >> 3), frozen(w >> 3)
        z_x = int(x[0, 0, 0, 0])
        for z_w in (0, int(w[0, 0, 0, 0]), frozen(w[:, 0, 0, 0])):
            assert_convolution(f, x, w, z_x, z_w, **geometry)
    x, w = codes(rng, np.uint8, (1, 6, 4, 5)), codes(rng, np.uint8, (12, 1, 2, 3))  # one channel a group
    assert_convolution(f, x, w, 9, frozen(np.arange(12) * 20), groups=6, padding=(1, 0))


def conv_largest_sums(f):
    """C · kh · kw · 255² just inside 2³¹ − 1: 25 · 1,321 = 33,025."""
    x, w = frozen(np.zeros((1, 1321, 5, 5), np.uint8)), frozen(np.full((2, 1321, 5, 5), 255, np.uint8))
    assert f.conv2d(x, w, 255, frozen([0, 254])).tolist() == [[[[-33_025 * 255**2]], [[-33_025 * 255]]]]


CONV = (conv_matches_the_oracle, conv_largest_sums)
