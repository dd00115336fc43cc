"""Speed beside other libraries, in one process and on the same numbers: `python -m tests.benchmarks --help`."""
