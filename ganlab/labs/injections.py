"""What puts one mistake into a healthy case: functions of a case and a generator."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ganlab.labs.cases import Case
from ganlab.labs.healthy import DATA, Random, choose

Injection = Callable[[Case, Random], Case]


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Args:
        name: A short name.
        cause: What was done, in a sentence.
        findings: Names of the findings that name the cause.
        inject: Function from a healthy `Case` and a random generator to the case with
            the fault.
    """

    name: str
    cause: str
    findings: tuple[str, ...]
    inject: Injection


def plain_loss(case: Case) -> str:
    """The non-saturating cross-entropy, under the name that its trainer has for it."""
    return "non_saturating" if case.trainer == "ganlab" else "cross_entropy"


def of_labels(case: Case, random: Random) -> Case:
    """By Keras, with a loss of labels or a cross-entropy."""
    return case.replace(
        trainer="keras",
        loss=choose(random, "cross_entropy", "hinge", "least_squares"),
        penalty=0.0,
        discriminator_steps=1,
        discriminator_normalization="dropout",
        end="linear",
    )


def with_labels(**fields: Any) -> Injection:
    """The same fields of a case of labels."""
    return lambda case, random: of_labels(case, random).replace(**fields)


def cross_entropy(case: Case, random: Random) -> Case:
    return of_labels(case, random).replace(loss="cross_entropy")


def unscaled(case: Case, random: Random) -> Case:
    case = of_labels(case, random)
    return case.replace(value_range=choose(random, "bytes", "standard"), output="tanh")


def still(role: str) -> Injection:
    def inject(case: Case, random: Random) -> Case:
        ways = ["rate", "trainable"]
        if role == "generator":
            ways.append("cut")
        way = choose(random, *ways)
        if way != "rate":
            case = of_labels(case, random)
        return case.replace(still=role, still_by=way)

    return inject


def racing(case: Case, random: Random) -> Case:
    rate = float(10 ** random.uniform(-3.0, -2.5))
    return case.replace(
        loss=plain_loss(case),
        penalty=0.0,
        discriminator_steps=1,
        rates=(rate, rate / 100),
    )


def strong(case: Case, random: Random) -> Case:
    return case.replace(
        loss=plain_loss(case),
        penalty=0.0,
        discriminator_normalization="none",
        discriminator="strided",
        discriminator_steps=choose(random, 3, 5),
        rates=(float(10 ** random.uniform(-5.0, -4.3)), choose(random, 2e-3, 4e-3)),
    )


def saturating(case: Case, random: Random) -> Case:
    case = strong(case, random)
    return case.replace(
        loss="minimax" if case.trainer == "ganlab" else "saturating",
        rates=(2e-4, case.rates[1]),
    )


def sigmoids(case: Case, random: Random) -> Case:
    role = choose(random, "generator", "discriminator")
    return case.replace(
        **{
            f"{role}_activation": "sigmoid",
            f"{role}_normalization": "none",
        }
    )


def dead(case: Case, random: Random) -> Case:
    role = choose(random, "generator", "discriminator")
    return case.replace(
        **{f"{role}_activation": "relu", f"{role}_normalization": "none"},
        unit_bias=-float(random.uniform(1.5, 3.0)),
    )


def unbounded(case: Case, random: Random) -> Case:
    return case.replace(
        loss="wasserstein",
        penalty=0.0,
        discriminator_normalization="none",
        discriminator_steps=2,
        rates=(case.rates[0], 2e-3),
    )


def checkerboard(case: Case, random: Random) -> Case:
    return case.replace(
        generator="transposed",
        kernel_size=choose(random, 3, 5),
        discriminator="pooled",
    )


def small(case: Case, random: Random) -> Case:
    return case.replace(
        data=choose(random, *DATA),
        conditional=False,
        distinct=int(random.integers(64, 160)),
        discriminator="strided",
        discriminator_normalization="none",
        loss=plain_loss(case),
        penalty=0.0,
        width=16,
        rates=(5e-4, 2e-3),
        discriminator_steps=1,
        steps=1200,
    )


def critic(case: Case, random: Random) -> Case:
    """By Keras, with a Wasserstein critic."""
    return of_labels(case, random).replace(
        loss="wasserstein", penalty=10.0, discriminator_normalization="none"
    )


def squashed(case: Case, random: Random) -> Case:
    case = critic(case, random).replace(end="sigmoid")
    hinge = random.random() < 0.5
    return case.replace(loss="hinge", penalty=0.0) if hinge else case


def without_sides(targets: str) -> Injection:
    """A discriminator whose loss does not part real from fake."""

    def inject(case: Case, random: Random) -> Case:
        loss = choose(random, "cross_entropy", "least_squares")
        return of_labels(case, random).replace(loss=loss, targets=targets)

    return inject


def always(**fields: Any) -> Injection:
    """The same fields, whatever is drawn."""
    return lambda case, random: case.replace(**fields)
