"""Properties of the error ledger."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import at_times_longer, longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import error_ledger

STAGES = ("x", "clipped", "rounded", "stored", "restored")


def of_codes(convention: str) -> Callable[..., Any]:
    """Return the ledger of a quantization, with its arguments by place."""

    def of(x: Any, scale: Any, zero_point: int, qmin: int, qmax: int, stored_scale: Any, output: str) -> Any:
        anew = convention == "requantized"
        return error_ledger.of(
            x, scale, zero_point, qmin, qmax, "onnx", stored_scale=stored_scale, requantize=anew, dtype=np.dtype(output)
        )

    return of


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "ledger": lambda convention: error_ledger.ledger,
    "of": of_codes,
    "sqnr": lambda convention: error_ledger.sqnr,
}


@st.composite
def stages(draw: st.DrawFn, convention: str, values: st.SearchStrategy[float]) -> dict[str, Any]:
    """Five arrays of up to 4 numbers."""
    count = draw(st.integers(1, 4))
    drawn = draw(st.lists(st.lists(values, min_size=count, max_size=count), min_size=5, max_size=5))
    return {name: np.array(stage) for name, stage in zip(STAGES, drawn, strict=True)}


def eighths(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Small multiples of 1/8, of which all products and sums are exact."""
    return stages(convention, st.integers(-40, 40).map(lambda k: k / 8))


