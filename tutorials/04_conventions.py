# %% [markdown]
# # 4 · Conventions: what "8-bit quantization" leaves open
#
#     q = clip( round(x / s) + Z, qmin, qmax )          x̂ = s · (q − Z)
#
# This is affine quantization, as every library writes it: x is a weight, q its code, s the scale, Z the zero point.
# The formula does not say how a tie is rounded, whether x is divided by s or multiplied by 1/s, where Z comes from, or
# what the scale of an empty range is. Libraries chose differently. So the same x, s and Z can give other codes.
#
# Here a `Convention` is the complete answer: about twenty axes, each with a value. `PRESETS` are the answers of
# libraries, and the field `origin` of each names the version and the place that it was checked against.

# %%
import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from refcompress.formulas.quantization import affine, conventions
from refcompress.formulas.quantization.conventions import PRESETS, Convention

parser = argparse.ArgumentParser(description="conventions of quantization", allow_abbrev=False)
parser.add_argument("--pictures", type=Path, metavar="DIR", help="write the picture into this folder")
pictures = parser.parse_known_args()[0].pictures  # a notebook has arguments of its own
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
    if pictures is not None:
        raise SystemExit("pictures need matplotlib: python -m pip install 'refcompress[viz]'") from None
f32 = np.float32  # most conventions compute in float32 and take nothing else
base = Convention()  # the formula above: half_even, divide, Z after rounding

# %% [markdown]
# ## A zero point, or an offset
#
#     zero point, an integer     s = (β − α)/(qmax − qmin)   Z = round(qmin − α/s)   x̂ = s·(q − Z)
#     offset, a real number      s = (β − α)/(qmax − qmin)   z = α                   w′ = s·q + z
#
# The survey has the offset: preset `source`. By hand, 2 bits, codes 0 to 3, range [−0.9, 2.1]: s = 3/3 = 1.
#
#     offset        z = −0.9                    levels −0.9, 0.1, 1.1, 2.1
#     zero point    Z = round(0 + 0.9) = 1      levels −1, 0, 1, 2
#
# With the offset both ends of the range are levels, but 0 is not: it comes back as 0.1. With the zero point 0 is a
# level, and the range moves a little: −0.9 comes back as −1. Padding, and the zeros that ReLU makes, should stay 0.
#
# Equal levels do not make equal codes. The range [−1, 2] gives −1, 0, 1, 2 both ways. 0.5 is in the middle of two
# levels. The offset rounds (0.5 + 1)/1 = 1.5 to 2; the zero point rounds 0.5 to 0 and adds 1. Each took the even one.

# %%
for low, high in ((-0.9, 2.1), (-1.0, 2.0)):
    for name in ("source", "onnx"):
        s, Z = affine.choose(f32(low), f32(high), 0, 3, name)
        x = np.array([low, 0.0, 0.5], np.float32)
        q = affine.quantize(x, s, Z, 0, 3, name)
        print(f"{name:>6}: s = {s:.1f}, Z = {Z:.1f}, {x} has codes {q} and comes back as", end=" ")
        print(affine.dequantize(q, s, Z, name).round(3))
print("source:", PRESETS["source"].formula())

# %% [markdown]
# ## From a number to its code
#
# **Ties.** v = x/s = ±½. `half_even` gives 0 and 0, `half_away` −1 and 1, `half_up` 0 and 1. ONNX and PyTorch round
# half_even. TFLite's reference kernel rounds half_away, its default kernel half_even.
#
# **Zero point before or after rounding.** v = ½, Z = 1. After: round(½) + 1 = 0 + 1 = 1 (ONNX, PyTorch's
# fake_quantize). Before: round(½ + 1) = round(1.5) = 2 (PyTorch's quantize_per_tensor).
#
# **Divide, multiply, or fuse.** ONNX divides, PyTorch's fake_quantize multiplies by the rounded 1/s, its
# quantize_per_tensor multiplies and adds Z in one operation. Let x = 0.273939937 and s = 0.00214854861, in float32.
# x/s is 127.4999953 and rounds to 127.49999: code 127. x·(1/s) is 127.4999968. Float32 has steps of 0.0000076 there, so
# it rounds to 127.5, a tie: code 128. The fused operation rounds once, after Z is added. With Z = −126 it has
# 127.4999968 − 126 = 1.4999968: code 1. The product rounded by itself has 127.5 − 126 = 1.5: code 2.

