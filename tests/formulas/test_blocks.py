"""Blocks: every element once, in row-major order, at most BLOCK at a time; no formula that uses them sees one."""

import math

import numpy as np
import pytest

from refcompress.formulas import blocks as module
from refcompress.formulas.network import relu
from refcompress.formulas.quantization import decimal, fixed_point, uniform

RULES = ("half_even", "half_away", "half_up", "floor", "ceil", "toward_zero", "stochastic")
SHAPES = [
    (),
    (1,),
    (3,),
    (0,),
    (0, 5),
    (5, 0),
    (4, 0, 3),
    (7, 5),
    (1, 11),
    (11, 1),
    (2, 3, 4, 5),
    (3, 1, 1, 7),
    (13, 2),
]


def assert_covers(blocks, shape, most):
    """What the blocks pick out, one after the other, are the elements in the order of their indices."""
    numbers, seen = np.arange(math.prod(shape)).reshape(shape), []
    for index in blocks(shape):
        assert isinstance(index, tuple)
        part = numbers[index]
        assert isinstance(part, np.ndarray), "a block is an array, also where it is a single element"
        assert not part.size or np.shares_memory(part, numbers), "a block is a view: what is written to it arrives"
        assert part.flags.c_contiguous
        assert part.size <= most
        seen += part.ravel().tolist()
    assert seen == list(range(numbers.size))


@pytest.mark.parametrize("most", [1, 2, 3, 5, 7, 20, 60, 1000])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_element_once_in_order(shape, most, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", most)
    assert_covers(module.blocks, shape, most)


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ((200_000,), 4),
        ((65_536,), 1),
        ((3, 70_000), 6),
        ((70_000, 3), 4),  # 21,845 rows at a time
        ((300, 300), 2),
        ((2, 2, 65_536), 4),
        ((1, 65_537), 2),
        ((5, 2, 65_537), 20),
    ],
)
def test_large_arrays(shape, count):
    assert module.BLOCK == 65_536
    assert_covers(module.blocks, shape, module.BLOCK)
    assert len(list(module.blocks(shape))) == count


def shuffled(shape):
    return reversed(list(module.blocks(shape)))


def one_short(shape):
    return list(module.blocks(shape))[:-1]


def twice(shape):
    return [index for index in module.blocks(shape) for _ in range(2)]


def columns(shape):
    return [(slice(None), slice(i, i + 1)) for i in range(shape[1])]


@pytest.mark.parametrize("wrong", [shuffled, one_short, twice, columns, lambda shape: [(...,)], lambda shape: []])
def test_a_planted_error_is_caught(wrong, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 20)
    with pytest.raises(AssertionError):
        assert_covers(wrong, (7, 5), 20)


# ---- the formulas that use blocks ----


def rng_of(rule):
    return np.random.default_rng(8) if rule == "stochastic" else None


def weights(shape, dtype, seed=4):
    return (2 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def quantizers(shape, dtype):
    """Name and call of everything that works in blocks, with s and z, or f, of all the ways they broadcast."""
    w, channels = weights(shape, dtype), (*shape[:1], *(1 for _ in shape[1:]))
    rows = np.linspace(0.05, 0.4, math.prod(channels)).reshape(channels)
    for name, s, z in (
        ("one", dtype(0.1), dtype(-1.5)),
        ("channels", rows.astype(dtype), -rows.astype(dtype)),
        ("last", np.linspace(0.1, 0.3, shape[-1] if shape else 1)[: None if shape else 1].astype(dtype), dtype(-1)),
        ("all", (1 + weights(shape, dtype) ** 2) / 20, weights(shape, dtype, 5)),
        ("wide", np.float64(0.1), -rows),
    ):
        if not shape and np.ndim(s) + np.ndim(z):
            continue
        q = uniform.quantize(w, s, z, 6)
        yield f"dequantize, {name}", lambda rule, q=q, s=s, z=z: uniform.dequantize(q, s, z)
        for f in (uniform.quantize, uniform.fake_quantize):
            yield f"{f.__name__}, {name}", lambda rule, f=f, s=s, z=z: f(w, s, z, 6, rounding=rule, rng=rng_of(rule))
    yield "decimal", lambda rule: decimal.quantize(w, 2, rounding=rule, rng=rng_of(rule))
    for name, f in (("one", 3), ("channels", np.arange(math.prod(channels)).reshape(channels) % 6)):
        call = lambda rule, f=f: fixed_point.quantize(w, f, 9, rounding=rule, rng=rng_of(rule))  # noqa: E731
        yield f"fixed_point.quantize, {name}", call
        yield (
            f"fixed_point.dequantize, {name}",
            lambda rule, f=f: fixed_point.dequantize(fixed_point.quantize(w, f, 9), f),
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (13,), (7, 5), (5, 2, 3, 4)])
@pytest.mark.parametrize("rule", RULES)
def test_borders_of_blocks_are_not_seen(rule, shape, dtype, monkeypatch):
    """Bit for bit the result of one block; stochastic rounding draws the same stream."""
    for name, call in quantizers(shape, dtype):
        whole = call(rule)
        for most in (1, 4, 6, 24):
            with monkeypatch.context() as patch:
                patch.setattr(module, "BLOCK", most)
                parts = call(rule)
            assert (parts.dtype, parts.shape) == (whole.dtype, whole.shape), name
            assert parts.tobytes() == whole.tobytes(), (name, most)


