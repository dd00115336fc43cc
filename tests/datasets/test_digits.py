import hashlib
from importlib import resources

import numpy as np
import pytest

from refcompress.datasets import digits

FIRST_IMAGE = [  # a 0, as the source gives it
    [0, 0, 5, 13, 9, 1, 0, 0],
    [0, 0, 13, 15, 10, 15, 5, 0],
    [0, 3, 15, 2, 0, 11, 8, 0],
    [0, 4, 12, 0, 0, 8, 8, 0],
    [0, 5, 8, 0, 0, 9, 8, 0],
    [0, 4, 11, 0, 1, 12, 7, 0],
    [0, 2, 14, 5, 10, 12, 0, 0],
    [0, 0, 6, 13, 10, 0, 0, 0],
]


@pytest.fixture(scope="module")
def stored():
    with resources.files("refcompress.datasets").joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_the_stored_file_holds_the_known_images(stored):
    """All literals were taken from scikit-learn's copy of the same images."""
    assert list(stored) == ["images", "labels"]
    images, labels = stored["images"], stored["labels"]
    assert images.shape == (1797, 8, 8)
    assert images.dtype == labels.dtype == np.uint8
    assert (images.min(), images.max(), images.sum()) == (0, 16, 561718)
    assert images[0].tolist() == FIRST_IMAGE
    assert images[-1, 0].tolist() == [0, 0, 10, 14, 8, 1, 0, 0]
    assert labels.shape == (1797,)
    assert labels[:10].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert hashlib.sha256(images.tobytes()).hexdigest() == (
        "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
    )
    assert hashlib.sha256(labels.tobytes()).hexdigest() == (
        "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"
    )


def test_the_licence_lies_beside_the_file():
    text = resources.files("refcompress.datasets").joinpath("digits.LICENSE.txt").read_text(encoding="utf-8")
    for needed in (
        "E. Alpaydin, C. Kaynak",
        "Optical Recognition of Handwritten Digits",
        "1998",
        "10.24432/C50P49",
        "CC BY 4.0",
        "What was changed",
    ):
        assert needed in text


def test_split_by_class():
    data = digits()
    # 0.2 · 1797 = 359.4 → 359. Shares 35.6 36.4 35.4 36.6 36.2 36.4 36.2 35.8 34.8 36.0; the floors sum to 355,
    # the four left over go to the remainders .8 (classes 7 and 8) and .6 (classes 0 and 3)
    assert np.bincount(data.y_test).tolist() == [36, 36, 35, 37, 36, 36, 36, 36, 35, 36]
    assert np.bincount(data.y_train).tolist() == [142, 146, 142, 146, 145, 146, 145, 143, 139, 144]
    assert data.x_train.shape == (1438, 1, 8, 8)
    assert data.x_test.shape == (359, 1, 8, 8)
    assert data.classes == 10
    assert data.x_train.dtype == data.x_test.dtype == np.float32


@pytest.mark.parametrize("seed", [0, 5])
def test_both_parts_together_are_all_images_in_order(stored, seed):
    data = digits(seed)
    levels = {part: getattr(data, f"x_{part}") * 16 for part in ("train", "test")}  # exact: a power of two
    taken = {"train": 0, "test": 0}
    for image, label in zip(stored["images"], stored["labels"], strict=True):
        # the next image of one of the two parts must be this one
        for part, position in taken.items():
            if position < len(levels[part]) and (levels[part][position, 0] == image).all():
                assert getattr(data, f"y_{part}")[position] == label
                taken[part] += 1
                break
    assert taken == {"train": 1438, "test": 359}


def test_seed_decides():
    first, again, other = digits(3), digits(3), digits(4)
    for name in ("x_train", "y_train", "x_test", "y_test"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()
        assert getattr(first, name).tobytes() != getattr(other, name).tobytes()


def test_callers_cannot_spoil_each_other():
    digits().x_train[:] = 0.0
    assert digits().x_train.max() == 1.0


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (-1, ValueError, "seed must be at least 0, got -1"),
        (1.5, TypeError, "seed must be an integer, got 1.5"),
        (None, TypeError, "seed must be an integer, got None"),
    ],
)
def test_bad_seed(seed, error, message):
    with pytest.raises(error, match=message):
        digits(seed)
