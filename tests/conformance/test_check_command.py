"""`refcompress check` as its user meets it: what it prints, its exit status, and what it refuses."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from refcompress import cli
from refcompress.conformance.suite import cases, stems, suite
from refcompress.conformance.text import encode

EXAMPLES = Path(__file__).parent / "examples"
TOP = EXAMPLES.parent.parent.parent
PACK = ("--formula", "packing")
VECTORS = (*PACK, "--max-examples", "0")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A current folder in which there is the module of targets."""
    (tmp_path / "packers.py").symlink_to(EXAMPLES / "packers.py")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def packers(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import packers

    return packers


@pytest.fixture
def check(capsys):
    """Run the command; returns its exit status and what it printed."""

    def run(*arguments):
        try:
            status = cli.main(["check", *arguments])
        except SystemExit as stop:
            status = stop.code
        return (status, *capsys.readouterr())

    return run


def test_one_that_conforms(check):
    status, out, err = check("packers:pack", *PACK, "--max-examples", "10")
    assert (status, err) == (0, "")
    count = len(cases("packing"))
    vectors, properties, verdict = out.splitlines()[1:]
    assert (vectors, verdict) == (f"vectors     {count} of {count} pass", "conforms")
    assert re.fullmatch(r"properties  (\d+) of \1 pass, on up to 10 inputs each", properties)
    assert out.startswith("packing.pack, convention default, version ")
    assert "not run: no examples were asked for" in check("packers:pack", *VECTORS)[1]
    assert check("packers:pack", *VECTORS)[0] == 0


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("wide", "dtype: must be uint8, got int64"),
        ("as_row", "shape: must be ({size},), got (1, {size})"),
        ("off_by_one", "value at [0]: must be {first}, got {second}"),
        ("raises", "ValueError: cannot pack {count} codes"),
        ("modifies", "must leave its arguments alone, changed q"),
        ("changes_its_mind", "made again, the same call must give the same result: value at [0]: must be "),
        ("gives_none", "must return arrays, NumPy scalars or Python numbers, got None"),
    ],
)
def test_one_that_does_not(check, name, wrong):
    status, out, err = check(f"packers:{name}", *PACK)
    assert (status, err) == (1, "")
    lines = out.splitlines()
    assert lines[2:4] == ["properties  not run: a vector failed", "does not conform"]
    on_values = name in ("off_by_one", "changes_its_mind", "modifies")
    shown = next(case for case in cases("packing") if case.arguments["q"].size or not on_values)
    data = shown.expected["data"].value
    first = int(data[0]) if data.size else 0
    wrong = wrong.format(size=data.size, first=first, second=first + 1, count=len(shown.arguments["q"]))
    assert lines[5].startswith(f"{shown.id}: {wrong}")
    assert lines[6] == f"made for: {'; '.join(shown.made_for)}"
    assert f"from packers import {name}\n" in out
    assert "Traceback" not in out


def test_a_crash_on_a_vector(check):
    """Of a formula with few cases, since the target is started anew after each."""
    status, out, err = check("packers:crashes", "--formula", "affine.dequantize", "--convention", "onnx")
    assert (status, err) == (1, "")
    assert ": crashed: SIGSEGV\n" in out


def test_a_slip_is_named_and_its_call_can_be_pasted(check, packers):
    status, out, _ = check("packers:last_first", *PACK)
    assert status == 1
    sentence = suite("packing").functions["pack"].mutants["code order: last first"]
    assert f"does not conform: on these cases it cannot be told from: code order: last first ({sentence})\n" in out
    names = {}
    exec(out[out.index("import numpy") :].split("\n\nalso failing:")[0], names)
    (shown,) = (case for case in cases("packing") if f"{case.id}: value at" in out.split("\n\n")[1])
    assert "code order: last first" in shown.made_for
    assert np.array_equal(names["result"], packers.last_first(*shown.arguments.values()))
    assert np.array_equal(names["expected"], packers.pack(*shown.arguments.values()))


