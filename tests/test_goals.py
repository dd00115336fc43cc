"""What the main job promises, over five seeds with all defaults: some four minutes, so `-m goals` asks for it."""

from statistics import fmean

import pytest

from refcompress import datasets, storage
from refcompress.compress import Options, compress

pytestmark = pytest.mark.goals

SEEDS = range(5)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("goals")
    return [compress(datasets.digits(s), Options(seed=s), out=folder / f"{s}.npz") for s in SEEDS]


def accuracies(results, stage):
    return [result.stages[stage].accuracy for result in results]


def test_every_seed_is_there(results):
    assert [result.options.seed for result in results] == [0, 1, 2, 3, 4]
    assert len({result.path.read_bytes() for result in results}) == 5


def test_the_dense_network_is_accurate(results):
    dense = accuracies(results, "dense")
    assert fmean(dense) >= 0.98, dense
    assert min(dense) >= 0.975, dense


def test_compression_costs_little_accuracy(results):
    pairs = zip(accuracies(results, "dense"), accuracies(results, "quantized"), strict=True)
    lost = [dense - quantized for dense, quantized in pairs]
    assert fmean(lost) <= 0.005, lost
    assert max(lost) <= 0.017, lost


def test_half_of_the_parameters_are_gone(results):
    for result in results:
        assert 2 * result.stages["pruned"].parameters <= result.stages["dense"].parameters


def test_the_file_has_a_twentieth_of_the_bytes(results):
    for result in results:
        size = result.path.stat().st_size
        assert result.stages["quantized"].bytes == size
        assert 20 * size <= result.stages["dense"].bytes


def test_every_byte_is_accounted_for(results):
    for result in results:
        assert sum(result.ledger.values()) == result.path.stat().st_size
        assert storage.ledger(result.path) == result.ledger
