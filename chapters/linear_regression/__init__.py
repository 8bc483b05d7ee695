"""Lessons on linear regression."""
