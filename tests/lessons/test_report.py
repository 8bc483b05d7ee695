"""Figures of a lesson: printed, and kept while recording."""

from __future__ import annotations

import numpy as np
import pytest

from d2l_core import xp
from d2l_core.errors import D2LError, UsageError
from d2l_core.lessons import report, scale
from d2l_core.lessons._report import recording


def test_numbers_and_tensors_are_printed_and_kept(backend, capsys):
    with recording() as figures:
        report(gap=xp.mean(xp.asarray([0.25, 0.75])), count=np.int64(3), ready=True)
        report(rate=0.5)
    assert figures == {"gap": 0.5, "count": 3.0, "ready": 1.0, "rate": 0.5}
    assert capsys.readouterr().out == "gap = 0.5\ncount = 3\nready = 1\nrate = 0.5\n"


def test_a_name_is_reported_once():
    with recording():
        report(gap=1.0)
        with pytest.raises(D2LError, match="'gap' is reported twice"):
            report(gap=2.0)
    report(gap=1.0)
    report(gap=2.0)


def test_the_scale_is_that_of_the_environment(monkeypatch):
    monkeypatch.delenv("D2L_SCALE", raising=False)
    assert scale() == "standard"
    monkeypatch.setenv("D2L_SCALE", "smoke")
    assert scale() == "smoke"
    assert scale(at_most="standard") == "smoke"
    monkeypatch.setenv("D2L_SCALE", "full")
    assert scale(at_most="standard") == "standard"
    monkeypatch.setenv("D2L_SCALE", "huge")
    with pytest.raises(UsageError, match="no scale 'huge'"):
        scale()