# %%
v = np.array([-0.5, 0.5], np.float32)
for rule in ("half_even", "half_away", "half_up"):
    print(f"v = -0.5 and 0.5, {rule}:", affine.quantize(v, 1.0, 0, -128, 127, replace(base, rounding=rule)))
for name in ("onnx", "torch_fake_quantize", "torch_quantize"):
    print(f"v = 0.5, Z = 1, {name}:", affine.quantize(v[1:], 1.0, 1, -128, 127, name))
x, s = np.array([0.273939937], np.float32), f32(0.00214854861)
print(f"x/s {(x / s)[0]}, x·(1/s) {(x * (1 / s))[0]}")
for quotient in ("divide", "reciprocal", "fused"):
    c = replace(base, quotient=quotient, zero_point_added="before")
    codes = [affine.quantize(x, s, Z, qmin, qmin + 255, c).item() for Z, qmin in ((0, 0), (-126, -128))]
    print(f"{quotient:>10}: codes with Z = 0 and Z = -126:", codes)

# %% [markdown]
# **Clip before or after rounding.** Code 300.4 of 0…255: round, then clip: 300 → 255. Clip, then round: 255 → 255.
# It is always the same, since rounding never changes the order of two numbers and leaves the ends, integers, as they
# are. Only NaN, which has no order, depends on how a library clips and converts. It becomes qmin, qmax or 0; here the
# axis `nonfinite` says which.
#
# **Narrow range.** −128…127 has one code more below 0 than above. `narrow` leaves out −128, so that −x has the
# code −q. At s = 1, −128 becomes −128 or −127.

# %%
many = np.random.default_rng(0).uniform(-400, 400, 10_000).astype(np.float32)
clipped = [affine.quantize(many, 0.7, 3, -128, 127, replace(base, clip=when)) for when in ("before", "after")]
print("clip before and after give the same 10,000 codes:", np.array_equal(*clipped))
for name in ("onnxruntime", "torch_quantize", "torchao"):
    q = affine.quantize(np.array([np.nan, np.inf, -np.inf], np.float32), 1.0, 0, -128, 127, name)
    print(f"NaN, inf and -inf, {name}: {q}")
for c in (base, replace(base, narrow="low")):
    q = affine.quantize(np.array([-128, 127], np.float32), 1.0, 0, -128, 127, c)
    print(f"narrow {c.narrow}: codes {c.codes(-128, 127)}, -128 and 127 become {q}")

# %% [markdown]
# ## From a range to s and Z
#
# `qparams.choose`, also called `affine.choose`, gives s and Z of a range.
#
# **When is Z rounded?** Range [−0.5, 253.5], codes −127…127: s = 254/254 = 1, low/s = −½. PyTorch's observers round
# the quotient: −127 − round(−½) = −127 − 0 = −127. ONNX rounds the difference: round(−127 + ½) = round(−126.5) = −126.
#
# **The divisor of a symmetric scale.** Z = 0, 4 bits, codes −8…7, range [−½, 1]. What becomes of 1?
#
#     symmetric_qmax    s = 1/7      1 → 7                 → 1         clips nothing
#     symmetric_half    s = 1/7.5    1 → 7.5 → 8, clip 7   → 0.9333    15 steps over [−1, 1]
#     symmetric_qmin    s = 1/8      1 → 8, clip 7         → 0.875     −1 is a level, 1 is not
#     signed            s = 1/−8     1 → −8                → 1         the larger end, with its sign, has code −8
#
# At 8 bits these are 127, 127.5 and 128. With a narrow range of codes all are 127.
#
# **Zero inside of the range?** Range [2, 3], 4 bits. ONNX widens it to [0, 3]: s = 3/15 = 0.2, Z = 0, and 2, 2.5, 3
# come back as 2, 2.4 (12.5 is a tie), 3. AWQ does not: s = 1/15 and Z = 0 − 2·15 = −30, but codes begin at 0, so Z is
# clipped to 0. The levels end at 15/15: everything becomes 1.

