"""From floats to integers of b bits and back (Q1 to Q4)."""
