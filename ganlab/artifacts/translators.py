"""Exports a translator for pictures of any size, and verifies that they are Keras's.

The artifact's folder holds `generator.onnx`, of dynamic height and width, and
`card.json`. `ganlab.artifacts.picture_filter` applies it to pictures.
"""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import onnx
import tensorflow as tf

from ganlab import __version__
from ganlab.artifacts import onnx_convert
from ganlab.artifacts.card import (
    FORMATS,
    SOURCES,
    Card,
    data_license,
    hash_files,
    write_card,
)
from ganlab.artifacts.export import check_new_artifact
from ganlab.artifacts.model_card import check_license
from ganlab.artifacts.onnx_run import open_session
from ganlab.artifacts.parity import (
    SEEDS,
    TOLERANCE,
    ParityError,
    training_inference_difference,
)
from ganlab.data.tasks import parse_task
from ganlab.errors import UserError
from ganlab.files import atomic_folder
from ganlab.networks.precision import is_graph
from ganlab.networks.stock import of_stock_layers

PROBED_SIDES = (64, 128, 256, 512)  # until the reach fits in
BATCHES = (1, 2)


class TrainedTranslator(Protocol):
    """What an export takes from a `ganlab.Translator`."""

    @property
    def generator(self) -> keras.Model: ...
    @property
    def ema_generator(self) -> Any: ...
    def follow_untrained(self) -> None: ...
    @property
    def source_shape(self) -> tuple[int | None, ...]: ...
    @property
    def output_range(self) -> tuple[float, float]: ...


