"""Checks without processes: which cases fail and why, which slip explains them, and how properties end."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from refcompress import conformance
from refcompress.conformance import check
from refcompress.conformance.checking.check import run, run_results
from refcompress.conformance.checking.trial import trial
from refcompress.conformance.properties import Property
from refcompress.conformance.suite import cases, stems, suite
from refcompress.conformance.targets.errors import Crashed, Hung
from refcompress.conformance.targets.target import in_process
from refcompress.report.conformance_report import text
from refcompress.report.repro import literal, repro

PACK, LAST_FIRST = "packing.pack", "code order: last first"
EXAMPLES = Path(__file__).parent / "examples"


@pytest.fixture(autouse=True)
def path(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))


@pytest.fixture
def packers(path):
    import packers

    return packers


def result(answer):
    """A case's expected answer, or a wrong variant's, as a target gives it."""
    values = tuple(part.value for part in answer.values())
    return values if len(values) > 1 else values[0]


def bits(value):
    array = np.asarray(value)
    return type(value), array.dtype, array.shape, array.tobytes()


def test_one_that_conforms(packers):
    report = check(packers.pack, "packing")
    assert report.conforms
    assert (report.failures, report.explanation, report.not_run, report.shown) == ((), (), None, None)
    assert report.run_cases == len(report.cases) == len(cases(PACK))
    assert report.properties == (
        "has_the_least_length",
        "keeps_every_one",
        "starts_alike",
        "agrees",
        "agrees_on_long_arrays",
    )
    assert text(report).endswith("conforms")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("wide", "dtype: must be uint8, got int64"),
        ("as_row", "shape: must be "),
        ("off_by_one", "value at [0]: must be "),
        ("two_results", "must return 1 results (data), got 2"),
        ("modifies", "must leave its arguments alone, changed q"),
        ("changes_its_mind", "made again, the same call must give the same result: value at [0]: must be"),
        ("raises", "ValueError: cannot pack "),
        ("gives_list", "must return arrays, NumPy scalars or Python numbers, got a list"),
    ],
)
def test_one_that_does_not(packers, name, wrong):
    report = check(getattr(packers, name), "packing")
    assert not report.conforms
    on_values = name in ("off_by_one", "changes_its_mind", "modifies")  # which an empty list of codes does not have
    wanted = [case.id for case in cases(PACK) if case.arguments["q"].size or not on_values]
    assert [failure.case.id for failure in report.failures] == wanted
    assert all(wrong in failure.text for failure in report.failures)
    assert report.explanation == ()
    assert report.properties == ()
    assert report.not_run == "a vector failed"
    assert report.shown is report.failures[0]
    assert not report.shown.alike


def test_the_order_of_what_is_compared(packers):
    report = check(lambda q, bits: packers.wide(q, bits)[None] + 1, "packing")
    assert report.failures[0].text.startswith("dtype")
    report = check(lambda q, bits: packers.off_by_one(q, bits)[None], "packing")
    assert report.failures[0].text.startswith("shape")


KINDS = [("packing.pack", "default"), ("packing.unpack", "default"), ("rounding.apply", "floor"), ("affine", "hqq")]
SLIPS = [
    (formula, convention, mutant)
    for formula, convention in KINDS
    for mutant in sorted({name for case in cases(formula, convention) for name in case.kills})
]


@pytest.mark.parametrize(("formula", "convention", "mutant"), SLIPS)
def test_a_slip_explains_its_own_answers(formula, convention, mutant):
    found = {case.id: case for case in cases(formula, convention)}
    answers = {key: result(case.kills.get(mutant, case.expected)) for key, case in found.items()}
    report = run_results(answers.__getitem__, formula, convention)
    assert mutant in report.explanation
    assert set(report.shown.case.made_for) & set(report.explanation)
    assert {failure.case.id for failure in report.failures} == {key for key, c in found.items() if mutant in c.kills}
    assert f"{mutant} ({report.function.mutants[mutant]})" in text(report)
    # an answer that is not its own is none of its
    other = next(key for key, case in found.items() if mutant in case.kills)
    answers[other] = result(found[other].expected)
    assert mutant not in run_results(answers.__getitem__, formula, convention).explanation


def test_answers_that_no_slip_explains():
    """All are those of one slip, but for one that nothing gives."""
    first, *rest = found = cases("rounding.apply", "half_even")
    mutant = next(iter(first.kills))
    answers = {case.id: result(case.kills.get(mutant, case.expected)) for case in found}
    answers[rest[-1].id] = np.full_like(result(rest[-1].expected), np.pi)
    report = run_results(answers.__getitem__, "rounding.apply", "half_even")
    assert report.explanation == ()
    assert report.shown.case is first
    assert mutant in report.shown.alike
    assert f"this answer is that of: {'; '.join(report.shown.alike)}" in text(report)
    assert report.failures[-1].alike == ()
    answers[first.id] = np.full_like(result(first.expected), np.pi)
    assert "no known slip gives this answer" in text(run_results(answers.__getitem__, "rounding.apply", "half_even"))


def test_a_hang_on_a_vector_ends_the_run(packers):
    found = cases("rounding.apply", "floor")
    calls = []

    def hangs_on_the_second(function, convention, arguments):
        calls.append(arguments)
        if len(calls) > 2:  # each case is called twice
            raise Hung("gave no answer within 1 seconds")
        return result(found[0].expected)

    report = run(hangs_on_the_second, "rounding", "floor")
    assert len(calls) == 3
    assert report.run_cases == 2 < len(found)
    assert [failure.hung for failure in report.failures] == [True]
    assert not report.conforms
    assert f"1 of {len(found)} pass, {len(found) - 2} not run: a call hung" in text(report)


def after_the_vectors(packers, error):
    """A call that packs, and does something else with more than ten codes; and the list of calls."""
    calls = []

    def call(function, convention, arguments):
        calls.append(arguments)
        if len(arguments["q"]) > 10:
            raise error
        return in_process(packers.pack)(function, convention, arguments)

    return call, calls


def test_a_hang_ends_the_properties(packers):
    call, calls = after_the_vectors(packers, Hung("gave no answer within 1 seconds"))
    report = run(call, "packing")
    assert [failure.name for failure in report.failures] == list(report.properties) == ["has_the_least_length"]
    assert report.not_run == "a call hung"
    assert [len(arguments["q"]) > 10 for arguments in calls].count(True) == 1  # and no simpler input is searched
    assert report.shown.attempts[-1].arguments is calls[-1]
    assert report.shown.text == "n codes of b bits take ⌈n·b/8⌉ bytes: gave no answer within 1 seconds"


def test_a_crash_ends_one_property(packers):
    call, calls = after_the_vectors(packers, Crashed("crashed: SIGSEGV"))
    report = run(call, "packing")
    assert [failure.name for failure in report.failures] == list(report.properties)
    assert report.not_run is None
    assert [len(arguments["q"]) > 10 for arguments in calls].count(True) == len(report.properties)
    assert all(failure.text.endswith(": crashed: SIGSEGV") for failure in report.failures)


def test_a_wrong_answer_is_shrunk(packers):
    report = check(lambda q, bits: packers.pack(q, bits) | np.uint8(len(q) > 10), "packing")
    failure = report.shown
    assert failure.name == "keeps_every_one"
    assert failure.text.endswith("there are 0 ones in the codes")
    (attempt,) = failure.attempts
    assert attempt.arguments["q"].tolist() == [0] * 11
    assert attempt.arguments["bits"] == 1
    assert attempt.result.tolist() == [1, 1]
    report = check(lambda q, bits: 1 / (len(q) < 11) and packers.pack(q, bits), "packing")
    assert report.failures[0].text.endswith("bytes: ZeroDivisionError: division by zero")
    assert len(report.failures[0].attempts[-1].arguments["q"]) == 11


def is_even(f, convention, n):
    """Something is even."""
    if f(n) % 2:
        raise AssertionError(f"{f(n)} is odd")


EVEN = Property("f", is_even, lambda convention: st.fixed_dictionaries({"n": st.integers(0, 50)}))


@pytest.mark.parametrize(
    ("answer", "wrong", "attempts"),
    [
        (lambda n: n // 7 * 2 + (n > 20), "7 is odd", [(21, 7)]),
        (
            lambda n: [None, 0][n < 20],
            "TypeError: unsupported operand type(s) for %: 'NoneType' and 'int'",
            [(20, None)],
        ),
    ],
)
def test_what_fails_a_property(answer, wrong, attempts):
    failure = trial(EVEN, lambda named: answer(named["x"]), ("x",), "default", 100)
    assert failure.text == f"Something is even: {wrong}"
    assert [(attempt.arguments["x"], attempt.result) for attempt in failure.attempts][:1] == attempts
    assert not failure.hung


def test_a_property_that_fails_now_and_then():
    answers = itertools.chain([0] * 20, [1, 1], itertools.repeat(0))
    failure = trial(EVEN, lambda named: next(answers), ("x",), "default", 100)
    assert failure.text == "Something is even: the same call gives another result the second time"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nowhere",), "formula must be one of "),
        (("packing.nothing",), "formula must be one of packing.pack, packing.unpack, got 'packing.nothing'"),
        (("packing", "onnx"), "convention must be one of default, got 'onnx'"),
        (("rounding",), "convention must be one of half_even, half_away, "),
    ],
)
def test_what_is_not_there(packers, arguments, error):
    for target in (packers.pack, "packers:crashes", "nowhere:f"):  # said before anything is started
        with pytest.raises(ValueError, match=rf"^{error.replace('.', '[.]')}"):
            check(target, *arguments)


def test_bad_arguments(packers):
    with pytest.raises(ValueError, match=r"^max_examples must be at least 0, got -1$"):
        check(packers.pack, "packing", max_examples=-1)
    with pytest.raises(TypeError, match=r"^max_examples must be an integer, got 1\.5$"):
        check(packers.pack, "packing", max_examples=1.5)
    with pytest.raises(TypeError, match=r"^formula must be a word such as affine\.quantize, got 3$"):
        check(packers.pack, 3)
    with pytest.raises(TypeError, match=r"^target must be a function or module:function, got 3$"):
        check(3, "packing")
    with pytest.raises(TypeError, match=r"^timeout must be a number of seconds, got 'x'$"):
        check("packers:pack", "packing", timeout="x")
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        conformance.chekc  # noqa: B018


WITHOUT_HYPOTHESIS = """
import sys
import refcompress.conformance
assert "hypothesis" not in sys.modules
sys.modules["hypothesis"] = None
sys.path.insert(0, {examples!r})
import packers
from refcompress.conformance import check
assert check(packers.pack, "packing", max_examples=0).conforms
try:
    check(packers.pack, "packing")