# %%
from refcompress.formulas.quantization import qparams

for zero_point in ("rounded_quotient", "rounded_difference"):
    c = replace(base, zero_point=zero_point)
    print(f"{zero_point}: Z =", qparams.choose(f32(-0.5), f32(253.5), -127, 127, c)[1])
for scale in ("symmetric_qmax", "symmetric_half", "symmetric_qmin", "signed"):
    c = replace(base, scale=scale, zero_point="zero")
    s, Z = affine.choose(f32(-0.5), f32(1), -8, 7, c)
    steps = [1 / affine.choose(f32(-0.5), f32(1), -128, 127, replace(c, narrow=n))[0] for n in ("no", "low")]
    restored = affine.fake_quantize(np.array([1], np.float32), s, Z, -8, 7, c)[0]
    print(f"{scale}: 1/s = {1 / s:.1f}, 1 becomes {restored:.4f}; 8 bits {steps[0]:.1f}, narrow {steps[1]:.1f}")
for name in ("onnx", "awq"):
    s, Z = affine.choose(f32(2), f32(3), 0, 15, name)
    restored = affine.fake_quantize(np.array([2, 2.5, 3], np.float32), s, Z, 0, 15, name)
    print(f"[2, 3] with {name}: s = {s:.4f}, Z = {Z}, 2, 2.5 and 3 become", restored)

# %% [markdown]
# **All weights 0.** Then s = 0/255 = 0, and 0/0 is NaN. The ways out differ by 38 orders of magnitude: s = 1; a width
# of 1, so 1/255; the range [−1, 1], so 2/255; at least 2⁻²³ = 1.19·10⁻⁷; a width of at least 10⁻⁵, so 10⁻⁵/255 =
# 3.92·10⁻⁸; at least the smallest normal float32, 2⁻¹²⁶ = 1.18·10⁻³⁸; or s = 0, with 0 in the place of 1/s. The weights
# come back as 0 each time, but the files differ, and a reader that computes 1/s must know.
#
# **The scale is stored, too.** ggml computes codes with a float32 scale and stores it as float16. Its Q4_0 is `signed`
# with Z = 8: the range [−0.8, 0.5] has s = −0.8/−8 = 0.1. The nearest float16 is 1638·2⁻¹⁴ = 0.09997559, so −0.8,
# code 0, comes back as −8·0.09997559 = −0.7998. There are more axes: `describe` says a whole convention in words, and
# `differences` compares two.

# %%
for name in ("onnxruntime", "onnx", "gptq", "torch_quantize", "awq", "torchao", "ggml_q8_0"):
    codes = (-128, 127) if name == "ggml_q8_0" else (0, 255)
    s, Z = affine.choose(f32(0), f32(0), *codes, name)
    restored = affine.fake_quantize(np.zeros(1, np.float32), s, Z, *codes, name)[0]
    print(f"all weights 0, {name}: s = {s:.3g}, 0 becomes {restored:.0f}")
s, Z = affine.choose(f32(-0.8), f32(0.5), 0, 15, "ggml_q4_0")
for dtype in ("float32", "float16"):
    c = replace(PRESETS["ggml_q4_0"], scale_dtype=dtype)
    print(f"s = {s:.4f}, stored as {dtype}: -0.8 becomes", affine.dequantize(np.array([0], np.uint8), s, Z, c)[0])
print(PRESETS["ggml_q4_0"].describe() + "\norigin: " + PRESETS["ggml_q4_0"].origin)
print("onnx and onnxruntime:", conventions.named("onnx").differences(PRESETS["onnxruntime"]))

# %% [markdown]
# ## Granularity: who shares a scale
#
#     per tensor    one scale                         shape ()
#     per channel   one for each index of axis a      shape (n_a,)         per token: the axes of the tokens
#     per block     one for each B along axis a       n_a becomes ⌈n_a/B⌉; the last block may be shorter
#
# By hand, 4 bits, s = max|x|/7, two channels of three weights:
#
#     x                         tensor, s = 1       channels, s = 0.1 and 1     blocks of 2, the last of 1
#     0.7    −0.2    0.1        1     0    0        0.7   −0.2    0.1           s = 0.1, 0.1/7    all exact
#     7      −3      0.5        7    −3    0        7     −3      0             s = 1, 0.5/7      all exact
#
# One large weight costs all that share its scale. Finer groups cost memory: a float16 scale for every 32 weights is
# 16/32 = ½ bit more for each weight.

