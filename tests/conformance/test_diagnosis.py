"""Every preset is recognized by its library's own steps, and what is no preset by the values of its axes."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from refcompress.conformance import diagnose
from refcompress.conformance.diagnosis.diagnose import run
from refcompress.conformance.diagnosis.interview import Array
from refcompress.conformance.diagnosis.questions import probes, table, widened
from refcompress.conformance.diagnosis.readings import FIELDS, SHOWN
from refcompress.conformance.targets.errors import Crashed, Garbage, Hung, Modified, Raised
from refcompress.formulas.quantization import affine, float_format
from refcompress.formulas.quantization.conventions import PRESETS, Convention
from tests.oracles import affine as oracle
from tests.oracles.conventions import BYTE, SIGNED, SIGNED_4, TWINS, UNSIGNED_4

F = np.float32
RANGES = (BYTE, SIGNED, UNSIGNED_4, SIGNED_4)
# The twins that compute without a zero point, or with the one that their library always has: what they cannot be told
# apart from are symmetric presets only. At Z = 0 adding it before rounding or after it is the same, and with all codes
# above 0 so is rounding half away and ⌊t + ½⌋.
SYMMETRIC = {
    "tflite_weights": {"tflite_weights"},
    "tflite_weights_dynamic_range": {"tflite_weights_dynamic_range"},
    "ggml_q8_0": {"ggml_q8_0", "onnxruntime_blockwise_symmetric"},
    "ggml_q4_0": {"ggml_q4_0", "onnxruntime_blockwise_symmetric"},
    "bitsandbytes": {"bitsandbytes"},
}


class Box:
    """A black box that notes the numbers that it is asked, and the arrays."""

    def __init__(self, quantize):
        self.quantize, self.asked, self.arrays, self.types = quantize, [], [], set()

    def __call__(self, x, scale, zero_point, qmin, qmax):
        assert (x.dtype, x.ndim, type(scale)) == (np.float32, 1, F)
        self.types.add(type(zero_point))
        if x.size == 1:
            self.asked.append((float(x[0]), float(scale), float(zero_point)))
        else:
            self.arrays.append({(value, float(scale), float(zero_point)) for value in x.tolist()})
        with np.errstate(all="ignore"):
            return self.quantize(x, scale, zero_point, qmin, qmax)


def library(name):
    """What a library does, and where it does nothing that is defined, an error."""
    twin = TWINS[name]

    def quantize(x, scale, zero_point, qmin, qmax):
        if (twin.nan == "error" and np.isnan(x).any()) or (twin.infinity == "error" and np.isinf(x).any()):
            raise ValueError("x must be finite")
        Z = F(zero_point) if PRESETS[name].zero_point_type == "real" else zero_point
        return twin.quantize(x, scale, Z, qmin, qmax)

    return quantize


def exact(convention, dtype="float32"):
    """A convention in exact arithmetic, one rounding after the other."""

    def quantize(x, scale, zero_point, qmin, qmax):
        codes = oracle.codes(x.tolist(), scale, zero_point, qmin, qmax, convention, dtype)
        if None in codes:
            raise ValueError("x has no code")
        return np.array(codes)

    return quantize


def of_nonfinite(c, qmin, qmax):
    """The codes of −∞, ∞ and NaN that a convention says."""
    low, high = {"no": (qmin, qmax), "low": (qmin + 1, qmax), "high": (qmin, qmax - 1)}[c.narrow]
    nan = {"nan_low": low, "nan_high": high, "nan_zero": min(max(0, low), high), "int64": low}.get(c.nonfinite)
    return (None, None, None) if c.nonfinite == "error" else (low, low if c.nonfinite == "int64" else high, nan)


def alike(name, qmin, qmax):
    """The presets that give the same codes in all calls, from their fields alone."""

    def key(c):
        return (*(getattr(c, field) for field in FIELDS), c.compute_dtype == "float32", of_nonfinite(c, qmin, qmax))

    return {other for other, c in PRESETS.items() if key(c) == key(PRESETS[name])}


CASES = [
    (ends, name)
    for ends in RANGES
    for name, twin in TWINS.items()
    if ends in [r for r in twin.ranges if r in RANGES][:1]
]


def test_every_preset_is_tried():
    assert {name for _, name in CASES} == set(PRESETS)


@pytest.mark.parametrize(("ends", "name"), CASES, ids=lambda part: str(part).replace(" ", ""))
def test_a_library_is_recognized(ends, name):
    box = Box(library(name))
    found = diagnose(box, *ends)
    assert set(found.presets) == SYMMETRIC.get(name, alike(name, *ends))
    assert len(box.asked) == len(set(box.asked)) == found.numbers + 3 == 64
    assert box.types == {np.int32}
    assert found.refused == ()
    assert (found.zero_point is None) == (name not in SYMMETRIC) == found.fits
    assert found.array == Array(67)
    arrays = set().union(*box.arrays)
    assert arrays == {asked for asked in box.asked[:61] if found.zero_point in (None, asked[2])}
    assert len(arrays) == found.fitted >= 24
    assert name in found.presets_on_finite_numbers
    assert PRESETS[name].nonfinite in found.nonfinite.values
    for axis in FIELDS:
        assert getattr(PRESETS[name], axis) in found.left(axis)


@pytest.mark.parametrize("ends", [(0, 1), (0, 3), (-32768, 32767), (0, 65535)])
def test_other_widths(ends):
    if ends[0] == 0:
        assert "source" in diagnose(Box(library("source")), *ends).presets
    found = diagnose(Box(exact(replace(PRESETS["tflite_reference"], nonfinite="nan_low"))), *ends)
    assert "tflite_reference" in found.presets_on_finite_numbers
    assert found.contradiction is None


VARIANTS = [
    ("onnx", {"rounding": "half_down"}),
    ("onnx", {"rounding": "half_up"}),
    ("onnx", {"rounding": "floor"}),
    ("onnx", {"rounding": "ceil"}),
    ("onnx", {"rounding": "add_half"}),
    ("onnx", {"rounding": "toward_zero"}),
    ("onnx", {"rounding": "half_toward_zero"}),
    ("onnx", {"narrow": "low"}),
    ("onnx", {"narrow": "high"}),
    ("onnx", {"form": "s(q+Z)"}),
    ("onnx", {"zero_point_added": "shifted"}),
    ("source", {"form": "sq-Z", "zero_point": "negated_low"}),
    ("source", {"rounding": "half_away"}),
    ("torch_quantize", {"rounding": "half_away"}),
    ("tensorflow_fake_quant", {"quotient": "reciprocal"}),
    ("bitsandbytes", {"narrow": "no"}),
]


@pytest.mark.parametrize(("name", "changes"), VARIANTS, ids=str)
def test_a_variant_is_read_axis_by_axis(name, changes):
    convention = replace(PRESETS[name], **changes)
    found = diagnose(Box(exact(convention)), *SIGNED)
    assert found.presets_on_finite_numbers == ()
    for axis in FIELDS:
        if axis == "zero_point_type" and convention.zero_point_added == "before":
            assert found.left(axis) == ("integer", "real")  # whole zero points do not tell them apart
        else:
            assert found.left(axis) == (getattr(convention, axis),), axis
    assert found.left("compute_dtype") == ("float32",)
    assert convention.nonfinite in found.nonfinite.values
    nearest = PRESETS[found.nearest]
    assert set(found.differences(PRESETS[name])) == {*changes} & {*FIELDS}
    fewest = min(len(found.differences(preset)) for preset in PRESETS.values())
    assert len(found.differences(nearest)) == fewest <= 2


def test_arithmetic_in_float64_is_recognized():
    found = diagnose(Box(exact(replace(PRESETS["onnx"], compute_dtype="input"), "float64")))
    assert (found.left("compute_dtype"), found.left("quotient")) == (("float64",), ("divide",))
    assert found.left("rounding") == ("half_even",)
    assert found.presets_on_finite_numbers == ()
    assert set(found.differences(PRESETS["onnx"])) == {"compute_dtype"}
    reciprocal = replace(PRESETS["onnx"], compute_dtype="input", quotient="reciprocal")
    assert diagnose(Box(exact(reciprocal, "float64"))).left("quotient") == ("reciprocal",)
    floor = replace(PRESETS["onnx"], compute_dtype="input", rounding="floor")
    assert diagnose(Box(exact(floor, "float64"))).left("zero_point_added") == ("after",)


@pytest.mark.parametrize(
    ("quotient", "preset", "t"),
    [
        ("divide", "qonnx", lambda x, s: x / s),
        ("reciprocal", "torch_quantize_per_channel", lambda x, s: x * (F(1) / s)),
        ("multiply", "hqq", lambda x, s: x * s),
    ],
)
def test_a_sum_that_numpy_makes_in_float64_is_recognized(quotient, preset, t):
    found = diagnose(Box(lambda x, s, Z, qmin, qmax: np.clip(np.rint(np.nan_to_num(t(x, s)) + Z), qmin, qmax)))
    assert (found.left("compute_dtype"), found.left("zero_point_added")) == (("mixed",), ("before",))
    assert found.left("quotient") == (quotient,)
    assert found.differences(PRESETS[preset]).keys() - {"nonfinite"} == {"compute_dtype"}
    assert found.presets_on_finite_numbers == ()


def half_odd(x, s, Z, qmin, qmax):
    """Ties to the odd integer, a rule that no convention has."""
    t = float(x[0] / s)
    if not math.isfinite(t):
        return np.array([0])
    q = math.floor(t) + (math.floor(t) % 2 == 0) if t % 1 == 0.5 else round(t)
    return np.clip([q + int(Z)], qmin, qmax)


def wrapping(x, s, Z, qmin, qmax):
    q = np.rint(np.nan_to_num(x / s)).astype(np.int64) + Z
    return (q - qmin) % (qmax - qmin + 1) + qmin


def rough(x, s, Z, qmin, qmax):
    """A scale in float16."""
    return np.clip(np.rint(x / F(np.float16(s))) + Z, qmin, qmax)


@pytest.mark.parametrize("wrong", [half_odd, wrapping, rough])
def test_what_no_convention_does_fits_nothing(wrong):
    box = Box(wrong)
    found = diagnose(box)
    assert (found.readings, found.presets, found.zero_point) == ((), (), None)
    c = found.contradiction
    assert wrong(np.array([c.question.x], F), F(c.question.scale), np.int32(c.question.zero_point), 0, 255) == [c.code]
    assert c.code not in c.instead
    assert found.numbers == 61
    assert found.disagreements[found.nearest] == min(found.disagreements.values()) > 0
    x, scale, zero_point = map(np.array, zip(*box.asked[:61], strict=True))
    with np.errstate(all="ignore"):
        theirs = [wrong(F([a]), F(b), np.int32(z), 0, 255)[0] for a, b, z in zip(x, scale, zero_point, strict=True)]
    own = [oracle.codes([a], b, z, 0, 255, PRESETS["onnx"])[0] for a, b, z in zip(x, scale, zero_point, strict=True)]
    assert found.disagreements["onnx"] == np.count_nonzero(np.array(theirs) != own)
    assert found.differences(PRESETS["onnx"]) == {}  # nothing is left to differ


def in_float(kind):
    return lambda v: float_format.decode(float_format.encode(np.asarray(v, F), kind), kind)


def with_fewer_bits(kind):
    """Quantizers that compute a part of what onnx does in another float type, each wrong for normal data."""
    r = in_float(kind)
    return {
        "x and s": lambda x, s: r(r(x) / r(s)),
        "x": lambda x, s: r(x) / s,
        "s": lambda x, s: x / r(s),
        "1/s": lambda x, s: x * r(1 / s),
        "quotient": lambda x, s: r(x / s),
    }


@pytest.mark.parametrize("ends", [BYTE, SIGNED_4], ids=str)
@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
@pytest.mark.parametrize("part", with_fewer_bits("bfloat16"))
def test_fewer_bits_than_float32_fit_nothing(kind, part, ends):
    quotient = with_fewer_bits(kind)[part]
    found = diagnose(
        Box(lambda x, s, Z, qmin, qmax: np.clip(np.rint(np.nan_to_num(quotient(x, s))) + Z, qmin, qmax)), *ends
    )
    assert (found.fits, found.presets_on_finite_numbers) == (False, ())


@pytest.mark.parametrize("ends", [BYTE, SIGNED], ids=str)
@pytest.mark.parametrize(
    "wrong",
    [
        lambda t, Z, middle: t > 37,
        lambda t, Z, middle: t < -37,
        lambda t, Z, middle: t + Z > middle,
        lambda t, Z, middle: t + Z < middle,
        lambda t, Z, middle: (t + Z > middle + 60) & (t + Z < middle + 100),
    ],
)
def test_what_is_wrong_for_a_part_of_the_codes_does_not_fit(wrong, ends):
    def quantize(x, s, Z, qmin, qmax):
        t = np.nan_to_num(x / s)
        return np.clip(np.rint(t) + Z + wrong(t, int(Z), (qmin + qmax) // 2), qmin, qmax)

    found = diagnose(Box(quantize), *ends)
    assert not found.fits
    assert found.zero_point in (None, 0)  # where all x may be below 0
    if found.zero_point == 0:
        assert found.fitted >= 24
        assert found.contradiction.question.zero_point != 0


@pytest.mark.parametrize("name", ["onnx", "torch_quantize", "tensorflow_fake_quant", "source", "hqq", "bitsandbytes"])
@pytest.mark.parametrize("ends", [BYTE, SIGNED_4], ids=str)
def test_probes_are_spread_over_codes_scales_and_zero_points(name, ends):
    known = table(*ends)
    reading = next(r for r in known.classes[known.presets[name][0]] if r.is_of(PRESETS[name]))
    found = probes(reading, *ends, (0, 1, 3), 24)
    assert len(found) == len(set(found)) > 20
    assert len({question.scale for question in found}) > 5
    assert len({(question.scale, question.zero_point) for question in found}) > 15
    new = [question for question in found if question not in known.questions]
    wide = widened(known, new, *ends)
    (row,) = (i for i, members in enumerate(wide.classes) if reading in members)
    assert len(set(wide.codes[row, len(known.questions) :].tolist())) > min(20, (ends[1] - ends[0]) / 2)
    assert wide.questions == (*known.questions, *new)
    assert sum(map(len, wide.classes)) == sum(map(len, known.classes))
    for preset, own in wide.presets.items():
        assert all(any(r.is_of(PRESETS[preset]) for r in wide.classes[i]) for i in own)


@pytest.mark.parametrize("ends", [BYTE, SIGNED, (0, 3)], ids=str)
def test_no_probe_at_a_whole_zero_point_parts_what_was_taken_for_the_same(ends):
    known = table(*ends)
    points = tuple(dict.fromkeys(question.zero_point for question in known.questions))
    for members in known.classes[::40]:
        new = [question for question in probes(members[0], *ends, points, 24) if question not in known.questions]
        assert len(widened(known, new, *ends).classes) == len(known.classes)


def symmetric(x, s, Z, qmin, qmax):
    if Z != 0:
        raise ValueError("symmetric only")
    return np.clip(np.rint(x / s), qmin + 1, qmax)


def test_a_box_that_takes_one_zero_point():
    box = Box(symmetric)
    found = diagnose(box, *SIGNED)
    assert found.zero_point == 0
    assert found.presets_on_finite_numbers == ("brevitas",)
    assert found.fits
    assert {error for _, error in found.refused} == {"ValueError: symmetric only"}
    assert len({question.zero_point for question, _ in found.refused}) == len(found.refused)
    assert found.contradiction is None
    assert len(box.asked) <= 64  # those that are asked twice, with both types of zero points, included
    told = diagnose(Box(symmetric), *SIGNED, zero_points=[0])
    assert (told.zero_point, told.refused, told.fits) == (None, (), True)
    assert set(told.presets_on_finite_numbers) == {"brevitas"}


@pytest.mark.parametrize(
    "own", [lambda Z: 0, lambda Z: min(Z, 127), lambda Z: max(Z, 0), lambda Z: Z & 63], ids=["none", "127", "0", "63"]
)
def test_one_zero_point_alone_is_no_fit_if_there_are_codes_at_others(own):
    ends = BYTE if own(200) != 200 else SIGNED
    found = diagnose(Box(lambda x, s, Z, qmin, qmax: np.clip(np.rint(x / s) + own(int(Z)), qmin, qmax)), *ends)
    assert (found.zero_point, found.fits) == (0, False)
    assert "brevitas_activations" in found.presets_on_finite_numbers
    assert "onnx" not in found.presets_on_finite_numbers
    assert 24 <= found.fitted < found.numbers
    c = found.contradiction
    assert own(int(c.question.zero_point)) != c.question.zero_point
    assert c.code not in c.instead


def test_few_numbers_at_one_zero_point_are_not_enough():
    def twice(x, s, Z, qmin, qmax):
        if len(box.asked) > 56 and Z:
            return np.array([qmin])
        return np.clip(np.rint(x / s) + Z, qmin, qmax)

    box = Box(twice)
    found = diagnose(box)
    assert (found.readings, found.zero_point, found.fits) == ((), None, False)


def body(wrong):
    """A quantizer that does something else for full vectors of 16 numbers."""

    def quantize(x, s, Z, qmin, qmax):
        q = np.rint(np.nan_to_num(x / s)) + Z
        n = x.size // 16 * 16
        q[:n] = wrong(np.nan_to_num(x[:n]), s, Z, qmax)
        return np.clip(q, qmin, qmax)

    return quantize


@pytest.mark.parametrize("ends", [BYTE, SIGNED], ids=str)
@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, s, Z, qmax: np.trunc(x / s + np.copysign(F(0.5), x)) + Z,
        lambda x, s, Z, qmax: np.rint(x * (F(1) / s)) + Z,
        lambda x, s, Z, qmax: np.rint(x / s + F(Z)),
        lambda x, s, Z, qmax: np.minimum(np.rint(x / s) + Z, qmax - 1),
        lambda x, s, Z, qmax: np.rint(in_float("bfloat16")(x) / s) + Z,
        lambda x, s, Z, qmax: np.rint(x / s) + Z + (np.arange(x.size) == 37),
        lambda x, s, Z, qmax: np.rint(x / s)[::-1] + Z,
    ],
)
def test_an_array_must_have_the_codes_of_its_numbers(wrong, ends):
    found = diagnose(Box(body(wrong)), *ends)
    assert "onnx" in found.presets_on_finite_numbers
    assert not found.fits
    assert (found.array.length, found.array.error) == (67, None)
    assert re.fullmatch(
        r"gives other codes than its numbers alone: x = .* at index \d+: -?\d+ instead of -?\d+", found.array.other
    )


def test_what_becomes_of_an_array():
    def diagnosed(of_an_array):
        def quantize(x, s, Z, qmin, qmax):
            return np.clip(np.rint(np.nan_to_num(x / s)) + Z, qmin, qmax) if x.size == 1 else of_an_array()

        found = diagnose(Box(quantize))
        assert "onnx" in found.presets_on_finite_numbers
        return found.fits, found.array.error, found.array.other

    assert diagnosed(lambda: 1 / 0) == (True, "ZeroDivisionError: division by zero", None)
    assert diagnosed(lambda: 7) == (True, "one code is all that is returned", None)
    assert diagnosed(lambda: np.zeros(66)) == (False, None, "gives 66 values of float64")
    assert diagnosed(lambda: None)[:2] == (False, None)

    def call(function, convention, arguments):
        x, s, Z, qmin, qmax = arguments.values()
        if x.size > 1:
            raise Crashed("crashed: SIGSEGV")
        return np.clip(np.rint(np.nan_to_num(x / s)) + Z, qmin, qmax)

    found = run(call, 0, 255)
    assert (found.fits, found.array.other) == (False, "crashed: SIGSEGV")


@pytest.mark.parametrize("name", ["source", "ggml_q4_1", "hqq", "onnx", "torch_quantize", "gemmlowp"])
def test_own_quantize_is_recognized(name):
    real = PRESETS[name].zero_point_type == "real"
    ends = BYTE if real else SIGNED
    box = Box(lambda x, s, Z, qmin, qmax: affine.quantize(x, s, Z, qmin, qmax, name))
    found = diagnose(box, *ends)
    assert set(found.presets) == alike(name, *ends)
    assert found.fits
    assert len(box.asked) <= 64
    assert found.zero_point_dtype == ("float32" if real else "int32")
    assert found.left("zero_point_type") == ("real",) if real else "integer" in found.left("zero_point_type")


def test_a_real_zero_point_that_is_rounded_is_none():
    def rounds(x, s, Z, qmin, qmax):
        assert isinstance(Z, F)
        return affine.quantize(x, s, np.rint(Z), qmin, qmax, "hqq")

    found = diagnose(Box(rounds), *BYTE)
    assert (found.fits, found.zero_point_dtype) == (False, "float32")


def test_zero_points_can_be_chosen():
    plus = exact(Convention(form="s(q+Z)", rounding="half_away"))
    box = Box(plus)
    found = diagnose(box, *BYTE, zero_points=[-5, -1, 0])
    assert {zero_point for _, _, zero_point in box.asked} == {-5, -1, 0}
    assert (found.left("form"), found.left("quotient")) == (("s(q+Z)",), ("divide",))


def test_an_input_that_is_refused_now_and_then_is_no_answer():
    def careful(x, s, Z, qmin, qmax):
        if abs(x) > 100:
            raise OverflowError("too large")
        return library("onnx")(x, s, Z, qmin, qmax)

    found = diagnose(Box(careful))
    assert found.refused
    assert found.numbers + len(found.refused) == 61
    assert "gptq" in found.presets_on_finite_numbers
    assert found.left("rounding") == ("half_even",)


@pytest.mark.parametrize(
    ("special", "outcome", "values"),
    [
        (lambda name: 0, 0, {"nan_low", "nan_zero"}),
        (lambda name: 7, 7, set()),
        (lambda name: np.nan, "no code", set()),
        (lambda name: (_ for _ in ()).throw(Raised("no")), "error", {"saturate"}),
        (lambda name: (_ for _ in ()).throw(Crashed("gone")), "crash", set()),
        (lambda name: (_ for _ in ()).throw(Hung("waits")), "hang", set()),
        (lambda name: (_ for _ in ()).throw(Garbage("what?")), "no code", set()),
    ],
)
def test_nothing_done_for_nan_is_fatal(special, outcome, values):
    def call(function, convention, arguments):
        x, s, Z, qmin, qmax = arguments.values()
        if np.isnan(x).any():
            return special(x)
        with np.errstate(all="ignore"):
            return np.clip(np.rint(x / s) + Z, qmin, qmax)

    found = run(call, 0, 255)
    assert found.nonfinite.outcomes == {"-inf": 0, "inf": 255, "nan": outcome}
    assert set(found.nonfinite.values) == values
    assert "onnx" in found.presets_on_finite_numbers
    assert set(found.presets) == {name for name in found.presets_on_finite_numbers if PRESETS[name].nonfinite in values}


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (lambda: None, Garbage, r"^x = \S+, scale \S+, zero point \d+: must return arrays, .* got None"),
        (lambda: [1], Garbage, r": must return arrays, NumPy scalars or Python numbers, got a list"),
        (lambda: np.array([1, 2]), Garbage, "must be one code, got array"),
        (lambda: 0.5, Garbage, r"must be one code, got array\(0\.5\)"),
        (lambda: 1e30, Garbage, "must be one code"),
        (lambda: "1", Garbage, "got a str"),
        (lambda: 1 / 0, Raised, "must take a number, but all are errors: ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_no_quantizer(answer, error, message):
    with pytest.raises(error, match=message):
        diagnose(lambda *arguments: answer())


def test_a_modified_argument_or_a_hang_ends_it():
    def greedy(x, *others):
        x[0] = 0
        return 1

    with pytest.raises(Modified, match=r"^x = .*: must leave its arguments alone, changed x$"):
        diagnose(greedy)
    with pytest.raises(Hung, match=r"^x = .*: gave no answer$"):
        run(lambda *call: (_ for _ in ()).throw(Hung("gave no answer")), 0, 255)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((5, 5), ValueError, "qmax must leave at least two codes"),
        ((0, 2**17), ValueError, "qmax must be from -32768 to 65535"),
        ((0.0, 255), TypeError, "qmin must be an integer"),
    ],
)
def test_codes_that_it_does_not_take(arguments, error, message):
    with pytest.raises(error, match=message):
        diagnose(symmetric, *arguments)
    with pytest.raises(TypeError, match=r"zero_points must be an integer, got 0\.5"):
        diagnose(symmetric, zero_points=[0.5])
    with pytest.raises(ValueError, match="zero_points must not be empty"):
        diagnose(symmetric, zero_points=[])


def test_every_shown_axis_is_one_of_a_convention():
    assert set(SHOWN) <= set(Convention.__dataclass_fields__)
