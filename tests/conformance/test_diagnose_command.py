"""`refcompress diagnose`: targets in processes of their own, arrays in a file, what is printed, and exit statuses."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from refcompress import cli
from refcompress.conformance import diagnose
from refcompress.conformance.diagnosis.diagnose import code_range
from refcompress.formulas.quantization.conventions import PRESETS
from refcompress.report import diagnosis_report
from tests.oracles.conventions import TWINS

F = np.float32
EXAMPLES = Path(__file__).parent / "examples"
BOXES = """\
import os
import time

import numpy as np


def gptq(x, scale, zero_point, qmin, qmax):
    print("a line of its own")
    if np.isnan(x).any():
        raise ValueError("x must be finite")
    return np.clip(np.rint(x / scale) + np.float32(zero_point), qmin, qmax).astype(np.int32)


def ends_at_nan(x, scale, zero_point, qmin, qmax):
    if np.isnan(x).any():
        os._exit(1)
    return gptq(x, scale, zero_point, qmin, qmax)


def floors(x, scale, zero_point, qmin, qmax):
    return np.clip(np.floor(np.nan_to_num(x / scale)) + zero_point, qmin, qmax).astype(np.int32)


def noise(x, scale, zero_point, qmin, qmax):
    return np.array([int(np.nan_to_num(abs(x[0]), posinf=1) * 7919) % 200])


def ignores_zero_points(x, scale, zero_point, qmin, qmax):
    return gptq(x, scale, 0, qmin, qmax)


def one_only(x, scale, zero_point, qmin, qmax):
    return gptq(np.float32([x.item()]), scale, zero_point, qmin, qmax)


