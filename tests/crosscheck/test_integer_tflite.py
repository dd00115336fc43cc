"""Integer operators against TensorFlow Lite's kernels for int8, on models that its converter has made.

Three sets of kernels, each with its own requantization. Measured with TensorFlow 2.21 on x86:

                      reference     optimized, without delegates      default (XNNPACK)
    CONV_2D           double        double_up                         float
    FULLY_CONNECTED   single        double_up                         float
    AVERAGE_POOL_2D   integer       integer                           integer
    ADD               double        double                            its own; ties as single
"""

import numpy as np
import pytest

from refcompress.formulas.quantization.integer import (
    quantized_add,
    quantized_average_pool2d,
    quantized_conv2d,
    quantized_matmul,
)

tensorflow = pytest.importorskip("tensorflow")
pytestmark = [pytest.mark.crosscheck, pytest.mark.filterwarnings("ignore")]  # its interpreter is deprecated, it says

KERNELS = {
    "reference": "BUILTIN_REF",
    "optimized": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "default": "BUILTIN",
}
ROUNDS = 12


def convert(function, shapes, examples):
    """The function as a model of int8, its ranges from the examples."""
    signature = [tensorflow.TensorSpec(shape, tensorflow.float32) for shape in shapes]
    concrete = tensorflow.function(function, input_signature=signature).get_concrete_function()
    converter = tensorflow.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter(examples)
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tensorflow.int8
    return converter.convert()


class Model:
    """A model of one operator: its constants, scales and zero points, and its outputs for codes."""

    def __init__(self, content, kernels, operator):
        resolver = getattr(tensorflow.lite.experimental.OpResolverType, KERNELS[kernels])
        self.lite = tensorflow.lite.Interpreter(
            model_content=content, experimental_op_resolver_type=resolver, num_threads=1
        )
        self.lite.allocate_tensors()
        self.inputs, (self.output,) = self.lite.get_input_details(), self.lite.get_output_details()
        operators = [o for o in self.lite._get_ops_details() if o["op_name"] != "DELEGATE"]
        assert [o["op_name"] for o in operators] == [operator]
        details = {d["index"]: d for d in self.lite.get_tensor_details()}
        given = [d["index"] for d in self.inputs]
        self.constants = [self.lite.get_tensor(i) for i in operators[0]["inputs"] if i not in given]
        self.scales = [
            details[i]["quantization_parameters"]["scales"] for i in operators[0]["inputs"] if i not in given
        ]

    def points(self):
        """(scale as float32, zero point) of inputs and output."""
        return [(np.float32(d["quantization"][0]), d["quantization"][1]) for d in (*self.inputs, self.output)]

    def __call__(self, *codes):
        for detail, code in zip(self.inputs, codes, strict=True):
            self.lite.set_tensor(detail["index"], code)
        self.lite.invoke()
        return self.lite.get_tensor(self.output["index"]).copy()


def examples(rng, shapes, count=8):
    return [[(rng.standard_normal(s) * (i + 1) + 0.3).astype(np.float32) for i, s in enumerate(shapes)]] * count


def codes(rng, shape):
    return rng.integers(-128, 128, shape).astype(np.int8)


def first(x):
    """(N, H, W, C) as (N, C, H, W)."""
    return x.transpose(0, 3, 1, 2)


def last(x):
    return x.transpose(0, 2, 3, 1)


def differing(model, ours, shapes):
    """Outputs that differ, of how many, for random codes."""
    rng, wrong, total = np.random.default_rng(11), 0, 0
    for _ in range(ROUNDS):
        x = [codes(rng, shape) for shape in shapes]
        theirs = model(*x)
        out = ours(*x)
        assert out.dtype == theirs.dtype
        assert out.shape == theirs.shape
        wrong, total = wrong + np.count_nonzero(out != theirs), total + out.size
    assert total >= 50_000
    return wrong


@pytest.fixture(scope="module")
def fully_connected():
    rng = np.random.default_rng(1)
    w, b = rng.standard_normal((37, 23)).astype(np.float32), rng.standard_normal(23).astype(np.float32)
    return convert(lambda x: tensorflow.matmul(x, w) + b, [(300, 37)], examples(rng, [(300, 37)]))


@pytest.fixture(scope="module", params=["valid", "same and ReLU"])
def convolution(request):
    rng, shape = np.random.default_rng(2), (3, 21, 23, 4)
    w = rng.standard_normal((3, 2, 4, 8)) * np.linspace(0.1, 2, 8)
    w, b = w.astype(np.float32), rng.standard_normal(8).astype(np.float32)
    if request.param == "valid":
        function, padding = (lambda x: tensorflow.nn.conv2d(x, w, (1, 2), "VALID") + b), 0
    else:
        function, padding = (lambda x: tensorflow.nn.relu(tensorflow.nn.conv2d(x, w, (1, 2), "SAME") + b)), (1, 0, 1, 1)
    return convert(function, [shape], examples(rng, [shape])), padding


