"""Pictures of what the main job did, as SVG text: same result, same text."""

from refcompress.report.pictures.canvas import require_matplotlib
from refcompress.report.pictures.curve import training_curve
from refcompress.report.pictures.levels import weights_and_levels
from refcompress.report.pictures.scatter import stability_scatter
from refcompress.report.pictures.sizes import accuracy_against_bytes

__all__ = [
    "accuracy_against_bytes",
    "require_matplotlib",
    "stability_scatter",
    "training_curve",
    "weights_and_levels",
]
