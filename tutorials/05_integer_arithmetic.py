# %% [markdown]
# # 5 · Integer arithmetic: a layer without floats
#
# On many processors, integers of 8 bits take less time and energy than floats. This tutorial computes a layer on codes
# alone: the sums, the bias, and the way from a sum to the codes of the next layer. Two formulas are the frame:
#
#     x = s_x · (q − z_x)                            a number and its code: scale s_x, zero point z_x
#     Σ_k x_k · w_k = s_x·s_w · Σ_k (q_k − z_x)·(p_k − z_w)
#
# The second follows from the first: s_x·s_w is in every term and goes in front of the sum. What is left inside are
# integers. So a product of two quantized arrays is a sum of integers, and one scaling at the end.
#
# By hand: s_x = ½, z_x = 3, codes (5, 2) stand for ½·(2, −1) = (1, −½). s_w = ¼, z_w = −1, codes (7, 1) stand for
# ¼·(8, 2) = (2, ½). The sum is 1·2 − ½·½ = 1.75. On integers it is 2·8 − 1·2 = 14, and 14·½·¼ = 1.75.

# %%
import argparse
from pathlib import Path

import numpy as np

from refcompress import datasets, nn

parser = argparse.ArgumentParser(description="integer arithmetic", allow_abbrev=False)
parser.add_argument("--pictures", type=Path, metavar="DIR", help="write the picture into this folder")
pictures = parser.parse_known_args()[0].pictures  # a notebook has arguments of its own
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
    if pictures is not None:
        raise SystemExit("pictures need matplotlib: python -m pip install 'refcompress[viz]'") from None

# %% [markdown]
# ## Four terms
#
#     Σ_k (a_mk − z_a)·(b_kn − z_b)  =  Σ_k a_mk·b_kn  −  z_b·Σ_k a_mk  −  z_a·Σ_k b_kn  +  K·z_a·z_b
#
# Multiply the brackets out, and sum each of the four terms over k = 1 … K. The right side is cheaper: the codes are
# multiplied as they are stored, and the other terms need only sums over rows of a and columns of b. If b are weights,
# its column sums are known before any input arrives. If z_b = 0, two terms are gone: weights mostly have no zero point.
#
# By hand, z_a = 3 and z_b = −1, with the codes of above in the first row and the first column:
#
#     a = ( 5  2 )      b = ( 7  −3 )      a − 3 = ( 2  −1 )      b + 1 = ( 8  −2 )      product = ( 14  −5 )
#         ( 3  7 )          ( 1   0 )              ( 0   4 )              ( 2   1 )                (  8   4 )
#
#     a·b = ( 37  −15 )      sums of rows of a: 7, 10        the upper left: 37 + 1·7 − 3·8 + 2·3·(−1) = 14
#           ( 28   −9 )      sums of columns of b: 8, −3     the lower right: −9 + 1·10 − 3·(−3) − 6 = 4

# %%
from refcompress.formulas.quantization.integer import products

a, b = np.array([[5, 2], [3, 7]], np.uint8), np.array([[7, -3], [1, 0]], np.int8)
acc = products.matmul(a, b, a_zero_point=3, b_zero_point=-1)
print("a·b", products.matmul(a, b).tolist(), " sums of columns of b", products.prepare(b).sums)
print("with zero points", acc.tolist(), " scaled", (0.5 * 0.25 * acc).tolist())

# %% [markdown]
# ### Outside of the image
#
# A convolution is the same sum, over windows of an image. Outside of the image x is 0. The code of 0 is z_x, not 0. So
# a quantized image is padded with z_x. By hand: z_x = 3, codes 4, 5, 7 stand for 1, 2, 4 (scale 1). With the filter
# (1, 1, 1) and one pixel of padding on each side, the sums are 0 + 1 + 2 = 3, then 1 + 2 + 4 = 7, then 2 + 4 + 0 = 6.
# Padding with the code 0, which stands for −3, would make the first one 0.

# %%
from refcompress.formulas.quantization.integer import integer_conv2d

row, ones = np.array([[[[4, 5, 7]]]], np.uint8), np.ones((1, 1, 1, 3), np.int8)
print("convolution:", integer_conv2d.conv2d(row, ones, x_zero_point=3, padding=(0, 1)).ravel())

