"""Small floats by ml_dtypes, ONNX and PyTorch."""

from functools import partial

import numpy as np

from refcompress.formulas.quantization import float_format
from tests.crosscheck.vectors.integers import onnx_reference
from tests.crosscheck.vectors.row import library, row, tensor

NAN_CODE = {"its NaN has another code": lambda x: bool(np.isnan(x).any())}
NO_SIGN = {"drops the sign, and 0 has code 0": lambda x: not (x > 0).any() and not np.isnan(x).any()}


def ml_dtype(name):
    return np.dtype(np.float16 if name == "float16" else getattr(library("ml_dtypes"), name))


def cast(name, x):
    return x.astype(ml_dtype(name)).view(f"u{ml_dtype(name).itemsize}")


def decoded(name, codes):
    return codes.view(ml_dtype(name)).astype(np.float32)


def onnx(name, x):
    to = getattr(library("onnx").TensorProto, name.replace("_", "").upper())
    return onnx_reference("Cast", [x], to, to=to, saturate=1).view(np.uint8)


def torch(name, x):
    kind = getattr(library("torch"), name)
    return tensor(x).to(kind).view(library("torch").uint8).numpy().view(f"u{kind.itemsize}")


for name, form in float_format.FORMATS.items():
    row("float_format.encode", name if form.nan == "none" else f"{name}-nan", "ml_dtypes")(partial(cast, name))
    row("float_format.decode", name, "ml_dtypes")(partial(decoded, name))
for name in ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"):
    row("float_format.encode", name, "onnx")(partial(onnx, name))
row("float_format.encode", "float8_e4m3fn", "torch")(partial(torch, "float8_e4m3fn"))
for name in ("float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "bfloat16", "float16", "float8_e8m0fnu"):
    without = {"float8_e5m2": NAN_CODE, "bfloat16": NAN_CODE, "float8_e8m0fnu": NO_SIGN}.get(name)
    row("float_format.encode", f"{name}-nan", "torch", without)(partial(torch, name))
