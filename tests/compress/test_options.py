import dataclasses
import math

import numpy as np
import pytest

from refcompress.compress import Criterion, Options, Scheme


def test_defaults():
    assert vars(Options()) == {
        "net": "listing",
        "seed": 0,
        "epochs": 10,
        "finetune_epochs": 5,
        "batch_size": 32,
        "learning_rate": 0.05,
        "momentum": 0.9,
        "augment": True,
        "winograd": False,
        "record": "all",
        "criterion": Criterion(),
        "scheme": Scheme(),
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"net": "mlp"},
        {"net": "lenet-300-100"},
        {"net": "lenet-5"},
        {"winograd": True},
        {"net": "mlp", "winograd": False},
        {"seed": 2**63},
        {"epochs": 1, "finetune_epochs": 0, "batch_size": 1},
        {"learning_rate": 1e-300, "momentum": 0.0},
        {"record": "last:1"},
        {"record": "after:0"},
        {"record": "after:12345"},
    ],
)
def test_accepts(settings):
    options = Options(**settings)
    assert {name: getattr(options, name) for name in settings} == settings


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"net": "resnet"}, ValueError, "net must be one of listing, mlp, lenet-300-100, lenet-5"),
        ({"net": None}, ValueError, "net"),
        ({"seed": -1}, ValueError, "seed"),
        ({"seed": 1.0}, TypeError, "seed"),
        ({"seed": True}, TypeError, "seed"),
        ({"seed": "0"}, TypeError, "seed"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"epochs": 2.5}, TypeError, "epochs"),
        ({"finetune_epochs": -1}, ValueError, "finetune_epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate"),
        ({"learning_rate": -0.1}, ValueError, "learning_rate"),
        ({"learning_rate": math.inf}, ValueError, "learning_rate"),
        ({"learning_rate": math.nan}, ValueError, "learning_rate"),
        ({"learning_rate": "0.1"}, TypeError, "learning_rate"),
        ({"momentum": 1.0}, ValueError, "momentum"),
        ({"momentum": -0.1}, ValueError, "momentum"),
        ({"momentum": math.nan}, ValueError, "momentum"),
        ({"winograd": 1}, TypeError, "winograd must be True or False"),
        ({"net": "mlp", "winograd": True}, ValueError, "winograd must be False but for the net 'listing', .*'mlp'"),
        ({"net": "lenet-5", "winograd": True}, ValueError, "winograd"),  # its kernels are 5 × 5
        ({"record": "first:3"}, ValueError, "record must be all, last:K or after:K, got 'first:3'"),
        ({"record": "last"}, ValueError, "record"),
        ({"record": "last:"}, ValueError, "record"),
        ({"record": "last:0"}, ValueError, "record"),
        ({"record": "last:-3"}, ValueError, "record"),
        ({"record": "last:3.0"}, ValueError, "record"),
        ({"record": "last: 3"}, ValueError, "record"),
        ({"record": "last:3:4"}, ValueError, "record"),
        ({"record": "last:\u0663"}, ValueError, "record"),  # a digit, but not one of ours
        ({"record": "all:3"}, ValueError, "record"),
        ({"record": ""}, ValueError, "record"),
        ({"record": "after:-1"}, ValueError, "record"),
        ({"record": "ALL"}, ValueError, "record"),
        ({"record": 5}, TypeError, "record"),
        ({"record": None}, TypeError, "record"),
    ],
)
def test_refuses(settings, error, match):
    with pytest.raises(error, match=match):
        Options(**settings)


@pytest.mark.parametrize(
    ("record", "steps", "expected"),
    [
        ("all", 7, 0),
        ("all", 1, 0),
        ("last:7", 7, 0),
        ("last:3", 7, 4),
        ("last:1", 7, 6),
        ("after:0", 7, 0),
        ("after:6", 7, 6),
    ],
)
def test_first_recorded(record, steps, expected):
    assert Options(record=record).first_recorded(steps) == expected


@pytest.mark.parametrize(
    ("record", "steps", "ddof"),
    [("last:8", 7, 0), ("after:7", 7, 0), ("after:8", 7, 0), ("last:1", 7, 1), ("after:6", 7, 1), ("all", 1, 1)],
)
def test_first_recorded_refuses_too_few_iterations(record, steps, ddof):
    options = Options(record=record, criterion=Criterion(ddof=ddof))
    with pytest.raises(ValueError, match=f"record must leave more than ddof = {ddof} of the {steps} iterations"):
        options.first_recorded(steps)


def test_options_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Options().seed = 1


def test_numpys_numbers_become_pythons():
    """The seed is stored in the file as JSON, which knows Python's integers only."""
    assert type(Options(seed=np.int64(3)).seed) is int
