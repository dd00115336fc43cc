"""Tables for a terminal: cells in aligned columns."""

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]], left: int) -> str:
    """Line up the cells of all rows in columns, two spaces apart.

    Parameters
    ----------
    rows : sequence of rows of str
        All of one length; the first is the header.
    left : int
        So many columns, from the first on, are aligned to the left; the others to the right.

    Returns
    -------
    str, a line for every row, without a newline at the end.

    Raises
    ------
    ValueError
        If the rows differ in length.

    Examples
    --------
    >>> print(columns([("node", "MACs"), ("fc1", "12,345")], left=1))
    node    MACs
    fc1   12,345
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i < left else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
