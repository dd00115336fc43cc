"""What every implementation of the quantized average pooling must satisfy: functions that take one and assert."""

from itertools import product

import numpy as np

from tests.formulas.quantization.integer.checks.common import CODES, MAX, MIN, asked, assert_integers, codes, frozen
from tests.oracles import quantized_average_pool2d as pool_oracle


def assert_pooled(f, x, kernel_size, **options):
    size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    given = {"dtype": x.dtype.name} | options
    if isinstance(options.get("stride"), int):
        given["stride"] = (options["stride"],) * 2
    expected = asked(pool_oracle.average_pool2d, x, size, **given)
    assert_integers(f.average_pool2d(x, kernel_size, **options), expected, given["dtype"])


def pool_matches_the_oracle(f):
    rng = np.random.default_rng(15)
    geometries = (
        (2, {}),
        ((3, 2), {"stride": (2, 1)}),
        ((2, 3), {"padding": (1, 2), "stride": 1}),
        ((4, 3), {"padding": (3, 0, 1, 2), "stride": (3, 2)}),
    )
    for (kernel, geometry), dtype in product(geometries, (np.int8, np.uint8, np.int16)):
        x = codes(rng, dtype, (2, 3, 7, 6))
        assert_pooled(f, x, kernel, **geometry)
        assert_pooled(f, x, kernel, dtype="int8", **geometry)
        assert_pooled(f, x, kernel, qmin=10, qmax=60, x_zero_point=10, out_zero_point=10, **geometry)
        for s_x, s_out in ((0.5, 0.25), (np.float32(0.037), np.float32(0.041)), (0.1, 0.3)):
            options = {"rounding": "float", "x_scale": s_x, "out_scale": s_out}
            assert_pooled(f, x, kernel, x_zero_point=int(x[0, 0, 0, 0]), out_zero_point=7, **options, **geometry)
    assert_pooled(f, frozen([[[[MAX, MAX - 1, MIN, MIN]]]], np.int32), (1, 2), qmin=MIN, qmax=MAX)
    x = frozen([[[[MAX, 2**24 + 1, -(2**24) - 3, 5]]]], np.int32)
    options = {"x_scale": 0.5, "out_scale": 0.5, "x_zero_point": -1, "out_zero_point": 0, "qmin": MIN, "qmax": MAX}
    assert_pooled(f, x, (1, 2), rounding="float", **options)


def pool_dtype(f):
    """Type and ends of the output: those of x, or of the type that is asked for."""
    for first, low in ((np.uint8, 0), (np.int8, -128)):
        x = frozen([[[[low + 99, 100, 120, low + 40]]]], first)
        for dtype, options in product((None, *CODES), ({}, {"qmin": 0}, {"qmin": 3, "qmax": 90})):
            given = options | ({} if dtype is None else {"dtype": np.dtype(dtype).name})
            assert_pooled(f, x, 1, **given)
            assert_pooled(f, x, (1, 2), rounding="float", x_scale=0.5, out_scale=0.25, **given)


def pool_large_windows(f):
    """As large as the image, and sums of 1,900 codes far beyond int32."""
    rng = np.random.default_rng(20)
    x = codes(rng, np.int32, (1, 2, 50, 38))
    assert_pooled(f, x, (50, 38))
    assert_pooled(f, x, (49, 37), stride=1)
    assert_pooled(f, frozen(np.full((1, 1, 41, 43), MIN, np.int32)), (41, 40), stride=(1, 3), padding=(9, 8, 7, 6))


POOL = (pool_matches_the_oracle, pool_dtype, pool_large_windows)
