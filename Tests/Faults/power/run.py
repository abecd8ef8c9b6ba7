"""A recorded run as steps, each of which a power loss may or may not have made durable.

A step changes metadata: a name, a size, the block map. Writing a block is another matter: the block
has one version for each write to it. A step that gives a new block to a file may be late, whatever
the order of the others, because file systems allocate blocks when they write them back.
"""

import os
from dataclasses import dataclass, field

from disk import BLOCK, Contents, Disk, Inode

# What a block held before it was allocated to a file, on file systems that would show it.
STALE = bytes(range(256)) * (BLOCK // 256)
# How many extents the moved part of a file is taken to have.
EXTENTS = 4


@dataclass
class Step:
    """A change of metadata by one call."""

    op: int
    # The inodes that it changes.
    inodes: tuple
    # Changes a disk.
    apply: object
    # What keeps an order of its own where the file system keeps none: a name or an inode.
    place: tuple
    # Whether it may come later than its place in the order.
    is_late: bool = False
    # For a name that goes because of a rename: the step that makes the other name.
    after: "Step" = None
    # For a name that is made: the folder, the name and what it names.
    entry: tuple = None


@dataclass
class Block:
    """A block of the disk: its contents before the run, and after each write to it."""

    inode: int
    versions: list = field(default_factory=list)  # (op, contents)
    is_new: bool = False


class Run:
    """The steps and blocks of a recorded run.

    In the disks of a run, a file's blocks are the indices of `blocks`.
    """

    def __init__(self, base, contents, records, folder, dropped=()):
        self.contents = contents
        self.folder = folder
        self.numbers = {}  # an inode of the machine as an inode of the disk
        self.next_inode = 1
        self.blocks = []
        self.steps = []
        self.syncs = []  # (op, inode)
        self.replacements = []  # (op, inode): a rename over another file
        self.base = self.adopt(base)
        self.now = self.base.copy()
        syncs = 0
        self.op = 0
        for record in records:
            if record.name == "fsync":
                syncs += 1
                if syncs in dropped:
                    continue
            if self.play(record):
                self.op += 1
        self.ops = self.op

    def adopt(self, disk):
        """The disk before the run, with blocks in place of contents."""
        result = Disk(self.inode(disk.root))
        for number, inode in disk.inodes.items():
            copy = inode.copy()
            copy.entries = {name: self.inode(child) for name, child in inode.entries.items()}
            copy.blocks = [None if data is None else self.block(number, data) for data in inode.blocks]
            result.inodes[self.inode(number)] = copy
        return result

    def inode(self, number):
        if number not in self.numbers:
            self.numbers[number] = self.next_inode
            self.next_inode += 1
        return self.numbers[number]

    def block(self, inode, data, is_new=False):
        self.blocks.append(Block(self.inode(inode), [(-1, data)], is_new))
        return len(self.blocks) - 1

    # MARK: Calls

    def play(self, record):
        """Performs a call. Returns whether it concerns the tree."""
        if record.path and self.place(record.path) is None:
            return False
        if not record.path and record.name != "create" and record.inode not in self.numbers:
            return False
        getattr(self, "play_" + record.name)(record)
        return True

    def place(self, path):
        """The folder's inode and the name of an entry, or None outside the tree."""
        relative = os.path.relpath(path, self.folder)
        if relative in (".", "..") or relative.startswith("../"):
            return None
        *folders, name = relative.split("/")
        number = self.now.root
        for folder in folders:
            number = self.now.inodes[number].entries[folder]
        return number, name

    def step(self, inodes, apply, place, **more):
        step = Step(self.op, tuple(inodes), apply, place, **more)
        self.steps.append(step)
        apply(self.now)
        return step

    def enter(self, folder, name, number, inodes=()):
        def apply(disk):
            disk.inodes[folder].entries[name] = number

        return self.step(
            (folder, number, *inodes), apply, ("name", folder, name), entry=(folder, name, number)
        )

    def leave(self, folder, name, number, after=None):
        def apply(disk):
            if disk.inodes[folder].entries.get(name) == number:
                del disk.inodes[folder].entries[name]

        return self.step((folder, number), apply, ("name", folder, name), after=after)

    def play_create(self, record, is_folder=False):
        self.numbers.pop(record.inode, None)
        number = self.inode(record.inode)
        made = Inode(record.a, is_folder)
        # An inode without a name is nowhere, so it may exist from the beginning.
        self.base.inodes[number] = made
        self.now.inodes[number] = made.copy()
        self.enter(*self.place(record.path), number)

    def play_mkdir(self, record):
        self.play_create(record, is_folder=True)

    def play_rename(self, record):
        (old_folder, old), (folder, name) = self.place(record.path), self.place(record.second)
        number = self.now.inodes[old_folder].entries[old]
        replaced = self.now.inodes[folder].entries.get(name)
        if replaced is not None:
            self.replacements.append((self.op, number))
        entered = self.enter(folder, name, number, () if replaced is None else (replaced,))
        self.leave(old_folder, old, number, after=entered)

    def play_link(self, record):
        (folder, name), (other_folder, other) = self.place(record.path), self.place(record.second)
        self.enter(other_folder, other, self.now.inodes[folder].entries[name])

    def play_unlink(self, record):
        folder, name = self.place(record.path)
        self.leave(folder, name, self.now.inodes[folder].entries[name])

    play_rmdir = play_unlink

    def play_chmod(self, record):
        number = self.inode(record.inode)

        def apply(disk):
            disk.inodes[number].mode = record.a

        self.step([number], apply, ("inode", number))

    def play_truncate(self, record):
        number = self.inode(record.inode)
        inode = self.now.inodes[number]
        if record.a < inode.size and record.a % BLOCK and inode.blocks[record.a // BLOCK] is not None:
            # The rest of the last block is cleared.
            self.write(inode, number, record.a, bytes(BLOCK - record.a % BLOCK), clears=True)
        self.step([number], lambda disk: disk.inodes[number].resize(record.a), ("inode", number))

    def play_insert(self, record):
        number, start, count = self.inode(record.inode), record.a // BLOCK, record.b // BLOCK
        place = ("inode", number)
        end = len(self.now.inodes[number].blocks)
        self.step([number], lambda disk: grow(disk.inodes[number], record.b), place)
        for low, high in reversed(extents(start, end)):
            self.step([number], lambda disk, low=low, high=high: disk.inodes[number].move(low, high, count), place)

    def play_collapse(self, record):
        number, start, count = self.inode(record.inode), record.a // BLOCK, record.b // BLOCK
        place = ("inode", number)
        end = len(self.now.inodes[number].blocks)
        self.step([number], lambda disk: punch(disk.inodes[number], start, count), place)
        for low, high in extents(start + count, end):
            self.step([number], lambda disk, low=low, high=high: disk.inodes[number].move(low, high, -count), place)
        self.step([number], lambda disk: grow(disk.inodes[number], -record.b), place)

    def play_write(self, record):
        number = self.inode(record.inode)
        self.write(self.now.inodes[number], number, record.a, record.data)

    def write(self, inode, number, offset, data, clears=False):
        """Gives each block that is written a new version, and a place if it has none."""
        for start in range(offset - offset % BLOCK, offset + len(data), BLOCK):
            low, high = max(start, offset), min(start + BLOCK, offset + len(data))
            index = start // BLOCK
            block = inode.blocks[index] if index < len(inode.blocks) else None
            is_new = block is None
            if is_new:
                block = len(self.blocks)
                self.blocks.append(Block(number, [(-1, self.contents.number(b""))], True))
            old = bytearray(self.contents.all[self.blocks[block].versions[-1][1]])
            old[low - start : high - start] = data[low - offset : high - offset]
            self.blocks[block].versions.append((self.op, self.contents.number(old)))
            if is_new or high > inode.size and not clears:
                self.step([number], attach(number, index, block, high), ("inode", number), is_late=True)

    def play_fsync(self, record):
        self.syncs.append((self.op, self.inode(record.inode)))


def attach(number, index, block, end):
    def apply(disk):
        inode = disk.inodes[number]
        if end > inode.size:
            inode.resize(end)
        inode.blocks[index] = block

    return apply


def grow(inode, count):
    inode.resize(inode.size + count)


def punch(inode, start, count):
    inode.blocks[start : start + count] = [None] * count


def extents(start, end):
    """Cuts the blocks from `start` to `end` into a few extents."""
    cuts = sorted({start + (end - start) * number // EXTENTS for number in range(EXTENTS + 1)})
    return list(zip(cuts, cuts[1:]))