def body_is_wrong(x, scale, zero_point, qmin, qmax):
    q = gptq(x, scale, zero_point, qmin, qmax)
    q[: len(q) // 16 * 16] = np.clip(q[: len(q) // 16 * 16], qmin, qmax - 1)
    return q


def offset(x, scale, zero_point, qmin, qmax):
    if not isinstance(zero_point, np.float32):
        raise TypeError("zero_point must be floats")
    return gptq(x - zero_point, scale, 0, qmin, qmax)


def half(x, scale, zero_point, qmin, qmax):
    return np.array([0.5])


def changes(x, scale, zero_point, qmin, qmax):
    x[:] = 0
    return np.array([0])


def crashes(x, scale, zero_point, qmin, qmax):
    os._exit(3)


def raises(x, scale, zero_point, qmin, qmax):
    raise RuntimeError("not today")


def sleeps(x, scale, zero_point, qmin, qmax):
    time.sleep(60)
"""
EQUAL = "these presets cannot be told apart by codes 0 to 255: `onnx`, `gptq`, `gptq_symmetric`, `awq`"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in a folder that holds the module boxes."""
    (tmp_path / "boxes.py").write_text(BOXES)
    monkeypatch.chdir(tmp_path)

    def run(*words):
        try:
            status = cli.main(["diagnose", *map(str, words)])
        except SystemExit as error:
            status = error.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_a_function_in_a_process_of_its_own(run):
    status, out, err = run("boxes:gptq", "--against", "torch_quantize")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "from 61 finite numbers, arrays of 67 and NaN, ±∞, codes 0 to 255:"
    assert "  compute_dtype     float32 (of float32, float64, mixed): computed in float32" in lines
    assert "  quotient          divide: x is divided by s" in lines
    assert "  rounding          half_even: rounding half_even" in lines
    assert "  zero_point_added  after: the zero point is added after rounding" in lines
    assert "  nonfinite         saturate: ±∞ saturates, NaN is an error" in lines
    assert "Codes cannot show how scale and zero point are chosen" in out
    verdict = lines.index(EQUAL)
    assert lines[verdict + 1] == "they differ from `torch_quantize` in:"
    assert lines[-1] == "  x = 0.5, scale 1, zero point 1: the code is 1 (torch_quantize: 2)"


def test_a_crash_for_nan_is_reported(run):
    status, out, _ = run("boxes:ends_at_nan", "--codes", "int8", "--json")
    assert status == 0
    found = json.loads(out)
    assert found["nonfinite"] == {"-inf": -128, "inf": 127, "nan": "crash", "values": []}
    assert found["presets"] == []
    assert "onnx" in found["presets_on_finite_numbers"]


def test_a_program(run):
    program = f"""\
import json, sys
sys.path.insert(0, {str(Path.cwd())!r})
import numpy as np
import boxes
for line in sys.stdin:
    request = json.loads(line)
    assert request["function"] == "affine.quantize" and request["convention"] is None
    a = request["arguments"]
    x = np.array([float.fromhex(text) for text in a["x"]["hex"]], np.float32)
    scale, zero_point = np.float32(float.fromhex(a["scale"]["hex"][0])), a["zero_point"]["values"][0]
    q = boxes.floors(x, scale, zero_point, a["qmin"], a["qmax"])
    q = {{"dtype": "int32", "shape": list(q.shape), "values": q.tolist()}}
    print(json.dumps({{"id": request["id"], "results": [q]}}), flush=True)
"""
    Path("program.py").write_text(program)
    status, out, _ = run("--command", f"{sys.executable} program.py", "--codes=-128:127", "--json")
    assert status == 0
    found = json.loads(out)
    assert found["axes"]["rounding"] == ["floor"]
    assert found["presets_on_finite_numbers"] == []
    assert found["against"] == {"preset": "onnx", "differs_in": {"rounding": ["floor"]}}
    assert found["nearest"]["preset"] in {name for name, c in PRESETS.items() if c.quotient == "divide"}


def test_what_fits_nothing_has_status_1(run):
    status, out, _ = run("boxes:noise")
    assert status == 1
    assert "what fits all numbers before it gives" in out
    assert out.splitlines()[-1].startswith("no convention fits; the nearest preset is `")


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
@pytest.mark.parametrize(("options", "preset"), [([], "onnx"), (["-DHALF_AWAY"], "tflite_reference")])
def test_a_program_in_c(run, tmp_path, options, preset):
    program = tmp_path / "quantizer"
    subprocess.run(["cc", "-O2", *options, EXAMPLES / "quantizer.c", "-o", program, "-lm"], check=True)
    status, out, _ = run("--command", program, "--json")
    assert status == 0
    assert preset in json.loads(out)["presets_on_finite_numbers"]


def arrays(path, name, x, scale, zero_point, **more):
    q = TWINS[name].quantize(x, F(scale), zero_point, 0, 255)
    np.savez(path, x=x, scale=F(scale), zero_point=zero_point, q=q.astype(np.uint8), **more)
    return path


def test_arrays(run):
    x = F([0.5, 1.5, 2.5, -0.5, 300, -300])
    status, out, err = run("--arrays", arrays("a.npz", "tflite_reference", x, 1, 0))
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "from 6 finite numbers, codes 0 to 255:"
    assert "  nonfinite         not known: neither NaN nor ±∞ is among the numbers" in lines
    assert any(line.endswith(": not told apart by these codes") for line in lines)
    apart = lines.index("what is left would be told apart by:")
    assert lines[apart + 1].startswith("  x = ")
    assert " or " in lines[apart + 1]
    assert "these presets fit: " in out
    assert "`tflite_reference`" in out
    assert "they differ from `onnx` in:\n  rounding: " in out
    assert out.endswith(": the code is 1 (onnx: 0)\n")
    found = json.loads(run("--arrays", "a.npz", "--json")[1])
    assert found["numbers"] == 6
    assert found["nonfinite"] is None
    assert len(found["apart"]) > 1
    assert found["apart"][0].keys() == {"x", "scale", "zero_point", "codes"}
    assert "onnx" not in found["presets"]


@pytest.mark.parametrize(
    ("more", "named"),
    [([np.nan], " and NaN"), ([-np.inf, np.nan], " and −∞, NaN"), ([np.inf, -np.inf, np.nan], " and NaN, ±∞")],
)
def test_arrays_with_other_than_finite_numbers(run, more, named):
    out = run("--arrays", arrays("a.npz", "onnxruntime", F([0.5, 1.5, *more]), 1, 0))[1]
    assert out.startswith(f"from 2 finite numbers{named}, codes 0 to 255:\n")


def test_arrays_of_nothing_known(run):
    np.savez("odd.npz", x=F([0, 1, 2]), scale=F(1), zero_point=0, q=np.uint8([0, 7, 1]))
    status, out, _ = run("--arrays", "odd.npz")
    assert status == 1
    assert "x = 1, scale 1, zero point 0: the code is 7; what fits all numbers before it gives 1" in out
    assert "no convention fits; the nearest preset is" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "exactly one of TARGET, --command and --arrays"),
        (["boxes:gptq", "--arrays", "a.npz"], "exactly one of TARGET, --command and --arrays"),
        (["--arrays", "a.npz", "--codes", "int8"], "--codes and --zero-point are not for --arrays"),
        (["--arrays", "none.npz"], "No such file or directory: 'none.npz'"),
        (["boxes:gptq", "--codes", "int32"], "codes must be such as uint8, int4 or -127:127, got 'int32'"),
        (["boxes:gptq", "--codes", "3:3"], "qmax must leave at least two codes, got 3 to 3"),
        (["boxes:gptq", "--against", "nope"], "convention must be one of source, onnx, "),
        (["boxes:gptq", "--zero-point", "x"], "argument --zero-point: invalid int value: 'x'"),
        (["boxes:none"], "none"),
        (["boxes:gptq", "--codes", "--json"], "argument --codes: expected one argument"),
        (["--command", "/no/such/program"], "cannot be started"),
    ],
)
def test_what_cannot_be_diagnosed_has_status_2(run, words, message):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["boxes:sleeps", "--timeout", "0.2"], "gave no answer within 0.2 seconds"),
        (["boxes:half"], "the result must be one code, got array([0.5])"),
        (["boxes:changes"], "must leave its arguments alone, changed x"),
        (["boxes:crashes", "--zero-point", "0"], "all are errors: ended with exit status 3"),
        (["boxes:raises"], "all are errors: RuntimeError: not today"),
    ],
)
def test_what_is_started_and_is_no_quantizer_has_status_1(run, words, message):
    status, out, err = run(*words)
    assert (status, err) == (1, "")
    assert out.startswith("not known: ")
    assert message in out
    status, out, err = run(*words, "--json")
    assert (status, err) == (1, "")
    found = json.loads(out)
    assert found["fits"] is False
    assert message in found["error"]


