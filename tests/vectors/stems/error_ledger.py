"""Vectors of the error ledger: the parts of a squared error, those of a quantization, and the signal to noise ratio.

All ledgers are of small multiples of powers of two, so that every product and every sum is exact in float64; and no
part is a sum of zeros, which may be 0 or −0.
"""

from fractions import Fraction
from itertools import pairwise

import numpy as np

from tests.oracles import error_ledger as oracle
from tests.oracles import rounding
from tests.vectors.specification import Function, Mutant, Stem

PARTS = ("clipping", "rounding", "scale_storage", "format", "total")
STAGES = ("x", "clipped", "rounded", "stored", "restored")


def exact(x):
    return [Fraction(float(value)) for value in np.ravel(x)]


def ledger(values):
    assert all(float(value) == value for value in values)
    return {name: np.float64(value) for name, value in zip(PARTS, values, strict=True)}


def stages(convention):
    for dtype in (np.float64, np.float32):
        for arrays in (
            [[4.0], [3.0], [2.0], [2.5], [1.0]],
            [[1.0, -2.0], [1.0, -1.5], [0.5, -1.0], [0.75, -1.5], [0.75, -1.625]],
            [[4097.0], [4.0], [3.0], [1.0], [0.0]],
        ):
            yield {name: np.array(values, dtype) for name, values in zip(STAGES, arrays, strict=True)}


def of_stages(convention, **given):
    return ledger(oracle.ledger(*(exact(x) for x in given.values())))


def parts(sentence, function):
    """A variant from function(steps e_1 … e_4, the whole error e) of the four parts, or of these and the total."""

    def answer(convention, **given):
        arrays = [np.asarray(x, np.float64) for x in given.values()]
        steps = [after - before for before, after in pairwise(arrays)]
        found = [float(value) for value in function(steps, arrays[-1] - arrays[0])]
        return ledger(found if len(found) == 5 else [*found, sum(found)])

    return Mutant(sentence, answer)


def of_other_stages(sentence, *order):
    """A variant that takes the stages in another order."""

    def answer(convention, **given):
        return of_stages(convention, **{name: given[other] for name, other in zip(STAGES, order, strict=True)})

    return Mutant(sentence, answer)


def of_other_parts(sentence, **others):
    def answer(convention, **given):
        right = of_stages(convention, **given)
        return {name: right[others.get(name, name)] for name in PARTS}

    return Mutant(sentence, answer)


def left_over(steps, e):
    """The first three as squares; the last part takes what the total leaves."""
    squares = [(step**2).sum() for step in steps[:3]]
    return [*squares, (e**2).sum() - sum(squares)]


def so_far(steps, e):
    squares = [(np.sum(steps[:k], axis=0) ** 2).sum() for k in range(5)]
    return [b - a for a, b in pairwise(squares)]


def float32_ledger(convention, **given):
    if given["x"].dtype == np.float64:
        return of_stages(convention, **given)
    e = given["restored"] - given["x"]
    found = [((after - before) * e).sum() for before, after in pairwise(given.values())]
    return ledger([*found, (e**2).sum()])


LEDGER = Function(
    summary="the squared error of five stages in four parts, Σ e_k·e, which sum to the total, Σ e², e_k what step k "
    "adds and e all of it; in float64",
    parameters={
        "x": "(n,) float32 or float64 array, the weights",
        "clipped": "(n,) array of x's dtype, after clipping",
        "rounded": "(n,) array of x's dtype, as they come back with the scale as computed",
        "stored": "(n,) array of x's dtype, as they come back with the scale as stored",
        "restored": "(n,) array of x's dtype, in the output's format",
    },
    returns=dict.fromkeys(PARTS, "float64 scalar"),
    candidates=stages,
    expected=of_stages,
    mutants={
        "squares of the steps": parts("Σ e_k², no cross terms", lambda steps, e: [(s**2).sum() for s in steps]),
        "squares, and the total": parts(
            "Σ e_k² do not sum to Σ e²", lambda steps, e: [*((s**2).sum() for s in steps), (e**2).sum()]),
        "rest in the last part": parts("the cross terms are not shared", left_over),
        "stage by stage": parts("what each adds to the squared error so far", so_far),
        "cross terms twice": parts(
            "2·Σ e_k·e − Σ e_k²", lambda steps, e: [(2 * s * e - s**2).sum() for s in steps]),
        "magnitudes": parts("Σ |e_k·e|", lambda steps, e: [np.abs(s * e).sum() for s in steps]),
        "sign of the error": parts(
            "minus Σ e_k·e", lambda steps, e: [*(-(s * e).sum() for s in steps), (e**2).sum()]),
        "means": parts("divided by n", lambda steps, e: [(s * e).mean() for s in steps]),
        "sums squared": parts("(Σ e_k)·(Σ e)", lambda steps, e: [s.sum() * e.sum() for s in steps]),
        "roots": parts("√ of the total", lambda steps, e: [*((s * e).sum() for s in steps), np.sqrt((e**2).sum())]),
        "rounded before clipped": of_other_stages(
            "two stages exchanged", "x", "rounded", "clipped", "stored", "restored"),
        "stored before rounded": of_other_stages(
            "two stages exchanged", "x", "clipped", "stored", "rounded", "restored"),
        "error of stored": of_other_stages(
            "the output's format is left out", "x", "clipped", "rounded", "stored", "stored"),
        "storage and format": of_other_parts("two parts exchanged", scale_storage="format", format="scale_storage"),
        "dtype: float32 inside": Mutant("of float32 arrays", float32_ledger),
    },
    provenance="tests/oracles/error_ledger.py, Fraction",
)  # fmt: skip


