"""Which change is tried next?"""

TRAINING_SETTINGS = frozenset(
    {
        "augmentation",
        "augmentation_policy",
        "beta_1",
        "beta_2",
        "discriminator_learning_rate",
        "discriminator_steps",
        "generator_learning_rate",
        "gradient_clip",
        "instance_noise",
        "label_smoothing",
        "loss",
        "loss_scaling",
        "regularizer",
        "regularizer_every",
        "regularizer_weight",
    }
)


def keeps_players(changes):
    """Whether settings leave both players as they are, so that training can go on."""
    return TRAINING_SETTINGS.issuperset(changes)


def next_change(finding, settings, tried):
    """The change for the next attempt: never one that was tried.

    The players and their weights stay, so settings of the training alone count:
    first the finding's own, then R1 where nothing regularizes yet and no batch
    normalisation forbids it, then both rates halved.

    Args:
        finding: A `Finding`.
        settings: The run's settings, flat.
        tried: A list of dicts: the changes so far.

    Returns:
        A dict of settings, or `None` if nothing is left to try.
    """
    coupled = settings.get("discriminator_normalization") == "batch"
    halved = {
        name: settings[name] / 2
        for name in ("generator_learning_rate", "discriminator_learning_rate")
        if settings.get(name)
    }
    held = settings.get("regularizer", "none") != "none"
    for each in (finding.changes, {} if held else {"regularizer": "r1"}, halved):
        kept = {
            key: value
            for key, value in each.items()
            if key in TRAINING_SETTINGS
            and settings.get(key) != value
            and not (key == "regularizer" and coupled)
        }
        if kept and kept not in tried:
            return kept
    return None
