"""Lessons on convolutional networks."""
