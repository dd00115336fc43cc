"""What every implementation of the quantized convolution must satisfy: functions that take one and assert."""

from functools import cache

import numpy as np

from tests.formulas.quantization.integer.checks.common import (
    MIXES,
    MODES,
    OUTPUTS,
    assert_integers,
    assert_near,
    codes,
    flat,
    frozen,
    output,
    output_dtypes,
    plain,
    smallest,
)
from tests.oracles import quantized_conv2d as quantized_conv_oracle


def conv_cases():
    rng = np.random.default_rng(14)
    geometries = (
        {},
        {"padding": 1},
        {"padding": (1, 2), "stride": (2, 1)},
        {"padding": (0, 1, 2, 3), "dilation": (1, 2)},
        {"groups": 2, "padding": (2, 0, 1, 0), "stride": (2, 2)},
    )
    for k, geometry in enumerate(geometries):
        left, right = MIXES[k]
        x, w = codes(rng, left, (2, 4, 7, 8)), codes(rng, right, (6, 4 // geometry.get("groups", 1), 3, 5))
        z_x, z_w = int(x[0, 0, 0, 0]), frozen(w[:, 0, 0, 0]) if k % 2 else int(w[0, 0, 0, 0])
        s_x = np.float32(rng.uniform(0.01, 0.1))
        s_w = np.float32(0.03) if k % 2 else frozen(rng.uniform(0.001, 0.1, 6), np.float32)
        bias = None if k == 1 else frozen(rng.integers(-5000, 5000, 6))
        z, qmin, qmax = OUTPUTS[k]
        pairs = {"stride": (1, 1), "dilation": (1, 1), "padding": 0, "groups": 1} | geometry
        acc = np.abs(quantized_conv_oracle.sums(plain(x), plain(w), plain(bias), z_x, plain(z_w), pairs)).max()
        s_out = np.float32(acc * s_x * np.max(s_w) / (0.6 * (qmax - qmin)))
        scales = {"x_scale": s_x, "w_scale": s_w, "out_scale": s_out, "x_zero_point": z_x, "w_zero_point": z_w}
        yield (x, w, bias), scales, (z, qmin, qmax), pairs


@cache
def conv_answers():
    """Return the cases, their real numbers, and the codes under every rounding."""
    found = []
    for arrays, scales, outputs, geometry in conv_cases():
        given, options = [plain(v) for v in arrays], {k: plain(v) for k, v in scales.items()} | geometry
        real = flat(quantized_conv_oracle.exact(*given, **options))
        options |= output(*outputs)
        answers = [quantized_conv_oracle.conv2d(*given, **options, rounding=rounding) for rounding in MODES]
        found.append((arrays, scales, outputs, geometry, real, answers))
    return found


def conv_end_to_end(f):
    for arrays, scales, outputs, geometry, real, answers in conv_answers():
        for rounding, expected in zip(MODES, answers, strict=True):
            found = f.conv2d(*arrays, **scales, **output(*outputs), rounding=rounding, **geometry)
            assert_integers(found, expected, smallest(*outputs[1:]))
            assert_near(flat(found.tolist()), real, rounding, *outputs)


def quantized_conv_dtype(f):
    w = frozen([-40, 5, 90, 150, 300, 999], np.int16).reshape(6, 1, 1, 1)

    def run(first, **options):
        x = frozen(np.ones((1, 1, 1, 1)), first)
        return f.conv2d(x, w, x_scale=1.0, w_scale=1.0, out_scale=1.0, **options)

    output_dtypes(run)


QUANTIZED_CONV = (conv_end_to_end, quantized_conv_dtype)
