"""One BLAS thread, set before NumPy is imported: on a busy machine threads that wait for each other take minutes."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
