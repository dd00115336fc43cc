"""The report: one HTML page with tables and pictures, which needs nothing but itself."""

import os
from html import escape
from pathlib import Path

from refcompress import __version__, storage
from refcompress.compress import Result
from refcompress.formulas.coding import ledger as byte_ledger
from refcompress.report import page, pictures, rows, steps
from refcompress.report.elements import figure, table, terms

PAGE = "index.html"


def check_report(folder: str | os.PathLike[str]) -> None:
    """Raise unless `write_report` could write into this folder now; leaves nothing behind.

    Parameters
    ----------
    folder : path
        Need not exist.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is missing.
    ValueError
        If the folder, or the one that it would be created in, cannot be written.
    """
    pictures.require_matplotlib()
    wanted = Path(folder)
    existing = next(path for path in (wanted, *wanted.parents) if path.exists())
    if not existing.is_dir():
        raise ValueError(f"report must be a folder, got the file {str(existing)!r}")
    storage.check_writable(existing / (PAGE if existing == wanted else "new folder"))


def write_report(result: Result, folder: str | os.PathLike[str]) -> Path:
    """Write the report as `index.html` into a folder, which is created.

    Parameters
    ----------
    result : Result
    folder : path

    Returns
    -------
    Path of the page; the same result gives the same bytes.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is missing.
    OSError
        If the page cannot be written.
    """
    text = report_html(result)
    path = Path(folder) / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    storage.write_beside(path, text.encode())
    return path


def report_html(result: Result) -> str:
    """The report's page as text.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
    """
    title = escape(f"refcompress: {result.options.net}, seed {result.options.seed}")
    rule = page.LISTING_RULE if result.options.criterion.rule == "listing" else page.TEXT_RULE
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="soft">A network trained, pruned and quantized into <code>{escape(str(result.path))}</code></p>',
        _tiles(result),
        "<h2>Outcome</h2>",
        table(rows.stages(result), page.STAGES),
        figure(pictures.accuracy_against_bytes(result), page.SIZES),
        "<h2>Recipe</h2>",
        table(steps.recipe(result.options), "All that was chosen.", "wrap"),
        "<h2>Training</h2>",
        figure(pictures.training_curve(result), page.CURVE),
        "<h2>Removal of neurons</h2>",
        figure(pictures.stability_scatter(result), rule),
        "<h2>Quantization</h2>",
        figure(pictures.weights_and_levels(result), page.LEVELS),
        table(rows.layers(result), page.LAYERS),
        "<h2>File</h2>",
        table(rows.ledger(result.ledger), page.LEDGER),
        table(rows.tensors(result.compressed), page.TENSORS),
        table(rows.model(result.compressed), "The network that they make up.", "wrap"),
        "<h2>Terms</h2>",
        terms(page.TERMS),
        f'<p class="soft">Made by refcompress {__version__}.</p>',
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{page.STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _tiles(result: Result) -> str:
    """The figures that matter most, before and after."""
    before, after = result.stages["dense"], result.stages["quantized"]
    smaller = byte_ledger.ratio(before.bytes, after.bytes)
    tiles = [
        (
            "held-out accuracy",
            f"{100 * before.accuracy:.2f} % → {100 * after.accuracy:.2f} %",
            f"{before.correct:,} → {after.correct:,} of {after.total:,} images",
        ),
        ("bytes", f"{before.bytes:,} → {after.bytes:,}", f"the file is {smaller:.1f} times smaller"),
        ("parameters", f"{before.parameters:,} → {after.parameters:,}", _share(after.parameters, before.parameters)),
        ("MACs per image", f"{before.macs:,} → {after.macs:,}", _share(after.macs, before.macs)),
    ]
    cells = (f'<div><dt>{dt}</dt><dd>{dd}</dd><dd class="soft">{more}</dd></div>' for dt, dd, more in tiles)
    return f'<dl class="tiles">{"".join(cells)}</dl>'


def _share(after: int, before: int) -> str:
    return f"{100 * after / before:.1f} % are left"
