"""The tables as text for a terminal."""

import textwrap

from refcompress.compress import Options, Result
from refcompress.nn.text_table import columns
from refcompress.report import rows, steps
from refcompress.storage import CompressedModel

WIDTH = 100  # of the text in a table of a name and its text


def recipe(options: Options) -> str:
    """What is trained and how it is compressed; known before anything runs.

    Parameters
    ----------
    options : Options

    Returns
    -------
    str
    """
    return _pairs(steps.recipe(options))


def stage_table(result: Result) -> str:
    """The stages from dense to quantized: accuracy with its 95 % (Wilson) interval, loss, sizes and time.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
    """
    return _text(rows.stages(result))


def layer_table(result: Result) -> str:
    """The layers of neurons: how many stay, their gradients' range, and the largest error beside its bound.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str; the last layer is never scored and shows "–".
    """
    return _text(rows.layers(result))


def ledger_table(ledger: dict[str, int]) -> str:
    """The file's bytes by what they are for; the last row is their sum, the file's size.

    Parameters
    ----------
    ledger : dict of part → bytes
        As storage.ledger gives it.

    Returns
    -------
    str
    """
    return _text(rows.ledger(ledger))


def tensor_table(model: CompressedModel) -> str:
    """The stored tensors with their bytes, and the network that they make up.

    Parameters
    ----------
    model : CompressedModel

    Returns
    -------
    str
    """
    return f"{_text(rows.tensors(model))}\n\n{_pairs(rows.model(model))}"


def _text(table: rows.Table) -> str:
    return columns([table.header, *table.rows], table.left)


def _pairs(table: rows.Table) -> str:
    """A table of two columns without its header, whose long texts go on in the next line."""
    lines = []
    for name, text in table.rows:
        first, *others = textwrap.wrap(text, WIDTH)
        lines += [(name, first), *(("", other) for other in others)]
    return columns(lines, left=2)
