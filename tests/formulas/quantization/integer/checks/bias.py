"""What every implementation of quantize_bias must satisfy: functions that take one and assert."""

from itertools import product

import numpy as np

from tests.formulas.quantization.integer.checks.common import assert_integers, frozen
from tests.oracles import bias as bias_oracle


def bias_matches_the_oracle(f):
    rng = np.random.default_rng(2)
    for dtype, rule in product((np.float32, np.float64), ("half_even", "half_away", "floor", "half_up")):
        b = frozen(rng.standard_normal(40), dtype)
        s_x, s_w = dtype(rng.uniform(5e-5, 1e-4)), frozen(rng.uniform(5e-5, 1e-2, 40), dtype)  # codes up to 2³⁰
        for each in (s_w, s_w[3]):
            expected = [
                bias_oracle.quantize_bias(v, s_x, s, rule) for v, s in zip(b, np.broadcast_to(each, 40), strict=True)
            ]
            assert_integers(f.quantize_bias(b, s_x, each, rounding=rule), expected)


BIAS = (bias_matches_the_oracle,)
