"""The vectors in files for other languages: read back, compiled, replayed by a C program and by a Verilog testbench."""

import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from refcompress.conformance import exports
from refcompress.conformance.suite import parse, stems, suite
from tests.conformance.test_vectors import SCHEMA

EXAMPLES = Path(__file__).parent / "examples"
STRICT = ("cc", "-std=c99", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-pedantic", "-Werror")


def written(folder, format, **which):
    for name, data in exports.files(format, **which).items():
        (folder / name).write_bytes(data)
    return folder


def run(*command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def needs(program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def test_json_is_read_back():
    found = exports.files("json")
    assert set(found) == {"schema.json", *(f"{stem}.json" for stem in stems())}
    assert json.loads(found["schema.json"]) == SCHEMA
    for stem in stems():
        contents = json.loads(found[f"{stem}.json"])
        jsonschema.validate(contents, SCHEMA)
        assert [case.id for case in parse(contents).cases] == [case.id for case in suite(stem).cases]


def test_npz_is_read_back():
    for stem in stems():
        ((name, data),) = exports.files("npz", stem).items()
        assert name == f"{stem}.npz"
        assert exports.files("npz", stem)[name] == data  # same bytes
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            rest = set(arrays.files)
            for case in suite(stem).cases:
                for key, value in case.arguments.items():
                    got = arrays[f"{case.id}/arguments/{key}"]
                    rest.discard(f"{case.id}/arguments/{key}")
                    wanted = np.zeros(0, np.uint8) if value is None else np.array(value)
                    assert (got.dtype, got.shape, got.tobytes()) == (wanted.dtype, wanted.shape, wanted.tobytes())
                for key, expected in case.expected.items():
                    got = arrays[f"{case.id}/expected/{key}"]
                    rest.discard(f"{case.id}/expected/{key}")
                    assert (got.dtype, got.tobytes()) == (expected.value.dtype, expected.value.tobytes())
            assert not rest


def test_one_function_or_one_convention_alone():
    (name,) = exports.files("npz", "packing.unpack")
    assert name == "packing.npz"
    contents = json.loads(exports.files("json", "packing.unpack")["packing.json"])
    assert set(contents["functions"]) == {case["function"] for case in contents["cases"]} == {"unpack"}
    contents = json.loads(exports.files("json", "affine", "torch_quantize")["affine.json"])
    assert all("torch_quantize" in case["conventions"] for case in contents["cases"])
    assert len(contents["cases"]) < len(suite("affine").cases)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("xml",), "format must be one of json, npz, c, readmemh, got 'xml'"),
        (("c", "nothing"), "formula must be one of"),
        (("c", "packing.nothing"), "formula must be one of"),
        (("c", "packing", "onnx"), "convention must be one of default, got 'onnx'"),
    ],
)
def test_what_is_not_there(arguments, message):
    with pytest.raises(ValueError, match=message):
        exports.files(*arguments)


# ---- C ----


def test_every_header_compiles_together(tmp_path):
    needs("cc")
    written(tmp_path, "c")
    lines = [f'#include "{stem}.h"' for stem in stems()]
    counts = [f"{stem}_{name}" for stem in stems() for name in suite(stem).functions]
    prints = [f'    printf("{n} %zu\\n", sizeof {n}_cases / sizeof *{n}_cases);' for n in counts]
    program = [*lines, "#include <stdio.h>", "int main(void)", "{", *prints, "    return 0;", "}", ""]
    (tmp_path / "all.c").write_text("\n".join(program))
    compiled = run(*STRICT, "all.c", "-o", "all", folder=tmp_path)
    assert compiled.returncode == 0, compiled.stderr[:2000]
    found = dict(line.split() for line in run("./all", folder=tmp_path).stdout.splitlines())
    for stem in stems():
        for name in suite(stem).functions:
            assert int(found[f"{stem}_{name}"]) == sum(case.function == name for case in suite(stem).cases)


