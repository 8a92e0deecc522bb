"""What do both networks' layers say before any step?

Kernels, strides, rates of dropout and the range of the output are read from layers of
Keras and ganlab; what free-form code does is not known here.
"""

from typing import Any

import keras
from keras import layers

from ganlab.networks.output_range import output_range

TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
DROPPING = (
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
    layers.AlphaDropout,
    layers.GaussianDropout,
)


def structure_measures(
    generator: keras.Model, discriminator: keras.Model
) -> dict[str, float]:
    """Measures that no training changes.

    - `g_uneven_kernels`: how many transposed convolutions of the generator have a
      kernel that is no multiple of their stride; left out where there is none at all.
    - `d_dropout_rate`: the largest rate of dropout in the discriminator; left out
      where it has none.
    - `output_low`, `output_high`: the range that the generator can reach; left out
      where it has no bound.
    """
    measures = {}
    transposed = _layers_of(generator, TRANSPOSED)
    if transposed:
        measures["g_uneven_kernels"] = float(sum(map(_is_uneven, transposed)))
    rates = [layer.rate for layer in _layers_of(discriminator, DROPPING)]
    if rates:
        measures["d_dropout_rate"] = float(max(rates))
    drawn = output_range(generator)
    if drawn is not None:
        measures |= {"output_low": drawn[0], "output_high": drawn[1]}
    return measures


def _layers_of(network: keras.Model, kinds: tuple[type, ...]) -> list[Any]:
    """All layers of some kinds, within models and wrappers too."""
    return [layer for layer in network._flatten_layers() if isinstance(layer, kinds)]


def _is_uneven(layer: Any) -> bool:
    """Whether neighbouring outputs are made of differently many inputs."""
    return any(
        size % stride
        for size, stride in zip(layer.kernel_size, layer.strides, strict=True)
    )
