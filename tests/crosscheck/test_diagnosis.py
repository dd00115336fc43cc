"""`diagnose` with PyTorch, ONNX and ONNX Runtime as black boxes: each is the preset of its name."""

import platform
import warnings

import numpy as np
import pytest

from refcompress.conformance import diagnose
from tests.crosscheck.presets.onnx_models import model

pytestmark = [
    pytest.mark.crosscheck,
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the orders of operations of x86"),
]
BYTE, SIGNED, SIGNED_4 = (0, 255), (-128, 127), (-8, 7)


@pytest.fixture
def torch():
    found = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantized tensors are deprecated
        yield found


@pytest.mark.parametrize("ends", [BYTE, SIGNED])
def test_torch_quantize_per_tensor(torch, ends):
    kind = {BYTE: torch.quint8, SIGNED: torch.qint8}[ends]

    def quantize(x, scale, zero_point, qmin, qmax):
        return torch.quantize_per_tensor(torch.from_numpy(x), float(scale), int(zero_point), kind).int_repr().numpy()

    assert diagnose(quantize, *ends).presets == ("torch_quantize",)


@pytest.mark.parametrize("ends", [BYTE, SIGNED])
def test_torch_quantize_per_channel(torch, ends):
    kind = {BYTE: torch.quint8, SIGNED: torch.qint8}[ends]

    def quantize(x, scale, zero_point, qmin, qmax):
        scales, zero_points = torch.tensor([scale], dtype=torch.float64), torch.tensor([int(zero_point)])
        return torch.quantize_per_channel(torch.from_numpy(x[None]), scales, zero_points, 0, kind).int_repr().numpy()

    assert diagnose(quantize, *ends).presets == ("torch_quantize_per_channel",)


def test_torch_fake_quantize(torch):
    def quantize(x, scale, zero_point, qmin, qmax):
        values = torch.fake_quantize_per_tensor_affine(torch.from_numpy(x), float(scale), int(zero_point), qmin, qmax)
        return np.rint(values.numpy() / scale) + zero_point

    found = diagnose(quantize, *SIGNED_4)
    assert found.presets == ("torch_fake_quantize", "torch_observer_affine", "torch_observer_symmetric")


def operator(run):
    """QuantizeLinear, by a function of a model and a number."""

    def quantize(x, scale, zero_point, qmin, qmax):
        kind = {BYTE: "uint8", SIGNED: "int8"}[qmin, qmax]
        return run(model("QuantizeLinear", kind, scale, zero_point), x)

    return quantize


@pytest.mark.parametrize("ends", [BYTE, SIGNED])
def test_onnxruntime(ends):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from tests.crosscheck.presets.with_onnxruntime import session

    found = diagnose(operator(lambda graph, x: session(graph).run(None, {"x": x})[0]), *ends)
    assert found.left("quotient") == ("divide",)
    assert "onnxruntime" in found.presets
    assert ends == BYTE or found.presets == ("onnxruntime",)  # qmin of a byte is 0, which NaN becomes elsewhere
    assert "onnx" not in found.presets


def test_the_reference_of_onnx():
    pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    def run(graph, x):
        if np.isnan(x).any():
            raise ValueError("x must not be NaN: the reference casts it to int32")
        with np.errstate(invalid="ignore"):
            return ReferenceEvaluator(graph).run(None, {"x": x})[0]

    found = diagnose(operator(run), *BYTE)
    assert "onnx" in found.presets_on_finite_numbers
    assert "torch_quantize" not in found.presets_on_finite_numbers
