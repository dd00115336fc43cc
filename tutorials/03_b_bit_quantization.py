# %% [markdown]
# # 3 · Quantization: a weight in b bits
#
# A weight is a float of 32 bits. Quantization replaces it by one of a few integers and keeps the rule that turns the
# integer back into a weight. The survey that this package follows writes four formulas:
#
#     Q1   W = {w_1, …, w_n}              the parameters of the model
#     Q2   q_i = round(w_i, b)            an integer for each, its code
#     Q3   w′_i = s · q_i + z             back to a weight: scale s, offset z
#     Q4   s and z                        "chosen by model performance and accuracy needs"
#
# About Q2 it says "the integer from rounding w_i to b places after the point", and that b bits represent each
# parameter. These are different things, and "round" leaves ties open. The package has each reading under its name:
# `uniform` (b bits, the default), `decimal` (b places) and `fixed_point` (binary places, in b bits).

# %%
import argparse
import tempfile
from pathlib import Path

import numpy as np

from refcompress import compress, datasets, nn, storage

parser = argparse.ArgumentParser(description="b-bit quantization", allow_abbrev=False)
parser.add_argument("--pictures", type=Path, metavar="DIR", help="write the picture into this folder")
pictures = parser.parse_known_args()[0].pictures  # a notebook has arguments of its own
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
    if pictures is not None:
        raise SystemExit("pictures need matplotlib: python -m pip install 'refcompress[viz]'") from None

# %% [markdown]
# ## Rounding
#
# A number t between two integers goes to the nearer one. In the middle between them, at a tie, a rule decides:
# `half_even` takes the even neighbour, `half_away` the one farther from 0, `half_up` the larger one. `floor`, `ceil`
# and `toward_zero` always go down, up, or toward 0. `stochastic` goes up with probability t − ⌊t⌋, so that its expected
# value is ⌊t⌋ + (t − ⌊t⌋) = t.
#
# The table shows the ties. The numbers in its head have the sum 0. half_up gives 3: it lifts every tie by ½, and over
# many weights that adds up. half_even and half_away go up as often as down here. The default is half_even, as in
# IEEE arithmetic.
#
# The last column is the float just below ½, whose nearest integer is 0. The well-known ⌊t + ½⌋ gives 1, because the sum
# t + ½ is itself rounded, to 1.

# %%
from refcompress.formulas.quantization import rounding

ties = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
below = np.nextafter(0.5, 0.0)
print(f"{'t':>12}", *(f"{t:5.1f}" for t in ties), "  sum   below 0.5")
for rule in rounding.RULES[:-1]:
    rounded = rounding.apply(ties, rule) + 0.0  # + 0.0 turns −0 into 0
    print(f"{rule:>12}", *(f"{t:5.0f}" for t in rounded), f"{rounded.sum():5.0f}   {rounding.apply(below, rule):9.0f}")
draws = rounding.apply(np.full(10_000, 0.25), "stochastic", np.random.default_rng(0))
print(f"stochastic, mean of 10,000 draws at 0.25: {draws.mean():.2f}")
print("floor(t + 0.5) just below 0.5:", np.floor(below + 0.5))

# %% [markdown]
# ## Uniform: 2^b equal steps (Q2 to Q4)
#
#     s = (β − α)/(2^b − 1)      z = α      q = clip( round((w − z)/s), 0, 2^b − 1 )      w′ = s·q + z
#
# [α, β] is the range of the weights, at first from the smallest to the largest. 2^b levels have 2^b − 1 steps
# between them. So code 0 stands for α and the last code for α + (2^b − 1)·s = β.
#
# By hand, b = 2, range [−1, 2]: s = 3/3 = 1, z = −1, and the levels are −1, 0, 1, 2.
#
#     w            −1    −0.4    0.2    0.5     2
#     (w − z)/s     0     0.6    1.2    1.5     3
#     q             0     1      1      2       3        1.5 is a tie and goes to the even 2
#     w′           −1     0      0      1       2
#     w − w′        0    −0.4    0.2   −0.5     0

# %%
from refcompress.formulas.quantization import uniform

