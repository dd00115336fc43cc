"""Properties of power-of-two scales."""

from collections.abc import Callable
from fractions import Fraction
from math import frexp
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.ranges import power_of_two

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "scale": lambda convention: lambda absmax, qmax: power_of_two.scale(absmax, qmax, convention)
}


@st.composite
def magnitudes(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 5 magnitudes, powers of two and of √2 times qmax and their neighbours among them, and qmax."""
    dtype = draw(st.sampled_from((np.float32, np.float64)))
    qmax = draw(st.sampled_from((1.0, 7.0, 127.0, 127.5, 255.0)) | st.floats(0.01, 1000))
    exponents = st.integers(-60, 60).map(lambda k: k / 2) | st.floats(-30, 30)
    absmax = qmax * np.exp2(np.array(draw(st.lists(exponents, min_size=1, max_size=5)))).astype(dtype)
    beside = draw(st.sampled_from((-1, 0, 1)))
    return {"absmax": (absmax + beside * np.spacing(absmax)).astype(dtype), "qmax": np.float64(qmax)}


def is_a_power_of_two(f: Callable[..., Any], convention: str, absmax: np.ndarray, qmax: float) -> None:
    """Every scale is a power of two, in the dtype and shape of absmax."""
    s = np.asarray(f(absmax, qmax))
    assert (s.dtype, s.shape) == (absmax.dtype, absmax.shape), (
        f"must be {absmax.dtype} {absmax.shape}, got {s.dtype} {s.shape}"
    )
    wrong = [float(v) for v in s if not v > 0 or frexp(v)[0] != 0.5]
    assert not wrong, f"{wrong} are no powers of two"


def reaches_absmax(f: Callable[..., Any], convention: str, absmax: np.ndarray, qmax: float) -> None:
    """Qmax times the scale is at least absmax where nothing may be clipped, else at least absmax / √2."""
    for a, s in zip(absmax, f(absmax, qmax), strict=True):
        squared = (Fraction(float(s)) * Fraction(float(qmax)) / Fraction(float(a))) ** 2
        least = Fraction(1) if convention == "ceil" else Fraction(1, 2)
        assert squared >= least, f"{qmax} · {s} is too little for {a}"


def is_no_larger_than_needed(f: Callable[..., Any], convention: str, absmax: np.ndarray, qmax: float) -> None:
    """Qmax times half of the scale does not reach as far."""
    for a, s in zip(absmax, f(absmax, qmax), strict=True):
        squared = (Fraction(float(s)) / 2 * Fraction(float(qmax)) / Fraction(float(a))) ** 2
        least = Fraction(1) if convention == "ceil" else Fraction(1, 2)
        assert squared < least, f"{qmax} · {s / 2} is enough for {a}, got the scale {s}"


def grows_with_absmax(f: Callable[..., Any], convention: str, absmax: np.ndarray, qmax: float) -> None:
    """A larger absmax has no smaller scale, and twice the absmax has twice the scale."""
    ordered = np.sort(absmax)
    s, twice = np.asarray(f(ordered, qmax)), np.asarray(f(2 * ordered, qmax))
    assert (np.diff(s) >= 0).all(), f"{ordered.tolist()} have the scales {s.tolist()}"
    assert (twice == 2 * s).all(), f"{ordered.tolist()} have {s.tolist()}, and twice that has {twice.tolist()}"


def takes_each_alone(f: Callable[..., Any], convention: str, absmax: np.ndarray, qmax: float) -> None:
    """A scale does not depend on the other groups."""
    together = np.asarray(f(absmax, qmax)).tolist()
    alone = [float(np.asarray(f(absmax[k : k + 1], qmax))[0]) for k in range(len(absmax))]
    assert together == alone, f"together {together}, alone {alone}"


PROPERTIES = (
    Property("scale", is_a_power_of_two, magnitudes),
    Property("scale", reaches_absmax, magnitudes),
    Property("scale", is_no_larger_than_needed, magnitudes),
    Property("scale", grows_with_absmax, magnitudes),
    Property("scale", takes_each_alone, magnitudes),
)
AGREES = {"scale": magnitudes}
LONGER = {"scale": longer(magnitudes, repeated(absmax=0))}