# %%
from refcompress.formulas.quantization import granularity, ranges

symmetric = replace(base, scale="symmetric_qmax", zero_point="zero")
x = np.array([[0.7, -0.2, 0.1], [7, -3, 0.5]], np.float32)
for title, groups in {"tensor": {}, "channels": {"axis": 0}, "blocks": {"axis": 1, "block_size": 2}}.items():
    s, Z = affine.choose(*granularity.apply(ranges.min_max.min_max, x, **groups), -8, 7, symmetric)
    restored = affine.fake_quantize(x, s, Z, -8, 7, symmetric, **groups)
    print(f"{title}: s of shape {s.shape}, x becomes", restored.astype(float).round(3).tolist())
print("2 images of 3 tokens with 4 features, a scale for each token:", granularity.parameter_shape((2, 3, 4), (0, 1)))

# %% [markdown]
# ## Which range? Eight rules, by hand
#
# A wide range clips nothing and has large steps. A narrow one has small steps and clips. x = (−1, 0, 1, 2, 8):
#
# - `min_max`: −1 and 8.
# - `moving_average`, for activations: (−1, 8) was the first batch, the next one has (−3, 4), c = ½:
#   −1 + ½·(−3 + 1) = −2 and 8 + ½·(4 − 8) = 6.
# - `percentile` 80: the k-th value, k = ⌊0.8·5 + ½⌋ = 4: 2; low end k = ⌈0.2·5⌉ = 1: −1. Interpolated, at
#   0.8·(5 − 1) = 3.2, counted from 0: 2 + 0.2·(8 − 2) = 3.2; low end −0.2.
# - `least_error`: try p·(−1, 8), take the least Σ (x̂ − x)². 2 bits: p = 1 has s = 3, Z = 0, x̂ = 0, 0, 0, 3, 9 and
#   error 1 + 0 + 1 + 1 + 1 = 4. p = ¾ has s = 2.25, x̂ = 0, 0, 0, 2.25, 6.75 and error 1 + 1 + 0.0625 + 1.5625 = 3.625.
#   p = ½ has 13.75. So (−0.75, 6).
# - `histogram`: 3 bins of width 3 hold 3, 1, 1. Drop bins at the ends while the estimated error falls. [−1, 5] with 2
#   levels: 3·¾ + 1·¾ inside, 9.75 for the last bin: 12.75. [−1, 2]: 34.6875, larger, stop. So (−1, 5).
# - `entropy`: 16 bins over [−8, 8]. [−1, 2] holds 1, 1, 1, and the 8 is counted in its last bin: P = (1, 1, 3)/5.
#   Three codes tell these bins apart, without the 8: Q = (1, 1, 1)/3. KL = Σ P·log(P/Q) = 0.4·log 0.6 + 0.6·log 1.8 =
#   0.148, the least. So (−1, 2).
# - `aciq`: for a Laplace distribution the error is 2·e^−α + α²/(3·4^b) in units of its width; its derivative is 0 at
#   α·e^α = 3·4^b = 48 for b = 2, α = 2.83. Mean 2, width mean|x − 2| = 12/5 = 2.4: 2 ± 2.83·2.4 = (−4.79, 8.79).
# - `power_of_two`: 8/7 = 1.14, the next power of two above is s = 2, the nearest is 1. A shift applies it.

# %%
x = np.array([-1, 0, 1, 2, 8], np.float32)
by_hand = {
    "min_max": ranges.min_max.min_max(x),
    "moving_average": ranges.moving_average.update(ranges.min_max.min_max(x), np.array([-3, 4], np.float32), c=0.5),
    "percentile, kth": ranges.percentile.percentile(x, 80),
    "percentile, interpolated": ranges.percentile.percentile(x, 80, "interpolated"),
    "least_error": ranges.least_error.search(x, 0, 3, "onnx", norm=2.0, grid=4, max_shrink=1.0),
    "histogram": ranges.histogram.search(ranges.histogram.collect(x, bins=3), levels=2),
    "entropy": ranges.entropy.threshold(x, bins=16, target_bins=3),
    "aciq": ranges.aciq.clip(x, bits=2),
}
for name, (low, high) in by_hand.items():
    print(f"{name}: {low:.2f} to {high:.2f}")
