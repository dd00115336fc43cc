import functools
import itertools

import numpy as np
import pytest

from refcompress.formulas.network import conv2d, winograd
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import conv2d as direct
from tests.oracles import winograd as oracle

# name: N, C, H, W, O and padding; outputs are not, partly and wholly in whole tiles of 4
CASES = {
    "plain": ((2, 3, 7, 8), 5, 0),
    "padding": ((2, 3, 7, 9), 5, 1),
    "padding 2": ((2, 3, 5, 6), 4, 2),
    "padding pair": ((2, 3, 6, 7), 5, (1, 2)),
    "padding beyond the kernel": ((2, 3, 4, 5), 6, (4, 5)),
    "whole tiles": ((2, 3, 8, 12), 5, 1),
    "one tile": ((2, 3, 6, 6), 5, 0),
    "one output": ((2, 4, 3, 3), 5, 0),
    "one row of outputs": ((2, 4, 3, 9), 5, 0),
    "smaller than a tile": ((3, 4, 2, 5), 6, 1),
    "smaller than the kernel": ((3, 4, 1, 2), 5, 2),
    "one channel": ((3, 1, 5, 9), 4, 1),
    "one filter": ((3, 4, 5, 9), 1, 1),
    "many images": ((7, 2, 5, 6), 3, 1),
}


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


@functools.cache
def arrays(case, dtype=np.float64, bias=True):
    """x, W, b, dout; then the loops' out and gradients, and how far roundings may move them."""
    x_shape, O, padding = CASES[case]
    rng = np.random.default_rng(1)
    x, W, b = (rng.standard_normal(s).astype(dtype) for s in (x_shape, (O, x_shape[1], 3, 3), (O,)))
    b, rest = (b if bias else None), ((1, 1), pair(padding), (1, 1), 1)
    out = direct.forward(x, W, b, *rest)
    dout = rng.standard_normal(out.shape).astype(dtype)
    gradients = direct.backward(dout, x, W, *rest)
    # The bound that the docstring states, with u of the dtype, and for the loops' own sums in float64: their absolute
    # values sum to no more than those of the tiles, of which they are what is left after cancellation.
    u, K = np.finfo(dtype).eps / 2, 9 * x_shape[1] + 1
    bound = ((x_shape[1] + 90) * u + gamma(K, float)) * oracle.sizes(x, W, b, pair(padding))
    sizes, tiles = oracle.backward_sizes(dout, x, W, pair(padding))
    terms = ((O, 9 * O), (tiles, dout[:, 0].size), (tiles, dout[:, 0].size))
    bounds = [((n + 90) * u + gamma(k, float)) * size for size, (n, k) in zip(sizes, terms, strict=True)]
    return tuple(v if v is None else frozen(v) for v in (x, W, b, dout)), (out, *gradients), (bound, *bounds)


def check_forward(case, dtype=np.float64, bias=True):
    (x, W, b, _), (out, *_), (bound, *_) = arrays(case, dtype, bias)
    result, cache = winograd.forward(x, W, b, padding=CASES[case][2])
    assert_within(result, out, bound, dtype)
    return cache


def check_backward(cache, case, dtype=np.float64, bias=True):
    (_, _, _, dout), (_, *gradients), (_, *bounds) = arrays(case, dtype, bias)
    result = winograd.backward(dout, cache)
    assert result._fields == ("dX", "dW", "db")
    for got, right, bound in zip(result[: 2 + bias], gradients, bounds, strict=False):
        assert_within(got, right, bound, dtype)
    assert bias or result.db is None
    short = winograd.backward(dout, cache, input_gradient=False)
    assert short.dX is None
    np.testing.assert_array_equal(short.dW, result.dW)
    assert np.array_equal(short.db, result.db) if bias else short.db is None


def check(case, dtype=np.float64, bias=True):
    check_backward(check_forward(case, dtype, bias), case, dtype, bias)


