"""What every implementation of the quantized sum must satisfy: functions that take one and assert."""

from fractions import Fraction
from itertools import product

import numpy as np

from tests.formulas.quantization.integer.checks.common import (
    MIXES,
    MODES,
    OUTPUTS,
    asked,
    assert_integers,
    codes,
    frozen,
    output,
    output_dtypes,
)
from tests.oracles import quantized_add as add_oracle


def assert_added(f, a, b, options, rounding):
    found = f.add(a, b, rounding=rounding, **options)
    flat_a, flat_b = map(np.ravel, np.broadcast_arrays(a, b))
    given = {"dtype": a.dtype.name} | options
    expected = asked(added, flat_a, flat_b, rounding=rounding, **given)
    assert_integers(np.ravel(found), expected, given["dtype"])
    return list(zip(flat_a.tolist(), flat_b.tolist(), strict=True)), np.ravel(found).tolist()


def added(a, b, **options):
    return [add_oracle.add(x, y, **options) for x, y in zip(a, b, strict=True)]


def add_cases():
    rng = np.random.default_rng(16)
    for k, (left, right) in enumerate([*MIXES[:2], *MIXES[3:5]] * 3):
        a, b = codes(rng, left, (4, 1, 3)), codes(rng, right, (5, 1))
        s_a, s_b = rng.uniform(0.01, 0.5, 2).astype(np.float32)
        s_out = np.float32(rng.uniform(0.05, 0.9))
        if k % 3 == 0:
            s_a, s_b, s_out = np.float32([0.5, 0.5, 1.0])
        z, qmin, qmax = OUTPUTS[k % len(OUTPUTS)]
        yield a, b, {
            "a_scale": s_a, "b_scale": s_b, "out_scale": s_out, "a_zero_point": int(a[0, 0, 0]),
            "b_zero_point": int(b[0, 0]), **output(z, qmin, qmax),
        }  # fmt: skip


def add_end_to_end(f):
    """The real number, too.

    Every t is off by ½, by ¼ for a second rounding, and by 2⁻³¹ · 2³⁰ for its multiplier: both together by less than 4
    units of S / (2²⁰ · s_out) < 2⁻¹⁵ code. Then ½ and ¼, and 2⁻³⁰ of less than 2¹⁵ codes. float: eight roundings by at
    most 2⁻²⁴ of |z_out| + r_a (|a| + |z_a|) + r_b (|b| + |z_b|) each.
    """
    for a, b, options in add_cases():
        scales = {name: options[name] for name in ("a_scale", "b_scale", "out_scale", "a_zero_point", "b_zero_point")}
        z, qmin, qmax = options["out_zero_point"], options["qmin"], options["qmax"]
        size = 511 * float(options["a_scale"] + options["b_scale"]) / float(options["out_scale"]) + abs(z)
        more = {"double": 0.25 + 2.0**-12, "double_up": 0.25 + 2.0**-12, "single": 2.0**-12, "float": size * 2.0**-20}
        assert 2 * max(options["a_scale"], options["b_scale"]) / options["out_scale"] < 2**5
        for rounding in MODES:
            pairs, found = assert_added(f, a, b, options, rounding)
            for (x, y), q in zip(pairs, found, strict=True):
                real = add_oracle.exact(x, y, **scales)
                if qmin + 1 < real + z < qmax - 1:
                    assert abs(q - z - real) <= Fraction(1, 2) + Fraction(more[rounding])


def add_left_shifts(f):
    """L = 0, 15 and 20, and with few bits the error of the terms is seen; int16 with 15."""
    rng = np.random.default_rng(17)
    a, b = codes(rng, np.int8, (9, 1)), codes(rng, np.uint8, 7)
    for left_shift, rounding in product((0, 1, 2, 7, 15, 20, 22), ("double", "double_up", "single")):
        options = {"a_scale": 0.3, "b_scale": 0.2, "out_scale": 0.7, "b_zero_point": 128, "left_shift": left_shift}
        assert_added(f, a, b, options, rounding)
    a, b = codes(rng, np.int16, (9, 1)), codes(rng, np.int16, 7)
    options = {"a_scale": 0.3, "b_scale": 0.2, "out_scale": 0.4, "left_shift": 15}
    for rounding in ("double", "double_up", "single"):
        assert_added(f, a, b, options, rounding)


def add_float_is_fused(f):
    """16 bits of codes and sums of up to 25: what rounds the products, or a's before b's, differs by 1 and more."""
    rng = np.random.default_rng(18)
    a, b = codes(rng, np.int16, (9, 1)), codes(rng, np.int16, 11)
    for _ in range(4):
        s_a, s_b = rng.uniform(0.5, 2, 2).astype(np.float32)
        options = {"a_scale": s_a, "b_scale": s_b, "out_scale": np.float32(0.0037), "dtype": "int32"}
        zero_points = {"a_zero_point": 1234, "b_zero_point": -99, "out_zero_point": 5}
        assert_added(f, a, b, options | zero_points, "float")


def add_dtype(f):
    b = frozen([-41, 4, 89, 149, 299, 998], np.int16)

    def run(first, **options):
        shift = {} if options["rounding"] == "float" else {"left_shift": 18}
        scales = {"a_scale": 1.0, "b_scale": 1.0, "out_scale": 1.0}
        return f.add(frozen([1], first), b, **scales, **shift, **options)

    output_dtypes(run)


ADD = (add_end_to_end, add_left_shifts, add_float_is_fused, add_dtype)
