"""What the tests of recorded steps share."""

from d2l_core import interface as xp
from d2l_core import tree


def bits(branch):
    """The bytes of all tensors of a tree, with their dtypes and shapes."""
    return [(x.dtype, x.shape, xp.to_numpy(x).tobytes()) for x in tree.leaves(branch)]


def counted(f):
    """f, and a list that grows whenever its Python code runs."""
    runs = []

    def call(*args):
        runs.append(1)
        return f(*args)

    return call, runs
