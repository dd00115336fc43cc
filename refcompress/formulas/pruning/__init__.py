"""Which neurons are unimportant, and what their removal does to the arrays (P1 to P4)."""
