# %% [markdown]
# # 7 · Conformance: does your code compute the formula, and if not, what does it compute?
#
#     q = clip( round(x / s) + Z, qmin, qmax )
#
# Tutorial 04 has this formula and what it leaves open. ONNX divides, rounds ties to even and adds Z after rounding.
# Below are somebody's three lines for it. They add ½ and take the floor. Are they ONNX's quantizer?

# %%
import argparse
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import numpy as np

from refcompress import conformance
from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.conventions import PRESETS, Convention

parser = argparse.ArgumentParser(description="conformance", allow_abbrev=False)
parser.add_argument("--pictures", type=Path, metavar="DIR", help="write the picture into this folder")
pictures = parser.parse_known_args()[0].pictures  # a notebook has arguments of its own
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
    if pictures is not None:
        raise SystemExit("pictures need matplotlib: python -m pip install 'refcompress[viz]'") from None
f32 = np.float32


def somebodys(x, s, Z, qmin, qmax):
    """Codes of x, by somebody."""
    q = np.floor(x / s + 0.5) + Z
    return np.clip(q, qmin, qmax).astype(np.int32)


# %% [markdown]
# ## Why random numbers do not find it
#
# On ten random numbers the codes are right. By hand they are not: ½ is a tie and goes to 0, the even one, but
# ⌊½ + ½⌋ = 1. How often is x/s a tie? From ½ to 1 there are 2²³ = 8,388,608 float32, and one is a tie, ½ itself. From
# 64 to 128 there are as many, and 64 are ties, 64.5 to 127.5: one in 131,072. Every second tie is wrong; 65.5 goes up
# to 66 both ways. Smaller numbers have fewer ties still. Of a million random numbers one or two show it.
#
# From ¼ to ½ there is no tie, and one code is wrong nevertheless. The last float below ½ is ½ − 2⁻²⁵. Add ½: the sum
# 1 − 2⁻²⁵ is no float32. It lies in the middle between 1 − 2⁻²⁴ and 1, and becomes 1.
#
# The floats between two powers of two are so few that the code tries every one.

# %%
rng, s = np.random.default_rng(0), f32(0.1)
for count in (10, 1_000_000):
    x = rng.uniform(-10, 10, count).astype(f32)
    wrong = np.count_nonzero(somebodys(x, s, 3, -128, 127) != affine.quantize(x, s, 3, -128, 127, "onnx"))
    print(f"{count:,} random numbers: wrong codes {wrong}")
for low in (0.25, 0.5, 64):
    x = np.arange(f32(low).view(np.uint32), f32(2 * low).view(np.uint32), dtype=np.uint32).view(f32)
    ties = np.count_nonzero(x - np.floor(x) == 0.5)
    wrong = np.count_nonzero(somebodys(x, f32(1), 0, 0, 255) != affine.quantize(x, f32(1), 0, 0, 255, "onnx"))
    print(f"all {x.size:,} floats from {low:g} to {2 * low:g}: ties {ties}, wrong codes {wrong}")

# %% [markdown]
# ## Wrong variants, and the inputs that kill them
#
# So choose inputs for the mistakes that people make. A mistake is a wrong variant of the formula, a mutant. An input
# kills it if the codes differ. By hand, four mutants and four inputs, all with Z = 1:
#
#        x      s     x/s    right       half_away   half_up     Z before rounding     x · (1/s)
#         ½     1      ½      0 + 1       1 + 1       1 + 1      round(1.5)  =  2       0 + 1
#        −½     1     −½      0 + 1      −1 + 1       0 + 1      round(½)    =  0       0 + 1
#        1.5    1     1.5     2 + 1       2 + 1       2 + 1      round(2.5)  =  2       2 + 1
#     −143.5   41    −3.5    −4 + 1      −4 + 1      −3 + 1      round(−2.5) = −2      −3 + 1
#
# The last number: 1/41 is 0.0243902439…, the nearest float32 0.02439024299. 143.5 times that is 3.49999987. Floats have
# steps of 0.00000024 there, so it becomes 3.4999998: no tie any more.
#
# No input kills all four. How few do? And they should do more: tell each two of the five columns apart, so that the
# codes say which mistake it is. Five columns have 5·4/2 = 10 pairs. Greedy: take the input that tells most pairs apart,
# then the one that tells most of the rest.
#
#     ½         {half_away, half_up, before} from {right, 1/s}      3·2 = 6 pairs
#     −143.5    {half_up, before, 1/s} from {right, half_away}            6, 3 of them new
#     −½        half_up from before                                       1, the last one
#
# Three inputs. Fewer cannot do it: each has only two answers here, so two inputs have at most 2·2 = 4 pairs of answers,
# too few for five columns. All subsets, tried one by one, say the same.

