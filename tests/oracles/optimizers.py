"""Oracle for the optimizers and learning-rate schedules: one scalar parameter at a time, as PyTorch documents them."""

import math


def sgd(parameter, gradients, rates, momentum=0.0, nesterov=False, weight_decay=0.0):
    """The parameter after every step of stochastic gradient descent."""
    velocity, trajectory = 0.0, []
    for gradient, rate in zip(gradients, rates, strict=True):
        direction = gradient + weight_decay * parameter
        velocity = momentum * velocity + direction
        step = direction + momentum * velocity if nesterov else velocity
        parameter = parameter - rate * step
        trajectory.append(parameter)
    return trajectory


def adam(parameter, gradients, rates, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0, decoupled=False):
    """The parameter after every step of Adam; `decoupled` decays the parameter itself (AdamW)."""
    first, second, trajectory = 0.0, 0.0, []
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        if decoupled:
            parameter = parameter - rate * weight_decay * parameter
        else:
            gradient = gradient + weight_decay * parameter
        first = betas[0] * first + (1 - betas[0]) * gradient
        second = betas[1] * second + (1 - betas[1]) * gradient * gradient
        first_unbiased = first / (1 - betas[0] ** t)
        second_unbiased = second / (1 - betas[1] ** t)
        parameter = parameter - rate * first_unbiased / (math.sqrt(second_unbiased) + epsilon)
        trajectory.append(parameter)
    return trajectory


def adamw(parameter, gradients, rates, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.01):
    """Adam with decoupled decay."""
    return adam(parameter, gradients, rates, betas, epsilon, weight_decay, decoupled=True)


def step_schedule(base, step_size, gamma, t):
    """StepLR: base · gamma^⌊t/step_size⌋, the factor applied once for each full period."""
    rate = base
    for _ in range(t // step_size):
        rate = rate * gamma
    return rate


def cosine_schedule(base, total, minimum, t):
    """CosineAnnealingLR: minimum + (base − minimum)(1 + cos(π t/total))/2."""
    return minimum + (base - minimum) * (1 + math.cos(math.pi * t / total)) / 2
