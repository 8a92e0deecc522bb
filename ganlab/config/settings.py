"""The table of settings: what decides the images of a run, and what watches it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ganlab.config import choices
from ganlab.config.monitoring import Monitoring as Monitoring
from ganlab.config.network_settings import NetworkSettings
from ganlab.config.table import Setting, Settings, documented, rows, setting

BY_DATA = "by size of the images"
in_run, in_data, in_objective, in_training = (
    partial(setting, group=group) for group in ("Run", "Data", "Objective", "Training")
)


@dataclass(frozen=True)
class DataSettings(Settings):
    """What a run starts from, how long it is, and what it is trained on."""

    preset: str = in_run(
        "dcgan", "preset that the other settings start from", metavar="NAME", flag=True
    )
    model: str = in_run(
        "gan",
        "what is trained: a GAN from noise, or a translator of images, whose networks "
        "are pix2pix's U-Net or, with cycle and contrastive, CycleGAN's ResNet",
        choices=choices.MODELS,
        flag=True,
    )
    training: str | None = in_run(
        None,
        "how a translator is trained: on pairs, or on two sets by their cycle "
        "(CycleGAN) or by contrast of patches (CUT)",
        choices=choices.TRAININGS,
        unset="paired, or contrastive for domains:A:B",
        flag=True,
    )
    data: str = in_run(
        "fashion_mnist",
        "data SPEC: fashion_mnist (embedded), folder:DIR, npz:FILE, "
        "tfrecord:FILES, webdataset:FILES, idx:DIR[:train|:test], "
        "tfds:NAME[/CONFIG][:SPLIT], emoji:google[:DIR], emoji:twitter[:DIR], or the "
        "toy 2-D mixtures ring and grid; of translators pairs:A:B, domains:A:B, "
        "task:NAME:SPEC, emoji:google:twitter[:DIR]",
        metavar="SPEC",
        flag=True,
    )
    steps: int = in_run(
        6000, "length of the run in generator batches", minimum=1, flag=True
    )
    seed: int = in_run(
        0, "seed of weights, latents and the order of the data", minimum=0, flag=True
    )
    image_size: int | str | tuple[int, int] | None = in_data(
        None,
        "side of the images in pixels, or height and width such as 48x96",
        minimum=16,
        maximum=512,
        unset="the data's own",
        flag=True,
        metavar="SIZE",
        sized=True,
    )
    channels: int | None = in_data(
        None,
        "1 for grey, 2 for grey and opacity, 3 for colour, 4 for colour and opacity",
        choices=(1, 2, 3, 4),
        unset="the data's own, without opacity",
        flag=True,
    )
    background: str = in_data(
        "white",
        "colour under transparent pictures, a name or #rrggbb; where opacity is kept, "
        "the colour of what is not seen",
        flag=True,
        metavar="COLOUR",
    )
    flip: bool = in_data(False, "mirror images left to right at random", flag=True)
    conditional: bool | None = in_data(
        None,
        "give both networks the class",
        unset="where the data has classes",
        flag=True,
    )


# The rows of the last base come first.
@documented
@dataclass(frozen=True)
class Recipe(NetworkSettings, DataSettings):
    """Everything that decides the images: equal recipes draw equal images."""

    loss: str = in_objective(
        "non_saturating",
        "adversarial loss",
        choices=choices.LOSSES,
        flag=True,
        midway=True,
    )
    label_smoothing: float = in_objective(
        0.0,
        "one-sided smoothing of the real target",
        minimum=0,
        below=0.5,
        flag=True,
        midway=True,
    )
    san: bool = in_objective(
        False,
        "train the direction of the discriminator's last layer apart, as SAN",
        flag=True,
        discriminator="san",
    )
    regularizer: str = in_objective(
        "none",
        "penalties on the discriminator",
        choices=choices.REGULARIZERS,
        separator="+",
        flag=True,
        midway=True,
    )
    regularizer_weight: float | None = in_objective(
        None,
        "weight of each regularizer",
        minimum=0,
        unset="the regularizer's own",
        midway=True,
    )
    regularizer_every: int = in_objective(
        1, "steps between penalties", minimum=1, midway=True
    )
    augmentation: str = in_objective(
        "none",
        "augmentation of what the discriminator is given",
        choices=choices.AUGMENTATIONS,
        flag=True,
        midway=True,
    )
    augmentation_policy: str = in_objective(
        "color,translation,cutout",
        "transformations of diffaugment",
        choices=choices.AUGMENTATION_POLICIES,
        separator=",",
        midway=True,
    )
    instance_noise: float = in_objective(
        0.0,
        "standard deviation of the noise on the discriminator's inputs at first; it "
        "fades to 0 over the run",
        minimum=0,
        midway=True,
    )
    updates: str = in_training(
        "simultaneous",
        "whether both networks are updated from one pass or in turn",
        choices=choices.UPDATES,
    )
    recompute: bool = in_training(False, "generate images twice a step to save memory")
    discriminator_steps: int = in_training(
        1, "discriminator updates for each generator update", minimum=1, midway=True
    )
    generator_learning_rate: float | None = in_training(
        None,
        "learning rate of the generator's Adam",
        minimum=0,
        unset=BY_DATA,
        midway=True,
    )
    discriminator_learning_rate: float | None = in_training(
        None,
        "learning rate of the discriminator's Adam",
        minimum=0,
        unset=BY_DATA,
        midway=True,
    )
    beta_1: float = in_training(
        0.5, "Adam's decay of the first moment", minimum=0, below=1, midway=True
    )
    beta_2: float = in_training(
        0.999, "Adam's decay of the second moment", minimum=0, below=1, midway=True
    )
    gradient_clip: float | None = in_training(
        None,
        "largest norm of a network's gradient",
        above=0,
        unset="no clipping",
        midway=True,
    )
    final_rate_share: float = in_training(
        1.0,
        "fraction of both learning rates at the run's end, along half a cosine",
        minimum=0,
    )
    final_beta_2: float | None = in_training(
        None, "beta_2 at the run's end, likewise", minimum=0, below=1, unset="beta_2"
    )
    final_weight_share: float = in_training(
        1.0,
        "fraction of the regularizers' weights at the run's end, likewise",
        minimum=0,
    )
    ema_decay: float = in_training(
        0.999, "weight of the past in the averaged generator", minimum=0, below=1
    )
    batch_size: int = in_training(
        64, "real images for each discriminator update", minimum=1, flag=True
    )
    gradient_accumulation_steps: int = in_training(
        1, "batches whose mean gradient makes one update of each network", minimum=1
    )
    dtype_policy: str = in_training(
        "float32",
        "Keras dtype policy of both networks",
        choices=choices.DTYPE_POLICIES,
        flag=True,
    )
    loss_scaling: bool = in_training(
        True, "scale losses where a network computes in float16", midway=True
    )
    skip_non_finite: bool = in_training(
        False, "leave out a step whose losses or gradients are not finite", midway=True
    )


SETTINGS: Mapping[str, Setting] = {**rows(Recipe), **rows(Monitoring)}


def split_settings(
    settings: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the settings of the recipe and those of the monitoring."""
    monitoring = rows(Monitoring)
    return (
        {name: value for name, value in settings.items() if name not in monitoring},
        {name: value for name, value in settings.items() if name in monitoring},
    )


def keep_networks(names: Iterable[str]) -> bool:
    """Whether training can go on from the same weights when these settings change."""
    return all(name in SETTINGS and SETTINGS[name].midway for name in names)
