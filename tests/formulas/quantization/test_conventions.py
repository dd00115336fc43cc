"""Every preset against a transcription of its library: codes at ties, ends and specials, values, scales of ranges."""

import numpy as np
import pytest

from refcompress.formulas.quantization import affine, conventions
from refcompress.formulas.quantization.convention import Convention
from refcompress.formulas.quantization.conventions import PRESETS
from tests.formulas.quantization.checks.common import frozen
from tests.oracles.conventions import TWINS

SCALES = (1.0, 0.5, 0.1, 0.0371, 1 / 3, 7.3e-4, 123.4, 2.0**-20)


def twin_of(name):
    assert name in TWINS, f"preset {name!r} has no transcription: write one in tests/oracles/conventions.py"
    return TWINS[name]


def zero_points(c, qmin, qmax, s):
    """Zero points to try: integers among the codes, or numbers in their unit."""
    if c.zero_point == "zero":
        return [0]
    if c.zero_point == "middle":
        return [(qmin + qmax + 1) // 2]
    if c.form == "sq+Z":
        return [np.float32(0), np.float32(-0.7 * s * qmax), np.float32(1000.1 * s)]
    if c.zero_point_type == "real":
        return [np.float32(0), np.float32(0.37 * qmax), np.float32(3.5), np.float32(-2.7)]
    return sorted({qmin, qmin + 1, 0 if qmin <= 0 else qmin, (qmin + qmax + 1) // 2, qmin + 3, qmax})


def edges(c, s, Z, qmin, qmax):
    """All codes and ties as weights, by products in float32 and float64, with two places on either side."""
    k = np.arange(2 * qmin - 6, 2 * qmax + 8) / 2
    if c.form == "sq+Z":
        exact = k * np.float64(s) + np.float64(Z)
        rough = k.astype(np.float32) * s + np.float32(Z)
    elif c.form == "(q-Z)/s":
        exact = (k - np.float64(Z)) / np.float64(s)
        rough = (k.astype(np.float32) - np.float32(Z)) / np.float32(s)
    else:
        exact = (k - np.float64(Z)) * np.float64(s)
        rough = (k - np.float64(Z)).astype(np.float32) * np.float32(s)
    centres = np.unique(np.concatenate([exact.astype(np.float32), rough.astype(np.float32)]))
    found = [centres]
    for direction in (-np.inf, np.inf):
        x = centres
        for _ in range(2):
            x = np.nextafter(x, np.float32(direction))
            found.append(x)
    return np.concatenate(found)


SPECIALS = [0.0, -0.0, 1e-45, -1e-45, 1e-38, -1e-38, 1e9, -1e9, 1e30, -1e30, 3.4028235e38, -3.4028235e38]


def assert_same_codes(name, x, s, Z, qmin, qmax):
    x = frozen(x, np.float32)
    q = affine.quantize(x, s, Z, qmin, qmax, name)
    with np.errstate(all="ignore"):
        expected = twin_of(name).quantize(x, s, Z, qmin, qmax)
    wrong = np.flatnonzero(q != expected)
    first = wrong[0] if wrong.size else 0
    assert not wrong.size, (
        f"{name}, codes {qmin} to {qmax}, s = {s!r}, Z = {Z!r}: {wrong.size} of {x.size}, "
        f"first {x[first]!r}: {q[first]}, not {expected[first]}"
    )
    return q


def scale_type(c):
    """The dtype of a scale that choose gives out."""
    return np.float64 if c.compute_dtype == "input" and c.range_dtype == "float64" else np.float32


def signs(c):
    return (1, -1) if c.scale == "signed" else (1,)


@pytest.mark.parametrize("name", PRESETS)
def test_codes_at_ties_and_ends(name):
    twin, c = twin_of(name), PRESETS[name]
    for qmin, qmax in twin.ranges:
        for s in SCALES if c.quotient != "fused" else SCALES[2:5]:  # rational numbers take their time
            for sign in signs(c):
                step = scale_type(c)(sign * s)
                for Z in zero_points(c, qmin, qmax, s)[: None if c.quotient != "fused" else 3]:
                    assert_same_codes(name, edges(c, step, Z, qmin, qmax), step, Z, qmin, qmax)


@pytest.mark.parametrize("name", PRESETS)
def test_codes_of_random_numbers(name):
    twin, c = twin_of(name), PRESETS[name]
    generator = np.random.default_rng(3)
    count = 150 if c.quotient == "fused" else 5_000
    for qmin, qmax in twin.ranges:
        for s in (0.0371, 7.3e-4, 1 / 3):
            step = scale_type(c)(s)
            for Z in zero_points(c, qmin, qmax, s):
                unit = 1 / s if c.form == "(q-Z)/s" else s
                for width in (0.3, 1.0, 30.0):
                    x = generator.normal(0, width * unit * (qmax - qmin), count)
                    assert_same_codes(name, x, step, Z, qmin, qmax)


@pytest.mark.parametrize("name", PRESETS)
def test_codes_of_specials(name):
    twin, c = twin_of(name), PRESETS[name]
    for qmin, qmax in twin.ranges:
        for s in (0.0371, 1.0):
            step = scale_type(c)(s)
            for Z in zero_points(c, qmin, qmax, s):
                assert_same_codes(name, SPECIALS, step, Z, qmin, qmax)
                if twin.infinity == "saturates":
                    q = assert_same_codes(name, [np.inf, 1.0, -np.inf], step, Z, qmin, qmax)
                    assert q[0] == qmax - (c.narrow == "high")
                    assert q[2] == qmin + (c.narrow == "low")
                elif twin.infinity == "qmin":
                    q = assert_same_codes(name, [np.inf, 1.0, -np.inf], step, Z, qmin, qmax)
                    assert q[0] == q[2] == qmin
                else:
                    for bad in (np.inf, -np.inf):
                        with pytest.raises(ValueError, match="x must be finite"):
                            affine.quantize(frozen([1.0, bad], np.float32), step, Z, qmin, qmax, name)
                nan = frozen([1.0, np.nan], np.float32)
                if twin.nan == "error":
                    with pytest.raises(ValueError, match="x must"):
                        affine.quantize(nan, step, Z, qmin, qmax, name)
                else:
                    expected = {"qmin": qmin, "qmax": qmax, "0": 0}[twin.nan]
                    assert affine.quantize(nan, step, Z, qmin, qmax, name)[1] == expected
                    assert_same_codes(name, nan, step, Z, qmin, qmax)


@pytest.mark.parametrize("name", PRESETS)
def test_values_of_all_codes(name):
    twin, c = twin_of(name), PRESETS[name]
    if twin.dequantize is None:
        pytest.skip("the library restores in another way, which its origin says")
    for qmin, qmax in twin.ranges:
        q = frozen(np.arange(qmin, qmax + 1), np.int32)
        for s in (*SCALES, 1e-30, 3e-7):
            step = scale_type(c)(s)
            for Z in zero_points(c, qmin, qmax, s):
                if c.scale_dtype == "float16" and (s < 1e-6 or abs(Z) > 65504):
                    continue  # subnormal or infinite in float16: the tests of affine have these
                values = affine.dequantize(q, step, Z, name)
                expected = twin.dequantize(q, step, Z)
                assert values.astype(np.float32).tolist() == expected.tolist(), f"{name}, s = {s}, Z = {Z}"


def ranges_of(qmin, qmax):
    """Pairs (low, high) of float32: generic, symmetric, one-signed, constant, on zero points' ties, tiny and large."""
    generator = np.random.default_rng(5)
    pairs = [
        (0, 0), (-1, 1), (-1, 3), (0, 1), (-1, 0), (2, 3), (-3, -2), (5.5, 5.5), (-5.5, -5.5), (0, 1e-7), (-1e-7, 0),
        (-0.5, 253.5), (-0.5, 254.5), (-127.5, 127.5), (-1e-5, 1e-5), (0, 1e-6), (-5e-7, 5e-7), (0, 2e-6), (0, 1e-4),
        (0, 1.0001e-4), (0, 9.999e-5), (-1e-30, 2e-30), (0, 1e-37), (-3e-38, 1e-38), (-1e30, 3e30), (-1.6e38, 1.6e38),
        (0, 5e-7), (0, 6e-7), (-4e-7, 0), (0, 1e-10), (0, 2e-10), (0, 1e-5), (0, 2e-5), (-7e-3, 8e-3),
        (0, 0.0155), (0, 0.0156),
    ]  # fmt: skip
    for size in (1.0, 1e-3, 1e4):
        a, b = np.sort(generator.normal(0, size, (2, 120)), axis=0)
        pairs += list(zip(a, b, strict=True))
        pairs += [(-abs(x), abs(x)) for x in a[:60]] + [(0, abs(x)) for x in a[:30]] + [(-abs(x), 0) for x in b[:30]]
    for k in range(0, qmax - qmin, max(1, (qmax - qmin) // 60)):  # low = −(k + ½)·s, high the rest of the width
        for s in (1.0, 0.25, 0.1, 0.0371):
            low = np.float32(-(k + 0.5) * s)
            pairs.append((low, np.float32(np.float32((qmax - qmin) * s) + low)))
    return np.array([(np.float32(a), np.float32(b)) for a, b in pairs if np.float32(a) <= np.float32(b)])


@pytest.mark.parametrize("name", PRESETS)
def test_scales_and_zero_points(name):
    twin, c = twin_of(name), PRESETS[name]
    if twin.choose is None:
        pytest.skip("the library chooses no scale")
    for qmin, qmax in twin.ranges:
        pairs = ranges_of(qmin, qmax)
        with np.errstate(all="ignore"):
            expected = [twin.choose(low, high, qmin, qmax) for low, high in pairs]
        expected = [None if pair is None else (float(pair[0]), float(pair[1])) for pair in expected]
        chosen = np.array([pair is not None for pair in expected])
        s, Z = affine.choose(frozen(pairs[chosen, 0]), frozen(pairs[chosen, 1]), qmin, qmax, name)
        assert s.dtype == scale_type(c)
        assert Z.dtype == (np.int32 if c.zero_point_type == "integer" else s.dtype)
        found = zip(s.tolist(), Z.tolist(), strict=True)
        got = [next(found) if there else None for there in chosen]
        for i in [*np.flatnonzero(~chosen), *range(0, len(pairs), 8)]:  # one at a time: what is refused, and some
            try:
                one = affine.choose(*pairs[i], qmin, qmax, name)
            except ValueError:
                one = None
            assert one is None or (one[0].dtype, one[1].dtype) == (s.dtype, Z.dtype)
            got[i] = one if one is None else (float(one[0]), float(one[1]))
        wrong = [i for i, pair in enumerate(expected) if got[i] != pair]
        first = wrong[0] if wrong else 0
        assert not wrong, (
            f"{name}, codes {qmin} to {qmax}: {len(wrong)} ranges, "
            f"first {pairs[first].tolist()}: {got[first]}, not {expected[first]}"
        )


@pytest.mark.parametrize("name", PRESETS)
def test_arrays_of_ranges(name):
    """One call for all ranges gives what one call for each gives."""
    qmin, qmax = twin_of(name).ranges[0]
    pairs = ranges_of(qmin, qmax)[40:140].reshape(5, 20, 2)
    s, Z = affine.choose(frozen(pairs[..., 0]), frozen(pairs[..., 1]), qmin, qmax, name)
    assert s.shape == Z.shape == (5, 20)
    for place in np.ndindex(5, 20):
        one = affine.choose(*pairs[place], qmin, qmax, name)
        assert (s[place], Z[place]) == one
        assert np.shape(one[0]) == np.shape(one[1]) == ()


# presets and names


def test_every_twin_is_of_a_preset():
    assert set(TWINS) <= set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_say_where_they_come_from(name):
    c = PRESETS[name]
    assert c.origin
    assert "\n" not in c.origin
    assert c.formula().startswith("q = ")
    assert c.describe().startswith(c.formula())


def test_named():
    for name, c in PRESETS.items():
        assert conventions.named(name) is c
        assert conventions.named(c) is c
    own = Convention(rounding="half_down")
    assert conventions.named(own) is own


def test_unknown_name():
    for name in ("", "ONNX", "onnx ", "torch"):
        with pytest.raises(ValueError, match=rf"^convention must be one of source, onnx, .*, got '{name}'$"):
            conventions.named(name)
    for wrong in (None, 3, ["onnx"], b"onnx", Convention):
        with pytest.raises(TypeError, match=r"^convention must be a Convention or a preset's name, got "):
            conventions.named(wrong)


@pytest.mark.parametrize("call", ["choose", "quantize", "dequantize", "fake_quantize"])
def test_calls_take_a_name_or_a_convention(call):
    x = frozen([0.3, -0.2], np.float32)
    arguments = {
        "choose": (-1.0, 2.0, 0, 255),
        "quantize": (x, 0.1, 3, 0, 255),
        "dequantize": (frozen([3, 4], np.uint8), 0.1, 3),
        "fake_quantize": (x, 0.1, 3, 0, 255),
    }[call]
    function = getattr(affine, call)
    by_name, by_value = function(*arguments, "onnx"), function(*arguments, PRESETS["onnx"])
    assert np.array_equal(by_name, by_value)
    with pytest.raises(ValueError, match="convention must be one of"):
        function(*arguments, "nothing")
    with pytest.raises(TypeError, match="convention must be"):
        function(*arguments, None)


# literals that tell the presets apart


def test_half_a_step_above_a_zero_point_of_three():
    """x/s = ½ at Z = 3: added before rounding the tie is 3.5, which is 4; after it, 0.5, which is 0."""
    x = frozen([0.5], np.float32)
    for name, expected in (
        ("onnx", 3), ("onnxruntime", 3), ("torch_fake_quantize", 3), ("torchao", 3), ("gptq", 3),
        ("torch_quantize", 4), ("torch_quantize_per_channel", 4), ("qonnx", 4), ("brevitas_shifted", 4),
        ("gemmlowp", 4), ("tflite_reference", 4), ("tflite_activations", 3), ("tensorflow_fake_quant", 4),
        ("onnxruntime_blockwise", 4),
    ):  # fmt: skip
        assert affine.quantize(x, 1.0, 3, 0, 255, name).tolist() == [expected], name


def test_dividing_is_not_multiplying_by_the_reciprocal():
    x, s = frozen([0.273939937], np.float32), np.float32(0.00214854861)
    assert affine.quantize(x, s, 0, 0, 255, "onnx").tolist() == [127]
    assert affine.quantize(x, s, 0, 0, 255, "torch_fake_quantize").tolist() == [128]


def test_a_value_of_one_comes_back_by_the_divisor():
    """The symmetric scale of absmax 1 in 8 bits: 1/127, 1/127.5 or 1/128."""
    for name, divisor in (
        ("tflite_weights", 127), ("ggml_q8_0", 127), ("brevitas", 127), ("torch_observer_symmetric", 127.5),
        ("torchao_symmetric", 127.5), ("compressed_tensors_symmetric", 127.5), ("brevitas_activations", 128),
    ):  # fmt: skip
        s, Z = affine.choose(-1.0, 1.0, -128, 127, name)
        assert (s, Z) == (np.float32(1) / np.float32(divisor), 0), name


def test_all_zero_tensors():
    for name, qmin, qmax, s, Z in (
        ("onnx", 0, 255, np.float32(1 / 255), 0),
        ("onnxruntime", 0, 255, 1, 0),
        ("onnxruntime_weights", -128, 127, 1, 0),
        ("onnxruntime_blockwise", 0, 15, 0, 0),
        ("onnxruntime_blockwise_symmetric", 0, 15, 0, 8),
        ("tflite_weights", -128, 127, np.float32(5e-7) / np.float32(127), 0),
        ("tflite_activations", -128, 127, np.float32(2e-6) / np.float32(255), 0),
        ("ggml_q4_0", 0, 15, 0, 8),
        ("torch_quantize", -128, 127, 2.0**-23, -128),
        ("torch_quantize_dynamic", 0, 255, np.float32(0.1), 0),
        ("torch_quantize_dynamic", -128, 127, np.float32(0.1), 127),
        ("torchao", -128, 127, 2.0**-126, -128),
        ("compressed_tensors", -128, 127, 2.0**-23, 0),
        ("gptq", 0, 15, np.float32(2) / np.float32(15), 7),  # fl(1/s) = 7.4999996
        ("awq", 0, 15, np.float32(1e-5) / np.float32(15), 0),
        ("hqq", 0, 15, 1, 0),
    ):
        got = affine.choose(np.float32(0), np.float32(0), qmin, qmax, name)
        assert got == (s, Z), f"{name}: {got}"
    for name in ("tensorflow_fake_quant", "gemmlowp"):
        with pytest.raises(ValueError, match="low"):
            affine.choose(0.0, 0.0, 0, 255, name)