# %% [markdown]
# ## How long may a sum be?
#
#     | Σ_k (a_k − z_a)·(b_k − z_b) |  ≤  K · max|a − z_a| · max|b − z_b|  ≤  2³¹ − 1
#
# The sums are int32. Codes of 8 bits without zero points reach 128 in magnitude, a product 2¹⁴, and K products K·2¹⁴.
# That is at most 2³¹ − 1 for K ≤ 131,071; at K = 131,072 = 2¹⁷ it is 2³¹, one too many. With a zero point at an end of
# the range, a difference reaches 255, a product 65,025, and K may be 33,025. These are the worst codes. `matmul` takes
# the largest magnitudes of its two arrays, and refuses what could leave int32.

# %%
for terms, largest in ((131_071, 128), (131_072, 128), (33_025, 255), (33_026, 255)):
    bound = products.overflow_bound(terms, largest, largest)
    print(f"{terms:,} terms of {largest}·{largest}: {bound:,}, within int32: {bound <= 2**31 - 1}")
low = np.full((1, 131_072), -128, np.int8)
try:
    products.matmul(low, low.T)
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# ## The bias: int32, in the unit of the sums
#
#     b_q = round( b / (s_x·s_w) )      zero point 0      |b − s_x·s_w·b_q| ≤ ½·s_x·s_w
#
# The bias is added to the sums, so it must have their unit s_x·s_w and no zero point. This unit is small, and a bias in
# it is often a large number: 8 bits would not hold it, 32 bits do. A bias costs 4 bytes, but a neuron has only one.
#
# By hand, s_x·s_w = ⅛: 0.3 is 2.4 units, so 2, which is 0.25. −1.3125 is −10.5 units, a tie: half_even gives −10,
# half_away −11. TensorFlow Lite's converter rounds half away.

# %%
from refcompress.formulas.quantization.integer import bias

for rule in ("half_even", "half_away"):
    units = bias.quantize_bias(np.array([0.3, -1.3125]), 0.5, 0.25, rounding=rule)
    print(f"{rule}: {units}, which is {0.125 * units}")

# %% [markdown]
# ## From sums to codes: one real multiplier
#
#     y = s_y·(r − z_y)   and   y = s_x·s_w·acc      give      r = acc · (s_x·s_w / s_y) + z_y
#
# r is then rounded and clipped. The factor s_x·s_w/s_y is known beforehand, but it is no integer. Write it as a
# fraction in [½, 1) times a power of two; keep 31 bits of the fraction:
#
#     real = f·2^shift,  ½ ≤ f < 1      M = round(2³¹·f)      real ≈ M·2^(shift − 31)
#
# By hand:
#
#     0.25 = ½·2⁻¹      M = 2³⁰ = 1,073,741,824                       shift = −1     exact
#     0.1  = 0.8·2⁻³    M = round(1,717,986,918.4) = 1,717,986,918    shift = −3     too small by 2.3·10⁻¹⁰ of itself
#     3    = ¾·2²       M = ¾·2³¹ = 1,610,612,736                     shift =  2     exact
#
# M is at least 2³⁰, so rounding it moves the factor by at most ½/2³⁰ = 2⁻³¹ of itself.

# %%
from refcompress.formulas.quantization.integer import multiplier

for real in (0.25, 0.1, 3.0):
    M, shift = multiplier.quantize_multiplier(real)
    error = M * 2.0 ** (shift - 31) / real - 1
    print(f"{real}: M = {M:,}, shift = {shift}, off by {error:.1e}, within 2^-31: {abs(error) <= 2**-31}")

# %% [markdown]
# ## Two roundings, and their ties
#
#     SRDHM(a, M)   = ⌊a·M/2³¹ + ½⌋          saturating rounding doubling high multiplication: ties go up
#     RDByPOT(t, e) = round(t/2^e)           rounding division by a power of two: ties go away from 0
#
# The first keeps the upper half of a doubled product of 64 bits; the second is a shift with a correction. With M = 2³⁰,
# which stands for ½: 3 → 1½ → 2, 1 → ½ → 1, −1 → −½ → 0, −3 → −1½ → −1. By 2²: 6 → 1½ → 2, 2 → ½ → 1, −2 → −½ → −1,
# −6 → −1½ → −2. The first can overflow in one case: −2³¹ · −2³¹ would give 2³¹. It gives 2³¹ − 1: it saturates.

# %%
from refcompress.formulas.quantization.integer import requantization

print("SRDHM by one half:", requantization.saturating_rounding_doubling_high_mul([3, 1, -1, -3], 2**30))
print("RDByPOT by 4:     ", requantization.rounding_divide_by_pot([6, 2, -2, -6], 2))
print("SRDHM(-2^31, -2^31):", requantization.saturating_rounding_doubling_high_mul(-(2**31), -(2**31)))