def test_exit_statuses_are_in_the_help(run):
    status, out, _ = run("--help")
    assert status == 0
    assert "exit status: 0 if a convention fits all codes; 1 if none does" in " ".join(out.split())


def test_codes_below_0(run):
    status, out, _ = run("boxes:gptq", "--codes=-127:127", "--zero-point", "-3", "--zero-point", "0")
    assert status == 0
    assert out.startswith("from 61 finite numbers, arrays of 67 and NaN, ±∞, codes -127 to 127:\n")


def test_one_zero_point_alone_has_status_1_if_there_are_codes_at_others(run):
    status, out, _ = run("boxes:ignores_zero_points", "--codes", "int8")
    assert status == 1
    assert re.match(r"from \d\d of 61 finite numbers, at zero point 0 alone, arrays of 67 and NaN, ±∞, codes -1", out)
    said = " ".join(out.split("\n\n")[-1].split())
    assert said.startswith("only at zero point 0: ")
    assert "`gptq_symmetric`" in said
    assert re.search(
        r"; at zero point (-?\d+) it does something else: x = \S+, scale \S+, zero point \1: the code is", said
    )
    assert run("boxes:ignores_zero_points", "--codes", "int8", "--zero-point", "0")[0] == 0
    found = json.loads(run("boxes:ignores_zero_points", "--json")[1])
    assert (found["fits"], found["zero_point"], found["numbers"]) == (False, 0, 61)
    assert 24 <= found["numbers_at_it"] < 61


