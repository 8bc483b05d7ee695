"""Devices: the toy accelerator, honest clocks, and models that compute the same wherever they live."""

from __future__ import annotations

import time

import numpy as np
import pytest
from d2l_chapters.builders_guide import devices as lesson
from d2l_chapters.builders_guide import devices_solutions as solutions

from d2l_core import active, xp


def test_an_order_returns_before_it_is_done_and_copies_are_copies():
    toy = lesson.ToyDevice("toy", seconds=0.5)
    array = np.arange(3.0)
    x = toy.put(array)
    array[:] = 7.0
    start = time.perf_counter()
    handle = toy.submit(np.multiply, x, x)
    assert not handle.done.is_set()
    np.testing.assert_array_equal(handle.get(), [0.0, 1.0, 4.0])
    assert time.perf_counter() - start >= 0.5
    handle.get()[:] = 9.0
    np.testing.assert_array_equal(handle.get(), [0.0, 1.0, 4.0])


def test_orders_are_done_in_turn():
    toy = lesson.ToyDevice("toy", seconds=0.001)
    x = toy.put(np.ones((2, 2)))
    for _ in range(5):
        x = toy.submit(np.add, x, x)
    assert x.get()[0, 0] == 32.0
    assert len(toy.log) == 5
    assert all(first[1] <= second[0] for first, second in zip(toy.log, toy.log[1:], strict=False))


def test_foreign_operands_are_refused_and_errors_come_late():
    first, second = lesson.ToyDevice("one", 0.001), lesson.ToyDevice("two", 0.001)
    with pytest.raises(ValueError, match="lives on two"):
        first.submit(np.add, first.put(np.ones(2)), second.put(np.ones(2)))
    late = first.submit(np.matmul, first.put(np.ones((2, 3))), first.put(np.ones((2, 3))))
    with pytest.raises(ValueError, match="mismatch"):
        late.get()
    assert first.submit(np.add, first.put(np.ones(2)), first.put(np.ones(2))).get()[0] == 2.0


def test_the_stopwatch_waits_and_leaves_the_first_run_out():
    waited, durations = [], [0.2, 0.02, 0.02, 0.02]

    def work():
        return durations[len(waited)]

    def wait(seconds):
        time.sleep(seconds)
        waited.append(seconds)

    assert 0.02 <= lesson.stopwatch(work, wait, repeats=3) < 0.15
    assert waited == durations


def test_looking_at_each_result_takes_as_long_as_both_together():
    seconds, busy = lesson.pipeline(lesson.ToyDevice("toy", 0.02), 4, look_each_time=True)
    assert len(busy) == 4
    assert seconds >= 4 * (0.015 + 0.02)


def test_a_moved_model_predicts_the_same_on_every_device():
    model = lesson.network().initialise(seed=3)
    X = np.linspace(-1.0, 1.0, 60).reshape(3, 20)
    expected = xp.to_numpy(model(xp.asarray(X, dtype=xp.float_dtype())))
    for name in active().devices():
        twin = lesson.moved(lesson.network, model, name)
        found = xp.to_numpy(twin(xp.asarray(X, dtype=xp.float_dtype(), device=name)))
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert twin.get("0.weight") is not model.get("0.weight")


def test_choice_of_devices():
    assert "cpu" in active().devices()
    assert not any(name.startswith("cpu") for name in lesson.accelerators())
    assert lesson.accelerator_or_processor(99) == "cpu"


def test_times_are_measured_for_every_size():
    table = lesson.measure_products((4, 8), "cpu")
    assert table.shape == (2, 2)
    assert (table > 0.0).all()


def test_gradients_of_halves_average_to_that_of_the_whole():
    model = lesson.network().initialise(seed=1)
    X, y = np.linspace(-1.0, 1.0, 80).reshape(4, 20), np.linspace(0.0, 1.0, 12).reshape(4, 3)
    whole, first, second = (
        solutions.gradient_on(model, X[part], y[part], "cpu") for part in (slice(4), slice(2), slice(2, 4))
    )
    for path, gradient in whole.items():
        np.testing.assert_allclose((first[path] + second[path]) / 2, gradient, atol=1e-5)
        assert np.abs(first[path] - gradient).max() > 1e-4
