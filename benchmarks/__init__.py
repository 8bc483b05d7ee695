"""Our training against the same steps by hand in each framework, and against Keras."""
