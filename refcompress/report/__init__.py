"""Tables and pictures of what the main job did."""

from refcompress.report.html import check_report, report_html, write_report
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
    "check_report",
    "layer_table",
    "ledger_table",
    "recipe",
    "report_html",
    "require_matplotlib",
    "stability_scatter",
    "stage_table",
    "tensor_table",
    "training_curve",
    "weights_and_levels",
    "write_report",
]
