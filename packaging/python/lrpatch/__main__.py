"""Runs the program in place of this process."""

import os
import sys

from lrpatch import find

if __name__ == "__main__":
    program = find()
    os.execv(program, [program, *sys.argv[1:]])
