# %% [markdown]
# # 1 · A network by hand
#
# A neural network is a chain of small formulas. This tutorial takes them one at a time: the formula, where it comes
# from, the function that computes it, and numbers that can be checked on paper. Then it chains them, differentiates
# the chain, and trains it on handwritten digits. Every formula is a module with two functions:
#
# - `forward(x, …)` gives the output and a `cache`, which holds what the derivative needs;
# - `backward(dout, cache)` takes `dout`, the derivative of the loss L by the output, and gives the derivatives of L by
#   the inputs. L is one number that says how wrong the network is. Training makes it small.
#
# The formulas of the survey of model compression that the package follows are numbered: N1 and N2 are the network, P1
# to P4 pruning (tutorial 2), Q1 to Q4 quantization (tutorial 3).

# %%
import argparse
from pathlib import Path

import numpy as np

from refcompress import datasets, nn

parser = argparse.ArgumentParser(description="A network by hand", allow_abbrev=False)
parser.add_argument("--pictures", type=Path, metavar="DIR", help="write the pictures into this folder")
pictures = parser.parse_known_args()[0].pictures  # a notebook has arguments of its own
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
    if pictures is not None:
        raise SystemExit("pictures need matplotlib: python -m pip install 'refcompress[viz]'") from None

# %% [markdown]
# ## One neuron (N1)
#
#     a = f(w · x + b)
#
# A neuron multiplies its inputs x by its weights w, adds its bias b, and applies an activation function f. Take
# w = (2, −1), b = 1, x = (3, 4): the weighted sum is 2·3 − 1·4 + 1 = 3.
#
# `linear` computes the weighted sums of a whole layer. Row i of W holds the weights of neuron i; each row of x is one
# sample. The second neuron here has w = (−1, ½), b = 0, so its sum is −3 + 2 + 0 = −1. As f we take `relu`,
# f(t) = max(t, 0). It leaves 3 and turns −1 into 0.
#
#     out[n, i] = Σ_d W[i, d] · x[n, d] + b[i]
#
# **Derivatives.** L depends on W[i, d] through out[n, i], and ∂out[n, i]/∂W[i, d] = x[n, d]. The chain rule multiplies
# the two, and sums over the samples n, which share the weight. In the same way for x and b:
#
#     dW[i, d] = Σ_n dout[n, i] · x[n, d]        dX[n, d] = Σ_i dout[n, i] · W[i, d]        db[i] = Σ_n dout[n, i]
#
# Suppose L grows by 10 and by 100 per unit of the two sums, dout = (10, 100). Then dW = (10·3, 10·4) and
# (100·3, 100·4); dX = (10·2 − 100·1, −10·1 + 100·½) = (−80, 40). The forward pass costs one multiplication and one
# addition, a *multiply–accumulate*, for each of the 4 weights.

# %%
from refcompress.formulas.network import linear, relu

x = np.array([[3.0, 4.0]])  # (1 sample, 2 inputs)
W = np.array([[2.0, -1.0], [-1.0, 0.5]])  # (2 neurons, 2 inputs)
b = np.array([1.0, 0.0])  # (2 neurons)
sums, cache = linear.forward(x, W, b)
print("weighted sums", sums, " activations", relu.forward(sums)[0])
gradients = linear.backward(np.array([[10.0, 100.0]]), cache)
print("dX", gradients.dX.tolist(), " dW", gradients.dW.tolist(), " db", gradients.db.tolist())
print("multiply-accumulates for one sample:", linear.macs(W))

# %% [markdown]
# ## Activation functions
#
#     relu        max(x, 0)                     derivative  1 where x > 0, else 0
#     leaky_relu  x where x > 0, else slope·x   derivative  1 where x > 0, else slope
#     sigmoid     σ = 1/(1 + e^−x)              derivative  σ·(1 − σ)
#     tanh        (e^x − e^−x)/(e^x + e^−x)     derivative  1 − tanh²
#     gelu        x·Φ(x)                        derivative  Φ(x) + x·φ(x)
#
# Without an activation function between them, two layers W₂(W₁x) would be one layer (W₂W₁)x.
#
# **Derivations.** σ′ = e^−x/(1 + e^−x)² is the product of 1/(1 + e^−x) = σ and e^−x/(1 + e^−x) = 1 − σ. For tanh = u/v
# with u′ = v and v′ = u, the quotient rule gives (v² − u²)/v² = 1 − tanh². In gelu, Φ(x) is the probability that a
# standard normal variable is below x, and φ = Φ′ is its density; the rest is the product rule.
#
# At 0 the slope of relu is 0 from the left and 1 from the right, so a choice is needed. The package takes the left one:
# relu has the derivative 0 there, leaky_relu its slope. PyTorch does the same.
#
# Read the column x = 0 below: relu has the derivative 0, leaky_relu 0.01; σ(0) = ½ has ½·½ = ¼; tanh(0) = 0 has 1;
# gelu(0) = 0 has Φ(0) = ½. Left of it relu sends no gradient back at all: a neuron whose sums are all negative cannot
# learn. leaky_relu lets a hundredth through.

