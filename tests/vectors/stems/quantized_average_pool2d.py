"""Vectors of quantized average pooling: exact means of codes, and means that are rescaled in float32."""

import itertools
from fractions import Fraction

import numpy as np

from tests.oracles import quantized_average_pool2d as oracle
from tests.oracles.requantization import clip
from tests.oracles.rounding import to_format, to_integer
from tests.vectors.convolution import counting, read_last
from tests.vectors.integers import typed, wrap
from tests.vectors.specification import Function, Mutant, Stem

NONE = (0, 0, 0, 0)
WINDOWS = {
    "x": "(N, C, H, W) int8 array, channels first",
    "kernel_size": "[height, width]",
    "stride": "[height, width]",
    "padding": "[top, left, bottom, right], smaller than the kernel; its positions are not counted",
}
RANGE = {"qmin": "int", "qmax": "int"}
RETURNS = {"out": "(N, C, H_out, W_out) array of codes, of any integer type that holds qmin to qmax"}


def pooled(mean, x, kernel_size, stride, padding):
    """mean(codes of the window) of every window, or None where there is a window without codes, or no window."""
    found = oracle.windows(x.tolist(), kernel_size, stride, padding)
    if not found[0][0] or not found[0][0][0] or not all(codes for plane in found[0] for row in plane for codes in row):
        return None
    return np.array(
        [[[[mean(codes) for codes in row] for row in plane] for plane in image] for image in found], np.int64
    )


def of_windows(mean):
    """A mutant with another mean(codes, kernel's size)."""

    def answer(convention, qmin, qmax, **windows):
        size = windows["kernel_size"][0] * windows["kernel_size"][1]
        return out(pooled(lambda codes: clip(mean(codes, size), qmin, qmax), **windows))

    return answer


def out(codes):
    return None if codes is None else {"out": codes}


def given(**changes):
    """The formula of other arguments; each change is a function of all of them."""
    return lambda convention, **inputs: right(
        convention, **inputs | {name: change(**inputs) for name, change in changes.items()}
    )


def right(convention, qmin, qmax, **windows):
    return out(pooled(lambda codes: clip(oracle.mean(codes), qmin, qmax), **windows))


def by_rule(rule):
    return of_windows(lambda codes, size: to_integer(Fraction(sum(codes), len(codes)), rule))


