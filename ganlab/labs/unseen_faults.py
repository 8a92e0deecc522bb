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
        injections.with_labels(
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
        injections.with_labels(generator_normalization="batch", inference=True),
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
        injections.with_labels(conditional=False, stale_fakes=True),
    ),
    Fault(
        "swapped-weights",
        "the generator's step moves the discriminator's weights, and not its own",
        ("frozen_network", "crossed_steps"),
        injections.with_labels(swapped_weights=True),
    ),
    Fault(
        "fixed-latents",
        "one batch of latents is drawn, and used in every step",
        ("mode_collapse", "mode_dropping"),
        injections.with_labels(conditional=False, fixed_latents=True),
    ),
    Fault(
        "rare-discriminator",
        "the discriminator learns in one of fifty steps",
        ("generator_domination", "mode_collapse"),
        injections.with_labels(discriminator_every=50),
    ),
    Fault(
        "near-targets",
        "smoothing moves the label of fakes, to nearly that of real images",
        ("undivided_objective", "generator_domination"),
        injections.without_sides("near"),
    ),
    Fault(
        "untaped-penalty",
        "the critic's penalty stands in its loss and has no gradient",
        ("unconstrained_critic", "exploding_gradient"),
        lambda case, random: injections.critic(case, random).replace(
            taped=False, rates=(case.rates[0], 2e-3)
        ),
    ),
    Fault(
        "rescaled-reals",
        "the step scales pictures from bytes that were scaled before",
        ("data_range_mismatch",),
        injections.with_labels(
            value_range="symmetric", output="tanh", rescaled_reals=True
        ),
    ),
    Fault(
        "still-average",
        "samples are drawn by an averaged generator whose decay is 1",
        ("frozen_network",),
        injections.with_labels(average=1.0),
    ),
    Fault(
        "cropped-pictures",
        "the discriminator sees a corner of two pixels alone",
        ("generator_domination",),
        injections.with_labels(cropped=True, conditional=False),
    ),
    Fault(
        "borrowed-loss",
        "the generator minimises the discriminator's loss",
        ("inverted_objective",),
        injections.with_labels(borrowed_loss=True),
    ),
    Fault(
        "other-labels",
        "fakes are judged under other labels than they are generated for",
        ("ignored_labels",),
        injections.with_labels(conditional=True, other_labels=True),
    ),
)