def test_hangs(check, here):
    status, out, _ = check("packers:hangs", *PACK, "--timeout", "0.3")
    assert status == 1
    assert "gave no answer within 0.3 seconds" in out
    status, out, _ = check("packers:of_many_hangs", *PACK, "--timeout", "0.3")
    assert status == 1
    assert "properties  0 of 1 pass, on up to 100 inputs each; the rest were not run: a call hung" in out
    assert "result = of_many_hangs(" in out


def test_a_property_that_fails(check):
    status, out, _ = check("packers:of_many_crashes", *PACK)
    assert status == 1
    assert "has_the_least_length: n codes of b bits take ⌈n·b/8⌉ bytes: ended with exit status 5\n" in out
    assert "result = of_many_crashes(" in out
    assert "agrees: Every result is refcompress's own, to the last bit: ended with exit status 5\n" in out


def test_json(check):
    status, out, err = check("packers:last_first", *PACK, "--json")
    assert (status, err) == (1, "")
    found = json.loads(out)
    assert not found["conforms"]
    assert found["explanation"][0]["variant"] == "code order: last first"
    failure = found["failures"][0]
    assert failure["arguments"]["q"] == failure["arguments"]["q"] | {"dtype": "uint8"}
    assert failure["got"]["values"] != failure["expected"]["data"]["values"]
    status, out, _ = check("packers:pack", *VECTORS, "--json")
    assert status == 0
    assert json.loads(out)["conforms"]


def test_commands(check, here):
    status, out, err = check("--command", "echo {}", *VECTORS)
    assert (status, err) == (1, "")
    assert 'must answer with a JSON object of "id" 1, got {}' in out
    line = next(line for line in out.splitlines() if line.startswith("printf"))
    assert line.endswith(" | echo {}")
    request = subprocess.run(["sh", "-c", line.replace("echo {}", "cat")], capture_output=True, check=True, timeout=60)
    assert json.loads(request.stdout)["arguments"] == cases("packing")[0].coded_arguments


def results(function, formula, convention=None):
    answers = {}
    for case in cases(formula, convention):
        answer = function(*case.arguments.values())
        answers[case.id] = [encode(part) for part in (answer if isinstance(answer, tuple) else (answer,))]
    return answers


def test_outputs(check, here, packers):
    file = here / "results.json"
    file.write_text(json.dumps(results(packers.pack, "packing") | {"another": 3}))
    status, out, _ = check("--outputs", "results.json", *PACK)
    assert status == 0
    assert "properties  not run: there is nothing to call" in out
    file.write_text(json.dumps({key: answer[0] for key, answer in results(packers.last_first, "packing").items()}))
    status, out, _ = check("--outputs", "results.json", *PACK)
    assert status == 1
    assert "on these cases it cannot be told from: code order: last first" in out
    assert "result = pack(" in out
    file.write_text("{}")
    status, out, _ = check("--outputs", "results.json", *PACK)
    assert status == 1
    assert f"{cases('packing')[0].id}: results.json has no results of this case\n" in out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), "there must be exactly one of TARGET, --command and --outputs"),
        (PACK, "there must be exactly one of TARGET, --command and --outputs"),
        (("packers:pack", "--command", "cat", *PACK), "there must be exactly one of TARGET, --command and --outputs"),
        (("packers:pack",), "--formula is missing; `refcompress check --help` lists the formulas"),
        (("nowhere:f", "--formula", "pakcing"), f"formula must be one of {', '.join(stems())}, got 'pakcing'"),
        (
            ("packers:pack", "--formula", "packing.x"),
            "formula must be one of packing.pack, packing.unpack, got 'packing.x'",
        ),
        (("packers:pack", *PACK, "--convention", "onnx"), "convention must be one of default, got 'onnx'"),
        (("packers:pack", *PACK, "--max-examples", "-1"), "max_examples must be at least 0, got -1"),
        (("packers:pack", *PACK, "--max-examples", "x"), "argument --max-examples: invalid int value: 'x'"),
        (("packers:pack", *PACK, "--timeout", "-1"), "timeout must be a number of seconds above 0, got -1.0"),
        (("packers", *PACK), "target must be module:function, got 'packers'"),
        (("packers:nothing", *PACK), "packers has no function 'nothing'"),
        (("nowhere:f", *PACK), "nowhere cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        (("--command", "./nowhere", *PACK), "./nowhere cannot be started: No such file or directory"),
        (("--outputs", "nowhere.json", *PACK), "No such file or directory: 'nowhere.json'"),
        (
            ("--outputs", "packers.py", *PACK),
            "packers.py must be a JSON object: Extra data: line 1 column 3 (char 2)",
        ),
    ],
)
def test_refusals(check, arguments, error):
    assert check(*arguments) == (2, "", f"refcompress check: error: {error}\n")


