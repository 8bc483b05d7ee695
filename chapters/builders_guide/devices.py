# /// lesson
# name = "devices"
# title = "Devices"
# sections = ["6.7"]
# needs = ["layers-and-modules"]
# data = []
# [time]
# smoke = "3 s"
# standard = "6 s"
# full = "6 s"
# [promises]
# full = [
#   "lesson: honest_ms >= 200", "lesson: naive_share <= 0.5", "lesson: overlap_gain >= 1.15",
#   "lesson: gap_devices <= 1e-5", "lesson: gap_moved <= 1e-5", "lesson: errors_seen >= 2",
# ]
# ///

# %% [markdown]
# # Devices
#
# A joiner has a small bench in the shop and large machines in a hall across the yard. Planing one board is done at
# the bench before a cart is loaded. For a hundred boards one loads the cart, and while the machines run, one need not
# stand beside them: one prepares the next load. But who wants to know how long the machines take must wait at the
# gate until the boards come back, instead of looking at the clock when the cart leaves.
#
# A computer with an accelerator is such a place. The accelerator has a memory of its own, across a yard called the
# bus; it works while Python goes on; and most of what goes wrong with it are carts that nobody meant to send and
# clocks read at the wrong moment. This lesson runs on every machine: on one without an accelerator we build a toy
# one.

# %%
import queue
import statistics
import threading
import time

import numpy as np

from d2l_core import active, nn, use_backend, xp
from d2l_core.backend import current
from d2l_core.interface import synchronise
from d2l_core.lessons import report, scale
from d2l_core.plots import COLOURS, INK, Diagram, house_style

# %% [markdown]
# ## The idea


# %%
def diagram_machine():
    """Host and device, each with its memory, and the two ways between them."""
    picture = Diagram(660, 190, "host and device with a queue and a bus between them")
    python = picture.box(20, 20, 170, 44, "Python")
    queue_box = picture.box(255, 20, 150, 44, "queue of work")
    device = picture.box(470, 20, 170, 44, "device")
    host_memory = picture.box(20, 125, 170, 44, "host memory")
    device_memory = picture.box(470, 125, 170, 44, "device memory")
    picture.arrow(python, queue_box, "submit")
    picture.arrow(queue_box, device)
    picture.arrow(python, host_memory)
    picture.arrow(device, device_memory)
    picture.arrow((190, 138), (470, 138), "copy: bus")
    picture.arrow((470, 160), (190, 160))
    picture.text(330, 174, "copy back: waits", size=11)
    return picture


# %%
if __name__ == "__main__":
    diagram_machine()

# %% [markdown]
# A tensor lives in one memory, and an operation runs where its operands live. Python hands the operation to a queue
# and gets a tensor back at once, whose numbers are not there yet. It has to wait only when it wants to *see* a
# number.
#
# ## The mathematics
#
# When does it pay to load the cart? Let the host compute $r_h$ operations a second and the device $r_d$; the bus
# carry $\beta$ bytes a second; and each order cost a time $\lambda$ whatever its size. The product of two $n \times
# n$ matrices takes $2n^3$ operations (a multiplication and an addition for each of $n^3$ triples), and three matrices
# of $4n^2$ bytes have to be carried. The device wins if
#
# $$\lambda + \frac{12 n^2}{\beta} + \frac{2n^3}{r_d} < \frac{2n^3}{r_h} .$$
#
# For large $n$ the cubes decide, for small $n$ the left side does not shrink below $\lambda$. With $r_h = 2 \cdot
# 10^{11}$, $r_d = 2 \cdot 10^{13}$, $\beta = 2 \cdot 10^{10}$ and $\lambda = 2 \cdot 10^{-5}$, numbers of the order
# of a common machine, the device wins from about $n = 150$ on. An *addition* of the same matrices takes only $n^2$
# operations: the bus then costs $12 n^2 / \beta$ against $n^2 / r_h$ on the host, a hundred times more at every $n$,
# and still ten times more where the host reaches a tenth of its rate. What decides is the number of operations for
# each byte that is carried; Williams, Waterman and Patterson (2009) draw all processors and programs in one figure
# with this number as its axis. So matrices are carried once and stay; what is carried back are losses and, now and
# then, weights.
#
# **Overlap.** Let a step cost the host a time $a$ (loading data, say) and the device a time $b$. If Python waits for
# each result, $k$ steps take $k(a + b)$. If it does not, host and device work at the same time, and after the first
# step only the slower counts: about $k \max(a, b) + \min(a, b)$.

