"""The optimizers and schedules beside PyTorch's own, in float64."""

import numpy as np
import pytest

from refcompress import nn

torch = pytest.importorskip("torch", reason="python -m pip install '.[crosscheck]'")

pytestmark = pytest.mark.crosscheck

STEPS = 30
SHAPES = {"weight": (4, 3), "bias": (4,)}

SGD = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "decay": {"weight_decay": 0.05},
    "everything": {"momentum": 0.8, "nesterov": True, "weight_decay": 0.05},
}
ADAM = {
    "plain": {},
    "betas": {"betas": (0.8, 0.95)},
    "epsilon": {"epsilon": 1e-3},
    "decay": {"weight_decay": 0.05},
    "no decay": {"weight_decay": 0.0},
}
CASES = [
    *[("SGD", name, settings) for name, settings in SGD.items()],
    *[(kind, name, settings) for kind in ("Adam", "AdamW") for name, settings in ADAM.items()],
]


def torch_settings(settings):
    return {"eps" if key == "epsilon" else key: value for key, value in settings.items()}


def problem():
    rng = np.random.default_rng(17)
    # magnitudes in [1, 2]: relative tolerances mean something for every parameter
    parameters = {n: rng.uniform(1, 2, shape) * rng.choice([-1, 1], shape) for n, shape in SHAPES.items()}
    gradients = [{n: rng.uniform(-1, 1, shape) for n, shape in SHAPES.items()} for _ in range(STEPS)]
    return parameters, gradients


def check_both(kind, settings, schedule=None, torch_schedule=None):
    parameters, gradients = problem()
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    optimizer = getattr(nn, kind)(0.01, **settings)
    torch_optimizer = getattr(torch.optim, kind)(tensors.values(), lr=0.01, **torch_settings(settings))
    scheduler = torch_schedule(torch_optimizer) if torch_schedule else None
    for t, step in enumerate(gradients):
        if schedule is not None:
            optimizer.learning_rate = schedule(t)
            np.testing.assert_allclose(schedule(t), torch_optimizer.param_groups[0]["lr"], rtol=1e-12, atol=0)
        optimizer.step(parameters, step)
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(step[name])
        torch_optimizer.step()
        if scheduler is not None:
            scheduler.step()
        for name, tensor in tensors.items():
            # 30 steps of some ten roundings each on both sides: under 1e-13 of parameters near 1
            np.testing.assert_allclose(parameters[name], tensor.detach().numpy(), rtol=1e-12, atol=0)
    return parameters


@pytest.mark.parametrize(("kind", "name", "settings"), CASES, ids=[f"{kind}-{name}" for kind, name, _ in CASES])
def test_thirty_steps_equal_torch(kind, name, settings):
    initial, _ = problem()
    final = check_both(kind, settings)
    assert all((np.abs(final[n] - initial[n]) > 1e-4).all() for n in SHAPES)  # every parameter really moved


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_steps_under_a_step_schedule(kind):
    check_both(
        kind,
        {},
        nn.step_schedule(0.01, 7, gamma=0.3),
        lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.3),
    )


@pytest.mark.parametrize("minimum", [0.0, 0.002])
def test_steps_under_a_cosine_schedule(minimum):
    check_both(
        "SGD",
        {"momentum": 0.9},
        nn.cosine_schedule(0.01, STEPS, minimum=minimum),
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS, eta_min=minimum),
    )


def test_default_settings_are_torchs():
    for kind in ("Adam", "AdamW"):
        parameters, gradients = problem()
        tensors = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
        optimizer, torch_optimizer = getattr(nn, kind)(), getattr(torch.optim, kind)(tensors.values())
        for step in gradients:
            optimizer.step(parameters, step)
            for name, tensor in tensors.items():
                tensor.grad = torch.tensor(step[name])
            torch_optimizer.step()
        for name, tensor in tensors.items():
            np.testing.assert_allclose(parameters[name], tensor.detach().numpy(), rtol=1e-12, atol=0)
