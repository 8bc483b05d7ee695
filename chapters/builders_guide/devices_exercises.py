"""Exercises of the lesson on devices: stubs to fill in, and the checks that examine them."""

import numpy as np

from d2l_core import xp
from d2l_core.interface import synchronise
from d2l_core.lessons.checking import expect_close


def median_seconds(work, wait, clock, repeats):
    """The median time that ``work()`` takes, in the unit of the clock.

    The first run is left out of the statistics. Before the clock is read at the end, the result has been waited for.

    Args:
        work: a function without arguments that orders something and returns the result, perhaps before it is computed.
        wait: a function that takes such a result and returns when it is computed.
        clock: a function without arguments that returns the time, such as ``time.perf_counter``.
        repeats: how many runs count, at least 1; there is one more, which does not.

    Returns:
        A float.
    """
    raise NotImplementedError


def break_even(host_rate, device_rate, bandwidth, latency):
    """The smallest n for which a product of two n by n matrices is faster on the device, copies included.

    Args:
        host_rate, device_rate: operations a second; a product takes 2 n³.
        bandwidth: bytes a second; three matrices of 4 n² bytes are carried.
        latency: seconds that an order costs whatever its size.

    Returns:
        An int, or None if the device does not win for any n up to 100,000.
    """
    raise NotImplementedError


class _World:
    """A clock that only moves when something is ordered or waited for, and a device that takes known times."""

    def __init__(self, durations, order=0.5):
        self.now, self.order, self.durations = 0.0, order, list(durations)
        self.waited, self.ordered = [], 0

    def clock(self):
        return self.now

    def work(self):
        self.now += self.order
        self.ordered += 1
        return self.ordered

    def wait(self, result):
        assert result == self.ordered, "wait takes the result of the latest work; pass what work() has returned."
        self.waited.append(result)
        self.now += self.durations[result - 1]


def check_median_seconds_value(candidate):
    """A device whose times are known, and a first run that takes very long."""
    world = _World([100.0, 5.0, 1.0, 3.0])
    found = candidate(world.work, world.wait, world.clock, 3)
    assert found != 0.5, "You have measured the time of giving the order; wait for the result before reading the clock."
    expect_close(found, 3.5, "The runs that count take 5.5, 1.5 and 3.5; the first, of 100.5, is left out.")


def check_median_seconds_effects(candidate):
    """Every result is waited for, and there is one run more than counts."""
    world = _World([7.0] * 6)
    candidate(world.work, world.wait, world.clock, 5)
    assert world.ordered == 6, f"With 5 repeats the work should be done 6 times, not {world.ordered} times."
    assert world.waited == list(range(1, 7)), "Each result should be waited for once, the first one, too."


def check_median_seconds_backend(candidate):
    """A real product on the active backend, by a clock that counts its readings."""
    x, readings = xp.ones((8, 8)), []

    def clock():
        readings.append(len(readings))
        return float(len(readings))

    found = candidate(lambda: xp.matmul(x, x), lambda y: synchronise([y]), clock, 2)
    expect_close(found, 1.0, "The clock should be read exactly twice for each run that counts, before and after it.")


def _wins(n, host_rate, device_rate, bandwidth, latency):
    return latency + 12.0 * n**2 / bandwidth + 2.0 * n**3 / device_rate < 2.0 * n**3 / host_rate


def check_break_even_value(candidate):
    """The machine of the text and two others, against trying every n."""
    for machine in ((2e11, 2e13, 2e10, 2e-5), (1e11, 1e12, 1e10, 1e-4), (5e10, 5e13, 5e10, 1e-6)):
        expected = next(n for n in range(1, 5000) if _wins(n, *machine))
        found = candidate(*machine)
        assert found == expected, f"For rates {machine} the device wins from n = {expected} on; you found {found}."


def check_break_even_edges(candidate):
    """A device that never wins, and one that always does."""
    assert candidate(2e11, 1e11, 2e10, 2e-5) is None, "A device that is slower than the host never wins; return None."
    assert candidate(1.0, np.inf, np.inf, 0.0) == 1, "A device that costs nothing wins from n = 1 on."
