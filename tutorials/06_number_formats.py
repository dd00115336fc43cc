# %% [markdown]
# # 6 · Number formats: what the bits of a weight mean
#
# An integer code has equal steps. A small float has steps that grow with the number. A block format shares a scale
# among neighbours. A level table lists its values. This tutorial builds each format from its bits, and then compares
# them at 4 bits. The first formula is that of all floats, e bits of exponent and m bits of mantissa:
#
#     x = ± (1 + M/2^m) · 2^(X − bias)      X > 0, the exponent's bits
#     x = ± (M/2^m) · 2^(1 − bias)          X = 0: subnormal
#
# By hand, e2m1 (e = 2, m = 1, bias 1), the float of 4 bits. Its codes are sign, X, M. The eight without sign:
#
#     code    0 00 0   0 00 1   0 01 0   0 01 1   0 10 0   0 10 1   0 11 0   0 11 1
#     x         0        ½        1        1½       2        3        4        6
#
# Subnormals have the step of the lowest exponent: 0, ½, then 1, 1½. Without them the least number above 0 would be 1.

# %%
import argparse
from pathlib import Path

import numpy as np

from refcompress import datasets, nn

parser = argparse.ArgumentParser(description="number formats", allow_abbrev=False)
parser.add_argument("--pictures", type=Path, metavar="DIR", help="write the picture into this folder")
pictures = parser.parse_known_args()[0].pictures  # a notebook has arguments of its own
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
    if pictures is not None:
        raise SystemExit("pictures need matplotlib: python -m pip install 'refcompress[viz]'") from None
from refcompress.formulas.quantization import float_format

print("e2m1:", float_format.decode(np.arange(8), "float4_e2m1fn"))

# %% [markdown]
# ## From a number to a code
#
#     E = max(⌊log₂|x|⌋, 1 − bias)      ulp = 2^(E − m)      code = round(|x|/ulp) + 2^m·(E − (1 − bias))
#
# ulp is the distance between neighbours. |x|/ulp is below 2^(m+1), and its lower m bits are M. By hand, 2.7 in e2m1:
# E = 1, ulp = 2⁰ = 1, round(2.7) = 3, code = 3 + 2·(1 − 0) = 5, which is 3. If rounding carries, as for 3.6 → 4, the
# carry runs into the exponent: 4 + 2 = 6, which is 4. No special case is needed.
#
# A tie goes to the even code; other rules are there to compare. The last two are not to the nearest:
#
#     x                     0.25    0.75    1.25    1.75    2.5    3.5     5      7
#     half_even               0       1       1       2      2      4      4      6     saturates
#     half_away             0.5       1     1.5       2      3      4      6      6
#     half_toward_zero        0     0.5       1     1.5      2      3      4      6
#     toward_zero             0     0.5       1     1.5      2      3      4      6
#     away                  0.5       1     1.5       2      3      4      6      6

# %%
halves = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, 7.0])
print("codes of 2.7 and 3.6:", float_format.encode(np.array([2.7, 3.6]), "float4_e2m1fn"))
for rule in float_format.ROUNDINGS:
    codes = float_format.encode(halves, "float4_e2m1fn", rounding=rule)
    print(f"{rule:>16}", *(f"{x:4g}" for x in float_format.decode(codes, "float4_e2m1fn")))

# %% [markdown]
# ## Eight bits: where do infinity and NaN go?
#
# IEEE formats give the highest X to infinity (M = 0) and NaN (M ≠ 0). e5m2 does. e4m3fn has only 16 exponents, and
# gives away one code for each sign: all ones, X = 15 with M = 7, is NaN. There is no infinity ("fn": finite). So
#
#     e4m3fn   largest (1 + 6/8)·2^(15 − 7)  = 448        smallest subnormal (1/8)·2⁻⁶  = 2⁻⁹     NaN 0x7F
#     e5m2     largest (1 + 3/4)·2^(30 − 15) = 57,344     smallest subnormal (1/4)·2⁻¹⁴ = 2⁻¹⁶    ∞ 0x7C, NaN 0x7E
#
# What is too large either saturates, or becomes infinity or NaN. "Too large" is judged after rounding. 464 is halfway
# between 448 = 14·32 and 480 = 15·32: a tie, it goes to the even 14, so 448. 465 goes to 15, the code of NaN, and is
# too large. 61,440 is halfway between 57,344 = 7·8192 and 65,536 = 8·8192: it goes to 8, and is too large.

