"""What every implementation of the quantized matrix product must satisfy: functions that take one and assert."""

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
from tests.oracles import quantized_matmul as quantized_matmul_oracle


def matmul_cases():
    rng = np.random.default_rng(13)
    for k, (left, right) in enumerate(MIXES[:-1] + MIXES[:4]):
        M, K, N = 4, (7, 1, 60)[k % 3], 5
        a, b = codes(rng, left, (M, K)), codes(rng, right, (K, N))
        z_a = int(a[0, 0]) if k % 2 else frozen(a[::-1, 0])
        z_b = int(b[0, 0]) if k % 3 else frozen(b[0, ::-1])
        s_b = frozen(rng.uniform(0.001, 0.1, N), np.float32) if k % 2 else np.float32(2.0**-5)
        s_a = np.float32(rng.uniform(0.01, 0.1) if k % 4 else 2.0**-4)
        bias = frozen(rng.integers(-2000, 2000, N)) if k % 5 else None
        if bias is None:  # whose unit is one for all rows
            s_a = frozen(s_a * np.linspace(0.5, 1, M), np.float32)
        acc = np.abs(quantized_matmul_oracle.sums(plain(a), plain(b), plain(bias), plain(z_a), plain(z_b))).max()
        z, qmin, qmax = OUTPUTS[k % len(OUTPUTS)]
        s_out = np.float32(acc * np.max(s_a) * np.max(s_b) / (0.6 * (qmax - qmin)))
        s_out = s_out if k % 4 else np.float32(2.0 ** np.round(np.log2(s_out)))  # powers of two make ties
        scales = {"a_scale": s_a, "b_scale": s_b, "out_scale": s_out, "a_zero_point": z_a, "b_zero_point": z_b}
        yield (a, b, bias), scales, (z, qmin, qmax)


def matmul_end_to_end(f):
    for arrays, scales, outputs in matmul_cases():
        given, options = [plain(v) for v in arrays], {k: plain(v) for k, v in scales.items()}
        real = flat(quantized_matmul_oracle.exact(*given, **options))
        for rounding in MODES:
            found = f.matmul(*arrays, **scales, **output(*outputs), rounding=rounding)
            expected = quantized_matmul_oracle.matmul(*given, **options, **output(*outputs), rounding=rounding)
            assert_integers(found, expected, smallest(*outputs[1:]))
            assert_near(flat(found.tolist()), real, rounding, *outputs)


def matmul_dtype(f):
    b = frozen([[-40, 5, 90, 150, 300, 999]], np.int16)

    def run(first, **options):
        return f.matmul(frozen([[1]], first), b, a_scale=1.0, b_scale=1.0, out_scale=1.0, **options)

    output_dtypes(run)


MATMUL = (matmul_end_to_end, matmul_dtype)