# %%
from refcompress.formulas.network import gelu, leaky_relu, sigmoid, tanh

ACTIVATIONS = {"relu": relu, "leaky_relu": leaky_relu, "sigmoid": sigmoid, "tanh": tanh, "gelu": gelu}
t = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
print(f"{'x':>12}", *(f"{value:8.0f}" for value in t))
for name, module in ACTIVATIONS.items():
    out, cache = module.forward(t)
    print(f"{name:>12}", *(f"{value:8.4f}" for value in out))
    print(f"{'derivative':>12}", *(f"{value:8.4f}" for value in module.backward(np.ones(5), cache)))

if plt is not None:
    grid = np.linspace(-4, 4, 401)
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for name, module in ACTIVATIONS.items():
        out, cache = module.forward(grid)
        style = {"linestyle": "--", "zorder": 3} if module is relu else {}  # else leaky_relu covers it
        axes[0].plot(grid, out, label=name, **style)
        axes[1].plot(grid, module.backward(np.ones_like(grid), cache), **style)
    axes[0].set(title="activation functions", xlabel="x", ylim=(-1.5, 3))
    axes[0].legend()
    axes[1].set(title="their derivatives", xlabel="x")
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / "01_activations.png", dpi=120)

# %% [markdown]
# ## Is a derivative right? Central differences
#
#     f′(x) ≈ (f(x + h) − f(x − h)) / 2h
#
# By Taylor, f(x ± h) = f ± h·f′ + h²·f″/2 ± h³·f‴/6 + …. In the difference the even terms cancel. What is left is
# f′ + h²·f‴/6: an error near 10⁻¹² for h = 10⁻⁶. The rounding of f, some 10⁻¹⁶, is divided by h and adds about 10⁻¹⁰.
# So the two agree far below 10⁻⁷, or the formula is wrong.
#
# An output has many entries. With random numbers r, L = Σ r·out is one number whose gradient by x involves them all;
# `dout` is then r. A check must be able to fail: the last line plants an error of one part in a thousand.


# %%
def agree(name, forward_of_x, gradient_of_r, x, h=1e-6):
    """Print whether the gradient of L = Σ r·out by x is the one that central differences find."""
    out, cache = forward_of_x(x)
    r = np.random.default_rng(0).standard_normal(np.shape(out))
    measured = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = h
        measured[index] = (r * (forward_of_x(x + step)[0] - forward_of_x(x - step)[0])).sum() / (2 * h)
    print(f"{name:32} agrees to 1e-7: {bool(np.abs(gradient_of_r(r, cache) - measured).max() < 1e-7)}")


rng = np.random.default_rng(1)
points, W3 = rng.standard_normal((3, 4)), rng.standard_normal((5, 4))  # no point is within h of relu's corner at 0
for name, module in ACTIVATIONS.items():
    agree(name, module.forward, module.backward, points)
agree("linear, by x", lambda x: linear.forward(x, W3), lambda r, cache: linear.backward(r, cache).dX, points)
agree("linear, by W", lambda W: linear.forward(points, W), lambda r, cache: linear.backward(r, cache).dW, W3)
agree("tanh, times 1.001 (planted)", tanh.forward, lambda r, cache: 1.001 * tanh.backward(r, cache), points)

