"""Weights with zeros anywhere: scipy's sparse product beside the dense one. Below some 90 % zeros it does not pay.

Everything favours the sparse side: its matrix is built beforehand and its input arrives transposed.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from tests.benchmarks.context import Context
from tests.benchmarks.result import Figure

CASES = ((4096, 128, 32), (4096, 128, 256), (1024, 1024, 32), (1024, 1024, 256))  # inputs, neurons, batch
QUICK_CASES = CASES[:1]
PERCENT = (50, 80, 90, 95, 99)


def figures(context: Context) -> Iterator[Figure]:
    """A layer without bias, as a dense and as a sparse product."""
    from scipy.sparse import csr_array

    for inputs, neurons, batch in QUICK_CASES if context.quick or context.tiny else CASES:
        for percent in PERCENT:
            x, W = _operands(*context.size((inputs, neurons, batch), tiny=(40, 5, 3)), percent)
            sparse, xt, dense = csr_array(W), np.ascontiguousarray(x.T), partial(np.matmul, x, W.T)
            ours = partial(sparse.__matmul__, xt)
            # Both are sums of K terms of |x||W|, each with an error of at most some K·u of that, u = 2^-24.
            tolerance = 2 * inputs * 2.0**-24 * (np.abs(x) @ np.abs(W).T)
            agrees = bool((np.abs(ours().T - dense()) <= tolerance).all())
            name = f"sparse product, {inputs}×{neurons}, batch {batch}, {percent} % zeros"
            yield from context.compare(name, "dense", ours, dense, agrees=agrees)


def _operands(inputs: int, neurons: int, batch: int, percent: int) -> tuple[np.ndarray, np.ndarray]:
    """A batch (N, D), and weights (M, D) of which so many are zeros, anywhere."""
    rng = np.random.default_rng(percent)
    W = rng.standard_normal((neurons, inputs), np.float32)
    W.reshape(-1)[rng.permutation(W.size)[: W.size * percent // 100]] = 0
    return rng.standard_normal((batch, inputs), np.float32), W