w = np.array([-1.0, -0.4, 0.2, 0.5, 2.0])
s, z = uniform.scale_and_offset(w.min(), w.max(), bits=2)
q = uniform.quantize(w, s, z, bits=2)
restored = uniform.dequantize(q, s, z)
print(f"s = {s}, z = {z}, q =", q, " w' =", restored, " error", (w - restored).round(3))
print("bound s/2 =", uniform.error_bound(s), " for floor and the like: s =", uniform.error_bound(s, "floor"))

# %% [markdown]
# ### How large can the error be?
#
# Call t = (w − z)/s. Then w = s·t + z, w′ = s·round(t) + z, and w − w′ = s·(t − round(t)). A nearest rule moves t by at
# most ½, so |w − w′| ≤ s/2 on [α, β]; the others move it by less than 1.
#
# That is exact arithmetic. In floating point each operation may err by a factor 1 ± u, with u = 2⁻²⁴ in float32. The
# difference, the quotient and the product add u·N·s each, N = 2^b − 1; the last sum adds u·|w′|:
#
#     slack ≈ u · (3·N·s + max |w′|)
#
# It does not depend on b, since N·s = β − α. But s/2 halves with every bit. Below, 100,000 float32 weights in [−1, 1]:
# from 12 bits on, the largest error is a little above s/2, and still within s/2 + slack.

# %%
many = np.random.default_rng(0).uniform(-1, 1, 100_000).astype(np.float32)
for bits in (2, 8, 12, 16):
    s, z = uniform.scale_and_offset(many.min(), many.max(), bits)
    errors = np.abs(many.astype(np.float64) - uniform.dequantize(uniform.quantize(many, s, z, bits), s, z))
    half, slack = float(uniform.error_bound(s)), float(uniform.float_slack(s, z, bits))
    print(f"{bits:2} bits: s/2 {half:.1e}, slack {slack:.1e}, largest error {errors.max() / half:.6f} of s/2,", end=" ")
    print("within s/2 + slack:", bool(errors.max() <= half + slack))

# %% [markdown]
# ### Four edges
#
# - **Outside of the range** the code saturates: with the range [−1, 2], 7 gets the last code and comes back as 2.
#   The error is 5. The bound s/2 holds inside of [α, β] only.
# - **All weights equal**: β − α = 0 would give 0/0. The package takes s = 1 and z = α. The code is 0, and the weight
#   comes back exactly.
# - **Infinity or NaN** in the weights is an error, not a code.
# - **One bit more can be worse.** {0, ⅓, 1} with 2 bits: s = ⅓, all three are levels, the error is 0. With 3 bits:
#   s = 1/7, ⅓ is 2⅓ steps, comes back as 2/7, and the error is ⅓ − 2/7 = 1/21 ≈ 0.0476. The bound s/2 did fall, from
#   1/6 to 1/14. A bound promises the worst case, not this case.

# %%
print("7 with the range [-1, 2]:", uniform.dequantize(uniform.quantize(np.array([7.0]), 1.0, -1.0, 2), 1.0, -1.0))
same = np.array([0.3, 0.3])
s, z = uniform.scale_and_offset(same.min(), same.max(), bits=4)
q = uniform.quantize(same, s, z, bits=4)
print(f"constant: s = {s}, z = {z}, q = {q}, w' =", uniform.dequantize(q, s, z))
try:
    uniform.quantize(np.array([np.nan]), 1.0, 0.0, 2)
except ValueError as error:
    print("ValueError:", error)
thirds = np.array([0.0, 1 / 3, 1.0])
for bits in (2, 3):
    s, z = uniform.scale_and_offset(0.0, 1.0, bits)
    error = np.abs(thirds - uniform.dequantize(uniform.quantize(thirds, s, z, bits), s, z)).max()
    print(f"0, 1/3, 1 with {bits} bits: largest error {error:.4f}, bound {uniform.error_bound(s):.4f}")

