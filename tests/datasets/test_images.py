import numpy as np
import pytest

from refcompress.datasets import prepare, shift


def numbered(n, height, width, dtype=np.float32):
    """Images in which every pixel is another number, none of them 0."""
    return np.arange(1, n * height * width + 1, dtype=dtype).reshape(n, 1, height, width)


def loop_shift(images, offsets):
    """Plain loops: every pixel goes to its place, if that lies inside."""
    n, _, height, width = images.shape
    out = np.zeros((n, 1, height, width), dtype=images.dtype)
    for i, (dy, dx) in enumerate(offsets):
        for y in range(height):
            for x in range(width):
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    out[i, 0, y + dy, x + dx] = images[i, 0, y, x]
    return out


@pytest.mark.parametrize(("height", "size", "k"), [(8, 32, 4), (16, 32, 2), (3, 6, 2), (1, 5, 5), (28, 56, 2)])
def test_prepare_repeats_every_pixel(height, size, k):
    images = numbered(2, height, height)
    prepared = prepare(images, size)
    assert prepared.shape == (2, 1, size, size)
    assert prepared.dtype == np.float32
    for y in range(size):
        for x in range(size):
            assert prepared[:, 0, y, x].tolist() == images[:, 0, y // k, x // k].tolist()


def test_prepare_pads_28_to_32():
    images = numbered(3, 28, 28, np.float64)
    prepared = prepare(images, 32)
    assert prepared.shape == (3, 1, 32, 32)
    assert prepared.dtype == np.float64
    assert prepared[:, :, 2:30, 2:30].tolist() == images.tolist()
    assert np.count_nonzero(prepared) == 3 * 28 * 28  # so the frame is zero: no pixel of the images is


def test_prepare_returns_what_fits_already():
    square, oblong = numbered(2, 32, 32), numbered(2, 3, 5)
    assert prepare(square, 32) is square
    assert prepare(square, None) is square
    assert prepare(oblong, None) is oblong


@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [
        (
            (2, 1, 28, 28),
            30,
            "None or, for 28 × 28 images, 28, 56, 84, and so on in multiples, 32 .zero-padded.; got 30",
        ),
        ((2, 1, 8, 8), 31, "size must be None or, for 8 × 8 images, 8, 16, 24, and so on in multiples; got 31"),
        ((2, 1, 8, 8), 4, "size must be None or, for 8 × 8 images, 8, 16, 24, and so on in multiples; got 4"),
        ((2, 1, 8, 8), 0, "size must be at least 1, got 0"),
        ((2, 1, 8, 4), 8, "images must be square to get a size, got 8 × 4"),
        ((2, 3, 8, 8), 8, r"images must have shape \(2, 1, 8, 8\), got \(2, 3, 8, 8\)"),
        ((2, 8, 8), None, "images must have 4 dimensions"),
        ((0, 1, 8, 8), None, "images must not be empty"),
    ],
)
def test_prepare_refuses_other_sizes(shape, size, message):
    with pytest.raises(ValueError, match=message):
        prepare(np.ones(shape, dtype=np.float32), size)


def test_prepare_refuses_other_types():
    with pytest.raises(TypeError, match="images must be float32 or float64, got uint8"):
        prepare(np.ones((2, 1, 8, 8), dtype=np.uint8), 8)
    with pytest.raises(TypeError, match=r"size must be an integer, got 16\.0"):
        prepare(numbered(2, 8, 8), 16.0)


@pytest.mark.parametrize("pixels", [0, 1, 2, 4])  # 4 moves some images out of sight: they are only 3 high
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shift_equals_the_loop(pixels, dtype):
    images = numbered(700, 3, 5, dtype)
    before = images.copy()
    offsets = np.random.default_rng(11).integers(-pixels, pixels + 1, size=(700, 2))
    moved = shift(images, np.random.default_rng(11), pixels)
    assert len({tuple(offset) for offset in offsets.tolist()}) == (2 * pixels + 1) ** 2  # every offset occurs
    assert moved.dtype == dtype
    assert moved.tobytes() == loop_shift(images, offsets.tolist()).tobytes()
    assert images.tobytes() == before.tobytes()
    assert not np.shares_memory(moved, images)


def test_shift_draws_two_pixels_by_default_and_nothing_else():
    images = numbered(7, 8, 8)
    rng, other = np.random.default_rng(5), np.random.default_rng(5)
    moved = shift(images, rng)
    assert moved.tobytes() == loop_shift(images, other.integers(-2, 3, size=(7, 2)).tolist()).tobytes()
    assert rng.bit_generator.state == other.bit_generator.state
    assert shift(images, rng).tobytes() != moved.tobytes()


def test_shift_takes_any_memory_order():
    images = numbered(5, 3, 4)
    strided = np.asfortranarray(images)
    assert shift(strided, np.random.default_rng(2)).tolist() == shift(images, np.random.default_rng(2)).tolist()


@pytest.mark.parametrize(
    ("images", "rng", "pixels", "error", "message"),
    [
        (np.ones((2, 1, 3, 4), dtype=np.int64), None, 2, TypeError, "images must be float32 or float64, got int64"),
        (np.ones((2, 3, 4)), None, 2, ValueError, "images must have 4 dimensions"),
        (np.ones((2, 3, 3, 4)), None, 2, ValueError, r"images must have shape \(2, 1, 3, 4\)"),
        (np.ones((2, 1, 3, 4)), 0, 2, TypeError, r"rng must be a numpy\.random\.Generator, got 0"),
        (np.ones((2, 1, 3, 4)), None, -1, ValueError, "pixels must be at least 0, got -1"),
        (np.ones((2, 1, 3, 4)), None, 1.5, TypeError, "pixels must be an integer, got 1.5"),
    ],
)
def test_shift_refuses(images, rng, pixels, error, message):
    with pytest.raises(error, match=message):
        shift(images, np.random.default_rng(0) if rng is None else rng, pixels)
