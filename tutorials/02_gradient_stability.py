# %% [markdown]
# # 2 · Gradient stability: which neurons can go
#
# Training moves every weight against its gradient. A neuron whose gradient stays near 0 during all of training is one
# that training never needed to change. The survey that this package follows calls such a neuron unimportant and deletes
# it, with all edges connected to it. This tutorial derives the formulas P1 to P4 of that idea, and checks them by hand.
#
# The survey prints a program too. It contains errors; wherever one of its lines belongs to a formula, we run the
# NumPy equivalent beside the formula done right, under the heading *Erratum*.

# %%
import argparse
from pathlib import Path

import numpy as np

from refcompress import compress, datasets, nn

parser = argparse.ArgumentParser(description="Gradient stability", allow_abbrev=False)
parser.add_argument("--pictures", type=Path, metavar="DIR", help="write the picture into this folder")
pictures = parser.parse_known_args()[0].pictures  # a notebook has arguments of its own
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
    if pictures is not None:
        raise SystemExit("pictures need matplotlib: python -m pip install 'refcompress[viz]'") from None

# %% [markdown]
# ## Mean and standard deviation over training (P1, P2)
#
#     mean_i = 1/T · Σ_t g_i(t)
#     std_i  = √( 1/(T − ddof) · Σ_t (g_i(t) − mean_i)² )
#
# g_i(t) is the gradient of neuron i at iteration t, and there are T iterations. The mean says where the gradient
# points on the whole, the standard deviation how much it swings. The survey divides by T (ddof = 0). Dividing by T − 1
# (ddof = 1) makes the expected value of std² right when the T values are a sample; PyTorch's `std` does that.
#
# Two neurons, T = 2. Neuron 0 has the gradients 1, 3: mean 2, deviations −1 and 1, so std = √(2/2) = 1, and with
# ddof = 1 √(2/1) = 1.4142. Neuron 1 has 0, 0.

# %%
from refcompress.formulas.pruning import stability

gradients = np.array([[1.0, 0.0], [3.0, 0.0]])  # (T, neurons)
print("mean", stability.mean(gradients), " std", stability.std(gradients), end="  ")
print("with ddof = 1", stability.std(gradients, ddof=1).round(4))

# %% [markdown]
# ## What is the gradient of a neuron?
#
# A neuron has K weights and a bias, so its gradient d is a vector of K + 1 numbers. P1 and P2 need one number, and the
# survey does not say how. The package has six readings (`reduce`):
#
#     sum        Σ_p d_p            mean   Σ_p d_p / (K + 1)       bias   the bias's gradient alone
#     mean_abs   Σ_p |d_p|/(K + 1)  l2     √( Σ_p d_p² )
#     rms_of_parameter_moments      P1 and P2 for every parameter first, then √( mean of their squares )
#
# Two iterations show the difference. The gradients of (w₁, w₂, b) are (1, −1, 0), then (−1, 1, 0): each weight swings.
#
# - `sum` and `mean` give 0 and 0: opposite signs cancel, and the neuron looks perfectly still.
# - `mean_abs` gives ⅔ and ⅔, `l2` gives √2 and √2: a mean, but no std, since the sign is lost.
# - `bias` sees nothing of the weights.
# - The last one takes the moments of each parameter: means (0, 0, 0), stds (1, 1, 0). Their RMS is 0 and
#   √((1 + 1 + 0)/3) = √⅔ = 0.8165. It cannot be fooled by signs, so it is the default.

# %%
from refcompress.formulas.pruning import reduction

steps = [(np.array([[1.0, -1.0]]), np.array([0.0])), (np.array([[-1.0, 1.0]]), np.array([0.0]))]  # dW (1, 2), db (1,)
for reduce in reduction.REDUCTIONS[1:]:
    g = np.stack([reduction.neuron_gradients(dW, db, reduce) for dW, db in steps])  # (T, 1)
    print(f"{reduce:>26}: mean {stability.mean(g)[0]:.4f}  std {stability.std(g)[0]:.4f}")
dW, db = np.stack([dW[0] for dW, _ in steps]), np.stack([db for _, db in steps])  # (T, 2), (T, 1)
mean = reduction.rms_of_parameter_moments(stability.mean(dW)[None], stability.mean(db))[0]
std = reduction.rms_of_parameter_moments(stability.std(dW)[None], stability.std(db))[0]
print(f"{reduction.REDUCTIONS[0]:>26}: mean {mean:.4f}  std {std:.4f}")