def quantizations(convention):
    for x, scale, zero_point, qmin, qmax, stored_scale, output in (
        # multiples of 1 + 2⁻¹⁰ that float16 rounds
        ([0.75, 2.5, 9.0], 1.0, 0, 0, 7, 1.0 + 2.0**-10, "float16"),
        ([-3.25, 0.5, 4.0], 1.0, 1, 0, 7, 1.0 + 2.0**-10, "float16"),
        ([-5.0, 0.5, 2.75, 9.0], 1.0, 2, 0, 7, 1.25 + 2.0**-10, "float16"),
        ([-9.0, -2.5, 1.75], 0.5, 0, -8, 7, 0.75 + 2.0**-10, "float16"),
    ):
        yield {
            "x": np.array(x, np.float32),
            "scale": np.float32(scale),
            "zero_point": zero_point,
            "qmin": qmin,
            "qmax": qmax,
            "stored_scale": np.float32(stored_scale),
            "output": output,
        }


def stages_of(convention, x, scale, zero_point, qmin, qmax, stored_scale, output):
    s, stored = (Fraction(float(value)) for value in (scale, stored_scale))
    return oracle.stages(exact(x), s, zero_point, qmin, qmax, stored, convention == "requantized", output)


def of_quantization(convention, **given):
    return ledger(oracle.ledger(*stages_of(convention, **given)))


def asked(sentence, only=None, other=None, **changes):
    """A variant that asks for the ledger of something else: another convention, or functions of the arguments."""

    def answer(convention, **given):
        changed = given | {name: change(given) for name, change in changes.items()}
        return of_quantization(other or convention, **changed)

    return Mutant(sentence, answer, lambda convention: only in (None, convention))


def rounded_by(rule):
    """A variant with another rule for the codes."""

    def answer(convention, **given):
        s, stored, Z = Fraction(float(given["scale"])), Fraction(float(given["stored_scale"])), given["zero_point"]

        def code(x, s):
            return min(max(rounding.to_integer(x / s, rule) + Z, given["qmin"]), given["qmax"]) - Z

        x, clipped, *_ = stages_of(convention, **given)
        rounded = [s * code(value, s) for value in x]
        kept = [stored * code(value, stored if convention == "requantized" else s) for value in x]
        restored = [rounding.to_format(value, given["output"]) for value in kept]
        return ledger(oracle.ledger(x, clipped, rounded, kept, restored))

    return Mutant(f"by {rule}", answer)


def unclipped(convention, **given):
    """All of the codes' error counts as rounding."""
    right = of_quantization(convention, **given)
    return right | {"clipping": np.float64(0), "rounding": right["rounding"] + right["clipping"]}


def in_order(convention, **given):
    """Each stage's squared error less that of the stage before."""
    x, *others = stages_of(convention, **given)
    errors = [Fraction(0), *(sum((a - b) ** 2 for a, b in zip(x, stage, strict=True)) for stage in others)]
    return ledger([*(b - a for a, b in pairwise(errors)), errors[-1]])


OF = Function(
    summary="the ledger of a float32 tensor with codes clip(round(x/s) + Z), ties to even, and values s·(q − Z), in "
    "float32: x, clipped to the values of qmin and qmax, back with scale, with stored_scale, in the output's format",
    parameters={
        "x": "(n,) float32 array, the weights",
        "scale": "float32 scalar, as computed",
        "zero_point": "int, Z",
        "qmin": "int, the smallest code",
        "qmax": "int, the largest code",
        "stored_scale": "float32 scalar, the scale of the values and, in the convention requantized, of their codes",
        "output": '"float32" or "float16", format of the values',
    },
    returns=dict.fromkeys(PARTS, "float64 scalar"),
    conventions=(("codes_kept",), ("requantized",)),
    candidates=quantizations,
    expected=of_quantization,
    mutants={
        "codes made again": asked("with the stored scale", "codes_kept", "requantized"),
        "codes kept": asked("from the scale as computed", "requantized", "codes_kept"),
        "stored scale left out": asked("values by the scale as computed", stored_scale=lambda given: given["scale"]),
        "stored scale for all": asked("also for clipping and rounding", scale=lambda given: given["stored_scale"]),
        "output left out": asked("float32 in any case", output=lambda given: "float32"),
        "zero point left out": asked("Z = 0", zero_point=lambda given: 0),
        "highest code not used": asked("clipped at qmax − 1", qmax=lambda given: given["qmax"] - 1),
        "lowest code not used": asked("clipped at qmin + 1", qmin=lambda given: given["qmin"] + 1),
        "ties: half away from zero": rounded_by("half_away"),
        "rounding: floor": rounded_by("floor"),
        "clipping counts as rounding": Mutant("in one part", unclipped),
        "stage by stage": Mutant("what each adds to the squared error so far", in_order),
    },
    provenance="tests/oracles/error_ledger.py, Fraction",
)  # fmt: skip


