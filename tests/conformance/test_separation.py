"""The pool of numbers tells apart what differs; what is found is the shortest, and the libraries' own steps agree."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from refcompress.conformance import separate
from refcompress.conformance.diagnosis.questions import Question, decimal, questions, table
from refcompress.conformance.diagnosis.readings import FIELDS, SHOWN, readings
from refcompress.conformance.diagnosis.separation import shortest
from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.conventions import PRESETS, Convention
from refcompress.formulas.quantization.rounding import RULES
from refcompress.report import convention_index
from tests.oracles import affine as oracle
from tests.oracles.conventions import TWINS

F = np.float32
IGNORES_ZERO = {
    "tflite_weights",
    "tflite_weights_dynamic_range",
    "ggml_q8_0",
    "ggml_q4_0",
    "bitsandbytes",
}  # their twins


def steps(name):
    """What codes of finite numbers depend on; int64 shows in numbers beyond it."""
    c = PRESETS[name]
    return (*(getattr(c, field) for field in FIELDS), c.nonfinite == "int64")


def one_of_each():
    return list({steps(name): name for name in reversed(PRESETS)}.values())


def twin_code(name, x, scale, zero_point, qmin, qmax):
    Z = F(zero_point) if PRESETS[name].zero_point_type == "real" else int(zero_point)
    with np.errstate(all="ignore"):
        return int(TWINS[name].quantize(np.array([x], F), F(scale), Z, qmin, qmax)[0])


def test_every_two_presets_that_differ_are_told_apart_by_one_number():
    names = one_of_each()
    assert len(names) == 19
    for name, other in itertools.combinations(names, 2):
        found = separate(name, other)
        assert found is not None, (name, other)
        assert len(found.x) == 1
        assert found.codes[0] != found.codes[1]
        for preset, codes in zip((name, other), found.codes, strict=True):
            if preset not in IGNORES_ZERO and (found.qmin, found.qmax) in TWINS[preset].ranges:
                assert twin_code(preset, found.x[0], found.scale[0], found.zero_point[0], 0, 255) == codes[0]


def test_presets_with_the_same_steps_are_not_told_apart():
    pairs = [pair for pair in itertools.combinations(PRESETS, 2) if steps(pair[0]) == steps(pair[1])]
    assert ("onnx", "onnxruntime") in pairs
    assert ("onnx", "awq") in pairs
    for pair in pairs[::5]:
        assert separate(*pair) is None, pair


@pytest.mark.parametrize(
    ("names", "x", "scale", "zero_point", "codes"),
    [
        (("onnx", "torch_quantize"), (0.5,), (1,), (1,), ((1,), (2,))),
        (("onnx", "tflite_reference"), (0.5,), (1,), (0,), ((0,), (1,))),
        (("tflite_weights", "ggml_q8_0"), (0,), (1,), (0,), ((1,), (0,))),
        (("tflite_activations", "torch_fake_quantize_per_channel"), (1e20,), (1,), (0,), ((255,), (0,))),
    ],
)
def test_the_simplest_number_is_found(names, x, scale, zero_point, codes):
    found = separate(*names)
    assert (found.x, found.scale, found.zero_point, found.codes) == (x, scale, zero_point, codes)
    assert (found.qmin, found.qmax) == (0, 255)


def test_three_conventions():
    names = "onnx", "torch_quantize", "tflite_reference"
    found = separate(*names)  # no code of one number is different in all three, or it would be found
    assert len(found.x) == 2
    for name, codes in zip(names, found.codes, strict=True):
        assert affine.quantize(F(found.x), F(found.scale), np.array(found.zero_point), 0, 255, name).tolist() == [
            *codes
        ]
    assert len(set(found.codes)) == 3
    assert separate(*names, "awq") is None  # which is onnx


def test_all_that_differ_at_once():
    found = separate(*one_of_each())
    assert len(set(found.codes)) == 19
    assert len(found.x) <= 10


def test_signed_codes_are_tried_where_unsigned_ones_are_all_alike():
    away = Convention(rounding="half_away", zero_point_added="before")
    found = separate(away, replace(away, rounding="half_up"))
    assert (found.qmin, found.qmax) == (-128, 127)
    assert separate(away, replace(away, rounding="half_up"), ranges=[(0, 15)]) is None


def test_a_zero_point_that_is_added_is_asked_for_with_codes_that_both_take():
    plus = Convention(form="s(q+Z)")
    found = separate("onnx", plus)
    for c, codes in zip(("onnx", plus), found.codes, strict=True):
        q = affine.quantize(F(found.x), F(found.scale), np.array(found.zero_point), found.qmin, found.qmax, c)
        assert q.tolist() == [*codes]


@pytest.mark.parametrize(
    ("conventions", "message"),
    [
        (("onnx",), "at least two conventions, got 1"),
        (("onnx", "nope"), "convention must be one of source, onnx, .*, got 'nope'"),
        (("onnx", Convention(rounding="stochastic")), "rng must be a numpy.random.Generator"),
    ],
)
def test_what_separate_does_not_take(conventions, message):
    with pytest.raises(ValueError, match=message):
        separate(*conventions)


def every(answers, count):
    """All choices of so many columns in which no two rows are equal."""
    choices = itertools.combinations(range(answers.shape[1]), count)
    return [columns for columns in choices if len(np.unique(answers[:, columns], axis=0)) == len(answers)]


def test_shortest_is_the_shortest():
    rng = np.random.default_rng(0)
    sizes = set()
    for _ in range(300):
        answers = rng.integers(0, rng.integers(2, 5), (rng.integers(2, 9), rng.integers(1, 9))).astype(np.int32)
        chosen = shortest(answers)
        best = next((n for n in range(1, 9) if every(answers, n)), None)
        if best is None:
            assert chosen is None
        else:
            assert len(np.unique(answers[:, chosen], axis=0)) == len(answers)
            assert len(chosen) == best if best < 3 else len(chosen) <= best + 2
            if best < 3:
                assert sum(chosen) == min(sum(columns) for columns in every(answers, best))
            sizes.add(best)
    assert sizes >= {1, 2, 3}
    assert shortest(np.zeros((1, 3), np.int32)) == []


def test_questions_come_simplest_first():
    found = questions(0, 255)
    assert found[0].scale == 1
    assert len(set(found)) == len(found)
    assert all(float(F(question.x)) == question.x for question in found)
    assert found.index(Question(0.5, 1.0, 0)) < found.index(Question(0.5, 1.0, 255))
    assert found.index(Question(1.5, 1.0, 0)) < found.index(Question(float(np.nextafter(F(1.5), F(2))), 1.0, 0))
    assert str(found[found.index(Question(0.5, 1.0, 255))]) == "x = 0.5, scale 1, zero point 255"


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (3.0, "3"), (float(F(0.35)), "0.35"), (-1.0, "-1"), (0.35, "0.35"), (255, "255")]
)
def test_decimals_read_back_as_the_number(value, text):
    assert decimal(value) == text
    assert value in (float(text), float(F(text)))


def test_readings_are_all_that_is_valid():
    found = readings(0, 255)
    assert len({tuple(reading.value(axis) for axis in SHOWN) for reading in found}) == len(found)
    assert sum(reading.compute_dtype == "float32" for reading in found) == 585
    assert {reading.value("rounding") for reading in found} == {*RULES, "add_half"} - {"stochastic"}
    assert not [reading for reading in readings(0, 1) if reading.value("narrow") != "no"]  # one code is not enough


def test_the_table_has_the_codes_of_exact_arithmetic():
    rng = np.random.default_rng(1)
    for qmin, qmax in ((0, 255), (-8, 7)):
        known = table(qmin, qmax)
        for i in rng.integers(0, len(known.classes), 150):
            reading = known.classes[i][0]
            if reading.compute_dtype == "mixed" or reading.value("form") == "s(q+Z)":
                continue
            for j in rng.integers(0, len(known.questions), 10):
                x, scale, zero_point = known.questions[j]
                c = reading.convention
                (code,) = oracle.codes([x], scale, zero_point, qmin, qmax, c, reading.compute_dtype)
                assert code == known.codes[i, j], (reading, known.questions[j])


def test_a_mixed_reading_adds_the_zero_point_in_float64():
    known = table(0, 255)
    qonnx = tuple(getattr(PRESETS["qonnx"], field) for field in FIELDS)
    (i,) = (
        i
        for i, members in enumerate(known.classes)
        for r in members
        if r.compute_dtype == "mixed" and tuple(r.value(field) for field in FIELDS) == qonnx
    )
    x, scale, zero_point = (np.array(part) for part in zip(*known.questions, strict=True))
    t = (x.astype(F) / scale.astype(F)).astype(np.float64) + zero_point
    assert np.array_equal(known.codes[i], np.clip(np.rint(t), 0, 255))


def test_the_last_line_of_two_conventions():
    assert convention_index.compare("onnx", "torch_quantize").splitlines()[-1] == (
        "apart at: x = 0.5, scale 1, zero point 1, codes 0 to 255: 1 against 2"
    )
    assert convention_index.compare("onnx", "onnxruntime").splitlines()[-1] == "finite numbers do not tell them apart"
    assert convention_index.compare("onnx", "onnx").splitlines()[-1] == "no axis differs"


def test_the_table_of_pairs_is_what_the_libraries_do():
    rows = [line.strip("| ").split(" | ") for line in convention_index.pairs_markdown().splitlines()]
    assert rows[0] == ["presets", "differ in", "x", "scale", "zero point", "codes"]
    assert len(rows) > 8
    for names, differ, *numbers, codes in rows[2:]:
        pair = re.findall(r"`(\w+)`", names)
        assert set(differ.split(", ")) <= set(PRESETS[pair[0]].differences(PRESETS[pair[1]]))
        if codes == "the same for all finite numbers":
            assert differ == "nonfinite"
        else:
            found = [twin_code(name, *map(float, numbers), 0, 255) for name in pair]
            assert found[0] != found[1]
            assert ", ".join(map(str, found)) == codes