# %% [markdown]
# ## One pass instead of two
#
# P2 needs the mean first, so it must keep all T gradients. `streaming_moments` keeps two numbers a parameter, the mean
# and M₂ = Σ (g − mean)², and updates them with each new g (Welford). With δ = g − (old mean):
#
#     mean ← mean + δ/T        M₂ ← M₂ + δ · (g − new mean)        std = √( M₂/(T − ddof) )
#
# Derivation: the mean moves by δ/T. Moving it raises the T − 1 old squares by (T − 1)·(δ/T)² in total, since the old
# deviations sum to 0. The new square is (g − new mean)² = (δ·(T − 1)/T)². Together: δ²·(T − 1)/T = δ · (g − new mean).
#
# By hand for 1, 3: after 1, mean 1 and M₂ 0. Then δ = 2, mean = 1 + 2/2 = 2, M₂ = 0 + 2·(3 − 2) = 2, std = √(2/2) = 1.
#
# Two runs a and b can be merged. With δ = mean_b − mean_a, the common mean is δ·T_b/T from the one and δ·T_a/T from the
# other, so the squares grow by T_a·(δ·T_b/T)² + T_b·(δ·T_a/T)² = δ²·T_a·T_b/T:
#
#     mean = mean_a + δ·T_b/T        M₂ = M₂_a + M₂_b + δ²·T_a·T_b/T
#
# For the runs (1) and (3): mean = 1 + 2·½ = 2, M₂ = 0 + 0 + 4·½ = 2, as before.
#
# The shortcut std² = Σg²/T − mean² needs one pass as well, but it subtracts two large, nearly equal numbers. For the
# gradients 10⁸ + (1, 2, 3) the squares are near 10¹⁶, where floats are 2 apart: the true variance ⅔ is lost. With three
# other numbers, 10⁸ + (1, 1, 3), it even comes out negative.

# %%
from refcompress.formulas.pruning import streaming_moments

moments = streaming_moments.empty((1,))
for g in (1.0, 3.0):
    moments = streaming_moments.update(moments, np.array([g]))
    print("T", moments.count, " mean", moments.mean[0], " M2", moments.m2[0])
first, second = (streaming_moments.update(streaming_moments.empty((1,)), np.array([g])) for g in (1.0, 3.0))
print("merged equals updated:", streaming_moments.merge(first, second) == moments)
for numbers in ((1.0, 2.0, 3.0), (1.0, 1.0, 3.0)):
    g = 1e8 + np.array(numbers)
    moments = streaming_moments.empty(())
    for value in g:
        moments = streaming_moments.update(moments, value)
    shortcut = (g * g).mean() - g.mean() ** 2
    two_passes = stability.std(g[:, None])[0] ** 2
    streamed = streaming_moments.std(moments) ** 2
    print(f"variance: two passes {two_passes:.4f}, streaming {streamed:.4f}, shortcut {shortcut:.4f}")

# %% [markdown]
# ## A training run
#
# `nn.GradientHistory` does this inside of the training loop, for every neuron of every layer. The network has 32 hidden
# neurons and reads digits of 8 × 8 pixels. 12 epochs of ⌈1438/32⌉ = 45 batches make T = 540. A second history uses the
# reading `mean`, which keeps its sign; we need that below. It holds one number per iteration and neuron, T × 32.
#
# Which iterations count is a choice as well. `start=` skips the first ones, whose gradients are large; `last=` keeps
# the last ones only; `nn.gradient_pass` takes one pass at fixed weights after training.
#
# The figures depend a little on the machine's arithmetic. The mean of the default reading is a root of squares, so it
# is never negative. A neuron whose mean and std are exactly 0 is dead: relu silenced it on every image.

# %%
data = datasets.digits()
model = nn.networks.mlp(((1, 8, 8), 32, 10), np.random.default_rng(0))
history, means = nn.GradientHistory(model), nn.GradientHistory(model, reduce="mean")
settings = {"optimizer": nn.SGD(0.05, momentum=0.9), "epochs": 12, "batch_size": 32, "rng": np.random.default_rng(1)}
nn.fit(model, data.x_train, data.y_train, **settings, history=history, on_step=lambda *_: means.record())
test = nn.evaluate(model, data.x_test, data.y_test)
mean, std = history.mean("fc1"), history.std("fc1")
print(f"T = {history.steps('fc1')}, test accuracy {test.accuracy:.3f}")
print(f"|mean| from {mean.min():.1e} to {mean.max():.1e},  std from {std.min():.1e} to {std.max():.1e}")
print("history of the means:", means.gradients("fc1").shape)

