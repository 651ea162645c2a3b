"""One training at a time in a directory: a lock that ends with its process, however that ends."""

import errno
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_FILE = ".run.lock"
TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)  # of some file systems of networks


@contextmanager
def locked(directory: str | Path) -> Iterator[None]:
    """Holds a directory: nobody else gets into this context for it, in this process or another, on any machine.

    The file `.run.lock` stays behind in the directory and says nothing; the system frees the lock of a killed process.

    Raises:
        ValueError: another process holds the directory.
        OSError: no file can be written there.
    """
    path = Path(directory, LOCK_FILE)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor, directory)
            # another process may have removed the file, with a directory that it gave up, before it was locked
            if sys.platform != "win32" and not _is_at(path, descriptor):
                continue
            yield
            return
        finally:
            os.close(descriptor)


def remove_lock(directory: str | Path, and_directory: bool = False) -> None:
    """Removes the file of a directory that is held, and on request the directory, where nothing else is in it."""
    with suppress(OSError):  # where a file that is open cannot be removed
        os.unlink(Path(directory, LOCK_FILE))
        if and_directory:
            os.rmdir(directory)


def _lock(descriptor: int, directory: str | Path) -> None:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in TAKEN:
            raise ValueError(
                f"another process is training into --output_dir {directory}; wait for its end, or name a new directory"
            ) from error
        if error.errno not in NO_LOCKS:
            raise
        warnings.warn(
            f"the file system of {directory} has no locks ({error.strerror}): train nothing else into it meanwhile",
            stacklevel=4,
        )


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
