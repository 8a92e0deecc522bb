"""Faults: what goes wrong in users' GANs, one at a time, in GANs drawn at random.

Each `Fault` puts one mistake into a healthy `Case` and states the finding that names
it. `draw_healthy` draws the case, `draw_failing` puts a fault into it.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ganlab.errors import unknown_name
from ganlab.labs.cases import Case

Random = np.random.Generator

DATA = ("emoji", "mnist", "fashion_mnist")
TOYS = ("ring", "grid")
TOY_FRACTION = 0.15
TOY_STEPS = 1200


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Args:
        name: A short name.
        cause: What was done, in a sentence.
        findings: Names of the findings that name the cause.
        inject: Function from a healthy `Case` and a random generator to the case with
            the fault.
        toy: Whether it is drawn on toy mixtures, and on nothing else.
    """

    name: str
    cause: str
    findings: tuple[str, ...]
    inject: Callable[[Case, Random], Case]
    toy: bool = False


def draw_healthy(seed: int) -> Case:
    """Draws a GAN of sound settings, which is a function of the seed."""
    random = np.random.default_rng(seed)
    toy = random.random() < TOY_FRACTION
    return (_toy if toy else _image)(seed, random)


def draw_failing(fault: Fault, seed: int) -> Case:
    """Draws another GAN for each fault and seed, and puts the fault into it."""
    random = np.random.default_rng([seed, zlib.crc32(fault.name.encode())])
    return fault.inject((_toy if fault.toy else _image)(seed, random), random)


def _image(seed: int, random: Random) -> Case:
    trainer = _one(random, "ganlab", "keras")
    losses = {
        "ganlab": ("non_saturating", "hinge", "least_squares", "relativistic"),
        "keras": ("cross_entropy", "cross_entropy", "hinge", "least_squares"),
    }
    loss = _one(random, *losses[trainer], "wasserstein")
    if loss == "wasserstein":
        penalty = 10.0
    elif loss == "relativistic":
        penalty = 1.0
    else:
        penalty = _one(random, 0.0, 1.0, 1.0)
    steep = loss in ("wasserstein", "relativistic") or penalty
    symmetric = random.random() < 0.7
    rate = float(10 ** random.uniform(-3.6, -3.1))
    probabilities = trainer == "keras" and loss == "cross_entropy"
    return Case(
        seed,
        trainer,
        _one(random, *DATA),
        conditional=bool(random.random() < 0.3),
        value_range="symmetric" if symmetric else "unit",
        output="tanh" if symmetric else "sigmoid",
        generator=_one(random, "transposed", "resized", "resized", "dense"),
        discriminator=_one(random, "strided", "strided", "pooled", "dense"),
        width=_one(random, 6, 8, 12),
        latent_dim=_one(random, 16, 32, 64, 100),
        kernel_size=_one(random, 4, 4, 6),
        generator_activation=_one(random, "relu", "leaky_relu", "elu", "silu"),
        discriminator_activation=_one(random, "leaky_relu", "leaky_relu", "silu"),
        generator_normalization=_one(random, "batch", "batch", "layer"),
        discriminator_normalization=(
            "none" if steep else _one(random, "dropout", "dropout", "layer")
        ),
        end="sigmoid" if probabilities and random.random() < 0.5 else "linear",
        loss=loss,
        penalty=penalty,
        fake_label=int(random.integers(2)),
        optimizer=_one(random, "adam", "adam", "adam", "rmsprop"),
        rates=(rate, rate * float(2 ** random.uniform(-1, 0.5))),
        beta_1=_one(random, 0.0, 0.5),
        discriminator_steps=_one(random, 1, 2) if loss == "wasserstein" else 1,
        batch_size=_one(random, 16, 24, 32),
    )


def _toy(seed: int, random: Random) -> Case:
    trainer = _one(random, "ganlab", "keras")
    loss = "wasserstein"
    if trainer == "ganlab":
        loss = _one(random, "relativistic", "relativistic", "wasserstein")
    rate = float(10 ** random.uniform(-3.0, -2.6))
    return Case(
        seed,
        trainer,
        _one(random, *TOYS),
        generator="dense",
        discriminator="dense",
        width=_one(random, 8, 16),
        latent_dim=_one(random, 2, 8, 16),
        generator_activation=_one(random, "relu", "leaky_relu", "silu"),
        discriminator_activation=_one(random, "relu", "leaky_relu"),
        generator_normalization="none",
        discriminator_normalization="none",
        output="linear",
        loss=loss,
        penalty=1.0 if loss == "relativistic" else 0.1,
        rates=(rate, rate),
        beta_1=0.0,
        discriminator_steps=3 if loss == "wasserstein" else 1,
        batch_size=64,
        steps=TOY_STEPS,
    )


