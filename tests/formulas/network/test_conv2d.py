import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.network import conv2d
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import conv2d as oracle

OPTIONS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}

# name: shape of x, shape of W, options. The sizes of a case differ pairwise, but for C = groups in the depthwise ones.
CASES = {
    "plain": ((2, 4, 7, 8), (6, 4, 3, 5), {}),
    "padding": ((2, 4, 7, 8), (6, 4, 3, 5), {"padding": 1}),
    "padding pair": ((2, 4, 7, 8), (6, 4, 3, 5), {"padding": (0, 2)}),
    "padding beyond the kernel": ((2, 4, 6, 7), (8, 4, 3, 5), {"padding": (4, 6)}),
    "stride with a remainder": ((2, 4, 9, 10), (6, 4, 3, 5), {"stride": 4}),
    "stride pair": ((2, 4, 10, 11), (6, 4, 3, 5), {"stride": (3, 2)}),
    "stride over the kernel": ((2, 4, 11, 13), (6, 4, 3, 5), {"stride": (4, 6), "padding": (1, 2)}),
    "dilation": ((2, 4, 8, 11), (6, 4, 3, 5), {"dilation": 2}),
    "dilation pair": ((2, 4, 10, 7), (6, 4, 3, 5), {"dilation": (3, 1)}),
    "padding beyond the dilated kernel": ((2, 4, 6, 7), (8, 4, 3, 5), {"dilation": (2, 1), "padding": (5, 5)}),
    "groups": ((2, 8, 7, 9), (6, 4, 3, 5), {"groups": 2}),
    "depthwise": ((2, 4, 7, 9), (4, 1, 3, 5), {"groups": 4}),
    "depthwise, two filters a channel": ((2, 4, 7, 9), (8, 1, 3, 5), {"groups": 4}),
    "pointwise": ((2, 4, 7, 8), (6, 4, 1, 1), {}),
    "pointwise with stride": ((2, 4, 7, 8), (6, 4, 1, 1), {"stride": (2, 3), "padding": (1, 0)}),
    "kernel as large as the input": ((2, 4, 3, 5), (6, 4, 3, 5), {}),
    "everything": (
        (2, 9, 10, 11),
        (6, 3, 4, 5),
        {"stride": (3, 2), "padding": (4, 1), "dilation": (1, 2), "groups": 3},
    ),
}


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def for_oracle(options):
    options = OPTIONS | options
    return *(pair(options[name]) for name in ("stride", "padding", "dilation")), options["groups"]


