"""What TensorFlow could bring itself on a processor and does not; its adapter stands on it.

`importing` loads it without its noise, `layouts` takes transposes out of graphs.
"""