print("power_of_two:", [float(ranges.power_of_two.scale(8.0, 7, rounding)) for rounding in ("ceil", "nearest")])

# %% [markdown]
# ## Which range? 10,000 weights
#
# Weights with a Laplace distribution of width 0.05, and four outliers of 0.8 and 1. In 4 bits,
#
#     SQNR = 10 · log₁₀( Σ x² / Σ (x − x̂)² )      in dB; 10 dB more is a tenth of the squared error
#
# min_max spends its 16 levels on [−1, 1], and 98 % of the weights share three of them. The error of a few clipped
# outliers is small against that. percentile 99.9 leaves 9 weights below its range and 10 above. `least_error` with the
# exponent 2.4, as GPTQ has it, minds large errors more than the square does. aciq knows nothing of outliers.
#
# `histogram` shortens the high end only. It is PyTorch's search: it moves by 10⁻⁵ of the values at a time, and of fewer
# than 100,000 values that is less than one, so the low end never loses a bin. It stops at the first step that looks
# worse; with the 256 levels that PyTorch takes, at once. Finer groups help most: an outlier costs its group, no more.

# %%
from refcompress.formulas.quantization import error_ledger

weights = np.random.default_rng(0).laplace(0, 0.05, 10_000).astype(np.float32)
weights[[500, 3000, 5500, 8000]] = 0.8, -0.8, 1, -1
average = None
for batch in weights.reshape(10, 1000):
    average = ranges.moving_average.update(average, batch, c=0.1)
found = {
    "min_max": ranges.min_max.min_max(weights),
    "moving_average": average,
    "percentile 99.9": ranges.percentile.percentile(weights, 99.9),
    "least_error 2.4": ranges.least_error.search(weights, 0, 15, "onnx", norm=2.4),
    "least_error 2": ranges.least_error.search(weights, 0, 15, "onnx", norm=2.0),
    "histogram 16": ranges.histogram.search(ranges.histogram.collect(weights), levels=16),
    "histogram 256": ranges.histogram.search(ranges.histogram.collect(weights), levels=256),
    "entropy": ranges.entropy.threshold(weights, target_bins=16),
    "aciq": ranges.aciq.clip(weights, bits=4),
}
for name, (low, high) in found.items():
    s, Z = affine.choose(low, high, 0, 15, "onnx")
    quality = error_ledger.sqnr(weights, affine.fake_quantize(weights, s, Z, 0, 15, "onnx"))
    print(f"{name:>15}: {low:6.3f} to {high:.3f}, SQNR {quality:5.2f} dB")
s = ranges.power_of_two.scale(ranges.percentile.absolute(weights, 99.9), 7)
quality = error_ledger.sqnr(weights, affine.fake_quantize(weights, s, 0, -8, 7, symmetric))
print(f"   power_of_two: {-8 * s:6.3f} to {7 * s:.3f}, SQNR {quality:5.2f} dB, from percentile 99.9 of |x|")
matrix = weights.reshape(100, 100)
for title, groups in {"channels": {"axis": 0}, "blocks of 32": {"axis": 1, "block_size": 32}}.items():
    s, Z = affine.choose(*granularity.apply(ranges.min_max.min_max, matrix, **groups), 0, 15, "onnx")
    quality = error_ledger.sqnr(matrix, affine.fake_quantize(matrix, s, Z, 0, 15, "onnx", **groups))
    print(f"min_max for {title}, s of shape {s.shape}: SQNR {quality:5.2f} dB")

