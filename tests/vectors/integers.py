"""What the stems of integer arithmetic have in common: bits, conventions, and the types of their results."""

from dataclasses import replace

import numpy as np

INT32 = MIN, MAX = -(2**31), 2**31 - 1
ROUNDINGS = ("double", "double_up", "single", "float")


def by_integers(convention):
    return convention != "float"


def by_float(convention):
    return convention == "float"


def wrap(value, bits=32):
    return (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def clamp(value, bits=32):
    return np.clip(value, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def typed(function):
    """The function with integers in the first type that holds their range, answers that leave it in int64."""

    def cast(inputs, answer):
        if answer is None:
            return None
        found = {}
        for name, value in answer.items():
            kinds = [np.iinfo(t) for t in (np.int8, np.uint8, np.int16, np.int32)]
            low, high = function.holds(inputs)[name]
            kind = next(k for k in kinds if k.min <= low and high <= k.max)
            inside = kind.min <= value.min() and value.max() <= kind.max
            found[name] = value.astype(kind.dtype if inside else np.int64)
        return found

    def of(answer):
        return lambda convention, **inputs: cast(inputs, answer(convention, **inputs))

    mutants = {name: replace(mutant, answer=of(mutant.answer)) for name, mutant in function.mutants.items()}
    return replace(function, expected=of(function.expected), mutants=mutants)
