from fractions import Fraction

import numpy as np
import pytest

from refcompress.datasets.levels import unit_range


def nearest_float32(value):
    """The float32 nearest to a Fraction, found by comparing exact neighbours."""
    guess = np.float32(float(value))
    around = [guess, np.nextafter(guess, np.float32(-1)), np.nextafter(guess, np.float32(2))]
    return min(around, key=lambda candidate: abs(Fraction(float(candidate)) - value))


@pytest.mark.parametrize("largest", [16, 255])
def test_every_level_is_divided_exactly_rounded(largest):
    levels = np.arange(largest + 1, dtype=np.uint8).reshape(1, 1, -1)
    images = unit_range(levels, largest)
    assert images.shape == (1, 1, 1, largest + 1)
    assert images.dtype == np.float32
    assert images.ravel().tolist() == [float(nearest_float32(Fraction(k, largest))) for k in range(largest + 1)]


def test_bad_levels():
    levels = np.zeros((2, 3, 4), dtype=np.uint8)
    levels[1, 2, 0] = 17
    with pytest.raises(ValueError, match="levels must be from 0 to 16, got 17"):
        unit_range(levels, 16)
    with pytest.raises(ValueError, match="levels must have 3 dimensions"):
        unit_range(levels[0], 255)
    with pytest.raises(TypeError, match="levels must be uint8, got int64"):
        unit_range(levels.astype(np.int64), 255)
    with pytest.raises(ValueError, match="largest must be from 1 to 255, got 0"):
        unit_range(levels, 0)
