"""Vectors for programs in other languages, as the contents of files: JSON, NumPy, a C header, $readmemh."""

from collections.abc import Callable

from refcompress.conformance.exports import c_header, json_files, npz, readmemh
from refcompress.conformance.suite import Suite, find_function, stems, suite

__all__ = ["FORMATS", "files"]

FORMATS: dict[str, Callable[[Suite], dict[str, bytes]]] = {
    "json": json_files.files,
    "npz": npz.files,
    "c": c_header.files,
    "readmemh": readmemh.files,
}


def files(format: str, formula: str | None = None, convention: str | None = None) -> dict[str, bytes]:
    """Return the names and the contents of the files that hold a formula's cases.

    Parameters
    ----------
    format : {"json", "npz", "c", "readmemh"}
    formula : str, optional
        A stem, "stem.function", or None for all stems.
    convention : str, optional
        Only the cases of this one.

    Raises
    ------
    ValueError
        If there is no such format or formula, or the formula has no such convention.

    Examples
    --------
    >>> sorted(files("c", "packing"))
    ['packing.h']
    """
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    chosen = [suite(stem) for stem in stems()] if formula is None else [find_function(formula)[0]]
    if formula is not None and "." in formula:
        chosen = [found.only(functions=(find_function(formula)[1].name,)) for found in chosen]
    if convention is not None:
        accepted = sorted(
            {name for found in chosen for function in found.functions.values() for name in function.conventions}
        )
        if convention not in accepted:
            raise ValueError(f"convention must be one of {', '.join(accepted)}, got {convention!r}")
        chosen = [found.only(convention=convention) for found in chosen]
    contents: dict[str, bytes] = {}
    for found in chosen:
        if found.cases:
            contents |= FORMATS[format](found)
    return contents