# %%
onnx = PRESETS["onnx"]
columns = {
    "right": onnx,
    "half_away": replace(onnx, rounding="half_away"),
    "half_up": replace(onnx, rounding="half_up"),
    "before": replace(onnx, zero_point_added="before"),
    "x·(1/s)": replace(onnx, quotient="reciprocal"),
}
inputs = ((0.5, 1), (-0.5, 1), (1.5, 1), (-143.5, 41))


def code(convention, x, s, Z):
    """One number's code."""
    return affine.quantize(np.array([x], f32), f32(s), Z, -128, 127, convention).item()


table = np.array([[code(c, x, s, 1) for c in columns.values()] for x, s in inputs])
print(" " * 12 + "".join(f"{name:>10}" for name in columns))
for (x, s), row in zip(inputs, table, strict=True):
    print(f"{x:7} / {s:2}" + "".join(f"{q:10}" for q in row))
print(f"1/41 in float32 is {f32(1) / f32(41):.11f}, and 143.5 times it {f32(143.5) * (f32(1) / f32(41)):.8f}")


def told(rows):
    """How many pairs of columns these inputs tell apart."""
    return sum((table[rows, a] != table[rows, b]).any() for a, b in combinations(range(5), 2))


chosen = []
while told(chosen) < 10:
    chosen.append(max(range(4), key=lambda row: told([*chosen, row])))
    print(f"greedy: take {inputs[chosen[-1]][0]}, {told(chosen)} of 10 pairs are told apart")
for size in range(1, 5):
    subsets = [list(rows) for rows in combinations(range(4), size)]
    print(f"sets of {size}: {len(subsets)}, that tell all apart: {sum(told(rows) == 10 for rows in subsets)}")

# %% [markdown]
# ## A case
#
# The vectors of this package are made so, with more mutants, from here on called slips, more inputs to choose from, and
# an oracle with exact fractions that knows the right codes. What the greedy choice turns out not to need is left out
# again. A `Case` is one of the inputs that stay. It was made for the slips that no other case is more specific for.
#
# Here is one, with the number from above: x = ½ − 2⁻²⁵. Printed with six digits after the point, as C's %f does, it is
# 0.500000, the tie, and the case is lost. Nine digits are enough if the other program reads them straight to float32,
# and rounds them right. Bits need no care. By hand, 0x1.fffffep-2: every hexadecimal digit is 4 bits, so 1.fffffe is
# 2 − 2⁻²³, and times 2⁻² that is ½ − 2⁻²⁵.

# %%
cases = conformance.cases("affine", "onnx")
slips = sorted({slip for case in cases for slip in case.kills})
answers = [[case.kills.get(slip, case.expected)["q"].value.tolist() for case in cases] for slip in slips]
pairs = [a != b for a, b in combinations(answers, 2)]
print(f"{len(cases)} cases kill {len(slips)} slips and tell {sum(pairs)} of their {len(pairs)} pairs apart")
beside_a_tie = next(case for case in cases if "rounding: add_half" in case.made_for)
print("id", beside_a_tie.id)
for name, value in beside_a_tie.arguments.items():
    print(f"    {name} = {value!r}")
expected = beside_a_tie.expected["q"]
print("expected", expected.value, "in integers that hold", expected.holds)
print("made for", "; ".join(beside_a_tie.made_for))
x = beside_a_tie.arguments["x"][0]
print(f"x with 6 digits {x:f}, with 9 digits {x:.9g}, exactly {float(x).hex()}, is ½ − 2⁻²⁵: {x == 0.5 - 2.0**-25}")

