"""What the figures should reach: {(name, against): {threads: goal}}."""

from refcompress.formulas.pruning.reduction import REDUCTIONS

KINDS, WAYS = ("per tensor", "per channel"), ("pack", "unpack")
WEIGHTS, CODES = "8 bits, 10 million weights", "8 million codes"

SHARE = "step without"  # what is added to a step, as a share of the step without it
Goals = dict[tuple[str, str], dict[int, float]]

GOALS: Goals = {
    ("training step, listing, batch 32", "torch"): {1: 1.5, 2: 2.3},
    ("training step, listing with winograd, batch 32", "torch"): {1: 0.95, 2: 1.5},
    ("training step, listing, batch 32", "autograd"): {1: 0.125, 2: 0.1},
    ("training step, lenet-300-100, batch 64", "torch"): {1: 0.75, 2: 0.85},
    ("epoch, lenet-300-100, batch 64", "sklearn"): {1: 1 / 2.2, 2: 0.5},
    **{(f"history {reduce}, listing", SHARE): {1: 0.05, 2: 0.05} for reduce in REDUCTIONS},
    **{(f"history {reduce}, lenet-300-100", SHARE): {1: 0.15, 2: 0.15} for reduce in REDUCTIONS},
    **{(f"{name} per tensor, {WEIGHTS}", "torch"): {1: 2, 2: 4} for name in ("quantize", "range and quantize")},
    (f"quantize per channel, {WEIGHTS}", "torch"): {1: 0.25, 2: 0.25},
    **{(f"dequantize {kind}, {WEIGHTS}", "torch"): {1: 0.35, 2: 0.5} for kind in KINDS},
    **{(f"fake-quantize {kind}, {WEIGHTS}", "torch"): {1: 0.2, 2: 0.35} for kind in KINDS},
    **{
        (f"{way}, {bits} bits, {CODES}", ""): {1: 0.8e9 if bits <= 8 else 0.45e9}
        for way in WAYS
        for bits in range(1, 17)
    },
    **{(f"int8 product, {shape}", "sgemm"): {1: 1.2, 2: 1.5} for shape in ("256×1024×1024", "1024×4096×1024")},
    ("int8 product, 32×1024×1024", "numpy integer @"): {1: 0.01, 2: 0.01},
    ("inference, listing with half of its neurons removed, batch 64", "dense"): {1: 1 / 2.7, 2: 1 / 2.5},
    ("memory of history rms_of_parameter_moments, 128…1024 iterations", ""): {1: 0.05},  # a slope: it does not grow
    ("import refcompress, beyond numpy", ""): {1: 0.025},
    ("main job, time", ""): {2: 45},
    ("main job, peak memory", ""): {1: 400, 2: 400},
}


def goal(name: str, against: str, threads: int) -> float | None:
    """The goal of a figure, or None."""
    return GOALS.get((name, against), {}).get(threads)