# %% [markdown]
# ### Four ways from a sum to a code
#
#     double     t = SRDHM(acc·2^max(shift, 0), M),  RDByPOT(t, max(−shift, 0))
#     double_up  the same t,                         ⌊t/2^max(−shift, 0) + ½⌋
#     single     ⌊acc·M·2^(shift − 31) + ½⌋
#     float      half_even( fl32( fl32(acc)·real ) )                                    real as float32
#
# TensorFlow Lite 2.21 has all four. Its reference kernels use double in CONV_2D and ADD, single in FULLY_CONNECTED. For
# both layers its default kernels (XNNPACK) use float, as do PyTorch (FBGEMM) and ONNX Runtime; ruy on x86 is double_up.
#
# Take real = 0.25: M = 2³⁰, shift = −1. So t is half of acc, rounded, and then half of t is rounded again.
#
#     acc         −6      −5       2       5       6
#     acc/4     −1.5   −1.25     0.5    1.25     1.5
#     t           −3      −2       1       3       3      ties up: −2.5 → −2, 2.5 → 3
#     double      −2      −1       1       2       2      t/2 is a tie at −1.5, 0.5, 1.5: away from 0
#     double_up   −1      −1       1       2       2      ties up
#     single      −1      −1       1       1       2      one rounding, ties up
#     float       −2      −1       0       1       2      one rounding, ties to even
#
# In the column 5 the exact 1.25 is no tie, and yet double gives 2. The first rounding has made 2.5 to 3, and 3/2 is a
# tie that was not there before. Other multipliers do that too. M = 1,583,594,044 and shift = −9: 7984·M/2³¹ = 5887.549
# becomes 5888, and 5888/2⁹ is 11.5, which becomes 12. Rounded once, 5887.549/2⁹ = 11.4991 becomes 11. Because of such
# differences of 1, two engines can give different codes for one model. Neither is wrong: each follows its rule.

# %%
sums = np.array([-6, -5, 2, 5, 6])
M, shift = multiplier.quantize_multiplier(0.25)
for rule in requantization.ROUNDINGS:
    by_float = rule == "float"
    few = requantization.requantize(sums, 0.25 if by_float else M, None if by_float else shift, rule)
    real, places = (1_583_594_044 * 2.0**-40, None) if by_float else (1_583_594_044, -9)
    print(f"{rule:9}", *(f"{code:3}" for code in few), "  7984:", requantization.requantize(7984, real, places, rule))

# %% [markdown]
# ## A linear layer from codes to codes
#
#     out = clip( round( (Σ_k (a − z_a)(b − z_b) + b_q) · s_a·s_b/s_out ) + z_out,  qmin, qmax )
#
# By hand, with the matrices and the biases of above, s_out = ½ and z_out = −10, so real = ⅛/½ = 0.25:
#
#     acc + bias    14 + 2 = 16     −5 − 10 = −15     8 + 2 = 10     4 − 10 = −6
#     double: t           8               −7                5             −3          (−7.5 is a tie and goes up)
#     t/2, rounded        4               −4                3             −2          (−3.5, 2.5 and −1.5 go away)
#     + z_out            −6              −14               −7            −12
#
# A ReLU costs nothing: negative results have codes below z_out, so qmin = z_out = −10 clips them. −6 comes back as
# ½·(−6 + 10) = 2. In real numbers it is 1.75 + 0.3 = 2.05: the bias lost 0.05.
#
# The codes have the dtype of the first operand, here uint8, unless another is asked for: z_out = −10 needs int8. A
# fused ReLU changes the range of the codes and not their dtype: with z_out = 0 int8 is still int8, from 0 to 127.

# %%
from refcompress.formulas.quantization.integer import quantized_matmul

biases = bias.quantize_bias(np.array([0.3, -1.3125]), 0.5, 0.25)
scales = {"a_scale": 0.5, "b_scale": 0.25, "out_scale": 0.5, "a_zero_point": 3, "b_zero_point": -1}
scales["dtype"] = np.int8
print("codes", quantized_matmul.matmul(a, b, biases, **scales, out_zero_point=-10).tolist())
print("with ReLU", quantized_matmul.matmul(a, b, biases, **scales, out_zero_point=-10, qmin=-10).tolist())
from_zero = quantized_matmul.matmul(a, b, biases, **scales, qmin=0)
print("with ReLU and z_out = 0", from_zero.tolist(), from_zero.dtype)