# %% [markdown]
# ## From scratch
#
# A toy accelerator: memory of its own (arrays are copied in and out), a queue, and a thread that takes orders from
# it. Each order takes at least `seconds`, for which the thread sleeps. A `Handle` is what Python gets at once.


# %%
class Handle:
    """A result that may not be there yet."""

    def __init__(self, device, value=None):
        self.device, self.value, self.error, self.done = device, value, None, threading.Event()

    def get(self):
        """Wait for the numbers and copy them to the host; an error in the work is raised here."""
        self.done.wait()
        if self.error is not None:
            raise self.error
        return self.value.copy()


class ToyDevice:
    """An accelerator in miniature."""

    def __init__(self, name, seconds=0.02):
        self.name, self.seconds, self.log = name, seconds, []
        self.orders = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while True:
            handle, function, inputs = self.orders.get()
            began = time.perf_counter()
            time.sleep(self.seconds)
            try:
                handle.value = function(*(x.value for x in inputs))
            except Exception as error:
                handle.error = error
            self.log.append((began, time.perf_counter()))
            handle.done.set()

    def put(self, array):
        """Copy an array into the memory of the device."""
        handle = Handle(self, np.array(array))
        handle.done.set()
        return handle

    def submit(self, function, *inputs):
        """Order ``function(*inputs)`` and return at once."""
        for x in inputs:
            if x.device is not self:
                raise ValueError(
                    f"An operand lives on {x.device.name}, but the work is for {self.name}; copy it first."
                )
        handle = Handle(self)
        self.orders.put((handle, function, inputs))
        return handle


# %% [markdown]
# Ten products in a row. One clock is read when the last order has been given, the other when the numbers are there.

# %%
if __name__ == "__main__":
    toy = ToyDevice("toy:0")
    x = toy.put(np.eye(64))
    start = time.perf_counter()
    for _ in range(10):
        x = toy.submit(np.matmul, x, x)
    naive = time.perf_counter() - start
    x.get()
    honest = time.perf_counter() - start
    report(honest_ms=1000 * honest, naive_share=naive / honest)

# %% [markdown]
# Ten orders of 20 milliseconds each cannot be done in less than 200. The first clock shows a fraction of a
# millisecond or little more: it has measured how long it takes to *write* ten orders. It is the most common mistake
# in statements about speed. An honest stopwatch waits before both of its looks at the clock, leaves out the first
# run, in which things are compiled and memory is found, and takes the median of several, since other programs
# disturb.


# %%
def stopwatch(work, wait, repeats=5):
    """The median time of ``work()`` in seconds; `wait` gets its result and returns when that is computed."""
    wait(work())
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        wait(work())
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


# %% [markdown]
# Now the overlap. In each of eight steps the host spends 15 milliseconds on preparing an array, and the device 20 on
# working with it. The only difference between the two runs is the line in which Python looks at the result.


# %%
def pipeline(device, steps, look_each_time, host_seconds=0.015):
    """Prepare on the host and work on the device; returns the seconds and when the host was busy."""
    busy, handles = [], []
    start = time.perf_counter()
    for _ in range(steps):
        began = time.perf_counter()
        time.sleep(host_seconds)  # stands for reading and preparing a batch
        busy.append((began, time.perf_counter()))
        handle = device.submit(np.sum, device.put(np.ones(100)))
        if look_each_time:
            handle.get()
        handles.append(handle)
    total = sum(float(handle.get()) for handle in handles)
    assert total == 100.0 * steps
    return time.perf_counter() - start, busy