# %% [markdown]
# ## Decimal: b places after the point
#
#     q = round(w · 10^b)      w′ = s·q with s = 10^−b, z = 0      |w − w′| ≤ ½ · 10^−b
#
# This is the survey's sentence taken at its word. With 2 places −0.126 becomes −13 and comes back as −0.13. 0.125 is
# the tie 12.5 and becomes 12. How many bits the codes need follows from the weights.
#
# In floating point there is slack again: u·(5·|w| + 3·10^−b). Two roundings come from w·10^b (10^b and the product),
# three from 10^−b·q (10^−b, q and the product, on |w′| ≤ |w| + 10^−b). In float32, for |w| near 1, that is about 3·10⁻⁷
# whatever b is. At 6 places the bound is 5·10⁻⁷, a little more. At 7 places it is 5·10⁻⁸ and the slack is six times
# larger: more places buy nothing, for a float32 near 1 has only about 7 digits.

# %%
from refcompress.formulas.quantization import decimal

q = decimal.quantize(np.array([-0.126, 0.125, 1.0]), places=2)
print("2 places: q =", q, " w' =", decimal.dequantize(q, places=2))
for places in (5, 6, 7):
    half, slack = decimal.error_bound(places), decimal.float_slack(many, places).max()
    errors = np.abs(many.astype(np.float64) - decimal.dequantize(decimal.quantize(many, places), places, np.float32))
    print(f"{places} places, float32: bound {half:.0e}, slack {slack:.0e}, slack / bound {slack / half:.1f},", end=" ")
    print("within both:", bool((errors <= half + decimal.float_slack(many, places)).all()))

# %% [markdown]
# ## Fixed point: f binary places, in b bits
#
#     q = clip( round(w · 2^f), −2^(b−1), 2^(b−1) − 1 )      w′ = q · 2^−f      |w − w′| ≤ ½ · 2^−f inside the range
#
# The codes are signed integers. With f = 2, b = 4 they go from −8 to 7, the weights from −2 to 1.75 in steps of ¼:
# −9·4 = −36 saturates at −8 and comes back as −2; −0.3·4 = −1.2 gives −1, so −0.25; 0.125·4 = ½ is a tie and gives 0;
# 0.3 gives 1, so 0.25. Multiplying by a power of 2 only moves the exponent, which is exact. No slack is needed.
#
# The finest f without saturation for [−0.5, 0.4] in 4 bits: at f = 4 the ends are −8 and 6.4 → 6, which fit. At f = 5
# −0.5 would be −16.

# %%
from refcompress.formulas.quantization import fixed_point

q = fixed_point.quantize(np.array([-9.0, -0.3, 0.125, 0.3]), fraction_bits=2, bits=4)
print("q =", q, " w' =", fixed_point.dequantize(q, fraction_bits=2), " bound", fixed_point.error_bound(2))
print("finest f for [-0.5, 0.4] in 4 bits:", fixed_point.largest_fraction_bits(-0.5, 0.4, bits=4))

# %% [markdown]
# ## Computing with codes: integer products
#
#     out[m, n] = Σ_k a[m, k] · b[k, n]        exact, in int32
#
# A neuron's sum can be taken over the codes. With fixed point, w = 2^−f·q and x = 2^−g·p, so Σ w·x = 2^−(f+g) · Σ q·p:
# integers, and one scaling at the end. By hand: w = (0.5, −1.25) with f = 2 has the codes (2, −5); x = (3, 2) with
# g = 0 is its own code. 2·3 − 5·2 = −4, and −4·2⁻² = −1 = 0.5·3 − 1.25·2.
#
# NumPy multiplies integer matrices one number at a time. For floats it calls BLAS, which is many times faster, so
# `integer` lets BLAS multiply the codes as floats. Is that exact? A float32 has 24 binary digits: it holds every
# integer up to 2²⁴ = 16,777,216, and the next one it rounds to 2²⁴. As long as no sum on the way can exceed 2²⁴,
# nothing is ever rounded, in whatever order BLAS adds:
#
#     K · max|a| · max|b| ≤ 2²⁴
#
# For signed codes of 8 bits max|a| · max|b| is at most 128·128 = 2¹⁴, so K = 2¹⁰ = 1,024 terms always fit. `matmul`
# cuts longer sums into parts that fit, and adds these as integers.
#
# Below, every factor is 127 and every product 16,129. 1,040 of them are 16,774,160, below 2²⁴. 1,041 are 16,790,289:
# odd, but above 2²⁴ there are only even float32. The plain product must be wrong.

