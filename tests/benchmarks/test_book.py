"""The comparison with the book's own package, which is not installed here: everything but its side."""

from __future__ import annotations

import sys

import pytest
from d2l_benchmarks import book

from d2l_core.backend import use_backend
from d2l_core.lessons import find_lesson


@pytest.mark.parametrize("lesson", book.JOBS)
def test_both_sides_have_the_batch_size_and_rate_of_our_job(lesson: str) -> None:
    name, batch = book.JOBS[lesson]
    _, job = find_lesson(lesson).job(name)
    with use_backend("numpy"):
        data = job.data("smoke", 0)
        model = job.model().initialise(*data.train.example()[:-1])
        assert data.train.batch_size == batch
        assert job.optimiser(model).lr == book.RATE


def test_turns_alternate_and_the_ratio_is_that_of_pairs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sides: list[str] = []
    seconds = {"theirs": iter([8.0, 30.0, 9.0]), "ours": iter([2.0, 3.0, 3.0])}

    def turn(side: str, lesson: str, epochs: int) -> float:
        sides.append(side)
        return next(seconds[side])

    monkeypatch.setattr(book, "turn", turn)
    monkeypatch.setattr(sys, "argv", ["book", "lenet", "--pairs", "3"])
    book.main()
    assert sides == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert capsys.readouterr().out == "lenet: theirs 9.00 s, ours 3.00 s an epoch, 4.0 times as quick\n"


def test_another_lesson(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["book", "rnn"])
    with pytest.raises(SystemExit):
        book.main()
    assert "nothing to compare for rnn" in capsys.readouterr().err
