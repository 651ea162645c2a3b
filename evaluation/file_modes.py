"""Permissions of what is written: those of the umask, for every file."""

import stat
from pathlib import Path


def apply_umask(folder: Path) -> None:
    """Gives the files of a folder the permissions that a new file gets there: some libraries keep theirs private."""
    probe = folder / ".mode"
    probe.touch()
    mode = stat.S_IMODE(probe.stat().st_mode)
    probe.unlink()
    for path in folder.iterdir():
        path.chmod(mode)