def make(x_shape, W_shape, dtype=np.float64, integers=False):
    rng = np.random.default_rng(1)
    draw = (lambda shape: rng.integers(-8, 9, shape)) if integers else rng.standard_normal
    return tuple(frozen(draw(shape).astype(dtype)) for shape in (x_shape, W_shape, W_shape[:1]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_loops(case, dtype):
    x_shape, W_shape, options = CASES[case]
    x, W, b = make(x_shape, W_shape, dtype)
    given_options = for_oracle(options)
    out, cache = conv2d.forward(x, W, b, **options)
    # K products and sums in any order err by γ_K·Σ|a||b|; twice, because the oracle rounds too.
    per_output = W[0].size
    size = oracle.forward(abs(x), abs(W), abs(b), *given_options)
    assert_within(out, oracle.forward(x, W, b, *given_options), gamma(2 * (per_output + 1), dtype) * size, dtype)
    dout = frozen(np.random.default_rng(2).standard_normal(out.shape).astype(dtype))
    gradients = conv2d.backward(dout, cache)
    assert gradients._fields == ("dX", "dW", "db")
    expected = oracle.backward(dout, x, W, *given_options)
    sizes = oracle.backward(abs(dout), abs(x), abs(W), *given_options)
    per_filter = dout[:, 0].size
    for gradient, right, size, count in zip(
        gradients, expected, sizes, [W[:, 0].size, per_filter, per_filter], strict=True
    ):
        assert_within(gradient, right, gamma(2 * count, dtype) * size, dtype)


@pytest.mark.parametrize("case", CASES)
def test_gradient(case):
    x_shape, W_shape, options = CASES[case]
    check_gradient(lambda x, W, b: conv2d.forward(x, W, b, **options), conv2d.backward, make(x_shape, W_shape))


def test_gradient_without_bias():
    x, W, _ = make(*CASES["groups"][:2])
    check_gradient(lambda x, W, b: conv2d.forward(x, W, b, groups=2), conv2d.backward, (x, W, None))
    out, _ = conv2d.forward(x, W, groups=2)
    expected = oracle.forward(x, W, None, *for_oracle({"groups": 2}))
    assert_within(
        out,
        expected,
        gamma(2 * W[0].size, float) * oracle.forward(abs(x), abs(W), None, *for_oracle({"groups": 2})),
        np.float64,
    )


@st.composite
def integer_cases(draw):
    """Small-integer arrays, whose sums are exact in every order, and valid options, as a pair or as one int."""
    small = st.integers
    groups = draw(small(1, 3))
    kernel, stride, padding, dilation, size = [], [], [], [], []
    for _ in range(2):
        kernel.append(draw(small(1, 4)))
        stride.append(draw(small(1, 4)))
        padding.append(draw(small(0, 4)))
        dilation.append(draw(small(1, 3)))
        smallest = max(1, dilation[-1] * (kernel[-1] - 1) + 1 - 2 * padding[-1])
        size.append(draw(small(smallest, smallest + 5)))
    x_shape = (draw(small(1, 3)), groups * draw(small(1, 3)), *size)
    W_shape = (groups * draw(small(1, 3)), x_shape[1] // groups, *kernel)
    options = {"groups": groups}
    for name, value in [("stride", stride), ("padding", padding), ("dilation", dilation)]:
        options[name] = value[0] if value[0] == value[1] else tuple(value)
    rng = np.random.default_rng(draw(small(0, 999)))
    return tuple(rng.integers(-8, 9, shape).astype(np.float32) for shape in (x_shape, W_shape, W_shape[:1])), options


@settings(max_examples=60, deadline=None)
@given(integer_cases())
def test_small_integers_are_exact(case):
    (x, W, b), options = case
    out, cache = conv2d.forward(frozen(x), frozen(W), frozen(b), **options)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, oracle.forward(x, W, b, *for_oracle(options)))
    dout = frozen(np.random.default_rng(0).integers(-8, 9, out.shape).astype(np.float32))
    expected = oracle.backward(dout, x, W, *for_oracle(options))
    for gradient, right in zip(conv2d.backward(dout, cache), expected, strict=True):
        np.testing.assert_array_equal(gradient, right)
    short = conv2d.backward(dout, cache, input_gradient=False)
    assert short.dX is None
    np.testing.assert_array_equal(short.dW, expected[1])
    np.testing.assert_array_equal(short.db, expected[2])


@pytest.mark.parametrize("case", ["plain", "padding", "depthwise", "pointwise", "everything"])
def test_memory_layout_does_not_matter(case):
    x_shape, W_shape, options = CASES[case]
    x, W, b = make(x_shape, W_shape, integers=True)
    out = oracle.forward(x, W, b, *for_oracle(options))
    dout = np.random.default_rng(3).integers(-8, 9, out.shape).astype(float)
    expected = oracle.backward(dout, x, W, *for_oracle(options))
    for x_, W_, dout_ in zip(layouts(x), layouts(W), layouts(dout), strict=True):
        result, cache = conv2d.forward(frozen(x_), frozen(W_), b, **options)
        np.testing.assert_array_equal(result, out)
        for gradient, right in zip(conv2d.backward(frozen(dout_), cache), expected, strict=True):
            np.testing.assert_array_equal(gradient, right)


# ---- blocks of windows ----

# name: shape of x, shape of W, options; of every memory order of the windows: taps first where kw·C/groups < W_out
BLOCKED = {
    "few channels": ((5, 2, 7, 9), (3, 2, 3, 4), {"padding": 1}),
    "many channels": ((5, 4, 7, 6), (3, 4, 2, 3), {}),
    "groups": ((5, 6, 7, 8), (4, 3, 2, 3), {"groups": 2}),
    "groups, taps first": ((5, 4, 7, 11), (6, 2, 2, 3), {"groups": 2, "padding": (1, 0)}),
    "depthwise": ((5, 3, 7, 8), (6, 1, 2, 4), {"groups": 3}),
    "stride and dilation": ((5, 3, 14, 15), (2, 3, 2, 3), {"stride": (2, 3), "dilation": (1, 2), "padding": (0, 1)}),
}


def blocks_of(monkeypatch):
    """Record which images and rows the blocks hold: a list that grows, of (group, images, rows) for every call."""
    seen, cut = [], conv2d._column_blocks

    def recorded(view, groups):
        seen.append([])
        for g, images, rows, columns in cut(view, groups):
            (N, H_out), taken = (
                view.shape[:2],
                (g, tuple(range(view.shape[0])[images]), tuple(range(view.shape[1])[rows])),
            )
            assert columns.shape[0] == len(taken[1]) * len(taken[2]) * view.shape[2]
            assert len(taken[1]) == 1 or len(taken[2]) == H_out, "several images, or rows of one"
            seen[-1].append(taken)
            yield g, images, rows, columns
        places = [(g, n, i) for g, images, rows in seen[-1] for n in images for i in rows]
        assert places == [(g, n, i) for g in range(groups) for n in range(N) for i in range(H_out)], (
            "each once, in order"
        )

    monkeypatch.setattr(conv2d, "_column_blocks", recorded)
    return seen


def row_bytes(case, dtype):
    """Bytes of the windows of one row of outputs, of one group."""
    x_shape, W_shape, options = BLOCKED[case]
    out = oracle.forward(np.zeros(x_shape), np.zeros(W_shape), None, *for_oracle(options))
    return out.shape[3] * int(np.prod(W_shape[1:])) * np.dtype(dtype).itemsize, out.shape[2]


def check_blocked(case, dtype=np.float32):
    x_shape, W_shape, options = BLOCKED[case]
    x, W, b = make(x_shape, W_shape, dtype, integers=True)  # sums are exact in any order
    out, cache = conv2d.forward(x, W, b, **options)
    np.testing.assert_array_equal(out, oracle.forward(x, W, b, *for_oracle(options)))
    dout = frozen(np.random.default_rng(4).integers(-8, 9, out.shape).astype(dtype))
    for gradient, right in zip(
        conv2d.backward(dout, cache), oracle.backward(dout, x, W, *for_oracle(options)), strict=True
    ):
        assert gradient.dtype == dtype
        np.testing.assert_array_equal(gradient, right)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", BLOCKED)
def test_blocks_of_images(case, dtype, monkeypatch):
    """5 images in pairs and a last one, in threes and two, in one block."""
    one, rows = row_bytes(case, dtype)
    seen = blocks_of(monkeypatch)
    for images, counts in ((2, [2, 2, 1]), (3, [3, 2]), (5, [5]), (9, [5])):
        monkeypatch.setattr(conv2d, "CACHE", images * rows * one + one // 2)
        seen.clear()
        check_blocked(case, dtype)
        groups = BLOCKED[case][2].get("groups", 1)
        assert [len(n) for _, n, _ in seen[0]] == counts * groups
        assert len(seen) == 3  # the output, dW and dX


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", BLOCKED)
def test_blocks_of_rows(case, dtype, monkeypatch):
    """The rows of an image one by one, in threes with fewer at last, all but one, and all."""
    one, rows = row_bytes(case, dtype)
    seen = blocks_of(monkeypatch)
    for room in (1, 3, rows - 1, rows):
        monkeypatch.setattr(conv2d, "CACHE", room * one)
        seen.clear()
        check_blocked(case, dtype)
        lengths = [len(i) for _, _, i in seen[0]]
        assert max(lengths) <= room
        assert len(set(lengths)) == 1 or min(lengths) == lengths[-1]
    monkeypatch.setattr(conv2d, "CACHE", 1)  # not even a row fits: a row nevertheless
    seen.clear()
    check_blocked(case, dtype)
    assert {len(i) for _, _, i in seen[0]} == {1}
    monkeypatch.setattr(conv2d, "CACHE", 4 * one)  # 5 to 8 rows: more than one block, the last of them shorter or not
    seen.clear()
    check_blocked(case, dtype)
    assert {len(n) for _, n, _ in seen[0]} == {1}


def test_both_memory_orders_occur():
    """Windows lie row by row where a kernel row of channels is longer than a row of pixels, else tap by tap."""
    orders = set()
    for x_shape, W_shape, options in BLOCKED.values():
        view = np.empty((*x_shape[:1], *row_shape(x_shape, W_shape, options), *W_shape[2:], W_shape[1]))
        columns = conv2d._room_for(view)
        assert columns.shape == view.shape
        by_tap = W_shape[3] * W_shape[1] < view.shape[2]
        assert columns.reshape(-1, int(np.prod(W_shape[1:]))).base is not None
        assert columns.flags.c_contiguous != by_tap
        orders.add(by_tap)
    assert orders == {True, False}


def row_shape(x_shape, W_shape, options):
    return oracle.forward(np.zeros(x_shape), np.zeros(W_shape), None, *for_oracle(options)).shape[2:]


@pytest.mark.parametrize("case", BLOCKED)
def test_rounded_sums_of_several_blocks(case, monkeypatch):
    """dW adds the blocks up: the bound of one sum holds for their sum, which has as many terms."""
    x_shape, W_shape, options = BLOCKED[case]
    x, W, b = make(x_shape, W_shape, np.float32)
    for cache_bytes in (1, 3 * row_bytes(case, np.float32)[0], 10**9):
        monkeypatch.setattr(conv2d, "CACHE", cache_bytes)
        out, cache = conv2d.forward(x, W, b, **options)
        size = oracle.forward(abs(x), abs(W), abs(b), *for_oracle(options))
        expected = oracle.forward(x, W, b, *for_oracle(options))
        assert_within(out, expected, gamma(2 * (W[0].size + 1), np.float32) * size, np.float32)
        dout = frozen(np.random.default_rng(2).standard_normal(out.shape).astype(np.float32))
        sizes = oracle.backward(abs(dout), abs(x), abs(W), *for_oracle(options))
        counts = (W[:, 0].size, dout[:, 0].size, dout[:, 0].size)
        right = oracle.backward(dout, x, W, *for_oracle(options))
        for gradient, wanted, size, count in zip(conv2d.backward(dout, cache), right, sizes, counts, strict=True):
            assert_within(gradient, wanted, gamma(2 * count, np.float32) * size, np.float32)


def planted_blocks(change):
    """A _column_blocks whose blocks pass through `change`, which gives a list of them."""
    cut = conv2d._column_blocks
    return lambda view, groups: change([(*where, columns.copy()) for *where, columns in cut(view, groups)])


BLOCK_MUTANTS = {
    "the last block is lost": lambda blocks: blocks[:-1],
    "a block twice": lambda blocks: [*blocks, blocks[0]],
    "the first block's windows for all": lambda blocks: [(*b[:3], blocks[0][3][: len(b[3])]) for b in blocks],
    "the first group for all": lambda blocks: [(0, *b[1:]) for b in blocks],
}


@pytest.mark.parametrize("name", BLOCK_MUTANTS)
def test_a_planted_error_in_the_blocks_is_caught(name, monkeypatch):
    monkeypatch.setattr(conv2d, "CACHE", 3 * row_bytes("groups", np.float32)[0])
    check_blocked("groups")
    monkeypatch.setattr(conv2d, "_column_blocks", planted_blocks(BLOCK_MUTANTS[name]))
    with pytest.raises(AssertionError):
        check_blocked("groups")


def test_no_images():
    out, cache = conv2d.forward(np.zeros((0, 4, 5, 6)), np.ones((3, 4, 2, 3)), np.ones(3))
    assert out.shape == (0, 3, 4, 4)
    dX, dW, db = conv2d.backward(out, cache)
    assert dX.shape == (0, 4, 5, 6)
    assert not dW.any()
    assert not db.any()


def test_backward_can_be_called_twice():
    x, W, b = make(*CASES["padding"][:2])
    out, cache = conv2d.forward(x, W, b, padding=1)
    first, second = conv2d.backward(out, cache), conv2d.backward(out, cache)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_int_and_pair_agree():
    x, W, b = make((2, 4, 9, 8), (6, 4, 3, 5), integers=True)
    one, _ = conv2d.forward(x, W, b, stride=2, padding=3, dilation=1)
    two, _ = conv2d.forward(x, W, b, stride=(2, 2), padding=(3, 3), dilation=(1, 1))
    np.testing.assert_array_equal(one, two)


def test_literals():
    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    W = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    out, cache = conv2d.forward(x, W, np.array([0.5]))
    # A cross-correlation: 1·1 + 2·2 + 3·4 + 4·5 + ½, the kernel is not flipped.
    np.testing.assert_array_equal(out, [[[[37.5, 47.5], [67.5, 77.5]]]])
    dX, dW, db = conv2d.backward(np.array([[[[1.0, 0.0], [0.0, 10.0]]]]), cache)
    np.testing.assert_array_equal(dX, [[[[1.0, 2.0, 0.0], [3.0, 14.0, 20.0], [0.0, 30.0, 40.0]]]])
    np.testing.assert_array_equal(dW, [[[[51.0, 62.0], [84.0, 95.0]]]])  # 1 + 10·5, 2 + 10·6, 4 + 10·8, 5 + 10·9
    np.testing.assert_array_equal(db, [11.0])


def test_unread_pixels_get_no_gradient():
    x, W = np.ones((1, 1, 6, 5)), np.ones((1, 1, 2, 2))
    out, cache = conv2d.forward(x, W, stride=3)
    np.testing.assert_array_equal(out, np.full((1, 1, 2, 2), 4.0))
    row = [1.0, 1.0, 0.0, 1.0, 1.0]  # of 3 only the first two rows and columns are read; the sixth row is a remainder
    np.testing.assert_array_equal(conv2d.backward(out / 4, cache).dX, [[[row, row, [0.0] * 5, row, row, [0.0] * 5]]])


def test_output_size():
    for size in range(1, 9):
        for kernel_size in range(1, 5):
            for stride in range(1, 4):
                for padding in range(4):
                    for dilation in range(1, 4):
                        expected = oracle.output_size(size, kernel_size, stride, padding, dilation)
                        if expected:
                            got = conv2d.output_size(size, kernel_size, stride, padding, dilation)
                            assert (type(got), got) == (int, expected)
                        else:
                            with pytest.raises(ValueError, match=r"size|kernel"):
                                conv2d.output_size(size, kernel_size, stride, padding, dilation)


@pytest.mark.parametrize(("position", "name"), [(1, "kernel_size"), (2, "stride"), (3, "padding"), (4, "dilation")])
def test_output_size_checks_its_arguments(position, name):
    for wrong, error in [(-1, ValueError), (1.5, TypeError)] + [(0, ValueError)] * (name != "padding"):
        arguments = [7, 3, 2, 1, 1]
        arguments[position] = wrong
        with pytest.raises(error, match=rf"\b{name}\b"):
            conv2d.output_size(*arguments)


def test_macs():
    macs = conv2d.macs(np.zeros((6, 4, 3, 5)), 7, 8)
    assert (type(macs), macs) == (int, oracle.macs(np.zeros((6, 4, 3, 5)), 7, 8))
    assert conv2d.macs(np.zeros((64, 32, 3, 3), np.float32), 32, 32) == 18874368


def test_wrong_shapes():
    x, W, b = make((2, 4, 7, 8), (6, 4, 3, 5))
    with pytest.raises(ValueError, match=r"\bx\b"):
        conv2d.forward(x[0], W, b)
    with pytest.raises(ValueError, match=r"\bW\b"):
        conv2d.forward(x, W[0], b)
    for wrong in (W[:, :3], W[:, :1]):
        with pytest.raises(ValueError, match=r"\b(x|W)\b"):
            conv2d.forward(x, wrong, b)
    with pytest.raises(ValueError, match=r"\b(W|kernel_size)\b"):
        conv2d.forward(x, W[:, :, :0], b)
    for wrong in (b[:5], b[:1], b[None], b[0]):
        with pytest.raises(ValueError, match=r"\bb\b"):
            conv2d.forward(x, W, wrong)
    with pytest.raises(ValueError, match=r"\b(x|W|size|kernel_size|kernel)\b"):
        conv2d.forward(x[:, :, :2], W, b)
    with pytest.raises(ValueError, match=r"\b(x|W|size|kernel_size|kernel)\b"):
        conv2d.forward(x, W, b, dilation=(4, 1))
    out, cache = conv2d.forward(x, W, b)
    for wrong in (out[:1], out[:, :, :1], out[:, :1], out[..., :1], out[0]):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            conv2d.backward(wrong, cache)


@pytest.mark.parametrize(
    ("options", "error", "name"),
    [
        ({"stride": 0}, ValueError, "stride"),
        ({"stride": (1, 0)}, ValueError, "stride"),
        ({"stride": -1}, ValueError, "stride"),
        ({"stride": 1.0}, TypeError, "stride"),
        ({"stride": (1, 1, 1)}, (TypeError, ValueError), "stride"),
        ({"stride": "11"}, (TypeError, ValueError), "stride"),
        ({"stride": None}, TypeError, "stride"),
        ({"stride": (1, 0.5)}, TypeError, "stride"),
        ({"padding": -1}, ValueError, "padding"),
        ({"padding": (0, -1)}, ValueError, "padding"),
        ({"padding": "same"}, (TypeError, ValueError), "padding"),
        ({"padding": 0.5}, TypeError, "padding"),
        ({"padding": (1,)}, (TypeError, ValueError), "padding"),
        ({"dilation": 0}, ValueError, "dilation"),
        ({"dilation": (0, 1)}, ValueError, "dilation"),
        ({"dilation": 1.5}, TypeError, "dilation"),
        ({"dilation": True}, TypeError, "dilation"),
        ({"groups": 0}, ValueError, "groups"),
        ({"groups": 1.0}, TypeError, "groups"),
        ({"groups": 3}, ValueError, "groups"),  # does not divide 4 channels
        ({"groups": 2}, ValueError, r"groups|W"),  # W would need 2 input channels
        ({"groups": 4}, ValueError, r"groups|W"),  # does not divide 6 filters
    ],
)
def test_wrong_options(options, error, name):
    x, W, b = make((2, 4, 7, 8), (6, 4, 3, 5))
    with pytest.raises(error, match=rf"\b({name})\b"):
        conv2d.forward(x, W, b, **options)


def test_groups_must_divide_the_filters():
    with pytest.raises(ValueError, match=r"\bgroups\b"):
        conv2d.forward(np.ones((2, 4, 7, 8)), np.ones((6, 1, 3, 5)), groups=4)


def test_wrong_dtypes():
    x, W, b = make((2, 4, 7, 8), (6, 4, 3, 5))
    for name, wrong in [
        ("x", (x.astype(np.float16), W, b)),
        ("x", (x.astype(int), W, b)),
        ("W", (x, W.astype(complex), b)),
        ("b", (x, W, b.astype(bool))),
        ("W|x", (x.astype(np.float32), W, b)),
        ("W|x", (x, W.astype(np.float32), b)),
        ("b", (x, W, b.astype(np.float32))),
    ]:
        with pytest.raises(TypeError, match=rf"\b({name})\b"):
            conv2d.forward(*wrong)
    out, cache = conv2d.forward(x, W, b)
    for wrong in (out.astype(np.float32), out.astype(int)):
        with pytest.raises(TypeError, match=r"\bdout\b"):
            conv2d.backward(wrong, cache)
