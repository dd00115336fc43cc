"""Decisions: which neurons go, how the rest is quantized, and the whole job from data to file. Holds no formula."""

from refcompress.compress.criterion import Criterion, LayerStability, score_layers
from refcompress.compress.options import Options
from refcompress.compress.pipeline import compress, input_images, prepare_data
from refcompress.compress.quantize import Scheme, quantize_model
from refcompress.compress.remove import remove_neurons
from refcompress.compress.result import LayerReport, Progress, Result, Stage

__all__ = [
    "Criterion",
    "LayerReport",
    "LayerStability",
    "Options",
    "Progress",
    "Result",
    "Scheme",
    "Stage",
    "compress",
    "input_images",
    "prepare_data",
    "quantize_model",
    "remove_neurons",
    "score_layers",
]
