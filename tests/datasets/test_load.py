from pathlib import Path

import numpy as np
import pytest

from refcompress.datasets import digits, load
from tests.datasets.conftest import npz_bytes


def test_the_digits_are_the_default():
    for data, seed in ((load(), 0), (load("digits", seed=2), 2), (load("digits", 3), 3)):
        assert data.x_train.shape == (1438, 1, 8, 8)
        assert data.x_test.tobytes() == digits(seed).x_test.tobytes()
    assert load().x_test.tobytes() != load(seed=1).x_test.tobytes()


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_of_idx_files(mnist_folder, kind):
    data = load(kind(mnist_folder))
    assert data.x_train.shape == (3, 1, 2, 4)
    assert data.y_test.tolist() == [0, 2]


@pytest.mark.parametrize("name", ["my.npz", "MY.NPZ"])
def test_an_npz_file(tmp_path, members, name):
    (tmp_path / name).write_bytes(npz_bytes(members))
    assert load(tmp_path / name).y_train.tolist() == [2, 0, 1]
    assert load(str(tmp_path / name)).y_train.tolist() == [2, 0, 1]


def test_a_folder_called_digits_is_reached_by_a_path(mnist_folder, monkeypatch):
    mnist_folder.rename(mnist_folder.parent / "digits")
    monkeypatch.chdir(mnist_folder.parent)
    assert load("digits").x_train.shape == (1438, 1, 8, 8)
    assert load("./digits").x_train.shape == (3, 1, 2, 4)
    assert load(Path("digits")).x_train.shape == (3, 1, 2, 4)


@pytest.mark.parametrize("name", ["nowhere", "nowhere.npz", "digit", "mnist", "Digits"])
def test_a_path_that_does_not_exist(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r'source must be "digits", a folder of IDX files, or an \.npz file') as error:
        load(name)
    assert str(error.value).endswith(f"got '{name}', a path that does not exist")


def test_another_file(tmp_path):
    np.save(tmp_path / "images.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r'source must be "digits", .*images\.npy\', another file'):
        load(tmp_path / "images.npy")


def test_a_folder_without_data(tmp_path):
    with pytest.raises(ValueError, match="must be a folder with one of train-images-idx3-ubyte"):
        load(tmp_path)


def test_damaged_content(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"bad")
    with pytest.raises(ValueError, match=r"bad\.npz cannot be read as a data set"):
        load(tmp_path / "bad.npz")


@pytest.mark.parametrize("source", [None, 3, b"digits", ["digits"]])
def test_another_type(source):
    with pytest.raises(TypeError, match="source must be a string or a path, got "):
        load(source)


def test_bad_seed():
    with pytest.raises(ValueError, match="seed must be at least 0"):
        load(seed=-1)
