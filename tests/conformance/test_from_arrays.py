"""What arrays show, and what they do not: then, a number that would."""

import contextlib
import io
import zipfile

import numpy as np
import pytest

from refcompress.conformance import diagnose_arrays
from refcompress.conformance.diagnosis.arrays import read_arrays
from refcompress.conformance.diagnosis.readings import FIELDS
from refcompress.formulas.quantization.conventions import PRESETS
from tests.oracles import affine as oracle
from tests.oracles.conventions import TWINS

F = np.float32


def theirs(name, x, scale, zero_point, qmin=0, qmax=255):
    with np.errstate(all="ignore"):
        return TWINS[name].quantize(x, F(scale), zero_point, qmin, qmax)


def many(n=200_000):
    """Ties, codes and what is beside them, beyond both ends."""
    rng = np.random.default_rng(3)
    return (rng.integers(-520, 520, n) / 2 * 0.3).astype(F) + rng.choice(F([0, 0, 1e-7, -1e-7]), n)


@pytest.mark.parametrize("name", ["onnx", "torch_quantize", "torch_fake_quantize", "tflite_reference", "gemmlowp"])
def test_arrays_show_the_convention(name):
    x, scale, zero_point = np.concatenate([many(), F([0.5, 1.5, -0.5])]), np.full(200_003, 0.3, F), 3
    scale[-3:] = 1
    q = np.concatenate([theirs(name, x[:-3], 0.3, zero_point), theirs(name, x[-3:], 1, zero_point)]).astype(np.uint8)
    found = diagnose_arrays(x, scale, zero_point, q)
    assert name in found.presets
    assert found.contradiction is None
    assert found.numbers == 200_003
    for axis in FIELDS[:3]:
        assert getattr(PRESETS[name], axis) in found.left(axis)
    assert found.left("compute_dtype") == ("float32",)
    for other in found.presets:
        assert np.array_equal(theirs(other, x[:-3], 0.3, zero_point), q[:-3]), other
    for other in {"onnx", "torch_quantize", "torch_fake_quantize", "tflite_reference", "gemmlowp"} - {*found.presets}:
        assert not np.array_equal(theirs(other, x[:-3], 0.3, zero_point), q[:-3]), other


def test_few_numbers_leave_much_open_and_say_what_to_ask():
    x, scale, zero_point = F([0.2, 0.7, 300]), np.ones(3, F), np.zeros(3, np.int32)
    asked = set()
    for _ in range(2):
        found = diagnose_arrays(x, scale, zero_point, theirs("gemmlowp", x, scale, zero_point).astype(np.uint8))
        if found.apart is None:
            break
        assert not asked & set(found.apart.questions)
        asked |= set(found.apart.questions)
        assert {"half_even", "half_away"} <= set(found.left("rounding"))
        assert {"onnx", "gemmlowp"} <= set(found.presets)
        assert len(set(found.apart.codes)) == len(found.apart.codes)
        x, scale = np.append(x, F(found.apart.x)), np.append(scale, F(found.apart.scale))
        zero_point = np.append(zero_point, np.array(found.apart.zero_point, np.int32))
    assert (found.apart, found.presets) == (None, ("gemmlowp",))
    assert found.left("rounding") == ("half_away", "half_up")  # of numbers above 0, the same


def test_the_last_of_many_codes_counts():
    x = many()
    q = theirs("onnx", x, 0.3, 3).astype(np.uint8)
    assert diagnose_arrays(x, F(0.3), 3, q).presets
    q[-1] ^= 4
    found = diagnose_arrays(x, F(0.3), 3, q)
    assert (found.readings, found.presets, found.apart) == ((), (), None)
    c = found.contradiction
    assert (c.question.x, c.question.zero_point, c.code) == (float(x[-1]), 3, q[-1])
    assert theirs("onnx", x[-1:], 0.3, 3)[0] in c.instead
    assert found.nearest == "onnx"
    assert found.disagreements["onnx"] == 1
    assert found.disagreements["torch_quantize"] == np.count_nonzero(theirs("torch_quantize", x, 0.3, 3) != q)


