from dataclasses import replace

import numpy as np
import pytest

from refcompress import report, storage
from refcompress.compress import Criterion, Options, Scheme
from refcompress.storage import CompressedModel, NodeRecord

# fmt: off


def test_stage_table(handmade):
    assert report.stage_table(handmade) == (
        "stage       accuracy %   95 % interval    loss  parameters  MACs/image  bytes  s/1,000 images\n"
        "dense            90.00   69.90 … 97.21  0.2500          24   1,020,000  9,600           0.500\n"
        "pruned           75.00   53.13 … 88.81  1.5000          12          10  4,800           0.250\n"
        "fine-tuned       95.00   76.39 … 99.11  0.1250          12          10  4,800           0.031\n"
        "quantized       100.00  83.89 … 100.00  0.0625          12          10  1,234          12.500"
    )


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0.0"), (0.00062, "0.00062"), (250.0, "250"), (9.96, "10.0")])
def test_seconds_show_two_digits(handmade, seconds, text):
    stage = replace(handmade.stages["dense"], seconds_per_1000=seconds)
    table = report.stage_table(replace(handmade, stages={"dense": stage}))
    assert table.splitlines()[1].split()[-1] == text


def test_layer_table(handmade):
    assert report.layer_table(handmade) == (
        "layer  neurons        gradient mean         gradient std  bits  max |w − w′|        s/2\n"
        "fc1     4 →  2  1.00e-04 … 1.00e+00  0.00e+00 … 2.00e-02     2     1.667e-01  5.000e-01\n"
        "fc2    10 → 10                    –                    –     4     5.000e-02  5.000e-02"
    )


def test_ledger_table(handmade):
    assert report.ledger_table(handmade.ledger) == (
        "part       bytes    share\n"
        "payload      617   50.0 %\n"
        "scales       308   25.0 %\n"
        "offsets        0    0.0 %\n"
        "shapes         9    0.7 %\n"
        "container    100    8.1 %\n"
        "padding      200   16.2 %\n"
        "file       1,234  100.0 %"
    )


def test_tensor_table(handmade):
    # 6 codes of 2 bits are 2 bytes, 4 of 4 bits are 2; a float is 4 bytes
    assert report.tensor_table(handmade.compressed) == (
        "tensor      shape  scheme   bits  ranges  payload  scales  offsets\n"
        "fc1.weight  2 × 3  uniform     2       2        2       8        8\n"
        "fc1.bias    2      float      32       –        8       0        0\n"
        "fc2.weight  2 × 2  decimal     4       1        2       4        4\n"
        "all                                            12      12       12\n"
        "\n"
        "nodes        input → fc1 → relu1 → fc2\n"
        "input shape  3\n"
        "metadata     net = mlp, seed = 3"
    )


def test_tensor_table_of_a_graph_and_of_nothing_known():
    nodes = (
        NodeRecord("a", "ReLU", {}, ("input",)),
        NodeRecord("b", "ReLU", {}, ("input",)),
        NodeRecord("sum", "Add", {}, ("a", "b")),
    )
    assert report.tensor_table(CompressedModel(nodes, None, {})).splitlines()[-3:] == [
        "nodes        input → a, input → b, a + b → sum",
        "input shape  not stored",
        "metadata     none",
    ]


def test_long_texts_go_on_in_the_next_line():
    nodes = tuple(
        NodeRecord(f"layer{i:02}", "ReLU", {}, ("input" if i == 0 else f"layer{i - 1:02}",)) for i in range(12)
    )
    lines = report.tensor_table(CompressedModel(nodes, (5, 7), {})).splitlines()
    assert lines[-4:] == [
        "nodes        input → layer00 → layer01 → layer02 → layer03 → layer04 → layer05 → layer06 → layer07 → layer08 →",  # noqa: E501
        "             layer09 → layer10 → layer11",
        "input shape  5 × 7",
        "metadata     none",
    ]


def test_recipe_of_the_defaults():
    assert report.recipe(Options()) == (
        "network       listing; weights He normal, biases 0; pixels standardized by the training images' mean and std\n"
        "seed          0\n"
        "training      10 epochs, batches of 32\n"
        "optimizer     SGD, learning rate 0.05 → 0 (half a cosine), momentum 0.9\n"
        "shifts        by up to a sixteenth of their size, at least 1 pixel\n"
        "gradients     each neuron's by rms_of_parameter_moments; iterations recorded: all; std with ddof 0\n"
        "removal       rule text: 50 % of every layer but the last, smallest score first\n"
        "fine-tuning   5 epochs, with the optimizer started anew\n"
        "quantization  uniform, 4 bits, one range per neuron\n"
        "biases        quantized likewise, one range each"
    )


