"""The benchmarks measure what they say: every subject once on its smallest sizes, and the framework on literals."""

import json
import os
import re
import sys
from dataclasses import fields, replace
from functools import cache
from itertools import chain, repeat

import numpy as np
import pytest

from refcompress import nn
from refcompress.formulas.network import softmax_cross_entropy
from tests.benchmarks import __main__ as command
from tests.benchmarks import measure, neighbours, networks, peers, result, twins
from tests.benchmarks.context import Context
from tests.benchmarks.goals import GOALS
from tests.benchmarks.measure import Ratio
from tests.benchmarks.result import Figure
from tests.benchmarks.subjects import SUBJECTS

INSTALLED = frozenset(filter(peers.installed, peers.PEERS))
TINY = Context(tiny=True, against=INSTALLED, threads=(1,))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """As tests/conftest.py has it; then threadpoolctl is not needed."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


@cache
def tiny(name):
    return tuple(SUBJECTS[name](TINY))


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_agrees_with_every_installed_peer(name):
    figures = tiny(name)
    assert len({figure.key for figure in figures}) == len(figures)
    for figure in figures:
        assert figure.agrees is not False, figure
        check_schema(figure)


def check_schema(figure):
    assert figure.name[0].islower()
    assert (figure.ratio is None) == (figure.value is not None) == (figure.unit is not None), figure
    assert np.isfinite(figure.number)
    assert figure.unit in {None, "s", "ms", "MB", "codes/s", "slope"}
    assert figure.sense in {"lower", "higher"}
    assert figure.threads in (1, 2)
    assert (figure.met is None) == (figure.goal is None), figure


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_runs_without_peers(name, monkeypatch):
    for peer in peers.PEERS:
        for module in [m for m in sys.modules if m.partition(".")[0] == peer]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, peer, None)  # an import fails
    for figure in SUBJECTS[name](replace(TINY, against=frozenset())):
        assert figure.against not in peers.PEERS


def test_names_are_unique_and_every_goal_has_its_figure():
    figures = [figure for name in SUBJECTS for figure in tiny(name)]
    assert len({figure.key for figure in figures}) == len(figures)
    measured = {(without_digits(figure.name), figure.against) for figure in figures}
    missing = peers.PEERS.keys() - INSTALLED
    assert {(without_digits(name), against) for name, against in GOALS if against not in missing} <= measured
    assert result.from_json(result.to_json(figures)) == figures


def without_digits(name):
    """Of some sizes, only a few are measured when it must be quick."""
    return re.sub(r"\d+", "#", name)


# --- agreement


@pytest.mark.parametrize("name", ["training_step", "autograd_step", "epoch"])
def test_a_planted_error_of_a_gradient_is_seen(name, monkeypatch):
    right = softmax_cross_entropy.backward
    monkeypatch.setattr(softmax_cross_entropy, "backward", lambda dout, cache: right(dout, cache) * np.float32(1.01))
    figures = list(SUBJECTS[name](TINY))
    assert all(figure.agrees is False and figure.met is False for figure in figures)
    assert figures or not INSTALLED.issuperset(peers.PEERS)


def test_a_planted_error_of_an_output_is_seen(monkeypatch):
    pytest.importorskip("torch")
    right = nn.Network.predict
    monkeypatch.setattr(nn.Network, "predict", lambda self, x, **options: right(self, x, **options) * np.float32(1.001))
    assert {figure.agrees for figure in SUBJECTS["inference"](TINY)} == {False}


@pytest.mark.parametrize("planted", ["momentum", "learning rate", "loss", "nothing"])
def test_same_training_sees(planted):
    def step(model, momentum=0.9, rate=0.01, factor=1.0):
        sgd = nn.SGD(rate, momentum=momentum)

        def run():
            loss = twins.gradients(model, *case[1:])
            sgd.step(model.parameters(), model.gradients())
            return factor * loss

        return run

    case = networks.lenet_300_100(3)
    other = case.model.copy()
    wrong = {"momentum": {"momentum": 0.89}, "learning rate": {"rate": 0.0101}, "loss": {"factor": 1.001}}
    parameters = [list(model.parameters().values()) for model in (case.model, other)]
    same = twins.same_training(step(case.model), parameters[0], step(other, **wrong.get(planted, {})), parameters[1])
    assert same == (planted == "nothing")


def test_training_that_changes_nothing_does_not_agree():
    still = [np.ones(3)]
    assert not twins.same_change(still, still, still)
    assert twins.distance(np.ones(3), np.ones(4)) == np.inf


# --- measure


class Clock:
    """Time passes only in the work."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, *durations):
        remaining = chain(durations, repeat(durations[-1]))

        def run():
            self.now += next(remaining)

        return run


