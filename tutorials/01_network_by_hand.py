# %% [markdown]
# # 1 · A network by hand
#
# A neural network is a chain of small formulas. This tutorial takes them one at a time: the formula, where it comes
# from, the function that computes it, and numbers that can be checked on paper. Then it chains them, differentiates
# the chain, and trains it on handwritten digits.
#
# Every formula is a module with two functions:
#
# - `forward(x, …)` gives the output and a `cache`, which holds what the derivative needs;
# - `backward(dout, cache)` takes `dout`, the derivative of the loss L by the output, and gives the derivatives of L by
#   the inputs. L is one number that says how wrong the network is. Training makes it small.
#
# Labels such as N1 number the formulas: N for the network, P for pruning (tutorial 2), Q for quantization
# (tutorial 3). They are those of the survey of model compression that the package follows.

# %%
import argparse
from pathlib import Path

import numpy as np

from refcompress import datasets, nn
from refcompress.formulas.network import (
    average_pool2d,
    batch_norm,
    conv2d,
    dropout,
    gelu,
    global_average_pool2d,
    he_normal,
    leaky_relu,
    linear,
    max_pool2d,
    mean_squared_error,
    relu,
    sigmoid,
    softmax_cross_entropy,
    standardize,
    tanh,
)

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
# `linear` computes the weighted sums of a whole layer: row i of W holds the weights of neuron i, each row of x is one
# sample. The second neuron here has w = (−1, ½), b = 0, so its sum is −3 + 2 + 0 = −1. As f we take
# `relu`, f(t) = max(t, 0). It leaves 3 and turns −1 into 0.
#
#     out[n, i] = Σ_d W[i, d] · x[n, d] + b[i]

# %%
x = np.array([[3.0, 4.0]])  # (1 sample, 2 inputs)
W = np.array([[2.0, -1.0], [-1.0, 0.5]])  # (2 neurons, 2 inputs)
b = np.array([1.0, 0.0])  # (2 neurons)
sums, linear_cache = linear.forward(x, W, b)
print("weighted sums", sums, " activations", relu.forward(sums)[0])

# %% [markdown]
# ### Its derivatives
#
# How does L change with W[i, d]? L depends on it by out[n, i] alone, and ∂out[n, i]/∂W[i, d] = x[n, d]. The chain rule
# multiplies the two, and sums over the samples, which share the weight. In the same way for x and b:
#
#     dW[i, d] = Σ_n dout[n, i] · x[n, d]        dX[n, d] = Σ_i dout[n, i] · W[i, d]        db[i] = Σ_n dout[n, i]
#
# With dout = (10, 100): dW = (10·3, 10·4) and (100·3, 100·4); dX = (10·2 − 100·1, −10·1 + 100·½) = (−80, 40).

# %%
gradients = linear.backward(np.array([[10.0, 100.0]]), linear_cache)
print("dX", gradients.dX.tolist(), " dW", gradients.dW.tolist(), " db", gradients.db.tolist())
print("multiply-accumulates for one sample:", linear.macs(W))  # one for every weight

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
# Derivations. σ′ = e^−x/(1 + e^−x)², which is the product of 1/(1 + e^−x) = σ and e^−x/(1 + e^−x) = 1 − σ. For tanh,
# the quotient rule on u/v with u′ = v and v′ = u gives (v² − u²)/v² = 1 − tanh². In gelu, Φ(x) is the probability that a
# standard normal variable is below x, and φ = Φ′ is its density; the rest is the product rule.
#
# At 0 the slope of relu is 0 from the left and 1 from the right. A convention is needed: the package takes the left
# one, so relu has derivative 0 there and leaky_relu its slope. PyTorch does the same.

# %%
t = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
ACTIVATIONS = (relu, leaky_relu, sigmoid, tanh, gelu)
print(f"{'x':>12}", *(f"{value:8.0f}" for value in t))
for module in ACTIVATIONS:
    name = module.__name__.split(".")[-1]
    settings = {"slope": 0.1} if module is leaky_relu else {}
    out, cache = module.forward(t, **settings)
    slopes = module.backward(np.ones_like(t), cache)
    print(f"{name:>12}", *(f"{value:8.4f}" for value in out))
    print(f"{'derivative':>12}", *(f"{value:8.4f}" for value in slopes))

