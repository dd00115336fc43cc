"""Wrong power-of-two scales: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.ranges import power_of_two


def floor_plus_one(absmax, qmax):
    """Where absmax / qmax is a power of two, the next one."""
    return np.ldexp(absmax.dtype.type(1), np.frexp(absmax / absmax.dtype.type(qmax))[1])


def by_logarithm(absmax, qmax):
    return np.exp2(np.ceil(np.log2(absmax / absmax.dtype.type(qmax))))


def cut_off(absmax, qmax):
    """C's conversion of the logarithm: up below 1, down above."""
    return np.exp2(np.trunc(np.log2(absmax / absmax.dtype.type(qmax))))


def one_for_all(absmax, qmax):
    return power_of_two.scale(np.full_like(absmax, absmax.max()), qmax)


# property: (convention, wrong implementation)
PLANTED = {
    "is_a_power_of_two": ("ceil", lambda absmax, qmax: absmax / absmax.dtype.type(qmax)),
    "reaches_absmax": ("ceil", by_logarithm),
    "is_no_larger_than_needed": ("ceil", floor_plus_one),
    "grows_with_absmax": ("nearest", cut_off),
    "takes_each_alone": ("ceil", one_for_all),
}