except ModuleNotFoundError as error:
    print(error)
"""


def test_without_hypothesis_there_are_vectors():
    code = WITHOUT_HYPOTHESIS.format(examples=str(EXAMPLES))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=EXAMPLES.parent.parent.parent,
    )
    assert "need hypothesis: pip install 'refcompress[conformance]'\n" in done.stdout


def test_json(packers):
    report = check(packers.last_first, "packing")
    found = json.loads(json.dumps(report.to_json()))
    assert set(found) == {
        "formula",
        "convention",
        "version",
        "conforms",
        "vectors",
        "properties",
        "explanation",
        "failures",
    }
    assert found["formula"] == PACK
    assert found["conforms"] is False
    assert found["vectors"] == {"total": len(report.cases), "run": len(report.cases), "failed": len(report.failures)}
    assert found["properties"] == {"run": [], "failed": 0, "max_examples": 100, "not_run": "a vector failed"}
    (slip,) = found["explanation"]
    assert slip == {"variant": LAST_FIRST, "sentence": report.function.mutants[LAST_FIRST]}
    for failure, case in zip(found["failures"], report.failures, strict=True):
        assert failure["id"] == case.name
        assert failure["kind"] == "vector"
        assert failure["text"].startswith("value at ")
        assert slip["variant"] in failure["answer_of"]
    found = check(lambda q, bits: packers.pack(q, bits) | np.uint8(len(q) > 10), "packing").to_json()
    assert found["properties"]["run"] == [
        "has_the_least_length",
        "keeps_every_one",
        "starts_alike",
        "agrees",
        "agrees_on_long_arrays",
    ]
    assert found["properties"]["failed"] == 4
    assert {failure["kind"] for failure in found["failures"]} == {"property"}


def pasted(code):
    names = {}
    exec(code, names)
    return names


def test_a_repro_is_run_when_pasted(packers):
    report = check(packers.last_first, "packing")
    names = pasted(repro(report, report.shown, target="packers:last_first"))
    assert np.array_equal(names["result"], report.shown.attempts[-1].result)
    assert not np.array_equal(names["result"], names["expected"])
    assert np.array_equal(names["expected"], packers.pack(*report.shown.case.arguments.values()))
    report = check(packers.of_many_fails, "packing")
    assert not report.shown.case
    with pytest.raises(RuntimeError, match="too many"):
        pasted(repro(report, report.shown, target="packers:of_many_fails"))


@pytest.mark.parametrize("stem", stems())
def test_literals_have_all_bits(stem):
    for case in suite(stem).cases:
        for value in (*case.arguments.values(), *(expected.value for expected in case.expected.values())):
            again = eval(literal(value), {"np": np})
            if isinstance(value, np.ndarray) and value.ndim == 0:
                value = value[()]
            assert bits(again) == bits(value) if not isinstance(value, tuple) else again == value


@pytest.mark.parametrize("dtype", ["uint8", "float32", "bool"])
def test_literals_of_empty_arrays(dtype):
    for shape in ((0,), (0, 3), (2, 0)):
        assert bits(eval(literal(np.zeros(shape, dtype)), {"np": np})) == bits(np.zeros(shape, dtype))