# %%
from refcompress.formulas.quantization import integer

q = fixed_point.quantize(np.array([[0.5, -1.25]]), fraction_bits=2, bits=8)
total = integer.matmul(q, np.array([[3], [2]]))
print("codes", q, " their product", total, " scaled", total * 2.0**-2)
print("2^24 + 1 in float32:", int(np.float32(2**24 + 1)), " 2^24:", 2**24)
for terms in (1040, 1041):
    a, b = np.full((1, terms), 127, np.int8), np.full((terms, 1), 127, np.int8)
    exact, plain = terms * 127 * 127, (a.astype(np.float32) @ b.astype(np.float32)).item()
    print(f"{terms} terms: {exact:,}, matmul {integer.matmul(a, b).item():,}, plain float32 right: {plain == exact}")

# %% [markdown]
# ## Packing: b bits are b bits only side by side
#
#     bit j of code k is bit k·b + j of the stream;  bit i of the stream is bit i mod 8 of byte ⌊i/8⌋
#
# In an array of bytes, a code of 4 bits takes 8. `packing` puts two into a byte, the first into the low half. The codes
# 1, 2, 3 make the bytes 1 + 16·2 = 33 = 0x21 and 3 = 0x03; four bits stay unused. Codes may cross byte borders: 5, 3, 6
# with 3 bits are the number 5 + 8·3 + 64·6 = 413 = 0x19D, so the bytes 0x9D and 0x01; seven bits stay unused.
#
# `ledger` counts: n codes need ⌈n·b/8⌉ bytes, each scale and offset 4. A layer of 300 × 64 weights with 4 bits and one
# range for each of its 300 neurons has 9,600 + 1,200 + 1,200 = 12,000 bytes. As floats it has 76,800, 6.4 times more.

# %%
from refcompress.formulas.coding import ledger, packing

for codes, bits in (([1, 2, 3], 4), ([5, 3, 6], 3)):
    packed = packing.pack(np.array(codes), bits)
    unused = ledger.unused_bits(len(codes), bits)
    print(codes, f"in {bits} bits:", [f"0x{byte:02X}" for byte in packed], f"unused bits {unused}, back:", end=" ")
    print(packing.unpack(packed, bits, len(codes)))
entry = ledger.entry(count=300 * 64, bits=4, groups=300)
print(entry, " sum", sum(entry), " ratio", ledger.ratio(300 * 64 * 4, sum(entry)))

# %% [markdown]
# ## Errata of the survey's program
#
# **Everything becomes zero.** The listing quantizes with round(w/255)·255. For |w| ≤ 127.5 the quotient is at most ½,
# and rounds to 0. The weights of a network are far smaller, so all are lost. (Then it multiplies by 255 again.) The
# 255 belongs elsewhere: 8 bits have 2⁸ − 1 = 255 steps, so s = (β − α)/255. For weights from −0.33 to 0.33 that is
# 0.66/255 ≈ 0.0026, and no weight moves by more than 0.0013.
#
# **The mean of class indices is no accuracy.** The listing's `accuracy` holds the predicted class of each image of a
# batch, computed before the weights are changed, and it prints the mean. PyTorch refuses to average integers; NumPy
# does it. For the answers 7, 2, 1, 0 where 7, 2, 1, 5 were right, the mean is 2.5. The accuracy is the share of right
# answers, ¾.

# %%
small = np.array([-0.33, 0.1, 0.33, 127.5, 127.6])
print("round(w/255)*255:", (np.rint(small / 255) * 255 + 0.0).tolist())
s, z = uniform.scale_and_offset(-0.33, 0.33, bits=8)
print("uniform, 8 bits: ", uniform.dequantize(uniform.quantize(small[:3], s, z, 8), s, z).round(4).tolist())
answers, labels = np.array([7, 2, 1, 0]), np.array([7, 2, 1, 5])
print("mean of the classes", answers.mean(), " accuracy", (answers == labels).mean())