# %% [markdown]
# ## Average pooling: the mean of the codes
#
#     mean( s·(q − z) ) = s·( mean(q) − z )
#
# With the same s and z, the mean of the codes stands for the mean of the numbers. So nothing is scaled: sum, divide by
# the count, round half away from 0. By hand: 1, 2, 3, 4 have the mean 2.5, so 3; −1, −2, −3, −4 give −3. Where the
# output has a scale of its own, "float" does it in floats: s_x = ½ and s_out = ¼ give 2.5·½/¼ = 5, and −5.

# %%
from refcompress.formulas.quantization.integer import quantized_average_pool2d

image = np.array([[[[1, 2, -1, -2], [3, 4, -3, -4]]]], np.int8)
print("mean of codes", quantized_average_pool2d.average_pool2d(image, 2).ravel())
own = quantized_average_pool2d.average_pool2d(image, 2, rounding="float", x_scale=0.5, out_scale=0.25)
print("with another scale", own.ravel())

# %% [markdown]
# ## Addition: two scales
#
#     s_out·(out − z_out) = s_a·(a − z_a) + s_b·(b − z_b)
#
# Codes of different scales cannot be added: 10 steps of ½ and 1 step of ¼ are not 11 steps of anything. Both first get
# a common fine unit, S/2²⁰ with S = 2·max(s_a, s_b): each difference is shifted left by 20 bits and multiplied by s_a/S
# or s_b/S, at most ½. The sum is multiplied by S/(2²⁰·s_out). The factor 2 in S keeps the sum within int32.
#
# By hand: s_a = ½, s_b = ¼, s_out = ½, z_a = 2, a = 12, b = 1. Then 10·½ + 1·¼ = 5.25, which is 10.5 steps of s_out.
# S = 1, t_a = 10·2²⁰·½ = 5·2²⁰, t_b = 2²⁰·¼, their sum 5.25·2²⁰, times 2·2⁻²⁰ = 10.5: a tie. "double" and "single"
# give 11, "float" the even 10. And a = −7, b = −1 have −9·½ − ¼ = −4.75, so −9.5 steps: −10, −9 and −10.

# %%
from refcompress.formulas.quantization.integer import quantized_add

scales = {"a_scale": 0.5, "b_scale": 0.25, "out_scale": 0.5, "a_zero_point": 2}
for rule in ("double", "single", "float"):
    print(rule, quantized_add.add(np.array([12, -7], np.int8), np.array([1, -1], np.int8), **scales, rounding=rule))

# %% [markdown]
# ## A network on integers
#
# A convolution with 8 filters, ReLU, average pooling, and a linear layer, for digits of 8 × 8 pixels, is trained in
# float32. Then all of it goes to 8 bits:
#
# - **Pixels** are n/16 with n = 0 … 16. With s = 1/16, z = 0 the codes are n: no error at all.
# - **Weights** have one scale for each filter or neuron, and no zero point (the convention `tflite_weights`).
# - **Activations** have the range of the training images. After ReLU the least is 0, and the code of 0 is −128.
# - **Biases** are int32, as above. Pooling keeps scale and zero point.
#
# All scales are found once, before the first test image. Then only codes, sums and multipliers go from layer to layer.

# %%
from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.integer import quantized_conv2d

data = datasets.digits()
rng = np.random.default_rng(0)
conv = nn.Conv2d(rng.normal(0, 0.5, (8, 1, 3, 3)).astype(np.float32), np.zeros(8, np.float32), padding=1)
fc = nn.Linear(rng.normal(0, 0.1, (10, 128)).astype(np.float32), np.zeros(10, np.float32))
layers = {"conv": conv, "relu": nn.ReLU(), "pool": nn.AveragePool2d(2), "flatten": nn.Flatten(), "fc": fc}
model = nn.Sequential(layers, (1, 8, 8))
nn.fit(model, data.x_train, data.y_train, optimizer=nn.SGD(0.05, momentum=0.9), epochs=8, batch_size=32, rng=rng)

