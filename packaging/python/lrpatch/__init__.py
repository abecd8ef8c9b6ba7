"""The program lrpatch as a Python package: `find` returns its path, `python -m lrpatch` runs it."""

import os
import sysconfig


def find() -> str:
    """The path of the program that was installed with this package."""
    folders = [
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", "posix_user"),
        # Where `pip install --target` puts it.
        os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bin"),
    ]
    for folder in folders:
        program = os.path.join(folder, "lrpatch")
        if os.path.isfile(program):
            return program
    raise FileNotFoundError("the program lrpatch is in none of " + ", ".join(folders))
