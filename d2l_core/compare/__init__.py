"""One lesson on several backends, and how far they agree.

`compare` trains the same job of a lesson in one worker process per backend, from the same initial weights and over the
same batches, and writes ``results.json`` and ``report.html`` into a folder::

    from d2l_core.compare import compare, live_progress

    with live_progress() as observer:
        comparison = compare(
            "lenet",
            backends=None,          # names, or None for every installed one; one named twice runs twice
            job=None,               # None: the lesson's main job
            scale="standard",
            seed=0,
            precision=32,
            device=None,            # None: each backend's preferred device
            out=Path("d2l-compare"),
            jobs=1,                 # workers at a time; 1 keeps the timings honest
            timeout=300,            # seconds of silence after which a worker counts as hanging
            observer=observer,      # callable (worker name, event dict), or None
        )

The result is a `Comparison`:

- ``comparison.report``, ``comparison.results``: paths of the two files, written in every case;
- ``comparison.data``: what is in ``results.json``, see `d2l_core.compare._results`;
- ``comparison.verdicts``: one sentence for each pair of backends;
- ``comparison.failures``: ``{worker: sentence}`` for those that died, hung, failed, or were asked for by name but are
  not installed; ``comparison.skipped``: ``{worker: sentence}`` for those that are not installed;
- ``comparison.interrupted``: True after Ctrl-C (exit status 130);
- ``comparison.ok``: at least one backend finished, with no failures and no interruption (exit status 0, else 1).

`compare` itself raises `UsageError` for an unknown lesson, job, scale, backend or precision, before it starts a worker.
``D2L_PYTHON_<NAME>`` names another interpreter for the worker of backend ``<name>``; d2l-core must be installed there.
"""

from d2l_core.compare._compare import Comparison, compare
from d2l_core.compare._progress import live_progress

__all__ = ["Comparison", "compare", "live_progress"]
