"""Targets that misbehave in every way: each is one short sentence, and the next call is answered."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from refcompress.conformance.targets import target as target_module
from refcompress.conformance.targets.errors import (
    Crashed,
    Garbage,
    Hung,
    Missing,
    Modified,
    NotStarted,
    Raised,
    TargetError,
)
from refcompress.conformance.targets.replies import read_results
from refcompress.conformance.targets.target import in_process, open_target

EXAMPLES = Path(__file__).parent / "examples"
TOP = EXAMPLES.parent.parent.parent
ARGUMENTS = {"q": np.array([1, 2], np.uint8), "bits": 4}
DATA = [33]
NO_ANSWER = 'must answer with a JSON object of "id" 1, got'
NO_RESULT = "must return arrays, NumPy scalars or Python numbers, got"
RESULT = '{"dtype": "uint8", "shape": [1], "values": [33]}'


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A current folder in which there is the module of targets."""
    (tmp_path / "packers.py").symlink_to(EXAMPLES / "packers.py")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(call):
    return call("packing.pack", "default", ARGUMENTS)


def failure(call):
    with pytest.raises(TargetError) as caught:
        ask(call)
    assert "\n" not in str(caught.value)
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize("name", ["pack", "talks"])
def test_python(name):
    with open_target(f"packers:{name}") as call:
        for _ in range(2):
            data = ask(call)
            assert (data.dtype, data.tolist()) == (np.uint8, DATA)


def test_several_results():
    with open_target("packers:two_results") as call:
        data, count = ask(call)
    assert (data.tolist(), count) == (DATA, 2)


PYTHON = {
    "raises": (Raised, "ValueError: cannot pack 2 codes"),
    "raises_nonsense": (Raised, "Nonsense: (its message cannot be made)"),
    "sys_exits": (Raised, "SystemExit: 3"),
    "modifies": (Modified, "must leave its arguments alone, changed q"),
    "gives_none": (Garbage, f"{NO_RESULT} None"),
    "gives_text": (Garbage, f"{NO_RESULT} a numpy.str_"),
    "gives_list": (Garbage, f"{NO_RESULT} a list"),
    "gives_ragged_list": (Garbage, f"{NO_RESULT} a list"),
    "gives_objects": (Garbage, f"{NO_RESULT} an array of object"),
    "gives_large_number": (Garbage, f"{NO_RESULT} an int of more than 64 bits"),
}
ENDS = {
    "os_exits": (Crashed, "ended with exit status 4; its last line on standard error: these are my last words"),
    "crashes": (Crashed, "crashed: SIGSEGV"),
    "hangs": (Hung, "gave no answer within 0.5 seconds"),
}


@pytest.mark.parametrize(("name", "wanted"), [*PYTHON.items(), *ENDS.items()])
def test_python_that_gives_no_result(name, wanted):
    with open_target(f"packers:{name}", timeout=0.5 if name == "hangs" else 10) as call:
        assert failure(call) == wanted