# %%
for name, numbers in (("float8_e4m3fn", (448.0, 464.0, 465.0)), ("float8_e5m2", (57344.0, 61440.0))):
    smallest = float_format.decode(np.array([1]), name)[0]
    print(f"{name}: largest code 0x{float_format.FORMATS[name].largest:02X}, code 1 is 2^{np.log2(smallest):g}")
    for overflow in ("saturate", "nan"):
        codes = float_format.encode(np.array(numbers), name, overflow)
        print(f"{overflow:>10}:", numbers, "->", codes.tobytes().hex(" "), float_format.decode(codes, name))

# %% [markdown]
# ### Sixteen bits: the same formula
#
# float16 is e5m10 (bias 15), bfloat16 is e8m7 (bias 127): the upper half of a float32. By hand, 0.1 = 1.6·2⁻⁴, E = −4:
#
#     float16     ulp = 2⁻¹⁴    1638.4 → 1638    1638 + 1024·(−4 + 14)  = 11,878 = 0x2E66    1638/2¹⁴ = 0.09998
#     bfloat16    ulp = 2⁻¹¹     204.8 →  205     205 +  128·(−4 + 126) = 15,821 = 0x3DCD     205/2¹¹ = 0.10010
#
# NumPy has float16, and casts 0.1 to this code. Harder: the 2,047 midpoints between its smallest numbers, all ties.

# %%
for name in ("float16", "bfloat16"):
    code = float_format.encode(np.array(0.1), name)
    print(f"{name}: 0.1 is 0x{code:04X}, {float_format.decode(code, name):.5f}")
ties = (np.arange(2047) + 0.5) * 2.0**-24
by_numpy = ties.astype(np.float16).view(np.uint16)
print("ties as NumPy casts them:", bool((float_format.encode(ties, "float16") == by_numpy).all()))

# %% [markdown]
# ## MX: 32 elements share a power of two
#
#     v = X·P      X = 2^S, stored in 8 bits as S + 127 (e8m0)      P = cast(v/X)
#
# e8m0 has neither sign nor mantissa: code 0 is 2⁻¹²⁷, 254 is 2¹²⁷, 255 is NaN, and there is no zero. A block of zeros
# has S = −127 and elements of 0.
#
# S must bring the largest magnitude of the block, amax, near the element's largest value max. For e2m1 max is 6 =
# 1.5·2², so emax = 2, and m = 1. Four rules (a fifth, "even_one_bit", is even with m = 1 for every element, which in
# e2m1 is even itself):
#
#     floor    S = ⌊log₂ amax⌋ − emax                                        the OCP specification
#     ceil     S = ⌈log₂ amax⌉ − emax
#     even     S = ⌊log₂ amax′⌋ − emax, amax′: amax rounded to m mantissa bits
#     rceil    S = ⌈log₂(amax/max)⌉                                          nothing is clipped
#
# By hand. The powers of two around 5, 6.5 and 7 are 4 and 8, so ⌊log₂⌋ = 2 and ⌈log₂⌉ = 3. With m = 1 the numbers there
# are 4, 6 and 8. 5 is a tie and goes up to 6, 6.5 goes to 6, 7 is a tie and goes up to 8.
#
#     amax     floor         ceil          even                rceil (max = 6)
#     5        2 − 2 = 0     3 − 2 = 1     ⌊log₂ 6⌋ − 2 = 0    ⌈log₂ 0.83⌉ = 0
#     6.5      2 − 2 = 0     3 − 2 = 1     ⌊log₂ 6⌋ − 2 = 0    ⌈log₂ 1.08⌉ = 1
#     7        2 − 2 = 0     3 − 2 = 1     ⌊log₂ 8⌋ − 2 = 1    ⌈log₂ 1.17⌉ = 1
#
# With S = 0, 6.5 and 7 are clipped to 6, and ½ is kept. (5 is a tie between 4 and 6: the even code is that of 4.) With
# S = 1 the elements count in steps of 2·½ = 1 and more: 6.5 and 7 are 3.25 and 3.5, so 3 and 4, back as 6 and 8. ½ is
# 0.25, a tie, and becomes 0.