def test_arrays_of_what_was_asked(run):
    status, out, _ = run("boxes:body_is_wrong")
    assert status == 1
    last = " ".join(out.split("\n\n")[-1].split())
    assert last.startswith("these presets cannot be told apart by codes 0 to 255: `onnx`,")
    assert re.search(
        r" an array of 67 numbers gives other codes than its numbers alone: x = .*: 254 instead of 255$", last
    )
    status, out, _ = run("boxes:one_only")
    assert status == 0
    assert out.startswith("from 61 finite numbers and NaN, ±∞, codes 0 to 255:\n")
    assert "one number at a time is taken, an array of 67 is an error: ValueError: can only" in out


def test_real_zero_points(run):
    status, out, _ = run("boxes:offset")
    assert status == 0
    assert "zero points were given as float32: as int32 they are errors" in out
    assert "  zero_point_type   real: the zero point is a real number" in out
    assert "this equals preset `source`" in out or "`source`" in out


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("uint8", (0, 255)),
        ("int8", (-128, 127)),
        ("uint4", (0, 15)),
        ("int1", (-1, 0)),
        ("0:7", (0, 7)),
        ("-3:-1", (-3, -1)),
    ],
)
def test_words_for_codes(text, ends):
    assert code_range(text) == ends


def test_one_preset_is_one_sentence():
    def quantize(x, scale, zero_point, qmin, qmax):
        with np.errstate(all="ignore"):
            return TWINS["torch_quantize"].quantize(x, scale, zero_point, qmin, qmax)

    found = diagnose(quantize)
    assert diagnosis_report.text(found).split("\n\n")[-1].splitlines() == [
        "this equals preset `torch_quantize`; it differs from `onnx` in:",
        "  quotient: x is multiplied by the rounded 1/s and Z added, with one rounding for both (onnx: x is divided by "
        "s)",
        "  zero_point_added: the zero point is added before rounding (onnx: the zero point is added after rounding)",
        "  nonfinite: ±∞ saturates, NaN becomes qmax (onnx: ±∞ saturates, NaN is an error)",
        "  x = 0.5, scale 1, zero point 1: the code is 2 (onnx: 1)",
    ]
    own = diagnosis_report.text(found, "torch_quantize")
    assert own.endswith("\n\nthis equals preset `torch_quantize`")
    with pytest.raises(ValueError, match="convention must be one of"):
        diagnosis_report.text(found, "nope")


def test_a_preset_that_computes_in_the_dtype_of_x():
    def quantize(x, scale, zero_point, qmin, qmax):
        return np.clip(np.rint(np.nan_to_num(x / scale) + zero_point), qmin, qmax)  # NumPy adds in float64

    text = diagnosis_report.text(diagnose(quantize), "source")
    words = " ".join(text.split("it differs from `source` in:")[1].split())
    assert "as NumPy does with an int32 (source: computed in the dtype of x, s and Z together)" in words


def test_errors_are_counted():
    def symmetric(x, scale, zero_point, qmin, qmax):
        if zero_point:
            raise ValueError("symmetric only")
        return np.clip(np.rint(np.nan_to_num(x) / scale), -127, 127)

    text = diagnosis_report.text(diagnose(symmetric, -128, 127))
    assert " finite numbers, at zero point 0 alone, arrays of 67 and NaN, ±∞, codes -128 to 127:\n" in text
    assert "errors, such as for x = " in text
    assert ": ValueError: symmetric only\n" in text
    said = " ".join(text.split("\n\n")[-1].split())
    assert re.match(
        r"only at zero point 0, others are errors: all \d\d finite numbers, but not NaN and ±∞, fit `brevitas` ", said
    )
