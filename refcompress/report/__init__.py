"""Tables and pictures of what the main job did."""

from refcompress.report.pictures import (
    accuracy_against_bytes,
    require_matplotlib,
    stability_scatter,
    training_curve,
    weights_and_levels,
)
from refcompress.report.tables import layer_table, ledger_table, recipe, stage_table, tensor_table

__all__ = [
    "accuracy_against_bytes",
    "layer_table",
    "ledger_table",
    "recipe",
    "require_matplotlib",
    "stability_scatter",
    "stage_table",
    "tensor_table",
    "training_curve",
    "weights_and_levels",
]
