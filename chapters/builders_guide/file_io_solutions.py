# %% [markdown]
# # Saving and loading: solutions

# %%
import hashlib
import json
import struct

import numpy as np
from d2l_chapters.builders_guide.file_io import encode, fresh

# %% [markdown]
# ## 1. One array of many
#
# The table tells where to look, so one needs to touch the table and the array's own bytes. On a file of many
# gigabytes one would use `seek` instead of a slice, or map the file into memory; the format was made for that.


# %%
KINDS = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}


def read_one(data, name):
    """Fetch one array from the bytes of a safetensors file."""
    (length,) = struct.unpack("<Q", data[:8])
    table = json.loads(data[8 : 8 + length])
    if name == "__metadata__":
        raise KeyError(name)
    entry = table[name]
    start, end = (8 + length + place for place in entry["data_offsets"])
    if end > len(data):
        raise ValueError(f"The file ends before the numbers of {name}.")
    return np.frombuffer(data[start:end], KINDS[entry["dtype"]]).reshape(entry["shape"])


# %% [markdown]
# ## 2. Are these the same weights?
#
# A cryptographic hash of all bytes that matter, in an order that does not depend on the dictionary. The name, the
# type and the shape go in with the length of their text, so that nothing can slide from one into the other: without
# it, the names "a", "bc" and "ab", "c" would give the same stream.


# %%
def fingerprint(state):
    """A text by which arrays with names can be recognised."""
    digest = hashlib.sha256()
    for name in sorted(state):
        array = np.asarray(state[name])
        head = f"{name}|{array.dtype.str}|{array.shape}".encode()
        digest.update(struct.pack("<Q", len(head)) + head + array.tobytes())  # tobytes is in row-major order
    return digest.hexdigest()


# %%
if __name__ == "__main__":
    state = fresh()[0].state_dict()
    print(fingerprint(state))
    print(read_one(encode(state), "0.bias"))

# %% [markdown]
# ## 3. Without `fsync`
#
# The operating system collects what is written and brings it to the disk when it suits it, and names and contents
# need not go in the order of the program. After a power cut the new *name* may have reached the disk and the new
# *bytes* not: the file then has its right name and no contents, or zeros, and the old one is gone. `fsync` waits for
# the bytes, so the renaming can only come after them. Whether the new name itself is on the disk when the program goes
# on is another question, for which POSIX systems have `fsync` on the folder; without it one may find the old file after
# a power cut, but a whole one.

# %% [markdown]
# ## 4. Half precision, rounded twice
#
# No: what has 11 binary digits once is a number that 11 digits hold exactly. Rounding it again changes nothing. Only
# a calculation in between produces new digits to lose.

# %%
if __name__ == "__main__":
    weights = state["0.weight"]
    once = weights.astype(np.float16).astype(np.float32)
    twice = once.astype(np.float16).astype(np.float32)
    print(f"first time {np.abs(once - weights).max():.1e}, second time {np.abs(twice - once).max():.1e}")

# %% [markdown]
# ## 5. What else has a state?
#
# The state of the generator, as it was before the next batch is drawn: for NumPy's generators,
# `generator.bit_generator.state`, a dictionary of whole numbers that JSON holds. If several processes prepare batches
# in advance, each has a generator, and what they have prepared and nobody has used yet must be drawn again. It is
# much simpler to compute the batch from the number of the step.

# %%
if __name__ == "__main__":
    generator = np.random.Generator(np.random.PCG64(0))
    generator.permutation(5)
    kept = json.dumps(generator.bit_generator.state)
    expected = generator.permutation(5)
    resumed = np.random.Generator(np.random.PCG64(1))
    resumed.bit_generator.state = json.loads(kept)
    print(expected, resumed.permutation(5))
