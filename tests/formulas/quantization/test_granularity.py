"""Granularity: shapes of scales, which element has which, and functions of groups, against loops over indices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import granularity
from tests.oracles import granularity as oracle

CASES = [
    ((), None, None),
    ((5,), None, None),
    ((3, 4, 5), None, None),
    ((5,), 0, None),
    ((5,), -1, None),
    ((3, 4), 0, None),
    ((3, 4), 1, None),
    ((3, 4), -1, None),
    ((3, 4), -2, None),
    ((3, 4, 5), 1, None),
    ((3, 4, 5), (0, 1), None),
    ((3, 4, 5), (1, 0), None),
    ((3, 4, 5), (2, 0), None),
    ((3, 4, 5), (-1, 1), None),
    ((3, 4, 5), (2, 0, 1), None),
    ((3, 4, 5), (1,), None),
    ((2, 3, 4, 5), (3, 1, 0), None),
    ((3, 4), (), None),
    ((5,), 0, 2),
    ((6,), 0, 2),
    ((5,), 0, 5),
    ((5,), 0, 7),
    ((5,), 0, 1),
    ((3, 7), 1, 3),
    ((3, 7), -1, 3),
    ((7, 3), 0, 3),
    ((3, 7, 2), 1, 4),
    ((3, 2, 7), (2,), 4),
    ((3, 2, 7), (-3,), 2),
]


def plain(axis):
    """An empty tuple of axes is per tensor."""
    return None if axis == () else axis


@pytest.mark.parametrize(("shape", "axis", "block_size"), CASES)
def test_shapes(shape, axis, block_size):
    got = granularity.parameter_shape(shape, axis, block_size)
    assert got == oracle.parameter_shape(shape, plain(axis), block_size)
    assert isinstance(got, tuple)


@pytest.mark.parametrize(("shape", "axis", "block_size"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_expanded(shape, axis, block_size, dtype):
    wanted = oracle.parameter_shape(shape, plain(axis), block_size)
    parameter = (np.arange(int(np.prod(wanted))).reshape(wanted) + 1).astype(dtype)
    parameter.setflags(write=False)
    got = granularity.expand("scale", parameter, shape, axis, block_size)
    assert got.dtype == dtype
    expected = oracle.expand(parameter, shape, plain(axis), block_size)
    assert np.broadcast_shapes(got.shape, shape) == shape
    assert np.array_equal(np.broadcast_to(got, shape), expected)


@pytest.mark.parametrize(("shape", "axis", "block_size"), CASES)
def test_a_number_is_for_all(shape, axis, block_size):
    got = granularity.expand("scale", np.array(2.5), shape, axis, block_size)
    assert np.shape(got) == ()
    assert got == 2.5


@pytest.mark.parametrize(("shape", "axis", "block_size"), CASES)
def test_functions_of_groups(shape, axis, block_size):
    """Every group as one dimension, in the order of its elements; numbers and tuples of numbers."""
    x = np.random.default_rng(0).normal(size=shape)
    x.setflags(write=False)
    groups = oracle.groups(x, plain(axis), block_size)
    seen = []

    def both(group):
        seen.append(group.tolist())
        assert group.ndim == 1
        return group.min(), 3 * group[0] - group.sum()

    low, other = granularity.apply(both, x, axis, block_size)
    assert low.shape == other.shape == oracle.parameter_shape(shape, plain(axis), block_size)
    for place, elements in groups.items():
        assert low[place] == min(elements)
        assert other[place] == 3 * elements[0] - np.sum(elements)
    assert seen == [elements for _, elements in sorted(groups.items())]
    single = granularity.apply(lambda group: group.max(), x, axis, block_size)
    assert isinstance(single, np.ndarray)
    assert single.shape == low.shape
    assert single.tolist() == oracle.apply(max, x, plain(axis), block_size).tolist()


def test_literals():
    assert granularity.parameter_shape((8, 32), 0) == (8,)
    assert granularity.parameter_shape((8, 33), 1, 16) == (8, 3)
    assert granularity.parameter_shape((2, 7, 32), (0, 1)) == (2, 7)
    assert granularity.parameter_shape((2, 7, 32), (1, 0)) == (7, 2)
    x = np.arange(10).reshape(2, 5)
    assert granularity.apply(np.sum, x).tolist() == 45
    assert granularity.apply(np.sum, x, 0).tolist() == [10, 35]
    assert granularity.apply(np.sum, x, 1).tolist() == [5, 7, 9, 11, 13]
    assert granularity.apply(np.sum, x, 1, 2).tolist() == [[1, 5, 4], [11, 15, 9]]
    assert granularity.expand("s", np.array([[1, 2, 3], [4, 5, 6]]), (2, 5), 1, 2).tolist() == [
        [1, 1, 2, 2, 3],
        [4, 4, 5, 5, 6],
    ]


def test_dtypes_of_the_results():
    x = np.ones((2, 3), np.float32)
    assert granularity.apply(lambda group: group.max(), x, 0).dtype == np.float32
    s, z = granularity.apply(lambda group: (group.max(), 3), x, 0)
    assert (s.dtype, z.dtype.kind) == (np.float32, "i")
    assert granularity.apply(len, [[1, 2, 3], [4, 5, 6]], 0).tolist() == [3, 3]


def test_without_an_axis_any_that_broadcasts():
    p = np.array([[1.0], [2.0]])
    assert granularity.expand("scale", p, (2, 3)) is p
    assert granularity.expand("scale", np.ones(3), (2, 3)).shape == (3,)
    for wrong in ((2,), (3, 1), (1, 2, 3), (4,)):
        with pytest.raises(ValueError, match=r"^scale must broadcast to shape \(2, 3\), got"):
            granularity.expand("scale", np.ones(wrong), (2, 3))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_random_shapes(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    axes = data.draw(st.lists(st.sampled_from(range(len(shape))), min_size=1, max_size=len(shape), unique=True))
    block_size = data.draw(st.none() | st.integers(1, 5)) if len(axes) == 1 else None
    axis = tuple(a - len(shape) * data.draw(st.booleans()) for a in axes)
    test_expanded(shape, axis, block_size, np.float32)
    test_functions_of_groups(shape, axis, block_size)


# error paths


def calls(axis=None, block_size=None, shape=(4, 6)):
    yield lambda: granularity.parameter_shape(shape, axis, block_size)
    yield lambda: granularity.expand("scale", np.ones(4), shape, axis, block_size)
    yield lambda: granularity.apply(np.max, np.ones(shape), axis, block_size)


@pytest.mark.parametrize("axis", [2, -3, (0, 2), (1, -3), 10**9])
def test_axis_out_of_range(axis):
    for call in calls(axis):
        with pytest.raises(ValueError, match=r"^axis must be from -2 to 1, got"):
            call()


@pytest.mark.parametrize("axis", [1.0, "0", True, [0], (0, 1.0), (None,)])
def test_axis_of_the_wrong_type(axis):
    for call in calls(axis):
        with pytest.raises(TypeError, match=r"^axis must be an integer, got"):
            call()


@pytest.mark.parametrize("axis", [(0, 0), (0, -2), (1, 0, 1)])
def test_axis_named_twice(axis):
    for call in calls(axis):
        with pytest.raises(ValueError, match=r"^axis must name distinct axes, got"):
            call()


@pytest.mark.parametrize("axis", [0, -1])
def test_a_number_has_no_axis(axis):
    for call in calls(axis, shape=()):
        with pytest.raises(ValueError, match=r"^axis must be"):
            call()


@pytest.mark.parametrize("block_size", [0, -1])
def test_block_size_too_small(block_size):
    for call in calls(1, block_size):
        with pytest.raises(ValueError, match=rf"^block_size must be at least 1, got {block_size}"):
            call()


@pytest.mark.parametrize("block_size", [2.0, "2", True, np.float32(2)])
def test_block_size_of_the_wrong_type(block_size):
    for call in calls(1, block_size):
        with pytest.raises(TypeError, match=r"^block_size must be an integer, got"):
            call()


@pytest.mark.parametrize("axis", [None, (), (0, 1)])
def test_blocks_need_one_axis(axis):
    for call in calls(axis, 2):
        with pytest.raises(ValueError, match=r"^axis must be one axis for block_size 2, got"):
            call()


def test_numpy_integers_are_taken():
    assert granularity.parameter_shape((4, 6), np.int64(1), np.uint8(4)) == (4, 2)


@pytest.mark.parametrize(
    ("axis", "block_size", "wanted", "wrong"),
    [
        (0, None, r"\(4,\)", [(6,), (4, 1), (1,), (4, 6), (1, 4)]),
        ((0, 1), None, r"\(4, 6\)", [(6, 4), (4,), (24,)]),
        (1, 4, r"\(4, 2\)", [(4, 6), (4, 3), (2,), (4, 1), (1, 2)]),
    ],
)
def test_parameters_of_another_shape(axis, block_size, wanted, wrong):
    for shape in wrong:
        with pytest.raises(ValueError, match=rf"^zero_point must have shape {wanted}, got"):
            granularity.expand("zero_point", np.ones(shape), (4, 6), axis, block_size)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
def test_empty_arrays_have_no_groups(shape):
    with pytest.raises(ValueError, match=r"^x must not be empty, got shape"):
        granularity.apply(np.max, np.zeros(shape), 0)


def test_errors_of_the_function_pass():
    def refuse(group):
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        granularity.apply(refuse, np.ones(3), 0)