# ---- one tile, exactly ----


def unit(rows, columns):
    """Every matrix of this shape that is 1 at one place and 0 elsewhere."""
    for place in np.ndindex(rows, columns):
        yield [[int((i, j) == place) for j in range(columns)] for i in range(rows)]


def test_a_tile_is_the_correlation():
    """Both sides are linear in either argument, so the unit matrices are a proof for all numbers."""
    for d, g in itertools.product(unit(6, 6), unit(3, 3)):
        assert oracle.tile(d, g) == oracle.direct(d, g)
    for d, dy in itertools.product(unit(6, 6), unit(4, 4)):
        assert oracle.tile_dg(d, dy) == oracle.direct_dg(d, dy)
    for g, dy in itertools.product(unit(3, 3), unit(4, 4)):
        assert oracle.tile_dd(g, dy) == oracle.direct_dd(g, dy)


def test_the_matrices_are_those_of_the_proof():
    assert winograd.B_T.tolist() == oracle.BT
    assert winograd.A_T.tolist() == oracle.AT
    assert winograd.G.tolist() == [[float(value) for value in row] for row in oracle.G]  # the nearest floats


def test_the_biass_position_reaches_all_outputs_alike_and_no_other_does():
    alike = []
    for position, P in enumerate(unit(6, 6)):
        if oracle.around(oracle.AT, P) == [[1] * 4] * 4:
            alike.append(position)
    assert alike == [winograd.EVEN]


@pytest.mark.parametrize("name", ["BT", "G", "AT"])
def test_the_proof_needs_every_entry(name):
    """Whichever entry is changed, a tile of distinct numbers comes out wrong."""
    d = [[(7 * i + 3 * j) ** 2 % 31 - 11 for j in range(6)] for i in range(6)]
    g = [[2, -3, 5], [7, 11, -13], [17, 19, 23]]
    matrix = getattr(oracle, name)
    for i, j in np.ndindex(len(matrix), len(matrix[0])):
        changed = [list(row) for row in matrix]
        changed[i][j] += 1
        assert oracle.tile(d, g, **{name: changed}) != oracle.direct(d, g), (i, j)


# ---- whole images ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_loops(case, bias, dtype):
    check(case, dtype, bias)


