"""Tensors of the Open Inference Protocol, in JSON and in binary, to arrays and back.

The body of a request in binary is JSON, as long as a header says, and then the bytes of
each tensor in turn, little-endian and row by row.

Reference:
    [Open Inference Protocol](https://github.com/kserve/open-inference-protocol) and
    Triton's [binary tensor data extension](https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md)
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from ganlab.errors import UserError, as_integer, brief

DATATYPES: dict[str, np.dtype[Any]] = {
    "FP32": np.dtype("<f4"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("u1"),
}
MAX_TENSORS = 32  # of one request


def parse_body(body: bytes, header_length: str | None) -> tuple[Any, memoryview]:
    """The JSON document of a request, and the bytes that follow it.

    Args:
        body: The request's body.
        header_length: Length of the document, if there is more.

    Raises:
        UserError: if it is no JSON, or shorter than it says.
    """
    length = len(body)
    if header_length is not None:
        if not header_length.isascii() or not header_length.isdecimal():
            length = -1
        else:
            length = int(header_length[:20])
        if not 0 <= length <= len(body):
            raise UserError(
                "Expected Inference-Header-Content-Length within the body's "
                f"{len(body):,} bytes. Received: {header_length[:40]!r}"
            )
    return parse_json(body[:length]), memoryview(body)[length:]


def parse_json(content: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        UserError: if it is none.
    """
    try:
        return orjson.loads(content)
    except ValueError as error:
        raise UserError(
            f"Expected a body of JSON. Received: {len(content):,} bytes, of which "
            f"{str(error)[:120]}"
        ) from error


def check_fields(document: Any, known: tuple[str, ...], what: str) -> dict[str, Any]:
    """A JSON object that holds known fields alone.

    Raises:
        UserError: for another value, or other fields.
    """
    if not isinstance(document, dict):
        raise UserError(f"Expected {what}, an object. Received: {brief(document)}")
    for name in document:
        if name not in known:
            raise UserError(
                f"Expected {what} with {', '.join(known)} alone. Received: "
                f"{brief(name)}; leave it out"
            )
    return document


def read_inputs(
    tensors: Any, binary: memoryview, datatypes: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Arrays of a request's tensors.

    Args:
        tensors: The field `inputs`.
        binary: What follows the JSON document.
        datatypes: Datatype of each tensor that the model takes, by name.

    Raises:
        UserError: for tensors that the model does not take, or that are not whole.
    """
    if not isinstance(tensors, list) or not 1 <= len(tensors) <= MAX_TENSORS:
        raise UserError(
            f"Expected inputs, a list of tensors. Received: {brief(tensors)}"
        )
    arrays: dict[str, np.ndarray] = {}
    for tensor in tensors:
        fields = ("name", "shape", "datatype", "data", "parameters")
        tensor = check_fields(tensor, fields, "a tensor")
        name, datatype = tensor.get("name"), tensor.get("datatype")
        if not isinstance(name, str) or name not in datatypes or name in arrays:
            raise UserError(
                f"Expected tensors named {', '.join(datatypes)}, each once. Received: "
                f"{brief(name)}"
            )
        if datatype != datatypes[name]:
            raise UserError(
                f"Expected {name} of datatype {datatypes[name]}. Received: "
                f"{brief(datatype)}"
            )
        shape = _shape(name, tensor.get("shape"))
        parameters = check_fields(
            tensor.get("parameters") or {},
            ("binary_data_size",),
            "a tensor's parameters",
        )
        if "binary_data_size" in parameters:
            size = as_integer(parameters["binary_data_size"])
            arrays[name] = _from_binary(name, size, binary, shape, datatype)
            binary = binary[arrays[name].nbytes :]
        else:
            arrays[name] = _from_json(name, tensor.get("data"), shape, datatype)
    if len(binary):
        raise UserError(
            "Expected a body that ends with the last tensor. Received: "
            f"{len(binary):,} bytes more"
        )
    return arrays


def _shape(name: str, shape: Any) -> tuple[int, ...]:
    sizes = shape if isinstance(shape, list) else []
    integers = all(type(size) is int and 0 < size < 2**31 for size in sizes)
    if not 1 <= len(sizes) <= 8 or not integers:
        raise UserError(
            f"Expected the shape of {name}, a list of integers of 1 or more. "
            f"Received: {brief(shape)}"
        )
    return tuple(sizes)


def _from_binary(
    name: str, size: int | None, binary: memoryview, shape: tuple[int, ...], kind: str
) -> np.ndarray:
    needed = math.prod(shape) * DATATYPES[kind].itemsize
    if size is None or size != needed or size > len(binary):
        raise UserError(
            f"Expected {needed:,} bytes of {name} for the shape {list(shape)}. "
            f"Received: binary_data_size {brief(size)}, and {len(binary):,} bytes"
        )
    return np.frombuffer(binary[:size], DATATYPES[kind]).reshape(shape)


def _from_json(name: str, data: Any, shape: tuple[int, ...], kind: str) -> np.ndarray:
    array = as_numbers(name, data, DATATYPES[kind])
    if array.size != math.prod(shape) or array.shape not in (shape, (array.size,)):
        raise UserError(
            f"Expected data of {name} of the shape {list(shape)}, or as one list. "
            f"Received: shape {list(array.shape)}"
        )
    return array.reshape(shape)


def as_numbers(name: str, data: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """An array of nested lists of numbers: no text, no truth values.

    Raises:
        UserError: for anything else, or integers beyond the datatype.
    """
    try:
        array = np.asarray(data)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    allowed = "iu" if dtype.kind in "iu" else "iuf"
    if not isinstance(data, list) or array.dtype.kind not in allowed or not array.size:
        kind = "integers" if allowed == "iu" else "numbers"
        raise UserError(
            f"Expected {name} as lists of {kind}, of equal lengths. Received: "
            f"{brief(data)}"
        )
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise UserError(
                f"Expected {name} from {limits.min} to {limits.max}. Received: "
                f"{array.min()} to {array.max()}"
            )
    with np.errstate(over="ignore"):  # what is infinite is told apart by its reader
        return array.astype(dtype)


def write_outputs(
    document: dict[str, Any],
    arrays: Mapping[str, np.ndarray],
    binary: Mapping[str, bool],
) -> tuple[bytes, int | None]:
    """The body of an answer.

    Args:
        document: Its fields beside `outputs`.
        arrays: Arrays by name.
        binary: Whether each goes as bytes rather than as JSON.

    Returns:
        The body and, if there are tensors in binary, the length of its document.
    """
    kinds = {dtype: name for name, dtype in DATATYPES.items()}
    outputs, tail = [], []
    for name, array in arrays.items():
        kind = kinds[array.dtype]
        tensor: dict[str, Any] = {
            "name": name,
            "datatype": kind,
            "shape": list(array.shape),
        }
        if binary[name]:
            tail.append(array.astype(DATATYPES[kind], copy=False).tobytes())
            tensor["parameters"] = {"binary_data_size": len(tail[-1])}
        else:
            tensor["data"] = np.ascontiguousarray(array).reshape(-1)
        outputs.append(tensor)
    head = dump_json({**document, "outputs": outputs})
    return b"".join([head, *tail]), len(head) if tail else None


def dump_json(document: Any) -> bytes:
    """A JSON text, of arrays too."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
