"""Which claims of the theory can be seen in a minute?

Each lab is a recipe that fails and a remedy that cures it; everything else stays
as it is. The same labs teach, are the bench of the diagnosis, and its tests.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ganlab.config.settings import Monitoring, Recipe
from ganlab.errors import unknown_name

IMAGE_MONITORING = Monitoring(
    log_every=25,
    sample_every=250,
    checkpoint_every=500,
    evaluate_every=50,
    evaluate_share=0.25,
    evaluate_images=500,
    probe_every=25,
    probe_share=0.1,
)
TOY_MONITORING = IMAGE_MONITORING.replace(sample_every=200, checkpoint_every=1000)


@dataclass(frozen=True)
class Lab:
    """One claim, made visible.

    Args:
        name: What `ganlab lab run` takes.
        claim: One sentence that the pictures show.
        theory: Why it is so, in a few sentences.
        recipe: The `Recipe` that fails.
        remedy: Settings that cure it.
        finding: Name of the finding that must fire on the recipe alone.
        shows: Log keys that are plotted, the one that tells the most first.
        source: A paper.
        make_data: Function from a folder to a data SPEC, for data that the lab
            makes, or `None`.
        monitoring: The `Monitoring` of both runs.
    """

    name: str
    claim: str
    theory: str
    recipe: Recipe
    remedy: dict
    finding: str
    shows: tuple[str, ...]
    source: str
    make_data: Callable[[Path], str] | None = field(default=None, repr=False)
    monitoring: Monitoring = IMAGE_MONITORING

    @property
    def cured(self):
        """The recipe with the remedy."""
        return self.recipe.replace(**self.remedy)


def _images(**settings):
    """Small players on Fashion-MNIST, for half a minute on 2 cores."""
    return Recipe(
        **{
            "conditional": False,
            "generator_filters": 16,
            "discriminator_filters": 16,
            "batch_size": 32,
            "steps": 1000,
            **settings,
        }
    )


def _points(**settings):
    """MLPs on eight Gaussians in the plane, for half a minute on 2 cores."""
    return Recipe(
        **{
            "data": "ring",
            "discriminator_activation": "leaky_relu",
            "batch_size": 64,
            **settings,
        }
    )


def _few_images(folder, count):
    """The first images of the embedded data, as an npz file."""
    from ganlab.data.loading import load_data

    path = Path(folder) / f"fashion-{count}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        data = load_data("fashion_mnist")
        np.savez(path, images=data.images[:count])
    return f"npz:{path}"


LABS = [
    Lab(
        "flat-cross-entropy",
        "Where real and fake lie apart, cross-entropy is flat; a critic is not.",
        "A discriminator trained to the end on two distributions that do not overlap "
        "is right everywhere, and its sigmoid is 1 or 0 with no slope between the "
        "images. A Wasserstein critic of bounded slope still says how far away they "
        "are.",
        _points(
            loss="minimax",
            discriminator_steps=5,
            discriminator_learning_rate=2e-3,
            generator_learning_rate=5e-4,
            steps=800,
        ),
        {
            "loss": "wasserstein",
            "regularizer": "gradient_penalty",
            "regularizer_weight": 0.1,
            "beta_1": 0.0,
            "beta_2": 0.9,
        },
        "vanishing_generator_gradient",
        ("g_logit_gradient", "modes_hit", "d_fake"),
        "https://arxiv.org/abs/1701.07875",
        monitoring=TOY_MONITORING,
    ),
    Lab(
        "strong-discriminator",
        "A discriminator that is far too strong teaches nothing; balance does.",
        "With three steps and twenty times the rate for each step of the generator, "
        "the discriminator is sure of every image. Its slope around the fakes points "
        "nowhere in particular.",
        _images(
            discriminator_steps=3,
            discriminator_normalization="none",
            discriminator_learning_rate=2e-3,
            generator_learning_rate=1e-4,
            steps=700,
        ),
        {
            "discriminator_steps": 1,
            "discriminator_normalization": "batch",
            "discriminator_learning_rate": 5e-4,
            "generator_learning_rate": 5e-4,
        },
        "discriminator_domination",
        ("d_fake", "fid", "d_accuracy_fake"),
        "https://arxiv.org/abs/1701.04862",
    ),
    Lab(
        "saturating-loss",
        "The saturating loss has no gradient just where the generator is worst.",
        "The gradient of log(1 - D(G(z))) in the logit l is sigmoid(l), that of -log "
        "D(G(z)) is sigmoid(-l). For a fake that is surely told, the first is 0 and "
        "the second 1.",
        _images(
            loss="minimax",
            discriminator_normalization="none",
            discriminator_learning_rate=2e-3,
            generator_learning_rate=1e-4,
            steps=700,
        ),
        {
            "loss": "non_saturating",
            "discriminator_learning_rate": 5e-4,
            "generator_learning_rate": 5e-4,
        },
        "vanishing_generator_gradient",
        ("g_logit_gradient", "fid", "d_fake"),
        "https://arxiv.org/abs/1406.2661",
    ),
    Lab(
        "dying-relu",
        "ReLU units that are pushed below 0 stay there; leaky ones come back.",
        "A ReLU below 0 for every sample has no gradient. Without normalisation a rate "
        "that is too high kills most units of a layer in a few steps.",
        _images(
            generator_normalization="none",
            discriminator_normalization="none",
            discriminator_activation="relu",
            generator_learning_rate=2e-2,
            discriminator_learning_rate=2e-2,
            steps=500,
        ),
        {
            "generator_activation": "leaky_relu",
            "discriminator_activation": "leaky_relu",
            "generator_normalization": "batch",
            "discriminator_normalization": "batch",
            "generator_learning_rate": 5e-4,
            "discriminator_learning_rate": 5e-4,
        },
        "dying_relu",
        ("g_dead_share", "d_dead_share", "fid"),
        "https://arxiv.org/abs/1502.01852",
    ),
    Lab(
        "sigmoid-hidden",
        "Sigmoids between layers shrink the gradient on its way to the first.",
        "The slope of a sigmoid is a quarter at most. Through three of them less than "
        "a sixtieth of the gradient is left, so the first layers hardly learn.",
        _images(
            generator_activation="sigmoid",
            discriminator_activation="sigmoid",
            generator_normalization="none",
            discriminator_normalization="none",
            steps=600,
        ),
        {
            "generator_activation": "relu",
            "discriminator_activation": "leaky_relu",
            "generator_normalization": "batch",
            "discriminator_normalization": "batch",
        },
        "activation_saturation",
        ("g_activation_gradient", "g_gradient_ratio", "fid"),
        "https://proceedings.mlr.press/v9/glorot10a.html",
    ),
    Lab(
        "without-batch-norm",
        "Without batch normalisation a generator starts too faint to keep up.",
        "Weights of standard deviation 0.02 shrink the signal in every layer, and the "
        "gradient on its way back, so all fakes are one grey. Normalised layers have "
        "outputs of one scale, whatever the weights are.",
        _images(
            generator_normalization="none",
            generator_learning_rate=2e-4,
            steps=500,
        ),
        {"generator_normalization": "batch"},
        "discriminator_domination",
        ("d_fake", "pairwise_ratio", "fid"),
        "https://arxiv.org/abs/1805.11604",
    ),
    Lab(
        "batch-statistics",
        "With tiny batches, what is trained is not what is shipped.",
        "In training batch normalisation uses the batch's mean and variance, exported "
        "the moving ones. Those of four points are noise, so the moving ones fit none "
        "of the batches that the generator was trained in.",
        _points(
            loss="relativistic",
            regularizer="r1+r2",
            generator_normalization="batch",
            generator_learning_rate=2e-3,
            discriminator_learning_rate=2e-3,
            beta_1=0.0,
            beta_2=0.9,
            batch_size=4,
            steps=1600,
        ),
        {"generator_normalization": "none"},
        "batch_norm_gap",
        ("batch_norm_gap", "modes_hit", "js"),
        "https://arxiv.org/abs/1502.03167",
        monitoring=TOY_MONITORING,
    ),
    Lab(
        "checkerboard",
        "A kernel that is no multiple of its stride leaves a checkerboard.",
        "A transposed convolution of kernel 3 and stride 2 covers every second pixel "
        "twice. Resizing first covers all alike.",
        _images(
            kernel_size=3,
            downsampling="average_pool",
            discriminator_normalization="none",
            steps=500,
        ),
        {"upsampling": "nearest"},
        "checkerboard",
        ("checkerboard_share", "nyquist_excess", "fid"),
        "https://distill.pub/2016/deconv-checkerboard",
    ),
    Lab(
        "ring-collapse",
        "A discriminator that judges points one by one does not see that all are "
        "alike.",
        "The generator moves to whatever the discriminator likes now. A relativistic "
        "loss pairs each fake with a real point, so every mode that is missing costs "
        "something.",
        _points(
            generator_normalization="none",
            generator_learning_rate=1e-3,
            discriminator_learning_rate=1e-3,
            beta_1=0.9,
            steps=2000,
        ),
        {
            "loss": "relativistic",
            "regularizer": "r1+r2",
            "beta_1": 0.0,
            "beta_2": 0.9,
            "generator_learning_rate": 2e-3,
            "discriminator_learning_rate": 2e-3,
        },
        "mode_collapse",
        ("modes_hit", "high_quality_share", "js"),
        "https://arxiv.org/abs/2501.05441",
        monitoring=TOY_MONITORING,
    ),
    Lab(
        "small-data",
        "Of few images the discriminator learns each by heart; augmentation hinders "
        "it.",
        "It is then surer of trained images than of held-out ones, and no longer a "
        "measure of what is real.",
        _images(
            image_size=16,
            discriminator_filters=64,
            discriminator_normalization="none",
            discriminator_learning_rate=2e-3,
            generator_learning_rate=1e-3,
            steps=2400,
        ),
        {"augmentation": "diffaugment", "augmentation_policy": "translation,cutout"},
        "discriminator_overfitting",
        ("overfit_gap", "logit_held_out", "fid"),
        "https://arxiv.org/abs/2006.10738",
        lambda folder: _few_images(folder, 320),
        IMAGE_MONITORING.replace(probe_every=50, log_every=50),
    ),
    Lab(
        "range-mismatch",
        "An output in [0, 1] never matches data in [-1, 1].",
        "The discriminator needs nothing but the brightness of the background. "
        "Whatever the generator draws, it is told apart.",
        _images(output_activation="sigmoid", steps=600),
        {"output_activation": "tanh"},
        "data_range_mismatch",
        ("fake_low", "d_fake", "fid"),
        "https://arxiv.org/abs/1511.06434",
    ),
    Lab(
        "float16-unscaled",
        "In float16 small gradients are 0 unless the loss is scaled.",
        "float16 has nothing between 0 and 6e-8. Scaling the loss by 2^15 moves the "
        "gradients into its range; a GAN has two losses, and both need it.",
        _images(
            dtype_policy="mixed_float16",
            loss_scaling=False,
            image_size=64,
            generator_filters=8,
            discriminator_filters=8,
            generator_normalization="none",
            discriminator_normalization="none",
            batch_size=16,
            steps=30,
        ),
        {"loss_scaling": True},
        "float16_underflow",
        ("g_zero_gradient_share", "g_gradient_error", "g_update_ratio"),
        "https://arxiv.org/abs/1710.03740",
        monitoring=IMAGE_MONITORING.replace(
            probe_every=3, probe_share=1.0, log_every=3, sample_every=30
        ),
    ),
    Lab(
        "pooling",
        "A discriminator that averages before it looks does not see a checkerboard.",
        "Average pooling takes the highest frequencies away, so nothing tells the "
        "generator to leave them out. A strided convolution learns what to look at, "
        "for a quarter of the multiplications.",
        _images(
            kernel_size=3,
            downsampling="average_pool",
            discriminator_normalization="none",
            steps=600,
        ),
        {"downsampling": "stride", "discriminator_normalization": "batch"},
        "checkerboard",
        ("checkerboard_share", "nyquist_excess", "images_per_second"),
        "https://arxiv.org/abs/1511.06434",
    ),
]


def get_lab(name):
    """Returns the `Lab` of a name.

    Raises:
        UserError: for an unknown name, with the known ones.
    """
    known = {each.name: each for each in LABS}
    if name not in known:
        raise unknown_name("lab", name, known)
    return known[name]
