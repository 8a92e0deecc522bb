"""Faults: what goes wrong in users' GANs, one at a time, in GANs drawn at random.

Each `Fault` puts one mistake into a healthy `Case` and states the finding that names
it. Those that no rule was written for yet are in `ganlab.labs.unseen_faults`.
"""

import zlib

import numpy as np

from ganlab.errors import unknown_name
from ganlab.labs import injections
from ganlab.labs.cases import Case
from ganlab.labs.healthy import choose, draw_image
from ganlab.labs.injections import Fault
from ganlab.labs.unseen_faults import UNSEEN


def draw_failing(fault: Fault, seed: int) -> Case:
    """Draws another GAN for each fault and seed, and puts the fault into it."""
    random = np.random.default_rng([seed, zlib.crc32(fault.name.encode())])
    return fault.inject(draw_image(seed, random), random)


FAULTS: tuple[Fault, ...] = (
    Fault(
        "nan-samples",
        "some pictures hold NaN",
        ("non_finite_data",),
        lambda case, random: case.replace(nan_share=random.uniform(0.01, 0.1)),
    ),
    Fault(
        "repeated-file",
        "a loader repeats a few pictures",
        ("degenerate_data",),
        lambda case, random: case.replace(distinct=int(random.integers(1, 9))),
    ),
    Fault(
        "blank-pictures",
        "most pictures are of one colour",
        ("degenerate_data",),
        lambda case, random: case.replace(blank_share=random.uniform(0.7, 1.0)),
    ),
    Fault(
        "shuffled-labels",
        "labels are those of other pictures",
        ("uninformative_labels",),
        injections.always(conditional=True, shuffled_labels=True, data="mnist"),
    ),
    Fault(
        "sigmoid-output",
        "the output lies in [0, 1], the data in [-1, 1]",
        ("data_range_mismatch",),
        lambda case, random: injections.of_labels(case, random).replace(
            value_range="symmetric", output=choose(random, "sigmoid", "relu")
        ),
    ),
    Fault(
        "unscaled-data",
        "the data goes beyond the output's range",
        ("data_range_mismatch",),
        injections.unscaled,
    ),
    Fault(
        "still-generator",
        "the generator does not learn",
        ("frozen_network",),
        injections.still("generator"),
    ),
    Fault(
        "still-discriminator",
        "the discriminator does not learn",
        ("frozen_network",),
        injections.still("discriminator"),
    ),
    Fault(
        "unused-latents",
        "the latents do not reach the images",
        ("ignored_latents",),
        injections.always(latent_gain=0.0, conditional=False),
    ),
    Fault(
        "unused-labels",
        "the generator does not look at its labels",
        ("ignored_labels",),
        injections.always(labels_used=False, conditional=True),
    ),
    Fault(
        "reversed-discriminator",
        "the discriminator is taught that fakes are real",
        ("inverted_objective",),
        injections.with_labels(reversed_loss="discriminator"),
    ),
    Fault(
        "reversed-generator",
        "the generator is taught to be found out",
        ("inverted_objective",),
        injections.with_labels(reversed_loss="generator"),
    ),
    Fault(
        "probabilities-as-logits",
        "a sigmoid stands before a loss of logits",
        ("double_sigmoid",),
        lambda case, random: injections.cross_entropy(case, random).replace(
            end="sigmoid", from_logits=True
        ),
    ),
    Fault(
        "logits-as-probabilities",
        "a loss of probabilities is given logits",
        ("missing_sigmoid",),
        lambda case, random: injections.cross_entropy(case, random).replace(
            end="linear", from_logits=False
        ),
    ),
    Fault(
        "strong-discriminator",
        "the discriminator takes many steps at many times the generator's rate",
        ("discriminator_domination",),
        injections.strong,
    ),
    Fault(
        "saturating-loss",
        "log(1 - D(G(z))) against a strong discriminator",
        ("vanishing_generator_gradient",),
        injections.saturating,
    ),
    Fault(
        "high-rates",
        "both learning rates are far too high",
        ("overlong_steps", "exploding_gradient", "non_finite"),
        lambda case, random: case.replace(
            rates=(rate := float(10 ** random.uniform(-1.3, -0.5)), rate)
        ),
    ),
    Fault(
        "rate-spike",
        "a schedule raises both rates in mid-run",
        ("overlong_steps", "exploding_gradient", "non_finite"),
        lambda case, random: case.replace(spike=random.uniform(200, 800)),
    ),
    Fault(
        "unbounded-critic",
        "a Wasserstein critic without penalty or clipping",
        ("unconstrained_critic", "exploding_gradient"),
        injections.unbounded,
    ),
    Fault(
        "heavy-penalty",
        "a gradient penalty holds the discriminator flat",
        ("generator_domination",),
        lambda case, random: case.replace(
            loss=injections.plain_loss(case),
            penalty=float(10 ** random.uniform(3.5, 4.5)),
            discriminator_normalization="none",
        ),
    ),
    Fault(
        "blind-discriminator",
        "the discriminator sees no more than the mean colour, faintly",
        ("generator_domination",),
        lambda case, random: case.replace(
            loss=injections.plain_loss(case),
            penalty=0.0,
            blind=True,
            conditional=False,
        ),
    ),
    Fault(
        "racing-generator",
        "the generator learns a hundred times as fast as the discriminator",
        ("generator_domination", "mode_collapse"),
        injections.racing,
    ),
    Fault(
        "small-data",
        "a hundred pictures and a discriminator that learns them by heart",
        ("discriminator_overfitting", "memorisation"),
        injections.small,
    ),
    Fault(
        "hidden-sigmoids",
        "sigmoids between the layers of a network",
        ("activation_saturation",),
        injections.sigmoids,
    ),
    Fault(
        "dead-units",
        "hidden ReLUs that start far below 0",
        ("dying_relu",),
        injections.dead,
    ),
    Fault(
        "odd-kernel",
        "transposed convolutions whose kernel is no multiple of their stride",
        ("checkerboard",),
        injections.checkerboard,
    ),
    Fault(
        "stale-statistics",
        "moving statistics follow a thousand times too slowly",
        ("batch_norm_gap",),
        injections.always(generator_normalization="batch", momentum=0.99995),
    ),
    Fault(
        "steep-output",
        "the output's weights are large, so that pixels begin black or white",
        ("output_saturation",),
        lambda case, random: case.replace(output_gain=random.uniform(30, 100)),
    ),
    Fault(
        "same-targets",
        "real and fake images have the same label in the discriminator's loss",
        ("undivided_objective", "generator_domination"),
        injections.without_sides("same"),
    ),
    Fault(
        "fakes-only",
        "the discriminator's loss leaves real images out",
        ("undivided_objective", "generator_domination"),
        injections.without_sides("fakes"),
    ),
    Fault(
        "tiny-rates",
        "both learning rates are a million times too low",
        ("frozen_network",),
        lambda case, random: case.replace(
            rates=(rate := float(10 ** random.uniform(-10, -8)), rate)
        ),
    ),
    Fault(
        "clipped-away",
        "gradients of plain SGD are clipped to next to nothing",
        ("frozen_network",),
        lambda case, random: case.replace(
            clipnorm=float(10 ** random.uniform(-6, -4)), rates=(1e-2, 1e-2)
        ),
    ),
    Fault(
        "early-end",
        "a schedule takes both rates to nothing in mid-run",
        ("frozen_network",),
        lambda case, random: case.replace(spike=float(10 ** random.uniform(-7, -5))),
    ),
    Fault(
        "tiny-batches",
        "batches of two under batch normalisation",
        ("batch_norm_gap",),
        lambda case, random: case.replace(
            batch_size=2, generator_normalization="batch", conditional=False
        ),
    ),
    Fault(
        "joint-weights",
        "the generator's step moves the discriminator's weights too",
        ("crossed_steps",),
        injections.with_labels(joint=True),
    ),
    Fault(
        "squashed-critic",
        "a sigmoid stands before a loss without cross-entropy",
        ("double_sigmoid",),
        injections.squashed,
    ),
    Fault(
        "tight-clip",
        "the weights of a Wasserstein critic are clipped to next to nothing",
        ("vanishing_generator_gradient", "generator_domination"),
        lambda case, random: injections.critic(case, random).replace(
            penalty=0.0, clip=float(10 ** random.uniform(-5, -3.5))
        ),
    ),
    Fault(
        "heavy-dropout",
        "dropout leaves next to nothing of the discriminator",
        ("drowned_discriminator", "generator_domination"),
        lambda case, random: case.replace(
            loss=injections.plain_loss(case),
            penalty=0.0,
            discriminator_normalization="dropout",
            dropout=random.uniform(0.95, 0.99),
        ),
    ),
    Fault(
        "loud-noise",
        "noise on the discriminator's images drowns them",
        ("drowned_discriminator", "generator_domination"),
        lambda case, random: case.replace(
            loss=injections.plain_loss(case), penalty=0.0, noise=random.uniform(10, 50)
        ),
    ),
    Fault(
        "faint-latents",
        "latents are scaled to next to nothing",
        ("ignored_latents",),
        lambda case, random: case.replace(
            latent_gain=float(10 ** random.uniform(-4, -3)),
            generator_normalization="none",
            conditional=False,
        ),
    ),
    Fault(
        "zero-kernels",
        "the generator's kernels start at 0",
        ("frozen_network", "ignored_latents", "dying_relu"),
        injections.always(zero_kernels=True, conditional=False),
    ),
    Fault(
        "scaled-twice",
        "pictures are divided by 255 twice",
        ("data_range_mismatch", "degenerate_data"),
        injections.always(value_range="twice", output="sigmoid"),
    ),
    Fault(
        "negative-penalty",
        "the critic's gradient penalty has its sign swapped",
        ("generator_domination", "unconstrained_critic", "exploding_gradient"),
        lambda case, random: injections.critic(case, random).replace(penalty=-10.0),
    ),
    Fault(
        "endless-warmup",
        "both rates rise from 0 over millions of steps",
        ("frozen_network",),
        lambda case, random: case.replace(warmup=int(10 ** random.uniform(8, 10))),
    ),
    *UNSEEN,
)


def get_fault(name: str) -> Fault:
    """Returns the fault of a name.

    Raises:
        UserError: for an unknown name, with the known ones.
    """
    faults = {fault.name: fault for fault in FAULTS}
    if name not in faults:
        raise unknown_name("fault", name, faults)
    return faults[name]
