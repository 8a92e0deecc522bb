"""The averaged generator, which is sampled and exported.

Adversarial training circles its solution, and the average over recent steps sits
nearer the middle than the last step does.
"""

import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError
from ganlab.networks.precision import as_float32, computing_in_float32

UNSEEDED = {
    *("RandomStandardNormal", "RandomUniform", "RandomUniformInt", "RandomShuffle"),
    *("TruncatedNormal", "Multinomial", "RandomGamma", "RandomPoissonV2"),
}


class AveragedGenerator(keras.layers.Layer):
    """A generator called with the averages of its weights.

    What is trained is averaged, and so are batch normalisation's moving statistics, so
    that averaged weights meet statistics of the same period. All else that the
    generator holds, such as an adapted normalisation, is read from it as it is.

    Args:
        generator: A built `keras.Model`. It is neither copied nor tracked.

    Reference:
        [Yazici et al., 2019](https://arxiv.org/abs/1806.04498)
    """

    def __init__(self, generator: keras.Model) -> None:
        super().__init__(
            name="averaged_generator", trainable=False, dtype="float32", autocast=False
        )
        self._generator = lambda: generator
        self._averages = tuple(
            self.add_weight(
                shape=variable.shape,
                dtype="float64" if variable.dtype == "float64" else "float32",
                initializer=_value_of(variable),
                trainable=False,
                aggregation=variable.aggregation,
                name=variable.path.replace("/", "_"),
            )
            for variable in averaged_variables(generator)
        )
        self.built = True

    def pairs(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """Each averaged variable of the generator beside its average."""
        variables = averaged_variables(self._generator())
        shapes = [
            [tuple(v.shape) for v in values] for values in (variables, self._averages)
        ]
        if shapes[0] != shapes[1]:
            raise UserError(
                f"Expected {self._generator().name!r} with the layers that it had when "
                f"its model was made. Received: {len(shapes[0])} weights in place of "
                f"{len(shapes[1])}, or other shapes; make the model again"
            )
        return list(zip(variables, self._averages, strict=True))

    def values(self) -> list[np.ndarray]:
        """The averaged generator's weights, in the order of `generator.weights`."""
        averages = {id(variable): average for variable, average in self.pairs()}
        return [
            ops.convert_to_numpy(averages.get(id(weight), weight))
            for weight in self._generator().weights
        ]

    def call(self, inputs: Any, training: bool = False, seed: Any = None) -> Any:
        """Generates from averaged weights in float32, as exports do.

        It changes no state.

        Args:
            inputs: What the generator takes.
            training: Not used: batch statistics never are.
            seed: Int tensor `(2,)`: seeds layers that draw noise outside training;
                by default they draw from where they stand.
        """
        generator = self._generator()
        values = [(v, ops.convert_to_tensor(average)) for v, average in self.pairs()]
        if seed is not None:
            weights = {id(weight) for weight in generator.weights}
            states = [v for v in generator.variables if id(v) not in weights]
            fold_in = tf.random.experimental.stateless_fold_in
            values += [
                (state, ops.cast(ops.abs(fold_in(seed, index)), state.dtype))
                for index, state in enumerate(states)
            ]
        with keras.StatelessScope(values), computing_in_float32(generator):
            (images,) = keras.tree.flatten(generator(inputs, training=False))
            return as_float32(images)

    def update(self, decay: Any) -> None:
        """Moves each average towards its variable.

        Args:
            decay: Float or scalar: weight of the past.
        """
        for variable, average in self.pairs():
            value = ops.cast(variable, average.dtype)
            share = ops.cast(decay, average.dtype)
            average.assign(averaged_value(average, value, share))


def warn_of_noise(graph: tf.Graph) -> None:
    """Warns of a graph that draws random numbers without a seed.

    TensorFlow's own, such as `tf.random.normal`, have none that a call could give.
    """
    definition = graph.as_graph_def()
    functions = (body.node_def for body in definition.library.function)
    bodies = [definition.node, *functions]
    names = {node.op for body in bodies for node in body} & UNSEEDED
    if names:
        warnings.warn(
            "Expected layers that draw noise by keras.random with a SeedGenerator of "
            f"their own. Received: {min(names)} in the generator; samples are no "
            "function of the seed",
            UserWarning,
            stacklevel=3,
        )


def averaged_variables(network: keras.Model) -> list[keras.Variable]:
    """What is averaged of a network, frozen layers' weights included."""
    chosen: dict[int, keras.Variable] = {}
    for layer in network._flatten_layers():
        moving = [
            variable
            for variable in layer._non_trainable_variables
            if variable.name.startswith("moving_")
            and keras.backend.is_float_dtype(variable.dtype)
        ]
        for variable in [*layer._trainable_variables, *moving]:
            chosen[id(variable)] = variable
    return list(chosen.values())


def _value_of(variable: keras.Variable) -> Any:
    return lambda shape, dtype: ops.cast(ops.convert_to_tensor(variable), dtype)


def decay_at(step: Any, decay: float) -> Any:
    """The decay after `step` updates, which rises to `decay`.

        min(decay, (1 + step) / (10 + step))

    Early on the average follows the generator closely, so that it does not
    carry the initial weights for the first `1 / (1 - decay)` steps.

    Args:
        step: Integer tensor: updates made before this one.
        decay: Float in [0, 1).
    """
    step = ops.cast(step, "float32")
    return ops.minimum(decay, (1.0 + step) / (10.0 + step))


def averaged_value(average: Any, value: Any, decay: Any) -> Any:
    """One step of the average, `decay * average + (1 - decay) * value`."""
    return average + (1.0 - decay) * (value - average)
