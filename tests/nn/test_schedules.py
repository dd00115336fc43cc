"""Values and ranges of the schedules stand in test_optimizers.py beside the optimizers that follow them."""

import math

import pytest

from refcompress import nn


@pytest.mark.parametrize(
    ("build", "error", "match"),
    [
        (lambda: nn.step_schedule("0.1", 2), TypeError, "base"),
        (lambda: nn.step_schedule(math.inf, 2), ValueError, "base"),
        (lambda: nn.step_schedule(0.1, 2.0), TypeError, "step_size"),
        (lambda: nn.step_schedule(0.1, True), TypeError, "step_size"),
        (lambda: nn.step_schedule(0.1, 2, gamma=-0.5), ValueError, "gamma"),
        (lambda: nn.step_schedule(0.1, 2, gamma=math.nan), ValueError, "gamma"),
        (lambda: nn.cosine_schedule(None, 2), TypeError, "base"),
        (lambda: nn.cosine_schedule(0.1, 2.5), TypeError, "total"),
        (lambda: nn.cosine_schedule(0.1, 2, minimum=-1.0), ValueError, "minimum"),
        (lambda: nn.cosine_schedule(0.1, 2, minimum=math.inf), ValueError, "minimum"),
    ],
)
def test_refuses(build, error, match):
    with pytest.raises(error, match=match):
        build()


def test_a_constant_rate_is_a_schedule():
    assert [nn.step_schedule(0.1, 1, gamma=1.0)(t) for t in range(3)] == [0.1] * 3
    assert [nn.cosine_schedule(0.25, 3, minimum=0.25)(t) for t in range(4)] == [0.25] * 4


def test_a_rate_of_zero_and_a_gamma_of_zero():
    assert [nn.step_schedule(0.0, 1)(t) for t in range(3)] == [0.0] * 3
    assert [nn.step_schedule(0.5, 2, gamma=0.0)(t) for t in range(4)] == [0.5, 0.5, 0.0, 0.0]


def test_the_last_step_of_training_has_not_reached_the_minimum():
    """fit asks for t = 0 … total − 1, so that even the last step of a cosine moves the weights."""
    rate = nn.cosine_schedule(1.0, 2)
    assert [rate(t) > 0 for t in range(2)] == [True, True]
    assert rate(1) == pytest.approx(0.5, rel=1e-15)  # cos(π/2) is off by 6e-17
