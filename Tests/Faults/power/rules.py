"""What each kind of file system promises about a power loss.

`ordered` is ext4 as it is mounted by default, data=ordered. Its journal makes changes of metadata
durable in their order, and a commit takes all that are pending (Documentation/filesystems/ext4:
journal.rst). A block that a write allocates is on the disk before the metadata that refer to it
(data=ordered). Blocks that a write overwrites are under no order. `fsync` commits the journal. A
rename over an existing file first allocates the new file's blocks (auto_da_alloc).

`xfs` logs metadata in their order too, and writes the size of a file only after its data
(xfs_end_io). `fsync` forces the log up to the last change of that inode, and no further
(xfs_file_fsync). A rename does not wait for data.

`none` promises nothing but this. `fsync` of a file makes its data and its inode durable, not its
name; `fsync` of a folder makes its names durable, not what they name. A rename is not lost
halfway: the old name does not go before the new one is there. Blocks that were allocated and never
written hold what was there before. Changes of the size and of the block map of one file keep their
order; no file system that inserts blocks is known to break it.

On all of them inserting and removing blocks is a sequence of transactions: each moves an extent,
and the size changes first or last, so that no data lie beyond it (xfs_insert_file_space and
xfs_collapse_file_space in fs/xfs/xfs_bmap_util.c; ext4_ext_shift_extents in fs/ext4/extents.c
restarts its transaction when its credits are used up).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """The promises of a file system."""

    name: str
    # Whether all changes of metadata become durable in their order.
    keeps_order: bool
    # Whether a synced file makes all earlier changes of metadata durable, or only its own and those before.
    commits_all: bool = False
    # Whether a rename over an existing file writes the data of the new file first.
    writes_before_rename: bool = False


RULES = {
    "ordered": Rule("ordered", keeps_order=True, commits_all=True, writes_before_rename=True),
    "xfs": Rule("xfs", keeps_order=True),
    "none": Rule("none", keeps_order=False),
}