# %% [markdown]
# ## Unimportant neurons (P3)
#
#     text:      |mean_i| < τ_mean   and   std_i < τ_std
#     listing:    mean_i  < τ        and   std_i / mean_i < τ
#
# The first line is the survey's text, and the default. The second is what its program tests. Four neurons, τ = 10⁻³:
#
#     neuron     0       1       2     3
#     mean     10⁻⁴    10⁻⁴     −5     0
#     std      10⁻⁴    10⁻¹      9     0
#
# The text selects 0 and 3: small mean, small swing. Neuron 1 swings, neuron 2 is busy.
#
# **Erratum: no absolute value.** The listing selects neuron 2 and nothing else. −5 < 10⁻³ holds, and so does
# 9/(−5) = −1.8 < 10⁻³: any negative mean passes both tests, however large. Neuron 0 fails, since 10⁻⁴/10⁻⁴ = 1. For
# neuron 3, 0/0 is not a number, and no comparison with it holds. In our training run, too, the listing's rule selects
# exactly the neurons with a negative mean.

# %%
mean4, std4 = np.array([1e-4, 1e-4, -5.0, 0.0]), np.array([1e-4, 1e-1, 9.0, 0.0])
for rule in stability.RULES:
    print(f"{rule:>8} selects", np.flatnonzero(stability.unimportant(mean4, std4, 1e-3, 1e-3, rule=rule)))
signed = means.mean("fc1")
selected = stability.unimportant(signed, means.std("fc1", ddof=1), 1e-3, 1e-3, rule="listing")
print("training run: the listing's rule selects the negative means:", bool(np.array_equal(selected, signed < 0)))

# %% [markdown]
# **Erratum: one number for the layer.** The listing takes mean and std over the whole gradient tensor, not for each
# neuron. One mean and one std give one answer, so its mask is all true or all false. Two neurons with two weights:
# neuron 0 has the gradient (0, 0), neuron 1 (−8, 0). The mean is −2, the std √((4 + 4 + 36 + 4)/3) = 4, and the mask
# selects all weights of both. With +8 it selects none. A sign decides about the layer.
#
# **Erratum: the gradient is not there.** The listing reads `model.state_dict()['conv1.weight'].grad` from PyTorch. A
# state dict holds the numbers alone, cut off from what knows their gradients: `.grad` is None, and the next line fails.
# Here `model.state()` gives copies of the arrays, and a copy has no gradient; `model.gradients()` has them.
#
# **Erratum: no step.** The listing runs forward and backward once and never calls `optimizer.step()`. No weight
# changes, so nothing is trained, and T = 1. Then g − mean = 0: std is 0 for every neuron, and with ddof = 1 it is 0/0.


# %%
def listing_mask(gradient, tau=1e-3):
    mean, std = gradient.mean(), gradient.std(ddof=1)  # of the whole tensor
    return np.full(gradient.shape, (mean < tau) & (std / mean < tau))


for sign in (-1, 1):
    print("mask", listing_mask(sign * np.array([[0.0, 0.0], [8.0, 0.0]])).tolist())

array = model.state()["fc1.weight"]
print("gradient of an array of the state:", getattr(array, "grad", None), end=";  ")
print("is it the model's array?", np.shares_memory(array, model.parameters()["fc1.weight"]))

idle = nn.networks.mlp(((1, 8, 8), 32, 10), np.random.default_rng(0))
before, once = idle.state(), nn.GradientHistory(idle)
nn.gradient_pass(idle, data.x_train[:32], data.y_train[:32], batch_size=32, history=once)  # forward, loss, backward
print("unchanged weights:", all(np.array_equal(before[name], array) for name, array in idle.parameters().items()))
print(f"T = {once.steps('fc1')}, largest std {once.std('fc1').max()}")

# %% [markdown]
# ## Choosing the thresholds
#
# The survey leaves τ to the user; its listing takes 10⁻³. But gradients have no natural size, so the package also takes
# multiples of the layer's medians, or a fraction of the layer. For a fraction, neurons need an order:
#
#     τ_mean = median |mean_i|,   τ_std = median std_i          score_i = max( |mean_i|/τ_mean, std_i/τ_std )
#
# If both thresholds grow by a factor c, P3 selects i when |mean_i| < c·τ_mean and std_i < c·τ_std, that is when
# score_i < c. So the score is the factor at which a neuron goes, and the smallest scores go first. By hand:
#
#     |mean|        1     4     2     3     2       median 2
#     std           6     2     4     8     4       median 4
#     score        1.5    2     1     2     1
#
# At c = 1 nothing is selected: the comparison is strict. A fraction 0.4 of 5 neurons is 2: neurons 2 and 4. Of 0.2, one
# neuron, the tie goes to the lower index: 2. A fraction is rounded down, as a decimal: 0.29 of 100 is 29, although
# the floating-point product is a little less.

