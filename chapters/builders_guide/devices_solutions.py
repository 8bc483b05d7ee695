# %% [markdown]
# # Devices: solutions

# %%
import statistics
import time

import numpy as np
from d2l_chapters.builders_guide.devices import ToyDevice, moved, network

from d2l_core import active, use_backend, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.backend import current
from d2l_core.nn.functional import squared_error

# %% [markdown]
# ## 1. An honest stopwatch


# %%
def median_seconds(work, wait, clock, repeats):
    """The median time that ``work()`` takes, the first run left out."""
    wait(work())
    times = []
    for _ in range(repeats):
        start = clock()
        wait(work())
        times.append(clock() - start)
    return statistics.median(times)


# %% [markdown]
# ## 2. When does the cart pay?
#
# Divided by $n^2$, the inequality reads $\lambda / n^2 + 12 / \beta < 2n\,(1/r_h - 1/r_d)$. The left side falls with
# $n$ and the right one rises, so once the device wins it always wins, and the smallest $n$ can be found by trying
# them in turn (or by bisection). If $r_d \leq r_h$ the right side is never positive.


# %%
def break_even(host_rate, device_rate, bandwidth, latency):
    """The smallest n for which a product is faster on the device, copies included."""
    for n in range(1, 100_001):
        if latency + 12.0 * n**2 / bandwidth + 2.0 * n**3 / device_rate < 2.0 * n**3 / host_rate:
            return n
    return None


# %%
if __name__ == "__main__":
    print("the machine of the text:", break_even(2e11, 2e13, 2e10, 2e-5))
    print("with a bus ten times slower:", break_even(2e11, 2e13, 2e9, 2e-5))

# %% [markdown]
# ## 3. Two hands
#
# The loss is a mean over the batch, $L = \frac{1}{n} \sum_i \ell_i$. For halves of $n/2$ examples, $L_1 = \frac{2}{n}
# \sum_{i \leq n/2} \ell_i$ and $L_2$ in the same way, so $\frac{1}{2}(L_1 + L_2) = L$, and since the derivative of a
# sum is the sum of the derivatives, the mean of the gradients of $L_1$ and $L_2$ is that of $L$. With unequal parts
# one has to weigh by their sizes. (It fails for layers that mix the examples of a batch, such as batch
# normalisation.)


# %%
def gradient_on(model, X, y, device):
    """The gradient of the mean squared error for NumPy rows X, y, computed on a device, as NumPy arrays by path."""
    twin = moved(network, model, device)
    with use_backend(active().name, precision=current().precision, device=device):
        X, y = (xp.asarray(a, dtype=xp.float_dtype()) for a in (X, y))
        _, gradients = value_and_grad(lambda X, y: squared_error(twin(X), y), twin)(X, y)
        return {path: xp.to_numpy(gradient) for path, gradient in gradients.items()}


# %%
if __name__ == "__main__":
    model = network().initialise(seed=0)
    X, y = np.linspace(-1.0, 1.0, 160).reshape(8, 20), np.ones((8, 3))
    whole = gradient_on(model, X, y, "cpu")
    names = active().devices()
    halves = [
        gradient_on(model, X[part], y[part], names[i % len(names)]) for i, part in enumerate((slice(0, 4), slice(4, 8)))
    ]
    gap = max(np.abs((halves[0][path] + halves[1][path]) / 2 - whole[path]).max() for path in whole)
    print(f"largest difference: {gap:.1e}")

# %% [markdown]
# ## 4. Look less often
#
# Between two looks the device falls behind the host by 5 milliseconds a step. At the look after every fourth step the
# host waits until it has caught up. Of four steps, the first has the host and the device one after the other, 15 and
# 20, and the other three cost what the slower takes: $15 + 4 \cdot 20 = 95$ milliseconds for four steps, 190 for
# eight, against 280 and 175. One look in many costs little.


# %%
def looking_every(steps, every, host_seconds=0.015):
    """Seconds of a pipeline that looks at every `every`-th result."""
    device, handles = ToyDevice("toy"), []
    start = time.perf_counter()
    for step in range(1, steps + 1):
        time.sleep(host_seconds)
        handles.append(device.submit(np.sum, device.put(np.ones(100))))
        if step % every == 0:
            handles[-1].get()
    handles[-1].get()
    return time.perf_counter() - start


# %%
if __name__ == "__main__":
    for every in (1, 4, 8):
        print(f"every {every}: {1000 * looking_every(8, every):.0f} ms")
