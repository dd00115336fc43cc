"""The axes on which implementations of affine quantization differ, the values of each, and what they mean."""

from collections.abc import Mapping

from refcompress.formulas.quantization.rounding import RULES

AXES: Mapping[str, Mapping[str, str]] = {
    # from a number to its code, and back
    "rounding": {rule: f"rounding {rule}" for rule in RULES}
    | {"add_half": "rounding to ⌊fl(t + ½)⌋, in which the sum is rounded too"},
    "quotient": {
        "divide": "x is divided by s",
        "reciprocal": "x is multiplied by the rounded 1/s",
        "fused": "x is multiplied by the rounded 1/s and Z added, with one rounding for both",
        "multiply": "x is multiplied by s, the number of codes per unit",
    },
    "zero_point_added": {
        "after": "the zero point is added after rounding",
        "before": "the zero point is added before rounding",
        "subtracted": "the offset is subtracted from x, before the quotient",
        "shifted": "the value of the lowest code is subtracted from x before the quotient, and its code added after it",
    },
    "clip": {  # how a library writes it: codes do not depend on it, and what NaN becomes is said by nonfinite
        "after": "codes are clipped after rounding",
        "before": "codes are clipped before rounding",
    },
    "nonfinite": {
        "error": "NaN and ±∞ are errors",
        "saturate": "±∞ saturates, NaN is an error",
        "nan_low": "±∞ saturates, NaN becomes qmin",
        "nan_high": "±∞ saturates, NaN becomes qmax",
        "nan_zero": "±∞ saturates, NaN becomes 0",
        "int64": "what rounds to no int64, NaN and ±∞ included, becomes qmin (the conversion of x86 gives −2⁶³)",
    },
    "compute_dtype": {"input": "computed in the dtype of x, s and Z together", "float32": "computed in float32"},
    "form": {
        "s(q-Z)": "x̂ = s·(q − Z)",
        "s(q+Z)": "x̂ = s·(q + Z)",
        "sq+Z": "x̂ = s·q + Z",
        "sq-Z": "x̂ = s·q − Z",
        "(q-Z)/s": "x̂ = (q − Z)·(1/s)",
    },
    "zero_point_type": {"integer": "the zero point is an integer", "real": "the zero point is a real number"},
    # from a range to scale and zero point
    "include_zero": {
        "yes": "widened to hold 0",
        "no": "not widened to hold 0",
        "low": "its low end lowered to 0, its high end left",
    },
    "scale": {
        "asymmetric": "s = (high − low)/(qmax − qmin)",
        "symmetric_qmax": "s = max(−low, high)/(qmax − Z)",
        "symmetric_half": "s = max(−low, high)/((qmax − qmin)/2)",
        "symmetric_qmin": "s = max(−low, high)/(Z − qmin)",
        "signed": "s = m/(qmin − Z), m the end of larger magnitude with its sign, low at a tie",
        "both_ends": "s = max(low/(qmin − Z), high/(qmax − Z))",
        "inverse_width": "s = (1/(high − low))·(qmax − qmin)",
        "inverse_absmax": "s = (1/max(−low, high))·qmax",
        "mirrored": "s = (high − low)/(qmax − qmin), low and high mirrored to ±max(−low, high) unless low ≥ 0",
    },
    "zero_point": {
        "zero": "Z = 0",
        "middle": "Z = ⌊(qmin + qmax + 1)/2⌋",
        "rounded_quotient": "Z = qmin − round(low/s)",
        "rounded_difference": "Z = round(qmin − low/s)",
        "nearer_end": "Z = round(qmin − low/s) where |qmin| − |low/s| < |qmax| − |high/s|, else round(qmax − high/s)",
        "quotient": "Z = qmin − low/s",
        "low": "Z = low",
        "negated_low": "Z = −low",
    },
    "zero_point_rounding": {rule: f"Z is rounded {rule}" for rule in RULES if rule != "stochastic"},
    "zero_point_from": {
        "rounded_scale": "Z is computed with s as it is given out",
        "unrounded_scale": "Z is computed with s before it is rounded to the dtype in which it is given out",
        "float64": "Z is computed in float64, with s as it is given out",
        "float64_to_float32": "Z is computed in float64, with s as it is given out, and passes through float32",
    },
    "zero_range": {
        "one": "an empty range has s = 1",
        "zero": "an empty range has s = 0",
        "one_below_normal": "a scale below the smallest normal number becomes 1, and Z 0",
        "smallest": "an empty range has the smallest width or scale",
        "epsilon": "a scale of 0 becomes 2⁻²³, and a computed Z qmax where low < 0, else 0",
        "tenth": "an empty range has s = 0.1, and a scale below 6.1·10⁻⁵ becomes that, the range widened with it",
        "one_below_1e-4": "a range of width up to 10⁻⁴ has s = 1",
        "unit_width": "an empty range becomes [low, low + 1]",
        "unit_ends": "an empty range becomes [−1, 1]",
        "grown": "a range of width up to 10⁻⁶ grows by 10⁻⁶ at both ends, in float64",
        "error": "an empty range is an error",
    },
    "nudge": {
        "zero_point": "Z is moved to an integer and s stays",
        "range": "Z is moved to an integer and s becomes the smallest for which the ends on both sides of Z fit",
    },
    "range_dtype": {
        "input": "computed in the range's dtype",
        "float32": "computed in float32",
        "float64": "computed in float64",
    },
    "narrow": {
        "no": "all codes are used",
        "low": "the lowest code is not used",
        "high": "the highest code is not used",
    },
    "scale_dtype": {name: f"s is kept in {name}" for name in ("float32", "float16")} | {"input": "s is kept as it is"},
}
OFFSETS = ("sq+Z", "sq-Z")  # forms whose Z is in the weights' unit
INTEGERS = ("zero", "middle", "rounded_quotient", "rounded_difference", "nearer_end")
REALS = ("quotient",)
ZERO_POINTS_OF = {"sq+Z": ("low",), "sq-Z": ("negated_low",)}
