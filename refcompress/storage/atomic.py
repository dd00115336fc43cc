"""Files that are either whole or not there: written beside, then renamed."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_beside(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that no reader, and no interruption, ever sees half of it.

    Parameters
    ----------
    path : path
        Its folder must exist; a file of that name is replaced at once.
    data : bytes

    Raises
    ------
    OSError
        If the folder does not take a file, or `path` is a folder.
    """
    path = Path(path)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(beside, 0o666 & ~umask)  # noqa: PTH101 - mkstemp's 0600 would hide the file from others
        os.replace(beside, path)  # noqa: PTH105
    except BaseException:  # Ctrl-C too
        with contextlib.suppress(OSError):
            os.unlink(beside)  # noqa: PTH108
        raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise ValueError unless `write_beside` could write this file now; leaves nothing behind."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"output must be a file, got the folder {str(path)!r}")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ValueError(
            f"output must be in a folder that can be written, got {str(path)!r}: {error.strerror}"
        ) from None
