"""The tutorials: each runs as a script, prints what its text discusses, writes its pictures, and redefines nothing."""

import ast
import contextlib
import importlib
import inspect
import io
import pkgutil
import re
import runpy
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest

from refcompress import formulas

FOLDER = Path(__file__).parents[2] / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.py"))
NETWORK, STABILITY, QUANTIZATION = "01_network_by_hand", "02_gradient_stability", "03_b_bit_quantization"
CONVENTIONS, INTEGERS, FORMATS = "04_conventions", "05_integer_arithmetic", "06_number_formats"
CONFORMANCE = "07_conformance"
PICTURES = {
    NETWORK: {"01_activations.png", "01_training.png"},
    STABILITY: {"02_stability.png"},
    QUANTIZATION: {"03_levels.png"},
    CONVENTIONS: {"04_ranges.png"},
    INTEGERS: {"05_integers.png"},
    FORMATS: {"06_levels.png"},
    CONFORMANCE: {"07_kills.png"},
}

# Whole printed lines. All are exact: small integers, elementwise arithmetic, or few digits of it; none comes out of
# training.
LINES = {
    NETWORK: """
        weighted sums [[ 3. -1.]]  activations [[3. 0.]]
        dX [[-80.0, 40.0]]  dW [[30.0, 40.0], [300.0, 400.0]]  db [10.0, 100.0]
        multiply-accumulates for one sample: 4
                   x       -2       -1        0        1        2
                relu   0.0000   0.0000   0.0000   1.0000   2.0000
          derivative   0.0000   0.0000   0.0000   1.0000   1.0000
          leaky_relu  -0.0200  -0.0100   0.0000   1.0000   2.0000
          derivative   0.0100   0.0100   0.0100   1.0000   1.0000
             sigmoid   0.1192   0.2689   0.5000   0.7311   0.8808
          derivative   0.1050   0.1966   0.2500   0.1966   0.1050
                tanh  -0.9640  -0.7616   0.0000   0.7616   0.9640
          derivative   0.0707   0.4200   1.0000   0.4200   0.0707
                gelu  -0.0455  -0.1587   0.0000   0.8413   1.9545
          derivative  -0.0852  -0.0833   0.5000   1.0833   1.0852
        tanh, times 1.001 (planted)      agrees to 1e-7: False
        conv2d [[11.0, 14.0], [20.0, 23.0]]
        padding 0, stride 1: windows along an axis: 2
        padding 0, stride 2: windows along an axis: 1
        padding 1, stride 1: windows along an axis: 4
        dW [[12.0, 16.0], [24.0, 28.0]]  db [4.0]
        dX [[1.0, 1.0, 0.0], [1.0, 3.0, 2.0], [0.0, 2.0, 2.0]]
        multiply-accumulates for one image: 16
        four products (-2.0, 7.5, 1.5, -4.0)  two outputs (7.0, 10.0)
        36 products, 16 outputs, those of conv2d to 1e-12: True
        average_pool2d [[5.0, 5.0], [4.0, 1.0]]  dX of the upper left window [[0.25, 0.25], [0.25, 0.25]]
        max_pool2d [[7.0, 8.0], [9.0, 4.0]]  dX of the upper left window [[0.0, 1.0], [0.0, 0.0]]
        global_average_pool2d 3.75  dX of every pixel 0.0625
        standardize [-2.0, 0.0, 2.0]  dX [4.0, 4.0, 4.0]
        batch_norm [90.0, 110.0]  running mean 0.2 variance 1.1
        dX where dout is the same for all: [0.0, 0.0]
        after training:   [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
        squared error 5.0  derivative [1.0, 3.0]
        cross-entropy 0.2877  derivative [[0.25, -0.25]]
        logits [[3.0, 0.0]]  loss 3.0486  dlogits [[0.9526, -0.9526]]  dW [[2.858, 3.81], [0.0, 0.0]]
        Sequential gives the same dW: True
        conv1    Conv2d         32 × 32 × 32         320     294,912
        conv2    Conv2d         64 × 32 × 32      18,496  18,874,368
        fc1      Linear         128              524,416     524,288
        fc2      Linear         10                 1,290       1,280
        total                                    544,522  19,694,848
    """,
    STABILITY: """
        mean [2. 0.]  std [1. 0.]  with ddof = 1 [1.4142 0.    ]
                               sum: mean 0.0000  std 0.0000
                              mean: mean 0.0000  std 0.0000
                          mean_abs: mean 0.6667  std 0.0000
                                l2: mean 1.4142  std 0.0000
                              bias: mean 0.0000  std 0.0000
          rms_of_parameter_moments: mean 0.0000  std 0.8165
        T 1  mean 1.0  M2 0.0
        T 2  mean 2.0  M2 2.0
        merged equals updated: True
        variance: two passes 0.6667, streaming 0.6667, shortcut 0.0000
        variance: two passes 0.8889, streaming 0.8889, shortcut -2.0000
        history of the means: (540, 32)
            text selects [0 3]
         listing selects [2]
        training run: the listing's rule selects the negative means: True
        mask [[True, True], [True, True]]
        mask [[False, False], [False, False]]
        gradient of an array of the state: None;  is it the model's array? False
        unchanged weights: True
        T = 1, largest std 0.0
        medians (2.0, 4.0)  score [1.5 2.  1.  2.  1. ]  selected at c = 1: []
        fraction 0.2: [2]
        fraction 0.4: [2 4]
        fraction 0.8: [0 1 2 4]
        0.29 of 100: 29  in floating point: 28.999999999999996
        dense [[21. -4.]]  removed [[ 9. -4.]]  parameters 17 and 12
        columns of the block [[4. 5. 6. 7.]]
        removed is masked, on integers: True
        bytes of W1 48  zeroed 48  removed 32
        folded: [[11. -4.]]
        folded bias [9.]
        error of folding with padding 0:
        [[0. 0.]
         [0. 0.]]
        error of folding with padding 1:
        [[5. 3. 3. 5.]
         [3. 0. 0. 3.]
         [3. 0. 0. 3.]
         [5. 3. 3. 5.]]
    """,
    QUANTIZATION: """
                   t  -2.5  -1.5  -0.5   0.5   1.5   2.5   sum   below 0.5
           half_even    -2    -2     0     0     2     2     0           0
           half_away    -3    -2    -1     1     2     3     0           0
             half_up    -2    -1     0     1     2     3     3           0
               floor    -3    -2    -1     0     1     2    -3           0
                ceil    -2    -1     0     1     2     3     3           1
         toward_zero    -2    -1     0     0     1     2     0           0
        floor(t + 0.5) just below 0.5: 1.0
        s = 1.0, z = -1.0, q = [0 1 1 2 3]  w' = [-1.  0.  0.  1.  2.]  error [ 0.  -0.4  0.2 -0.5  0. ]
        bound s/2 = 0.5  for floor and the like: s = 1.0
        7 with the range [-1, 2]: [2.]
        constant: s = 1.0, z = 0.3, q = [0 0], w' = [0.3 0.3]
        0, 1/3, 1 with 2 bits: largest error 0.0000, bound 0.1667
        0, 1/3, 1 with 3 bits: largest error 0.0476, bound 0.0714
        2 places: q = [-13  12 100]  w' = [-0.13  0.12  1.  ]
        5 places, float32: bound 5e-06, slack 3e-07, slack / bound 0.1, within both: True
        6 places, float32: bound 5e-07, slack 3e-07, slack / bound 0.6, within both: True
        7 places, float32: bound 5e-08, slack 3e-07, slack / bound 6.0, within both: True
        q = [-8 -1  0  1]  w' = [-2.   -0.25  0.    0.25]  bound 0.125
        finest f for [-0.5, 0.4] in 4 bits: 4
        codes [[ 2 -5]]  their product [[-4]]  scaled [[-1.]]
        2^24 + 1 in float32: 16777216  2^24: 16777216
        1040 terms: 16,774,160, matmul 16,774,160, plain float32 right: True
        1041 terms: 16,790,289, matmul 16,790,289, plain float32 right: False
        [1, 2, 3] in 4 bits: ['0x21', '0x03'] unused bits 4, back: [1 2 3]
        [5, 3, 6] in 3 bits: ['0x9D', '0x01'] unused bits 7, back: [5 3 6]
        Entry(payload=9600, scales=1200, offsets=1200)  sum 12000  ratio 6.4
        round(w/255)*255: [0.0, 0.0, 0.0, 0.0, 255.0]
        uniform, 8 bits:  [-0.33, 0.0996, 0.33]
        mean of the classes 2.5  accuracy 0.75
    """,
    CONVENTIONS: """
        source: s = 1.0, Z = -0.9, [-0.9  0.   0.5] has codes [0 1 1] and comes back as [-0.9  0.1  0.1]
          onnx: s = 1.0, Z = 1.0, [-0.9  0.   0.5] has codes [0 1 1] and comes back as [-1.  0.  0.]
        source: s = 1.0, Z = -1.0, [-1.   0.   0.5] has codes [0 1 2] and comes back as [-1.  0.  1.]
          onnx: s = 1.0, Z = 1.0, [-1.   0.   0.5] has codes [0 1 1] and comes back as [-1.  0.  0.]
        source: q = clip(half_even((x − Z) / s), qmin, qmax);  x̂ = s·q + Z
        v = -0.5 and 0.5, half_even: [0 0]
        v = -0.5 and 0.5, half_away: [-1  1]
        v = -0.5 and 0.5, half_up: [0 1]
        v = 0.5, Z = 1, onnx: [1]
        v = 0.5, Z = 1, torch_fake_quantize: [1]
        v = 0.5, Z = 1, torch_quantize: [2]
        x/s 127.49999237060547, x·(1/s) 127.5
            divide: codes with Z = 0 and Z = -126: [127, 1]
        reciprocal: codes with Z = 0 and Z = -126: [128, 2]
             fused: codes with Z = 0 and Z = -126: [128, 1]
        clip before and after give the same 10,000 codes: True
        NaN, inf and -inf, onnxruntime: [-128  127 -128]
        NaN, inf and -inf, torch_quantize: [ 127  127 -128]
        NaN, inf and -inf, torchao: [   0  127 -128]
        narrow no: codes (-128, 127), -128 and 127 become [-128  127]
        narrow low: codes (-127, 127), -128 and 127 become [-127  127]
        rounded_quotient: Z = -127
        rounded_difference: Z = -126
        symmetric_qmax: 1/s = 7.0, 1 becomes 1.0000; 8 bits 127.0, narrow 127.0
        symmetric_half: 1/s = 7.5, 1 becomes 0.9333; 8 bits 127.5, narrow 127.0
        symmetric_qmin: 1/s = 8.0, 1 becomes 0.8750; 8 bits 128.0, narrow 127.0
        signed: 1/s = -8.0, 1 becomes 1.0000; 8 bits -128.0, narrow -127.0
        [2, 3] with onnx: s = 0.2000, Z = 0, 2, 2.5 and 3 become [2.  2.4 3. ]
        [2, 3] with awq: s = 0.0667, Z = 0, 2, 2.5 and 3 become [1. 1. 1.]
        all weights 0, onnxruntime: s = 1, 0 becomes 0
        all weights 0, onnx: s = 0.00392, 0 becomes 0
        all weights 0, gptq: s = 0.00784, 0 becomes 0
        all weights 0, torch_quantize: s = 1.19e-07, 0 becomes 0
        all weights 0, awq: s = 3.92e-08, 0 becomes 0
        all weights 0, torchao: s = 1.18e-38, 0 becomes 0
        all weights 0, ggml_q8_0: s = 0, 0 becomes 0
        s = 0.1000, stored as float32: -0.8 becomes -0.8
        s = 0.1000, stored as float16: -0.8 becomes -0.7998047
        tensor: s of shape (), x becomes [[1.0, 0.0, 0.0], [7.0, -3.0, 0.0]]
        channels: s of shape (2,), x becomes [[0.7, -0.2, 0.1], [7.0, -3.0, 0.0]]
        blocks: s of shape (2, 2), x becomes [[0.7, -0.2, 0.1], [7.0, -3.0, 0.5]]
        2 images of 3 tokens with 4 features, a scale for each token: (2, 3)
        min_max: -1.00 to 8.00
        moving_average: -2.00 to 6.00
        percentile, kth: -1.00 to 2.00
        percentile, interpolated: -0.20 to 3.20
        least_error: -0.75 to 6.00
        histogram: -1.00 to 5.00
        entropy: -1.00 to 2.00
        aciq: -4.79 to 8.79
        power_of_two: [2.0, 1.0]
        Ledger(clipping=2.5, rounding=0.125, scale_storage=-0.8125, format=0.0, total=1.8125)
    """,
    INTEGERS: """
        a·b [[37, -15], [28, -9]]  sums of columns of b [ 8 -3]
        with zero points [[14, -5], [8, 4]]  scaled [[1.75, -0.625], [1.0, 0.5]]
        convolution: [3 7 6]
        131,071 terms of 128·128: 2,147,467,264, within int32: True
        131,072 terms of 128·128: 2,147,483,648, within int32: False
        33,025 terms of 255·255: 2,147,450,625, within int32: True
        33,026 terms of 255·255: 2,147,515,650, within int32: False
        ValueError: a and b must have sums within ±2147483647, got up to 131072 terms of 16384
        half_even: [  2 -10], which is [ 0.25 -1.25]
        half_away: [  2 -11], which is [ 0.25  -1.375]
        0.25: M = 1,073,741,824, shift = -1, off by 0.0e+00, within 2^-31: True
        0.1: M = 1,717,986,918, shift = -3, off by -2.3e-10, within 2^-31: True
        3.0: M = 1,610,612,736, shift = 2, off by 0.0e+00, within 2^-31: True
        SRDHM by one half: [ 2  1  0 -1]
        RDByPOT by 4:      [ 2  1 -1 -2]
        SRDHM(-2^31, -2^31): 2147483647
        double     -2  -1   1   2   2   7984: 12
        double_up  -1  -1   1   2   2   7984: 12
        single     -1  -1   1   1   2   7984: 11
        float      -2  -1   0   1   2   7984: 11
        codes [[-6, -14], [-7, -12]]
        with ReLU [[-6, -10], [-7, -10]]
        with ReLU and z_out = 0 [[4, 0], [3, 0]] int8
        mean of codes [ 3 -3]
        with another scale [ 5 -5]
        double [ 11 -10]
        single [11 -9]
        float [ 10 -10]
        codes of the pixels are exact: True
    """,
    FORMATS: """
        e2m1: [0.  0.5 1.  1.5 2.  3.  4.  6. ]
        codes of 2.7 and 3.6: [5 6]
               half_even    0    1    1    2    2    4    4    6
               half_away  0.5    1  1.5    2    3    4    6    6
        half_toward_zero    0  0.5    1  1.5    2    3    4    6
             toward_zero    0  0.5    1  1.5    2    3    4    6
                    away  0.5    1  1.5    2    3    4    6    6
        float8_e4m3fn: largest code 0x7E, code 1 is 2^-9
          saturate: (448.0, 464.0, 465.0) -> 7e 7e 7e [448. 448. 448.]
               nan: (448.0, 464.0, 465.0) -> 7e 7e 7f [448. 448.  nan]
        float8_e5m2: largest code 0x7B, code 1 is 2^-16
          saturate: (57344.0, 61440.0) -> 7b 7b [57344. 57344.]
               nan: (57344.0, 61440.0) -> 7b 7c [57344.    inf]
        float16: 0.1 is 0x2E66, 0.09998
        bfloat16: 0.1 is 0x3DCD, 0.10010
        ties as NumPy casts them: True
        floor, 5.0: S = 0 [ 4.   3.  -0.5]
        floor, 6.5: S = 0 [ 6.   3.  -0.5]
        floor, 7.0: S = 0 [ 6.   3.  -0.5]
        ceil, 5.0: S = 1 [ 4.  3. -0.]
        ceil, 6.5: S = 1 [ 6.  3. -0.]
        ceil, 7.0: S = 1 [ 8.  3. -0.]
        even, 5.0: S = 0 [ 4.   3.  -0.5]
        even, 6.5: S = 0 [ 6.   3.  -0.5]
        even, 7.0: S = 1 [ 8.  3. -0.]
        rceil, 5.0: S = 0 [ 4.   3.  -0.5]
        rceil, 6.5: S = 1 [ 6.  3. -0.]
        rceil, 7.0: S = 1 [ 8.  3. -0.]
        t = 0.001953125  s = [448.  64.] in codes [126 104]  back [5.25  0.75  0.375 0.125]
        codes [15 10  1  7]  absmax [4.]  back [ 4.     0.984 -2.785  0.   ]
        nf4 -1.0 -0.7 -0.53 -0.39 -0.28 -0.18 -0.09 0.0 0.08 0.16 0.25 0.34 0.44 0.56 0.72 1.0
        bitsandbytes_fp4, times 12: 0.0 0.0625 2.0 3.0 4.0 6.0 8.0 12.0
        q4_0: 18 bytes, 00 40 80 91 91 a2 a2 b3 b3 c4 …, largest error 1.000
        q4_1: 20 bytes, 22 40 00 cc 80 80 91 91 a2 a2 …, largest error 1.000
        q5_0: 22 bytes, 00 3c 00 00 ff ff 00 11 22 33 …, largest error 0.000
        q5_1: 24 bytes, 00 3c 00 cc 00 00 ff ff 00 11 …, largest error 0.000
        q8_0: 34 bytes, 08 30 81 89 91 99 a1 a9 b1 b9 …, largest error 0.062
        q2_k: 2.625 bits, weights [0, 32, 64, 96]: [-0.5  1.   2.5  4. ]
        q3_k: 3.4375 bits, weights [0, 1]: [ 3. -4.]
        q4_k: 4.5 bits, weights [0, 128]: [36.  1.]
        q5_k: 5.5 bits, weights [0, 128]: [ 76. 153.]
        q6_k: 6.5625 bits, weights [0, 1]: [-46.5  48. ]
        lsb: 21 43
        int32_dense: 21 43 00 00
        int32_words: 21 43 00 00
        awq: 31 00 42 00
        low_nibble_first: 21 43
        high_nibble_first: 12 34
        ggml: 01 02 03 04
        ggml_32: 01 02 03 04
        ggml_64: 01 02 03 04
        hqq: 13 24
        torchao_uintx: 01 02 03 04
        int32_dense, 3 bits: 00 00 00 40 01 00 00 00
        int32_words, 3 bits: 00 00 00 00 05 00 00 00
    """,
    CONFORMANCE: """
        10 random numbers: wrong codes 0
        all 8,388,608 floats from 0.25 to 0.5: ties 0, wrong codes 1
        all 8,388,608 floats from 0.5 to 1: ties 1, wrong codes 1
        all 8,388,608 floats from 64 to 128: ties 64, wrong codes 32
            0.5 /  1         1         2         2         2         1
           -0.5 /  1         1         0         1         0         1
            1.5 /  1         3         3         3         2         3
         -143.5 / 41        -3        -3        -2        -2        -2
        1/41 in float32 is 0.02439024299, and 143.5 times it 3.49999976
        greedy: take 0.5, 6 of 10 pairs are told apart
        greedy: take -143.5, 9 of 10 pairs are told apart
        greedy: take -0.5, 10 of 10 pairs are told apart
        sets of 1: 4, that tell all apart: 0
        sets of 2: 6, that tell all apart: 0
        sets of 3: 4, that tell all apart: 2
        sets of 4: 1, that tell all apart: 1
        x with 6 digits 0.500000, with 9 digits 0.49999997, exactly 0x1.fffffe0000000p-2, is ½ − 2⁻²⁵: True
        dtype: must be an integer type that holds 0 to 255, got float32
        dtype: must be an integer type that holds 0 to 255, got int8
        shape: must be (1,), got (1, 1)
        value at [0]: must be 3, got 4
        right: int64
        explanation: rounding: add_half
            that is, ½ is added in floats and the sum rounded down: ties go up, and so does what is just below ½
            that is, rounded up
        ¼ with Z = 3: with_two_slips 3, ceil 4
        the parrot passes all cases: True
            mended: monotone True, inside True, largest error 0.5 of at most 0.5
            parrot: monotone True, inside True, largest error 0.5 of at most 0.5
        truncating: monotone True, inside True, largest error 0.75 of at most 0.5
        32 conventions
        x = -0.5, s = 1, Z = 1: the code is 0, 16 left
        x = -143.5, s = 41, Z = 0: the code is -3, 8 left
        x = -1.5, s = 1, Z = 0: the code is -2, 4 left
        x = 0.5, s = 1, Z = 1: the code is 2, 2 left
        x = 0.5, s = 1, Z = 0: the code is 0, 1 left
        half_even reciprocal before
            rounding: half_even
            quotient: reciprocal
            zero_point_added: before
        presets on finite numbers: torch_quantize_per_channel
        presets on all numbers: none (NaN gives no code)
        onnx and torch_quantize: x = 0.5, scale 1, zero point 1, codes (1, 2)
        onnx and onnxruntime: None
            they differ in clip, nonfinite, zero_range
        3effffff
        reply {"id": 1, "results": [{"dtype": "int32", "shape": [1], "values": [3]}]} is right
        reply {"id": 1, "results": [{"dtype": "int32", "shape": [1], "values": [4]}]} is value at [0]: must be 3, got 4
    """,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A function name → (printed text, folder of pictures) that runs every tutorial once."""
    done = {}

    def runner(name):
        if name not in done:
            folder = tmp_path_factory.mktemp(name) / "made" / "by it"
            done[name] = execute(name, "--pictures", str(folder)), folder
        return done[name]

    return runner


def execute(name, *arguments):
    """Run a tutorial in this process as a script with these arguments; return what it prints."""
    matplotlib.use("Agg")
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    plt.close("all")
    return printed.getvalue()


def wanted_lines(name):
    return [line.removeprefix(" " * 8) for line in LINES[name].splitlines() if line.strip()]


def missing(wanted, printed):
    """Which wanted lines are not in the printed text, in this order, each once."""
    rest = iter(printed.splitlines())
    return [line for line in wanted if line not in rest]


def numbers(pattern, text):
    """All groups of all matches of the pattern, as floats."""
    found = [
        tuple(float(group.replace(",", "")) for group in m.groups()) for m in re.finditer(pattern, text, re.MULTILINE)
    ]
    assert found, pattern
    return found


def test_every_tutorial_is_known_here():
    assert [path.stem for path in TUTORIALS] == list(LINES) == list(PICTURES)


@pytest.mark.parametrize("name", LINES)
def test_prints_the_figures_that_its_text_discusses(run, name):
    assert missing(wanted_lines(name), run(name)[0]) == []


def test_a_changed_figure_is_seen():
    assert missing(["a 1", "b 2"], "a 1\nx\nb 2\n") == []
    assert missing(["a 1", "b 2"], "a 1\nx\nb 3\n") == ["b 2"]
    assert missing(["b 2", "a 1"], "a 1\nb 2\n") == ["a 1"]


@pytest.mark.parametrize("name", PICTURES)
def test_writes_its_pictures_into_the_folder_that_is_given(run, name):
    folder = run(name)[1]
    assert {path.name for path in folder.iterdir()} == PICTURES[name]
    for path in folder.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        assert plt.imread(path).std() > 0.02  # not one colour


@pytest.mark.parametrize("name", LINES)
def test_runs_in_a_notebook_and_writes_nothing_by_itself(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = execute(
        name, "-f", "/tmp/kernel-1234.json", "--HistoryManager.hist_file=:memory:"
    )  # a kernel's arguments
    assert missing(wanted_lines(name), printed) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", LINES)
def test_runs_without_matplotlib_and_says_what_pictures_need(name, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it is an ImportError
    assert missing(wanted_lines(name), execute(name)) == []
    with pytest.raises(SystemExit, match=r"python -m pip install 'refcompress\[viz\]'"):
        execute(name, "--pictures", str(tmp_path / "pictures"))
    assert list(tmp_path.iterdir()) == []


def test_network_derivatives_agree_and_training_learns(run):
    printed = run(NETWORK)[0]
    checks = re.findall(r"^(.+?) +agrees to 1e-7: (True|False)$", printed, re.MULTILINE)
    assert len(checks) == 14
    assert [name for name, agrees in checks if agrees == "False"] == ["tanh, times 1.001 (planted)"]
    ((direct,),) = numbers(r"^conv2d in float32: largest error (\S+) of", printed)
    ((winograd,),) = numbers(r"^winograd in float32: largest error (\S+) of", printed)
    assert 1e-7 < direct < 2e-6  # some 10 roundings of 6·10⁻⁸ add up
    assert 1.5 * direct < winograd < 2e-5  # "larger roundings", far below the bound
    ((he,),) = numbers(r"variance 2/D: .* ([\d.]+) after", printed)
    ((half,),) = numbers(r"variance 1/D: .* ([\d.]+) after", printed)
    assert 0.7 < he < 1.5
    assert abs(half - he / 32) <= 0.006  # both are printed with two digits: 0.005 + 0.005/32
    ((before, after),) = numbers(r"loss before the step ([\d.]+), after it ([\d.]+)", printed)
    assert after < before
    losses = [loss for (loss,) in numbers(r"epoch +\d+  loss ([\d.]+)", printed)]
    assert len(losses) == 12
    assert losses[-1] < losses[0] / 10
    ((accuracy,),) = numbers(r"test: .* accuracy ([\d.]+)", printed)
    assert accuracy > 0.93


def test_stability_beats_chance(run):
    printed = run(STABILITY)[0]
    assert "T = 540, test accuracy 0.9" in printed
    assert "ValueError: fold must be False where a layer that pads reads the neurons, got 'conv2'" in printed
    table = numbers(r"([\d.]+)% removed: +(\d+) .* accuracy ([\d.]+) by score, ([\d.]+) by chance", printed)
    assert [(fraction, count) for fraction, count, _, _ in table] == [
        (0.0, 2410), (12.5, 2110), (25.0, 1810), (37.5, 1510), (50.0, 1210), (62.5, 910), (75.0, 610), (87.5, 310)
    ]  # fmt: skip
    assert all(score > chance for _, _, score, chance in table[1:])
    _, _, score, chance = table[2]
    assert score > table[0][2] - 0.03  # "almost for free"
    assert chance < table[0][2] - 0.1


def test_quantization_keeps_its_bounds_and_shrinks_the_file(run):
    printed = run(QUANTIZATION)[0]
    assert "ValueError: w must be finite, got nan at index (0,)" in printed
    assert "stochastic, mean of 10,000 draws at 0.25: 0.25" in printed
    ratios = dict(numbers(r"(\d+) bits: .* largest error ([\d.]+) of s/2, within s/2 \+ slack: True", printed))
    assert {bits: ratio > 1 for bits, ratio in ratios.items()} == {2: False, 8: False, 12: True, 16: True}
    table = numbers(r"(\d) bits: accuracy ([\d.]+), error ([\d.]+) of at most ([\d.]+), file +([\d,]+) bytes", printed)
    assert [row[0] for row in table] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert all(error <= bound for _, _, error, bound, _ in table)
    ((exact, size),) = numbers(r"floats: accuracy ([\d.]+), ([\d,]+) bytes", printed)
    assert size == 48_240  # 4 · (64·100 + 100 + 100·50 + 50 + 50·10 + 10)
    sizes = [row[4] for row in table]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[4] < size / 4  # 8 times smaller but for scales, offsets and the fixed part
    accuracy = {row[0]: row[1] for row in table}
    assert min(accuracy[bits] for bits in (4, 5, 6, 7, 8)) > exact - 0.03  # "hardly any loss down to 4 bits"
    assert accuracy[1] < 0.7  # "a collapse at 1"
    choices = numbers(r"range times ([\d.]+): accuracy on training images ([\d.]+), on test images ([\d.]+)", printed)
    ((chosen,),) = numbers(r"chosen: ([\d.]+)", printed)
    assert chosen in [factor for factor, train, _ in choices if train == max(train for _, train, _ in choices)]
    assert chosen < 1


def test_integers_answer_as_floats_do(run):
    printed = run(INTEGERS)[0]
    table = numbers(
        r"^[a-z_]+ +accuracy ([\d.]+), answers as in float32 ([\d.]+), error ([\d.]+) of at most ([\d.]+) steps, "
        r"(\d+) of (\d+) codes differ$",
        printed,
    )
    ((exact,),) = numbers(r"^float32 +accuracy ([\d.]+)$", printed)
    assert exact > 0.9
    assert len(table) == 4
    for accuracy, same, error, bound, differ, count in table:
        assert count == 359 * 8 * 8 * 8  # images, filters, rows, columns
        assert same > 0.97
        assert abs(accuracy - exact) < 0.03  # at most the answers that are not the same
        assert 0.4 < error <= bound < 5  # half a step at least somewhere, or the steps are wrong
        assert differ < 0.05 * count
    double, double_up, single, by_float = (row[4] for row in table)
    assert double == double_up == 0 < min(single, by_float)  # "after this ReLU double_up gives the codes of double"
    ((apart,),) = numbers(r"^codes in which single and float differ: (\d+)$", printed)
    assert apart < 0.02 * single  # "differ from double in the same codes", but for ties and what float32 does not tell
    assert "largest of double − single: 1, least: 0" in printed  # "up it goes"


def test_formats_at_four_bits_compare_as_the_text_says(run):
    printed = run(FORMATS)[0].partition("bits  layer normal\n")[2]
    rows = re.findall(r"^(\S.*?) +(\d\.\d+) +(\d+\.\d+) +(\d+\.\d+)$", printed, re.MULTILINE)
    assert {name: float(bits) for name, bits, _, _ in rows} == {
        "uniform, one range": 4.0, "uniform, rows of 64": 4 + 2 * 32 / 64, "e2m1, one scale": 4.0,
        "MXFP4, floor": 4 + 8 / 32, "MXFP4, ceil": 4 + 8 / 32, "MXFP4, even": 4 + 8 / 32, "MXFP4, rceil": 4 + 8 / 32,
        "NVFP4": 4 + 8 / 16, "nf4": 4 + 32 / 64, "bitsandbytes_fp4": 4 + 32 / 64,
        "q4_0": 18 * 8 / 32, "q4_1": 20 * 8 / 32,
    }  # fmt: skip
    for column in (2, 3):
        decibel = {row[0]: float(row[column]) for row in rows}
        others = [decibel[f"MXFP4, {rule}"] for rule in ("floor", "even", "rceil")]
        assert abs(decibel["uniform, rows of 64"] - decibel["uniform, one range"] - 4) < 1  # "about 4 dB"
        assert decibel["q4_0"] > decibel["nf4"] + 0.3
        assert 1.3 < min(others) - decibel["MXFP4, ceil"] < 2.5  # "this costs 2 dB"
        behind = [decibel["NVFP4"] - other for other in others]
        assert 1 < min(behind) <= max(behind) < 1.8  # "1.2 to 1.6 dB behind NVFP4"
        assert 2.2 < decibel["nf4"] - decibel["bitsandbytes_fp4"] < 2.6  # "2.4 dB behind"
    assert abs(float(rows[0][3]) - 17.4) < 0.2  # 10·log₁₀(12/s²), s = 7/15


def formula_names():
    """Names of all stems, and of all public functions of the book."""
    names = set()
    for info in pkgutil.walk_packages(formulas.__path__, f"{formulas.__name__}."):
        module = importlib.import_module(info.name)
        own = [f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == info.name]
        names |= {info.name.rpartition(".")[2], *(f.__name__ for f in own if not f.__name__.startswith("_"))}
    return names


def defined_functions(source):
    """Names that a source text gives to functions, by def or by assigning a lambda."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_no_tutorial_redefines_a_formula(path):
    assert defined_functions(path.read_text(encoding="utf-8")) & formula_names() == set()


def test_a_redefined_formula_is_seen():
    assert {"quantize", "forward", "std", "linear", "pack", "unimportant"} <= formula_names()
    assert defined_functions("if 1:\n    def quantize(w): return w") == {"quantize"}
    assert defined_functions("std = lambda g: g.std()\nmean = 3") == {"std"}


def cells(source):
    """The cells of a percent-format text as (kind, lines), kind "markdown" or "code"."""
    found = []
    for line in source.splitlines():
        if line.startswith("# %%"):
            found.append(({"# %%": "code", "# %% [markdown]": "markdown"}[line], []))
        else:
            found[-1][1].append(line)
    return found


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_is_a_notebook_in_percent_format(path):
    book = cells(path.read_text(encoding="utf-8"))
    assert book[0][0] == "markdown"
    assert re.match(r"# # \d · ", book[0][1][0])
    for kind, lines in book:
        if kind == "markdown":
            assert all(line.startswith("#") or not line for line in lines)
        else:
            ast.parse("\n".join(lines))  # every cell is a whole
    assert {kind for kind, _ in book} == {"markdown", "code"}
