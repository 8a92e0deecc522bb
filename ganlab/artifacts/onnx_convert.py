"""Converts a TensorFlow function to ONNX, refuses what ONNX cannot hold, and names it.

A converted file needs no TensorFlow: its batch may have any size, a label out of range
is an error of the runtime, and its properties say whose images it draws.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import helper, numpy_helper

from ganlab import __version__
from ganlab.artifacts import onnx_simplify
from ganlab.artifacts.card import Card, hash_description
from ganlab.artifacts.onnx_graph import Graph, all_nodes, graphs_within
from ganlab.artifacts.quantize import first_line, to_float32
from ganlab.errors import UserError

OPSET = 18
LABELS = "labels"
STOCK = "build it of Keras's layers and keras.ops"
RANDOM = ("Random", "Multinomial", "TruncatedNormal")


def convert(
    function: Callable[..., Mapping[str, tf.Tensor]],
    signature: Sequence[tf.TensorSpec],
    num_classes: int = 0,
) -> onnx.ModelProto:
    """Converts a generator to ONNX in float32.

    Args:
        function: From tensors of the signature to a dict of named tensors.
        signature: A `tf.TensorSpec` for each input, with its name: `labels`, integers
            `(batch,)`, or else latents.
        num_classes: Integer, 0 without labels.

    Raises:
        UserError: for a function that draws random numbers, or computes what ONNX or
            onnxruntime does not.
    """
    traced = tf.function(function, input_signature=list(signature))
    concrete = traced.get_concrete_function()
    _refuse_random_numbers(concrete.graph)
    model = onnx_simplify.simplify(_converted(traced, signature))
    if num_classes and any(spec.name == LABELS for spec in signature):
        model = refuse_labels_out_of_range(model, num_classes)
    shapes = {key: value.shape for key, value in concrete.structured_outputs.items()}
    name_dimensions(model, shapes)
    return model


def _converted(traced: Any, signature: Sequence[tf.TensorSpec]) -> onnx.ModelProto:
    """The model as tf2onnx writes it, in float32.

    Raises:
        UserError: if an operator is missing in ONNX.
    """
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        model, _ = tf2onnx.convert.from_function(
            traced, input_signature=list(signature), opset=OPSET
        )
    except Exception as error:  # whatever a converter raises, the export ends here
        raise UserError(
            "Expected a generator of operators that ONNX has. Received: one that "
            f"tf2onnx cannot convert ({first_line(error)}); {STOCK}"
        ) from error
    finally:
        logger.setLevel(level)
    _hold_captured(model.graph, traced.get_concrete_function().graph)
    model = to_float32(model)
    _rewrite_erfc(model.graph)
    for node in all_nodes(model.graph.node):
        if not onnx.defs.has(node.op_type, node.domain):
            raise UserError(
                "Expected a generator of operators that ONNX has. "
                f"Received: {node.op_type} at {node.name!r}; {STOCK}"
            )
    return model


def _hold_captured(graph: onnx.GraphProto, traced: tf.Graph) -> None:
    """Makes constants of tensors that a function took from outside as it was traced.

    Keras's `Normalization` holds its adapted statistics so, and tf2onnx would have
    them as inputs.
    """
    captured = {
        inner.name: outer.numpy()
        for outer, inner in traced.captures
        if outer.dtype != tf.resource
    }
    for value in list(graph.input):
        if value.name in captured:
            graph.input.remove(value)
            array = captured[value.name]
            graph.initializer.append(numpy_helper.from_array(array, value.name))


def _rewrite_erfc(graph: onnx.GraphProto) -> None:
    """Computes `erfc(x)`, which GELU takes and ONNX lacks, as `1 - erf(x)`."""
    one = numpy_helper.from_array(np.array(1.0, np.float32), "ganlab_one")
    for node in list(graph.node):
        if node.op_type == "Erfc":
            erf = f"{node.output[0]}/erf"
            graph.node.remove(node)
            graph.node.append(helper.make_node("Erf", node.input, [erf]))
            graph.node.append(helper.make_node("Sub", [one.name, erf], node.output))
            if one not in graph.initializer:
                graph.initializer.append(one)
        for inner in graphs_within(node):
            _rewrite_erfc(inner)


def _refuse_random_numbers(graph: tf.Graph) -> None:
    """Refuses a function whose outputs depend on numbers that it draws itself."""
    library = graph.as_graph_def().library.function
    functions = {item.signature.name: item.node_def for item in library}
    tensors, visited = list(graph.outputs), set()
    while tensors:
        operation = tensors.pop().op
        if operation.name in visited:
            continue
        visited.add(operation.name)
        tensors += operation.inputs
        for kind in _kinds(operation.node_def, functions):
            if any(word in kind for word in RANDOM):
                raise UserError(
                    "Expected a generator whose images depend on its inputs alone. "
                    f"Received: {kind} at {operation.name!r}, which "
                    "draws at inference too; take the noise as a second input, "
                    "or draw it with training=True alone"
                )


def _kinds(node: Any, functions: Mapping[str, Any]) -> Iterator[str]:
    """Operators of a node of TensorFlow's and of the functions that it calls."""
    yield node.op
    for attribute in node.attr.values():
        for inner in functions.get(attribute.func.name, ()):
            yield from _kinds(inner, functions)


