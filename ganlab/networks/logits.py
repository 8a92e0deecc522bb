"""A network's output before the activation that turns logits into means."""

from typing import Any, NamedTuple

import keras
from keras import layers

from ganlab.networks.langevin import Langevin
from ganlab.networks.precision import is_graph

FACTORS = {"tanh": 2.0, "sigmoid": 1.0, "langevin": 2.0}  # of the logit, to the input


class Ending(NamedTuple):
    """How a network ends.

    Args:
        activation: A name of `FACTORS`.
        network: The network without its last activation; it shares all layers.
        factor: Float: what its output is times to be logits.
    """

    activation: str
    network: keras.Model
    factor: float


def ending(network: keras.Model) -> Ending | None:
    """How a network ends, or `None` where its logits cannot be taken from it.

    Args:
        network: A functional or Sequential `keras.Model` whose last layer is an
            activation, as those of `ganlab.networks` are.
    """
    if not is_graph(network):
        return None
    graph: Any = getattr(network, "_functional", network)
    operation, index, _ = graph.outputs[0]._keras_history
    activation = {layers.Activation: _name, Langevin: lambda layer: "langevin"}
    name = activation.get(type(operation), lambda layer: "")(operation)
    if name not in FACTORS:
        return None
    (before,) = operation._inbound_nodes[index].input_tensors
    logits = keras.Model(graph.input, before, name=f"{network.name}_logits")
    return Ending(name, logits, FACTORS[name])


def _name(layer: Any) -> str:
    return getattr(layer.activation, "__name__", "")