# %% [markdown]
# ## Convolution
#
#     out[i, j] = b + Σ_u Σ_v W[u, v] · x[i + u, j + v]
#
# A filter is one neuron that looks at a small window of the image. It is applied at every position, always with the
# same weights. (With several channels, such as colours, the sum runs over them too.) Take the image 1 … 9 and a 2×2
# filter that adds a pixel and twice its lower right neighbour:
#
#     1 2 3                 1 + 2·5 = 11    2 + 2·6 = 14
#     4 5 6      1 0   →    4 + 2·8 = 20    5 + 2·9 = 23
#     7 8 9      0 2
#
# The window fits (size + 2·padding − kernel)/stride + 1 times along an axis, rounded down. Padding puts zeros around
# the image; stride is the step from one window to the next.
#
# **Derivatives.** A weight is used at all positions, so its gradient is a sum over them. With dout = 1 everywhere,
# dW[0, 0] is the sum of the pixels that met that weight: 1 + 2 + 4 + 5 = 12. A pixel collects the weights of every
# window that holds it. The corner 1 is only in the first window, under W[0, 0] = 1. The middle 5 is in all four, once
# under each weight: 1 + 0 + 0 + 2 = 3.

# %%
from refcompress.formulas.network import conv2d

image = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)  # (samples, channels, height, width)
kernel = np.array([[[[1.0, 0.0], [0.0, 2.0]]]])  # (filters, channels, height, width)
out, cache = conv2d.forward(image, kernel, np.zeros(1))
print("conv2d", out[0, 0].tolist())
for padding, stride in ((0, 1), (0, 2), (1, 1)):
    print(f"padding {padding}, stride {stride}: windows along an axis:", conv2d.output_size(3, 2, stride, padding))
gradients = conv2d.backward(np.ones_like(out), cache)
print("dW", gradients.dW[0, 0].tolist(), " db", gradients.db.tolist())
print("dX", gradients.dX[0, 0].tolist())
print("multiply-accumulates for one image:", conv2d.macs(kernel, 2, 2))  # 4 weights at 2·2 positions
agree("conv2d, by W", lambda W: conv2d.forward(image, W), lambda r, cache: conv2d.backward(r, cache).dW, kernel)
agree("conv2d, by x", lambda x: conv2d.forward(x, kernel), lambda r, cache: conv2d.backward(r, cache).dX, image)

# %% [markdown]
# ### The same with fewer multiplications: Winograd
#
# Two neighbouring outputs of a filter with three weights, y₀ = d₀·g₀ + d₁·g₁ + d₂·g₂ and y₁ = d₁·g₀ + d₂·g₁ + d₃·g₂,
# have six products. Four are enough, because the two share their inputs:
#
#     m₁ = (d₀ − d₂)·g₀        m₂ = (d₁ + d₂)·(g₀ + g₁ + g₂)/2        y₀ = m₁ + m₂ + m₃
#     m₄ = (d₁ − d₃)·g₂        m₃ = (d₂ − d₁)·(g₀ − g₁ + g₂)/2        y₁ = m₂ − m₃ − m₄
#
# Multiply out: m₂ + m₃ = d₁·g₁ + d₂·(g₀ + g₂), and m₁ replaces its d₂·g₀ by d₀·g₀. That is y₀; y₁ goes the same way.
# For d = (1, 2, 3, 4) and g = (1, 0, 2) the products are −2, 7.5, 1.5 and −4, and y = (7, 10), as 1 + 3·2 and 2 + 4·2.
# The sums of g are formed once for the whole image; those of d are cheap.
#
#     16 outputs = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A        ⊙ multiplies element by element
#
# `winograd` does this along both axes at once, for tiles of 4 × 4 outputs of a 3×3 filter. G makes 6 × 6 numbers of the
# filter, B makes 6 × 6 sums of the pixels that the tile sees, and A makes the outputs of their 36 products. Directly
# there are 16 · 9 = 144. With many channels and filters the products are most of the work, and the convolution takes
# about half of the time. The price: A and B hold numbers up to 8, so large sums cancel, and leave larger roundings
# behind. Every step is a sum or a product, so the derivatives go back through the same matrices, transposed.

# %%
from refcompress.formulas.network import winograd

d, g = (1.0, 2.0, 3.0, 4.0), (1.0, 0.0, 2.0)
m = (d[0] - d[2]) * g[0], (d[1] + d[2]) * sum(g) / 2, (d[2] - d[1]) * (g[0] - g[1] + g[2]) / 2, (d[1] - d[3]) * g[2]
print("four products", m, " two outputs", (m[0] + m[1] + m[2], m[1] - m[2] - m[3]))

rng = np.random.default_rng(0)
pixels, taps = rng.standard_normal((1, 1, 6, 6)), rng.standard_normal((1, 1, 3, 3))
products = (winograd.G @ taps @ winograd.G.T) * (winograd.B_T @ pixels @ winograd.B_T.T)
tile = winograd.A_T @ products @ winograd.A_T.T
print(products.size, "products,", tile.size, "outputs, those of conv2d to 1e-12:", end=" ")
print(bool(np.abs(tile - conv2d.forward(pixels, taps)[0]).max() < 1e-12))

