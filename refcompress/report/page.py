"""The words and the look of the HTML page, which do not depend on the result."""

STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1c1f23; --soft: #5c636b; --line: #d6dae0; --card: #f4f6f8; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #16181b; --ink: #e6e8eb; --soft: #a0a7af; --line: #363b42; --card: #1f2226; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 66rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .5rem; padding-top: .8rem; border-top: 1px solid var(--line); }
p { margin: .4rem 0; max-width: 46rem; }
.soft { color: var(--soft); font-size: .9rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .7rem; margin: 1.2rem 0; }
.tiles div { background: var(--card); border-radius: .4rem; padding: .6rem; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { margin: 0; white-space: nowrap; font-variant-numeric: tabular-nums; }
.tiles dd.soft { font-size: .85rem; white-space: normal; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: 600; }
tbody th, tfoot th { font-weight: 400; }
tfoot th, tfoot td { font-weight: 600; border-top: 2px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
.left { text-align: left; }
.wrap td { white-space: normal; }
figure { margin: 1rem 0; }
figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { color: var(--soft); font-size: .9rem; max-width: 46rem; }
.terms { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; font-size: .9rem; }
.terms dt { font-weight: 600; }
.terms dd { margin: 0; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  figure, table, .tiles div { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
  th, td { padding: .15rem .35rem; }
}
"""

SIZES = (
    "Every stage's accuracy on held-out images against its bytes: smaller is further left, better is further up. The "
    "bars are 95 % intervals; stages whose bars overlap widely are not told apart by so few images."
)
CURVE = (
    "Lines are means over an epoch's training images, taken while the weights still change, so that they lag behind. "
    "Diamonds are held-out images: the dense network, the same right after the removal, and the fine-tuned one."
)
TEXT_RULE = (
    "Every mark is a neuron: how far its gradient was from 0 on average, and how much it varied over training. A "
    "neuron is removed where both are below their thresholds, in the shaded corner. With a wanted fraction the "
    "thresholds follow from it: the layer's medians, both grown to midway between the last neuron that goes and the "
    "first that stays."
)
LISTING_RULE = (
    "Every mark is a neuron: its gradient's mean, with its sign, and standard deviation over training. The listing's "
    "rule, mean < τ_mean and std/mean < τ_std, takes no absolute values: every negative mean passes, however large, "
    "and positive ones only in the wedge below the line, often too flat to be seen."
)
LEVELS = (
    "The weights before quantization, and the levels that they are rounded to. Where every neuron has a range of its "
    "own, the levels are those of neuron 0, drawn for its own weights. Levels are drawn from the lowest to the "
    "highest in use, unless they are more than 256."
)
STAGES = (
    "Before quantization, bytes are those of the numbers as they are in memory; after it, those of the whole file, "
    "which was loaded back for these figures. Seconds are medians of three runs on the machine that made this page."
)
LAYERS = (
    "Neurons before and after; lowest and highest mean and standard deviation of the neurons' gradients (the last "
    "layer is never scored: its neurons are the classes); and the largest change of a weight by quantization beside "
    "its bound, half a step, from which rounding in floating point can differ in the last digits. A larger error "
    "means that codes were saturated."
)
LEDGER = "What the bytes of the file are for. They sum up to its size."
TENSORS = "Every array in the file. Ranges have a scale and an offset each."

TERMS = {
    "accuracy": "share of the held-out images whose class the network names; held out: never trained on",
    "95 % interval": "Wilson's interval for that share, given how many images were counted",
    "loss": "mean cross-entropy on the held-out images, in nats",
    "MACs": "multiply–accumulates, the products that one image takes",
    "dense, pruned": "before and right after neurons were removed, with all edges connected to them",
    "fine-tuned": "the pruned network, trained on",
    "quantized": "the fine-tuned network with its weights as integer codes, w′ = s · q + z",
    "neuron": "a row of a linear layer's weights, or a filter of a convolution",
    "payload": "the codes, packed bit by bit",
    "scales, offsets": "s and z of every range",
    "shapes": "the arrays' dimensions",
    "container": "what makes it a file that explains itself: headers, layers, names, checksums",
    "padding": "spaces that align the arrays",
}