def nudged(codes, size):
    """Half of the count is added whatever the sign, and the sum divided with truncation."""
    return to_integer(Fraction(sum(codes) + len(codes) // 2, len(codes)), "toward_zero")


def larger_border(x, kernel_size, stride, padding, **_):
    """Padding at bottom and right by which there is one more position where the stride leaves a rest."""
    top, left, bottom, right_ = padding
    rest = [-(x.shape[2 + d] + padding[d] + padding[d + 2] - kernel_size[d]) % stride[d] for d in range(2)]
    return top, left, bottom + rest[0], right_ + rest[1]


GEOMETRY = {
    "kernel: swapped": lambda make: Mutant(
        "height and width of the kernel change places", make(kernel_size=lambda kernel_size, **_: kernel_size[::-1])
    ),
    "stride: swapped": lambda make: Mutant(
        "height and width of the stride change places", make(stride=lambda stride, **_: stride[::-1])
    ),
    "stride: kernel": lambda make: Mutant(
        "the stride is the kernel's size", make(stride=lambda kernel_size, **_: kernel_size)
    ),
    "stride: ignored": lambda make: Mutant("the stride is 1", make(stride=lambda **_: (1, 1))),
    "padding: ignored": lambda make: Mutant("no padding", make(padding=lambda **_: NONE)),
    "padding: ends swapped": lambda make: Mutant(
        "bottom and right come before top and left", make(padding=lambda padding, **_: padding[2:] + padding[:2])
    ),
    "padding: rows and columns swapped": lambda make: Mutant(
        "top and left change places, bottom and right, too",
        make(padding=lambda padding, **_: tuple(padding[k] for k in (1, 0, 3, 2))),
    ),
    "padding: [top, bottom, left, right]": lambda make: Mutant(
        "the four numbers are taken in another order",
        make(padding=lambda padding, **_: tuple(padding[k] for k in (0, 2, 1, 3))),
    ),
    "output size: rounded up": lambda make: Mutant(
        "one position more where the stride leaves a rest", make(padding=larger_border)
    ),
    "layout: channels-last": lambda make: Mutant(
        "x's memory is read as (N, H, W, C)", make(x=lambda x, **_: read_last(x))
    ),
}


def images():
    """(x, kernel, stride, padding), of one thing each."""
    for pair in ([4, 6], [1, 2], [0, 1], [-1, 0], [-2, -1], [1, 4], [-1, -4], [127, 127], [-128, -128], [-128, -127]):
        yield np.array(pair, np.int8).reshape(1, 1, 1, 2), (1, 2), (1, 2), NONE
    for three in ([1, 0, 0], [1, 1, 0], [-1, 0, 0], [-1, -1, 0]):
        yield np.array(three, np.int8).reshape(1, 1, 1, 3), (1, 3), (1, 3), NONE
    yield counting((1, 1, 2, 3)), (2, 1), (1, 1), NONE
    yield counting((1, 1, 1, 5), -2), (1, 2), (1, 1), NONE
    yield counting((1, 1, 3, 4)), (1, 1), (1, 2), NONE
    yield counting((1, 1, 3, 3)), (1, 1), (2, 1), NONE
    yield counting((1, 1, 1, 4), 7), (1, 3), (1, 2), NONE
    for side in range(4):
        yield 3 * counting((1, 1, 3, 3)), (2, 2), (1, 1), tuple(int(k == side) for k in range(4))
    yield 5 * counting((1, 1, 2, 3)), (2, 2), (1, 1), (1, 0, 0, 1)
    yield counting((1, 2, 1, 3)), (1, 1), (1, 1), NONE
    yield counting((2, 3, 1, 2), -3), (1, 2), (1, 2), NONE


def candidates(convention):
    for x, kernel_size, stride, padding in images():
        for qmin, qmax in ((-128, 127), (2, 6)):
            yield {"x": x, "kernel_size": kernel_size, "stride": stride, "padding": padding, "qmin": qmin, "qmax": qmax}


AVERAGE_POOL2D = Function(
    summary="mean of a window's codes over its positions in the image, rounded half away from zero and clipped",
    parameters={**WINDOWS, **RANGE},
    returns=RETURNS,
    candidates=candidates,
    expected=right,
    mutants={
        **{name: make(given) for name, make in GEOMETRY.items()},
        "ties: toward +∞": Mutant("ties go up", by_rule("half_up")),
        "ties: toward zero": Mutant("ties go toward zero", by_rule("half_toward_zero")),
        "ties: to even": Mutant("ties go to the even code", by_rule("half_even")),
        "truncation: toward zero": Mutant("divided without rounding", by_rule("toward_zero")),
        "truncation: toward −∞": Mutant("shifted without rounding", by_rule("floor")),
        "nudge: of one sign": Mutant(
            "half of the count is added, also below 0, and the sum divided with truncation", of_windows(nudged)
        ),
        "padding: counted": Mutant(
            "divided by the kernel's size, outside of the image too",
            of_windows(lambda codes, size: to_integer(Fraction(sum(codes), size), "half_away")),
        ),
        "sum: int8": Mutant(
            "sums wrap at 8 bits",
            of_windows(lambda codes, size: oracle.mean([wrap(sum(codes), 8)] + [0] * (len(codes) - 1))),
        ),
        "clip: missing": Mutant(
            "codes are not clipped to qmin and qmax", given(qmin=lambda **_: -128, qmax=lambda **_: 127)
        ),
    },
    provenance="tests/oracles/quantized_average_pool2d.py, fractions",
    holds=lambda inputs: {"out": (inputs["qmin"], inputs["qmax"])},
)


# ---- rescaled in float32 ----


def float_steps(codes, size, x_scale, out_scale, x_zero_point, out_zero_point, *, fmt="float32", mean=None, end=None):
    """The oracle's steps, some of which can be other ones."""

    def fl(value):
        return to_format(Fraction(value), fmt)

    s_x, s_out = Fraction(float(x_scale)), Fraction(float(out_scale))
    total = Fraction(0)
    for q in codes:
        total = fl(total + fl(s_x * (q - x_zero_point)))
    ratio = fl((fl(total / len(codes)) if mean is None else mean(fl, total, len(codes), size)) / s_out)
    return to_integer(fl(ratio + out_zero_point), "half_even") if end is None else end(ratio, out_zero_point)


def rescaled(**steps):
    def answer(
        convention, x, kernel_size, stride, padding, x_scale, out_scale, x_zero_point, out_zero_point, qmin, qmax
    ):
        def code(codes):
            size = kernel_size[0] * kernel_size[1]
            q = float_steps(codes, size, x_scale, out_scale, x_zero_point, out_zero_point, **steps)
            return clip(q, qmin, qmax)

        return out(pooled(code, x, kernel_size, stride, padding))

    return answer


def given_float(**changes):
    return lambda convention, **inputs: rescaled()(
        convention, **inputs | {name: change(**inputs) for name, change in changes.items()}
    )


def expected_float(convention, x, kernel_size, **options):
    found = oracle.average_pool2d(
        x.tolist(), kernel_size, rounding="float", dtype="int8" if options["qmin"] < 0 else "uint8", **options
    )
    return {"out": np.array(found, np.int64)}


def by_columns(convention, x, kernel_size, stride, padding, **rest):
    """Windows summed column by column."""
    found = rescaled()(
        convention, x.swapaxes(2, 3), kernel_size[::-1], stride[::-1], tuple(padding[k] for k in (1, 0, 3, 2)), **rest
    )
    return {"out": found["out"].swapaxes(2, 3)}


def tie_after(rule):
    return lambda ratio, z: to_integer(to_format(ratio + z, "float32"), rule)


def float_candidates(convention):
    ends = {"qmin": -128, "qmax": 127}
    one = {"x_scale": np.float32(0.5), "out_scale": np.float32(0.5), "x_zero_point": 0, "out_zero_point": 0}
    for z_x, z_out in ((0, 0), (0, 3), (-5, 0), (4, -2)):
        for x, kernel_size, stride, padding in images():
            windows = {"x": x, "kernel_size": kernel_size, "stride": stride, "padding": padding}
            yield windows | one | {"x_zero_point": z_x, "out_zero_point": z_out} | ends
    for s_x, s_out in ((0.5, 0.25), (0.25, 0.5), (32, 0.5)):
        x = np.array([[[[-9, 6]]]], np.int8)
        windows = {"x": x, "kernel_size": (1, 2), "stride": (1, 2), "padding": NONE}
        scales = {"x_scale": np.float32(s_x), "out_scale": np.float32(s_out), "x_zero_point": 0, "out_zero_point": 3}
        for qmin, qmax in ((-128, 127), (3, 127), (0, 255)):
            yield windows | scales | {"qmin": qmin, "qmax": qmax}
    rng = np.random.default_rng(0)
    for (kernel, s), _ in itertools.product(
        (((1, 2), 0.1), ((1, 6), 0.3), ((2, 2), 0.7), ((2, 3), 0.1), ((2, 5), 0.3)), range(25)
    ):
        x = rng.integers(-9, 60, (1, 1, *kernel), np.int8)  # means that are ties but for the roundings on the way
        scales = {"x_scale": np.float32(s), "out_scale": np.float32(s), "x_zero_point": 0, "out_zero_point": 0}
        yield {"x": x, "kernel_size": kernel, "stride": kernel, "padding": NONE} | scales | ends


AVERAGE_POOL2D_FLOAT = Function(
    summary="mean of x_scale · (q − x_zero_point) over a window's positions in the image, row by row, then divided by "
    "out_scale, out_zero_point added, rounded half to even and clipped: every step in float32",
    parameters={
        **WINDOWS,
        "x_scale": "float32 scalar",
        "out_scale": "float32 scalar",
        "x_zero_point": "int",
        "out_zero_point": "int",
        **RANGE,
    },
    returns=RETURNS,
    candidates=float_candidates,
    expected=expected_float,
    mutants={
        **{name: make(given_float) for name, make in GEOMETRY.items()},
        "zero point of x: ignored": Mutant("x's zero point is not subtracted", given_float(x_zero_point=lambda **_: 0)),
        "output's zero point: ignored": Mutant(
            "the output's zero point is not added", given_float(out_zero_point=lambda **_: 0)
        ),
        "output's zero point: after the rounding": Mutant(
            "rounded first, then shifted by the zero point",
            rescaled(end=lambda ratio, z: to_integer(ratio, "half_even") + z),
        ),
        "scales: swapped": Mutant(
            "multiplied by out_scale, divided by x_scale",
            given_float(x_scale=lambda out_scale, **_: out_scale, out_scale=lambda x_scale, **_: x_scale),
        ),
        "scales: ignored": Mutant(
            "codes are pooled, not numbers", given_float(x_scale=lambda **_: 1, out_scale=lambda **_: 1)
        ),
        "ties: away from zero": Mutant("ties go away from zero", rescaled(end=tie_after("half_away"))),
        "ties: toward +∞": Mutant("ties go up", rescaled(end=tie_after("half_up"))),
        "truncation: toward zero": Mutant("cut off, not rounded", rescaled(end=tie_after("toward_zero"))),
        "padding: counted": Mutant(
            "divided by the kernel's size, outside of the image too",
            rescaled(mean=lambda fl, total, count, size: fl(total / size)),
        ),
        "reciprocal": Mutant(
            "multiplied by the reciprocal of the count",
            rescaled(mean=lambda fl, total, count, size: fl(total * fl(Fraction(1, count)))),
        ),
        "float64": Mutant("every step in float64", rescaled(fmt="float64")),
        "column by column": Mutant("the sum is formed in another order", by_columns),
        "clip: ends of the type": Mutant(
            "clipped to the 8 bits of the type, without the fused ReLU",
            given_float(
                qmin=lambda qmin, **_: -128 if qmin < 0 else 0, qmax=lambda qmin, **_: 127 if qmin < 0 else 255
            ),
        ),
    },
    provenance="tests/oracles/quantized_average_pool2d.py, exact float32 steps",
    holds=lambda inputs: {"out": (inputs["qmin"], inputs["qmax"])},
)

STEM = Stem({"average_pool2d": typed(AVERAGE_POOL2D), "average_pool2d_float": typed(AVERAGE_POOL2D_FLOAT)})
