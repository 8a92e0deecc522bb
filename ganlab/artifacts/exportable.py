"""What an export takes from a GAN: a function of tensors, and a Keras model of it.

Any generator is a function; SavedModel and ONNX hold that. A Keras file needs layers
that can be built again from their configuration.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras
import tensorflow as tf

from ganlab.artifacts.card import latent_names
from ganlab.errors import one_line
from ganlab.networks.precision import computing_in_float32, in_float32
from ganlab.networks.stock import of_stock_layers

KERAS_NAME = "averaged_generator"
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
    def generator_arguments(self, latents: Any, labels: Any = None) -> Any: ...


class Exportable(NamedTuple):
    """The averaged generator as a function.

    Args:
        generate: From the tensors of the signature to a dict with float32 `images`.
        signature: A `tf.TensorSpec` for each input, with its name: the latents, and
            `labels` of a conditional generator.
        network: The float32 Keras model that computes it, or `None` where the
            generator cannot be built again.
        num_weights: Integer.
    """

    generate: Generate
    signature: list[tf.TensorSpec]
    network: keras.Model | None
    num_weights: int


def exportable(gan: TrainedGAN) -> Exportable:
    """The averaged generator of a GAN as a function.

    It computes in float32. Where its layers can be built again they are Keras's own.
    """
    network: keras.Model | None
    try:
        network = in_float32(gan.generator, gan.ema_generator.values())
    except Exception:  # of any kind: the layers are the user's
        network = None
    shapes = gan.latent_shapes

    def generate(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        parts, labels = inputs[: len(shapes)], inputs[len(shapes) :]
        flat = [tf.reshape(part, (-1, math.prod(part.shape[1:]))) for part in parts]
        latents = flat[0] if len(flat) == 1 else tf.concat(flat, axis=1)
        arguments = gan.generator_arguments(latents, *labels)
        if network is not None:
            images = network(arguments, training=False)
        else:
            with computing_in_float32(gan.generator):
                images = gan.ema_generator(arguments)
        return {"images": tf.cast(images, tf.float32)}

    signature = [
        tf.TensorSpec((None, *shape), tf.float32, name=name)
        for name, shape in zip(latent_names(len(shapes)), shapes, strict=True)
    ]
    if gan.num_classes:
        signature.append(tf.TensorSpec((None,), tf.int32, name="labels"))
    return Exportable(generate, signature, network, gan.generator.count_params())


def write_keras(gan: TrainedGAN, path: Path) -> str:
    """Writes the averaged generator as a Keras file, of Keras's own layers if it can.

    A file that does not load again in safe mode is not left behind.

    Args:
        gan: A `ganlab.GAN`.
        path: The `.keras` file.

    Returns:
        What it needs: `loads with Keras alone`, `needs import ganlab`, or that it was
        left out, and why.
    """
    try:
        model = of_stock_layers(gan.generator, gan.ema_generator.values(), KERAS_NAME)
        model.save(path)
        with _registry() as registered:
            registered.clear()
            alone = _loads(path)
        if alone:
            return ALONE
        keras.saving.load_model(path, compile=False)
        return f"needs import {', '.join(_packages(model))}"
    except Exception as error:  # of any kind: the layers are the user's
        path.unlink(missing_ok=True)
        return f"left out, for it would not load again ({one_line(error)})"


def _loads(path: Path) -> bool:
    try:
        keras.saving.load_model(path, compile=False)
    except Exception:
        return False
    return True


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

    collect(json.loads(json.dumps(keras.saving.serialize_keras_object(model))))
    modules = (getattr(registered.get(name), "__module__", None) for name in names)
    return sorted({str(module).split(".")[0] for module in modules if module})
