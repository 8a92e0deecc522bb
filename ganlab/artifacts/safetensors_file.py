"""Weights as a safetensors file, which other frameworks and Hugging Face read.

Eight bytes with the length of a JSON header, the header, and the numbers.
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

DTYPES = {
    "bfloat16": "BF16",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    "bool": "BOOL",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
}
ALIGNMENT = 8


def write_safetensors(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays by their names.

    Args:
        path: The file.
        arrays: Arrays of the types of `DTYPES`.

    Raises:
        ValueError: for an array of another type.

    Reference:
        [Format](https://github.com/huggingface/safetensors#format)
    """
    header: dict[str, dict[str, object]] = {"__metadata__": {"format": "keras"}}
    contents = []
    start = 0
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise ValueError(f"no type of safetensors for {array.dtype} of {name}")
        content = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))
        end = start + content.nbytes
        header[name] = {
            "dtype": DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
        contents.append(content.tobytes())
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    path.write_bytes(b"".join([struct.pack("<Q", len(text)), text, *contents]))