# %%
from refcompress.formulas.quantization.formats import mx, nvfp4

for rule in ("floor", "ceil", "even", "rceil"):
    for amax in (5.0, 6.5, 7.0):
        codes, scales = mx.quantize(np.array([amax, 3.0, -0.5]), "float4_e2m1fn", exponent=rule)
        print(f"{rule}, {amax}: S = {int(scales[0]) - 127}", mx.dequantize(codes, scales, "float4_e2m1fn"))

# %% [markdown]
# ## NVFP4: two levels of scales
#
#     x ≈ q · (t·s)      q: e2m1      s: e4m3fn, for 16 elements      t: float32, for the tensor
#     t = max|x| / (448·6)      s = e4m3( amax/6/t )      q = e2m1( x/(t·s) )
#
# A power of two as scale can miss max by a factor of nearly 2. A scale with a mantissa comes closer. But e4m3fn ends at
# 448, so t brings the largest s there. By hand: max|x| = 5.25 gives t = 5.25/2688 = 2⁻⁹. Its block has s = 5.25/6·512 =
# 448 and the unit t·s = 0.875; 5.25 is 6 units, exactly. A second block with amax = 0.75 has s = 0.75/6·512 = 64 and
# the unit ⅛. 0.4 is 3.2 units, so 3, back as 0.375; 0.1 is 0.8, so 1, back as 0.125.

# %%
x = np.zeros(32, np.float32)
x[0], x[16:19] = 5.25, (0.75, 0.4, 0.1)
codes, block_scales, t = nvfp4.quantize(x)
print("t =", t, " s =", float_format.decode(block_scales, "float8_e4m3fn"), "in codes", block_scales, end=" ")
print(" back", nvfp4.dequantize(codes, block_scales, t)[[0, 16, 17, 18]])

# %% [markdown]
# ## Level tables: NF4 and FP4
#
#     absmax = max|x| of 64 weights      code = argmin_k |x/absmax − c_k|      x′ = c_code·absmax
#
# The 16 levels c of NF4 follow the quantiles of a normal distribution: close around 0, wide at the ends, with 0, −1 and
# 1 among them. By hand: (4, 1, −3, 0.1) has absmax 4, so 1, 0.25, −0.75, 0.025. The nearest levels are 1 (code 15),
# 0.2461 (code 10), −0.6962 (code 1) and 0 (code 7), back as 4, 0.984, −2.785 and 0.
#
# The "FP4" of bitsandbytes is nearly e2m1/6 = 0, 1/12, 1/6, ¼, ⅓, ½, ⅔, 1. But it has 1/192 in place of 1/12.

# %%
from refcompress.formulas.quantization.formats import level_table

codes, absmax = level_table.quantize(np.array([4.0, 1.0, -3.0, 0.1], np.float32), "nf4")
print("codes", codes, " absmax", absmax, " back", level_table.dequantize(codes, absmax, "nf4").round(3))
print("nf4", *level_table.LEVELS["nf4"].round(2))
print("bitsandbytes_fp4, times 12:", *np.sort(level_table.LEVELS["bitsandbytes_fp4"][:8] * 12))