@pytest.mark.parametrize(("name", "wanted"), PYTHON.items())
def test_a_function_of_this_process_is_held_to_the_same(name, wanted, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import packers

    assert failure(in_process(getattr(packers, name))) == wanted
    assert ask(in_process(packers.pack)).tolist() == DATA


def test_after_a_crash_it_is_started_anew():
    with open_target("packers:of_many_crashes") as call:
        for _ in range(2):
            assert ask(call).tolist() == DATA
            with pytest.raises(Crashed, match=r"^ended with exit status 5$"):
                call("packing.pack", "default", {"q": np.zeros(11, np.uint8), "bits": 1})


def test_what_a_target_started_is_ended_with_it(here):
    with open_target("packers:hangs_with_a_child", timeout=0.2) as call:
        assert failure(call)[0] is Hung
    time.sleep(1)
    assert not (here / "survived").exists()


NOT_STARTED = {
    "nowhere:f": "nowhere cannot be imported: ModuleNotFoundError: No module named 'nowhere'",
    "packers:nothing": "packers has no function 'nothing'",
    "packers:not_a_function": "packers has no function 'not_a_function'",
    "bad:f": "bad cannot be imported: SyntaxError: '(' was never closed (bad.py, line 1)",
    "leaves:f": "leaves cannot be imported: SystemExit: 0",
    "ends:f": "ends:f cannot be imported: ended with exit status 7; its last line on standard error: bye",
}


@pytest.mark.parametrize(("target", "text"), NOT_STARTED.items())
def test_python_that_cannot_be_imported(here, target, text):
    (here / "bad.py").write_text("f = (\n")
    (here / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    (here / "ends.py").write_text("import os\nos.write(2, b'bye\\n')\nos._exit(7)\n")
    with pytest.raises(NotStarted) as caught, open_target(target):
        pass
    assert str(caught.value) == text


def test_files_beside_it_are_not_the_standard_library(here):
    """Nothing runs before the target, and the target is told nothing of how it is run."""
    (here / "json.py").write_text("raise SystemExit('this is not json')\n")
    (here / "mine.py").write_text("import sys\ndef f(q, bits):\n    return len(sys.argv)\n")
    with open_target("mine:f") as call:
        assert ask(call) == 1


CHILD = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\n"


@pytest.mark.parametrize(
    ("module", "interrupt"),
    [
        (CHILD + "time.sleep(60)\n", signal.SIGTERM),
        (CHILD + "def f(*_):\n    while True:\n        pass\n", signal.SIGTERM),
        (CHILD + "def f(*_):\n    while True:\n        pass\n", signal.SIGKILL),
    ],
)
def test_nothing_outlives_us(here, module, interrupt):
    """Ended while it imports, ended or killed while it computes."""
    (here / "mine.py").write_text(module)
    command = [sys.executable, "-m", "refcompress", "check", "mine:f", "--formula", "packing", "--max-examples", "0"]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    us = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    eventually(lambda: (here / "pid").exists() and (here / "pid").read_text())
    time.sleep(0.3)
    us.send_signal(interrupt)
    us.communicate(timeout=30)
    child = int((here / "pid").read_text())
    eventually(lambda: is_gone(child))


def is_gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def eventually(true):
    for _ in range(200):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("not within 20 seconds")


def test_python_that_takes_too_long_to_import(here, monkeypatch):
    monkeypatch.setattr(target_module, "IMPORT_SECONDS", 0.3)
    (here / "slow.py").write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(NotStarted, match=r"^slow:f cannot be imported: gave no answer within 0\.3 seconds$"):
        open_target("slow:f", timeout=0.1).__enter__()


def script(text):
    return f"sh -c '{text}'"


COMMANDS = {
    "cat": (Garbage, 'must answer with "results" or "error", got neither'),
    "true": (Crashed, "ended with exit status 0"),
    "echo hello": (Garbage, f"{NO_ANSWER} hello"),
    "echo": (Garbage, f"{NO_ANSWER} nothing"),
    "yes": (Garbage, f"{NO_ANSWER} y"),
    "printf '\\377\\033\\n'": (Garbage, f"{NO_ANSWER} \ufffd\ufffd"),
    "printf abc": (Crashed, "ended with exit status 0 in the middle of a line"),
    "cat /dev/zero": (Garbage, "wrote 16777216 bytes without an end of line"),
    "sleep 60": (Hung, "gave no answer within 0.5 seconds"),
    script("yes >&2"): (Hung, "gave no answer within 0.5 seconds"),
    script("echo oops >&2; exit 3"): (Crashed, "ended with exit status 3; its last line on standard error: oops"),
    script("kill -9 $$"): (Crashed, "crashed: SIGKILL"),
    script("exec >&-; sleep 60"): (Crashed, "closed its standard output"),
}
ANSWERS = {
    '{"id": 2, "results": []}': (Garbage, f'{NO_ANSWER} {{"id": 2, "results": []}}'),
    '{"id": true, "results": []}': (Garbage, f'{NO_ANSWER} {{"id": true, "results": []}}'),
    "[" * 100_000: (Garbage, f"{NO_ANSWER} {'[' * 79}…"),
    '{"id": 1, "error": "out of\\nmemory"}': (Raised, "out of memory"),
    '{"id": 1, "error": 7}': (Raised, "7"),
    '{"id": 1, "error": ""}': (Raised, "error without a message"),
    '{"id": 1, "results": 3.5}': (Garbage, '"results" must be a list, got 3.5'),
    f'{{"id": 1, "results": {"[" * 900}{"]" * 900}}}': (Garbage, "the results must be arrays: maximum recursion depth"),
    '{"id": 1, "results": ["text"]}': (Garbage, "the results must be arrays or numbers, got 'text'"),
    '{"id": 1, "results": [[1, 2]]}': (Garbage, "the results must be arrays or numbers, got [1, 2]"),
    '{"id": 1, "results": [{"dtype": "int4", "shape": [1], "values": [1]}]}': (Garbage, "dtype must be one of"),
    '{"id": 1, "results": [{"dtype": ["int4"], "shape": [1], "values": [1]}]}': (Garbage, "dtype must be one of"),
    '{"id": 1, "results": [{"dtype": "uint8", "shape": [2], "values": [1]}]}': (Garbage, "there must be 2 values"),
    '{"id": 1, "results": [{"dtype": "uint8", "shape": [1], "values": [1.0]}]}': (Garbage, "values must be integers"),
    '{"id": 1, "results": [{"dtype": "uint8", "shape": [0, 1e9], "values": []}]}': (Garbage, "shape must be a list of"),
    f'{{"id": 1, "results": [{{"dtype": "uint8", "shape": [0, {10**30}], "values": []}}]}}': (
        Garbage,
        "must be arrays",
    ),
    f'{{"id": 1, "results": [{{"dtype": "uint8", "shape": {[1] * 99}, "values": [1]}}]}}': (Garbage, "must be arrays"),
    f'{{"id": 1, "results": [{RESULT}], "modified": "q"}}': (Modified, "must leave its arguments alone, changed q"),
}


@pytest.mark.parametrize(("command", "wanted"), COMMANDS.items())
def test_a_command_that_gives_no_result(command, wanted):
    with open_target(command=command, timeout=0.5 if wanted[0] is Hung else 10) as call:
        assert failure(call) == wanted


@pytest.mark.parametrize(("line", "wanted"), ANSWERS.items())
def test_an_answer_that_is_no_result(here, line, wanted):
    (here / "answer").write_text(line + "\n")
    with open_target(command="cat answer") as call:
        kind, text = failure(call)
    assert kind is wanted[0]
    assert text == wanted[1] if kind is not Garbage else wanted[1] in text


def test_a_command_that_answers(here):
    (here / "answers").write_text("".join(f'{{"id": {i}, "results": [{RESULT}, 7]}}\n' for i in (1, 2)))
    with open_target(command=script("tee requests | cat answers -")) as call:
        data, count = ask(call)
        assert (data.dtype, data.tolist(), count) == (np.uint8, DATA, 7)
        ask(call)
    first, second = map(json.loads, (here / "requests").read_text().splitlines())
    q = {"dtype": "uint8", "shape": [2], "values": [1, 2]}
    assert first == {"id": 1, "function": "packing.pack", "convention": "default", "arguments": {"q": q, "bits": 4}}
    assert second == {**first, "id": 2}


def test_a_command_is_not_given_to_a_shell(here):
    with open_target(command="echo $HOME; touch made") as call:
        assert failure(call) == (Garbage, f"{NO_ANSWER} $HOME; touch made")
    assert not (here / "made").exists()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"command": "./nowhere"}, "./nowhere cannot be started: No such file or directory"),
        ({"command": "./packers.py"}, "./packers.py cannot be started: Permission denied"),
        ({"command": "'"}, 'command must be a program and its arguments, got "\'": No closing quotation'),
        ({"command": " "}, "command must be a program and its arguments, got nothing"),
        ({"command": "cat", "timeout": 0}, "timeout must be a number of seconds above 0, got 0"),
        ({"command": "cat", "timeout": float("nan")}, "timeout must be a number of seconds above 0, got nan"),
        ({"target": "packers"}, "target must be module:function, got 'packers'"),
        ({"target": "packers:f()"}, "target must be module:function, got 'packers:f()'"),
        ({"target": ":f"}, "target must be module:function, got ':f'"),
        ({}, "there must be exactly one of target and command"),
        ({"target": "packers:pack", "command": "cat"}, "there must be exactly one of target and command"),
    ],
)
def test_what_cannot_be_started(given, text):
    with pytest.raises(ValueError, match=r"^\S") as caught, open_target(**given):
        pass
    assert str(caught.value) == text


