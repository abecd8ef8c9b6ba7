"""A folder in which states are put on this machine's file system, and the program runs on them."""

import hashlib
import os
import re
import shutil
import subprocess

import log
from disk import BLOCK, TEMPORARY, Contents, Disk

JOURNAL = ".lrpatch-journal"
# What stands for a folder among mode and bytes of files.
FOLDER = (0, None)


class Bench:
    """The folder `m` of a scratch folder, which holds the files that a power loss strikes."""

    def __init__(self, scratch, program, libraries, inserts):
        self.scratch = scratch
        self.folder = f"{scratch}/m"
        self.program = program
        self.libraries = libraries
        self.inserts = inserts
        # The states on which a long command has run already.
        self.judged = []
        self.clear()

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)

    def run(self, command, record_to=None):
        """Runs the program, with `m/` in front of paths in the bench's folder."""
        preloaded = [f"{self.libraries}/recorder.so"]
        environment = dict(os.environ, RECORD_EMULATE="1")
        if not self.inserts:
            preloaded.insert(0, f"{self.libraries}/faults.so")
            environment["FAULT_NO_INSERT"] = "1"
        if record_to:
            environment["RECORD_LOG"] = record_to
        environment["LD_PRELOAD"] = " ".join(preloaded)
        arguments = [re.sub("^m/", self.folder + "/", argument) for argument in command]
        return subprocess.run(
            [self.program, *arguments],
            capture_output=True,
            text=True,
            env=environment,
            cwd=self.scratch,
            timeout=600,
        )

    def record(self, command):
        """Runs a command, and returns its result, the disk before it, the contents and the records."""
        contents = Contents()
        disk = Disk.scan(self.folder, contents)
        path = f"{self.scratch}/log"
        open(path, "w").close()
        result = self.run(command, path)
        return result, disk, contents, log.read(path)

    def put(self, state, run):
        """Makes the folder hold a state."""
        self.clear()
        data = run.contents.all
        journals = []
        places = {}
        for (path, mode, is_folder, size, blocks), number in zip(state.files, state.inodes):
            path = self.folder + path
            if is_folder:
                os.mkdir(path)
                continue
            with open(path, "wb") as file:
                if None in blocks:
                    for index, block in enumerate(blocks):
                        if block is not None:
                            os.pwrite(file.fileno(), data[block], index * BLOCK)
                else:
                    file.write(b"".join([data[block] for block in blocks]))
                file.truncate(size)
                os.fchmod(file.fileno(), mode)
            places[number] = os.stat(path).st_ino
            if path.endswith(JOURNAL):
                journals.append(path)
        for path in journals:
            renumber(path, {old: places.get(number, 0) for old, number in run.numbers.items()})

    def tree(self):
        """The contents of the folder without temporary files: mode and bytes by path."""
        result = {}
        for folder, folders, names in os.walk(self.folder):
            for name in folders:
                result[os.path.relpath(f"{folder}/{name}", self.folder)] = FOLDER
            for name in names:
                if TEMPORARY not in name:
                    path = f"{folder}/{name}"
                    with open(path, "rb") as file:
                        result[os.path.relpath(path, self.folder)] = (os.stat(path).st_mode, file.read())
        return {path: value for path, value in result.items() if TEMPORARY not in path}


def renumber(path, inodes):
    """Gives the files in a sound journal the numbers of the inodes that stand for them now."""
    with open(path, "rb") as file:
        text, separator, end = file.read().rpartition(b"\n")[0].rpartition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != end:
        return
    text = re.sub(rb'"inode":(\d+)', lambda match: b'"inode":%d' % inodes.get(int(match[1]), 0), text)
    with open(path, "wb") as file:
        file.write(text + b"\n" + hashlib.sha256(text).hexdigest().encode() + b"\n")