def _one(random: Random, *values):
    return values[int(random.integers(len(values)))]


def _of_labels(case: Case, random: Random) -> Case:
    """By Keras, with a loss of labels or a cross-entropy."""
    return case.replace(
        trainer="keras",
        loss=_one(random, "cross_entropy", "hinge", "least_squares"),
        penalty=0.0,
        discriminator_steps=1,
        discriminator_normalization="dropout",
        end="linear",
    )


def _cross_entropy(case: Case, random: Random) -> Case:
    return _of_labels(case, random).replace(loss="cross_entropy")


def _unscaled(case: Case, random: Random) -> Case:
    case = _of_labels(case, random)
    return case.replace(value_range=_one(random, "bytes", "standard"), output="tanh")


def _still(role: str) -> Callable[[Case, Random], Case]:
    def inject(case: Case, random: Random) -> Case:
        ways = ["rate", "trainable"]
        if role == "generator":
            ways.append("cut")
        way = _one(random, *ways)
        if way != "rate":
            case = _of_labels(case, random)
        return case.replace(still=role, still_by=way)

    return inject


def _collapsing(case: Case, random: Random) -> Case:
    ours = case.trainer == "ganlab"
    rate = float(10 ** random.uniform(-3, -2.7))
    return case.replace(
        loss="non_saturating" if ours else "cross_entropy",
        penalty=0.0,
        beta_1=0.9,
        rates=(rate, rate),
        discriminator_steps=1,
        steps=2000,
    )


def _strong(case: Case, random: Random) -> Case:
    return case.replace(
        loss="non_saturating" if case.trainer == "ganlab" else "cross_entropy",
        penalty=0.0,
        discriminator_normalization="none",
        discriminator="strided",
        discriminator_steps=_one(random, 3, 5),
        rates=(float(10 ** random.uniform(-5.0, -4.3)), _one(random, 2e-3, 4e-3)),
    )


def _saturating(case: Case, random: Random) -> Case:
    case = _strong(case, random)
    ours = case.trainer == "ganlab"
    return case.replace(
        loss="minimax" if ours else "saturating", rates=(2e-4, case.rates[1])
    )


def _sigmoids(case: Case, random: Random) -> Case:
    role = _one(random, "generator", "discriminator")
    return case.replace(
        **{
            f"{role}_activation": _one(random, "sigmoid", "sigmoid"),
            f"{role}_normalization": "none",
        }
    )


def _dead(case: Case, random: Random) -> Case:
    role = _one(random, "generator", "discriminator")
    return case.replace(
        **{f"{role}_activation": "relu", f"{role}_normalization": "none"},
        unit_bias=-float(random.uniform(1.5, 3.0)),
    )


def _unbounded(case: Case, random: Random) -> Case:
    return case.replace(
        loss="wasserstein",
        penalty=0.0,
        discriminator_normalization="none",
        discriminator_steps=2,
        rates=(case.rates[0], 2e-3),
    )


def _checkerboard(case: Case, random: Random) -> Case:
    return case.replace(
        generator="transposed",
        kernel_size=_one(random, 3, 5),
        discriminator="pooled",
    )


def _small(case: Case, random: Random) -> Case:
    return case.replace(
        data=_one(random, *DATA),
        conditional=False,
        distinct=int(random.integers(64, 160)),
        discriminator="strided",
        discriminator_normalization="none",
        loss="non_saturating" if case.trainer == "ganlab" else "cross_entropy",
        penalty=0.0,
        width=16,
        rates=(1e-3, 1e-3),
        discriminator_steps=1,
    )