def test_fully_connected(fully_connected):
    found = {}
    for kernels in KERNELS:
        model = Model(fully_connected, kernels, "FULLY_CONNECTED")
        (w, b), (s_w, _), ((s_x, z_x), (s_y, z_y)) = model.constants, model.scales, model.points()

        def ours(x, rounding, w=w, b=b, s_w=s_w, s_x=s_x, z_x=z_x, s_y=s_y, z_y=z_y):
            return quantized_matmul.matmul(
                x, w.T, b, a_scale=s_x, b_scale=s_w, out_scale=s_y, a_zero_point=z_x, out_zero_point=z_y,
                rounding=rounding,
            )  # fmt: skip

        for rounding in ("double", "single", "float", "double_up"):
            found[kernels, rounding] = differing(model, lambda x, r=rounding: ours(x, r), [(300, 37)])
    assert found["reference", "single"] == found["default", "float"] == found["optimized", "double_up"] == 0, found
    assert min(found[k, "double"] for k in KERNELS) > 0
    assert min(found["optimized", r] for r in ("single", "float")) > 0


def test_conv2d(convolution):
    content, padding = convolution
    found = {}
    for kernels in KERNELS:
        model = Model(content, kernels, "CONV_2D")
        (w, b), (s_w, _), ((s_x, z_x), (s_y, z_y)) = model.constants, model.scales, model.points()

        def ours(x, rounding, w=w, b=b, s_w=s_w, s_x=s_x, z_x=z_x, s_y=s_y, z_y=z_y):
            return last(
                quantized_conv2d.conv2d(
                    first(x), first(w), b, x_scale=s_x, w_scale=s_w, out_scale=s_y, x_zero_point=z_x,
                    out_zero_point=z_y, rounding=rounding, stride=(1, 2), padding=padding,
                )
            )  # fmt: skip

        for rounding in ("double", "single", "float", "double_up"):
            found[kernels, rounding] = differing(model, lambda x, r=rounding: ours(x, r), [(3, 21, 23, 4)])
    assert found["reference", "double"] == found["default", "float"] == found["optimized", "double_up"] == 0, found
    assert min(found["reference", r] for r in ("single", "float")) > 0


@pytest.mark.parametrize("kernels", KERNELS)
def test_average_pool2d(kernels):
    rng, shape = np.random.default_rng(3), (3, 41, 23, 4)
    content = convert(lambda x: tensorflow.nn.avg_pool2d(x, (3, 2), (2, 1), "SAME"), [shape], examples(rng, [shape]))
    model = Model(content, kernels, "AVERAGE_POOL_2D")
    (s_x, z), out = model.points()
    assert out == (s_x, z)

    def ours(x, **options):
        options |= {"stride": (2, 1), "padding": (1, 0, 1, 1)}
        return last(quantized_average_pool2d.average_pool2d(first(x), (3, 2), **options))

    assert differing(model, ours, [shape]) == 0
    other = {"rounding": "float", "x_scale": s_x, "out_scale": s_x, "x_zero_point": z, "out_zero_point": z}
    assert differing(model, lambda x: ours(x, **other), [shape]) > 0  # half even


@pytest.mark.parametrize("ties", [False, True])
def test_add(ties):
    """Equal scales of the inputs, half of the output's, make a tie of every odd sum."""
    rng, shape = np.random.default_rng(4), (70, 83)
    given = examples(rng, [shape] * 2)
    if ties:
        x = np.linspace(-12.8, 12.7, 70 * 83, dtype=np.float32).reshape(shape)
        given = [[x, x]]
    content = convert(lambda x, y: x + y, [shape] * 2, given)
    found = {}
    for kernels in KERNELS:
        model = Model(content, kernels, "ADD")
        (s_a, z_a), (s_b, z_b), (s_y, z_y) = model.points()
        assert not ties or s_a == s_b == s_y / 2
        options = {"a_scale": s_a, "b_scale": s_b, "out_scale": s_y}
        options |= {"a_zero_point": z_a, "b_zero_point": z_b, "out_zero_point": z_y}
        for rounding in ("double", "single", "float"):
            ours = lambda x, y, r=rounding, o=options: quantized_add.add(x, y, rounding=r, **o)  # noqa: E731
            found[kernels, rounding] = differing(model, ours, [shape] * 2)
    assert found["reference", "double"] == found["optimized", "double"] == 0, found
    assert not ties or min(found["reference", r] for r in ("single", "float")) > 0
