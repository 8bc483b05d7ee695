"""*The Time Machine* by H. G. Wells (1895), in the public domain: the text of a first language model."""

from __future__ import annotations

from d2l_core.data._samples import sample_text_bytes

__all__ = ["load_time_machine"]

_SHA256 = "8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516"


def load_time_machine() -> str:
    """The whole novel as it stands in the embedded file: 178,979 characters, line ends `\\n`."""
    return sample_text_bytes("time-machine/timemachine.txt.gz", _SHA256).decode("utf-8")
