"""`refcompress diagnose`: targets in processes of their own, arrays in a file, what is printed, and exit statuses."""

import json
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
    assert lines[0] == "from 61 finite numbers, codes 0 to 255:"
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
        (["boxes:sleeps", "--timeout", "0.2"], "x = "),
    ],
)
def test_what_cannot_be_diagnosed_has_status_2(run, words, message):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


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
    assert "codes -128 to 127, zero point 0 alone:" in text
    assert "errors, such as for x = " in text
    assert ": ValueError: symmetric only\n" in text
    assert "on finite numbers, but not for NaN and ±∞, this equals: `brevitas`" in text
