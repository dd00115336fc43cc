"""What each library computes, transcribed from the library, one preset after the other: no axis, no shared formula.

Of every preset: quantize(x, s, Z, qmin, qmax) for a float32 array, dequantize(q, s, Z), and choose(low, high, qmin,
qmax), which is None where the library has no scale that can be used. F is one rounding to float32; what is computed in
float64 says so. Calls may warn of overflow: the caller silences NumPy.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from tests.oracles import rounding

F = np.float32
D = np.float64
TINY = 2.0**-126  # the smallest normal float32


class Twin(NamedTuple):
    """One library's functions, and what they are compared on."""

    quantize: Callable[..., np.ndarray]
    dequantize: Callable[..., np.ndarray] | None
    choose: Callable[..., tuple[Any, Any] | None] | None
    ranges: tuple[tuple[int, int], ...]
    nan: str = "error"  # or the code of NaN: "qmin", "qmax", "0"
    infinity: str = "saturates"  # or "error", or "qmin" for both


def half_away(v: Any) -> Any:
    """C's round: |v| is split into its whole part and the rest, both exact."""
    whole = np.trunc(v)
    return np.where(np.abs(v - whole) >= 0.5, whole + np.copysign(v.dtype.type(1), v), whole)


def fused(x: np.ndarray, r: Any, z: Any) -> np.ndarray:
    """fma of finite numbers, by rational numbers; of others as float64 has it.

    The product of two float32 numbers is exact in float64, so that the sum is within a place of the exact one: where
    both places beside it are the same float32, as all but those next to float32's ties are, that is fma's result.
    """
    total = x.astype(D) * D(r) + D(z)
    out = total.astype(F)
    below, above = (np.nextafter(total, D(end)).astype(F) for end in (-np.inf, np.inf))
    for i in np.flatnonzero(~((below == above) & (total != 0))):
        if np.isfinite(x[i]) and np.isfinite(r):
            exact = Fraction(float(x[i])) * Fraction(float(r)) + Fraction(float(z))
            out[i] = float(rounding.to_format(exact, "float32"))
    return out


def whole(v: Any, qmin: int, qmax: int, nan: int = 0) -> np.ndarray:
    """Saturate floats and make them integers; NaN becomes a code."""
    v = np.where(np.isnan(v), D(nan), np.asarray(v, D))
    return np.clip(v, qmin, qmax).astype(np.int64)


def minus_then_times(q: np.ndarray, s: Any, Z: Any) -> np.ndarray:
    """The restoring of nearly all: (float(q) − float(Z))·s."""
    return (np.asarray(q).astype(F) - F(Z)) * F(s)


# the source


def source_choose(low, high, qmin, qmax):
    return (F(1) if low == high else (high - low) / F(qmax)), low


def source_quantize(x, s, Z, qmin, qmax):
    return whole(np.rint((x - Z) / s), 0, qmax)


def source_dequantize(q, s, Z):
    return s * q.astype(F) + Z


# onnx, op_dynamic_quantize_linear.py and op_quantize_linear.py


def onnx_choose(low, high, qmin, qmax):
    top, bottom = np.maximum(F(0), high), np.minimum(F(0), low)
    width = top - bottom
    if width == 0:
        width = F(1)
    s = width / F(qmax - qmin)
    if s == 0:
        return None
    return s, int(np.rint(np.clip(F(qmin) - bottom / s, F(qmin), F(qmax))))


def onnx_quantize(x, s, Z, qmin, qmax):
    r = np.clip(np.rint(x / s).astype(D), -(2**31), 2**31 - 1).astype(np.int64)  # here the library wraps
    return np.clip(r + Z, qmin, qmax)


# onnxruntime


def onnxruntime_choose(low, high, qmin, qmax):
    top, bottom = np.maximum(F(0), high), np.minimum(F(0), low)
    s = F(1) if top == bottom else (top - bottom) / F(qmax - qmin)
    if s == 0:
        return None
    return s, int(np.rint(np.clip(F(qmin) - bottom / s, F(qmin), F(qmax))))


