"""The book: pure functions, arrays in and arrays out, one formula in one file."""
