"""Our training step against the same step written by hand in each framework, as paired ratios."""
