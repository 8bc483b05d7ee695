"""Functions composed of primitives once, for all backends; an adapter may replace one by a faster native form."""

from d2l_core.composites.activations import *  # noqa: F403
from d2l_core.composites.alignment import *  # noqa: F403
from d2l_core.composites.arrays import *  # noqa: F403
from d2l_core.composites.attention import *  # noqa: F403
from d2l_core.composites.control import *  # noqa: F403
from d2l_core.composites.detection import *  # noqa: F403
from d2l_core.composites.differentiation import *  # noqa: F403
from d2l_core.composites.exchange import *  # noqa: F403
from d2l_core.composites.linalg import *  # noqa: F403
from d2l_core.composites.network import *  # noqa: F403
from d2l_core.composites.normalisation import *  # noqa: F403
from d2l_core.composites.recurrence import *  # noqa: F403
from d2l_core.composites.rehearsal import *  # noqa: F403
from d2l_core.composites.spatial import *  # noqa: F403