def refuse_labels_out_of_range(
    model: onnx.ModelProto, num_classes: int
) -> onnx.ModelProto:
    """Makes labels below 0 or above `num_classes - 1` an error of the runtime.

    ONNX's `Gather` counts negative indices from the end, so `-1` would be the last
    class, and one-hot vectors of labels out of range are zeros. Here labels are read
    from a table of `num_classes` integers, with `num_classes` subtracted of negative
    ones: no index from `-num_classes` to `num_classes - 1` is left for them.
    """
    graph = Graph(model)
    allowed = f"labels_from_0_to_{num_classes - 1}"
    for node in all_nodes(graph.nodes):
        node.input[:] = [allowed if name == LABELS else name for name in node.input]
    kind = next(value for value in model.graph.input if value.name == LABELS)
    dtype = helper.tensor_dtype_to_np_dtype(kind.type.tensor_type.elem_type)
    count, zero = (graph.constant(dtype.type(value)) for value in (num_classes, 0))
    table = graph.constant(np.arange(num_classes, dtype=dtype))
    negative = graph.add("Less", LABELS, zero)
    lower = graph.add("Sub", LABELS, count)
    index = graph.add("Where", negative, lower, LABELS)
    graph.add("Gather", table, index, output=allowed)
    return graph.model(names={allowed: allowed})


def name_dimensions(
    model: onnx.ModelProto, shapes: Mapping[str, tf.TensorShape]
) -> None:
    """Names the first dimension of inputs and outputs `batch`.

    Args:
        model: `onnx.ModelProto`, which is changed.
        shapes: Shape of each output, where the model states less.
    """
    for value in (*model.graph.input, *model.graph.output):
        dimensions = value.type.tensor_type.shape.dim
        for axis, size in enumerate(shapes.get(value.name, ())):
            if size is not None:
                dimensions[axis].dim_value = size
        if dimensions:
            dimensions[0].dim_param = "batch"
    del model.graph.value_info[:]


def properties(card: Card) -> dict[str, str]:
    """What the properties of an ONNX file say of its generator.

    Args:
        card: The artifact's card, before anything of its files is on it.

    Returns:
        A dict: `description`, `ganlab` (the version), `class_names` and `output_range`
        as JSON, `card_sha256` (see `card.hash_description`) and, if the card has them,
        `license` and `data_license`.
    """
    data = card["training"].get("data", "data that its card does not name")
    outputs = next(iter(card["outputs"].values()))
    stated = {
        "description": f"Generator of a GAN trained with ganlab on {data}",
        "ganlab": card["ganlab"],
        "class_names": json.dumps(card["class_names"], ensure_ascii=False),
        "output_range": json.dumps(outputs.get("range")),
        "card_sha256": hash_description(card),
    }
    licences = {key: card.get(key) for key in ("license", "data_license")}
    return stated | {key: str(value) for key, value in licences.items() if value}


def describe(model: onnx.ModelProto, properties: Mapping[str, str]) -> None:
    """Writes who made a model, and what it draws, into it.

    Args:
        model: `onnx.ModelProto`, which is changed.
        properties: For `metadata_props`; `description` also for the `doc_string`.
    """
    model.producer_name, model.producer_version = "ganlab", __version__
    model.doc_string = properties.get("description", "")
    helper.set_model_props(model, dict(sorted(properties.items())))