@house_style
def plot_timelines(runs):
    """When host and device were busy; runs by name, each (busy times of the host, of the device)."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(len(runs), 1, figsize=(7.0, 1.6 * len(runs)), sharex=True, squeeze=False)
    for axes, (name, (host, device)) in zip(panels[:, 0], runs.items(), strict=True):
        origin = host[0][0]
        for row, (times, colour) in enumerate(((host, COLOURS[0]), (device, COLOURS[1]))):
            bars = [(1000 * (began - origin), 1000 * (ended - began)) for began, ended in times]
            axes.broken_barh(bars, (row - 0.35, 0.7), facecolors=colour, edgecolor=INK)
        axes.set(yticks=(0, 1), yticklabels=("host", "device"), title=name)
    panels[-1, 0].set(xlabel="milliseconds")
    return figure


# %%
if __name__ == "__main__":
    runs, times = {}, {}
    for name, look in (("looking at each result", True), ("looking at the end", False)):
        device = ToyDevice("toy:1")
        times[look], busy = pipeline(device, 8, look)
        runs[name] = (busy, device.log)
    print(f"looking each time {1000 * times[True]:.0f} ms, at the end {1000 * times[False]:.0f} ms")
    report(overlap_gain=times[True] / times[False])

# %%
if __name__ == "__main__":
    plot_timelines(runs)

# %% [markdown]
# The theory says $8 \cdot 35 = 280$ and $8 \cdot 20 + 15 = 175$ milliseconds. A `print(loss)` in every step of a
# training is such a look.
#
# ## The devices that are here
#
# `active().devices()` names what the active backend has on this machine, the preferred one first. One chooses by
# `use_backend(device=...)` for a block, by the variable `D2L_DEVICE` for a whole program, or by the argument `device`
# for a single tensor. The lesson's own functions for the usual wishes are short.


# %%
def accelerators():
    """The devices of the active backend that are no plain processor."""
    return [name for name in active().devices() if not name.startswith("cpu")]


def accelerator_or_processor(number=0):
    """The accelerator of this number, or the processor where there are fewer."""
    found = accelerators()
    return found[number] if number < len(found) else "cpu"


def home(x):
    """Where a tensor lives, in its framework's words."""
    return str(getattr(x, "device", "the only memory there is"))


# %%
if __name__ == "__main__":
    print("devices:", active().devices(), "; active:", current().device)
    print("accelerators:", len(accelerators()), "; first choice:", accelerator_or_processor())
    for name in active().devices():
        print(f"a tensor made on {name} lives on", home(xp.ones((2, 2), device=name)))

# %% [markdown]
# A model's parameters are made on the device that is active when it is initialised. To move a model, take its weights
# along: inside the block, `load_state_dict` puts what it loads on the active device. The predictions must be the same
# wherever it runs.


# %%
def moved(make, model, device):
    """A model from `make()` on a device, with the weights of `model`, which stays where it is."""
    with use_backend(active().name, precision=current().precision, device=device):
        twin = make().initialise(seed=0)
        twin.load_state_dict(model.state_dict())
        return twin


def network():
    """A small network of 20 inputs."""
    return nn.Sequential(nn.Linear(32, 20), nn.Tanh(), nn.Linear(3, 32))


# %%
if __name__ == "__main__":
    model = network().initialise(seed=0)
    rows = np.linspace(-1.0, 1.0, 200).reshape(10, 20)
    here, gaps = xp.to_numpy(model(xp.asarray(rows, dtype=xp.float_dtype()))), {}
    for name in active().devices():
        twin = moved(network, model, name)
        with use_backend(active().name, precision=current().precision, device=name):
            there = twin(xp.asarray(rows, dtype=xp.float_dtype()))
        gaps[name] = float(np.abs(xp.to_numpy(there) - here).max())
    print(gaps)
    report(gap_moved=max(gaps.values()))

# %% [markdown]
# How fast are they? We measure the product of two square matrices on each device, honestly, and once more with the
# way there and back. What you see depends on your machine, so no numbers stand here. Look for three things: the curve
# is flat where the order costs more than the work; it then rises with the third power; and on an accelerator the
# copies dominate for small matrices.


# %%
def measure_products(sizes, device):
    """Median seconds of a product of (n, n) matrices on a device, without and with the copies, for each n."""
    table = []
    with use_backend(active().name, precision=current().precision, device=device):
        for n in sizes:
            array = np.full((n, n), 1.0 / n, dtype=np.float32)
            x = xp.asarray(array)
            alone = stopwatch(lambda x=x: xp.matmul(x, x), lambda y: synchronise([y]))
            both = stopwatch(lambda a=array: xp.matmul(xp.asarray(a), xp.asarray(a)), xp.to_numpy)
            table.append((alone, both))
    return np.array(table)  # (number of sizes, 2)