@pytest.mark.parametrize("images", [1, 2, 3, 7])
def test_blocks_of_images(images, monkeypatch):
    """7 images, one by one, in pairs with a single last one, in threes, and all at once."""
    one = 36 * (2 * 2) * 3 * 8  # bytes of the products of one image: 2 × 2 tiles, 3 filters
    seen, slices = [], winograd._blocks
    monkeypatch.setattr(winograd, "CACHE", images * one + one // 2)
    monkeypatch.setattr(winograd, "_blocks", lambda *a: [seen.append(s) or s for s in slices(*a)])
    check("many images")
    assert [len(range(7)[s]) for s in seen[: -(-7 // images)]] == [min(images, 7 - n) for n in range(0, 7, images)]
    monkeypatch.setattr(winograd, "CACHE", 1)  # not even one fits
    check("many images", np.float32)


@pytest.mark.parametrize("case", CASES)
def test_gradient(case):
    x, W, b, _ = arrays(case)[0]
    check_gradient(lambda *inputs: winograd.forward(*inputs, padding=CASES[case][2]), winograd.backward, (x, W, b))


def test_gradient_without_bias():
    x, W, _, _ = arrays("padding pair")[0]
    check_gradient(lambda *i: winograd.forward(*i, padding=(1, 2)), winograd.backward, (x, W, None))


@pytest.mark.parametrize("case", ["plain", "padding pair", "whole tiles"])
def test_memory_layout_does_not_matter(case):
    (x, W, b, dout), (out, *gradients), (bound, *bounds) = arrays(case)
    for x_, W_, dout_ in zip(layouts(x), layouts(W), layouts(dout), strict=True):
        result, cache = winograd.forward(frozen(x_), frozen(W_), b, padding=CASES[case][2])
        assert_within(result, out, bound, np.float64)
        for got, right, size in zip(winograd.backward(frozen(dout_), cache), gradients, bounds, strict=True):
            assert_within(got, right, size, np.float64)


def test_backward_can_be_called_twice():
    (x, W, b, dout), *_ = arrays("padding")
    _, cache = winograd.forward(x, W, b, padding=1)
    for one, other in zip(winograd.backward(dout, cache), winograd.backward(dout, cache), strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_images():
    out, cache = winograd.forward(np.zeros((0, 2, 5, 6)), np.ones((3, 2, 3, 3)), np.ones(3))
    assert out.shape == (0, 3, 3, 4)
    dX, dW, db = winograd.backward(out, cache)
    assert dX.shape == (0, 2, 5, 6)
    assert not dW.any()
    assert not db.any()


def test_literals():
    x = np.arange(1.0, 26).reshape(1, 1, 5, 5)
    W = np.zeros((1, 1, 3, 3))
    W[0, 0, 0, 0], W[0, 0, 2, 1] = 1, 10  # the pixel, and ten times the one two below and one to the right
    out, cache = winograd.forward(x, W, np.array([0.5]))
    wanted = np.array([[121.5, 132.5, 143.5], [176.5, 187.5, 198.5], [231.5, 242.5, 253.5]])  # 1 + 10·12 + ½, …
    np.testing.assert_allclose(out, wanted[None, None], rtol=1e-13)
    dX, dW, db = winograd.backward(np.eye(3)[None, None], cache)
    # dW[u, v] = x[u, v] + x[u + 1, v + 1] + x[u + 2, v + 2]
    np.testing.assert_allclose(dW, [[[[21, 24, 27], [36, 39, 42], [51, 54, 57]]]], rtol=1e-13)
    np.testing.assert_allclose(db, [3], rtol=1e-13)
    one, ten = np.zeros((5, 5)), np.zeros((5, 5))
    one[:3, :3], ten[2:, 1:4] = np.eye(3), np.eye(3)
    np.testing.assert_allclose(dX, (one + 10 * ten)[None, None], rtol=0, atol=1e-12)  # 100 roundings of 100 · 10⁻¹⁶


def test_the_measured_accuracy():
    """Float32 on a standard normal image of 32 channels and He's weights: the figures of the docstring, within 2."""
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((1, 32, 32, 32)), rng.standard_normal((64, 32, 3, 3)) * np.sqrt(2 / 288)
    x, W = x.astype(np.float32), W.astype(np.float32)
    right = conv2d.forward(x.astype(float), W.astype(float), padding=1)[0]
    for module, figure in ((winograd, 4e-6), (conv2d, 7e-7)):
        error = np.abs(module.forward(x, W, padding=1)[0] - right).max() / np.abs(right).max()
        assert figure / 2 < error < 2 * figure, (module.__name__, error)


# ---- tests of the tests ----


def entries(name):
    """Every entry of a matrix in turn off by 0.05 %, a zero by 0.0005; as the product of both directions."""
    matrix = np.array(getattr(winograd, name), float)
    for place in np.ndindex(matrix.shape):
        changed = matrix.copy()
        changed[place] += 0.0005 * (abs(matrix[place]) or 1)
        yield place, np.kron(changed, changed)


def caught(stage, monkeypatch, case="padding", **changes):
    """Whether the check fails where the module has these attributes in its forward or in its backward only."""
    with monkeypatch.context() as patch:
        if stage == "backward":
            cache = check_forward(case)
        for name, value in changes.items():
            patch.setattr(winograd, name, value)
        try:
            if stage == "forward":
                check_forward(case)
            else:
                check_backward(cache, case)
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("stage", ["forward", "backward"])
@pytest.mark.parametrize(("matrix", "product"), [("B_T", "BB"), ("G", "GG"), ("A_T", "AA")])
def test_every_changed_entry_is_caught(matrix, product, stage, monkeypatch):
    missed = [place for place, value in entries(matrix) if not caught(stage, monkeypatch, **{product: value})]
    assert missed == []
    assert not caught(stage, monkeypatch, **{product: np.kron(getattr(winograd, matrix), getattr(winograd, matrix))})


@pytest.mark.parametrize("stage", ["forward", "backward"])
def test_another_position_of_the_bias_is_caught(stage, monkeypatch):
    right = winograd.EVEN
    assert [p for p in range(36) if not caught(stage, monkeypatch, EVEN=p)] == [right]


def test_overlaps_that_are_not_added_are_caught(monkeypatch):
    """What a tile owes to the pixels of the next one, below or beside, goes into a copy and is lost."""
    taps = winograd.taps
    for lost in (lambda k: k % 6 >= 4, lambda k: k >= 24, lambda k: k == 35, lambda k: k == 0):
        planted = lambda *a, lost=lost: (t.copy() if lost(k) else t for k, t in enumerate(taps(*a)))  # noqa: E731
        assert caught("backward", monkeypatch, taps=planted)
    assert not caught("backward", monkeypatch, taps=lambda *a: taps(*a))


def test_a_tile_that_starts_elsewhere_is_caught(monkeypatch):
    windows = winograd.windows

    def one_lower(x, size, step, **options):
        return windows(np.roll(x, 1, axis=1) if size == (6, 6) else x, size, step, **options)

    def turned(x, size, step, **options):
        return windows(x, size, step, **options)[:, :: -1 if size == (4, 4) else 1]

    assert caught("forward", monkeypatch, windows=one_lower)
    assert caught("forward", monkeypatch, windows=turned)
    assert caught("backward", monkeypatch, windows=turned)


def test_images_left_out_are_caught(monkeypatch):
    def whole_blocks(N, tiles, U):
        return (slice(n, n + 2) for n in range(0, N - 1, 2))

    assert caught("forward", monkeypatch, "many images", _blocks=whole_blocks)


# ---- what is refused ----


def test_wrong_shapes():
    x, W, b, dout = arrays("padding")[0]
    with pytest.raises(ValueError, match=r"\bx\b"):
        winograd.forward(x[0], W, b)
    for wrong in (W[0], W[:, :2], W[:, :1], W[:, :, :2], W[..., :1], W[:, :, :0], W[:0], np.zeros((5, 3, 5, 5))):
        with pytest.raises(ValueError, match=r"\bW\b"):
            winograd.forward(x, wrong, b)
    for wrong in (b[:4], b[:1], b[None], b[0]):
        with pytest.raises(ValueError, match=r"\bb\b"):
            winograd.forward(x, W, wrong)
    for wrong in (x[:, :, :2], x[..., :2]):
        with pytest.raises(ValueError, match=r"\bkernel_size\b"):
            winograd.forward(wrong, W, b)
    _, cache = winograd.forward(x, W, b, padding=1)
    for wrong in (dout[:1], dout[:, :, :1], dout[:, :1], dout[..., :8], dout[0], x):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            winograd.backward(wrong, cache)


@pytest.mark.parametrize(
    ("padding", "error"),
    [
        (-1, ValueError),
        ((0, -1), ValueError),
        (0.5, TypeError),
        ((1,), ValueError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_wrong_padding(padding, error):
    x, W, b, _ = arrays("padding")[0]
    with pytest.raises(error, match=r"\bpadding\b"):
        winograd.forward(x, W, b, padding=padding)


def test_wrong_dtypes():
    x, W, b, dout = arrays("padding")[0]
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
            winograd.forward(*wrong)
    _, cache = winograd.forward(x, W, b, padding=1)
    for wrong in (dout.astype(np.float32), dout.astype(int)):
        with pytest.raises(TypeError, match=r"\bdout\b"):
            winograd.backward(wrong, cache)
