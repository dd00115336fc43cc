"""One BLAS thread is the command line's default, and the user's word counts more."""

import os
import subprocess
import sys

import pytest

PROGRAM = (
    "import os, sys; from refcompress import cli; assert 'numpy' not in sys.modules; "
    "cli.main(['formulas', 'relu']); print(os.environ['OPENBLAS_NUM_THREADS'])"
)


@pytest.mark.parametrize(("given", "used"), [(None, "1"), ("2", "2")])
def test_blas_threads(given, used):
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_NUM_THREADS"}
    environment |= {} if given is None else {"OPENBLAS_NUM_THREADS": given}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1:] == [used], done.stderr
