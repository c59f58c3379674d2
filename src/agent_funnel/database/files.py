"""The file of a database: rights that are missing, and whether it is on a network share."""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Types of file systems in /proc/self/mounts whose files are on another machine:
NETWORK_TYPES = re.compile(
    r"nfs\d*|cifs|smb\d*|smbfs|ncpfs|afs|ceph|glusterfs|lustre|gfs2|ocfs2|beegfs|9p|davfs"
    r"|fuse\.(sshfs|glusterfs|ceph|s3fs|rclone|davfs\S*|smbnetfs|nfs\S*)"
)
MOUNTS = Path("/proc/self/mounts")
# GetDriveType of a network drive:
DRIVE_REMOTE = 4


def missing_rights(path: Path) -> str | None:
    """Names the rights that this program lacks to write to the database at a path, and whose they are.

    None if none is seen to be missing. SQLite also writes to files next to the database (-wal, -shm), and creates them.
    """
    lacking = list(_lacking(path))
    if not lacking:
        return None
    *others, last = lacking
    named = f"{', '.join(others)} and {last}" if others else last
    return f"The user {user_name()} may not write to {named}."


def _lacking(path: Path) -> Iterator[str]:
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        yield f"the file {path}"
    if path.parent.exists() and not os.access(path.parent, os.W_OK | os.X_OK):
        yield f"the directory {path.parent}"
    for suffix in ("-wal", "-shm", "-run", "-looks"):
        beside = Path(f"{path}{suffix}")
        if beside.exists() and not os.access(beside, os.R_OK | os.W_OK):
            yield f"the file {beside}"


def user_name() -> str:
    """The name of the user who runs this program."""
    if sys.platform != "win32":
        import pwd

        # The environment may still name the user who logged in.
        try:
            return pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            return str(os.geteuid())
    return getpass.getuser()


def network_share(path: Path) -> str | None:
    """Names the network share that a file is on; None if it is on none, or if this system does not tell.

    Linux and Windows tell. On Linux, a file belongs to the mount with the longest path.
    """
    if sys.platform == "win32":
        return _windows_share(path)
    try:
        mounts = MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    return share_among(mounts, path)


def share_among(mounts: str, path: Path) -> str | None:
    """Names the network share of these mounts, written as in /proc/self/mounts, that a file is on."""
    resolved, found = path.resolve(), None
    longest = -1
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        # A blank in a path is written as \040.
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1]))
        # Of several mounts in one place, the last one is on top.
        if len(point.parts) >= longest and resolved.is_relative_to(point):
            longest = len(point.parts)
            found = f"{fields[2]}, {point}" if NETWORK_TYPES.fullmatch(fields[2]) else None
    return found


def _windows_share(path: Path) -> str | None:
    drive = path.absolute().drive
    if drive.startswith("\\\\"):
        return drive
    if sys.platform == "win32":
        import ctypes

        if ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == DRIVE_REMOTE:
            return f"network drive {drive}"
    return None
