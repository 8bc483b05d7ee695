"""Lessons: find them, run their jobs, turn them into notebooks."""

from d2l_core.lessons._header import SCALES, Header, Promise
from d2l_core.lessons._job import Job, Run
from d2l_core.lessons._registry import Lesson, find_lesson, lessons
from d2l_core.lessons._verify import results_table, verified_backends, verify

__all__ = [
    "SCALES",
    "Header",
    "Job",
    "Lesson",
    "Promise",
    "Run",
    "find_lesson",
    "lessons",
    "results_table",
    "verified_backends",
    "verify",
]