def test_a_c_program_replays_the_vectors(tmp_path):
    needs("cc")
    written(tmp_path, "c", formula="affine.quantize", convention="onnx")
    shutil.copy(EXAMPLES / "replay.c", tmp_path)
    for wrong in ((), ("-DHALF_AWAY",)):
        compiled = run(*STRICT, *wrong, "replay.c", "-o", "replay", "-lm", folder=tmp_path)
        assert compiled.returncode == 0, compiled.stderr
        replayed = run("./replay", folder=tmp_path)
        if wrong:
            assert replayed.returncode == 1
            assert "affine.quantize-onnx-" in replayed.stdout
            assert "rounding: half_away" in replayed.stdout
        else:
            assert (replayed.returncode, replayed.stdout) == (0, "")


# ---- Verilog ----


def memory(text):
    """The words that $readmemh reads, and the width and the last address that the file names."""
    width, last = map(int, re.search(r"^// reg \[(\d+):0\] \w+ \[0:(\d+)\];", text, re.MULTILINE).groups())
    words = re.sub(r"//.*", "", text).split()
    assert all(len(word) == (width + 1) // 4 for word in words)
    assert len(words) == last + 1
    return [int(word, 16) for word in words], width + 1


def number(word, width, dtype):
    """What a testbench reads: the bits of a float, an integer that is signed like its dtype."""
    if dtype.kind == "f":
        return np.frombuffer(word.to_bytes(dtype.itemsize, "little"), dtype.newbyteorder("<"))[0].tobytes()
    return word - 2**width if dtype.kind == "i" and word >= 2 ** (width - 1) else word


def numbers(words, width, dtype):
    return [number(word, width, dtype) for word in words]


def wanted(array):
    return [value.tobytes() if array.dtype.kind == "f" else int(value) for value in array.ravel()]


@pytest.mark.parametrize("stem", stems())
def test_memories_are_read_back(stem):
    found = exports.files("readmemh", stem)
    for name, function in suite(stem).functions.items():
        groups = dict.fromkeys(case.conventions for case in suite(stem).cases if case.function == name)
        for group in groups:
            mine = [case for case in suite(stem).cases if (case.function, case.conventions) == (name, group)]
            start = f"{stem}.{name}" + ("" if group == ("default",) else f"-{group[0]}")
            inputs, width = memory(found.pop(f"{start}.inputs.hex").decode())
            outputs, out_width = memory(found.pop(f"{start}.outputs.hex").decode())
            assert inputs.pop(0) == outputs.pop(0) == len(mine)
            for case in mine:
                for value in case.arguments.values():
                    words = np.array(list(value.encode())) if isinstance(value, str) else np.array(value)
                    words = np.array([]) if value is None else words
                    assert inputs.pop(0) == words.size
                    read = [inputs.pop(0) for _ in range(words.size)]
                    assert numbers(read, width, words.dtype) == wanted(words)
                for key in function.returns:
                    value = case.expected[key].value
                    assert outputs.pop(0) == value.size
                    read = [outputs.pop(0) for _ in range(value.size)]
                    assert numbers(read, out_width, value.dtype) == wanted(value)
            assert inputs == outputs == []
    assert not found


def test_a_testbench_replays_the_vectors(tmp_path):
    needs("iverilog")
    written(tmp_path, "readmemh", formula="requantization.saturating_rounding_doubling_high_mul")
    shutil.copy(EXAMPLES / "high_mul.v", tmp_path)
    cases = sum(c.function == "saturating_rounding_doubling_high_mul" for c in suite("requantization").cases)
    for wrong in ((), ("-DTRUNCATE",)):
        compiled = run("iverilog", "-g2001", "-Wall", *wrong, "-o", "replay", "high_mul.v", folder=tmp_path)
        assert (compiled.returncode, compiled.stderr) == (0, "")
        replayed = run("vvp", "replay", folder=tmp_path)
        count, failures = map(int, re.search(r"(\d+) cases, (\d+) failures", replayed.stdout).groups())
        assert count == cases
        assert (failures > 0) == bool(wrong)
