"""The picture of a kill matrix: its marks are the cases' kills; and what README shows of the vectors is current."""

import json
from pathlib import Path

import pytest

from refcompress.conformance import cases
from refcompress.report.pictures.kills import kill_matrix
from tests.report.test_pictures import marks, texts
from tests.vectors import index
from tests.vectors.generate import FOLDER

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")


def test_every_kill_is_a_mark():
    found = cases("affine", "onnx")
    svg = kill_matrix("affine", "onnx")
    made_for = {(name, case.id) for case in found for name in case.made_for}
    kills = {(name, case.id) for case in found for name in case.kills}
    assert made_for < kills
    assert len(marks(svg, "kills-made")) == len(made_for)
    assert len(marks(svg, "kills-kills")) == len(kills - made_for)
    assert kill_matrix("affine", "onnx") == svg
    mutants = list(dict.fromkeys(name for case in found for name in case.kills))
    words = texts(svg)
    assert [word for word in words if word in mutants] == mutants
    assert {case.id[-8:] for case in found} <= set(words)
    # the first case's column: as many marks as it kills, and all at one place
    drawn = [tuple(mark) for name in ("kills-made", "kills-kills") for mark in marks(svg, name)]
    first = min(x for x, _ in drawn)
    assert sum(abs(x - first) < 1e-3 for x, _ in drawn) == len(found[0].kills)


def test_a_picture_needs_a_convention():
    with pytest.raises(ValueError, match="convention must be one of source"):
        kill_matrix("affine")


def test_the_figures_in_readme_are_current():
    assert index.in_readme(README) == index.markdown(), "run: python -m tests.vectors --markdown"


def test_the_figures_are_those_of_the_files():
    files = [
        json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json") if path.name != "schema.json"
    ]
    functions = [function for file in files for function in file["functions"].values()]
    cases = sum(len(file["cases"]) for file in files)
    mutants = sum(len(function["mutants"]) for function in functions)
    conventions = sum(len(function["conventions"]) for function in functions)
    total = [len(files), len(functions), conventions, cases, mutants, mutants]
    assert index.markdown().splitlines()[-1] == "| **all** | " + " | ".join(map(str, total)) + " |"


def test_the_picture_in_readme_is_current():
    path = TOP / "tutorials" / "pictures" / "kill_matrix.svg"
    assert str(path.relative_to(TOP)) in README
    # its text, not its strokes, which are matplotlib's
    assert texts(path.read_text(encoding="utf-8")) == texts(kill_matrix(*index.SHOWN)), (
        "run: python -m tests.vectors --picture"
    )
    for name in ("kills-made", "kills-kills"):
        assert len(marks(path.read_text(encoding="utf-8"), name)) == len(marks(kill_matrix(*index.SHOWN), name))
