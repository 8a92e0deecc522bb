"""The labs: recipes that fail, each with the remedy that cures it.

The same labs teach, are the benchmark of the diagnosis, and its tests. Each takes
half a minute on 2 cores.
"""

from pathlib import Path

import numpy as np

from ganlab.config.settings import Recipe
from ganlab.errors import unknown_name
from ganlab.labs.lab import LAB_MONITORING, Lab

# Small networks on Fashion-MNIST.
IMAGE_RECIPE = Recipe(
    conditional=False,
    generator_filters=16,
    discriminator_filters=16,
    batch_size=32,
    steps=1000,
)
# MLPs on eight Gaussians in two dimensions.
TOY_RECIPE = Recipe(data="ring", discriminator_activation="leaky_relu", batch_size=64)
TOY_MONITORING = LAB_MONITORING.replace(sample_every=200, checkpoint_every=1000)


def _first_images(folder: Path, count: int) -> str:
    """Writes the first images of the embedded data; returns their data SPEC."""
    from ganlab.data.loading import load_data

    path = folder / f"fashion-{count}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        data = load_data("fashion_mnist")
        np.savez(path, images=data.images[:count])
    return f"npz:{path}"


LABS: list[Lab] = [
    Lab(
        name="flat-cross-entropy",
        claim="Where real and fake lie apart, cross-entropy is flat; a critic is not.",
        theory=(
            "A discriminator trained to the end on two distributions that do not "
            "overlap is right everywhere, and its sigmoid is 1 or 0 with no gradient "
            "between the images. A Wasserstein critic of bounded gradient still says "
            "how far away they are."
        ),
        recipe=TOY_RECIPE.replace(
            loss="minimax",
            discriminator_steps=5,
            discriminator_learning_rate=2e-3,
            generator_learning_rate=5e-4,
            steps=800,
        ),
        remedy={
            "loss": "wasserstein",
            "regularizer": "gradient_penalty",
            "regularizer_weight": 0.1,
            "beta_1": 0.0,
            "beta_2": 0.9,
        },
        finding="vanishing_generator_gradient",
        log_keys=("g_logit_gradient", "modes_hit", "d_fake"),
        source="https://arxiv.org/abs/1701.07875",
        monitoring=TOY_MONITORING,
    ),
    Lab(
        name="strong-discriminator",
        claim="A discriminator that is far too strong teaches nothing; balance does.",
        theory=(
            "With three steps and twenty times the rate for each step of the "
            "generator, the discriminator is sure of every image. Its gradient around "
            "the fakes points nowhere in particular."
        ),
        recipe=IMAGE_RECIPE.replace(
            discriminator_steps=3,
            discriminator_normalization="none",
            discriminator_learning_rate=2e-3,
            generator_learning_rate=1e-4,
            steps=700,
        ),
        remedy={
            "discriminator_steps": 1,
            "discriminator_normalization": "batch",
            "discriminator_learning_rate": 5e-4,
            "generator_learning_rate": 5e-4,
        },
        finding="discriminator_domination",
        log_keys=("d_fake", "fid", "d_accuracy_fake"),
        source="https://arxiv.org/abs/1701.04862",
    ),
    Lab(
        name="saturating-loss",
        claim="The saturating loss has no gradient just where the generator is worst.",
        theory=(
            "The gradient of log(1 - D(G(z))) in the logit l is sigmoid(l), that of "
            "-log D(G(z)) is sigmoid(-l). For a fake that is surely told, the first "
            "is 0 and the second 1."
        ),
        recipe=IMAGE_RECIPE.replace(
            loss="minimax",
            discriminator_normalization="none",
            discriminator_learning_rate=2e-3,
            generator_learning_rate=1e-4,
            steps=700,
        ),
        remedy={
            "loss": "non_saturating",
            "discriminator_learning_rate": 5e-4,
            "generator_learning_rate": 5e-4,
        },
        finding="vanishing_generator_gradient",
        log_keys=("g_logit_gradient", "fid", "d_fake"),
        source="https://arxiv.org/abs/1406.2661",
    ),
    Lab(
        name="dying-relu",
        claim="ReLU units that are pushed below 0 stay there; leaky ones come back.",
        theory=(
            "A ReLU below 0 for every sample has no gradient. Without normalisation a "
            "rate that is too high kills most units of a layer in a few steps."
        ),
        recipe=IMAGE_RECIPE.replace(
            generator_normalization="none",
            discriminator_normalization="none",
            discriminator_activation="relu",
            generator_learning_rate=2e-2,
            discriminator_learning_rate=2e-2,
            steps=500,
        ),
        remedy={
            "generator_activation": "leaky_relu",
            "discriminator_activation": "leaky_relu",
            "generator_normalization": "batch",
            "discriminator_normalization": "batch",
            "generator_learning_rate": 5e-4,
            "discriminator_learning_rate": 5e-4,
        },
        finding="dying_relu",
        log_keys=("g_dead_share", "d_dead_share", "fid"),
        source="https://arxiv.org/abs/1502.01852",
    ),
    Lab(
        name="sigmoid-hidden",
        claim="Sigmoids between layers shrink the gradient on its way to the first.",
        theory=(
            "The gradient of a sigmoid is a quarter at most. Through three of them "
            "less than a sixtieth of the gradient is left, so the first layers hardly "
            "learn."
        ),
        recipe=IMAGE_RECIPE.replace(
            generator_activation="sigmoid",
            discriminator_activation="sigmoid",
            generator_normalization="none",
            discriminator_normalization="none",
            steps=600,
        ),
        remedy={
            "generator_activation": "relu",
            "discriminator_activation": "leaky_relu",
            "generator_normalization": "batch",
            "discriminator_normalization": "batch",
        },
        finding="activation_saturation",
        log_keys=("g_activation_gradient", "g_gradient_ratio", "fid"),
        source="https://proceedings.mlr.press/v9/glorot10a.html",
    ),
    Lab(
        name="without-batch-norm",
        claim="Without batch normalisation a generator starts too faint to keep up.",
        theory=(
            "Weights of standard deviation 0.02 shrink the signal in every layer, and "
            "the gradient on its way back, so all fakes are one grey. Normalised "
            "layers have outputs of one scale, whatever the weights are."
        ),
        recipe=IMAGE_RECIPE.replace(
            generator_normalization="none",
            generator_learning_rate=2e-4,
            steps=500,
        ),
        remedy={"generator_normalization": "batch"},
        finding="discriminator_domination",
        log_keys=("d_fake", "pairwise_ratio", "fid"),
        source="https://arxiv.org/abs/1805.11604",
    ),
    Lab(
        name="batch-statistics",
        claim="With tiny batches, what is trained is not what is shipped.",
        theory=(
            "In training batch normalisation uses the batch's mean and variance, "
            "exported the moving ones. Those of four samples are noise, so the moving "
            "ones fit none of the batches that the generator was trained in."
        ),
        recipe=TOY_RECIPE.replace(
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
        remedy={"generator_normalization": "none"},
        finding="batch_norm_gap",
        log_keys=("batch_norm_gap", "modes_hit", "js"),
        source="https://arxiv.org/abs/1502.03167",
        monitoring=TOY_MONITORING,
    ),
    Lab(
        name="checkerboard",
        claim="A kernel that is no multiple of its stride leaves a checkerboard.",
        theory=(
            "A transposed convolution of kernel 3 and stride 2 covers every second "
            "pixel twice. Resizing first covers all alike."
        ),
        recipe=IMAGE_RECIPE.replace(
            kernel_size=3,
            downsampling="average_pool",
            discriminator_normalization="none",
            steps=500,
        ),
        remedy={"upsampling": "nearest"},
        finding="checkerboard",
        log_keys=("checkerboard_share", "nyquist_excess", "fid"),
        source="https://distill.pub/2016/deconv-checkerboard",
    ),
    Lab(
        name="ring-collapse",
        claim=(
            "A discriminator that sees samples one by one cannot tell that all are "
            "alike."
        ),
        theory=(
            "The generator moves to whatever the discriminator likes now. A "
            "relativistic loss pairs each fake with a real sample, so every mode that "
            "is missing costs something."
        ),
        recipe=TOY_RECIPE.replace(
            generator_normalization="none",
            generator_learning_rate=1e-3,
            discriminator_learning_rate=1e-3,
            beta_1=0.9,
            steps=2000,
        ),
        remedy={
            "loss": "relativistic",
            "regularizer": "r1+r2",
            "beta_1": 0.0,
            "beta_2": 0.9,
            "generator_learning_rate": 2e-3,
            "discriminator_learning_rate": 2e-3,
        },
        finding="mode_collapse",
        log_keys=("modes_hit", "high_quality_share", "js"),
        source="https://arxiv.org/abs/2501.05441",
        monitoring=TOY_MONITORING,
    ),
    Lab(
        name="small-data",
        claim=(
            "Of few images the discriminator learns each by heart; augmentation "
            "hinders it."
        ),
        theory=(
            "It is then surer of trained images than of held-out ones, and no longer "
            "a measure of what is real."
        ),
        recipe=IMAGE_RECIPE.replace(
            image_size=16,
            discriminator_filters=64,
            discriminator_normalization="none",
            discriminator_learning_rate=2e-3,
            generator_learning_rate=1e-3,
            steps=2400,
        ),
        remedy={
            "augmentation": "diffaugment",
            "augmentation_policy": "translation,cutout",
        },
        finding="discriminator_overfitting",
        log_keys=("overfit_gap", "logit_held_out", "fid"),
        source="https://arxiv.org/abs/2006.10738",
        make_data=lambda folder: _first_images(folder, 320),
        monitoring=LAB_MONITORING.replace(probe_every=50, log_every=50),
    ),
    Lab(
        name="range-mismatch",
        claim="An output in [0, 1] never matches data in [-1, 1].",
        theory=(
            "The discriminator needs nothing but the brightness of the background. "
            "Whatever the generator draws, it is told apart."
        ),
        recipe=IMAGE_RECIPE.replace(output_activation="sigmoid", steps=600),
        remedy={"output_activation": "tanh"},
        finding="data_range_mismatch",
        log_keys=("fake_low", "d_fake", "fid"),
        source="https://arxiv.org/abs/1511.06434",
    ),
    Lab(
        name="float16-unscaled",
        claim="In float16 small gradients are 0 unless the loss is scaled.",
        theory=(
            "float16 has nothing between 0 and 6e-8. Scaling the loss by 2^15 moves "
            "the gradients into its range; a GAN has two losses, and both need it."
        ),
        recipe=IMAGE_RECIPE.replace(
            dtype_policy="mixed_float16",
            loss_scaling=False,
            image_size=64,
            generator_filters=8,
            discriminator_filters=8,
            generator_normalization="none",
            discriminator_normalization="none",
            batch_size=16,
            steps=18,
        ),
        remedy={"loss_scaling": True},
        finding="float16_underflow",
        log_keys=("g_zero_gradient_share", "g_gradient_error", "g_update_ratio"),
        source="https://arxiv.org/abs/1710.03740",
        monitoring=LAB_MONITORING.replace(
            probe_every=3, probe_share=1.0, log_every=3, sample_every=18
        ),
    ),
    Lab(
        name="pooling",
        claim=(
            "A discriminator that averages before it looks does not see a checkerboard."
        ),
        theory=(
            "Average pooling takes the highest frequencies away, so nothing tells the "
            "generator to leave them out. A strided convolution learns what to look "
            "at, for a quarter of the multiplications."
        ),
        recipe=IMAGE_RECIPE.replace(
            kernel_size=3,
            downsampling="average_pool",
            discriminator_normalization="none",
            steps=600,
        ),
        remedy={"downsampling": "stride", "discriminator_normalization": "batch"},
        finding="checkerboard",
        log_keys=("checkerboard_share", "nyquist_excess", "images_per_second"),
        source="https://arxiv.org/abs/1511.06434",
    ),
]


def get_lab(name: str) -> Lab:
    """Returns the lab of a name.

    Raises:
        UserError: for an unknown name, with the known ones.
    """
    labs = {lab.name: lab for lab in LABS}
    if name not in labs:
        raise unknown_name("lab", name, labs)
    return labs[name]
