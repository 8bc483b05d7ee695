"""The same steps by hand, each in its framework's idiom: `prepare(name, weights, batches, lr)` gives `run(steps)`."""