# %% [markdown]
# What can be wrong with an answer? First its dtype, then its shape, then its values. NumPy's == alone takes 3.0 for 3,
# and one code for an array of many. The formula does not say in which integers codes are stored, so every type is right
# that holds 0 to 255. Floats must have the dtype and the bits that are expected.

# %%
right = affine.quantize(*beside_a_tie.arguments.values(), "onnx")
for answer in (right.astype(f32), right.astype(np.int8), right[None], right + 1, right.astype(np.int64)):
    print(beside_a_tie.mismatch(answer) or f"right: {answer.dtype}")

# %% [markdown]
# ## Checking, and the explanation
#
# Run every case. A slip explains the quantizer if both answer alike on every case. `case.kills` has a slip's answer
# where the case kills it; elsewhere its answer is the right one. So each case leaves some slips, and the explanation is
# the intersection. A case that passes excludes too: a slip that it kills would have failed.

# %%
from refcompress.conformance.comparison import mismatch

left = set(slips)
for case in cases:
    answer = somebodys(*case.arguments.values())
    left = {slip for slip in left if mismatch(case.kills.get(slip, case.expected), answer) is None}
    print(f"{case.mismatch(answer) or 'right':38} slips left: {len(left)}")
print("explanation:", *left)

# %% [markdown]
# So it is no half_up, which is exact: the sum is rounded too. `check` does the same. One change mends the quantizer:
# `np.rint` rounds ties to even.
#
# An explanation fits all answers; it is no proof. A quantizer with two slips at once may answer as a third one does, on
# so few cases. Somebody else adds Z before rounding, too, and the explanation is `ceil`, which it is not: ¼ is not
# rounded up. If nothing fits, there is no explanation, and `made_for` of the failed cases is the best hint.


# %%
def mended(x, s, Z, qmin, qmax):
    """The same with ties to even."""
    return np.clip(np.rint(x / s) + Z, qmin, qmax).astype(np.int32)


def with_two_slips(x, s, Z, qmin, qmax):
    """Adds ½ and takes the floor, and adds Z before."""
    return np.clip(np.floor(x / s + f32(Z) + 0.5), qmin, qmax).astype(np.int32)


for f in (somebodys, mended, with_two_slips):
    report = conformance.check(f, "affine", "onnx", max_examples=0)
    print(f"{f.__name__}: {report.failed_cases} of {report.run_cases} cases fail, explanation {report.explanation}")
    for name in report.explanation:
        print("    that is,", report.function.mutants[name])
ceil = code(replace(onnx, rounding="ceil"), 0.25, 1, 3)
print(f"¼ with Z = 3: with_two_slips {with_two_slips(f32([0.25]), f32(1), 3, 0, 255)[0]}, ceil {ceil}")

# %% [markdown]
# ## Properties: what vectors cannot see
#
# A few cases are a few inputs. Here is a parrot: it remembers them, and is somebody's quantizer for everything else. It
# passes. Real code does this less openly, with a table, or another path for large arrays.
#
# A property is a sentence that holds for every input. Three for quantizers, which need no right answers:
#
#     monotone    x₁ ≤ x₂  ⟹  q₁ ≤ q₂
#     inside      qmin ≤ q ≤ qmax
#     error       |s·(q − Z) − x| ≤ s/2    where q is not clipped
#
# By hand, s = 1: truncated, 0.75 becomes 0, and 0.75 is more than ½. But the parrot has all three properties: a tie is
# as far from one code as from the other. They do not say which one.


# %%
def exact(arguments):
    """Arguments as bytes."""
    return tuple(np.asarray(argument).tobytes() for argument in arguments)


remembered = {exact(case.arguments.values()): case.expected["q"].value for case in cases}


def parrot(*arguments):
    """Remembers the vectors."""
    known = remembered.get(exact(arguments))
    return somebodys(*arguments) if known is None else known


def truncating(x, s, Z, qmin, qmax):
    """Drops what is behind the point."""
    return np.clip(np.trunc(x / s) + Z, qmin, qmax).astype(np.int32)


