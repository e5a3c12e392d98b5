"""The data that joblib writes between a pickle's opcodes: how long it is.

`joblib.dump` puts a NumpyArrayWrapper in the place of each array and the array's bytes right behind the
opcode that builds it (joblib's numpy_pickle.py, NumpyArrayWrapper.read_array). A reader that does not step
over them takes them for opcodes.
"""

import math
from dataclasses import dataclass
from typing import Final

from endpoint_deploy.artifacts.opcodes import Unclear
from endpoint_deploy.artifacts.values import Dict, Global, Instance

_WRAPPER: Final = Global("joblib.numpy_pickle", "NumpyArrayWrapper")
_DTYPE: Final = Global("numpy", "dtype")
_MAX_SIZE: Final = 2**62  # joblib's own product of the shape wraps around at 2**63
_FIELDS: Final = 4  # index of the fields in a dtype's state, as numpy.dtype.__reduce__ writes it


@dataclass(frozen=True, slots=True)
class ArrayData:
    """`size` in bytes, None for a pickle of objects; `aligned`: a length byte and padding come before."""

    size: int | None
    aligned: bool


def array_behind(built: Instance) -> ArrayData | None:
    """Return what array data follows the building of this object, or None where it is no wrapper.

    Raises Unclear where the wrapper is not as joblib writes it, so that nobody can say where its data ends.
    """
    if built.callee != _WRAPPER:
        return None
    state = built.state
    if built.arguments != () or built.builds != 1 or not isinstance(state, Dict) or not state.known:
        raise Unclear("an array wrapper that joblib would not write so")
    shape, dtype = state.items.get("shape"), state.items.get("dtype")
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise Unclear(f"an array wrapper of unknown shape {shape!r}")
    if _has_objects(dtype):
        return ArrayData(None, aligned=False)
    aligned = state.items.get("numpy_array_alignment_bytes") is not None
    size = math.prod(shape) * _item_size(dtype)
    if size > _MAX_SIZE:
        raise Unclear(f"an array wrapper of impossible shape {shape!r}")
    return ArrayData(size, aligned)


def _code(dtype: object) -> str:
    if isinstance(dtype, Instance) and dtype.callee == _DTYPE and isinstance(dtype.arguments, tuple):
        code = dtype.arguments[0] if dtype.arguments else None
        if isinstance(code, str) and code and dtype.builds <= 1:
            return code
    raise Unclear("an array wrapper of unknown dtype")


def _has_objects(dtype: object) -> bool:
    code = _code(dtype)
    if not code.startswith("V"):
        return code.startswith("O")
    state = dtype.state if isinstance(dtype, Instance) else None
    fields = state[_FIELDS] if isinstance(state, tuple) and len(state) > _FIELDS else None
    if fields is None:
        return False
    if not isinstance(fields, Dict) or not fields.known:
        raise Unclear("an array wrapper of unknown fields")
    return any(
        _has_objects(entry[0] if isinstance(entry, tuple) and entry else None)
        for entry in fields.items.values()
    )


def _item_size(dtype: object) -> int:
    import numpy as np  # noqa: PLC0415 - a tenth of a second that most archives need not pay

    code = _code(dtype)
    try:
        return np.dtype(code).itemsize
    except TypeError as error:
        raise Unclear(f"an array wrapper of unknown dtype {code!r}") from error
