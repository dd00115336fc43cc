"""The files of vectors: current, valid, minimal, and kept under ids that cannot mean anything else."""

import itertools
import json
import re
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from refcompress.conformance.suite import cases, find_function, parse, stems, suite
from tests.vectors import generate
from tests.vectors.generate import FOLDER, Unkilled, current, identity, text
from tests.vectors.selection import goals, made_for, smallest
from tests.vectors.specification import Function, Mutant, Stem

SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("stem", ["packing", "stability", "uniform"])
def test_the_files_are_current(stem):  # all of them, a minute's work, by: python -m tests.vectors --check
    wanted, there = current(stem)
    assert wanted == there, f"run: python -m tests.vectors {stem}"


def test_every_file_has_a_specification():
    assert list(stems()) == generate.names()


@pytest.mark.parametrize("stem", stems())
def test_the_files_keep_the_schema(stem):
    jsonschema.validate(json.loads((FOLDER / f"{stem}.json").read_text(encoding="utf-8")), SCHEMA)


def test_the_schema_refuses():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    file = json.loads((FOLDER / "packing.json").read_text(encoding="utf-8"))
    for spoil in (
        lambda f: f.pop("version"),
        lambda f: f["cases"][0].pop("kills"),
        lambda f: f["cases"][0].update(kills={}),
        lambda f: f["cases"][0]["arguments"].update(bits=4.0 + 0.5),
        lambda f: f["cases"][0]["expected"]["data"].update(dtype="object"),
        lambda f: f["cases"][0].update(id="packing"),
        lambda f: f.update(extra=1),
    ):
        wrong = json.loads(json.dumps(file))
        spoil(wrong)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


@pytest.mark.parametrize("stem", stems())
def test_ids_are_those_of_their_contents(stem):
    file = json.loads((FOLDER / f"{stem}.json").read_text(encoding="utf-8"))
    for case in file["cases"]:
        contents = stem, case["function"], case["conventions"][0], case["arguments"], case["expected"]
        assert case["id"] == identity(*contents)
        assert case["id"] != identity(*contents[:3], {**case["arguments"], "more": 1}, case["expected"])


@pytest.mark.parametrize("stem", stems())
def test_no_case_can_be_left_out(stem):
    """Without any one of them a mutant lives, or two mutants look alike that did not."""
    for function in suite(stem).functions.values():
        groups = {case.conventions: None for case in suite(stem).cases if case.function == function.name}
        for group in groups:
            mine = [c for c in suite(stem).cases if c.function == function.name and c.conventions == group]
            mutants = sorted({name for case in mine for name in case.kills})

            def told_apart(chosen, mutants=mutants):
                answers = {name: tuple(repr(c.kills.get(name)) for c in chosen) for name in mutants}
                right = tuple(repr(None) for _ in chosen)
                pairs = {frozenset((a, b)) for a, b in itertools.combinations(mutants, 2) if answers[a] != answers[b]}
                return pairs | {name for name in mutants if answers[name] != right}

            for case in mine:
                assert told_apart([c for c in mine if c is not case]) < told_apart(mine), case.id


# ---- selection ----


def test_the_smallest_set():
    # three variants; candidate 0 kills a, 1 kills a and b alike, 2 kills b and c apart, 3 nothing
    answers = np.array([[0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 2], [0, 0, 0, 0]])
    reached = goals(answers)
    assert not reached[3].any()
    assert smallest(reached) == [0, 2]  # 2 reaches most; what it leaves, a, is killed by 0, the first that does
    kills = answers[[0, 2]][:, 1:] != 0
    assert made_for(kills) == [[0], [1, 2]]


def test_the_smallest_set_drops_what_greed_took_too_much():
    # greed takes 0 (three goals), then needs 1 and 2, which make 0 superfluous
    reached = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [0, 0, 1, 0, 1]], bool)
    assert smallest(reached) == [1, 2]


def test_goals_that_nobody_reaches_are_nobodys():
    assert smallest(np.zeros((3, 2), bool)) == []
    assert smallest(np.array([[0, 0], [1, 0]], bool)) == [1]


# ---- the generator ----


def doubled(answer, **fields):
    return Function(
        summary="twice x",
        parameters={"x": "int"},
        returns={"y": "int"},
        candidates=lambda convention: [{"x": 0}, {"x": 1}, {"x": 2}],
        expected=lambda convention, x: {"y": np.int64(2 * x)},
        mutants={"wrong": Mutant("is wrong", answer)},
        provenance="by hand",
        **fields,
    )