# %% [markdown]
# ## A trained network, in 8 bits down to 1
#
# Two hidden layers of 100 and 50 neurons, for digits of 8 × 8 pixels. `quantize_model` gives each neuron its own
# range. The model is saved, loaded back, and tested as loaded. The error is that of the first layer's weights, next to
# the largest s/2 of its neurons. The file has a fixed part as well: names, shapes, checksums.
#
# The accuracies depend a little on the machine. What to expect: hardly any loss down to 4 bits, and a collapse at 1,
# where each neuron has only two different weights left.

# %%
data = datasets.digits()
model = nn.networks.mlp(((1, 8, 8), 100, 50, 10), np.random.default_rng(0))
settings = {"optimizer": nn.SGD(0.05, momentum=0.9), "epochs": 10, "batch_size": 32, "rng": np.random.default_rng(1)}
nn.fit(model, data.x_train, data.y_train, **settings)
float_bytes = 4 * model.parameter_count()
print(f"floats: accuracy {nn.evaluate(model, data.x_test, data.y_test).accuracy:.3f}, {float_bytes:,} bytes")
weights = model.layers["fc1"].parameters["weight"]
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "model.npz"
    for bits in range(8, 0, -1):
        compressed = compress.quantize_model(model, compress.Scheme(bits=bits))
        storage.save(path, compressed)
        loaded = storage.load(path)
        error = np.abs(weights - loaded.layers["fc1"].parameters["weight"]).max()
        half = uniform.error_bound(compressed.tensors["fc1.weight"].scale).max()
        size = path.stat().st_size
        print(f"{bits} bits: accuracy {nn.evaluate(loaded, data.x_test, data.y_test).accuracy:.3f},", end=" ")
        print(f"error {error:.4f} of at most {half:.4f}, file {size:6,} bytes, {ledger.ratio(float_bytes, size):4.1f}x")

# %% [markdown]
# ## Choosing s and z (Q4)
#
# The range need not reach from the smallest to the largest weight. A narrower one has finer steps; the price is that
# the outermost weights saturate. Which is better? Q4 says: see how the model performs. With 2 bits and one range for
# each layer, shrink [α, β] by a factor and look at the training images. (The test images only judge the choice. They
# must not make it.)

# %%
best = (0.0, 1.0)
for factor in (1.0, 0.8, 0.6, 0.4, 0.2):
    coarse = model.copy()
    for layer in (coarse.layers["fc1"], coarse.layers["fc2"], coarse.layers["fc3"]):
        w = layer.parameters["weight"]
        s, z = uniform.scale_and_offset(factor * w.min(), factor * w.max(), bits=2)
        layer.parameters["weight"] = uniform.dequantize(uniform.quantize(w, s, z, bits=2), s, z)
    train, test = nn.evaluate(coarse, data.x_train, data.y_train), nn.evaluate(coarse, data.x_test, data.y_test)
    best = max(best, (train.accuracy, factor))
    print(f"range times {factor}: accuracy on training images {train.accuracy:.3f}, on test images {test.accuracy:.3f}")
print("chosen:", best[1])

# %% [markdown]
# The picture shows why: few weights lie near the ends. Levels out there are wasted on them, while the many weights
# around 0 share one or two levels. Levels closer to 0 serve them better.

# %%
if plt is not None:
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained", sharey=True)
    for axis, (bits, factor) in zip(axes, ((2, 1.0), (2, best[1]), (4, 1.0)), strict=True):
        s, z = uniform.scale_and_offset(factor * weights.min(), factor * weights.max(), bits)
        axis.hist(weights.ravel(), bins=80, color="lightsteelblue")
        for level in uniform.dequantize(np.arange(2**bits), s, z):
            axis.axvline(level, color="tab:red", linewidth=1)
        axis.set(title=f"{bits} bits, range times {factor}", xlabel="weight of the first layer")
    axes[0].set_ylabel("weights (bars), levels (lines)")
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / "03_levels.png", dpi=120)
