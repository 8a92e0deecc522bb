"""A network whose activations and gradients are read without changing it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ganlab.models import forward, signature
from ganlab.models.seeds import random_states
from ganlab.networks import SlicingNormalization, SpectralNormalization
from ganlab.networks.precision import HALF_PRECISION

ACTIVATIONS = ("relu", "tanh", "sigmoid")
MIN_ACTIVE_FRACTION = 0.01  # of the probe, above 0 on which a unit is alive
SATURATION = 0.99  # of the output's range


class Weights(NamedTuple):
    """A network's weights as tensors.

    Args:
        trainable: List of tensors.
        other: List of tensors, such as moving statistics.
    """

    trainable: list[Any]
    other: list[Any]


class Outputs(NamedTuple):
    """What a `ProbeNetwork` puts out.

    Args:
        own: List of the network's own outputs.
        activations: Outputs of its activations by layer name.
    """

    own: list[Any]
    activations: dict[str, Any]


class ProbeNetwork:
    """A network that also gives the outputs of its activations, and updates nothing.

    Args:
        network: A built `keras.Model`. Activations of its hidden layers are seen, but
            not those within a subclassed one, or within models that it is made of.
    """

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self._is_graph = bool(getattr(network, "outputs", None))
        self._num_outputs = len(signature.output_specs(network))
        self._kinds: dict[str, str] = {}
        self._model = network
        if self._is_graph:
            self._kinds = {
                layer.name: kind
                for layer in _hidden_layers(network)
                if (kind := _activation(layer)) is not None
            }
            activations = [network.get_layer(name).output for name in self._kinds]
            self._model = keras.Model(network.inputs, [*network.outputs, *activations])
        self.is_half = forward.computes_in(network, *HALF_PRECISION)
        self.is_random = bool(random_states(network))
        self.has_batch_norm = any(
            isinstance(layer, keras.layers.BatchNormalization)
            for layer in network._flatten_layers()
        )
        self.kernels = {
            layer.name: layer.kernel
            for layer in network.layers
            if not isinstance(layer, (SlicingNormalization, SpectralNormalization))
            and getattr(layer, "kernel", None) is not None
        }
        trainable = [id(weight) for weight in self._model.trainable_variables]
        self._kernel_indices = {
            name: trainable.index(id(kernel))
            for name, kernel in self.kernels.items()
            if id(kernel) in trainable
        }

    def read(self) -> Weights:
        """The weights as tensors, for a tape to watch."""
        return Weights(
            [tf.convert_to_tensor(w) for w in self._model.trainable_variables],
            [tf.convert_to_tensor(w) for w in self._model.non_trainable_variables],
        )

    def call(
        self, weights: Weights, inputs: Any, labels: Any, *, training: bool = True
    ) -> Outputs:
        """The network's outputs under some weights, and those of its activations."""
        arguments = signature.arguments(self._network, inputs, labels)
        if self._is_graph:
            arguments = flat_arguments(arguments)
        model = self._model
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        values = [*weights.trainable, *weights.other]
        with keras.StatelessScope(list(zip(variables, values, strict=True))):
            outputs = keras.tree.flatten(model(arguments, training=training))
        activations = outputs[self._num_outputs :]
        return Outputs(
            list(outputs[: self._num_outputs]),
            dict(zip(self._kinds, activations, strict=True)),
        )

    def gradient_measures(self, gradients: Sequence[Any], role: str) -> dict[str, Any]:
        """Of each kernel's gradient the root mean square; of all, norm and zeros."""
        measures = {
            f"gradient/{role}/{name}": tf.sqrt(
                tf.reduce_mean(tf.square(gradients[index]))
            )
            for name, index in self._kernel_indices.items()
            if gradients[index] is not None
        }
        flat = [tf.reshape(grad, [-1]) for grad in gradients if grad is not None]
        if flat:
            is_zero = tf.cast(tf.concat(flat, 0) == 0.0, tf.float32)
            measures[f"{role[0]}_zero_gradient_share"] = tf.reduce_mean(is_zero)
        norm = tf.linalg.global_norm(flat) if flat else tf.constant(0.0)
        measures[f"gradient_norm/{role[0]}"] = norm
        return measures

    def activation_measures(
        self, activations: Mapping[str, Any], role: str
    ) -> dict[str, Any]:
        """By activation: the fraction of its units that are dead, or saturated."""
        measures = {}
        for name, output in activations.items():
            kind, output = self._kinds[name], tf.cast(output, tf.float32)
            if kind == "relu":
                axes = list(range(len(output.shape) - 1))
                active = tf.reduce_mean(tf.cast(output > 0, tf.float32), axes)
                measures[f"dead/{role}/{name}"] = tf.reduce_mean(
                    tf.cast(active < MIN_ACTIVE_FRACTION, tf.float32)
                )
            else:
                slope = 1.0 - output**2 if kind == "tanh" else output * (1.0 - output)
                measures[f"slope/{role}/{name}"] = tf.reduce_mean(slope)
                centred = output if kind == "tanh" else 2.0 * output - 1.0
                measures[f"saturated/{role}/{name}"] = tf.reduce_mean(
                    tf.cast(tf.abs(centred) > SATURATION, tf.float32)
                )
        return measures

    def summarize(self, measures: Mapping[str, float], role: str) -> dict[str, float]:
        """The worst layer's measures, and how much gradient reaches the first layer.

        Args:
            measures: What `gradient_measures` and `activation_measures` gave.
            role: `generator` or `discriminator`.
        """
        summary, key = {}, role[0]
        for kind in ("dead", "saturated"):
            fractions = _under(measures, f"{kind}/{role}/")
            if fractions:
                summary[f"{key}_{kind}_share"] = max(fractions)
        slopes = _under(measures, f"slope/{role}/")
        if slopes:
            summary[f"{key}_activation_gradient"] = float(np.prod(slopes))
        gradients = [
            measures[f"gradient/{role}/{name}"]
            for name in self._kernel_indices
            if f"gradient/{role}/{name}" in measures
        ]
        if len(gradients) > 1 and gradients[-1] > 0:
            summary[f"{key}_gradient_ratio"] = gradients[0] / gradients[-1]
        return summary