# %% [markdown]
# ## ggml's blocks, byte by byte
#
#     q4_0, q5_0   d = x_e/−2^(b−1)          q = min( ⌊x/d + 2^(b−1) + ½⌋, 2^b − 1 )    x′ = d·(q − 2^(b−1))
#     q4_1, q5_1   d = (max − m)/(2^b − 1)   q = min( ⌊(x − m)/d + ½⌋, 2^b − 1 )        x′ = d·q + m,  m = min
#     q8_0         d = max|x|/127            q = round(x/d)                             x′ = d·q
#
# x_e is the weight of largest magnitude, with its sign. d and m are float16, the low byte first. Byte j of the low four
# bits has weight j below and weight j + 16 above. The fifth bits of 32 weights come before them, in 4 bytes.
#
# By hand, x = −16, −15, …, 15. Weight 0 is −16, weight 16 is 0, weight 1 is −15, weight 17 is 1.
#
#     q4_0   d = 2 = 0x4000. q: −8 + 8.5 → 0 and 8.5 → 8, byte 80; −7.5 + 8.5 = 1 and ½ + 8.5 = 9, byte 91
#     q4_1   d = 31/15 = 2.0667, as float16 1058·2⁻⁹ = 0x4022. q: 0 and 16/2.0667 = 7.7 → 8; 0.48 → 0 and 8.2 → 8
#     q5_0   d = 1 = 0x3C00, q = 0 … 31. Fifth bits: 16 zeros, 16 ones. Low bits: weights 0 and 16 0, 1 and 17 1, …
#     q5_1   d = 31/31 = 1, m = −16 = 0xCC00, and q as in q5_0
#     q8_0   d = 16/127 = 0x3008. q: −127 = 0x81, then −15·127/16 = −119.06 → −119 = 0x89

# %%
from refcompress.formulas.quantization.formats import ggml_legacy

ramp = np.arange(-16, 16, dtype=np.float32)
for kind in ggml_legacy.KINDS:
    block = ggml_legacy.quantize(ramp, kind)
    error = np.abs(ggml_legacy.dequantize(block, kind) - ramp).max()
    print(f"{kind}: {block.size} bytes, {block.tobytes()[:10].hex(' ')} …, largest error {error:.3f}")

# %% [markdown]
# ## k-quants: scales of scales
#
# A super-block of 256 weights has float16 d (and dmin), and small integer scales s_i (and minima m_i) for 16 or 32.
# The package reads these blocks; to write them, ggml searches for good scales. Fields with their bytes, bits a weight:
#
#     q2_k    scales 16, qs 64, d 2, dmin 2            84 · 8/256 = 2.625      x′ = d·s_i·q − dmin·m_i      i = ⌊k/16⌋
#     q3_k    hmask 32, qs 64, scales 12, d 2         110 · 8/256 = 3.4375     x′ = d·(s_i − 32)·(q − 4)    i = ⌊k/16⌋
#     q4_k    d 2, dmin 2, scales 12, qs 128          144 · 8/256 = 4.5        x′ = d·s_i·q − dmin·m_i      i = ⌊k/32⌋
#     q5_k    d 2, dmin 2, scales 12, qh 32, qs 128   176 · 8/256 = 5.5        x′ = d·s_i·q − dmin·m_i      i = ⌊k/32⌋
#     q6_k    ql 128, qh 64, scales 16, d 2           210 · 8/256 = 6.5625     x′ = d·s_i·(q − 32)          i = ⌊k/16⌋
#
# One block of each, with d = ½ = 0x3800 and dmin = ¼ = 0x3400. All bytes are 0 but these:
#
# - **q2_k**: byte 0 of qs has weights 0, 32, 64, 96 in its pairs of bits. 0xE4 = 11 10 01 00: q = 0, 1, 2, 3. Their
#   scales are 0, 2, 4, 6, a byte each. 0x23: s = 3, m = 2. So x′ = ½·3·q − ¼·2 = 1.5·q − 0.5: −0.5, 1, 2.5, 4.
# - **q3_k**: s_0 has its low 4 bits in byte 0 of scales, its high 2 in byte 8. With 2 and 2, s_0 = 2 + 16·2 = 34.
#   Weight 0 has 3 in qs and 1 in hmask: q = 3 + 4 = 7, x′ = ½·2·3 = 3. Weight 1 has q = 0: ½·2·(−4) = −4.
# - **q4_k**: 12 bytes B hold eight s and eight m of 6 bits. s_0 = B_0 mod 64, m_0 = B_4 mod 64. s_4 and m_4 have their
#   low 4 bits in the low and high half of B_8, their high 2 bits on top of B_0 and B_4. B_0 = 0x45 = 64 + 5, B_4 = 0x86
#   = 128 + 6, B_8 = 0x23: s_0 = 5, m_0 = 6, s_4 = 3 + 16·1 = 19, m_4 = 2 + 16·2 = 34. Weight 0 with q = 15: ½·5·15 −
#   ¼·6 = 36. Weight 128, in the low half of byte 64 of qs, with q = 1: ½·19·1 − ¼·34 = 1.
# - **q5_k**: the same, and byte 0 of qh has the fifth bits of weights 0, 32, …, 224. 0x11 adds 16 to q of weights 0 and
#   128: 2.5·31 − 1.5 = 76 and 9.5·17 − 8.5 = 153.
# - **q6_k**: s_0 = −3 = 0xFD. Weight 0 has 15 in ql and 3 in qh: q = 15 + 16·3 = 63, x′ = ½·(−3)·31 = −46.5. Weight 1
#   has q = 0: ½·(−3)·(−32) = 48.

