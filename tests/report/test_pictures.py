"""Pictures: what is drawn is counted in the SVG, and where it is drawn is compared with the figures."""

import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from refcompress import report
from refcompress.compress import Criterion, LayerStability, Scheme
from refcompress.report.pictures.canvas import panels
from refcompress.report.pictures.levels import levels
from refcompress.report.pictures.scales import logarithmic, power, tick_positions
from refcompress.storage import QuantizedTensor

PICTURES = [
    report.training_curve,
    report.stability_scatter,
    report.weights_and_levels,
    report.accuracy_against_bytes,
]
SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"


def group(svg, name):
    """The element of this id."""
    found = [element for element in ET.fromstring(svg).iter() if element.get("id") == name]
    assert len(found) == 1, f"{name} is there {len(found)} times"
    return found[0]


def marks(svg, name):
    """(n, 2) positions of a group's markers, y upwards."""
    uses = [(float(use.get("x")), -float(use.get("y"))) for use in group(svg, name).iter(f"{SVG}use")]
    if not uses:  # a lone point is drawn as its outline
        outlines = [corners(path) for path in group(svg, name).iter(f"{SVG}path")]
        uses = [(outline.min(axis=0) + outline.max(axis=0)) / 2 for outline in outlines if len(outline)]
    return np.array(uses).reshape(-1, 2)


def corners(path):
    """(n, 2) points of an outline, y upwards."""
    words = (path.get("d") or "").translate(str.maketrans("MLCQz", "     ")).split()
    return np.array(words, float).reshape(-1, 2) * (1, -1)


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]


def titles(svg, ending):
    return [text for text in texts(svg) if text.endswith(ending)]


def assert_in_proportion(drawn, values):
    """Positions are a + b · values with b > 0; the SVG has six decimals, more than 1e-5 of a picture's size."""
    b, a = np.polyfit(values, drawn, 1)
    assert b > 0
    np.testing.assert_allclose(drawn, a + b * np.asarray(values), rtol=0, atol=1e-3)


def stability(result, mean, std, tau_mean, tau_std, selected=()):
    layer = LayerStability("fc1", np.array(mean), np.array(std), tau_mean, tau_std, np.array(selected, np.int64))
    return replace(result, stability=[layer])


# --- every picture ---


@pytest.mark.parametrize("picture", PICTURES)
def test_same_input_same_text(picture, make):
    first = picture(make())
    with matplotlib.rc_context({"font.size": 31, "lines.linewidth": 7, "axes.linewidth": 3, "svg.fonttype": "path"}):
        assert picture(make()) == first


@pytest.mark.parametrize("picture", PICTURES)
def test_nothing_global_changes(picture, make, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it is an error
    settings = set(matplotlib.rcParams) - {"backend"}  # to look at this one imports pyplot
    before = {name: matplotlib.rcParams[name] for name in settings}
    picture(make())
    assert {name: matplotlib.rcParams[name] for name in settings} == before


def test_ids_are_unique_and_referred_to(make):
    elements = [element for picture in PICTURES for element in ET.fromstring(picture(make())).iter()]
    ids = [element.get("id") for element in elements if element.get("id")]
    assert len(ids) == len(set(ids))
    links = {element.get(HREF)[1:] for element in elements if element.get(HREF)}
    links |= {e.get("clip-path").removeprefix("url(#").removesuffix(")") for e in elements if e.get("clip-path")}
    assert len(links) > 8
    assert links <= set(ids)


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_one_element_that_takes_the_colour_around_it(picture, make):
    svg = picture(make())
    root = ET.fromstring(svg)
    assert svg.startswith("<svg ")
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert len(root.get("aria-label")) > 20
    assert "currentColor" in svg
    assert "#010203" not in svg
    assert {word.split('"')[0] for word in svg.split("http")[1:]} == {
        "://www.w3.org/1999/xlink",
        "://www.w3.org/2000/svg",
    }


def test_missing_matplotlib_is_one_clear_error(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    words = r"^the report needs matplotlib: python -m pip install 'refcompress\[viz\]'$"
    with pytest.raises(ModuleNotFoundError, match=words):
        report.require_matplotlib()
    for picture in PICTURES[1:]:
        with pytest.raises(ModuleNotFoundError):
            picture(make())


def test_matplotlib_that_is_there_is_no_error():
    assert report.require_matplotlib() is None


@pytest.mark.parametrize(
    ("count", "grid"), [(1, (1, 1)), (2, (1, 2)), (3, (1, 3)), (4, (2, 2)), (5, (2, 3)), (6, (2, 3)), (7, (3, 3))]
)
def test_panels(count, grid):
    from matplotlib.figure import Figure

    drawn = panels(Figure(), count)
    assert len(drawn) == count
    assert drawn[0].get_gridspec().get_geometry() == grid


# --- scales ---


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.9, 3.1, [(1, 0), (2, 0), (3, 0)]),
        (0.9, 11.0, [(1, 0), (2, 0), (5, 0), (1, 1)]),
        (0.002, 0.15, [(3, -3), (1, -2), (3, -2), (1, -1)]),
        (5e-5, 2.0, [(1, -4), (1, -3), (1, -2), (1, -1), (1, 0)]),
        (0.9e-12, 1.1e12, [(1, e) for e in range(-12, 13, 4)]),
    ],
)
def test_ticks(low, high, ticks):
    assert tick_positions(low, high) == ticks