# %% [markdown]
# Read the column x = 0: relu has derivative 0; leaky_relu 0.1; σ(0) = ½ with derivative ½·½ = ¼; tanh(0) = 0 with 1;
# gelu(0) = 0 with Φ(0) = ½. Below zero relu sends no gradient back at all: a neuron whose sums are all negative
# cannot learn. leaky_relu lets a tenth through.

# %%
if plt is not None:
    grid = np.linspace(-4, 4, 401)
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for module in ACTIVATIONS:
        out, cache = module.forward(grid)
        axes[0].plot(grid, out, label=module.__name__.split(".")[-1])
        axes[1].plot(grid, module.backward(np.ones_like(grid), cache))
    axes[0].set(title="activation functions", xlabel="x", ylim=(-1.5, 3))
    axes[1].set(title="their derivatives", xlabel="x")
    axes[0].legend()
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / "01_activations.png", dpi=120)

# %% [markdown]
# ## Is a derivative right? Central differences
#
#     f′(x) ≈ (f(x + h) − f(x − h)) / 2h
#
# By Taylor, f(x ± h) = f ± h·f′ + h²·f″/2 ± h³·f‴/6 + …. In the difference the even terms cancel, and what is left is
# f′ + h²·f‴/6: with h = 10⁻⁶ an error near 10⁻¹². The rounding of f, some 10⁻¹⁶, is divided by h and adds about 10⁻¹⁰.
# So the two agree far below 10⁻⁷, or the formula is wrong.
#
# An output has many entries. With random numbers r, L = Σ r·out is one number whose gradient by x involves them all.
# Then `dout` is r, and the check is one comparison. A check must be able to fail: the last line plants an error of
# one part in a thousand.