# %%
from refcompress.formulas.quantization.formats import q2_k, q3_k, q4_k, q5_k, q6_k

BLOCKS = {  # place in the block: byte
    q2_k: (84, {0: 0x23, 2: 0x23, 4: 0x23, 6: 0x23, 16: 0xE4, 81: 0x38, 83: 0x34}, [0, 32, 64, 96]),
    q3_k: (110, {0: 1, 32: 3, 96: 2, 104: 2, 109: 0x38}, [0, 1]),
    q4_k: (144, {1: 0x38, 3: 0x34, 4: 0x45, 8: 0x86, 12: 0x23, 16: 0x0F, 80: 1}, [0, 128]),
    q5_k: (176, {1: 0x38, 3: 0x34, 4: 0x45, 8: 0x86, 12: 0x23, 16: 0x11, 48: 0x0F, 112: 1}, [0, 128]),
    q6_k: (210, {0: 0x0F, 128: 3, 192: 0xFD, 209: 0x38}, [0, 1]),
}
for module, (size, filled, places) in BLOCKS.items():
    block = np.zeros((1, size), np.uint8)
    block[0, list(filled)] = list(filled.values())
    print(f"{module.__name__[-4:]}: {size * 8 / 256} bits, weights {places}:", module.dequantize(block)[places])

# %% [markdown]
# ## Packing orders
#
# Formats agree on codes and disagree on where these lie. The codes 1, 2, 3, 4 of 4 bits, then as many zeros as the
# order needs (8 codes for AWQ and torchao, 32, 64 or 128 for ggml), give these first bytes:
#
#     lsb, low_nibble_first    21 43          1 in the low half, 2 in the high half
#     int32_dense, int32_words 21 43 00 00    the same, filled up with zeros to a whole word of 32 bits
#     high_nibble_first        12 34          1 in the high half
#     hqq                      13 24          the first of two halves of the array in the high halves of the bytes
#     awq                      31 00 42 00    from the lowest bits on the codes 0 2 4 6 1 3 5 7 of 8: 1 3 0 0 2 4 0 0
#     ggml, torchao_uintx      01 02 03 04    code j below code j + 16, or + 32, + 64, half of the array
#
# With 3 bits, a word of 32 bits holds ten codes, and two bits are left. Take ten zeros, then 5 = 101. "int32_dense"
# puts its lower bits, 01, into these two, its upper 1 into the next word; "int32_words" puts all into the next word.

# %%
from refcompress.formulas.coding import packing, packing_orders

for order in packing_orders.ORDERS:
    count = {"awq": 8, "torchao_uintx": 8, "ggml": 32, "ggml_32": 64, "ggml_64": 128}.get(order, 4)
    codes = np.pad([1, 2, 3, 4], (0, count - 4))
    print(f"{order}: {packing.pack(codes, 4, order)[:4].tobytes().hex(' ')}")
for order in ("int32_dense", "int32_words"):
    print(f"{order}, 3 bits:", packing.pack(np.array([0] * 10 + [5]), 3, order).tobytes().hex(" "))

