"""Memory that is freed is found again."""

import platform
import subprocess
import sys

PROGRAM = """
import resource
import numpy as np
from d2l_core._allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        arrays = [np.ones(2**17) for _ in range(16)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given = faults()
keep_freed_memory()
faults()
print(given, faults())
"""


def test_steps_find_what_the_last_one_has_freed():
    """Ten times 16 MB are 40,960 pages of 4 KB; where another C library is at work, nothing is promised."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, timeout=120)
    given, kept = map(int, done.stdout.split())
    if platform.libc_ver()[0] == "glibc":
        assert given > 10_000
        assert kept < 1_000
