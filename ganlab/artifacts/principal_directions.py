"""Along which latents do a generator's images change most?

SeFa's answer, from the weights of the layer that the latents enter. NumPy only.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganlab.safety.onnx_model import fields

MAX_LATENT_DIM = 1024  # the decomposition of more takes seconds
MAX_PASSED = 32  # nodes between the latents and the layer
GRAPH, NODE, INITIALIZER = 7, 1, 5
INPUT, OUTPUT, OPERATOR, ATTRIBUTE = 1, 2, 4, 5  # of a node
ATTRIBUTE_NAME, ATTRIBUTE_INTEGER = 1, 3
SIZE, DATA_TYPE, TENSOR_NAME, RAW_DATA = 1, 2, 8, 9  # of a tensor
FLOAT = 1
PASSING = ("Identity", "Flatten", "Reshape")


@dataclass
class Node:
    """An operator of a graph, its inputs, outputs and attributes that are integers."""

    operator: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    integers: dict[str, int] = field(default_factory=dict)


def principal_directions(
    content: bytes, latents: str, latent_dim: int, count: int
) -> np.ndarray:
    """Unit vectors along which the first dense layer's output changes most.

    The eigenvectors of `A^T A` with the largest eigenvalues, where the layer adds `A z`
    to its output for latents `z`. Normalisation that export has multiplied into the
    layer is part of `A`.

    Args:
        content: A float32 ONNX file of anybody.
        latents: Name of the latent input.
        latent_dim: Integer: its components.
        count: Integer: directions, fewer of fewer components.

    Returns:
        Float32 array `(count, latent_dim)`, the largest eigenvalue first, the largest
        component of each positive; of no rows where no dense layer is read that takes
        the latents.

    Reference:
        [Shen and Zhou, 2021](https://arxiv.org/abs/2007.06600), equation 6
    """
    none = np.empty((0, latent_dim), np.float32)
    if latent_dim > MAX_LATENT_DIM:
        return none
    try:
        weights = _first_dense(content, latents, latent_dim)
    except (ValueError, TypeError, LookupError, OverflowError):  # no ONNX
        return none
    if weights is None:
        return none
    with np.errstate(over="ignore", invalid="ignore"):
        gram = (weights @ weights.T).astype(np.float64)
    if not np.isfinite(gram).all():
        return none
    _, vectors = np.linalg.eigh(gram)
    directions = vectors.T[::-1][:count]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return np.ascontiguousarray(directions * signs[:, None], np.float32)


def _first_dense(content: bytes, latents: str, latent_dim: int) -> np.ndarray | None:
    """Weights `(latent_dim, units)` of the first dense layer that takes the latents."""
    graph = dict(fields(memoryview(content)))[GRAPH]
    nodes = [_node(value) for number, value in fields(graph) if number == NODE]
    tensors = dict(
        _tensor(value) for number, value in fields(graph) if number == INITIALIZER
    )
    makers = {output: node for node in nodes for output in node.outputs}
    for node in nodes:
        if node.operator not in ("MatMul", "Gemm") or node.integers.get("transA"):
            continue
        values, weights = node.inputs[0], tensors.get(node.inputs[1])
        if weights is None or weights.ndim != 2:
            continue
        if node.integers.get("transB"):
            weights = weights.T
        sources = _sources(values, makers)
        if latents not in (sources[0], sources[-1]) or len(weights) < latent_dim:
            continue
        first = sources[0] == latents
        return weights[:latent_dim] if first else weights[-latent_dim:]
    return None


def _sources(name: str, makers: Mapping[str, Node]) -> list[str]:
    """What a layer's inputs are joined of, in order; alone where nothing is joined."""
    source = _source(name, makers)
    maker = makers.get(source)
    if maker is None or maker.operator != "Concat":
        return [source]
    return [_source(part, makers) for part in maker.inputs]


def _source(name: str, makers: Mapping[str, Node]) -> str:
    """The tensor that holds the same numbers before they were only reshaped."""
    for _ in range(MAX_PASSED):
        maker = makers.get(name)
        if maker is None or maker.operator not in PASSING:
            break
        name = maker.inputs[0]
    return name


def _node(content: memoryview) -> Node:
    node = Node()
    for number, value in fields(content):
        if number == INPUT:
            node.inputs.append(_text(value))
        elif number == OUTPUT:
            node.outputs.append(_text(value))
        elif number == OPERATOR:
            node.operator = _text(value)
        elif number == ATTRIBUTE:
            stated = dict(fields(value))
            if isinstance(stated.get(ATTRIBUTE_INTEGER), int):
                name = _text(stated.get(ATTRIBUTE_NAME))
                node.integers[name] = stated[ATTRIBUTE_INTEGER]
    return node


def _tensor(content: memoryview) -> tuple[str, np.ndarray | None]:
    """Name and values of a tensor; of other types than float32, no values."""
    stated = dict(fields(content))
    shape = [value for number, value in fields(content) if number == SIZE]
    name = _text(stated.get(TENSOR_NAME))
    raw = stated.get(RAW_DATA)
    if stated.get(DATA_TYPE) != FLOAT or not isinstance(raw, memoryview):
        return name, None
    if not all(isinstance(size, int) for size in shape):
        return name, None
    if len(raw) != 4 * math.prod(shape):
        return name, None
    return name, np.frombuffer(raw, "<f4").reshape(shape)


def _text(value: Any) -> str:
    return str(value, "utf-8", "replace") if isinstance(value, memoryview) else ""
