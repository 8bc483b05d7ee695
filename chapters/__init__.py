"""The lessons, in the order of the curriculum."""