print("the parrot passes all cases:", conformance.check(parrot, "affine", "onnx", max_examples=0).conforms)
x = np.arange(-80, 80, 0.25, dtype=f32)  # codes and the quarters between them, beyond both ends
for f in (mended, parrot, truncating):
    q = f(x, f32(1), 3, -64, 63)
    monotone, inside = (np.diff(q) >= 0).all(), ((q >= -64) & (q <= 63)).all()
    error = np.abs((q - 3) - x)[(x >= -67) & (x <= 60)].max()
    print(f"{f.__name__:>10}: monotone {monotone}, inside {inside}, largest error {error} of at most 0.5")

# %% [markdown]
# The package has such sentences for every formula, and Hypothesis draws the inputs: ties, codes, the floats beside
# them, many scales. An input that fails is made smaller as long as it still fails, until one short number is left. The
# last property but one, `agrees`, is that the codes are this package's own; it sees the tie. The last one is the same
# for long arrays, for a kernel that takes 16 numbers at a time may be wrong in these alone. `check` runs the properties
# after the cases, if these pass.

# %%
try:
    from refcompress.conformance.properties import properties
except ImportError:
    properties = None
    print("properties need hypothesis: python -m pip install 'refcompress[conformance]'")

if properties is not None:
    for p in properties("affine", "quantize"):
        try:
            p.check(truncating, "onnx", max_examples=40)
            print(f"truncating, {p.name}: holds")
        except AssertionError as error:
            print(f"truncating, {p.name}: {error}")
    report = conformance.check(parrot, "affine", "onnx", max_examples=200)
    for failure in report.failures:  # the last attempt is the shortest input
        print(f"the parrot, {failure.name}: {failure.text}")
        print(*(f"    {name} = {value!r}" for name, value in failure.attempts[-1].arguments.items()), sep="\n")
    print(f"the parrot has {len(report.properties) - len(report.failures)} of {len(report.properties)} properties")

# %% [markdown]
# ## Diagnosis: which convention is it?
#
# A check must know the convention. What if nobody does, as with a chip, or a library without its source? Take the set
# of all conventions that such a black box may follow. A question is one number. It splits the set by the answers, and
# only the part that answers like the black box stays. Two answers can at best halve it.
#
# Eight rounding rules, two quotients, Z before or after: 8·2·2 = 32 = 2⁵ conventions, so five questions at least, and
# here five are enough. By hand, the first: x = −½, s = 1, Z = 1. With Z before, ½ is rounded, and half_even, half_down,
# half_toward_zero, floor and toward_zero make it 0. With Z after, −½ must become −1, as by half_away, half_down and
# floor. The quotient does not matter at s = 1. So the answer 0 leaves 2·(5 + 3) = 16.

# %%
rules = ("half_even", "half_away", "half_up", "half_down", "half_toward_zero", "floor", "ceil", "toward_zero")
left = [
    Convention(rounding=rule, quotient=quotient, zero_point_added=when)
    for rule, quotient, when in product(rules, ("divide", "reciprocal"), ("after", "before"))
]


def black_box(x, s, Z, qmin, qmax):
    """Do not look inside."""
    return np.clip(np.rint(x * (1 / s) + f32(Z)), qmin, qmax)


print(len(left), "conventions")
for x, s, Z in ((-0.5, 1, 1), (-143.5, 41, 0), (-1.5, 1, 0), (0.5, 1, 1), (0.5, 1, 0)):
    answer = black_box(np.array([x], f32), f32(s), Z, -128, 127)[0]
    left = [c for c in left if code(c, x, s, Z) == answer]
    print(f"x = {x}, s = {s}, Z = {Z}: the code is {answer:g}, {len(left)} left")
print(left[0].rounding, left[0].quotient, left[0].zero_point_added)

# %% [markdown]
# `diagnose` does this with more conventions, and chooses each question itself, a simple one that parts well. When only
# conventions are left that no question parts, it goes on asking at other scales and zero points: the black box may be
# none of them. Last it asks for NaN and ±∞. Here NaN stays NaN, so no preset has all the codes, but one has those of
# finite numbers.