# %%
from refcompress.formulas.pruning import selection

mean5, std5 = np.array([1.0, -4.0, 2.0, 3.0, -2.0]), np.array([6.0, 2.0, 4.0, 8.0, 4.0])
medians = selection.median_thresholds(mean5, std5)
score = selection.score(mean5, std5, *medians)
print("medians", medians, " score", score, " selected at c = 1:", np.flatnonzero(score < 1).tolist())
for fraction in (0.2, 0.4, 0.8):
    print(f"fraction {fraction}:", selection.smallest(score, fraction))
print("0.29 of 100:", len(selection.smallest(np.arange(100.0), 0.29)), " in floating point:", 0.29 * 100)
for name, criterion in {
    "absolute, 1e-3": compress.Criterion(tau_mean=1e-3, tau_std=1e-3),
    "layer medians": compress.Criterion(tau_mean=1, tau_std=1, tau_relative_to="layer-median"),
    "fraction 0.25": compress.Criterion(fraction=0.25),
}.items():
    layer = compress.score_layers(history, ("fc1",), criterion)[0]
    print(f"{name:>14}: {len(layer.selected):2} of 32, tau_mean {layer.tau_mean:.1e}, tau_std {layer.tau_std:.1e}")

# %% [markdown]
# ## Removal (P4)
#
#     remove row i of W₁, entry i of b₁, and column i of W₂
#
# Row i of W₁ holds the edges into neuron i, column i of W₂ those out of it. (In a convolution: filter i, and input
# channel i of the next one. A batch norm between the two loses entry i of each of its arrays.) *Masking* keeps the
# arrays and sets the neuron's activation to 0. Both give the same output: the next sum loses the term W₂[:, i]·0.
#
# By hand, for the network in the code and x = (2, 1): the hidden sums are 2 + 2 = 4, 6 − 1 + 1 = 6 and 1 − 2 = −1, so
# after relu (4, 6, 0). The outputs are 4 + 12 + 0 + 5 = 21 and −4. Without neuron 1 they are 9 and −4. Of 17 parameters
# 12 are left.
#
# Between a convolution and a linear layer, Flatten turns each channel into a block of H·W columns, which go together:
# `block=4` removes the four of a channel of 2 × 2 pixels.
#
# In floating point, masked and removed may add the same terms in another order. The results then differ in the last
# digits. With small integers every sum is exact, and they agree bit for bit.
#
# **Erratum: zeroing deletes nothing.** The listing sets weights to 0. The array keeps its size, the file its bytes, and
# the product its multiplications.

# %%
from refcompress.formulas.pruning import removal

W1, b1 = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 1.0]]), np.array([0.0, 1.0, -2.0])
W2, b2 = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 2.0]]), np.array([5.0, 0.0])
net = nn.Sequential({"fc1": nn.Linear(W1, b1), "relu": nn.ReLU(), "fc2": nn.Linear(W2, b2)})
smaller = compress.remove_neurons(net, {"fc1": [1]})
x = np.array([[2.0, 1.0]])
print("dense", net.forward(x), " removed", smaller.forward(x), end="  ")
print("parameters", net.parameter_count(), "and", smaller.parameter_count())
print("columns of the block", removal.columns(np.arange(8.0)[None], np.array([0]), block=4))

rng, gone = np.random.default_rng(0), np.array([3, 5, 20])
W, activation = rng.integers(-9, 10, (7, 40)).astype(np.float32), rng.integers(0, 10, (9, 40)).astype(np.float32)
masked = activation.copy()
masked[:, gone] = 0
removed = removal.columns(activation, gone) @ removal.columns(W, gone).T
print("removed is masked, on integers:", bool(np.array_equal(removed, masked @ W.T)))

zeroed = W1.copy()
zeroed[1] = 0
print("bytes of W1", W1.nbytes, " zeroed", zeroed.nbytes, " removed", removal.rows(W1, np.array([1])).nbytes)