def test_the_order_of_exclusion_is_that_of_the_numbers():
    found = diagnose_arrays(F([0.5, 1.5, 2.5, 3.5]), F(1), 0, np.uint8([0, 2, 9, 4]))  # half even, but for one
    assert (found.contradiction.question.x, found.contradiction.code, found.contradiction.instead) == (2.5, 9, (2,))


def test_a_preset_that_computes_in_the_dtype_of_x_is_taken_in_the_one_that_fits_better():
    x = F([0.35, 0.45, 0.25, 0.55])
    q = oracle.codes(x, F(0.1), 0, 0, 255, PRESETS["source"], "float64")
    assert q != oracle.codes(x, F(0.1), 0, 0, 255, PRESETS["source"], "float32")
    found = diagnose_arrays(np.append(x, F(1)), F(0.1), 0, np.uint8([*q, 99]))
    assert (found.readings, found.disagreements["source"]) == ((), 1)


def test_scales_and_zero_points_of_channels():
    x = np.tile(F([[0.5], [0.15], [4.5]]), (1, 3))
    scale, zero_point = F([1, 0.1, 3]).reshape(3, 1), np.int64([1, 2, 3]).reshape(3, 1)
    q = np.stack([theirs("torch_quantize", *row) for row in zip(x, scale, zero_point, strict=True)]).astype(np.uint8)
    found = diagnose_arrays(x, scale, zero_point, q)
    assert {"torch_quantize", "qonnx"} <= set(found.presets)
    assert "onnx" not in found.presets


def test_a_zero_point_that_is_no_integer():
    x = F([-3, -0.5, 0.2, 1.7, 2.6, 40])
    found = diagnose_arrays(x, F(1.25), F(3.25), theirs("hqq", x, 1.25, F(3.25), 0, 15), 0, 15)
    assert found.left("zero_point_type") == ("real",)
    assert "hqq" in found.presets
    assert not {"onnx", "qonnx", "bitsandbytes"} & set(found.presets)
    assert diagnose_arrays(F([-1000]), F(1), F(3.25), np.uint8([0])).left("zero_point_type") == ("real",)


def test_float64_is_rounded_by_what_computes_in_float32():
    x = np.array([0.35, 0.45, 0.25])  # no float32
    single = theirs("onnx", x.astype(F), 0.1, 0)
    double = np.array(oracle.codes(x, 0.1, 0, 0, 255, PRESETS["source"], "float64"))
    assert single.tolist() != double.tolist()
    for q, dtype in ((single, "float32"), (double, "float64")):
        found = diagnose_arrays(x, 0.1, 0, q.astype(np.uint8))
        like_onnx = [r for r in found.readings if not PRESETS["onnx"].differences(r.convention).keys() & {*FIELDS}]
        assert [r.compute_dtype for r in like_onnx] == [dtype]
        assert ("onnx" in found.presets) == (dtype == "float32")


@pytest.mark.parametrize(
    ("q", "values"),
    [
        ([255, 0, 0], ("nan_low", "nan_zero")),
        ([255, 0, 255], ("nan_high",)),
        ([0, 0, 0], ("int64",)),
        ([255, 0, 9], ()),
    ],
)
def test_codes_of_nan_and_infinity(q, values):
    x = many(3000)
    own = theirs("onnx", x, 0.3, 3)

    def with_codes(special, codes):
        return diagnose_arrays(np.append(x, F(special)), F(0.3), 3, np.append(own, codes).astype(np.uint8))

    found = with_codes([np.inf, -np.inf, np.nan], q)
    assert found.nonfinite.values == values
    assert found.numbers == 3000
    assert set(found.presets) == {name for name in found.presets_on_finite_numbers if PRESETS[name].nonfinite in values}
    assert "onnx" in found.presets_on_finite_numbers
    assert found.nearest in found.presets_on_finite_numbers
    assert with_codes([np.inf], q[:1]).nonfinite.outcomes == {"inf": q[0]}
    two = with_codes([np.nan, np.nan], [0, 1])
    assert (two.nonfinite.outcomes, two.nonfinite.values) == ({"nan": "several codes"}, ())
    assert with_codes([], []).nonfinite is None