def test_three_times_the_lower_end_has_two_ticks():
    for low in np.geomspace(0.01, 10, 997):
        assert len(tick_positions(low, 3 * low)) >= 2, low


def test_a_lone_value_has_two_ticks():
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    logarithmic(axes, "y", np.array([5.4]))
    low, high = axes.get_ylim()
    assert low < 5.4 < high
    assert sum(low <= tick <= high for tick in axes.get_yticks()) >= 2


def test_labels():
    assert [power(1, -12), power(5, 0), power(3, 47)] == ["10⁻¹²", "5·10⁰", "3·10⁴⁷"]


# --- training ---


def test_training_curve(handmade):
    svg = report.training_curve(handmade)
    for quantity, training, tuning, held in (
        ("loss", [2.0, 1.0], [0.5], [0.25, 1.5, 0.125]),
        ("accuracy", [0.5, 0.75], [1.0], [0.9, 0.75, 0.95]),
    ):
        drawn = [marks(svg, f"training-{name}-{quantity}") for name in ("training", "fine-tuning", "held-out")]
        assert [len(xy) for xy in drawn] == [2, 1, 3]
        x, y = np.concatenate(drawn).T
        assert_in_proportion(x, [1, 2, 3, 2, 2.5, 3])
        assert_in_proportion(y, [*training, *tuning, *held])
    words = texts(svg)
    for word in ("training", "fine-tuning", "held out", "neurons removed", "loss (nats per image)", "accuracy (%)"):
        assert word in words
    assert words.count("epoch (training, then fine-tuning)") == 2


def test_without_fine_tuning(make):
    result = make(finetune_epochs=0)
    svg = report.training_curve(result)
    assert len(marks(svg, "training-training-loss")) == 2
    assert len(marks(svg, "training-held-out-loss")) == 2
    assert "fine-tuning" not in texts(svg)
    assert "neurons removed" in texts(svg)
    assert "3" not in texts(svg)  # there was no such epoch


def test_epochs_without_accuracy(handmade):
    epochs = [epoch._replace(accuracy=None) for epoch in handmade.training]
    svg = report.training_curve(replace(handmade, training=epochs))
    assert len(marks(svg, "training-training-loss")) == 2
    assert len(marks(svg, "training-training-accuracy")) == 0


# --- stability ---


def test_scatter_by_the_texts_rule(handmade):
    svg = report.stability_scatter(handmade)
    removed, kept = marks(svg, "stability-removed-0"), marks(svg, "stability-kept-0")
    assert [len(removed), len(kept)] == [2, 2]
    x, y = np.concatenate([removed, kept]).T
    assert_in_proportion(x, [-4, -3, -1, 0])  # the logarithms of handmade's means
    assert_in_proportion(y, [-3, -2, -1, 1])
    assert titles(svg, "removed") == ["fc1: 2 of 4 removed", "removed"]
    for word in ("kept", "selected by the rule", "τ_mean", "τ_std", "|mean| of the gradient", "std of the gradient"):
        assert word in texts(svg)


def lines(svg, name):
    """The end points of a straight line."""
    first, last = corners(next(group(svg, name).iter(f"{SVG}path")))
    return first, last


def test_thresholds_stand_where_they_are(handmade):
    svg = report.stability_scatter(stability(handmade, [1e-4, 1e-2], [1e-3, 1e-1], 1e-3, 1e-2))
    (x1, y1), (x2, y2) = marks(svg, "stability-kept-0")
    vertical, horizontal = lines(svg, "stability-τ_mean-0"), lines(svg, "stability-τ_std-0")
    assert vertical[0][0] == vertical[1][0] == pytest.approx((x1 + x2) / 2, abs=1e-3)  # half way on a logarithmic axis
    assert horizontal[0][1] == horizontal[1][1] == pytest.approx((y1 + y2) / 2, abs=1e-3)


