"""Reads the tensors of a PyTorch file, without PyTorch and without running it.

`torch.save` writes a pickle, which can name any function of Python and have it
called. This reader turns its opcodes one by one into plain lists and dicts: a
name stays a name, and the only "calls" understood are those that describe a
tensor. It reads both layouts, that of PyTorch 1.6 (a zip file) and the one
before it.
"""

import io
import math
import mmap
import pickletools
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.errors import UserError, one_line
from ganlab.safety.bounded import open_zip, read_member

MAGIC = 0x1950A86A20F9469CFC6C
MAX_PICKLE_BYTES = 1 << 24
MAX_OPCODES = 100_000
MAX_TENSORS = 3_000
MAX_RANK = 16
MAX_SIZE = 1 << 40
DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}
ORDERED_DICT = ("collections", "OrderedDict")
TENSOR = ("torch._utils", "_rebuild_tensor_v2")
PARAMETER = ("torch._utils", "_rebuild_parameter")
VALUES = {
    "BININT",
    "BININT1",
    "BININT2",
    "LONG1",
    "BINFLOAT",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "SHORT_BINSTRING",
    "BINSTRING",
}
_MARK: Any = object()


@dataclass(frozen=True)
class _Storage:
    dtype: np.dtype
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_state_dict(path: Path | str) -> dict[str, np.ndarray]:
    """Reads the tensors of a `state_dict` that `torch.save` wrote.

    Args:
        path: Path of a `.pth` or `.pt` file.

    Returns:
        A dict from each name to a NumPy array.

    Raises:
        UserError: if the file is not a state dict of plain tensors, or holds
            anything that reading would have to execute.
    """
    path = Path(path)
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"
    try:
        values, raw = _read_zip(path) if zipped else _read_legacy(path)
        return {
            name: _array(tensor, raw)
            for name, tensor in values.items()
            if isinstance(tensor, _Tensor)
        }
    except Exception as error:  # a pickle that is none may raise any
        raise UserError(
            f"Expected tensors that torch.save wrote in {path}. Received: "
            f"{one_line(error)}"
        ) from error