# %% [markdown]
# ## Folding a constant
#
#     b′ = b + c · (sum of the weights that read the neuron)
#
# Suppose a neuron's incoming weights are 0, but its bias is not. Its activation is then the constant c = f(b_i),
# whatever the input. So W₂[:, i]·c in the next sum is constant too. It can move into b₂, and the neuron can go.
# `fold=True` does that for each removed neuron: its bias counts, its weights do not. Above: c = relu(1) = 1, so
# b₂ = (5, 0) becomes (5 + 2·1, 0 + 0·1) = (7, 0), and the output for (2, 1) is 4 + 7 = 11 and −4.
#
# A convolution that pads with zeros does not see the constant everywhere: around the image it sees 0. Take two channels
# of 4 × 4 pixels, the first of them the constant c = 1, and a 3 × 3 kernel of ones. Inside, the constant adds 9, at an
# edge 6, in a corner 4, since three or five of the weights fall on zeros. One bias cannot be 9, 6 and 4: folding is
# wrong at the border by 3 and 5. So `fold=True` refuses. Without padding every window sees 9, and folding is exact.

# %%
print("folded:", compress.remove_neurons(net, {"fc1": [1]}, fold=True).forward(x))

from refcompress.formulas.network import conv2d

two_channels = np.stack([np.ones((4, 4)), np.arange(16.0).reshape(4, 4)])[None]  # (1, 2, 4, 4)
kernel, constant = np.ones((1, 2, 3, 3)), np.array([0])  # channel 0 is the constant
bias = removal.folded_bias(np.zeros(1), kernel, constant, np.ones(1))
print("folded bias", bias)
for padding in (0, 1):
    dense, _ = conv2d.forward(two_channels, kernel, padding=padding)
    folded, _ = conv2d.forward(two_channels[:, 1:], removal.columns(kernel, constant), bias, padding=padding)
    print(f"error of folding with padding {padding}:\n{(folded - dense)[0, 0]}")
try:
    compress.remove_neurons(nn.networks.listing(np.random.default_rng(0)), {"conv1": [0]}, fold=True)
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# ## The trained network, smaller
#
# Last, P1 to P4 on the trained network, without any training afterwards: remove a fraction of the hidden neurons by
# score, and as many at random (the mean of ten draws). The figures vary a little with the machine. The order of the
# score should win clearly: a quarter of the neurons goes almost for free, while a random quarter costs about 20 points.

# %%
fractions, rng, by_score, by_chance = np.arange(0, 8) / 8, np.random.default_rng(3), [], []
for fraction in fractions:
    layer = compress.score_layers(history, ("fc1",), compress.Criterion(fraction=fraction))[0]
    chosen = compress.remove_neurons(model, {"fc1": layer.selected})
    by_score.append(nn.evaluate(chosen, data.x_test, data.y_test).accuracy)
    drawn = [rng.choice(32, len(layer.selected), replace=False) for _ in range(10)]
    random = [compress.remove_neurons(model, {"fc1": neurons}) for neurons in drawn]
    by_chance.append(np.mean([nn.evaluate(other, data.x_test, data.y_test).accuracy for other in random]))
    print(f"{fraction:5.1%} removed: {chosen.parameter_count():5} parameters, {chosen.macs():5} MACs,", end=" ")
    print(f"accuracy {by_score[-1]:.3f} by score, {by_chance[-1]:.3f} by chance")

if plt is not None:
    layer = compress.score_layers(history, ("fc1",), compress.Criterion(fraction=0.25))[0]
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    kept = np.delete(np.arange(32), layer.selected)
    axes[0].scatter(layer.mean[kept], layer.std[kept], label="kept")
    axes[0].scatter(layer.mean[layer.selected], layer.std[layer.selected], marker="x", label="removed")
    axes[0].plot([0, layer.tau_mean, layer.tau_mean], [layer.tau_std, layer.tau_std, 0], "k:", label="thresholds")
    axes[0].set(title="hidden neurons, a quarter selected", xlabel="|mean| of the gradient", ylabel="std")
    axes[1].plot(fractions, by_score, "o-", label="by score")
    axes[1].plot(fractions, by_chance, "s--", label="by chance")
    axes[1].set(title="without training afterwards", xlabel="fraction removed", ylabel="test accuracy", ylim=(0, 1))
    for axis in axes:
        axis.legend()
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / "02_stability.png", dpi=120)

# %% [markdown]
# Next: `03_b_bit_quantization.py` stores what is left in few bits.