def test_every_layer_has_a_panel(make):
    result = make(net="lenet-5", epochs=1)
    svg = report.stability_scatter(result)
    assert len(titles(svg, " removed")) == 4
    for i, layer in enumerate(result.layers[:-1]):
        assert len(marks(svg, f"stability-kept-{i}")) == layer.neurons_after
        assert len(marks(svg, f"stability-removed-{i}")) == layer.neurons_before - layer.neurons_after


def test_kept_and_removed_differ_in_more_than_colour(handmade):
    shapes = []
    for name in ("kept", "removed"):
        link = next(group(report.stability_scatter(handmade), f"stability-{name}-0").iter(f"{SVG}use")).get(HREF)[1:]
        shapes.append(group(report.stability_scatter(handmade), link).get("d"))
    assert shapes[0] != shapes[1]


@pytest.mark.parametrize(
    ("mean", "std", "tau_mean", "tau_std"),
    [
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 0.0, 0.0),
        ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], 2.0, 0.0),
        ([0.0, 1e-9, 3.0], [0.0, 1e-20, 4.0], 1e-9, 1e-3),
        ([-1.0, 2.0, 3.0], [1.0, 2.0, 2.0], np.inf, np.inf),
        ([0.0, 0.0, 3.0], [0.0, 0.0, 2.0], np.nan, np.nan),
        ([5.0], [7.0], 5.0, 7.0),
    ],
    ids=["all zero", "std zero", "some zero", "infinite", "no thresholds", "one neuron"],
)
@pytest.mark.parametrize("rule", ["text", "listing"])
def test_extreme_stability_is_drawn(make, mean, std, tau_mean, tau_std, rule):
    result = make(criterion=Criterion(rule=rule))
    svg = report.stability_scatter(stability(result, mean, std, tau_mean, tau_std))
    assert np.isfinite(drawn := marks(svg, "stability-kept-0")).all()
    assert len(drawn) == len(mean)
    assert ("τ_mean" in texts(svg)) == np.isfinite(tau_mean)


def test_zero_has_a_place_left_of_the_smallest(make):
    svg = report.stability_scatter(stability(make(), [1e-3, 0.0, 10.0], [1.0, 2.0, 3.0], 1.0, 1.0))
    (small, _), (zero, _), (large, _) = marks(svg, "stability-kept-0")
    assert zero < small < large
    assert "0" in texts(svg)


def test_scatter_by_the_listings_rule(make):
    result = make(criterion=Criterion(rule="listing"))
    mean, std = [-3.0, -0.5, 1.0, 2.0], [1.0, 4.0, 2.0, 0.5]
    svg = report.stability_scatter(stability(result, mean, std, 1.5, 0.25, [0, 1]))
    x, y = np.concatenate([marks(svg, "stability-removed-0"), marks(svg, "stability-kept-0")]).T
    assert_in_proportion(x, mean)  # linear, with the sign
    assert_in_proportion(y, std)
    assert "mean of the gradient" in texts(svg)
    assert "std = τ_std · mean" in texts(svg)


def shaded(svg):
    """The corners of every shaded area."""
    names = [name for name in ("stability-selected-0", "stability-selected-wedge-0") if f'"{name}"' in svg]
    areas = []
    for name in names:
        path, use = next(group(svg, name).iter(f"{SVG}path")), next(group(svg, name).iter(f"{SVG}use"))
        shift = np.array([float(use.get("x")), -float(use.get("y"))])
        areas.append(corners(path) + shift)
    return areas