def test_results_of_a_file(here):
    file = here / "results.json"
    file.write_text(f'{{"a": {RESULT}, "b": [{RESULT}, 7], "c": "text", "d": 3}}')
    results = read_results(file)
    assert results("a").tolist() == DATA
    assert results("b")[1] == 7
    assert results("d") == 3
    with pytest.raises(Garbage, match="the results must be arrays or numbers, got 'text'"):
        results("c")
    with pytest.raises(Missing, match=r"results\.json has no results of this case"):
        results("e")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "3", "\xff"])
def test_a_file_without_results(here, text):
    (here / "results.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"^results\.json must be a JSON object"):
        read_results("results.json")


def test_serving_by_hand():
    request = {"id": 5, "function": "packing.pack", "convention": None}
    request["arguments"] = {"q": {"dtype": "uint8", "shape": [2], "values": [1, 2]}, "bits": 4}
    done = subprocess.run(
        [sys.executable, "-m", "refcompress.conformance.targets.serve", "packers:talks"],
        input=json.dumps(request) + "\n",
        env={**os.environ, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, second = map(json.loads, done.stdout.splitlines())
    assert first == {"id": 0, "results": []}
    assert second == {"id": 5, "results": [json.loads(RESULT)]}
    assert sorted(done.stderr.splitlines()) == ["packing", "packing [1 2]"]
