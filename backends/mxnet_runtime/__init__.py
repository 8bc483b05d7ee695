"""What a maintained framework would bring itself and MXNet 1.9.1 does not; its adapter stands on it.

`importing` brings it up beside a current NumPy and Python, `recording` and `replay` turn Python code into its graphs.
"""