def test_help(check):
    status, out, _ = check("--help")
    assert status == 0
    assert f"formulas: {', '.join(stems())}\n" in out
    for word in ("TARGET", "--command", "--outputs", '{"id": 1, "results": [', "Exit status"):
        assert word in out
    status, out, _ = check(*PACK, "--help")
    assert status == 0
    assert (
        "packing.pack: codes of b bits, side by side in bytes, least significant bit first\n\nf(q, bits) -> data\n"
        in out
    )
    functions = "functions: packing.pack, packing.unpack"
    assert out.endswith(f"conventions: default\n{functions}\ndefinition: `refcompress formulas packing`\n")
    assert "f(data, bits, count) -> q\n" in check("--help", "--formula", "packing.unpack")[1]
    assert check("--help", "--formula", "nowhere")[0] == 2


def test_help_ends_with_where_the_definition_is(check):
    preset = "a preset in words: `refcompress conventions NAME`\n"
    assert check("--help")[1].endswith(f"definition: `refcompress formulas STEM`\n{preset}")
    assert check("--help", "--formula", "qparams")[1].endswith(f"definition: `refcompress formulas qparams`\n{preset}")
    assert check("--help", "--formula", "mx")[1].endswith("definition: `refcompress formulas mx`\n")


def test_the_program_itself(here):
    """With its own standard input, output and exit status; it writes nothing."""
    before = sorted(path.name for path in here.iterdir())
    done = subprocess.run(
        [sys.executable, "-B", "-m", "refcompress", "check", "packers:talks", *PACK, "--max-examples", "5"],
        env={**os.environ, "PYTHONPATH": str(TOP)},
        input="not for the target",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nconforms\n")
    assert "packing [" not in done.stdout
    assert sorted(path.name for path in here.iterdir() if path.name != "__pycache__") == before


@pytest.fixture
def quantizer(here):
    """Compile the C program; returns its command."""

    def compile(*options):
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler")
        strict = ("-std=c99", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror")
        command = [compiler, *strict, *options, str(EXAMPLES / "quantizer.c"), "-o", "quantizer", "-lm"]
        subprocess.run(command, check=True, timeout=60)
        return "./quantizer"

    return compile


ONNX = ("--formula", "affine", "--convention", "onnx")


def test_a_quantizer_in_c_conforms(check, quantizer):
    status, out, err = check("--command", quantizer(), *ONNX, "--max-examples", "30")
    assert (status, err) == (0, "")
    assert out.endswith("\nconforms\n")


def test_a_quantizer_in_c_that_rounds_half_away_does_not(check, quantizer):
    status, out, _ = check("--command", quantizer("-DHALF_AWAY"), *ONNX)
    assert status == 1
    assert "on these cases it cannot be told from: rounding: half_away (ties go away from zero" in out
    assert "`refcompress diagnose --command ./quantizer` says which convention it follows\n" in out
    shown = out.split("\n\n")[1]
    assert "rounding: half_away" in shown.split("made for: ")[1]
    line = next(line for line in out.splitlines() if line.startswith("printf"))
    answered = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, timeout=60).stdout
    assert f"# got {answered}" in out
    expected = json.loads(out.split("# expected ")[1].splitlines()[0])
    assert np.any(np.not_equal(json.loads(answered)["results"][0]["values"], expected["results"][0]["values"]))
