"""Finds out which type of file system a path is on, and whether file locks are reliable there.

On a local disk, the kernel manages ``flock`` locks and releases them when their holder dies. On NFS and SMB,
a lock is either a byte-range lock on the server or valid only on this machine (flock(2), nfs(5):
``local_lock``). On FUSE, a lock is valid only on this machine unless the file system handles locks itself. If
a lock is valid only on this machine, a second machine may hold the same lock.
"""

import re
from pathlib import Path
from typing import Final

#: The kernel's list of mounted file systems, which exists only on Linux.
MOUNTINFO: Final = Path("/proc/self/mountinfo")
#: File system types that only one machine mounts at a time. That machine's kernel manages the locks.
LOCAL_TYPES: Final = frozenset(
    {
        "aufs",
        "bcachefs",
        "btrfs",
        "exfat",
        "ext2",
        "ext3",
        "ext4",
        "f2fs",
        "jfs",
        "nilfs2",
        "ntfs3",
        "overlay",
        "ramfs",
        "reiserfs",
        "rootfs",
        "tmpfs",
        "ubifs",
        "vfat",
        "xfs",
        "zfs",
    }
)
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def detect_file_system(path: Path, mountinfo: Path = MOUNTINFO) -> str:
    """Return the type of the file system that contains a path, or "" if it can't be determined."""
    try:
        lines = mountinfo.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    place, deepest, found = path.resolve(), -1, ""
    for line in lines:
        # The fields are those in proc(5): ID, parent, device, root, mount point, options, optional fields,
        # "-", type, source, …
        mount, _, rest = line.partition(" - ")
        fields, kind = mount.split(" "), rest.partition(" ")[0]
        if len(fields) < 5 or not kind:
            continue
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        # If several file systems are mounted at the same path, the last one hides the others.
        if place.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, found = len(point.parts), kind
    return found


def is_local(kind: str) -> bool:
    """Return whether locks are reliable on this type of file system. Return False if the type is unknown."""
    return kind in LOCAL_TYPES
