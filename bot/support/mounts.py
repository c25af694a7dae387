"""File systems: the type of what a path is on, and whether locks on files there can be relied on.

On a local disk ``flock`` is the kernel's own, and free when its holder has died. NFS and SMB make it a lock
of byte ranges at the server, or one of this machine alone (flock(2), nfs(5): ``local_lock``), and FUSE has
locks of this machine alone unless a file system asks for others: a second machine may hold the same lock.
"""

import re
from pathlib import Path
from typing import Final

#: The kernel's list of what is mounted where; only Linux has it.
MOUNTINFO: Final = Path("/proc/self/mountinfo")
#: File systems that one machine alone has mounted, and whose locks its kernel keeps.
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
    """Return the type of the file system that a path is on, "" if this machine doesn't say."""
    try:
        lines = mountinfo.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    place, deepest, found = path.resolve(), -1, ""
    for line in lines:
        # proc(5): ID, parent, device, root, mount point, options, optional fields, "-", type, source, …
        mount, _, rest = line.partition(" - ")
        fields, kind = mount.split(" "), rest.partition(" ")[0]
        if len(fields) < 5 or not kind:
            continue
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        # What was mounted last on a place covers what was there.
        if place.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, found = len(point.parts), kind
    return found


def is_local(kind: str) -> bool:
    """Return whether locks on a file system of this type can be relied on; of an unknown one nobody knows."""
    return kind in LOCAL_TYPES
