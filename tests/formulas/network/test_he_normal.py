import math

import numpy as np
import pytest

from refcompress.formulas.network import he_normal
from tests.oracles import he_normal as oracle


@pytest.mark.parametrize("shape", [(3, 4), (5, 2, 3, 4), (6, 1, 5, 3), (7, 1)])
def test_equals_the_loops(shape):
    expected = oracle.sample(shape, np.random.default_rng(1))
    drawn = he_normal.sample(shape, np.random.default_rng(1), dtype=np.float64)
    assert drawn.dtype == np.float64
    np.testing.assert_array_equal(drawn, expected)  # one product by a correctly rounded root, in both
    drawn = he_normal.sample(shape, np.random.default_rng(1))
    assert drawn.dtype == np.float32  # the default
    # Drawn in float64 and cast at the end, so both dtypes hold the same numbers.
    np.testing.assert_array_equal(drawn, np.array([np.float32(v) for v in expected.ravel()]).reshape(shape))


def test_literal_scale():
    normal = np.random.default_rng(2).standard_normal((4, 8))
    np.testing.assert_array_equal(he_normal.sample((4, 8), np.random.default_rng(2), np.float64), normal / 2)  # √(2/8)
    normal = np.random.default_rng(2).standard_normal((3, 2, 4, 4))
    np.testing.assert_array_equal(he_normal.sample((3, 2, 4, 4), np.random.default_rng(2), np.float64), normal / 4)


def test_moments():
    shape = (400, 5, 10, 3)
    drawn = he_normal.sample(shape, np.random.default_rng(3)).astype(float)
    # 5 standard deviations of the sample mean, σ/√n, and of the sample deviation, σ/√(2n).
    sigma, n = math.sqrt(2 / 150), 60000
    assert abs(drawn.mean()) < 5 * sigma / math.sqrt(n)
    assert abs(drawn.std() - sigma) < 5 * sigma / math.sqrt(2 * n)


def test_the_generator_advances():
    rng = np.random.default_rng(4)
    assert not np.array_equal(he_normal.sample((3, 4), rng), he_normal.sample((3, 4), rng))


def test_wrong_arguments():
    rng = np.random.default_rng(5)
    for wrong in (np.float16, np.int64, complex, bool):
        with pytest.raises(TypeError, match=r"\bdtype\b"):
            he_normal.sample((3, 4), rng, dtype=wrong)
    for wrong in [(3, -4), (3, 0)]:
        with pytest.raises(ValueError, match=r"\bshape\b"):
            he_normal.sample(wrong, rng)
    with pytest.raises(TypeError, match=r"\bshape\b"):
        he_normal.sample((3, 4.0), rng)
    for wrong in (None, 0, np.random):
        with pytest.raises((TypeError, ValueError), match=r"\brng\b"):
            he_normal.sample((3, 4), wrong)