s_in, inside = 1 / 16, np.maximum(conv.forward(data.x_train), 0)
s_hidden, z_hidden = affine.choose(inside.min(), inside.max(), -128, 127, "onnx")
logits = model.predict(data.x_train)
s_out, z_out = affine.choose(logits.min(), logits.max(), -128, 127, "onnx")
weights, weight_scales, bias_codes, hidden, answers = {}, {}, {}, {}, {}
for name, s in (("conv", s_in), ("fc", s_hidden)):
    w, b = layers[name].parameters["weight"], layers[name].parameters["bias"]
    flat = w.reshape(len(w), -1)
    weight_scales[name], z = affine.choose(flat.min(axis=1), flat.max(axis=1), -128, 127, "tflite_weights")
    weights[name] = affine.quantize(w, weight_scales[name], z, -128, 127, "tflite_weights", axis=0)
    bias_codes[name] = bias.quantize_bias(b, s, weight_scales[name])
columns = products.prepare(weights["fc"].T)

pixels = affine.quantize(data.x_test, s_in, 0, 0, 255, "onnx")
first = {"x_scale": s_in, "w_scale": weight_scales["conv"], "out_scale": s_hidden, "out_zero_point": int(z_hidden)}
last = {"a_scale": s_hidden, "b_scale": weight_scales["fc"], "out_scale": s_out, "a_zero_point": int(z_hidden)}
first |= {"padding": 1, "dtype": np.int8, "qmin": int(z_hidden)}  # pixels are uint8; qmin is the ReLU
last |= {"out_zero_point": int(z_out)}
for rule in requantization.ROUNDINGS:
    hidden[rule] = quantized_conv2d.conv2d(pixels, weights["conv"], bias_codes["conv"], **first, rounding=rule)
    pooled = quantized_average_pool2d.average_pool2d(hidden[rule], 2)
    codes = pooled.reshape(len(pooled), -1)
    answers[rule] = quantized_matmul.matmul(codes, columns, bias_codes["fc"], **last, rounding=rule)

# %% [markdown]
# How far may a code of the convolution be off? The input is exact. Rounding costs ½ step of s_out, and the first of two
# roundings 2^shift/2 more. Each of 9 weights is off by at most s_w/2, its pixel is at most 1; the bias, by s_x·s_w/2:
#
#     |error| / s_out  ≤  ½ + ½·2^shift + (9 + s_x)·s_w / (2·s_out)          inside the range of the codes
#
# The table shows the largest error beside the largest bound of the 8 filters, and how many codes are not those of
# "double"; these differ by 1. Above 0, "up" is "away from 0". So after this ReLU double_up gives the codes of double.
#
# "single" and "float" differ from double in the same codes. Both round once and give the integer nearest to the
# product, so they agree wherever no product is a tie, or so close to one that float32 does not tell. The first rounding
# of "double" is what neither has: it can lift a product that is up to 2^shift/2 below a tie onto it, and up it goes.

# %%
exact = model.predict(data.x_test)
steps = np.minimum(np.maximum(conv.forward(data.x_test), 0), inside.max()) / s_hidden
ratio = weight_scales["conv"].max() / s_hidden
bound = 0.5 + 0.5 * 2.0 ** multiplier.quantize_multiplier(s_in * ratio)[1] + (9 + s_in) * ratio / 2
print("codes of the pixels are exact:", bool(np.array_equal(pixels * s_in, data.x_test)))
print(f"float32   accuracy {(exact.argmax(axis=1) == data.y_test).mean():.3f}")
for rule, out in answers.items():
    best, error = out.argmax(axis=1), np.abs(hidden[rule].astype(int) - int(z_hidden) - steps).max()
    print(f"{rule:9} accuracy {(best == data.y_test).mean():.3f},", end=" ")
    print(f"answers as in float32 {(best == exact.argmax(axis=1)).mean():.3f},", end=" ")
    print(f"error {error:.2f} of at most {bound:.2f} steps,", end=" ")
    print((hidden[rule] != hidden["double"]).sum(), "of", hidden[rule].size, "codes differ")
print("codes in which single and float differ:", (hidden["single"] != hidden["float"]).sum())
print("largest of double − single:", (hidden["double"].astype(int) - hidden["single"]).max(), end=", ")
print("least:", (hidden["double"].astype(int) - hidden["single"]).min())

if plt is not None:
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    axes[0].plot(exact.ravel(), affine.dequantize(answers["double"], s_out, z_out, "onnx").ravel(), ".", markersize=3)
    axes[0].axline((0, 0), slope=1, color="tab:red", linewidth=1)
    axes[0].set(title="outputs of the network", xlabel="in float32", ylabel="on integers")
    axes[1].hist((hidden["double"].astype(int) - int(z_hidden) - steps).ravel(), bins=80)
    axes[1].set(title="error of the convolution", xlabel="steps of its scale", yscale="log")
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / "05_integers.png", dpi=120)