# %% [markdown]
# ## Four bits, compared
#
#     SQNR = 10·log₁₀( Σ x² / Σ (x − x′)² )      in dB; half the error is 6.02 dB more
#
# The weights are those of the first layer of tutorial 03's network, 100 × 64, after training; beside them, as many
# normal numbers. Bits: a scale of 8 bits for 32 weights adds 8/32 (MX), for 16 weights 8/16 (NVFP4); a float32 for 64
# weights adds 32/64 (NF4), two of them 64/64. By hand: equal steps s have errors between −s/2 and s/2, with a
# mean square of s²/12. The largest of the 6,400 normal numbers are near ±3.5, so 15 steps have s = 7/15, and
# 10·log₁₀(12/s²) = 17.4 dB.

# %%
from refcompress.formulas.quantization import uniform


def four_bits(w):
    """Names, bits a weight, and restored weights."""
    e2m1, absmax = "float4_e2m1fn", np.abs(w).max()
    for name, bits, axis in (("uniform, one range", 4.0, None), ("uniform, rows of 64", 5.0, 1)):
        s, z = uniform.scale_and_offset(w.min(axis, keepdims=True), w.max(axis, keepdims=True), 4)
        yield name, bits, uniform.dequantize(uniform.quantize(w, s, z, 4), s, z)
    yield "e2m1, one scale", 4.0, absmax / 6 * float_format.decode(float_format.encode(w / absmax * 6, e2m1), e2m1)
    for rule in ("floor", "ceil", "even", "rceil"):
        yield f"MXFP4, {rule}", 4.25, mx.dequantize(*mx.quantize(w, e2m1, exponent=rule), e2m1)
    yield "NVFP4", 4.5, nvfp4.dequantize(*nvfp4.quantize(w))
    for table in level_table.LEVELS:
        yield table, 4.5, level_table.dequantize(*level_table.quantize(w, table), table)
    for kind in ("q4_0", "q4_1"):
        blocks = ggml_legacy.quantize(w, kind)
        yield kind, 8 * blocks.size / w.size, ggml_legacy.dequantize(blocks, kind).reshape(w.shape)


data = datasets.digits()
model = nn.networks.mlp(((1, 8, 8), 100, 50, 10), np.random.default_rng(0))
settings = {"optimizer": nn.SGD(0.05, momentum=0.9), "epochs": 10, "batch_size": 32, "rng": np.random.default_rng(1)}
nn.fit(model, data.x_train, data.y_train, **settings)
layer = model.layers["fc1"].parameters["weight"]
normal = np.random.default_rng(0).standard_normal(layer.shape, np.float32)
print(f"{'':20} bits  layer normal")
for (name, bits, restored), (_, _, of_normal) in zip(four_bits(layer), four_bits(normal), strict=True):
    pairs = ((layer, restored), (normal, of_normal))
    decibels = [10 * np.log10(np.square(w).sum() / np.square(w - back).sum()) for w, back in pairs]
    print(f"{name:20} {bits:4}", *(f"{decibel:6.2f}" for decibel in decibels))

# %% [markdown]
# Small blocks matter most: a range for 64 weights brings about 4 dB, and q4_0 with 32 is ahead of NF4 with 64 at the
# same size. In MX, ceil puts amax at 4 or below, so that the level 6 is never used; this costs 2 dB. The other powers
# of two are 1.2 to 1.6 dB behind NVFP4, FP4 is 2.4 dB behind NF4. All of this is squared error. What it does to the
# answers of a network is to be measured, as in tutorial 03. The picture has the levels over the weights, in units of
# absmax.

# %%
if plt is not None:
    e2m1 = float_format.decode(np.arange(16), "float4_e2m1fn") / 6
    tables = {"uniform": np.linspace(-1, 1, 16), "e2m1": e2m1, **level_table.LEVELS}
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.2), layout="constrained", sharey=True)
    for axis, (name, levels) in zip(axes, tables.items(), strict=True):
        axis.hist((layer / np.abs(layer).max(axis=1, keepdims=True)).ravel(), bins=60, color="lightsteelblue")
        for level in levels:
            axis.axvline(level, color="tab:red", linewidth=1)
        axis.set(title=name, xlabel="weight / absmax")
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / "06_levels.png", dpi=120)