def onnxruntime_quantize(x, s, Z, qmin, qmax):
    v = x / s
    least, most = F(qmin - Z), F(qmax - Z)
    v = np.where(v > least, v, least)  # maxps: NaN gives its second operand
    v = np.where(v < most, v, most)
    return np.rint(v).astype(np.int64) + Z


def quant_utils_choose(low, high, qmin, qmax):
    bottom, top = min(low, F(0)), max(high, F(0))
    s = (D(top) - D(bottom)) / D(qmax - qmin)
    if s < TINY:
        return F(1), 0
    return F(s), int(np.rint(D(qmin) - D(bottom) / s))  # s before it is rounded


def quant_utils_choose_symmetric(low, high, qmin, qmax):
    largest = max(abs(min(low, F(0))), max(high, F(0)))
    s = (D(largest) - D(-largest)) / D(qmax - qmin)
    if s < TINY:
        return F(1), 0
    return F(s), int(np.rint((qmin + qmax) / 2))


def quant_utils_quantize(x, s, Z, qmin, qmax):
    return whole(np.rint(x / s) + F(Z), qmin, qmax)


def mlas_choose(low, high, qmin, qmax):
    bottom, top = min(low, F(0)), max(high, F(0))
    s = (top - bottom) / F(qmax)
    if s == 0:
        return s, 0
    return s, int(np.clip(half_away(F(0) - bottom / s), 0, qmax))