def test_the_stream_goes_on_behind_the_blocks(monkeypatch):
    """As many draws as elements, whatever the blocks: the generator is left in the same state."""
    left = set()
    for most in (65_536, 1, 6):
        monkeypatch.setattr(module, "BLOCK", most)
        rng = np.random.default_rng(1)
        uniform.quantize(weights((7, 5), np.float32), 0.5, -1.0, 4, rounding="stochastic", rng=rng)
        decimal.quantize(weights((7, 5), np.float32), 1, rounding="stochastic", rng=rng)
        fixed_point.quantize(weights((7, 5), np.float32), 1, 4, rounding="stochastic", rng=rng)
        left.add(float(rng.random()))
    draws = np.random.default_rng(1)
    draws.random(3 * 7 * 5)
    assert left == {float(draws.random())}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0,), (13,), (3, 2, 4, 5)])
def test_relu_sees_no_borders(shape, dtype, monkeypatch):
    """In every memory order, NaN and the sign of 0 included."""
    x = weights(shape, dtype)
    if x.size > 3:
        x.flat[:4] = np.nan, -0.0, 0.0, np.inf
    for array in (x, np.asfortranarray(x), x[..., ::-1]) if shape else (x,):
        whole, cache = relu.forward(array)
        dX = relu.backward(weights(shape, dtype, 5), cache)
        for most in (1, 4, 6, 24):
            with monkeypatch.context() as patch:
                patch.setattr(module, "BLOCK", most)
                parts, cache = relu.forward(array)
            assert (parts.shape, parts.dtype, parts.tobytes()) == (shape, dtype, whole.tobytes())
            assert relu.backward(weights(shape, dtype, 5), cache).tobytes() == dX.tobytes()
        np.testing.assert_array_equal(whole, np.where(array > 0, array, np.where(np.isnan(array), array, 0)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_finite_is_refused_in_every_block(dtype, bad, monkeypatch):
    """Wherever it stands, with the index in the whole array."""
    monkeypatch.setattr(module, "BLOCK", 4)
    for place in np.ndindex(3, 6):
        w = weights((3, 6), dtype)
        w[place] = bad
        for call in (
            lambda w=w: uniform.quantize(w, 0.1, -1.0, 4),
            lambda w=w: uniform.fake_quantize(w, 0.1, -1.0, 4),
            lambda w=w: uniform.fake_quantize(w, 0.1, -1.0, 4, rounding="stochastic", rng=rng_of("stochastic")),
            lambda w=w: decimal.quantize(w, 2),
            lambda w=w: fixed_point.quantize(w, 2, 4),
        ):
            with pytest.raises(ValueError, match=rf"\bw must be finite, got .*\({place[0]}, {place[1]}\)"):
                call()


def test_decimal_codes_beyond_the_limit_are_refused_in_every_block(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 4)
    for place in np.ndindex(3, 6):
        w = np.zeros((3, 6))
        w[place] = -(2.0**54)
        with pytest.raises(ValueError, match=r"\bw\b.*2\^53.*1\.8\d*e\+16"):
            decimal.quantize(w, 0)