# %%
def central_difference(function, x, h=1e-6):
    """∂/∂x of a function array → number, one entry of x at a time."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = h
        gradient[index] = (function(x + step) - function(x - step)) / (2 * h)
    return gradient


def agree(name, forward_of_x, gradient_of_r, x, seed=0):
    """Print whether the gradient of L = Σ r·out by x is the one that central differences find."""
    out, cache = forward_of_x(x)
    r = np.random.default_rng(seed).standard_normal(out.shape)
    measured = central_difference(lambda x: float((r * forward_of_x(x)[0]).sum()), x)
    print(f"{name:32} agrees to 1e-7: {bool(np.abs(gradient_of_r(r, cache) - measured).max() < 1e-7)}")


rng = np.random.default_rng(1)
points = rng.standard_normal((3, 4))  # no entry is within h of 0, where relu has its corner
for module in ACTIVATIONS:
    agree(module.__name__.split(".")[-1], module.forward, module.backward, points)
W3 = rng.standard_normal((5, 4))
agree("linear, by x", lambda x: linear.forward(x, W3), lambda r, cache: linear.backward(r, cache).dX, points)
agree("linear, by W", lambda W: linear.forward(points, W), lambda r, cache: linear.backward(r, cache).dW, W3)
agree("tanh, times 1.001 (planted)", tanh.forward, lambda r, cache: 1.001 * tanh.backward(r, cache), points)

# %% [markdown]
# ## Convolution
#
#     out[i, j] = b + Σ_u Σ_v W[u, v] · x[i + u, j + v]
#
# A filter is one neuron that looks at a small window of the image, applied at every position with the same weights.
# (With several channels the sum runs over them too.) The image 1 … 9 and the 2×2 filter (1, 0 / 0, 2), which adds a
# pixel and twice its lower right neighbour:
#
#     1 2 3                 1 + 2·5 = 11    2 + 2·6 = 14
#     4 5 6      1 0   →    4 + 2·8 = 20    5 + 2·9 = 23
#     7 8 9      0 2
#
# The window fits (size + 2·padding − kernel) / stride + 1 times along an axis, rounded down.
# Padding puts zeros around the image; stride is the step from one window to the next.

# %%
image = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)  # (samples, channels, height, width)
kernel = np.array([[[[1.0, 0.0], [0.0, 2.0]]]])  # (filters, channels, height, width)
out, conv_cache = conv2d.forward(image, kernel, np.zeros(1))
print("conv2d", out[0, 0].tolist())
for padding, stride in ((0, 1), (0, 2), (1, 1)):
    size = conv2d.output_size(3, kernel_size=2, stride=stride, padding=padding, dilation=1)
    print(f"padding {padding}, stride {stride}: {size} windows along an axis")

# %% [markdown]
# The weights are shared, so their gradients are sums over all positions. With dout = 1 everywhere, dW[0, 0] is the sum
# of the pixels that met that weight: 1 + 2 + 4 + 5 = 12. A pixel collects the weights of every window that holds it:
# the corner 1 is only in the first window, under W[0, 0] = 1. The middle 5 is in all four, once under each weight:
# 1 + 0 + 0 + 2 = 3.

# %%
gradients = conv2d.backward(np.ones_like(out), conv_cache)
print("dW", gradients.dW[0, 0].tolist(), " db", gradients.db.tolist())
print("dX", gradients.dX[0, 0].tolist())
print("multiply-accumulates for one image:", conv2d.macs(kernel, 2, 2))  # 4 weights at 4 positions
agree("conv2d, by W", lambda W: conv2d.forward(image, W), lambda r, cache: conv2d.backward(r, cache).dW, kernel)
agree("conv2d, by x", lambda x: conv2d.forward(x, kernel), lambda r, cache: conv2d.backward(r, cache).dX, image)

# %% [markdown]
# ## Pooling
#
#     average_pool2d          mean of every window            each pixel gets dout/count
#     max_pool2d              largest value of every window   the largest pixel gets all of dout
#     global_average_pool2d   mean of the whole channel       each pixel gets dout/(H·W)
#
# A mean of four moves by ¼ of what one of them moves. A maximum moves with its largest value only; among equal ones the
# first in reading order counts. Below, the upper left window holds 7 twice: the gradient goes to the first.

# %%
image4 = np.array([[1.0, 7, 2, 4], [7, 5, 6, 8], [9, 3, 0, 0], [1, 3, 0, 4]]).reshape(1, 1, 4, 4)
for pool in (average_pool2d, max_pool2d):
    out, cache = pool.forward(image4, kernel_size=2)
    print(pool.__name__.split(".")[-1], out[0, 0].tolist())
    print("  dX of the upper left window", pool.backward(np.ones_like(out), cache)[0, 0, :2, :2].tolist())
out, cache = global_average_pool2d.forward(image4)
print("global_average_pool2d", out.item(), " dX of every pixel", global_average_pool2d.backward(out * 0 + 1, cache).max())

# %% [markdown]
# ## Standardization and batch normalization
#
#     standardize   out = (x − mean)/std                    with constants: dX = dout/std
#     batch_norm    x̂ = (x − μ)/√(σ² + ε),  out = γ·x̂ + β   with the batch's own mean μ and variance σ²
#
# Layers learn best when their inputs are near 0 and of size 1. `standardize` does that once, for the pixels.
# `batch_norm` does it for every channel inside of the network, then lets training choose scale γ and shift β anew; ε
# guards the division. By hand: the batch (1, 3) has μ = 2 and σ² = 1, so x̂ = (−1, 1); with γ = 10, β = 100 the output is
# (90, 110), up to ε. For use after training it keeps running statistics: a tenth of the new batch, nine tenths of the
# old. From mean 0 and variance 1 they become 0.1·2 = 0.2 and 0.9·1 + 0.1·2 = 1.1. (For the running variance the batch's
# sum of squares is divided by m − 1 = 1, not by m = 2, hence 2.)
#
# Derivative: x acts on x̂ directly, through μ and through σ². Raising all x alike changes nothing, nor does stretching
# them (but for ε). So these two parts of dout are taken away, its mean and its part along x̂:
#
#     dX = γ/√(σ² + ε) · (dout − mean(dout) − x̂ · mean(dout · x̂))        dγ = Σ dout·x̂        dβ = Σ dout

# %%
out, cache = standardize.forward(np.array([0.0, 0.5, 1.0]), mean=0.5, std=0.25)
print("standardize", out.tolist(), " dX", standardize.backward(np.ones(3), cache).tolist())
column, one, zero = np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1)
out, cache = batch_norm.forward(column, 10 * one, 100 * one, zero, one, training=True)
print("batch_norm", out.ravel().round(3).tolist(), end="  ")
print("running mean", cache.running_mean.round(3).item(), "variance", cache.running_var.round(3).item())
print("dX where dout is the same for all:", batch_norm.backward(np.ones((2, 1)), cache).dX.ravel().tolist())
four = (np.full(4, 2.0), np.zeros(4), np.zeros(4), np.ones(4))  # γ, β, running mean and variance of 4 channels
agree(
    "batch_norm, by x",
    lambda x: batch_norm.forward(x, *four, training=True),
    lambda r, cache: batch_norm.backward(r, cache).dX,
    points,
)

# %% [markdown]
# ## Dropout
#
#     out = x · [u ≥ p] / (1 − p),   u uniform in [0, 1)
#
# In training each value is dropped with probability p, so that no neuron relies on one other. The survivors are
# divided by 1 − p; the expected value is then (1 − p) · x/(1 − p) = x, and nothing needs to change after training, when
# dropout is switched off. The gradient passes where the value passed, times the same factor.

# %%
out, cache = dropout.forward(np.ones(8), 0.5, np.random.default_rng(0))
print("dropout, p = 0.5:", out.tolist(), " dX", dropout.backward(np.full(8, 3.0), cache).tolist())
print("after training:  ", dropout.forward(np.ones(8), 0.5, training=False)[0].tolist())

# %% [markdown]
# ## Initial weights
#
#     W ~ Normal(0, 2/D),   D = number of inputs of a neuron
#
# The sum Σ w·x of D independent terms of mean 0 has variance D · Var(w) · mean(x²). If x comes out of a relu, half of
# a symmetric distribution was set to 0, so mean(x²) is half the variance of the sums before. The variance then changes
# by the factor D · Var(w)/2 from layer to layer, which is 1 for Var(w) = 2/D. With 1/D it halves every time:
# after 10 layers the signal is 2⁻⁵ ≈ 0.03 of what it was.

# %%
rng = np.random.default_rng(2)
for name, shrink in (("2/D", 1.0), ("1/D", 0.5**0.5)):
    signal = rng.standard_normal((500, 256))
    for _ in range(10):
        signal = linear.forward(relu.forward(signal)[0], shrink * he_normal.sample((256, 256), rng, np.float64))[0]
    print(f"variance {name}: after 10 layers of 256 neurons the signal has size {signal.std():.2f}, it began with 1")

# %% [markdown]
# ## Losses
#
#     mean_squared_error      L = mean((prediction − target)²)     derivative  2·(prediction − target)/count
#     softmax_cross_entropy   p_c = e^z_c / Σ_k e^z_k,  L = −log p_label     derivative  p_c − [c = label]
#
# For numbers: prediction (1, 3) against (0, 0) has L = (1 + 9)/2 = 5 and derivative (1, 3).
#
# For classes, softmax turns the outputs z into positive numbers p with sum 1, and L is 0 only where the right class gets
# all of it. Derivative: −log p_label = −z_label + log Σ_k e^z_k. By z_c the first term gives −[c = label], the second
# e^z_c/Σ_k e^z_k = p_c. With z = (0, log 3): p = (1/4, 3/4); for label 1, L = log(4/3) ≈ 0.2877, derivative (¼, −¼).
# Over several samples the loss is the mean.

# %%
loss, cache = mean_squared_error.forward(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
print("squared error", loss, " derivative", mean_squared_error.backward(1.0, cache).dprediction.tolist())
loss, cache = softmax_cross_entropy.forward(np.array([[0.0, np.log(3)]]), np.array([1]))
print(f"cross-entropy {loss:.4f}  derivative", softmax_cross_entropy.backward(1.0, cache).round(4).tolist())

# %% [markdown]
# ## The composition (N2) and its derivative
#
#     y = f_k( … f_2( f_1(x) ) … )
#
# Forward runs the layers in order. Backward runs them in reverse: each layer turns the derivative by its output into
# the derivative by its input, which is the `dout` of the layer before. That is the chain rule and nothing else.
# Below: linear, relu, linear, cross-entropy, called one by one. `nn.Sequential` is the same chain with a memory for
# weights and caches; it must give the same numbers, and central differences on every weight must agree.

# %%
W2 = np.array([[1.0, 1.0], [0.0, -1.0]])
label = np.array([1])
sums, cache1 = linear.forward(x, W, b)
hidden, cache2 = relu.forward(sums)
logits, cache3 = linear.forward(hidden, W2)
loss, cache4 = softmax_cross_entropy.forward(logits, label)
dlogits = softmax_cross_entropy.backward(1.0, cache4)
dhidden, dW2, _ = linear.backward(dlogits, cache3)
dsums = relu.backward(dhidden, cache2)
_, dW, db = linear.backward(dsums, cache1)
print("logits", logits.tolist(), f" loss {loss:.4f}  dlogits", dlogits.round(4).tolist(), " dW", dW.round(3).tolist())

model = nn.Sequential({"fc1": nn.Linear(W.copy(), b.copy()), "relu": nn.ReLU(), "fc2": nn.Linear(W2)}, input_shape=(2,))
model.forward(x, training=True)
model.backward(dlogits)
print("Sequential gives the same dW:", bool(np.array_equal(model.gradients()["fc1.weight"], dW)))


def loss_of(W):
    """The whole chain as a function of the first layer's weights."""
    hidden = relu.forward(linear.forward(x, W, b)[0])[0]
    return softmax_cross_entropy.forward(linear.forward(hidden, W2)[0], label)[0]


