"""Lessons on linear classification."""