# %%
found = conformance.diagnose(black_box, -128, 127)
print(f"{found.numbers} numbers: {found.readings[0].convention.formula()}")
for axis in ("rounding", "quotient", "zero_point_added", "narrow", "compute_dtype"):
    print(f"    {axis}: {' or '.join(found.left(axis))}")
print("presets on finite numbers:", *found.presets_on_finite_numbers)
print("presets on all numbers:", *found.presets or ("none",), f"(NaN gives {found.nonfinite.outcomes['nan']})")

# %% [markdown]
# `separate` goes the other way: it searches the shortest input on which two conventions differ. For ONNX and PyTorch's
# quantize_per_tensor it is ½ with Z = 1, by hand in tutorial 04. For ONNX and ONNX Runtime it finds none, and there is
# none. They differ in three axes: `clip`, on which no code depends; `nonfinite`, what NaN becomes; and `zero_range`,
# the s of an empty range, which is chosen before there are codes. With s given, every finite number has the same code.

# %%
apart = conformance.separate("onnx", "torch_quantize")
for question, codes in zip(apart.questions, zip(*apart.codes, strict=True), strict=True):
    print(f"onnx and torch_quantize: {question}, codes {codes}")
print("onnx and onnxruntime:", conformance.separate("onnx", "onnxruntime"))
print("    they differ in", ", ".join(onnx.differences(PRESETS["onnxruntime"])))

# %% [markdown]
# ## Other languages
#
# Most code to be checked is not Python. `exports.files` gives the cases as JSON, .npz, a C header, or the memory words
# of a Verilog testbench. The float of above in bits: sign 0, exponent 125 for 2⁻², all 23 digits of the fraction 1:
# 0 01111101 11111111111111111111111, in groups of four 0011 1110 1111 …, which is 3effffff.

# %%
from refcompress.conformance.exports import files

name = beside_a_tie.id.replace(".", "_").replace("-", "_")
header = files("c", "affine.quantize", "onnx")["affine.h"].decode().splitlines()
print(*(line for line in header if line.startswith("static") and name in line), sep="\n")
words = files("readmemh", "affine.quantize", "onnx")["affine.quantize-onnx.inputs.hex"].decode().splitlines()
(first,) = (place + 1 for place, line in enumerate(words) if line.startswith(f"// {beside_a_tie.id}"))
print(*words[first : first + 2 * len(beside_a_tie.arguments)], sep="\n")  # how many words, and the word, of each

# %% [markdown]
# Or your program answers requests: it reads a line of JSON, writes a line of JSON, and goes on until its input ends. It
# may read floats from "hex" or from "values", and write either. The command line starts it, asks for all cases, then
# for what the properties draw, and says what it found:
#
#     python -m refcompress check --command ./my_program --formula affine --convention onnx

# %%
import json

from refcompress.conformance.text import decode, encode

arguments = {name: encode(value) for name, value in beside_a_tie.arguments.items()}
request = {"id": 1, "function": "affine.quantize", "convention": "onnx", "arguments": arguments}
print("request", json.dumps(request))
values = [decode(value) for value in arguments.values()]
for f in (mended, somebodys):
    reply = json.dumps({"id": 1, "results": [encode(f(*values))]})
    print("reply", reply, "is", beside_a_tie.mismatch(decode(json.loads(reply)["results"][0])) or "right")

# %% [markdown]
# The picture has the cases over the slips: light where a case kills a slip, dark where it was made for it. No column is
# white: no slip survives. Columns may look alike: the same cases kill both, by other codes.

# %%
if plt is not None:
    matrix = np.array([[(slip in c.kills) + (slip in c.made_for) for slip in slips] for c in cases])
    figure, axis = plt.subplots(figsize=(11, 5.5), layout="constrained")
    axis.imshow(matrix, cmap="Blues", aspect="auto")
    axis.set_xticks(range(len(slips)), slips, rotation=90)
    axis.set_yticks(range(len(cases)), ["x = " + ", ".join(map(str, c.arguments["x"])) for c in cases])
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / "07_kills.png", dpi=120)