def generated(monkeypatch, function):
    monkeypatch.setattr(generate, "specification", lambda stem: Stem({"double": function}))
    return generate.file("made_up")


def test_a_generated_file(monkeypatch):
    contents = generated(monkeypatch, doubled(lambda convention, x: {"y": np.int64(x * x)}))
    (case,) = contents["cases"]
    assert case["arguments"] == {"x": 1}  # 0² and 2² are twice themselves
    assert case["expected"] == {"y": {"dtype": "int64", "shape": [], "values": [2]}}
    assert case["kills"] == {"wrong": {"y": {"values": [1]}}}  # dtype and shape are as expected
    assert re.fullmatch(r"made_up\.double-[0-9a-f]{8}", case["id"])
    jsonschema.validate(json.loads(text(contents, 1)), SCHEMA)
    assert parse(json.loads(text(contents, 7))).version == 7


def test_an_unkilled_mutant_is_an_error(monkeypatch):
    with pytest.raises(Unkilled, match=r"made_up\.double, default: wrong"):
        generated(monkeypatch, doubled(lambda convention, x: {"y": np.int64(x + x)}))
    with pytest.raises(Unkilled):
        generated(monkeypatch, doubled(lambda convention, x: None))
    near = doubled(lambda convention, x: {"y": np.float64(2 * x + 0.5)}, tolerance=lambda inputs: {"y": 0.5})
    with pytest.raises(Unkilled):
        generated(monkeypatch, replace(near, expected=lambda convention, x: {"y": np.float64(2 * x)}))


def test_an_id_is_of_its_convention(monkeypatch):
    contents = generated(
        monkeypatch, doubled(lambda convention, x: {"y": np.int64(x)}, conventions=(("one", "two"), ("three",)))
    )
    assert [case["conventions"] for case in contents["cases"]] == [["one", "two"], ["three"]]
    assert [case["id"].rsplit("-", 1)[0] for case in contents["cases"]] == [
        "made_up.double-one",
        "made_up.double-three",
    ]


def test_the_version_grows_with_the_contents(monkeypatch, tmp_path):
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    monkeypatch.setattr(
        generate, "specification", lambda stem: Stem({"double": doubled(lambda convention, x: {"y": np.int64(x)})})
    )
    wanted, there = current("made_up")
    assert there is None
    assert json.loads(wanted)["version"] == 1
    (tmp_path / "made_up.json").write_text(wanted, encoding="utf-8")
    assert current("made_up") == (wanted, wanted)
    (tmp_path / "made_up.json").write_text(wanted.replace("twice x", "two times x"), encoding="utf-8")
    assert json.loads(current("made_up")[0])["version"] == 2


# ---- what users call ----


def test_cases_by_name():
    assert {case.function for case in cases("packing")} == {"pack"}
    assert {case.function for case in cases("packing.unpack")} == {"unpack"}
    assert cases("packing", "default") == cases("packing")
    assert str(cases("packing")[0]) == cases("packing")[0].id


@pytest.mark.parametrize(
    ("formula", "convention", "message"),
    [
        ("pack", None, "formula must be one of .*packing.*, got 'pack'"),
        ("packing.repack", None, r"formula must be one of packing\.pack, packing\.unpack, got 'packing\.repack'"),
        ("packing", "onnx", "convention must be one of default, got 'onnx'"),
        ("affine", None, "convention must be one of source, onnx.*, got None"),
        ("../schema", None, "formula must be one of"),
    ],
)
def test_cases_that_are_not_there(formula, convention, message):
    with pytest.raises(ValueError, match=message):
        cases(formula, convention)


def test_a_case_checks_a_function():
    case = cases("packing")[0]
    right = case.expected["data"].value

    def modifies(q, bits):
        q[:] = 0
        return right

    case.check(lambda q, bits: right)
    with pytest.raises(AssertionError, match=f"{case.id}: value at .* this case is for: "):
        case.check(lambda q, bits: right ^ 1)
    with pytest.raises(AssertionError, match="the argument q was modified"):
        case.check(modifies)
    assert case.arguments["q"].any()  # and every call has arrays of its own


def test_a_signature_names_everything():
    text = find_function("packing.unpack")[1].signature()
    assert text.splitlines()[0] == "f(data, bits, count) -> q"
    assert [line.split()[0] for line in text.splitlines()[1:]] == ["data", "bits", "count", "q"]
