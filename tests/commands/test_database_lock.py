"""Tests that doctor warns if the database's lock may be unreliable."""

import pytest

from bot.commands import store_checks
from bot.support import mounts


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "virtiofs", "ceph"])
def test_database_on_a_network_file_system_is_a_warning(tmp_path, kind):
    """The last mount on the deepest path counts, however the path is written."""
    listed, folder = tmp_path / "mountinfo", tmp_path / "on the net"
    folder.mkdir()
    escaped = str(folder).replace(" ", "\\040")
    listed.write_text(
        "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        f"40 27 254:1 / {escaped} rw,relatime - xfs /dev/vdb rw\n"
        f"41 27 0:45 / {escaped} rw,relatime shared:9 master:2 - {kind} nas:/usher rw\n"
        "odd\n"
    )
    (check,) = store_checks.check_lock(folder / "usher.db", listed)
    assert (check.is_good, check.is_warning) == (True, True)
    assert f"usher.db is on {kind}, where a second machine may serve from it" in check.found
    assert "a disk of this machine" in check.advice
    assert store_checks.check_lock(tmp_path / "usher.db", listed) == []


def test_lock_is_not_relied_on_where_nothing_says_what_is_mounted(tmp_path):
    kind = mounts.detect_file_system(tmp_path / "usher.db", tmp_path / "no list")
    assert (kind, mounts.is_local(kind)) == ("", False)
    assert store_checks.check_lock(tmp_path / "usher.db", tmp_path / "no list") == []
