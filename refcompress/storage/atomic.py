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
    path = Path(os.path.realpath(path))  # a link stays a link
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
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
    name = os.fspath(path)
    try:
        path = Path(os.path.realpath(name))
        with contextlib.suppress(FileNotFoundError):
            path.lstat()  # says so where no file can have this name
        if path.is_dir() or not path.name:
            raise ValueError("it is a folder")
        if path.exists() and not path.is_file():
            raise ValueError("it is no regular file")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"output must be a file that can be written, got {name!r}: {reason}") from None