X, Q = F([0, 1]), np.uint8([0, 1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.array([0, 1]), F(1), 0, Q), TypeError, "^x must be floats, got int64"),
        ((X, 1, 0, Q), TypeError, "^scale must be floats, got int64"),
        ((X, F(1), True, Q), TypeError, "^zero_point must be integers or floats, got bool"),
        ((X, F(1), 0, X), TypeError, "^q must be integers, got float32"),
        ((np.array(["a"]), F(1), 0, Q), TypeError, "^x must be floats, got <U1"),
        ((X[:0], F(1), 0, Q[:0]), ValueError, "^x must not be empty"),
        ((X, F(1), 0, Q[:1]), ValueError, r"^q must have shape \(2,\), got \(1,\)"),
        ((X, F([1, 1, 1]), 0, Q), ValueError, r"^scale must broadcast to shape \(2,\), got \(3,\)"),
        ((X, F(1), [0, 0, 0], Q), ValueError, r"^zero_point must broadcast to shape \(2,\), got \(3,\)"),
        ((X, F(0), 0, Q), ValueError, "^scale must be above 0 and finite in float32, got 0.0"),
        ((X, 1e-60, 0, Q), ValueError, "^scale must be above 0 and finite in float32, got 1e-60"),
        ((X, F(np.nan), 0, Q), ValueError, "^scale must be finite"),
        ((X, F(1), F(np.inf), Q), ValueError, "^zero_point must be finite"),
        ((X * F(np.nan), F(1), 0, Q), ValueError, "^x must hold a finite number"),
        ((X, F(1), 0, Q.astype(np.int32)), ValueError, "^qmin and qmax must be given where q is int32"),
        ((X, F(1), 0, Q, 0.5, 3), TypeError, "^qmin must be an integer"),
        ((X, F(1), 0, Q, 3, 3), ValueError, "^qmax must leave at least two codes"),
        ((X, F(1), 0, Q, 0, 10**6), ValueError, "^qmax must be from -32768 to 65535"),
    ],
)
def test_wrong_arrays_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        diagnose_arrays(*arguments)


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_a_file_is_read(tmp_path):
    path = saved(tmp_path / "a.npz", x=X, scale=F(1), zero_point=0, q=Q, qmin=0, qmax=15, more=1)
    found = read_arrays(path)
    assert set(found) == {"x", "scale", "zero_point", "q", "qmin", "qmax"}
    assert all(array.dtype.kind in "fiu" for array in found.values())
    assert (found["qmin"], found["qmax"]) == (0, 15)


def test_files_that_are_no_arrays(tmp_path):
    with pytest.raises(ValueError, match=r"must have x, scale, zero_point, q, got x, scale$"):
        read_arrays(saved(tmp_path / "few.npz", x=X, scale=F(1)))
    with pytest.raises(ValueError, match=r"^zero_point cannot be read: Object arrays"):
        read_arrays(saved(tmp_path / "pickled.npz", x=X, scale=F(1), zero_point=np.array([None]), q=Q))
    np.save(tmp_path / "one.npy", X)
    (tmp_path / "text.npz").write_text("x = 1")
    (tmp_path / "empty.npz").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "cut.npz", "w") as file:
        for key in ("x", "scale", "zero_point", "q"):
            whole = io.BytesIO()
            np.save(whole, X)
            file.writestr(f"{key}.npy", whole.getvalue()[:-3])
    for name in ("one.npy", "text.npz", "empty.npz"):
        with pytest.raises(ValueError, match=rf"{name} must be an .npz file$"):
            read_arrays(tmp_path / name)
    with pytest.raises(ValueError, match=r"^x cannot be read: "):
        read_arrays(tmp_path / "cut.npz")
    whole = saved(tmp_path / "whole.npz", x=X, scale=F(1), zero_point=0, q=Q).read_bytes()
    for place in range(len(whole)):  # most of them raise one of five things in zipfile and zlib
        (tmp_path / "bad.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(ValueError):
            read_arrays(tmp_path / "bad.npz")
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "none.npz")