def test_alternate_takes_the_median_of_the_rounds_ratios():
    clock = Clock()
    ours = clock.work(9, 9, 1, 9, 6, 9, 2)  # one to warm up at first, one before each round
    ratio = measure.alternate(ours, clock.work(2), 3, at_least=0, clock=clock)
    assert ratio == Ratio(median=1.0, spread=1.25, ours_seconds=2, theirs_seconds=2)


def test_alternate_takes_turns():
    clock, calls = Clock(), []
    measure.alternate(
        lambda: calls.append("A"), lambda: calls.append("B"), 2, at_least=0, clock=iter(range(99)).__next__
    )
    assert "".join(calls) == "AB" + "AABB" * 2
    assert clock.now == 0


@pytest.mark.parametrize(("duration", "repeats"), [(1.0, 1), (0.02, 1), (0.019, 2), (0.001, 20)])
def test_a_side_is_repeated_until_it_takes_long_enough(duration, repeats):
    clock = Clock()
    found = measure.repeats_for(clock.work(duration), 0.02, clock)
    assert repeats <= found <= 1.5 * repeats
    assert measure.seconds(clock.work(duration), found, clock) == pytest.approx(duration)


def test_a_work_without_duration_ends():
    assert measure.repeats_for(lambda: None, 1e-6) >= 1


def test_settling_lasts_as_long_as_asked():
    clock = Clock()
    assert measure.timed(clock.work(1.0), 2, settle=3.5, clock=clock) == 1.0
    assert clock.now == 4 + 2


@pytest.mark.parametrize(
    ("values", "distance"), [([3], 0), ([1, 3], 1), ([1, 2, 3, 4], 1.5), ([5, 1, 4, 2, 3], 2), ([7, 7, 7], 0)]
)
def test_quartile_distance(values, distance):
    assert measure.quartile_distance(values) == distance == np.subtract(*np.quantile(values, [0.75, 0.25]))


def test_disturbed_rounds_are_done_again_while_there_is_patience(monkeypatch):
    disturbed = iter([True, False, True, False])
    monkeypatch.setattr(neighbours.Watch, "disturbed", lambda self: next(disturbed))
    monkeypatch.setattr(measure, "wait_until_quiet", lambda threads, at_most: None)
    seconds = iter([(100.0, 1.0), (2.0, 1.0), (100.0, 1.0), (3.0, 1.0)])
    assert measure.in_rounds(lambda: next(seconds), 2, threads=2, patience=60) == Ratio(2.5, 0.5, 2.5, 1.0)


def test_a_machine_that_stays_busy_is_said_so(monkeypatch):
    monkeypatch.setattr(neighbours.Watch, "disturbed", lambda self: True)
    ratio = measure.in_rounds(lambda: (1.0, 1.0), 3, threads=2, patience=0)
    assert ratio.disturbed
    figure = result.relative("step", "torch", ratio, threads=1, agrees=True)
    assert "machine busy" in result.table([figure])
    assert "1 figures measured on a busy machine" in result.summary([figure])


def test_neighbours_are_counted(tmp_path, monkeypatch):
    stat = tmp_path / "stat"
    monkeypatch.setattr(neighbours, "STAT", stat)
    monkeypatch.setattr(neighbours.time, "process_time", lambda: 1.5)
    monkeypatch.setattr(neighbours.os, "times", lambda: (9, 9, 0.5, 0.25, 9))
    assert neighbours.seconds() == 0  # the system does not say
    tick = os.sysconf("SC_CLK_TCK")
    stat.write_text(f"cpu  {tick} {tick} {tick} {9 * tick} {9 * tick} {tick} {tick} {tick} 0 0\ncpu0 1\n")
    assert neighbours.seconds() == 6 - 1.5 - 0.75  # neither idle nor waiting for a disk
    watch = neighbours.Watch(threads=os.cpu_count())
    assert not watch.disturbed()
    stat.write_text(f"cpu  {2 * tick} {tick} {tick} {9 * tick} {9 * tick} {tick} {tick} {tick} 0 0\n")
    assert watch.disturbed()


