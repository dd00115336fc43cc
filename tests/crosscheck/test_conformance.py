"""`refcompress check` on quantizers that other libraries have: each conforms to its own convention only."""

import importlib.util
from pathlib import Path

import pytest

from refcompress import cli

pytestmark = pytest.mark.crosscheck
EXAMPLES = Path(__file__).parent.parent / "conformance" / "examples"


@pytest.fixture
def check(monkeypatch, capsys):
    monkeypatch.chdir(EXAMPLES)

    def run(target, convention):
        status = cli.main(["check", target, "--formula", "affine", "--convention", convention, "--timeout", "60"])
        return status, capsys.readouterr().out

    return run


def needs(*modules):
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


@pytest.mark.parametrize("convention", ["torch_quantize", "onnx"])
def test_torch(check, convention):
    needs("torch")
    status, out = check("with_torch:quantize", convention)
    if convention == "torch_quantize":
        assert (status, out.splitlines()[-1]) == (0, "conforms")
    else:
        assert status == 1
        assert "on these cases it cannot be told from: " in out
        assert "quotient: fused" in out


@pytest.mark.parametrize("convention", ["onnx", "onnxruntime", "torch_quantize"])
def test_onnxruntime(check, convention):
    needs("onnx", "onnxruntime")
    status, out = check("with_onnxruntime:quantize", convention)
    if convention == "torch_quantize":
        assert status == 1
        assert "does not conform" in out
    else:
        assert (status, out.splitlines()[-1]) == (0, "conforms")
