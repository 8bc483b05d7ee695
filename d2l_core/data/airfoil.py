"""Noise of an aerofoil in a wind tunnel: 1,503 measurements by NASA, six numbers each.

Thomas F. Brooks, D. Stuart Pope and Michael A. Marcolini, *Airfoil Self-Noise and Prediction* (NASA Reference
Publication 1218, 1989), from the UCI Machine Learning Repository, CC BY 4.0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from d2l_core.data._samples import sample_text_bytes

__all__ = ["AIRFOIL_FEATURES", "load_airfoil"]

AIRFOIL_FEATURES = (
    "frequency in Hz",
    "angle of attack in degrees",
    "chord length in m",
    "free-stream velocity in m/s",
    "displacement thickness of the suction side in m",
)
"""What the five columns of the features are."""

_SHA256 = "74c75fd71783f1e6b71f8a622b993dc592897a97cd689c5090a07147a1b097b3"


def load_airfoil() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Features (1503, 5) and target (1503,), the sound pressure level in dB; float64, not standardised."""
    raw = sample_text_bytes("airfoil/airfoil_self_noise.dat.gz", _SHA256)
    table = np.array([line.split() for line in raw.decode("ascii").splitlines()], dtype=np.float64)  # (1503, 6)
    return table[:, :5].copy(), table[:, 5].copy()