agree("winograd, by W", lambda W: winograd.forward(pixels, W), lambda r, cache: winograd.backward(r, cache).dW, taps)
agree("winograd, by x", lambda x: winograd.forward(x, taps), lambda r, cache: winograd.backward(r, cache).dX, pixels)

channels, filters = rng.standard_normal((1, 32, 32, 32)), rng.standard_normal((64, 32, 3, 3))
right, _ = conv2d.forward(channels, filters)
for name, module in (("conv2d", conv2d), ("winograd", winograd)):
    single, _ = module.forward(channels.astype(np.float32), filters.astype(np.float32))
    error = np.abs(single - right).max() / np.abs(right).max()
    print(f"{name} in float32: largest error {error:.0e} of the largest output")

# %% [markdown]
# ## Pooling
#
#     average_pool2d          mean of every window            each pixel gets dout/count
#     max_pool2d              largest value of every window   the largest pixel gets all of dout
#     global_average_pool2d   mean of the whole channel       each pixel gets dout/(height·width)
#
# A mean of four moves by ¼ of what one of them moves. A maximum moves with its largest value only; among equal ones the
# first in reading order counts. Below, the upper left window holds 7 twice: the gradient goes to the first.

# %%
from refcompress.formulas.network import average_pool2d, global_average_pool2d, max_pool2d

image4 = np.array([[1.0, 7, 2, 4], [7, 5, 6, 8], [9, 3, 0, 0], [1, 3, 0, 4]]).reshape(1, 1, 4, 4)
for name, pool in (("average_pool2d", average_pool2d), ("max_pool2d", max_pool2d)):
    out, cache = pool.forward(image4, kernel_size=2)
    dX = pool.backward(np.ones_like(out), cache)
    print(name, out[0, 0].tolist(), " dX of the upper left window", dX[0, 0, :2, :2].tolist())
out, cache = global_average_pool2d.forward(image4)
dX = global_average_pool2d.backward(np.ones_like(out), cache)
print("global_average_pool2d", out.item(), " dX of every pixel", dX[0, 0, 0, 0])

# %% [markdown]
# ## Standardization and batch normalization
#
#     standardize   out = (x − mean)/std                    with constants: dX = dout/std
#     batch_norm    x̂ = (x − μ)/√(σ² + ε),  out = γ·x̂ + β   with the batch's own mean μ and variance σ²
#
# Layers learn best when their inputs are around 0 and of size 1. `standardize` does that once, for the pixels.
# `batch_norm` does it inside of the network, for every channel by itself, and lets training choose a new scale γ and
# shift β. ε = 10⁻⁵ guards the division. By hand: the batch (1, 3) has μ = 2 and σ² = 1, so x̂ = (−1, 1). With γ = 10,
# β = 100 the output is (90, 110), up to ε. After training, running statistics take the place of the batch's: nine
# tenths of the old, one tenth of each new batch. From mean 0 and variance 1 they become 0.1·2 = 0.2 and
# 0.9·1 + 0.1·2 = 1.1. (This variance 2 is the batch's sum of squares, 1 + 1, divided by m − 1 = 1, not by m = 2.)
#
# **Derivative.** x acts on x̂ directly, through μ and through σ². Raising all x alike changes no x̂, nor does stretching
# them about their mean (but for ε). So these two parts of dout have no effect and are taken away: its mean, and its
# part along x̂.
#
#     dX = γ/√(σ² + ε) · (dout − mean(dout) − x̂ · mean(dout · x̂))        dγ = Σ dout·x̂        dβ = Σ dout

# %%
from refcompress.formulas.network import batch_norm, standardize

out, cache = standardize.forward(np.array([0.0, 0.5, 1.0]), mean=0.5, std=0.25)
print("standardize", out.tolist(), " dX", standardize.backward(np.ones(3), cache).tolist())
one, zero = np.ones(1), np.zeros(1)
out, cache = batch_norm.forward(np.array([[1.0], [3.0]]), 10 * one, 100 * one, zero, one, training=True)
print("batch_norm", out.ravel().round(3).tolist(), end="  ")
print("running mean", cache.running_mean.round(3).item(), "variance", cache.running_var.round(3).item())
print("dX where dout is the same for all:", batch_norm.backward(np.ones((2, 1)), cache).dX.ravel().tolist())
four = (np.full(4, 2.0), np.zeros(4), np.zeros(4), np.ones(4))  # γ, β, running mean and variance of 4 channels
agree(
    "batch_norm, by x",
    lambda x: batch_norm.forward(x, *four, training=True),
    lambda r, c: batch_norm.backward(r, c).dX,
    points,
)

