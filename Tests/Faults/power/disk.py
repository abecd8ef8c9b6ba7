"""A file system in memory: inodes with blocks, and folders with names.

The contents of a block are interned, so that two equal blocks have the same number. A block is None
where the file has a hole.
"""

import os
from dataclasses import dataclass, field

BLOCK = 4096
SECTOR = 512
TEMPORARY = ".lrpatch-tmp-"


class Contents:
    """Numbers for the contents of blocks."""

    def __init__(self):
        self.all = []
        self.numbers = {}

    def number(self, data):
        data = bytes(data).ljust(BLOCK, b"\0")
        if data not in self.numbers:
            self.numbers[data] = len(self.all)
            self.all.append(data)
        return self.numbers[data]


@dataclass
class Inode:
    """A file with its blocks, or a folder with its entries."""

    mode: int
    is_folder: bool = False
    size: int = 0
    blocks: list = field(default_factory=list)
    entries: dict = field(default_factory=dict)

    def copy(self):
        return Inode(self.mode, self.is_folder, self.size, self.blocks[:], dict(self.entries))

    def resize(self, size):
        """Cuts the file, or extends it with a hole."""
        count = -(-size // BLOCK)
        del self.blocks[count:]
        self.blocks += [None] * (count - len(self.blocks))
        self.size = size

    def move(self, start, end, distance):
        """Moves blocks, and leaves holes where they were."""
        moved = self.blocks[start:end]
        self.blocks[start:end] = [None] * len(moved)
        self.blocks += [None] * (start + distance + len(moved) - len(self.blocks))
        self.blocks[start + distance : end + distance] = moved


class Disk:
    """The inodes of a tree. The root is a folder."""

    def __init__(self, root):
        self.root = root
        self.inodes = {}

    def copy(self):
        result = Disk(self.root)
        result.inodes = {number: inode.copy() for number, inode in self.inodes.items()}
        return result

    @staticmethod
    def scan(folder, contents):
        """The tree below a folder of this machine, and the folder's path by inode."""
        disk = Disk(os.lstat(folder).st_ino)
        disk.add(folder, contents)
        return disk

    def add(self, path, contents):
        status = os.lstat(path)
        inode = Inode(status.st_mode & 0o7777, os.path.isdir(path))
        self.inodes[status.st_ino] = inode
        if inode.is_folder:
            for name in os.listdir(path):
                inode.entries[name] = self.add(os.path.join(path, name), contents)
            return status.st_ino
        with open(path, "rb") as file:
            inode.resize(status.st_size)
            for index in file_blocks(file, status.st_size):
                inode.blocks[index] = contents.number(os.pread(file.fileno(), BLOCK, index * BLOCK))
        return status.st_ino

    def files(self):
        """The tree as a sorted list of (path, inode number)."""
        result = []

        def walk(number, path):
            result.append((path, number))
            inode = self.inodes[number]
            for name in sorted(inode.entries):
                walk(inode.entries[name], f"{path}/{name}")

        walk(self.root, "")
        return result[1:]


def file_blocks(file, size):
    """The indices of the blocks of a file that are not holes."""
    offset = 0
    while offset < size:
        try:
            start = os.lseek(file.fileno(), offset, os.SEEK_DATA)
        except OSError:
            return
        offset = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        yield from range(start // BLOCK, -(-offset // BLOCK))