def mlas_choose_symmetric(low, high, qmin, qmax):
    m = high if abs(high) > abs(low) else low
    s = -m / F((qmax + 1) // 2)
    return s, (qmax + 1) // 2


def mlas_quantize(x, s, Z, qmin, qmax):
    r = F(0) if s == 0 else F(1) / s
    return whole(half_away(x * r + F(Z)), 0, qmax)


# tensorflow, fake_quant_with_min_max_vars


def tensorflow_choose(low, high, qmin, qmax):
    if low == high:
        return None
    s = (high - low) / F(qmax - qmin)
    if s == 0:
        return None
    zero = F(qmin) - low / s
    return s, int(qmin if zero < qmin else qmax if zero > qmax else half_away(zero))


def tensorflow_quantize(x, s, Z, qmin, qmax):
    nudged_min, nudged_max = F(qmin - Z) * s, F(qmax - Z) * s
    clamped = np.maximum(np.minimum(x, nudged_max), nudged_min)
    level = np.floor(((clamped - nudged_min) / s - F(Z - qmin)) + F(0.5))
    return whole(level + F(Z), qmin, qmax)


# tflite


def converter_choose(low, high, qmin, qmax):
    bottom, top = D(min(low, F(0))), D(max(high, F(0)))
    if top - bottom <= 1e-6:
        bottom, top = bottom - 1e-6, top + 1e-6
    s = (F(top) - F(bottom)) / F(qmax - qmin)
    zero = F(qmin - bottom / D(s))  # in float64, but for the last step
    return s, int(qmin if zero < qmin else qmax if zero > qmax else half_away(zero))


def tflite_reference_quantize(x, s, Z, qmin, qmax):
    r = np.clip(half_away(x / s).astype(D), -(2**31), 2**31 - 1).astype(np.int64)  # here the library wraps
    return np.clip(r + Z, qmin, qmax)


def xnnpack_quantize(x, s, Z, qmin, qmax):
    v = x * (F(1) / s)
    most, least = F(qmax - Z), F(qmin - Z)
    v = np.where(v < most, v, most)  # NaN gives the second operand
    v = np.where(v > least, v, least)
    return np.rint(v).astype(np.int64) + Z


def tflite_weights_choose(low, high, qmin, qmax):
    return max(max(-low, high), F(5e-7)) / F(127), 0


def tflite_weights_quantize(x, s, Z, qmin, qmax):
    return whole(half_away(x * (F(1) / s)), -127, 127)


def tflite_dynamic_choose(low, high, qmin, qmax):
    return max(D(max(-low, high)), 5e-7) / 127, 0  # in float64


def tflite_dynamic_quantize(x, s, Z, qmin, qmax):
    return whole(half_away(x.astype(D) / D(s)), -127, 127)


def tflite_dynamic_dequantize(q, s, Z):
    return q.astype(F) * F(s)


# gemmlowp, quantization_example.cc


def gemmlowp_choose(low, high, qmin, qmax):
    bottom, top = min(low, F(0)), max(high, F(0))
    if bottom == top:
        return None
    s = (top - bottom) / F(qmax - qmin)
    if s == 0:
        return None
    zero = D(qmin) - D(bottom) / D(s)
    return s, int(qmin if zero < qmin else qmax if zero > qmax else half_away(zero))


def gemmlowp_quantize(x, s, Z, qmin, qmax):
    transformed = F(Z) + x / s
    return half_away(np.maximum(F(qmin), np.minimum(F(qmax), transformed))).astype(np.int64)


# qonnx, intquant.py


def qonnx_quantize(x, s, Z, qmin, qmax):
    v = x / s
    v = v + F(Z)
    v = np.where(v > F(qmax), F(qmax), v)
    v = np.where(v < F(qmin), F(qmin), v)
    return np.rint(v).astype(np.int64)


# gguf, quants.py


def q4_0_choose(low, high, qmin, qmax):
    m = high if abs(high) > abs(low) else low  # the library takes the first of equals in a block
    d = m / F(-((qmax + 1) // 2))
    return d, (qmax + 1) // 2


def q4_0_quantize(x, s, Z, qmin, qmax):
    inverse = F(0) if s == 0 else F(1) / s
    return whole(np.floor(x * inverse + F((qmax + 1) // 2 + 0.5)), 0, qmax)


def q4_0_dequantize(q, s, Z):
    return F(np.float16(s)) * (q - Z).astype(F)


def q4_1_choose(low, high, qmin, qmax):
    return (high - low) / F(qmax), low


def q4_1_quantize(x, s, Z, qmin, qmax):
    inverse = F(0) if s == 0 else F(1) / s
    return whole(np.floor((x - Z) * inverse + F(0.5)), 0, qmax)


def q4_1_dequantize(q, s, Z):
    return F(np.float16(s)) * q.astype(F) + F(np.float16(Z))


def q8_0_choose(low, high, qmin, qmax):
    return max(abs(low), abs(high)) / F(127), 0


def q8_0_quantize(x, s, Z, qmin, qmax):
    inverse = F(0) if s == 0 else F(1) / s
    return whole(half_away(x * inverse), qmin, qmax)


# torch


def observer_choose(low, high, qmin, qmax):
    bottom, top = min(low, F(0)), max(high, F(0))
    s = max((top - bottom) / F(qmax - qmin), F(2.0**-23))
    return s, int(np.clip(qmin - int(np.rint(bottom / s)), qmin, qmax))


def observer_choose_symmetric(low, high, qmin, qmax):
    bottom, top = min(low, F(0)), max(high, F(0))
    s = max(max(-bottom, top) / F((qmax - qmin) / 2), F(2.0**-23))
    return s, 0 if qmin < 0 else 128


def dynamic_choose(low, high, qmin, qmax):
    small = F(6.1e-5)
    bottom, top = min(low, F(0)), max(high, F(0))
    s = (float(top) - float(bottom)) / (qmax - qmin)  # float64
    if F(s) == 0 or np.isinf(F(1) / F(s)):
        s = 0.1
    if s < float(small):
        before, s = F(s), float(small)
        if bottom == 0:
            top = small * F(qmax - qmin)
        elif top == 0:
            bottom = -small * F(qmax - qmin)
        else:
            amplifier = small / before
            bottom, top = bottom * amplifier, top * amplifier
    from_low, from_high = qmin - float(bottom) / s, qmax - float(top) / s
    error_low, error_high = abs(qmin) - abs(float(bottom) / s), abs(qmax) - abs(float(top) / s)
    zero = from_low if error_low < error_high else from_high
    return F(s), int(qmin if zero < qmin else qmax if zero > qmax else np.rint(zero))


def torch_quantize(x, s, Z, qmin, qmax):
    return whole(np.rint(fused(x, F(1) / s, Z)), qmin, qmax, nan=qmax)


def torch_quantize_per_channel(x, s, Z, qmin, qmax):
    return whole(np.rint(x * (F(1) / s) + F(Z)), qmin, qmax)


def torch_dequantize_per_channel(q, s, Z):
    return ((q.astype(F) - F(Z)).astype(D) * D(s)).astype(F)


def torch_fake_quantize(x, s, Z, qmin, qmax):
    return whole(np.rint(x * (F(1) / s)) + F(Z), qmin, qmax, nan=qmin)


def torch_fake_quantize_per_channel(x, s, Z, qmin, qmax):
    v = np.rint(x * (F(1) / s))
    v = np.where(np.abs(v) < F(2.0**63), v, F(-(2.0**63)))  # what the conversion to int64 gives
    return whole(v + F(Z), qmin, qmax)


# torchao, quant_primitives.py


def torchao_choose(low, high, qmin, qmax):
    bottom, top = np.minimum(low, F(0)), np.maximum(high, F(0))
    s = np.maximum((top - bottom) / F(qmax - qmin), F(TINY))
    return s, int(np.clip(F(qmin) - np.rint(bottom / s), F(qmin), F(qmax)))


def torchao_choose_symmetric(low, high, qmin, qmax):
    bottom, top = np.minimum(low, F(0)), np.maximum(high, F(0))
    return np.maximum(np.maximum(-bottom, top) / F((qmax - qmin) / 2), F(TINY)), int((qmax + qmin + 1) / 2)


def torchao_choose_no_clipping(low, high, qmin, qmax):
    bottom, top = np.minimum(low, F(0)), np.maximum(high, F(0))
    a, b = bottom / F(qmin), top / F(qmax)
    return np.maximum(a if a > b else b, F(TINY)), int((qmax + qmin + 1) / 2)


def torchao_quantize(x, s, Z, qmin, qmax):
    return whole(np.clip(np.rint(x * (F(1) / s)) + F(Z), F(qmin), F(qmax)), qmin, qmax)


# compressed-tensors, helpers.py and forward_helpers.py


def compressed_choose(low, high, qmin, qmax):
    bottom, top = np.minimum(low, F(0)), np.maximum(high, F(0))
    s = (top - bottom) / F(qmax - qmin)
    zero = np.rint(np.clip(F(qmin) - bottom / s, F(qmin), F(qmax)))
    return (F(2.0**-23) if s == 0 else s), 0 if np.isnan(zero) else int(zero)


def compressed_choose_symmetric(low, high, qmin, qmax):
    bottom, top = np.minimum(low, F(0)), np.maximum(high, F(0))
    s = np.maximum(np.abs(bottom), np.abs(top)) / (F(qmax - qmin) / F(2))
    return (F(2.0**-23) if s == 0 else s), 0


def compressed_quantize(x, s, Z, qmin, qmax):
    return whole(np.rint(np.clip(x / s + F(Z), F(qmin), F(qmax))), qmin, qmax)


# brevitas


def brevitas_choose_weights(low, high, qmin, qmax):
    return np.maximum(np.maximum(np.abs(low), np.abs(high)), F(1e-10)) / F(qmax), 0


def brevitas_choose_activations(low, high, qmin, qmax):
    return np.maximum(np.maximum(np.abs(low), np.abs(high)), F(1e-10)) / F(-qmin), 0


def brevitas_choose_shifted(low, high, qmin, qmax):
    bottom = np.minimum(low, F(0))
    s = np.maximum(np.abs(high - bottom), F(1e-10)) / F(qmax)
    return s, int(np.clip(np.rint(-bottom / s + F(qmin)), F(qmin), F(qmax)))


def brevitas_quantize_weights(x, s, Z, qmin, qmax):
    return whole(np.rint(x / s + F(Z)), -qmax, qmax)


def brevitas_quantize(x, s, Z, qmin, qmax):
    return whole(np.rint(x / s + F(Z)), qmin, qmax)


# GPTQ, AWQ, HQQ


def gptq_choose(low, high, qmin, qmax):
    bottom, top = np.minimum(low, F(0)), np.maximum(high, F(0))
    if bottom == 0 and top == 0:
        bottom, top = F(-1), F(1)
    s = (top - bottom) / F(qmax)
    return None if s == 0 else (s, int(np.rint(-bottom / s)))


def gptq_choose_symmetric(low, high, qmin, qmax):
    bottom, top = np.minimum(low, F(0)), np.maximum(high, F(0))
    top = np.maximum(np.abs(bottom), top)
    if bottom < 0:
        bottom = -top
    if bottom == 0 and top == 0:
        bottom, top = F(-1), F(1)
    s = (top - bottom) / F(qmax)
    return None if s == 0 else (s, (qmax + 1) // 2)


def gptq_quantize(x, s, Z, qmin, qmax):
    return whole(np.rint(x / s) + F(Z), 0, qmax)


def gptq_dequantize(q, s, Z):
    return s * (q.astype(F) - F(Z))


def awq_choose(low, high, qmin, qmax):
    s = np.maximum(high - low, F(1e-5)) / F(qmax)
    return s, int(np.clip(-np.rint(low / s), F(0), F(qmax)))


def hqq_choose(low, high, qmin, qmax):
    width = high - low
    inverse = (F(1) / width) * F(qmax)
    if np.abs(width) <= F(1e-4):
        inverse = F(1)
    inverse = np.minimum(inverse, F(2e4))
    return inverse, -low * inverse


def hqq_quantize(x, s, Z, qmin, qmax):
    return whole(np.rint(x * s + Z), 0, qmax)


def hqq_dequantize(q, s, Z):
    return (q.astype(F) - Z) * (F(1) / s)


# bitsandbytes


def int8_choose(low, high, qmin, qmax):
    largest = np.maximum(np.abs(low), np.abs(high))
    if largest == 0:
        return F(0), 0
    inverse = (F(1) / largest) * F(127)
    return None if np.isinf(inverse) else (inverse, 0)


def int8_quantize(x, s, Z, qmin, qmax):
    return whole(np.rint(x * s), -127, 127)


BYTE, SIGNED = (0, 255), (-128, 127)
UNSIGNED_4, SIGNED_4 = (0, 15), (-8, 7)
INTEGERS = (BYTE, SIGNED, UNSIGNED_4, SIGNED_4)

TWINS: dict[str, Twin] = {
    "source": Twin(
        source_quantize, source_dequantize, source_choose, ((0, 1), (0, 3), UNSIGNED_4, BYTE), infinity="error"
    ),
    "onnx": Twin(onnx_quantize, minus_then_times, onnx_choose, INTEGERS),
    "onnxruntime": Twin(onnxruntime_quantize, minus_then_times, onnxruntime_choose, INTEGERS, nan="qmin"),
    "onnxruntime_weights": Twin(
        quant_utils_quantize, minus_then_times, quant_utils_choose, (*INTEGERS, (-64, 63)), nan="0"
    ),
    "onnxruntime_weights_symmetric": Twin(
        quant_utils_quantize,
        minus_then_times,
        quant_utils_choose_symmetric,
        (BYTE, (-127, 127), UNSIGNED_4, SIGNED_4, (-64, 63), (0, 127)),
        nan="0",
    ),
    "onnxruntime_blockwise": Twin(mlas_quantize, minus_then_times, mlas_choose, (BYTE, UNSIGNED_4, (0, 3))),
    "onnxruntime_blockwise_symmetric": Twin(
        mlas_quantize, minus_then_times, mlas_choose_symmetric, (BYTE, UNSIGNED_4, (0, 3))
    ),
    "tensorflow_fake_quant": Twin(
        tensorflow_quantize, minus_then_times, tensorflow_choose, (BYTE, (1, 255), UNSIGNED_4, (1, 15))
    ),
    "tflite_reference": Twin(tflite_reference_quantize, minus_then_times, converter_choose, (SIGNED, BYTE)),
    "tflite_activations": Twin(xnnpack_quantize, minus_then_times, converter_choose, (SIGNED, BYTE), nan="qmax"),
    "tflite_weights": Twin(tflite_weights_quantize, minus_then_times, tflite_weights_choose, (SIGNED,)),
    "tflite_weights_dynamic_range": Twin(
        tflite_dynamic_quantize, tflite_dynamic_dequantize, tflite_dynamic_choose, (SIGNED,)
    ),
    "gemmlowp": Twin(gemmlowp_quantize, minus_then_times, gemmlowp_choose, (BYTE, UNSIGNED_4)),
    "qonnx": Twin(qonnx_quantize, minus_then_times, None, INTEGERS),
    "ggml_q4_0": Twin(q4_0_quantize, q4_0_dequantize, q4_0_choose, (UNSIGNED_4, (0, 31))),
    "ggml_q4_1": Twin(q4_1_quantize, q4_1_dequantize, q4_1_choose, (UNSIGNED_4, (0, 31))),
    "ggml_q8_0": Twin(q8_0_quantize, q4_0_dequantize, q8_0_choose, (SIGNED,)),
    "torch_quantize": Twin(torch_quantize, minus_then_times, observer_choose, (BYTE, SIGNED), nan="qmax"),
    "torch_quantize_per_channel": Twin(
        torch_quantize_per_channel, torch_dequantize_per_channel, observer_choose, (BYTE, SIGNED), nan="0"
    ),
    "torch_quantize_dynamic": Twin(torch_quantize, minus_then_times, dynamic_choose, (BYTE, SIGNED), infinity="error"),
    "torch_fake_quantize": Twin(torch_fake_quantize, minus_then_times, observer_choose, INTEGERS, nan="qmin"),
    "torch_fake_quantize_per_channel": Twin(
        torch_fake_quantize_per_channel, minus_then_times, observer_choose, INTEGERS, nan="qmin", infinity="qmin"
    ),
    "torch_observer_affine": Twin(
        torch_fake_quantize, minus_then_times, observer_choose, (*INTEGERS, (-127, 127), (-64, 63)), nan="qmin"
    ),
    "torch_observer_symmetric": Twin(
        torch_fake_quantize,
        minus_then_times,
        observer_choose_symmetric,
        (BYTE, SIGNED, (-127, 127), SIGNED_4, (-64, 63)),
        nan="qmin",
    ),
    "torchao": Twin(torchao_quantize, minus_then_times, torchao_choose, INTEGERS, nan="0"),
    "torchao_symmetric": Twin(torchao_quantize, minus_then_times, torchao_choose_symmetric, INTEGERS, nan="0"),
    "torchao_symmetric_no_clipping": Twin(
        torchao_quantize, minus_then_times, torchao_choose_no_clipping, (SIGNED, SIGNED_4), nan="0"
    ),
    "compressed_tensors": Twin(compressed_quantize, minus_then_times, compressed_choose, (SIGNED, SIGNED_4), nan="0"),
    "compressed_tensors_symmetric": Twin(
        compressed_quantize, minus_then_times, compressed_choose_symmetric, (SIGNED, SIGNED_4), nan="0"
    ),
    "brevitas": Twin(brevitas_quantize_weights, minus_then_times, brevitas_choose_weights, (SIGNED, SIGNED_4, (-2, 1))),
    "brevitas_activations": Twin(brevitas_quantize, minus_then_times, brevitas_choose_activations, (SIGNED, SIGNED_4)),
    "brevitas_shifted": Twin(brevitas_quantize, minus_then_times, brevitas_choose_shifted, (BYTE, UNSIGNED_4)),
    "gptq": Twin(gptq_quantize, gptq_dequantize, gptq_choose, (UNSIGNED_4, BYTE, (0, 3), (0, 7))),
    "gptq_symmetric": Twin(gptq_quantize, gptq_dequantize, gptq_choose_symmetric, (UNSIGNED_4, BYTE, (0, 3), (0, 7))),
    "awq": Twin(gptq_quantize, minus_then_times, awq_choose, (UNSIGNED_4, BYTE, (0, 7))),
    "hqq": Twin(hqq_quantize, hqq_dequantize, hqq_choose, (UNSIGNED_4, BYTE, (0, 3))),
    "bitsandbytes": Twin(int8_quantize, None, int8_choose, (SIGNED,)),
}