def _always(**fields) -> Callable[[Case, Random], Case]:
    return lambda case, random: case.replace(**fields)


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
        _always(conditional=True, shuffled_labels=True, data="mnist"),
    ),
    Fault(
        "sigmoid-output",
        "the output lies in [0, 1], the data in [-1, 1]",
        ("data_range_mismatch",),
        lambda case, random: _of_labels(case, random).replace(
            value_range="symmetric", output=_one(random, "sigmoid", "relu")
        ),
    ),
    Fault(
        "unscaled-data",
        "the data goes beyond the output's range",
        ("data_range_mismatch",),
        _unscaled,
    ),
    Fault(
        "still-generator",
        "the generator does not learn",
        ("frozen_network",),
        _still("generator"),
    ),
    Fault(
        "still-discriminator",
        "the discriminator does not learn",
        ("frozen_network",),
        _still("discriminator"),
    ),
    Fault(
        "unused-latents",
        "the latents do not reach the images",
        ("ignored_latents",),
        _always(latents_used=False, conditional=False),
    ),
    Fault(
        "unused-labels",
        "the generator does not look at its labels",
        ("ignored_labels",),
        _always(labels_used=False, conditional=True),
    ),
    Fault(
        "reversed-discriminator",
        "the discriminator is taught that fakes are real",
        ("inverted_objective",),
        lambda case, random: _of_labels(case, random).replace(
            reversed_loss="discriminator"
        ),
    ),
    Fault(
        "reversed-generator",
        "the generator is taught to be found out",
        ("inverted_objective",),
        lambda case, random: _of_labels(case, random).replace(
            reversed_loss="generator"
        ),
    ),
    Fault(
        "probabilities-as-logits",
        "a sigmoid stands before a loss of logits",
        ("double_sigmoid",),
        lambda case, random: _cross_entropy(case, random).replace(
            end="sigmoid", from_logits=True
        ),
    ),
    Fault(
        "logits-as-probabilities",
        "a loss of probabilities is given logits",
        ("missing_sigmoid",),
        lambda case, random: _cross_entropy(case, random).replace(
            end="linear", from_logits=False
        ),
    ),
    Fault(
        "strong-discriminator",
        "the discriminator takes many steps at many times the generator's rate",
        ("discriminator_domination",),
        _strong,
    ),
    Fault(
        "saturating-loss",
        "log(1 - D(G(z))) against a strong discriminator",
        ("vanishing_generator_gradient",),
        _saturating,
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
        _unbounded,
    ),
    Fault(
        "heavy-penalty",
        "a gradient penalty holds the discriminator flat",
        ("generator_domination",),
        lambda case, random: case.replace(
            loss="non_saturating" if case.trainer == "ganlab" else "cross_entropy",
            penalty=float(10 ** random.uniform(3.5, 4.5)),
            discriminator_normalization="none",
        ),
    ),
    Fault(
        "blind-discriminator",
        "the discriminator sees no more than the mean colour, faintly",
        ("generator_domination",),
        lambda case, random: case.replace(
            loss="non_saturating" if case.trainer == "ganlab" else "cross_entropy",
            penalty=0.0,
            blind=True,
            conditional=False,
        ),
    ),
    Fault(
        "momentum",
        "Adam's momentum of 0.9 on a mixture, with nothing that damps the game",
        ("mode_collapse", "mode_dropping"),
        _collapsing,
        toy=True,
    ),
    Fault(
        "small-data",
        "a hundred pictures and a discriminator that learns them by heart",
        ("discriminator_overfitting", "memorisation"),
        _small,
    ),
    Fault(
        "hidden-sigmoids",
        "sigmoids between the layers of a network",
        ("activation_saturation",),
        _sigmoids,
    ),
    Fault(
        "dead-units",
        "hidden ReLUs that start far below 0",
        ("dying_relu",),
        _dead,
    ),
    Fault(
        "odd-kernel",
        "transposed convolutions whose kernel is no multiple of their stride",
        ("checkerboard",),
        _checkerboard,
    ),
    Fault(
        "stale-statistics",
        "moving statistics follow a thousand times too slowly",
        ("batch_norm_gap",),
        _always(generator_normalization="batch", momentum=0.99995),
    ),
    Fault(
        "steep-output",
        "the output's weights are large, so that pixels begin black or white",
        ("output_saturation",),
        lambda case, random: case.replace(output_gain=random.uniform(30, 100)),
    ),
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