# %% [markdown]
# ## Dropout
#
#     out = x · [u ≥ p] / (1 − p),   u uniform in [0, 1)
#
# In training each value is dropped with probability p, so that no neuron relies on a single other one. The survivors
# are divided by 1 − p. The expected value is then (1 − p) · x/(1 − p) = x, and after training dropout is simply left
# out. The gradient passes where the value passed, times the same factor.

# %%
from refcompress.formulas.network import dropout

out, cache = dropout.forward(np.ones(8), 0.5, np.random.default_rng(0))
print("dropout, p = 0.5:", out.tolist(), " dX", dropout.backward(np.full(8, 3.0), cache).tolist())
print("after training:  ", dropout.forward(np.ones(8), 0.5, training=False)[0].tolist())

# %% [markdown]
# ## Initial weights
#
#     W ~ Normal(0, 2/D),   D = number of inputs of a neuron
#
# The sum Σ w·x of D independent terms of mean 0 has the variance D · Var(w) · mean(x²). If x comes out of a relu, half
# of a symmetric distribution was set to 0, so mean(x²) is half the variance of the sums before. From layer to layer the
# variance changes by the factor D · Var(w)/2, which is 1 for Var(w) = 2/D. With 1/D it is ½ each time, and after 10
# layers the size of the signal, the root of its variance, is √½¹⁰ = 1/32 of what it is with 2/D. (The weights are
# random, so with 2/D the size is not exactly 1.)

# %%
from refcompress.formulas.network import he_normal

for name, factor in (("2/D", 1.0), ("1/D", 0.5**0.5)):
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((500, 256))
    for _ in range(10):
        signal = linear.forward(relu.forward(signal)[0], factor * he_normal.sample((256, 256), rng, np.float64))[0]
    print(f"variance {name}: size of the signal 1.00 at first, {signal.std():.2f} after 10 layers of 256 neurons")

# %% [markdown]
# ## Losses
#
#     mean_squared_error      L = mean((prediction − target)²)     derivative  2·(prediction − target)/count
#     softmax_cross_entropy   p_c = e^z_c / Σ_k e^z_k,  L = −log p_label     derivative  p_c − [c = label]
#
# For numbers: prediction (1, 3) against (0, 0) has L = (1 + 9)/2 = 5 and the derivative 2·(1, 3)/2 = (1, 3).
#
# For classes: softmax turns the outputs z, called logits, into positive numbers p with sum 1. L is 0 only where the
# right class gets all of it. Derivative: −log p_label = −z_label + log Σ_k e^z_k. By z_c, the first term gives
# −[c = label], the second e^z_c/Σ_k e^z_k = p_c. With z = (0, log 3): p = (¼, ¾). For label 1, L = log(4/3) ≈ 0.2877
# and the derivative is (¼, −¼). Over several samples the loss is the mean.

# %%
from refcompress.formulas.network import mean_squared_error, softmax_cross_entropy

