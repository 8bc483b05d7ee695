"""TensorFlow, imported without its start-up noise and without Keras.

It reports its build and the drivers it did not find on standard error before its own log level takes effect.
Those lines are dropped; whatever else is written in the meantime is passed on. A user who has set
``TF_CPP_MIN_LOG_LEVEL`` sees what that asks for.

`tf.keras` is imported when it is first asked for. TensorFlow's own import ends with that of Keras' optimisers, for
those who load models that were saved with one, and puts up with a Keras that is not there: 0.3 s and 50 MB.
"""

import contextlib
import importlib
import os
import re
import sys
import tempfile

_NOISE = re.compile(
    rb"([IW]\d{4} \d\d:\d\d:|WARNING: All log messages before absl|To enable the following instructions)"
)
_KERAS = "keras.src.optimizers"


@contextlib.contextmanager
def _quiet():
    """Standard error, of C++ code too, without TensorFlow's messages of level info and warning."""
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, AttributeError, ValueError):  # a process without standard error
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            with contextlib.suppress(OSError, AttributeError, ValueError):
                sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                if not _NOISE.match(line):
                    os.write(2, line)


@contextlib.contextmanager
def _without_keras():
    """Keras' optimisers cannot be imported inside, if nobody has done so before."""
    if _KERAS in sys.modules:
        yield
        return
    sys.modules[_KERAS] = None
    try:
        yield
    finally:
        del sys.modules[_KERAS]


def _load():
    if "tensorflow" in sys.modules:
        return importlib.import_module("tensorflow")
    with _without_keras():
        return _import()


def _import():
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return importlib.import_module("tensorflow")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # Several frameworks may share the GPU in one process: take memory when needed, not all of it at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    with _quiet():
        return importlib.import_module("tensorflow")


tf = _load()
