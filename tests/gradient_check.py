"""What the tests of forward/backward pairs share: a gradient checker, and bounds for rounded sums.

One scalar L = Σ dout·forward(inputs), with a fixed random dout, checks the whole Jacobian: the gradient that backward
hands back for dout must be ∂L/∂input, and every entry of every input is compared with its central difference.
"""

import numpy as np

STEP = 1e-5  # near the cube root of 2⁻⁵², where the truncation h² and the rounding 2⁻⁵²/h of a difference balance


def check_gradient(forward, backward, inputs, *, rtol=1e-6, step=STEP, seed=0):
    """Raise AssertionError unless backward is the gradient of forward at `inputs`, entry by entry.

    forward(*inputs) gives (out, cache); backward(dout, cache) one gradient per input, or a bare array for one input.
    An input of None is an argument left out: its gradient must be None. The inputs stay away from kinks by 2 steps.
    """
    for value in inputs:
        assert value is None or value.dtype == np.float64, "central differences need float64 inputs"
    before = [None if value is None else value.copy() for value in inputs]
    out, cache = forward(*inputs)
    shape = np.shape(out)
    rng = np.random.default_rng(seed)
    dout = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
    dout_before = dout.copy()
    gradients = backward(dout, cache)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    assert len(gradients) == len(inputs), f"{len(gradients)} gradients for {len(inputs)} inputs"
    assert np.array_equal(dout, dout_before), "backward modified dout"
    for position, (value, original) in enumerate(zip(inputs, before, strict=True)):
        assert value is None or np.array_equal(value, original), f"input {position} was modified"
    # Both outputs of a difference carry a few roundings each; the rest of the tolerance is relative.
    noise = 8 * np.finfo(float).eps * np.abs(dout).sum() * np.abs(out).max() / step
    for position, (value, gradient) in enumerate(zip(inputs, gradients, strict=True)):
        if value is None:
            assert gradient is None, f"input {position} was left out but has a gradient"
            continue
        assert gradient is not None, f"input {position} has no gradient"
        assert gradient.shape == value.shape, f"input {position}: gradient {gradient.shape} for {value.shape}"
        assert gradient.dtype == np.float64, f"input {position}: gradient is {gradient.dtype}"
        numeric = central_differences(forward, inputs, position, dout, step)
        # An entry much smaller than the largest is judged against a hundredth of the largest.
        scale = np.maximum(np.abs(numeric), 0.01 * np.abs(numeric).max())
        wrong = ~(np.abs(gradient - numeric) <= rtol * scale + noise)  # NaN is wrong
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise AssertionError(
                f"input {position} at {place}: backward gives {gradient[place]!r}, "
                f"central difference {numeric[place]!r} ({wrong.sum()} of {wrong.size} differ)"
            )


def central_differences(forward, inputs, position, dout, step):
    """Return ∂/∂inputs[position] of Σ dout·out, one entry at a time."""
    numeric = np.zeros(inputs[position].shape)
    for place in np.ndindex(numeric.shape):
        moved, outputs = [], []
        for sign in (1, -1):
            value = inputs[position].copy()
            value[place] += sign * step
            moved.append(value[place])
            outputs.append(forward(*inputs[:position], value, *inputs[position + 1 :])[0])
        # The difference is taken before the sum, so that outputs that did not move cancel exactly.
        numeric[place] = np.sum(dout * (outputs[0] - outputs[1])) / (moved[0] - moved[1])
    return numeric


def gamma(count, dtype):
    """γ_count = count·u/(1 − count·u): relative to Σ|terms|, the most that `count` roundings in any order can do."""
    u = np.finfo(dtype).eps / 2
    return count * u / (1 - count * u)


def assert_within(actual, expected, bound, dtype):
    """Assert the dtype, the shape and |actual − expected| ≤ bound everywhere, all finite."""
    actual = np.asarray(actual)
    assert actual.dtype == dtype
    assert actual.shape == np.shape(expected)
    error = np.abs(actual.astype(np.float64) - expected)
    assert np.all(error <= bound), f"error {np.max(error)} exceeds the bound by {np.nanmax(error - bound)}"


def frozen(array):
    """Return the array itself, read-only: writing into it raises."""
    array.flags.writeable = False
    return array


def spread(shape, rng, gap=0.01):
    """Return distinct numbers at least `gap` apart and gap/2 from 0, in random order: away from kinks and ties."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size // 2 + 0.5) * gap).reshape(shape)


def layouts(array):
    """Yield equal arrays that lie differently in memory: channels last, every second column, reversed, read-only."""
    axes = (0, *range(2, array.ndim), 1)
    yield np.moveaxis(np.ascontiguousarray(array.transpose(axes)), -1, 1)
    wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
    wide[..., ::2] = array
    yield wide[..., ::2]
    yield array[::-1].copy()[::-1]
    yield np.asfortranarray(array)