def _read_zip(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    with open_zip(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise ValueError("a zip file without data.pkl")
        root = names[0].removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist():
            order = read_member(archive, f"{root}byteorder", MAX_PICKLE_BYTES)
            if order != b"little":
                raise ValueError("an order of bytes that is not little")
        pickled = read_member(archive, names[0], MAX_PICKLE_BYTES)
        values = _unpack(io.BytesIO(pickled))
        size = path.stat().st_size  # members are stored as they are
        raw = {
            storage.key: read_member(archive, f"{root}data/{storage.key}", size)
            for storage in _storages(values)
        }
        if sum(map(len, raw.values())) > size:
            raise ValueError("compressed tensors")
    return values, raw


def _read_legacy(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    with (
        path.open("rb") as opened,
        # Of a map no more is read than there is, whatever a count says.
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as file,
    ):
        if _unpack(file) != MAGIC:
            raise ValueError("no file of torch.save")
        _unpack(file)  # protocol
        if _unpack(file)["little_endian"] is not True:
            raise ValueError("big-endian numbers")
        values = _unpack(file)
        storages = {storage.key: storage for storage in _storages(values)}
        raw = {}
        for key in _unpack(file):
            storage = storages[_text(key)]
            (count,) = struct.unpack("<q", file.read(8))
            if count != storage.count:
                raise ValueError(f"storage {key} of {count} numbers")
            raw[key] = file.read(count * storage.dtype.itemsize)
    return values, raw


def _storages(values: object) -> set[_Storage]:
    if not isinstance(values, dict) or len(values) > MAX_TENSORS:
        raise ValueError("no dict of tensors")
    return {value.storage for value in values.values() if isinstance(value, _Tensor)}


def _array(tensor: _Tensor, raw: Mapping[str, bytes]) -> np.ndarray:
    """A read-only view of a storage; no number of which it shows twice."""
    shape, strides = tensor.shape, tensor.strides
    if len(shape) != len(strides):
        raise ValueError(f"a tensor of shape {shape} and strides {strides}")
    numbers = np.frombuffer(raw[tensor.storage.key], tensor.storage.dtype)
    if math.prod(shape) == 0:
        return numbers[:0].reshape(shape)
    reach = 0  # from the first to the last number, along all axes so far
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if size > 1 and stride <= reach:
            raise ValueError(f"a tensor that overlaps itself, of strides {strides}")
        reach += stride * (size - 1)
    if tensor.offset + reach >= len(numbers):
        raise ValueError("a tensor past the end of its storage")
    return np.lib.stride_tricks.as_strided(
        numbers[tensor.offset :],
        shape,
        [
            stride * numbers.itemsize if size > 1 else numbers.itemsize
            for stride, size in zip(strides, shape, strict=True)
        ],
        writeable=False,
    )


def _unpack(file: io.BytesIO | mmap.mmap) -> Any:
    """Reads one pickle of plain values and tensors; executes nothing."""
    stack: list[Any] = []
    memo: dict[Any, Any] = {}

    def to_mark() -> list[Any]:
        items = []
        while (item := stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def put(items: list[Any]) -> None:
        target = stack[-1]
        if not isinstance(target, dict):
            raise ValueError("items for what is no dict")
        target.update(zip(map(_text, items[::2]), items[1::2], strict=True))

    opcodes = pickletools.genops(file)  # type: ignore[arg-type]
    for count, (opcode, argument, _) in enumerate(opcodes):
        if count > MAX_OPCODES:
            raise ValueError(f"a pickle of more than {MAX_OPCODES:,} opcodes")
        name = opcode.name
        if name in ("PROTO", "FRAME"):
            continue
        if name == "STOP":
            return stack.pop()
        if name == "MARK":
            stack.append(_MARK)
        elif name in ("NONE", "NEWTRUE", "NEWFALSE"):
            stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
        elif name in VALUES:
            stack.append(argument)
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name == "EMPTY_TUPLE":
            stack.append(())
        elif name == "TUPLE":
            stack.append(tuple(to_mark()))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            size = int(name[-1])
            stack[-size:] = [tuple(stack[-size:])]
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "GLOBAL":
            stack.append(_Name(*str(argument).split(" ", 1)))
        elif name == "STACK_GLOBAL":
            stack[-2:] = [_Name(*map(_text, stack[-2:]))]
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(_described(stack.pop(), arguments))
        elif name == "BINPERSID":
            stack.append(_storage(stack.pop()))
        elif name == "APPEND":
            item = stack.pop()
            stack[-1].append(item)
        elif name == "APPENDS":
            items = to_mark()
            stack[-1].extend(items)
        elif name == "SETITEM":
            items = stack[-2:]
            del stack[-2:]
            put(items)
        elif name == "SETITEMS":
            put(to_mark())
        elif name == "BUILD":
            stack.pop()  # attributes of the state dict, such as its version
        else:
            raise ValueError(f"the opcode {name}, which a state dict does not need")
    raise ValueError("a pickle without an end")


class _Name(tuple[str, str]):
    """The name of a global; never looked up."""

    __slots__ = ()

    def __new__(cls, module: str, name: str) -> "_Name":
        return super().__new__(cls, (module, name))


def _text(value: object) -> str:
    """A string; of other values not even the hash is taken, which may never end."""
    if type(value) is not str:
        raise ValueError(f"a {type(value).__name__} in place of a name")
    return value


def _sizes(values: object) -> tuple[int, ...]:
    """Sizes of axes, or strides."""
    if not isinstance(values, (tuple, list)) or len(values) > MAX_RANK:
        raise ValueError("a tensor of another shape than sizes")
    return tuple(_size(value) for value in values)


def _size(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise ValueError("a size that is none")
    return value


def _described(name: object, arguments: Sequence[Any]) -> Any:
    """What a call would have made, for the few that describe a tensor."""
    if not isinstance(name, _Name):
        raise ValueError("a call of what has no name")
    if name == ORDERED_DICT and not arguments:
        return {}
    if name == TENSOR:
        storage, offset, shape, strides = arguments[:4]
        if not isinstance(storage, _Storage):
            raise ValueError("a tensor without a storage")
        return _Tensor(storage, _size(offset), _sizes(shape), _sizes(strides))
    if name == PARAMETER:
        return arguments[0]
    raise ValueError(f"a call of {'.'.join(name)}, which is not executed")


def _storage(identity: Sequence[Any]) -> _Storage:
    kind, storage_type, key, _, count = identity[:5]
    if _text(kind) != "storage" or not isinstance(storage_type, _Name):
        raise ValueError("a reference to what is no storage")
    if storage_type[1] not in DTYPES:
        raise ValueError(f"a storage of {storage_type[1]}")
    return _Storage(np.dtype(DTYPES[storage_type[1]]), _text(key), _size(count))