def signals(convention):
    for dtype in (np.float64, np.float32):
        for x, restored in (
            ([3.0, 4.0], [3.0, 4.5]),
            ([1.0], [2.0]),
            ([1.0], [11.0]),
            ([3.0, 4.0], [3.0, 4.0]),
            ([2.0, 0.0], [1.0, 1.0]),
            ([1.0, -4.0, 2.0], [1.5, -3.0, 2.0]),
            ([300.0], [300.015625]),
        ):
            yield {"x": np.array(x, dtype), "restored": np.array(restored, dtype)}
    for power in (-600, 600):
        yield {"x": np.ldexp([3.0, 4.0], power), "restored": np.ldexp([3.0, 4.5], power)}
    yield {"x": np.array([2.0**70, 2.0**71], np.float32), "restored": np.array([2.0**70, 3 * 2.0**69], np.float32)}


def decibels(convention, x, restored):
    return {"decibels": np.float64(float(oracle.sqnr(exact(x), exact(restored))))}


def ratio(sentence, function):
    """A variant from function(x, x̂) in float64."""

    def answer(convention, x, restored):
        with np.errstate(all="ignore"):
            return {"decibels": np.float64(function(x.astype(np.float64), restored.astype(np.float64)))}

    return Mutant(sentence, answer)


def power(x):
    return (x**2).sum()


def in_db(signal, noise):
    return 10 * np.log10(signal / noise)


def float32_decibels(convention, x, restored):
    if x.dtype == np.float64:
        return decibels(convention, x, restored)
    with np.errstate(all="ignore"):
        return {"decibels": np.float64(in_db(power(x), power(x - restored)))}


SQNR = Function(
    summary="signal to quantization noise ratio: 10·log₁₀(Σ x² / Σ (x − x̂)²), in float64, "
    "without intermediate overflow or underflow",
    parameters={"x": "(n,) float32 or float64 array", "restored": "(n,) array of x's dtype, x̂"},
    returns={"decibels": "float64 scalar; inf where x̂ is x"},
    candidates=signals,
    expected=decibels,
    mutants={
        "20 log₁₀": ratio("of the ratio of squares", lambda x, y: 2 * in_db(power(x), power(x - y))),
        "10 log₁₀ of amplitudes": ratio("√ of the ratio", lambda x, y: in_db(power(x), power(x - y)) / 2),
        "natural logarithm": ratio("10·ln", lambda x, y: 10 * np.log(power(x) / power(x - y))),
        "noise to signal": ratio("the other sign", lambda x, y: -in_db(power(x), power(x - y))),
        "signal of the restored": ratio("Σ x̂²", lambda x, y: in_db(power(y), power(x - y))),
        "peak": ratio("n · max|x|² for Σ x²", lambda x, y: in_db(x.size * np.abs(x).max() ** 2, power(x - y))),
        "variance": ratio("the mean is taken off x", lambda x, y: in_db(power(x - x.mean()), power(x - y))),
        "variance of the noise": ratio(
            "the mean is taken off the error", lambda x, y: in_db(power(x), power(x - y - (x - y).mean()))),
        "mean signal to summed noise": ratio("off by n", lambda x, y: in_db((x**2).mean(), power(x - y))),
        "magnitudes": ratio("Σ |x| / Σ |x − x̂|", lambda x, y: 2 * in_db(np.abs(x).sum(), np.abs(x - y).sum())),
        "ε below": ratio("10⁻¹² is added to the noise", lambda x, y: in_db(power(x), power(x - y) + 1e-12)),
        "no noise: 0": ratio("of equal arrays", lambda x, y: in_db(power(x), power(x - y)) if (x != y).any() else 0.0),
        "squares overflow or vanish": ratio(
            "of very large and very small numbers", lambda x, y: in_db(power(x), power(x - y))),
        "dtype: float32 inside": Mutant("of float32 arrays", float32_decibels),
    },
    provenance="tests/oracles/error_ledger.py, mpmath with 40 digits",
    # Differences, squares, sums of 3 and the quotient are 8 roundings of 2⁻⁵³, and each takes 10/ln 10 < 4.4 dB of the
    # ratio: 2⁻⁴⁷. The logarithms of the two sums apart are at most 20·log₁₀ 2⁶⁰³ < 4096 dB, one ulp of which is 2⁻⁴¹:
    # with 4 ulp each for logarithm and product, 2·8·2⁻⁴¹ = 2⁻³⁷.
    tolerance=lambda inputs: {"decibels": 2.0**-36},
)  # fmt: skip

STEM = Stem({"ledger": LEDGER, "of": OF, "sqnr": SQNR})