# %% [markdown]
# ## Where the error comes from
#
#     x → clipped → rounded → stored → restored        e = x̂ − x = e₁ + e₂ + e₃ + e₄
#     part_k = Σ e_k · e                               part₁ + part₂ + part₃ + part₄ = Σ e²
#
# The steps are clipping, rounding, storing the scale, and the format of the output. By hand: x = (0.75, 5), s = 1,
# codes 0…3, but s is stored as 1.25:
#
#     x          0.75     5          e   =  (0.5, −1.25), squared error 0.25 + 1.5625 = 1.8125
#     clipped    0.75     3          e₁  =  (0, −2)             −2·−1.25               =  2.5
#     rounded    1        3          e₂  =  (0.25, 0)           0.25·0.5               =  0.125
#     stored     1.25     3.75       e₃  =  (0.25, 0.75)        0.25·0.5 − 0.75·1.25   = −0.8125
#
# The sum is 1.8125. A part below 0 is a step that made good what another had done. The parts are rounded such that
# their floats have exactly the total as their sum.

# %%
print(error_ledger.of(np.array([0.75, 5], np.float32), 1.0, 0, 0, 3, base, stored_scale=1.25))
for name in ("min_max", "least_error 2", "aciq"):
    s, Z = affine.choose(*found[name], 0, 15, "onnx")
    parts = error_ledger.of(weights, s, Z, 0, 15, "onnx", stored_scale=s.astype(np.float16).astype(np.float32))
    print(f"{name}: clipping {parts.clipping:.3f} + rounding {parts.rounding:.3f} + scale in float16", end=" ")
    print(f"{parts.scale_storage:.5f} = {parts.total:.3f}, exactly: {sum(parts[:4]) == parts.total}")

# %% [markdown]
# ### Six decibels for a bit
#
# If every error from −s/2 to s/2 is equally likely, its mean square is s²/12. Numbers spread evenly over [−1, 1] have
# the mean square ⅓, and s = 2/(2^b − 1). The ratio is (1/3)·12/s² = (2^b − 1)², so
#
#     SQNR = 20·log₁₀(2^b − 1) ≈ 6.02·b dB        8 bits: 20·log₁₀ 255 = 48.13
#
# The weights have the mean square 0.0054 instead of ⅓. With min_max on [−1, 1] that is 10·log₁₀(3·0.0054) = −17.9 dB:
# 30.2 at 8 bits. From 6 bits on each bit gives 6 dB. Below, the steps are wider than the heap of weights, and the
# errors are not equally likely. aciq is better at 4 bits and worse at 8: the error of its clipped outliers stays.
# The picture shows the ranges over the weights, and decibels over bits.

# %%
even = np.random.default_rng(0).uniform(-1, 1, 100_000).astype(np.float32)
curves = {"even": [], "min_max": [], "aciq": []}
for bits in range(2, 11, 2):
    tensors = (
        (even, ranges.min_max.min_max(even)),
        (weights, ranges.min_max.min_max(weights)),
        (weights, ranges.aciq.clip(weights, bits)),
    )
    for curve, (x, ends) in zip(curves.values(), tensors, strict=True):
        s, Z = affine.choose(*ends, 0, 2**bits - 1, "onnx")
        curve.append(error_ledger.sqnr(x, affine.fake_quantize(x, s, Z, 0, 2**bits - 1, "onnx")))
    values = ", ".join(f"{title} {curve[-1]:5.2f}" for title, curve in curves.items())
    print(f"{bits:2} bits: rule {6.02 * bits:5.2f}, exact {20 * np.log10(2**bits - 1):5.2f}, {values} dB")

# %%
if plt is not None:
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    axes[0].hist(weights, bins=200, log=True, color="lightsteelblue")
    for height, (name, ends) in enumerate(found.items()):
        axes[0].plot(ends, [2.4**height + 0.2] * 2, marker="|", label=name)
    axes[0].set(xlabel="weight", ylabel="weights", xlim=(-1.1, 2.2))
    for title, curve in curves.items():
        axes[1].plot(range(2, 11, 2), curve, marker="o", label=title)
    axes[1].plot([2, 10], [6.02 * 2, 6.02 * 10], "k:", label="6.02 dB a bit")
    axes[1].set(xlabel="bits", ylabel="SQNR in dB")
    for axis in axes:
        axis.legend(fontsize="small")
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / "04_ranges.png", dpi=120)
