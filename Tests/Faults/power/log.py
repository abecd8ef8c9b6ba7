"""The records of a run, as recorder.c writes them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """A call that changed a file or made it durable. recorder.c says what `a` and `b` are."""

    name: str
    inode: int
    a: int
    b: int
    path: str
    second: str
    data: bytes


def read(path):
    """All records of a log, in the order in which they took effect."""
    records = []
    with open(path, "rb") as file:
        while line := file.readline():
            name, inode, a, b, *lengths = line.decode().split()
            first, second, data = (file.read(int(length)) for length in lengths)
            records.append(Record(name, int(inode), int(a), int(b), first.decode(), second.decode(), data))
    return records
