"""Lessons on multilayer perceptrons."""
