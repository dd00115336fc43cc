import dataclasses

import numpy as np
import pytest

from refcompress.datasets import Dataset


def parts(**changes):
    """Sound arguments (5 training, 3 test images of 2 × 4), with changes."""
    sound = {
        "x_train": np.linspace(0, 1, 40, dtype=np.float32).reshape(5, 1, 2, 4),
        "y_train": np.array([0, 3, 1, 3, 0]),
        "x_test": np.zeros((3, 1, 2, 4), dtype=np.float32),
        "y_test": np.array([3, 2, 0]),
    }
    return sound | changes


def spoilt(value):
    """The training images with one pixel replaced."""
    x = parts()["x_train"].copy()
    x[4, 0, 1, 2] = value
    return x


def test_keeps_the_arrays_and_counts_the_classes():
    arguments = parts()
    data = Dataset(**arguments)
    assert all(getattr(data, name) is array for name, array in arguments.items())
    assert data.classes == 4  # largest training label 3; label 2 is missing in training and allowed in testing
    assert type(data.classes) is int


def test_is_frozen_and_compares_by_identity():
    data = Dataset(**parts())
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.x_train = data.x_test
    assert data == data
    assert data != Dataset(**parts())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": parts()["x_train"].astype(np.float64)}, "x_train must be an array of float32, got float64"),
        ({"x_test": np.zeros((3, 1, 2, 4), dtype=np.uint8)}, "x_test must be an array of float32, got uint8"),
        ({"x_test": parts()["x_test"].tolist()}, "x_test must be an array of float32, got list"),
        ({"y_train": np.array([0, 3, 1, 3, 0], dtype=np.uint8)}, "y_train must be an array of int64, got uint8"),
        ({"y_test": np.array([0.0, 1.0, 2.0])}, "y_test must be an array of int64, got float64"),
        ({"y_test": None}, "y_test must be an array of int64, got NoneType"),
    ],
)
def test_another_dtype_is_a_type_error(changes, message):
    with pytest.raises(TypeError) as error:
        Dataset(**parts(**changes))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((5, 2, 4), np.float32)}, r"x_train must have shape \(N, 1, H, W\), got \(5, 2, 4\)"),
        (
            {"x_train": np.zeros((5, 3, 2, 4), np.float32)},
            r"x_train must have shape \(N, 1, H, W\), got \(5, 3, 2, 4\)",
        ),
        ({"x_test": np.zeros((0, 1, 2, 4), np.float32)}, "x_test must not be empty"),
        ({"x_test": np.zeros((3, 1, 0, 4), np.float32)}, "x_test must not be empty"),
        ({"x_test": np.zeros((3, 1, 4, 2), np.float32)}, r"images of x_train's size \(2, 4\), got \(4, 2\)"),
        ({"x_test": np.zeros((3, 1, 2, 5), np.float32)}, r"images of x_train's size \(2, 4\), got \(2, 5\)"),
        ({"x_train": spoilt(np.nan)}, r"x_train must be finite, got nan at index \(4, 0, 1, 2\)"),
        ({"x_train": spoilt(np.inf)}, "x_train must be finite, got inf"),
        ({"x_train": spoilt(np.nextafter(np.float32(1), np.float32(2)))}, r"x_train must lie in \[0, 1\]"),
        ({"x_train": spoilt(-1e-30)}, r"x_train must lie in \[0, 1\]"),
        ({"y_train": np.array([0, 3, 1, 3])}, r"y_train must have shape \(5,\), got \(4,\)"),
        ({"y_test": np.array([[0], [3], [1]])}, r"y_test must have shape \(3,\), got \(3, 1\)"),
        ({"y_train": np.array([0, 3, -1, 3, 0])}, "y_train must not be negative, got -1"),
        ({"y_test": np.array([0, -7, 1])}, "y_test must not be negative, got -7"),
        ({"y_test": np.array([0, 4, 1])}, "y_test must not exceed the largest training label 3, got 4"),
    ],
)
def test_a_wrong_value_is_a_value_error(changes, message):
    with pytest.raises(ValueError, match=message):
        Dataset(**parts(**changes))
