"""How does a discriminator turn an image into a logit?"""

import keras
from keras import layers

from ganlab.networks import blocks


def dcgan_discriminator(
    image_size=28,
    channels=1,
    *,
    num_classes=None,
    base_filters=64,
    activation="leaky_relu",
    normalization="none",
    downsampling="stride",
    kernel_size=4,
    padding="same",
    name="discriminator",
):
    """The DCGAN discriminator: halve until the map is small, then one logit.

    With classes it is a projection discriminator: the logit is a linear
    function of the features plus their inner product with the class's
    embedding,

        D(x, y) = w . f(x) + b + embedding(y) . f(x)

    Args:
        image_size: Integer in [16, 128]. Side of the square image in pixels.
        channels: 1 (grey) or 3 (colour).
        num_classes: Integer, or `None` for images alone.
        base_filters: Integer. Channels of the first map; each further one
            has twice as many.
        activation: `"relu"`, `"leaky_relu"`, `"tanh"` or `"sigmoid"`.
        normalization: `"batch"`, `"layer"` or `"none"`. The first map has
            none, as in the paper. Batch normalisation couples the samples of
            a batch, which gradient penalties do not allow.
        downsampling: `"stride"`, `"average_pool"` or `"max_pool"`.
        kernel_size: Integer. Side of every kernel.
        padding: `"same"` or `"valid"`.
        name: String.

    Returns:
        A functional `keras.Model` from images `(batch, image_size, image_size,
        channels)` in [-1, 1], or from `[images, labels]`, to raw logits
        `(batch, 1)` in float32. Real is the positive side.

    Reference:
        [Radford et al., 2015](https://arxiv.org/abs/1511.06434), section 3;
        [Miyato & Koyama, 2018](https://arxiv.org/abs/1802.05637), equation 3
    """
    blocks.check_image(image_size, channels)
    images = keras.Input((image_size, image_size, channels), name="images")
    x = images
    for stage in range(blocks.num_stages(image_size)):
        x = blocks.downsample(
            x,
            base_filters * 2**stage,
            activation=activation,
            normalization=normalization if stage else "none",
            downsampling=downsampling,
            kernel_size=kernel_size,
            padding=padding,
        )
    features = layers.Flatten()(x)
    logits = layers.Dense(
        1, kernel_initializer=blocks.initializer(), dtype="float32", name="logits"
    )(features)
    if num_classes is None:
        return keras.Model(images, logits, name=name)

    labels = keras.Input((), dtype="int32", name="labels")
    embedded = layers.Embedding(
        num_classes,
        features.shape[-1],
        embeddings_initializer=blocks.initializer(),
        dtype="float32",
        name="class",
    )(labels)
    features = layers.Activation("linear", dtype="float32")(features)
    projection = layers.Dot(axes=1, dtype="float32", name="projection")(
        [features, embedded]
    )
    logits = layers.Add(dtype="float32", name="conditional_logits")(
        [logits, projection]
    )
    return keras.Model([images, labels], logits, name=name)
