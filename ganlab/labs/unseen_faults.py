"""Faults that no rule was written for, and no threshold set on.

They were written down before any of them was trained. One that is looked at while a
rule is changed is moved to `ganlab.labs.faults`, and another is written for it.
"""

from ganlab.labs import injections
from ganlab.labs.injections import Fault

UNSEEN: tuple[Fault, ...] = (
    Fault(
        "softmax-end",
        "the discriminator ends on a softmax over its one unit, which is always 1",
        ("frozen_network", "generator_domination"),
        lambda case, random: injections.cross_entropy(case, random).replace(
            end="softmax", from_logits=False
        ),
    ),
    Fault(
        "relu-end",
        "the discriminator ends on a ReLU, so that no answer is under 0",
        ("double_sigmoid", "generator_domination"),
        lambda case, random: injections.cross_entropy(case, random).replace(
            end="relu", from_logits=True
        ),
    ),
    Fault(
        "random-labels",
        "the discriminator's labels are drawn at random in every step",
        ("undivided_objective", "generator_domination"),
        injections.without_sides("random"),
    ),
    Fault(
        "rescaled-fakes",
        "fakes are brought to [0, 1] on their way to the discriminator alone",
        ("data_range_mismatch", "discriminator_domination"),
        lambda case, random: injections.of_labels(case, random).replace(
            value_range="symmetric", output="tanh", rescaled_fakes=True
        ),
    ),
    Fault(
        "heavy-decay",
        "weight decay takes a tenth of every weight or more in each step",
        ("generator_domination", "vanishing_generator_gradient", "ignored_latents"),
        lambda case, random: case.replace(
            optimizer="adam", weight_decay=float(random.uniform(200, 800))
        ),
    ),
    Fault(
        "inference-mode",
        "the generator trains with training=False, by statistics that never move",
        ("batch_norm_gap",),
        lambda case, random: injections.of_labels(case, random).replace(
            generator_normalization="batch", inference=True
        ),
    ),
    Fault(
        "one-latent",
        "the generator has a single latent number",
        ("mode_dropping", "mode_collapse"),
        injections.always(latent_dim=1, conditional=False),
    ),
    Fault(
        "stale-fakes",
        "the discriminator is shown the first batch of fakes in every step",
        ("generator_domination", "inverted_objective"),
        lambda case, random: injections.of_labels(case, random).replace(
            conditional=False, stale_fakes=True
        ),
    ),
)