@house_style
def plot_products(sizes, tables):
    """Times against the size of the matrices, for each device."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.6, 3.5))
    for name, table in tables.items():
        axes.loglog(sizes, 1000 * table[:, 0], marker="o", label=f"{name}: product")
        axes.loglog(sizes, 1000 * table[:, 1], marker="s", label=f"{name}: with copies")
    axes.set(xlabel="rows and columns of the matrices, n", ylabel="milliseconds")
    axes.set_xticks(sizes, map(str, sizes))
    axes.set_xticks([], minor=True)
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    sizes = (16, 32, 64) if scale() == "smoke" else (16, 32, 64, 128, 256, 512)
    tables = {name: measure_products(sizes, name) for name in active().devices()}
    squares = [xp.full((64, 64), 1.0 / 64, device=name) for name in active().devices()]
    report(gap_devices=max(abs(float(xp.to_numpy(xp.sum(xp.matmul(x, x)))) / 64 - 1.0) for x in squares))
    plot_products(sizes, tables)

# %% [markdown]
# ## What goes wrong
#
# **Operands in two places.** The toy refuses, as PyTorch does; with two devices you can see below what your backend
# does. Some move the operand quietly, and then a program runs, at the speed of the cart.
#
# **Errors that come late.** The shapes below don't fit. The order is accepted nevertheless, and the error appears at
# a line that is innocent: the one that looks at the result.

# %%
if __name__ == "__main__":
    errors = 0
    first, second = ToyDevice("toy:2"), ToyDevice("toy:3")
    try:
        first.submit(np.add, first.put(np.ones(3)), second.put(np.ones(3)))
    except ValueError as error:
        errors += 1
        print(error)
    late = first.submit(np.matmul, first.put(np.ones((2, 3))), first.put(np.ones((2, 3))))
    print("ordered; nothing has been said yet")
    try:
        late.get()
    except ValueError as error:
        errors += 1
        print("at last:", str(error).split("(")[0])
    report(errors_seen=errors)

# %%
if __name__ == "__main__":
    names = active().devices()
    if len(names) > 1:
        a, b = (xp.ones((2, 2), device=name) for name in names[:2])
        try:
            print("the sum lives on", home(a + b))
        except Exception as error:
            print(f"{type(error).__name__}: {str(error).splitlines()[0]}")
    else:
        print(f"{active().name} has one device here, so nothing can be in two places.")

# %% [markdown]
# On a real accelerator shapes are checked before the order is given, but an index beyond the end of a table, which
# only the device can notice, behaves like this. If an error seems to come from a harmless line, make the program wait
# after each step until it is found.
#
# ## Under the surface
#
# PyTorch computes at once on the processor and asynchronously on a CUDA device (Paszke and others, 2019);
# `torch.cuda.synchronize()` waits. It refuses operands on two devices (numbers of shape () excepted). TensorFlow's
# eager mode places an operation on the accelerator if there is one and copies operands silently. JAX is asynchronous on
# all devices, processors included, and `block_until_ready` waits; it moves arrays that nobody has placed explicitly and
# refuses to mix those that somebody has. MXNet has a queue for all its devices, and `wait_to_read` waits; our adapter
# uses its processor only. NumPy knows one memory and no queue. `synchronise` of `d2l_core.interface` waits on each of
# them. Without an accelerator one can practise with several devices by dividing the processor: JAX does it with
# `XLA_FLAGS=--xla_force_host_platform_device_count=2`, and this lesson then shows `cpu` and `cpu:1`.
#
# ## Summary
#
# A device has a memory of its own, and an operation runs where its operands are. Copies cost more than most
# operations, so data are carried once and stay. Orders are queued while Python goes on, and looking at a number means
# to wait for it: this makes programs fast if one seldom looks, and measurements wrong if one does not. Honest timing
# warms up, waits and takes a median.
#
# ## Exercises
#
# Solutions are in `devices_solutions.py`. Exercises with a star are checked by a program: `d2l exercise devices`
# writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *An honest stopwatch.* Write `median_seconds(work, wait, clock, repeats)`. The clock is an argument, so that a
#    program can check yours.
# 2. ★ *When does the cart pay?* Write `break_even(host_rate, device_rate, bandwidth, latency)`, the smallest $n$ for
#    which the device wins.
# 3. *Two hands.* Split a batch into two halves, one for each of two devices, and average the gradients of both. Show
#    that this is the gradient of the whole batch, and try it, on two devices if you have them.
# 4. *Look less often.* In `pipeline`, look at every fourth result. What do you expect, and what do you get?
#
# ## References
#
# - S. Williams, A. Waterman and D. Patterson (2009), *Roofline: An Insightful Visual Performance Model for Multicore
#   Architectures*, Communications of the ACM 52.
# - A. Paszke and others (2019), *PyTorch: An Imperative Style, High-Performance Deep Learning Library*, NeurIPS.