def test_waiting_for_a_core_is_noticed(tmp_path, monkeypatch):
    schedstat = tmp_path / "schedstat"
    monkeypatch.setattr(neighbours, "SCHEDSTAT", schedstat)
    assert neighbours.waited() == 0  # the system does not say
    schedstat.write_text("5000000000 1000000000 7\n")
    assert neighbours.waited() == 1
    watch = neighbours.Watch(threads=0)
    assert not watch.disturbed()
    schedstat.write_text("5000000000 900000000000 7\n")
    assert watch.disturbed()


def test_threads_are_set_and_set_back():
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def blas():
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

    before = blas()
    with measure.threads(2):
        assert set(blas()) == {2}
        if "torch" in sys.modules:
            assert sys.modules["torch"].get_num_threads() == 2
    assert blas() == before


def test_threads_without_threadpoolctl(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with measure.threads(1):
        pass
    with pytest.raises(ModuleNotFoundError, match="threadpoolctl"), measure.threads(2):
        pass


def test_process(monkeypatch):
    check = "assert os.environ['A'] == 'b'"
    program = f"import os; x = b'1' * 60_000_000; {check}"
    done = measure.process([sys.executable, "-c", program], {"A": "b"})
    assert done.seconds > 0
    assert 60 < done.megabytes < 100  # the program's own, not what this process holds
    with pytest.raises(RuntimeError, match=r"(?s)ended with 1: .*AssertionError"):
        measure.process([sys.executable, "-c", "assert False"])


def test_peak_memory():
    assert measure.peak_memory(lambda: np.ones(1_000_000)) == pytest.approx(8, abs=0.1)


# --- result

FIGURE = Figure("step", "torch", 1.5, 0.1, 2.0, 1, True, True)
VALUE = Figure("packing", "", None, 5.0, 50.0, 1, None, True, 100.0, "codes/s", "higher")


@pytest.mark.parametrize(
    ("ratio", "agrees", "goal", "met"),
    [(1.5, True, 1.5, True), (1.51, None, 1.5, False), (0.1, False, 1.5, False), (0.1, True, None, None)],
)
def test_met(ratio, agrees, goal, met, monkeypatch):
    monkeypatch.setitem(GOALS, ("step", "torch"), {} if goal is None else {2: goal})
    figure = result.relative("step", "torch", Ratio(ratio, 0, 1, 1), threads=2, agrees=agrees)
    assert (figure.goal, figure.met) == (goal, met)
    assert (" NO " in result.table([figure])) == ("NOT" in result.summary([figure])) == (agrees is False)


@pytest.mark.parametrize(("sense", "value", "met"), [("lower", 1, True), ("lower", 3, False), ("higher", 1, False)])
def test_met_by_a_value(sense, value, met, monkeypatch):
    monkeypatch.setitem(GOALS, ("import", ""), {1: 2})
    assert result.absolute("import", value, "s", threads=1, sense=sense).met is met


def test_table():
    share = replace(FIGURE, against="step without", ratio=0.05, goal=0.15)
    faster = replace(FIGURE, ratio=1 / 11, spread=0.001, ours_seconds=0.01234, theirs_seconds=1.5, goal=0.125)
    missed = replace(FIGURE, met=False)
    lines = result.table([FIGURE, faster, share, missed, VALUE]).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "figure against threads ours theirs ratio ± same goal",
        "step torch 1 1.50 0.100 1.50× slower yes ≤ 2.00 met",
        "step torch 1 12.3 ms 1.50 s 0.0909 0.00100 11.0× faster yes ≤ 0.125 met",
        "step step without 1 0.0500 0.100 +5.0 % yes ≤ 0.150 met",
        "step torch 1 1.50 0.100 1.50× slower yes ≤ 2.00 missed",
        "packing 1 100 codes/s 5.00 ≥ 50.0 met",
    ]


def test_json(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text(result.to_json([FIGURE, VALUE]))
    assert result.load(path) == [FIGURE, VALUE]
    keys = ["name", "against", "ratio", "spread", "goal", "threads", "agrees", "met", "value", "unit", "sense"]
    content = json.loads(path.read_text())
    assert [list(item)[: len(keys)] for item in content] == [keys, keys]
    path.write_text(json.dumps([{key: item[key] for key in keys} for item in content]))  # only these are needed
    assert result.load(path) == [FIGURE, VALUE]
    assert len(fields(Figure)) > len(keys)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (FIGURE, replace(FIGURE, ratio=1.69), "same"),
        (FIGURE, replace(FIGURE, ratio=1.71), "worse"),
        (FIGURE, replace(FIGURE, ratio=1.29), "better"),
        (replace(FIGURE, spread=0.0), replace(FIGURE, ratio=1.64, spread=0.0), "same"),  # a machine drifts
        (None, FIGURE, "new"),
        (VALUE, replace(VALUE, value=80.0), "worse"),
        (VALUE, replace(VALUE, value=120.0), "better"),
        (VALUE, replace(VALUE, value=105.0), "same"),
        (FIGURE, replace(FIGURE, ratio=9.0, disturbed=True), "machine busy"),
    ],
)
def test_verdict(old, new, verdict):
    assert result.verdict(old, new) == verdict