print("central differences agree:   ", bool(np.abs(central_difference(loss_of, W) - dW).max() < 1e-7))

# %% [markdown]
# The logits are (3, 0), but the label is 1, so the loss log(1 + e³) ≈ 3.05 is large. dlogits says: less of the first
# class, more of the second. The second row of dW is 0: that neuron's sum was −1, and relu stopped the gradient.
#
# One step of gradient descent, w ← w − η·∂L/∂w, with η = 0.1. It is this step that changes the weights; without it a
# network learns nothing (tutorial 2 comes back to that).

# %%
nn.SGD(learning_rate=0.1).step(model.parameters(), model.gradients())
after, _ = softmax_cross_entropy.forward(model.forward(x), label)
print(f"loss before the step {loss:.4f}, after it {after:.4f}")

# %% [markdown]
# ## The survey's network
#
# Two convolutions, one pool, two fully connected layers, for images of 32 × 32. Count its parameters, weights + biases:
#
#     conv1   32 filters · 1 channel · 3·3 + 32          320
#     conv2   64 filters · 32 channels · 3·3 + 64     18,496
#     fc1     128 neurons · (64·8·8) inputs + 128    524,416
#     fc2     10 neurons · 128 inputs + 10             1,290
#                                                    544,522
#
# fc1 has 96 % of the parameters, conv2 has 97 % of the multiply–accumulates (MACs): its 18,432 weights work at 1,024
# positions. What shrinks the file is not always what makes it faster.