loss, cache = mean_squared_error.forward(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
print("squared error", loss, " derivative", mean_squared_error.backward(1.0, cache).dprediction.tolist())
loss, cache = softmax_cross_entropy.forward(np.array([[0.0, np.log(3)]]), np.array([1]))
print(f"cross-entropy {loss:.4f}  derivative", softmax_cross_entropy.backward(1.0, cache).round(4).tolist())

# %% [markdown]
# ## The composition (N2) and its derivative
#
#     y = f_k( … f_2( f_1(x) ) … )
#
# Forward runs the layers in order, backward in reverse. Each layer turns the derivative by its output into the
# derivative by its input, which is the `dout` of the layer before. That is the chain rule and nothing else.
#
# Below: linear, relu, linear, cross-entropy, called one by one. The logits are (3, 0) but the label is 1, so the loss
# log(1 + e³) ≈ 3.05 is large. The derivative by the logits is positive for class 0 and negative for class 1: less of
# the first and more of the second would lower the loss. The first neuron counts for class 0 alone, so its row of dW is
# 0.9526·(3, 4) = (2.858, 3.81). The second row is 0: that neuron's sum was −1, and relu stopped the gradient.
# `nn.Sequential` is the same chain with a memory for weights and caches.
#
# One step of gradient descent, w ← w − η·∂L/∂w with η = 0.1, then lowers the loss. It is this step that changes the
# weights. Without it nothing is learned.

# %%
W2, label = np.array([[1.0, 1.0], [0.0, -1.0]]), np.array([1])
sums, cache1 = linear.forward(x, W, b)
hidden, cache2 = relu.forward(sums)
logits, cache3 = linear.forward(hidden, W2)
loss, cache4 = softmax_cross_entropy.forward(logits, label)
dlogits = softmax_cross_entropy.backward(1.0, cache4)
dhidden = linear.backward(dlogits, cache3).dX
dsums = relu.backward(dhidden, cache2)
dW = linear.backward(dsums, cache1).dW
print("logits", logits.tolist(), f" loss {loss:.4f}  dlogits", dlogits.round(4).tolist(), " dW", dW.round(3).tolist())

model = nn.Sequential({"fc1": nn.Linear(W.copy(), b.copy()), "relu": nn.ReLU(), "fc2": nn.Linear(W2.copy())})
model.forward(x)
model.backward(dlogits)
print("Sequential gives the same dW:", bool(np.array_equal(model.gradients()["fc1.weight"], dW)))


def chain(W):
    hidden = relu.forward(linear.forward(x, W, b)[0])[0]
    return softmax_cross_entropy.forward(linear.forward(hidden, W2)[0], label)


agree("the whole chain, by W", chain, lambda r, cache: r * dW, W)
nn.SGD(learning_rate=0.1).step(model.parameters(), model.gradients())
print(f"loss before the step {loss:.4f}, after it {softmax_cross_entropy.forward(model.forward(x), label)[0]:.4f}")

# %% [markdown]
# ## The survey's network
#
# Two convolutions, a pool, two fully connected layers, for images of 32 × 32 pixels. Its parameters, weights + biases:
#
#     conv1   32 filters · 1 channel · 3·3 + 32          320
#     conv2   64 filters · 32 channels · 3·3 + 64     18,496
#     fc1     128 neurons · (64·8·8) inputs + 128    524,416
#     fc2     10 neurons · 128 inputs + 10             1,290
#                                                    544,522
#
# fc1 has 96 % of the parameters, but conv2 has 96 % of the multiply–accumulates (MACs): its 18,432 weights work at
# 1,024 positions. What shrinks the file most is not what speeds it up most.

# %%
print(nn.networks.listing(np.random.default_rng(0)).summary())

# %% [markdown]
# ## Training
#
# 1,438 handwritten digits of 8 × 8 pixels, and 359 more to test on. The network has one hidden layer of 32 neurons. An
# epoch visits all training images once, 32 at a time (a batch), with one step of gradient descent after each batch.
# Momentum 0.9 adds nine tenths of the last step to the next. The last digits of the figures depend on the machine's
# arithmetic; about 96 % of the test images come out right.

# %%
data = datasets.digits()
model, optimizer = nn.networks.mlp(((1, 8, 8), 32, 10), np.random.default_rng(0)), nn.SGD(0.05, momentum=0.9)
rng = np.random.default_rng(1)
curve = nn.fit(model, data.x_train, data.y_train, optimizer=optimizer, epochs=12, batch_size=32, rng=rng)
for epoch in curve:
    bar = "#" * round(20 * epoch.loss)
    print(f"epoch {epoch.number:2}  loss {epoch.loss:.3f}  accuracy {epoch.accuracy:.3f}  {bar}")
test = nn.evaluate(model, data.x_test, data.y_test)
print(f"test: {test.correct} of {test.total} right, accuracy {test.accuracy:.3f}")

if plt is not None:
    figure, axes = plt.subplots(1, 5, figsize=(11, 2.8), layout="constrained", width_ratios=(3, 1, 1, 1, 1))
    axes[0].plot([epoch.number for epoch in curve], [epoch.loss for epoch in curve], marker="o")
    axes[0].set(title="training loss", xlabel="epoch", ylim=(0, None))
    answers = model.predict(data.x_test[:4]).argmax(axis=1)
    for axis, pixels, answer in zip(axes[1:], data.x_test[:4], answers, strict=True):
        axis.imshow(pixels[0], cmap="gray_r")
        axis.set(title=f"answer {answer}", xticks=[], yticks=[])
    if pictures is not None:
        figure.savefig(pictures / "01_training.png", dpi=120)

# %% [markdown]
# Next: `02_gradient_stability.py` asks which of these neurons the network could do without.
