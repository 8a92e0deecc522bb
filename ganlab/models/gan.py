"""The GAN: a generator and a discriminator that train against each other in `fit`."""

from typing import Any

import keras
from keras import ops

from ganlab.errors import as_count
from ganlab.models import batches, compatibility, first_batch, forward, reading
from ganlab.models.adversarial import AdversarialModel
from ganlab.models.base import GenerativeModel
from ganlab.models.batches import Batch, DiscriminatorInputs, Generated


@keras.saving.register_keras_serializable(package="ganlab")
class GAN(AdversarialModel, GenerativeModel):
    """A generator and a discriminator that train against each other in `fit`.

    Each `train_step` draws latents `z ~ N(0, I)`, one fake image per real one, and
    updates both networks from the same forward pass:

        D descends  loss.discriminator(D(x), D(G(z)))
        G descends  loss.generator(D(x), D(G(z)))

    and then moves the averaged generator a little towards the generator. `call`,
    `predict` and `sample` use the averaged generator.

    The latents are a pure function of `seed` and the step, so a model saved
    and loaded in mid-training goes on exactly where it was.

    Args:
        generator: `keras.Model` from latents, or from latents and a class, to
            images. Latents may have any shape and several inputs; the class is an
            integer or one-hot input, the one that is named so, is of integers, or
            comes last. Subclassed models are called once on a batch before.
        discriminator: `keras.Model` from images, or from images and a class, to raw
            logits of any shape, such as `(batch, 1)` or a patch discriminator's;
            real is the positive side. Or from images to `[logits, class_logits]`,
            which makes it an auxiliary classifier (AC-GAN).
        num_classes: Integer if the networks take labels, otherwise `None`.
        packing: Integer `m`, 1 or more. The discriminator takes `m` samples
            at once, joined along the last axis, so its input has `m` times
            the generator's channels, and what a batch holds beyond a multiple
            of `m` is left out. A collapsed generator gives itself away by
            samples that are alike.
        ema_decay: Float in [0, 1). Weight of the past in the averaged
            generator. Defaults to `0.999`.
        seed: Integer, 0 or more. Seeds the latents of training.
        output_range: `(low, high)`: the values of real and of generated images.
            Defaults to the range of the generator's last activation, or to
            `(-1.0, 1.0)` where it has no bound.
        name: String.

    Raises:
        UserError: for networks that do not fit together or were not built, and for
            numbers out of range.

    Example:

    >>> from ganlab import networks
    >>> gan = GAN(networks.dcgan_generator(base_filters=8),
    ...           networks.dcgan_discriminator(base_filters=8))
    >>> gan.compile(keras.optimizers.Adam(2e-4, beta_1=0.5),
    ...             keras.optimizers.Adam(2e-4, beta_1=0.5))
    >>> gan.sample(4, seed=0).shape
    (4, 28, 28, 1)

    Reference:
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661);
        [Lin et al., 2017 (PacGAN)](https://arxiv.org/abs/1712.04086);
        [Odena et al., 2016 (AC-GAN)](https://arxiv.org/abs/1610.09585)
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        num_classes: int | None = None,
        packing: int = 1,
        ema_decay: float = 0.999,
        seed: int = 0,
        output_range: tuple[float, float] | None = None,
        name: str = "gan",
    ) -> None:
        packing = as_count("packing", packing)
        if num_classes is not None:
            num_classes = as_count("num_classes", num_classes)
        compatibility.check_networks(generator, discriminator, num_classes, packing)
        super().__init__(generator, num_classes, ema_decay, seed, output_range, name)
        self.discriminator = discriminator
        self.packing = packing
        self.built = True

    def read_batches(self, data: Any) -> list[Batch]:
        return batches.split(self, data)

    def generate_fakes(self, batch: Batch) -> Generated:
        return batches.generate(self, batch)

    def show(self, batch: Batch, generated: Generated) -> DiscriminatorInputs:
        return batches.discriminator_inputs(self, batch, generated)

    def check_batch(self, data: Any, unit: int) -> None:
        first_batch.check(self, data, unit)

    def evaluate_batch(self, data: Any) -> dict[str, Any]:
        images, labels = (
            reading.whole_groups(values, self.packing)
            for values in reading.read(self, data)
        )
        latents = self.evaluation_latents(ops.shape(images)[0])
        self.evaluated.assign_add(1)
        fake = forward.call(self.generator, latents, labels, training=False)
        images = forward.pack(ops.cast(images, fake.dtype), self.packing)
        fake = forward.pack(fake, self.packing)
        judged = self.discriminate(images, fake, labels, training=False)
        return self.objective.evaluate(judged.outputs, labels)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "discriminator": compatibility.network_config(self.discriminator),
            "packing": self.packing,
            "shared_layers": compatibility.shared_layers(
                self.generator, self.discriminator
            ),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "GAN":
        config = compatibility.with_shared_layers(config, custom_objects)
        return super().from_config(config, custom_objects)
