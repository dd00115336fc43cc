"""Min-max: its checks against the oracle, random arrays, groups of uneven length, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refcompress.formulas.quantization import granularity
from refcompress.formulas.quantization.ranges import min_max
from tests.formulas.quantization.checks.common import DTYPES, frozen
from tests.formulas.quantization.ranges import checks
from tests.oracles import min_max as oracle


@pytest.mark.parametrize("check", checks.MIN_MAX)
def test_property(check):
    check(min_max)


ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=5),
        elements=st.floats(allow_nan=False, allow_infinity=False, width=np.dtype(dtype).itemsize * 8),
    )
)


@settings(deadline=None, max_examples=60)
@given(ARRAYS)
def test_random_arrays(x):
    low, high = min_max.min_max(x)
    assert low.dtype == high.dtype == x.dtype
    assert (float(low), float(high)) == oracle.min_max(x.ravel().tolist())
    largest = min_max.absolute_maximum(x)
    assert float(largest) == oracle.absolute_maximum(x.ravel().tolist()) >= 0
    assert largest.dtype == x.dtype


def test_blocks_of_which_the_last_is_shorter():
    x = frozen([[3, -1, 4, 1, -5], [9, 2, -6, 5, 3]], np.float32)
    low, high = granularity.apply(min_max.min_max, x, axis=1, block_size=2)
    assert low.tolist() == [[-1, 1, -5], [2, -6, 3]]
    assert high.tolist() == [[3, 4, -5], [9, 5, 3]]
    assert granularity.apply(min_max.absolute_maximum, x, axis=1, block_size=3).tolist() == [[4, 5], [9, 5]]


def test_lists_are_float64():
    assert min_max.min_max([1.0, 2.0])[0].dtype == np.float64
    with pytest.raises(ValueError, match="inhomogeneous"):
        min_max.min_max([[1.0, 2.0], [3.0]])


@pytest.mark.parametrize("call", [min_max.min_max, min_max.absolute_maximum])
def test_wrong_values(call):
    checks.refuses_what_is_no_finite_float_array(call)
