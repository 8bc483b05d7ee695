"""Lessons: find them, run their jobs, turn them into notebooks."""

from d2l_core.lessons._header import SCALES, Header, Promise
from d2l_core.lessons._job import Job, Run
from d2l_core.lessons._registry import Lesson, find_lesson, lessons
from d2l_core.lessons._report import report, scale
from d2l_core.lessons._verify import results_table, verified_backends, verify
from d2l_core.lessons._whole import WHOLE, run_whole

__all__ = [
    "SCALES",
    "WHOLE",
    "Header",
    "Job",
    "Lesson",
    "Promise",
    "Run",
    "find_lesson",
    "lessons",
    "report",
    "results_table",
    "run_whole",
    "scale",
    "verified_backends",
    "verify",
]