def floats(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Numbers whose products are rounded."""
    return stages(convention, st.integers(-40, 40).map(lambda k: k / 10))


def changing(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Stages in which no part is a sum of zeros alone, which may be 0 or −0."""

    def changes(drawn: dict[str, Any]) -> bool:
        x, *others = drawn.values()
        steps = np.diff([x, *others], axis=0)
        return bool((steps * (others[-1] - x)).any(axis=1).all())

    return eighths(convention).filter(changes)


@st.composite
def quantizations(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Multiples of 1/64, and scales that are multiples of 1/1024."""
    bits = draw(st.integers(1, 5))
    x = draw(st.lists(st.integers(-400, 400).map(lambda k: k / 64), min_size=1, max_size=6))
    scale, stored = (np.float32(draw(st.integers(1, 2048)) / 1024) for _ in range(2))
    return {
        "x": np.array(x, np.float32),
        "scale": scale,
        "zero_point": draw(st.integers(0, 2**bits - 1)),
        "qmin": 0,
        "qmax": 2**bits - 1,
        "stored_scale": stored,
        "output": draw(st.sampled_from(["float32", "float16"])),
    }


@st.composite
def signals(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Integers and errors in eighths, neither all zero."""
    numbers = st.integers(-40, 40)
    pairs = draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x, error = (np.array(values, dtype) for values in zip(*pairs, strict=True))
    x[0] += not x.any()
    error[0] += not error.any()
    return {"x": x, "error": error / 8}


many_signals = at_times_longer(signals, repeated(x=0, error=0))


@st.composite
def losses(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Quantizations in which all steps lose something, so that no part is 0, which may be −0.

    The last weight is clipped to the last code, and the stored scale times that one, 3 or more, has too many bits.
    """
    given = draw(quantizations(convention))
    Z, qmax = given["zero_point"] % 4, given["qmax"] + 7
    s = given["scale"] + np.float32(0.5)
    x = np.append(given["x"], s * np.float32(qmax - Z + 1))
    stored = np.float32(draw(st.integers(512, 1023)) / 512 + 1 / 1024)
    lossy = given | {"x": x, "scale": s, "zero_point": Z, "qmax": qmax, "stored_scale": stored, "output": "float16"}
    assume(all(of_codes(convention)(*lossy.values())))
    return lossy


def numbers(result: Any) -> list[float]:
    """Five results as Python floats."""
    return [float(value) for value in result]


def sums_to_the_total(f: Callable[..., Any], convention: str, **arrays: np.ndarray) -> None:
    """The four parts sum to the total exactly."""
    *parts, total = numbers(f(*arrays.values()))
    off = sum(map(Fraction, parts)) - Fraction(total)
    assert off == 0, f"the parts {parts} sum to {total} {float(off):+.3g}"


def charges_only_steps(f: Callable[..., Any], convention: str, **arrays: np.ndarray) -> None:
    """A step that changes nothing has the part 0."""
    given = list(arrays.values())
    for k in range(4):
        parts = numbers(f(*given[: k + 1], given[k], *given[k + 2 :]))
        assert parts[k] == 0, f"{STAGES[k + 1]} is {STAGES[k]}, but its part is {parts[k]}"


def is_quadratic(f: Callable[..., Any], convention: str, **arrays: np.ndarray) -> None:
    """Stages that are twice as large have parts 4 times as large."""
    once, twice = numbers(f(*arrays.values())), numbers(f(*(2 * stage for stage in arrays.values())))
    assert twice == [4 * part for part in once], f"the parts are {once}, and of stages twice as large {twice}"


def adds_over_weights(f: Callable[..., Any], convention: str, **arrays: np.ndarray) -> None:
    """The ledger of several weights is the sum of the ledgers of each."""
    together = numbers(f(*arrays.values()))
    each = [numbers(f(*(stage[i : i + 1] for stage in arrays.values()))) for i in range(len(arrays["x"]))]
    sums = [sum(parts) for parts in zip(*each, strict=True)]
    assert together == sums, f"the parts are {together}, the sums of single weights' {sums}"


def follows_the_steps(f: Callable[..., Any], convention: str, **arrays: np.ndarray) -> None:
    """If clipping and rounding exchange their steps, they exchange their parts."""
    x, clipped, rounded, *others = arrays.values()
    parts, other = numbers(f(*arrays.values())), numbers(f(x, x + rounded - clipped, rounded, *others))
    wanted = [parts[1], parts[0], *parts[2:]]
    assert other == wanted, f"the parts are {parts}, with the first two steps exchanged {other}"


def parts_of_codes_sum(f: Callable[..., Any], convention: str, **given: Any) -> None:
    """The parts of a quantization sum to the squared error that it leaves."""
    *parts, total = numbers(f(*given.values()))
    assert math.fsum(parts) == total, f"the parts {parts} sum to {math.fsum(parts)}, the total is {total}"


def charges_only_losses(f: Callable[..., Any], convention: str, **given: Any) -> None:
    """A scale stored as it is has no part, nor has the output's format where it is float32."""
    *_, storage, output, _ = numbers(f(*(given | {"stored_scale": given["scale"], "output": "float32"}).values()))
    assert storage == output == 0, f"nothing is lost, but the parts are {storage} and {output}"


def is_free_on_the_codes(f: Callable[..., Any], convention: str, **given: Any) -> None:
    """Weights s·(q − Z) have no error, and those half a step beyond the last code are clipped by s²/4 each."""
    s, Z, qmax = given["scale"], given["zero_point"], given["qmax"]
    on = s * np.arange(-Z, qmax - Z + 1, dtype=np.float32)
    same = {"stored_scale": s, "output": "float32"}
    parts = numbers(f(*(given | same | {"x": on}).values()))
    assert not any(parts), f"{on.tolist()} are the values of codes, but have the parts {parts}"
    beyond = np.array([s * np.float32(qmax - Z + 0.5), s * np.float32(-Z - 0.5)])
    parts = numbers(f(*(given | same | {"x": beyond}).values()))
    wanted = float(s) ** 2 / 2
    assert parts == [wanted, 0, 0, 0, wanted], f"{beyond.tolist()} must be clipped by {wanted}, the parts are {parts}"


def is_near(decibels: Any, wanted: float) -> bool:
    """Within the roundings of a quotient of sums, which are exact, and of a logarithm below 100 dB: some 2⁻⁴⁴ of it."""
    return abs(float(decibels) - wanted) <= 2.0**-36


def is_zero_for_no_signal(f: Callable[..., Any], convention: str, x: np.ndarray, error: np.ndarray) -> None:
    """Zeros have as much noise as there was signal: 0 dB."""
    found = f(x, np.zeros_like(x))
    assert is_near(found, 0), f"{x.tolist()} and zeros must have 0 dB, got {found}"


def gains_six_decibels_a_bit(f: Callable[..., Any], convention: str, x: np.ndarray, error: np.ndarray) -> None:
    """Errors half as large have 20·log₁₀ 2 dB more."""
    once, half = float(f(x, x + error)), float(f(x, x + error / 2))
    assert is_near(half, once + 20 * math.log10(2)), f"{once} dB become {half} with half of the error"


def knows_no_unit(f: Callable[..., Any], convention: str, x: np.ndarray, error: np.ndarray) -> None:
    """Signal and restored in a unit 2⁶⁰ times as small have the same ratio."""
    found, other = float(f(x, x + error)), float(f(x * x.dtype.type(2.0**60), (x + error) * x.dtype.type(2.0**60)))
    assert is_near(other, found), f"{found} dB become {other} in another unit"


def is_infinite_without_noise(f: Callable[..., Any], convention: str, x: np.ndarray, error: np.ndarray) -> None:
    """No error is ∞ dB, and any error less."""
    assert f(x, x.copy()) == math.inf, f"{x.tolist()} restored as it was must have ∞ dB, got {f(x, x.copy())}"
    assert f(x, x + error) < math.inf, f"{x.tolist()} with an error must not have ∞ dB"


PROPERTIES = (
    Property("ledger", sums_to_the_total, floats),
    Property("ledger", charges_only_steps, eighths),
    Property("ledger", is_quadratic, eighths),
    Property("ledger", adds_over_weights, eighths),
    Property("ledger", follows_the_steps, eighths),
    Property("of", parts_of_codes_sum, quantizations),
    Property("of", charges_only_losses, quantizations),
    Property("of", is_free_on_the_codes, quantizations),
    Property("sqnr", is_zero_for_no_signal, many_signals),
    Property("sqnr", gains_six_decibels_a_bit, many_signals),
    Property("sqnr", knows_no_unit, many_signals),
    Property("sqnr", is_infinite_without_noise, many_signals),
)
AGREES = {"ledger": changing, "of": losses}
LONGER = {"ledger": longer(changing, repeated(**dict.fromkeys(STAGES, 0))), "of": longer(losses, repeated(x=0))}