def inside(area, x, y):
    """Whether a point lies in a polygon: a ray to the right crosses its border an odd number of times."""
    crossings = 0
    for (x1, y1), (x2, y2) in zip(area, np.roll(area, -1, axis=0), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            crossings += 1
    return crossings % 2 == 1


@pytest.mark.parametrize("rule", ["text", "listing"])
@pytest.mark.parametrize("taus", [(1.5, 0.75), (1.5, 100.0), (np.inf, 0.75), (1.5, np.inf), (0.0, 0.75)])
def test_the_shade_is_what_the_rule_selects(make, rule, taus):
    rng = np.random.default_rng(2)
    mean, std = rng.uniform(-2, 2, 60), rng.uniform(0.1, 2, 60)
    tau_mean, tau_std = taus
    if rule == "text":
        expected = [abs(m) < tau_mean and s < tau_std for m, s in zip(mean, std, strict=True)]
    else:
        expected = [m < tau_mean and s / m < tau_std for m, s in zip(mean, std, strict=True)]
    result = make(criterion=Criterion(rule=rule))
    svg = report.stability_scatter(stability(result, mean, std, *taus))
    areas = shaded(svg)
    assert [any(inside(area, x, y) for area in areas) for x, y in marks(svg, "stability-kept-0")] == expected


# --- levels ---


def test_levels_of_a_tensor():
    codes, scale, offset = np.array([[0, 2, 5], [1, 1, 7]]), np.array([0.5, 9.0]), np.array([-1.0, 3.0])
    per_neuron = QuantizedTensor(codes, scale, offset, 3, 0, "uniform")
    np.testing.assert_array_equal(levels(per_neuron), [-1, -0.5, 0, 0.5, 1, 1.5])  # of codes 0 to 5 of neuron 0
    whole = QuantizedTensor(codes - 2, scale[:1], offset[:1], 3, -2, "uniform")
    np.testing.assert_array_equal(levels(whole), [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5])  # of codes −2 to 5


def drawn_levels(svg, number):
    """Positions of a panel's levels, each a vertical line."""
    paths = group(svg, f"levels-levels-{number}").iter(f"{SVG}path")
    return [float(path.get("d").split()[1]) for path in paths]


def test_weights_and_levels(handmade):
    svg = report.weights_and_levels(handmade)
    assert_in_proportion(drawn_levels(svg, 0), [0, 1 / 3, 2 / 3, 1])
    assert_in_proportion(drawn_levels(svg, 1), np.arange(-10, 6) / 10)
    assert titles(svg, "levels") == ["fc1: neuron 0's 4 levels", "fc2: 16 levels", "levels"]
    for word in ("all weights of the layer", "weights of neuron 0 alone", "weight", "share of the weights (%)"):
        assert word in texts(svg)


@pytest.mark.parametrize(
    "scheme",
    [
        Scheme("decimal"),
        Scheme("fixed-point", bits=6),
        Scheme("fixed-point", fraction_bits=0),
        Scheme(bits=1),
        Scheme(bits=8, granularity="tensor", float_biases=True),
    ],
)
def test_schemes(make, scheme):
    result = make(scheme=scheme)
    svg = report.weights_and_levels(result)
    for number, name in enumerate(("fc1", "fc2")):
        tensor = result.compressed.tensors[f"{name}.weight"]
        codes = tensor.codes[0] if tensor.groups > 1 else tensor.codes
        assert len(drawn_levels(svg, number)) == int(codes.max()) - int(codes.min()) + 1
    assert ("weights of neuron 0 alone" in texts(svg)) == (scheme.granularity == "channel")


def test_too_many_levels_are_counted_but_not_drawn(make):
    svg = report.weights_and_levels(make(scheme=Scheme(bits=16, granularity="tensor")))
    assert titles(svg, " levels") == ["fc1: 65,536 levels", "fc2: 65,536 levels"]
    assert "levels-levels-0" not in svg


# --- sizes ---


def test_accuracy_against_bytes(handmade):
    svg = report.accuracy_against_bytes(handmade)
    names, sizes = ["quantized", "finetuned", "pruned", "dense"], [1234, 4800, 4800, 9600]
    x, y = np.concatenate([marks(svg, f"sizes-{name}") for name in names]).T
    assert_in_proportion(x, np.log10(sizes))
    assert_in_proportion(y, [1.0, 0.95, 0.75, 0.9])
    words = texts(svg)
    stages = ("quantized", "100.00 %", "1,234 bytes", "pruned", "75.00 %", "4,800 bytes", "fine-tuned", "95.00 %")
    for word in (*stages, "dense", "90.00 %", "9,600 bytes", "held-out accuracy (%)", "2,000", "5,000"):
        assert word in words
    assert words.count("4,800 bytes") == 2


def test_labels_stand_in_the_order_of_the_points(handmade):
    elements = ET.fromstring(report.accuracy_against_bytes(handmade)).iter(f"{SVG}text")
    moved = {element.text: element.get("transform") or "" for element in elements}
    at = {text: float(move[10:].split()[0]) for text, move in moved.items() if move.startswith("translate(")}
    assert at["quantized"] < at["pruned"] < at["fine-tuned"] < at["dense"]


def test_intervals_are_drawn(handmade):
    svg = report.accuracy_against_bytes(handmade)
    (_, y90), (_, y75) = marks(svg, "sizes-dense")[0], marks(svg, "sizes-pruned")[0]
    unit, x = (y90 - y75) / 15, marks(svg, "sizes-dense")[0][0]
    ends = []
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        points = corners(path)
        if path.get("clip-path") and len(points) == 2 and (abs(points[:, 0] - x) < 1e-3).all():
            ends.append(sorted(points[:, 1]))
    assert len(ends) == 1
    np.testing.assert_allclose(ends[0], [y90 - 20.1 * unit, y90 + 7.21 * unit], atol=1e-3)
