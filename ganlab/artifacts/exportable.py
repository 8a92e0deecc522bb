"""What an export takes from a GAN: a function of tensors, and a Keras model of it.

Any generator is a function; SavedModel and ONNX hold that. A Keras file needs layers
that can be built again from their configuration.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
import tensorflow as tf

from ganlab import sampling
from ganlab.artifacts.card import latent_names
from ganlab.artifacts.safetensors_file import write_safetensors
from ganlab.errors import one_line
from ganlab.networks.precision import is_graph
from ganlab.networks.stock import of_enlarging_layers, of_stock_layers

KERAS_NAME = "averaged_generator"
NUM_COMPARED = 4
MAX_DIFFERENCE = 1e-3  # of 1, or of the largest value
ALONE = "loads with Keras alone"

Generate = Callable[..., dict[str, tf.Tensor]]


class TrainedGAN(Protocol):
    """What an export takes from a `ganlab.GAN`."""

    @property
    def generator(self) -> keras.Model: ...
    @property
    def ema_generator(self) -> Any: ...
    @property
    def image_shape(self) -> tuple[int, ...]: ...
    @property
    def known_range(self) -> tuple[float, float] | None: ...
    @property
    def latent_shapes(self) -> list[tuple[int, ...]]: ...
    @property
    def num_classes(self) -> int | None: ...
    def follow_untrained(self) -> None: ...
    def generator_arguments(self, latents: Any, labels: Any = None) -> Any: ...


class Exportable(NamedTuple):
    """The averaged generator as a function.

    Args:
        generate: From the tensors of the signature to a dict with float32 `images`.
        signature: A `tf.TensorSpec` for each input, with its name: the latents, and
            `labels` of a conditional generator.
        arguments: From the tensors of the signature to what the generator is called
            on, in its own order and form.
        network: The float32 Keras model that computes it, or `None` where the
            generator cannot be built again.
        num_weights: Integer.
    """

    generate: Generate
    signature: list[tf.TensorSpec]
    arguments: Callable[..., Any]
    network: keras.Model | None
    num_weights: int


def exportable(gan: TrainedGAN) -> Exportable:
    """The averaged generator of a GAN as a function.

    It computes in float32. Where its layers can be built again they are Keras's own.
    """
    shapes = gan.latent_shapes

    def arguments(*inputs: tf.Tensor) -> Any:
        parts, labels = inputs[: len(shapes)], inputs[len(shapes) :]
        flat = [tf.reshape(part, (-1, math.prod(part.shape[1:]))) for part in parts]
        latents = flat[0] if len(flat) == 1 else tf.concat(flat, axis=1)
        return gan.generator_arguments(latents, *labels)

    def average(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": tf.cast(gan.ema_generator(arguments(*inputs)), tf.float32)}

    signature = [
        tf.TensorSpec((None, *shape), tf.float32, name=name)
        for name, shape in zip(latent_names(len(shapes)), shapes, strict=True)
    ]
    if gan.num_classes:
        signature.append(tf.TensorSpec((None,), tf.int32, name="labels"))
    num_weights = gan.generator.count_params()
    exported = Exportable(average, signature, arguments, None, num_weights)
    try:
        network = of_enlarging_layers(gan.generator, gan.ema_generator.values())
        is_same = _draws_the_same(network, exported, gan)
    except Exception:  # of any kind: the layers are the user's
        is_same = False
    if not is_same:
        return exported

    def generate(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        images = network(arguments(*inputs), training=False)
        return {"images": tf.cast(images, tf.float32)}

    return exported._replace(generate=generate, network=network)


def _draws_the_same(
    network: keras.Model, exported: Exportable, gan: TrainedGAN
) -> bool:
    """Whether a rebuilt network is the average still: configs may lack something."""
    inputs = sampling.draw_inputs(NUM_COMPARED, gan.latent_shapes, gan.num_classes)
    tensors = [tf.constant(array) for array in inputs]
    expected = exported.generate(*tensors)["images"].numpy()
    received = network(exported.arguments(*tensors), training=False)
    scale = max(1.0, float(np.abs(expected).max()))
    difference = np.abs(keras.ops.convert_to_numpy(received) - expected).max() / scale
    return bool(difference <= MAX_DIFFERENCE)


def write_keras(gan: TrainedGAN, exported: Exportable, path: Path) -> str:
    """Writes the averaged generator as a Keras file, of Keras's own layers if it can.

    Its weights are written beside it, as a file of the suffix `.safetensors`.

    A file is not left behind if it does not load again in safe mode, or draws other
    images once it is loaded.

    Args:
        gan: A `ganlab.GAN`.
        exported: Its generator.
        path: The `.keras` file.

    Returns:
        What it needs: `loads with Keras alone`, `needs import ganlab`, or that it was
        left out, and why.
    """
    if not is_graph(gan.generator):
        return "left out, for the generator is a subclassed model"
    try:
        model = of_stock_layers(gan.generator, gan.ema_generator.values(), KERAS_NAME)
        model.save(path)
        needs = ALONE
        with _registry() as registered:
            registered.clear()
            loaded = _load(path)
        if loaded is None:
            loaded = keras.saving.load_model(path, compile=False)
            needs = f"needs import {', '.join(_packages(model))}"
        if _draws_the_same(loaded, exported, gan):
            write_safetensors(path.with_suffix(".safetensors"), weights_of(loaded))
            return needs
        reason = "it would draw other images once loaded"
    except Exception as error:  # of any kind: the layers are the user's
        reason = f"it would not load again ({one_line(error)})"
    path.unlink(missing_ok=True)
    return f"left out, for {reason}"


def weights_of(model: keras.Model) -> dict[str, np.ndarray]:
    """A model's variables by their paths, such as `dense/kernel`.

    Of variables with one path, which layers of a user's may have, the later ones get a
    number.
    """
    weights: dict[str, np.ndarray] = {}
    for variable in model.variables:
        name, number = variable.path, 0
        while name in weights:
            number += 1
            name = f"{variable.path}_{number}"
        weights[name] = keras.ops.convert_to_numpy(variable)
    return weights


def _load(path: Path) -> keras.Model | None:
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception:
        return None


@contextmanager
def _registry() -> Iterator[dict[str, Any]]:
    """Keras's registered objects, which are as before at the end."""
    registered = keras.saving.get_custom_objects()
    before = dict(registered)
    try:
        yield registered
    finally:
        registered.clear()
        registered.update(before)


def _packages(model: keras.Model) -> list[str]:
    """The packages that define a model's registered objects."""
    registered = keras.saving.get_custom_objects()
    names: set[str] = set()

    def collect(config: Any) -> None:
        if isinstance(config, Mapping):
            names.add(str(config.get("registered_name")))
            config = list(config.values())
        if isinstance(config, (list, tuple)):
            for value in config:
                collect(value)

    collect(keras.saving.serialize_keras_object(model))
    modules = (getattr(registered.get(name), "__module__", None) for name in names)
    return sorted({str(module).split(".")[0] for module in modules if module})