def test_compare():
    lines = result.compare([FIGURE, VALUE], [replace(FIGURE, ratio=3.0), replace(FIGURE, threads=2)]).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "figure against threads old new change",
        "step torch 1 1.50 3.00 +100 % worse",
        "step torch 2 1.50 new",
        "1 figures of the earlier run were not measured",
    ]


# --- the command

WRONG_SPREAD = result.to_json([replace(FIGURE, spread="wide")])


@pytest.fixture
def subjects(monkeypatch):
    """Two subjects that take no time."""
    subjects = {"good": lambda context: iter([FIGURE]), "value": lambda context: iter([VALUE])}
    monkeypatch.setattr(command, "SUBJECTS", subjects)
    monkeypatch.setattr(command, "threads_can_be_set", lambda: True)
    return subjects


def test_command(subjects, tmp_path, capsys):
    path = tmp_path / "new.json"
    assert command.main(["--json", str(path)]) == 0
    assert result.load(path) == [FIGURE, VALUE]
    assert list(tmp_path.iterdir()) == [path]
    assert command.main(["--only", "good", "--compare", str(path), "--against", ""]) == 0
    out = capsys.readouterr().out
    assert "no other library" in out
    assert out.splitlines()[-1] == "1 figures of the earlier run were not measured"


def test_a_subject_that_fails_does_not_stop_the_others(subjects, tmp_path, capsys):
    def fails(context):
        yield FIGURE
        raise ArithmeticError("planted")

    subjects |= {"bad": fails, "last": lambda context: iter([replace(FIGURE, name="last")])}
    path = tmp_path / "new.json"
    assert command.main(["--json", str(path), "--against", ""]) == 1
    assert result.load(path)[-1].name == "last"
    error = capsys.readouterr().err
    assert "ArithmeticError: planted" in error
    assert error.splitlines()[-1] == "failed: bad"


def test_a_disagreement_is_an_error(subjects, capsys):
    subjects["wrong"] = lambda context: iter([replace(FIGURE, agrees=False, met=False)])
    assert command.main(["--against", ""]) == 1
    assert "2 of 3 goals met; 1 figures whose sides do NOT compute the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--against", "tensorflow"], "unknown peer 'tensorflow': choose from torch, autograd, sklearn, onnxruntime"),
        (["--only", "nothing"], "argument --only: invalid choice: 'nothing'"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--compare", "nowhere.json"], "nowhere.json: cannot be read: No such file or directory"),
        (["--json", "nowhere/new.json"], "output must be a file that can be written, got 'nowhere/new.json'"),
    ],
)
def test_wrong_arguments(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_refused(arguments, message, capsys)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", "[{}]", '[{"name": "step"}]', b"\xff", '[{"ratio": "1"}]', WRONG_SPREAD]
)
def test_an_unreadable_old_run(text, capsys, tmp_path):
    path = tmp_path / "old.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    check_refused(["--compare", str(path)], f"{path}: is no list of figures as --json writes it", capsys)


@pytest.mark.parametrize(("peer", "package"), peers.PEERS.items())
def test_a_peer_that_is_not_installed(peer, package, capsys, monkeypatch):
    monkeypatch.setattr(peers, "installed", lambda name: False)
    check_refused(["--against", peer], f"{peer} is not installed: python -m pip install {package}", capsys)


def test_threadpoolctl_is_needed(subjects, capsys, monkeypatch):
    monkeypatch.setattr(command, "threads_can_be_set", lambda: False)
    check_refused([], "is not installed: python -m pip install threadpoolctl", capsys)


def test_missing_peers_are_said(subjects, capsys, monkeypatch):
    monkeypatch.setattr(peers, "installed", lambda name: False)
    monkeypatch.setattr("tests.benchmarks.machine.installed", lambda name: False)
    assert command.main([]) == 0
    assert "not installed: torch, autograd, sklearn, onnxruntime" in capsys.readouterr().out


def check_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as refused:
        command.main(arguments)
    assert refused.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
