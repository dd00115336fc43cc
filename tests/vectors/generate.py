"""Files of vectors from their specifications: only oracles and wrong variants are asked, not the package's formulas."""

import hashlib
import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np

import tests.vectors.stems
from refcompress.conformance.case import parse_results
from refcompress.conformance.comparison import Expected, mismatch
from refcompress.conformance.text import encode
from tests.vectors.selection import goals, made_for, smallest
from tests.vectors.specification import Function, Inputs, Outputs, Stem

FOLDER = Path(__file__).parent.parent.parent / "refcompress" / "conformance" / "vectors"


class Unkilled(Exception):
    """A wrong variant that no candidate tells from the formula."""


def names() -> list[str]:
    """Return the stems that have a specification."""
    return sorted(info.name for info in pkgutil.iter_modules(tests.vectors.stems.__path__))


def specification(stem: str) -> Stem:
    return importlib.import_module(f"tests.vectors.stems.{stem}").STEM


def outputs(function: Function, inputs: Inputs, answer: Outputs) -> dict[str, Any]:
    """Return an answer as a file has it."""
    holds, tolerance = function.holds(inputs), function.tolerance(inputs)
    assert list(answer) == list(function.returns), f"{list(answer)} are not the outputs {list(function.returns)}"
    coded = {}
    for name, value in answer.items():
        coded[name] = encode(np.asarray(value))
        if name in holds and np.asarray(value).dtype.kind in "iu":
            coded[name]["holds"] = list(holds[name])
        if tolerance.get(name):
            coded[name]["tolerance"] = float(tolerance[name]).hex()
    return coded


def shortened(answer: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Return a wrong answer without what it has in common with the right one, and without the decimals of floats."""
    short = {}
    for name, coded in answer.items():
        values = "hex" if "hex" in coded else "values"
        short[name] = {key: part for key, part in coded.items() if key != "values" and part != right[name].get(key)}
        short[name][values] = coded[values]
    return short


def label(answer: dict[str, Any], seen: list[dict[str, Expected]]) -> int:
    """Return the place among the different answers seen so far, the first of which is the right one."""
    expected = parse_results(answer)
    values = tuple(part.value for part in expected.values())
    for place, other in enumerate(seen):
        if mismatch(other, values if len(values) > 1 else values[0]) is None:
            return place
    seen.append(expected)
    return len(seen) - 1


def identity(stem: str, name: str, convention: str, arguments: dict[str, Any], expected: dict[str, Any]) -> str:
    """Return an id that other contents cannot have."""
    text = json.dumps([stem, name, convention, arguments, expected], sort_keys=True)
    start = f"{stem}.{name}" + ("" if convention == "default" else f"-{convention}")
    return f"{start}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def cases(stem: str, name: str, function: Function, group: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the cases of one group of conventions."""
    convention = group[0]
    mutants = {key: mutant for key, mutant in function.mutants.items() if mutant.applies(convention)}
    candidates = [dict(inputs) for inputs in function.candidates(convention)]
    rights, wrongs, labels = [], [], []
    for inputs in candidates:
        assert list(inputs) == list(function.parameters), f"{list(inputs)} are not the parameters"
        right = outputs(function, inputs, function.expected(convention, **inputs))
        seen = [parse_results(right)]
        row, answers = [0], {}
        for key, mutant in mutants.items():
            answer = mutant.answer(convention, **inputs)
            if answer is None:
                row.append(0)
                continue
            answers[key] = outputs(function, inputs, answer)
            row.append(label(answers[key], seen))
        rights.append(right)
        wrongs.append(answers)
        labels.append(row)
    table = np.array(labels)
    killed = (table[:, 1:] != 0).any(axis=0)
    if not killed.all():
        alive = [key for key, dead in zip(mutants, killed, strict=True) if not dead]
        raise Unkilled(f"{stem}.{name}, {convention}: {'; '.join(alive)}")
    chosen = smallest(goals(table))
    kills = table[chosen][:, 1:] != 0
    keys = list(mutants)
    out = []
    for row, own, place in zip(kills, made_for(kills), chosen, strict=True):
        arguments = {key: encode(value) for key, value in candidates[place].items()}
        out.append({
            "id": identity(stem, name, convention, arguments, rights[place]),
            "function": name,
            "conventions": list(group),
            "arguments": arguments,
            "expected": rights[place],
            "made_for": [keys[i] for i in own],
            "kills": {keys[i]: shortened(wrongs[place][keys[i]], rights[place]) for i in np.flatnonzero(row)},
            "provenance": function.provenance,
        })  # fmt: skip
    return out


def file(stem: str) -> dict[str, Any]:
    """Return a stem's file but for its version."""
    functions, every = {}, []
    for name, function in specification(stem).functions.items():
        mine = [case for group in function.conventions for case in cases(stem, name, function, group)]
        killed = {key for case in mine for key in case["kills"]}
        functions[name] = {
            "summary": function.summary,
            "parameters": dict(function.parameters),
            "returns": dict(function.returns),
            "conventions": [convention for group in function.conventions for convention in group],
            "mutants": {key: mutant.sentence for key, mutant in function.mutants.items() if key in killed},
            "provenance": function.provenance,
        }
        assert killed == set(function.mutants), f"{stem}.{name}: never wrong: {set(function.mutants) - killed}"
        every += mine
    assert len({case["id"] for case in every}) == len(every)
    return {"format": "refcompress vectors 1", "stem": stem, "functions": functions, "cases": every}


def text(contents: dict[str, Any], version: int) -> str:
    """Return the file's text: a case a line."""
    head = {"format": contents["format"], "stem": contents["stem"], "version": version}
    lines = [json.dumps(case, ensure_ascii=False) for case in contents["cases"]]
    functions = json.dumps(contents["functions"], ensure_ascii=False, indent=1)
    start = json.dumps(head, ensure_ascii=False)[:-1]
    return start + ', "functions": ' + functions + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n"


def current(stem: str) -> tuple[str, str | None]:
    """Return the text that a stem's file should have, and the one that it has.

    The version grows by one whenever the contents change.
    """
    path = FOLDER / f"{stem}.json"
    there = path.read_text(encoding="utf-8") if path.exists() else None
    version = json.loads(there)["version"] if there else 0
    contents = file(stem)
    if there == text(contents, version):
        return there, there
    return text(contents, version + 1), there