@pytest.mark.parametrize(
    ("settings", "name", "text"),
    [
        ({"net": "lenet-5"}, "network", "lenet-5; weights He"),
        ({"winograd": True}, "network", "listing (Winograd convolution); weights He"),
        ({"seed": 12}, "seed", "12"),
        ({"epochs": 1, "batch_size": 7}, "training", "1 epoch, batches of 7"),
        ({"learning_rate": 0.125, "momentum": 0.0}, "optimizer", "learning rate 0.125 → 0 (half a cosine), momentum 0"),
        ({"augment": False}, "shifts", "none"),
        ({"record": "last:40"}, "gradients", "iterations recorded: the last 40;"),
        ({"record": "after:3"}, "gradients", "iterations recorded: all after the first 3;"),
        ({"criterion": Criterion(reduce="l2", ddof=1)}, "gradients", "l2; iterations recorded: all; std with ddof 1"),
        ({"criterion": Criterion(fraction=0.29)}, "removal", "rule text: 29 % of every layer"),
        ({"criterion": Criterion(tau_mean=0.1, tau_std=2.0)}, "removal", "rule text: |mean| < 0.1 and std < 2, in"),
        (
            {"criterion": Criterion(tau_mean=0.8, tau_std=1.2, tau_relative_to="layer-median")},
            "removal",
            "rule text: |mean| < 0.8 × the layer's median and std < 1.2 × the layer's median, in",
        ),
        ({"criterion": Criterion(rule="listing")}, "removal", "rule listing: mean < 0.001 and std/mean < 0.001, in"),
        ({"finetune_epochs": 0}, "fine-tuning", "none"),
        ({"scheme": Scheme(bits=1, granularity="tensor")}, "quantization", "uniform, 1 bit, one range per weight"),
        ({"scheme": Scheme("decimal", places=3)}, "quantization", "decimal, 3 places after the point"),
        ({"scheme": Scheme("decimal", places=0)}, "quantization", "decimal, 0 places after the point"),
        ({"scheme": Scheme("fixed-point", bits=6)}, "quantization", "fixed-point, 6 bits, one range per neuron"),
        ({"scheme": Scheme("fixed-point", fraction_bits=5)}, "quantization", "fixed-point, 4 bits, 5 fraction bits"),
        ({"scheme": Scheme(float_biases=True)}, "biases", "kept as floats"),
    ],
)
def test_recipe_says_what_was_chosen(settings, name, text):
    line = next(line for line in report.recipe(Options(**settings)).splitlines() if line.startswith(name))
    assert text in line


# fmt: on


def test_tables_agree_with_the_file(make):
    result = make(scheme=Scheme(bits=5, float_biases=True))
    ledger = storage.ledger(result.path)
    sums = report.tensor_table(storage.read(result.path)).split("\n\n")[0].splitlines()[-1].split()
    assert [int(x.replace(",", "")) for x in sums[1:]] == [ledger["payload"], ledger["scales"], ledger["offsets"]]
    size = report.ledger_table(ledger).splitlines()[-1].split()[1]
    assert int(size.replace(",", "")) == result.path.stat().st_size
    assert report.stage_table(result).splitlines()[-1].split()[-2] == size


@pytest.mark.parametrize("net", ["listing", "lenet-5", "lenet-300-100"])
def test_tables_fit_a_terminal(make, net):
    criterion = Criterion(tau_mean=0.912345, tau_std=0.912345, tau_relative_to="layer-median")
    result = make(net=net, criterion=criterion, epochs=1)
    text = "\n".join(
        [
            report.recipe(result.options),
            report.stage_table(result),
            report.layer_table(result),
            report.ledger_table(result.ledger),
            report.tensor_table(result.compressed),
        ]
    )
    assert max(map(len, text.splitlines())) <= 120
    assert len(result.layers) == len(report.layer_table(result).splitlines()) - 1
    assert np.isfinite(result.stages["quantized"].loss)