def export_translator(
    translator: TrainedTranslator,
    directory: Path | str,
    *,
    training: Mapping[str, Any] | None = None,
    background: str = "white",
    license: str | None = None,
    attribution: str = "",
) -> Card:
    """Exports the averaged generator of a translator with its parity certificate.

    ONNX and Keras translate batches of 1 and 2, of the size that was trained on and of
    others, for three seeds; their images must agree to 1e-4 on the scale of [-1, 1].
    Dropout and batch statistics are off in both. The folder appears whole or not at
    all.

    Args:
        translator: A `ganlab.Translator` of functional networks, in [-1, 1].
        directory: A new or empty folder.
        training: Dict for the card: what it was trained on and how; `data` is the SPEC.
        background: The colour that transparent pictures are laid on.
        license: Licence of the weights for the card, such as `"apache-2.0"`.
        attribution: Who made the training images, and their licence.

    Returns:
        The card, a dict. `inputs["sources"]` states `multiple`, of which sides are to
        be; `reach`, how many pixels beyond a block of that size change it; and
        `enlarged`, how many times sources are enlarged before.

    Raises:
        UserError: if `directory` holds anything, or ONNX cannot hold the generator.
        ParityError: if ONNX translates otherwise than Keras.
    """
    directory = check_new_artifact(directory)
    check_license(license)
    if not is_graph(translator.generator) or translator.output_range != (-1.0, 1.0):
        raise UserError(
            "Expected a translator whose generator is a functional model of images in "
            f"[-1, 1]. Received: {type(translator.generator).__name__} in "
            f"{translator.output_range}; build it of Keras's layers"
        )
    translator.follow_untrained()
    values = translator.ema_generator.values()
    network = _of_size(of_stock_layers(translator.generator, values), (None, None))
    channels = network.input_shape[-1]
    multiple, reach = _structure(network)
    card = _describe(
        network,
        multiple,
        reach,
        dict(training or {}),
        background=background,
        license=license,
        attribution=attribution,
    )
    signature = tf.TensorSpec((None, None, None, channels), tf.float32, name=SOURCES)

    def generate(sources: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": tf.cast(network(sources, training=False), tf.float32)}

    model = onnx_convert.convert(generate, [signature])
    for value in (*model.graph.input, *model.graph.output):
        for dimension, name in zip(
            value.type.tensor_type.shape.dim[1:3], ("height", "width"), strict=True
        ):
            dimension.dim_param = name
    onnx_convert.describe(model, {**onnx_convert.properties(card), "format": "float32"})
    with atomic_folder(directory) as partial:
        onnx.save(model, partial / FORMATS["float32"])
        card["parity"] = _certify(translator, network, partial, multiple)
        card["files"] = hash_files(partial)
        write_card(partial, card)
    return card


def _describe(
    network: keras.Model,
    multiple: int,
    reach: int,
    training: dict[str, Any],
    *,
    background: str,
    license: str | None,
    attribution: str,
) -> Card:
    data = str(training.get("data", ""))
    task, images = None, data
    if data.startswith("task:"):
        task, images = parse_task(data.removeprefix("task:"))
    values = {"dtype": "float32", "range": [-1.0, 1.0]}
    return {
        "ganlab": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "inputs": {
            SOURCES: {
                "shape": [None, None, None, network.input_shape[-1]],
                **values,
                "multiple": multiple,
                "reach": reach,
                "enlarged": task.amount if task and task.name == "small" else 1,
                "background": background,
            }
        },
        "outputs": {
            "images": {"shape": [None, None, None, network.output_shape[-1]], **values}
        },
        "class_names": [],
        "parameters": network.count_params(),
        "opset": onnx_convert.OPSET,
        "training": training,
        "license": license,
        "data_license": _licences(images),
        "attribution": attribution or None,
    }


def _licences(spec: str) -> str | None:
    """Licences of the data that a SPEC names, of pairs of emoji both.

    >>> _licences("emoji:google:twitter"), _licences("emoji:twitter:emoji")
    ('apache-2.0 and cc-by-4.0', 'cc-by-4.0')
    """
    scheme, *names = spec.split(":")
    sets = [f"{scheme}:{name}" for name in names[:2]] if scheme == "emoji" else [spec]
    return " and ".join(filter(None, map(data_license, sets))) or None


def _of_size(network: keras.Model, sides: tuple[int | None, int | None]) -> keras.Model:
    """The same network for sources of another size."""
    sources = keras.Input((*sides, network.input_shape[-1]), name=SOURCES)
    copy = keras.models.clone_model(network, input_tensors=sources)
    copy.set_weights(network.get_weights())
    return copy


def _structure(network: keras.Model) -> tuple[int, int]:
    """The multiple that sides are to be of, and how far pixels reach.

    A block of outputs depends on the pixels whose gradient is not 0.
    """
    for side in PROBED_SIDES:
        fixed = _of_size(network, (side, side))
        maps = [layer.output.shape[1] for layer in fixed.layers]
        multiple = max(side // rows for rows in maps)
        first = side // 2 // multiple * multiple
        block = slice(first, first + multiple)
        random = np.random.default_rng(0)
        sources = random.uniform(-1.0, 1.0, (1, side, side, fixed.input_shape[-1]))
        sources = tf.constant(sources, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs = fixed(sources, training=False)[:, block, block]
        changing = np.any(tape.gradient(outputs, sources).numpy(), axis=(0, 3))
        rows = np.flatnonzero(changing.any(axis=1))
        columns = np.flatnonzero(changing.any(axis=0))
        low = min(rows[0], columns[0])
        high = max(rows[-1], columns[-1])
        if low > 0 and high < side - 1:
            break
    return multiple, int(max(first - low, high - (block.stop - 1)))


def _certify(
    translator: TrainedTranslator, network: keras.Model, directory: Path, multiple: int
) -> dict[str, Any]:
    """Compares Keras with ONNX at several sizes; of a trained size the average itself.

    Raises:
        ParityError: if they differ by more than 1e-4.
    """
    session = open_session(directory / FORMATS["float32"], optimized=True)
    trained = translator.source_shape[:2]
    sizes = [(2 * multiple, 3 * multiple), (5 * multiple, 2 * multiple)]
    if trained[0] is not None and trained[1] is not None:
        sizes = [(trained[0], trained[1]), *sizes]
    largest, sources = 0.0, np.empty(0)
    for height, width in sizes:
        for batch, seed in ((batch, seed) for batch in BATCHES for seed in SEEDS):
            random = np.random.default_rng([seed, batch])
            shape = (batch, height, width, network.input_shape[-1])
            sources = random.uniform(-1.0, 1.0, shape).astype(np.float32)
            average = (height, width) == trained
            expected = (
                translator.ema_generator(sources)
                if average
                else network(sources, training=False)
            )
            received = session.run(["images"], {SOURCES: sources})[0]
            difference = np.abs(keras.ops.convert_to_numpy(expected) - received).max()
            if not difference <= TOLERANCE:
                raise ParityError(
                    f"Expected ONNX to make Keras's images to {TOLERANCE}. Received: a "
                    f"difference of {difference:.3g} of {height} by {width} pixels, "
                    f"batch {batch}, seed {seed}; nothing was exported"
                )
            largest = max(largest, float(difference))
    return {
        "tolerance": TOLERANCE,
        "batches": list(BATCHES),
        "seeds": list(SEEDS),
        "sizes": [list(size) for size in sizes],
        "max_difference": {"onnx": largest},
        "training_inference_difference": training_inference_difference(
            network, tf.constant(sources)
        ),
    }
