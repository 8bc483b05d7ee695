# /// lesson
# name = "file-io"
# title = "Saving and loading"
# sections = ["6.6"]
# needs = ["linear-regression", "layers-and-modules"]
# data = ["airfoil"]
# [time]
# smoke = "4 s"
# standard = "5 s"
# full = "1 min"
# [promises]
# full = [
#   "lesson: differences_format <= 0", "lesson: gap_reloaded <= 0", "lesson: gap_backends <= 1e-5",
#   "lesson: gap_resumed <= 0", "lesson: gap_forgotten >= 1e-3", "lesson: gap_trainer <= 0",
#   "lesson: old_file_survives >= 1", "lesson: gap_native <= 1e-5",
# ]
# ///

# %% [markdown]
# # Saving and loading
#
# A training has run for two days when the power fails. What is left? Memory forgets; only files remain, and a file
# that was being written at that moment may be half of one. What we want is simple to say: after the failure there is
# a whole file, an old one or a new one; training goes on from it as if nothing had happened, to the last bit; anyone
# can load the weights, with whatever framework; and nobody who loads a file from a stranger runs a stranger's
# program.
#
# Each of these wishes is often not met. We write the file format ourselves, in twenty lines, see how a file is
# replaced safely, and find out what belongs to the state of a training.

# %%
import contextlib
import json
import os
import pickle
import pickletools
import struct
import tempfile
from pathlib import Path

import numpy as np
from d2l_chapters.linear_regression.linear_regression import airfoil_arrays, loaders

from d2l_core import adapters, nn, optim, use_backend, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.errors import BackendError, CheckpointError
from d2l_core.interchange import from_native, to_native
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import squared_error
from d2l_core.plots import Diagram
from d2l_core.random import permutation
from d2l_core.training import Trainer

# %% [markdown]
# ## The idea
#
# A model is its program and its numbers. The program is kept as text; what a file has to hold are arrays with names.
# The format *safetensors* does only this. At the front stands the length of a table of contents, then the table as
# JSON text: for each name the type, the shape and the place of the numbers. Then come the numbers themselves, in
# row-major order, without anything in between. One can read it with a text editor up to the point where it becomes
# numbers, and write a reader for it in any language in an hour.


# %%
def diagram_file():
    """The parts of a safetensors file."""
    picture = Diagram(660, 120, "the parts of a safetensors file")
    parts = (
        (10, 100, "length", "8 bytes"),
        (120, 270, "table of contents", 'JSON: {"0.weight": ...}'),
        (400, 120, "0.weight", "32 · 5 · 4 bytes"),
        (530, 110, "0.bias", "32 · 4 bytes"),
    )
    for x, width, label, caption in parts:
        picture.box(x, 20, width, 44, label, caption)
    return picture


# %%
if __name__ == "__main__":
    diagram_file()

# %% [markdown]
# ## The mathematics
#
# **How large is a file?** $8 + h + \sum_i b_i \prod_j s_{ij}$ bytes, where $h$ is the length of the table, $s_{ij}$
# are the extents of array $i$ and $b_i$ is the size of one of its numbers: 4 for float32, 2 for float16. Half the
# bytes have a price: float16 keeps 11 binary digits, so a weight is off by up to $2^{-11} \approx 0.05\,\%$ of itself
# if it is neither huge nor tiny (Goldberg, 1991, tells all about such formats).
#
# **What is the state of a training?** Let $\theta_t$ be the weights after step $t$, $m_t$ what the optimiser
# remembers, $c_t$ the counters of dropout and the like, and $B_t$ the batch. A step is a function
#
# $$(\theta_{t+1}, m_{t+1}, c_{t+1}) = F(\theta_t, m_t, c_t, B_t), \qquad B_t = B(t, \text{seed}).$$
#
# Where all of this is a function, without hidden sources of chance, the run from step $t$ on is determined by
# $(\theta_t, m_t, c_t, t, \text{seed})$, and whoever saves these five can go on to the same bits. Who saves
# $\theta_t$ alone starts another run.
#
# **When is a file whole?** Writing takes many small steps, and power may fail between any two. Renaming is one step:
# the file system promises that a name refers either to the old file or to the new one. So we write the new file
# beside the old one, wait until its bytes are on the disk, and then rename it. At each moment the name leads to a
# whole file.

# %% [markdown]
# ## From scratch

# %%
CODES = {"<f8": "F64", "<f4": "F32", "<f2": "F16", "<i8": "I64", "<i4": "I32", "|b1": "BOOL"}