def flat_arguments(arguments: Any) -> Any:
    """What a model of a network's flat inputs is called on."""
    flat = keras.tree.flatten(arguments)
    return flat[0] if len(flat) == 1 else flat


def _under(measures: Mapping[str, float], prefix: str) -> list[float]:
    return [value for name, value in measures.items() if name.startswith(prefix)]


def _hidden_layers(network: keras.Model) -> list[keras.Layer]:
    """All layers before the last that has weights: what follows is the output."""
    layers = list(network.layers)
    weighted = [index for index, layer in enumerate(layers) if layer.weights]
    return layers[: weighted[-1]] if weighted else []


def _activation(layer: keras.Layer) -> str | None:
    """Which of `ACTIVATIONS` a layer ends on, or `None`."""
    if isinstance(layer, keras.layers.ReLU):
        return "relu"
    name = getattr(getattr(layer, "activation", None), "__name__", None)
    return name if name in ACTIVATIONS else None


def direction(*gradients: Any) -> Any:
    """Sum of gradients over the sum of their sizes: 1 where all are positive."""
    total = tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients], 0)
    size = tf.reduce_sum(tf.abs(total))
    return tf.math.divide_no_nan(tf.reduce_sum(total), size)


def relative_error(gradients: list[Any], exact: list[Any]) -> Any:
    """|gradients - exact| / |exact| over all weights."""
    pairs = [
        (gradient, exact_gradient)
        for gradient, exact_gradient in zip(gradients, exact, strict=True)
        if gradient is not None
    ]
    errors = [gradient - exact_gradient for gradient, exact_gradient in pairs]
    norm = tf.linalg.global_norm([exact_gradient for _, exact_gradient in pairs])
    return tf.linalg.global_norm(errors) / (norm + 1e-30)
