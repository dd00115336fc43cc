"""The recipe: what a run does, in words, from its options alone."""

from refcompress.compress import Criterion, Options, Scheme
from refcompress.report.rows import Table


def recipe(options: Options) -> Table:
    """What is trained and how it is compressed, line by line.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Table of two columns, the step and what it does.
    """
    epochs, tuning = _count(options.epochs, "epoch"), _count(options.finetune_epochs, "epoch")
    weights = "weights He normal, biases 0; pixels standardized by the training images' mean and std"
    shifts = "by up to a sixteenth of their size, at least 1 pixel" if options.augment else "none"
    rows = [
        ("network", f"{options.net}{' (Winograd convolution)' if options.winograd else ''}; {weights}"),
        ("seed", str(options.seed)),
        ("training", f"{epochs}, batches of {options.batch_size}"),
        (
            "optimizer",
            f"SGD, learning rate {options.learning_rate:g} → 0 (half a cosine), momentum {options.momentum:g}",
        ),
        ("shifts", shifts),
        ("gradients", _gradients(options)),
        ("removal", _removal(options.criterion)),
        ("fine-tuning", f"{tuning}, with the optimizer started anew" if options.finetune_epochs else "none"),
        ("quantization", _quantization(options.scheme)),
        ("biases", "kept as floats" if options.scheme.float_biases else "quantized likewise, one range each"),
    ]
    return Table(("step", "what it does"), rows, left=2)


def _gradients(options: Options) -> str:
    kind, _, k = options.record.partition(":")
    which = {"all": "all", "last": f"the last {k}", "after": f"all after the first {k}"}[kind]
    criterion = options.criterion
    return f"each neuron's by {criterion.reduce}; iterations recorded: {which}; std with ddof {criterion.ddof}"


def _removal(criterion: Criterion) -> str:
    if criterion.fraction is not None:
        return (
            f"rule {criterion.rule}: {100 * criterion.fraction:g} % of every layer but the last, smallest score first"
        )
    mean, std = f"{criterion.tau_mean:g}", f"{criterion.tau_std:g}"
    if criterion.rule == "listing":
        return f"rule listing: mean < {mean} and std/mean < {std}, in every layer but the last"
    times = " × the layer's median" if criterion.tau_relative_to else ""
    return f"rule text: |mean| < {mean}{times} and std < {std}{times}, in every layer but the last"


def _quantization(scheme: Scheme) -> str:
    ranges = "one range per neuron" if scheme.granularity == "channel" else "one range per weight array"
    if scheme.scheme == "decimal":
        return f"decimal, {_count(scheme.places or 0, 'place')} after the point"
    bits = f"{scheme.scheme}, {_count(scheme.bits or 0, 'bit')}"
    if scheme.fraction_bits is not None:
        return f"{bits}, {_count(scheme.fraction_bits, 'fraction bit')}"
    return f"{bits}, {ranges}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