def encode(arrays):
    """The bytes of a safetensors file that holds NumPy arrays by name."""
    table, blocks, place = {}, [], 0
    for name, array in arrays.items():
        little = np.asarray(array).astype(array.dtype.newbyteorder("<"))
        block = little.tobytes()
        end = place + len(block)
        table[name] = {"dtype": CODES[little.dtype.str], "shape": list(little.shape), "data_offsets": [place, end]}
        blocks.append(block)
        place = end
    text = json.dumps(table).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers begin at a multiple of 8
    return struct.pack("<Q", len(text)) + text + b"".join(blocks)


def decode(data):
    """NumPy arrays by name from the bytes of a safetensors file.

    Raises:
        ValueError: the file is damaged.
    """
    if len(data) < 8:
        raise ValueError("The file ends before its table of contents.")
    (length,) = struct.unpack("<Q", data[:8])
    table, numbers = json.loads(data[8 : 8 + length]), data[8 + length :]
    kinds = {code: kind for kind, code in CODES.items()}
    arrays = {}
    for name, entry in table.items():
        start, end = entry["data_offsets"]
        if name == "__metadata__":
            continue
        if not 0 <= start <= end <= len(numbers):
            raise ValueError(f"The file ends before the numbers of {name}.")
        arrays[name] = np.frombuffer(numbers[start:end], kinds[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def pour(path, data):
    """Write bytes into a file and wait until they are on the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()  # from Python to the operating system
        os.fsync(file.fileno())  # from there to the disk


def write_atomically(path, data, pour=pour):
    """Make `path` a file with these bytes; at each moment it is the old file or the new one."""
    part = path.with_name(f".{path.name}.part")
    try:
        pour(part, data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


# %% [markdown]
# Is it the format? We save a model with our writer and read it with the library's reader, and the other way round. A
# tensor, a dictionary of tensors and a model are no different cases: names and arrays.

# %%
folder = Path(tempfile.gettempdir()) / f"d2l-file-io-{os.getpid()}"


def network():
    """Five measurements of a wing to its noise, over 32 hidden units."""
    return nn.Sequential(nn.Linear(32, 5), nn.Tanh(), nn.Linear(1, 32))


def differences(first, second):
    """How many entries of two dictionaries of arrays differ in name, type or any bit."""
    same = [
        name
        for name in first.keys() & second.keys()
        if first[name].dtype == second[name].dtype and np.array_equal(first[name], second[name])
    ]
    return len(first.keys() | second.keys()) - len(same)


# %%
if __name__ == "__main__":
    folder.mkdir(exist_ok=True)
    model = network().initialise(seed=0)
    state = model.state_dict()  # NumPy copies by path
    write_atomically(folder / "ours.safetensors", encode(state))
    nn.save_weights(folder / "theirs.safetensors", state)
    wrong = differences(nn.read_weights(folder / "ours.safetensors"), state)
    wrong += differences(decode((folder / "theirs.safetensors").read_bytes()), state)
    report(differences_format=wrong, bytes_32=(folder / "ours.safetensors").stat().st_size)
    print((folder / "ours.safetensors").read_bytes()[8:120])

    mixed = {"a tensor": xp.to_numpy(xp.ones((2, 3))), "steps": np.array([7], np.int64), "flag": np.array([True])}
    print({name: array.dtype.name for name, array in decode(encode(mixed)).items()})

# %% [markdown]
# The file has 1,204<!--lesson.bytes_32--> bytes: 225 numbers of four, and the table. Half of it, in float16?

# %%
if __name__ == "__main__":
    (X, y), (X_val, y_val) = (
        tuple(xp.asarray(a, dtype=xp.float_dtype()) for a in pair)
        for pair in airfoil_arrays(permutation(1503, 0, "airfoil"))
    )  # (1000, 5), (1000, 1), (503, 5), (503, 1)
    short = {path: array.astype(np.float16) for path, array in state.items()}
    blurred = network().initialise(seed=1)
    blurred.load_state_dict(short)
    report(bytes_16=len(encode(short)), gap_16=xp.max(xp.abs(blurred(X_val) - model(X_val))))

# %% [markdown]
# 754<!--lesson.bytes_16--> bytes, and outputs that differ by at most 0.0006<!--lesson.gap_16-->. For looking at what
# a model predicts that is fine; to go on training it is not, since the small steps of late epochs are smaller than
# that.
#
# **A failure in the middle.** The next cell lets the power fail halfway through the writing, once in the file itself
# and once with the file beside it.


# %%
class PowerCut(Exception):  # noqa: N818 - names what happens
    """What a failing power supply would be if programs could see it."""


def pour_half(path, data):
    """Write half of the bytes; then the power fails."""
    path.write_bytes(data[: len(data) // 2])
    raise PowerCut


def survives(write, arrays):
    """Whether a file with these arrays can still be read after writing it anew with `write` was interrupted."""
    path = folder / "interrupted.safetensors"
    pour(path, encode(arrays))
    with contextlib.suppress(PowerCut):
        write(path, encode(arrays), pour_half)
    try:
        return differences(decode(path.read_bytes()), arrays) == 0
    except ValueError as error:
        print(error)
        return False


# %%
if __name__ == "__main__":
    report(
        in_place_survives=survives(lambda path, data, pour: pour(path, data), state),
        old_file_survives=survives(write_atomically, state),
    )

# %% [markdown]
# ## The same weights everywhere
#
# Paths and layouts of our models are the same on all backends, so a file is, too. We load it on another one (at full
# scale on all that are installed) and compare the predictions. `to_native` turns a model into the active framework's
# own kind, where there is one, for those who want to go on with its tools; `from_native` fetches the weights back.

# %%
if __name__ == "__main__":
    nn.save_weights(folder / "model.safetensors", model.state_dict())
    again = network().initialise(seed=5)
    again.load_state_dict(folder / "model.safetensors")
    report(gap_reloaded=xp.max(xp.abs(again(X_val) - model(X_val))))

    here, inputs = xp.to_numpy(model(X_val)), xp.to_numpy(X_val)
    installed = [name for name, adapter in adapters().items() if not adapter.missing()]
    gaps = {}
    for name in installed if scale() == "full" else ("numpy",):
        with use_backend(name):
            there = network().initialise(seed=5)
            there.load_state_dict(folder / "model.safetensors")
            gaps[name] = float(np.abs(xp.to_numpy(there(xp.asarray(inputs))) - here).max())
    print(gaps)
    report(gap_backends=max(gaps.values()))

# %%
if __name__ == "__main__":
    gap_native = 0.0
    try:
        native = to_native(model)
        print("a", ", a ".join(kind.__name__ for kind in type(native).__mro__[:2]))
        gap_native = float(xp.to_numpy(xp.max(xp.abs(native(X_val) - model(X_val)))))
        from_native(network().initialise(seed=5), native)
    except BackendError as error:
        print(error)
    report(gap_native=gap_native)

# %% [markdown]
# The same backend gives the same bits (largest difference 0<!--lesson.gap_reloaded-->), others the same numbers but
# for rounding ($2.4 \cdot 10^{-7}$<!--lesson.gap_backends-->).
#
# ## Going on with a training
#
# We train with Adam (Kingma and Ba, 2015) on batches that are determined by the number of the step, save after 20
# steps, and go on to 40 from the file: once with all of the state, once with the weights alone.


# %%
def take_steps(model, optimiser, X, y, start, stop):
    """Steps number start to stop - 1 on 100 rows each; returns the losses."""
    gradient_of = value_and_grad(lambda X, y: squared_error(model(X), y), model)
    losses = []
    for step in range(start, stop):
        rows = xp.asarray(permutation(len(X), "file-io", step)[:100].astype(np.int32))
        loss, gradients = gradient_of(xp.take(X, rows, axis=0), xp.take(y, rows, axis=0))  # (100, 5), (100, 1)
        optimiser.update(gradients)
        losses.append(float(loss))
    return losses


def training_state(model, optimiser, step):
    """All that a run needs to go on, as arrays by name."""
    state = {f"model/{path}": array for path, array in model.state_dict().items()}
    state |= {f"optimiser/{name}": xp.to_numpy(slot.value) for name, slot in optimiser.slots.items()}
    return state | {"step": np.array(step, np.int64)}


def restore(state, model, optimiser, slots=True):
    """Put a state into a model and an optimiser of the same kind; returns the number of steps taken."""
    model.load_state_dict({name[6:]: array for name, array in state.items() if name.startswith("model/")})
    for name, slot in optimiser.slots.items() if slots else ():
        slot.assign(state[f"optimiser/{name}"])
    return int(state["step"])


def fresh():
    """A model and its optimiser, before the first step."""
    model = network().initialise(seed=0)
    return model, optim.Adam(model, lr=0.02)


# %%
if __name__ == "__main__":
    half = 3 if scale() == "smoke" else 20
    whole = take_steps(*fresh(), X, y, 0, 2 * half)
    model, optimiser = fresh()
    take_steps(model, optimiser, X, y, 0, half)
    nn.save_weights(folder / "run.safetensors", training_state(model, optimiser, half))
    gaps = []
    for slots in (True, False):
        model, optimiser = fresh()
        step = restore(nn.read_weights(folder / "run.safetensors"), model, optimiser, slots)
        rest = take_steps(model, optimiser, X, y, step, 2 * half)
        gaps.append(np.abs(np.subtract(rest, whole[half:])).max())
    report(gap_resumed=gaps[0], gap_forgotten=gaps[1])

# %% [markdown]
# With the whole state the losses are those of the uninterrupted run, with a difference of 0<!--lesson.gap_resumed-->.
# With the weights alone they are off by up to 0.112<!--lesson.gap_forgotten-->: Adam has to find its running means
# anew, and its first step changes every weight by the whole learning rate, however small its gradient. No error tells;
# the run merely becomes a little worse each time it is resumed. The `Trainer` saves all of it, in this format, if one
# names a file.

# %%
if __name__ == "__main__":
    data = loaders(airfoil_arrays(permutation(1503, 0, "airfoil")), seed=0, batch_size=200)
    path = folder / "trainer.safetensors"

    def fit(epochs, **options):
        parts = {"loss": squared_error, "optimiser": lambda model: optim.Adam(model, lr=0.02)}
        return Trainer(epochs, **options).fit(network(), data, **parts).losses

    fit(2, checkpoint=path)
    report(gap_trainer=np.abs(np.subtract(fit(4, checkpoint=path, resume=True), fit(4))).max())

# %% [markdown]
# ## What goes wrong
#
# **A file that is a program.** Python's `pickle` can save almost any object. It does so by writing a small program,
# which the reader runs to build the object again; and one of its instructions is "call this function with these
# arguments". Which function, the *file* says. Ours would only print. It could as well send your keys to a stranger. We
# do not read it, not even here: `pickletools` lists the instructions of such a program without running it.


# %%
class Souvenir:
    """An object whose pickle would print a line if it were read."""

    def __reduce__(self):
        return print, ("A file has called print.",)


# %%
if __name__ == "__main__":
    pickletools.dis(pickle.dumps(Souvenir(), protocol=4))
    (folder / "weights.pkl").write_bytes(pickle.dumps(state))
    try:
        model.load_state_dict(folder / "weights.pkl")
    except CheckpointError as error:
        print(str(error).replace(str(folder), "..."))

# %% [markdown]
# `STACK_GLOBAL` looks up `print` in the module `builtins`, the two words before it; `REDUCE` calls it with the
# sentence. Nothing of our class is left, and the call happens while the file is being *read*, before anyone could look
# at what comes out. No check of the contents helps afterwards. So never unpickle what you did not write yourself, and
# do not publish weights as pickles.
#
# **A file of another model.** Loading is all or nothing: if a name or a shape does not fit, the model stays as it
# was, and the message names the place.

# %%
if __name__ == "__main__":
    other = nn.Sequential(nn.Linear(16, 5), nn.Tanh(), nn.Linear(1, 16)).initialise(seed=0)
    try:
        other.load_state_dict(folder / "model.safetensors")
    except CheckpointError as error:
        print(error)
    for file in sorted(folder.iterdir()):
        file.unlink()
    folder.rmdir()

# %% [markdown]
# ## Under the surface
#
# `torch.save` writes a zip file with a pickle in it; since version 2.6 its `torch.load` by default accepts only a
# short list of harmless types. Keras writes a zip file with the model's settings as JSON and the numbers in HDF5;
# older Keras files may contain the bytecode of Python functions. Gluon's `save_parameters` has a binary format of its
# own. In the world of JAX one mostly uses Orbax, which writes a folder. They disagree about layouts, too: a dense
# weight is stored as (outputs, inputs) by PyTorch and Gluon and as (inputs, outputs) by Keras and Flax, and
# convolutions differ likewise. A file from there is *translated*, which `from_native` does; ours needs no
# translation, because all backends here compute with one layout. A tied parameter is stored once, under its first
# path.
#
# ## Summary
#
# Weights are arrays with names, and a format that holds nothing else is enough: readable everywhere and harmless. A
# file is replaced safely by writing a new one beside it and renaming that. To go on with a training one needs
# weights, the optimiser's memory, the counters, the number of the step and the seed; with all of them the run
# continues to the same bits. A pickle is a program, and reading it is running it.
#
# ## Exercises
#
# Solutions are in `file_io_solutions.py`. Exercises with a star are checked by a program: `d2l exercise file-io`
# writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *One array of many.* Write `read_one(data, name)`, which fetches a single array from the bytes of a safetensors
#    file and looks at no other.
# 2. ★ *Are these the same weights?* Write `fingerprint(state)`: a text that is the same for dictionaries with the
#    same names and arrays, in whatever order, and differs if any name, shape, type or number does.
# 3. *Without `fsync`.* What can happen to a file that was renamed before its bytes were on the disk?
# 4. *Half precision, rounded twice.* Save the trained network in float16, load it, save it again. Does it lose more
#    the second time?
# 5. *What else has a state?* A run draws its batches from a generator with a hidden state, and not by the number of
#    the step. What must be saved in addition?
#
# ## References
#
# - D. Goldberg (1991), *What Every Computer Scientist Should Know About Floating-Point Arithmetic*, ACM Computing
#   Surveys 23.
# - D. P. Kingma and J. Ba (2015), *Adam: A Method for Stochastic Optimization*, ICLR.