# %%
listing = nn.networks.listing(np.random.default_rng(0))
print(listing.summary())

# %% [markdown]
# ## Training
#
# 1,438 handwritten digits of 8 × 8 pixels, 359 more to test on. The network has one hidden layer of 32 neurons. An epoch
# visits all training images once, 32 at a time (a batch), with one step of gradient descent after each batch. Momentum
# 0.9 adds nine tenths of the last step to the next. The figures depend a little on the machine's arithmetic; about 97 %
# of the test images should come out right.

# %%
data = datasets.digits()
model = nn.networks.mlp(((1, 8, 8), 32, 10), np.random.default_rng(0))
curve = nn.fit(
    model,
    data.x_train,
    data.y_train,
    optimizer=nn.SGD(learning_rate=0.05, momentum=0.9),
    epochs=12,
    batch_size=32,
    rng=np.random.default_rng(1),
)
for epoch in curve:
    print(f"epoch {epoch.number:2}  loss {epoch.loss:.3f}  accuracy {epoch.accuracy:.3f}  {'#' * round(20 * epoch.loss)}")
test = nn.evaluate(model, data.x_test, data.y_test)
print(f"test: {test.correct} of {test.total} right, accuracy {test.accuracy:.3f}")

# %%
if plt is not None:
    figure, axes = plt.subplots(1, 5, figsize=(11, 2.8), layout="constrained", width_ratios=(3, 1, 1, 1, 1))
    axes[0].plot([epoch.number for epoch in curve], [epoch.loss for epoch in curve], marker="o")
    axes[0].set(title="training loss", xlabel="epoch", ylim=(0, None))
    for axis, pixels, answer in zip(
        axes[1:], data.x_test, model.predict(data.x_test[:4]).argmax(axis=1), strict=False
    ):
        axis.imshow(pixels[0], cmap="gray_r")
        axis.set(title=f"answer {answer}", xticks=[], yticks=[])
    if pictures is not None:
        figure.savefig(pictures / "01_training.png", dpi=120)

# %% [markdown]
# Next: `02_gradient_stability.py` asks which of these neurons the network could do without.
