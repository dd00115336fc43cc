"""What is measured: one file a subject."""

from collections.abc import Callable, Iterator

from tests.benchmarks.context import Context
from tests.benchmarks.result import Figure
from tests.benchmarks.subjects import (
    autograd_step,
    blas_threads,
    conventions,
    epoch,
    growth,
    history,
    inference,
    integer_product,
    matrix_products,
    packing,
    processes,
    quantization,
    removed,
    sparse,
    training_step,
)

SUBJECTS: dict[str, Callable[[Context], Iterator[Figure]]] = {
    "training_step": training_step.figures,
    "autograd_step": autograd_step.figures,
    "matrix_products": matrix_products.figures,
    "inference": inference.figures,
    "history": history.figures,
    "epoch": epoch.figures,
    "quantization": quantization.figures,
    "conventions": conventions.figures,
    "packing": packing.figures,
    "integer_product": integer_product.figures,
    "sparse": sparse.figures,
    "removed": removed.figures,
    "growth": growth.figures,
    "blas_threads": blas_threads.figures,
    "processes": processes.figures,
}
