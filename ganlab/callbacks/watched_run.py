"""What a run folder says of a GAN that is watched in a `fit` of a user's."""

from collections.abc import Mapping
from typing import Any

from ganlab.callbacks.follower import Follower
from ganlab.callbacks.optimizer_metrics import learning_rates, optimizers_of
from ganlab.callbacks.watched_data import GIVEN, WatchedData
from ganlab.config.settings import Monitoring, Recipe
from ganlab.diagnosis.evidence import NETWORKS
from ganlab.objectives import losses
from ganlab.runs import Run, RunFolder


def settings_of(
    gan: Any, follower: Follower | None, data: WatchedData | None
) -> dict[str, Any]:
    """What the diagnosis asks of a run's settings, as far as it is known.

    Args:
        gan: The `ganlab.GAN` that is watched, or what the follower has for one.
        follower: The `Follower` of another model, or `None`.
        data: What it trains on, or `None`.
    """
    settings: dict[str, Any] = {"dtype_policy": gan.generator.dtype_policy.name}
    if data is not None:
        settings |= {"data": data.stored.spec, "data_kind": data.stored.kind.name}
    if follower is None:
        settings["loss"] = losses.name_of(gan.objective.loss) or "unknown"
        settings["discriminator_steps"] = gan.discriminator_steps
        optimizers = optimizers_of(gan)
    else:
        settings["loss"] = "cross_entropy" if follower.logistic else "unknown"
        if follower.misread is not None:
            settings["misread_answers"] = follower.misread
        if follower.answer_range is not None:
            settings["answer_range"] = list(follower.answer_range)
        optimizers = follower.optimizers
    for key, rate in learning_rates(optimizers).items():
        settings[f"{NETWORKS[key]}_learning_rate"] = rate
    return settings


def save_run(
    folder: RunFolder,
    gan: Any,
    monitoring: Monitoring,
    settings: Mapping[str, Any],
    data: WatchedData | None,
) -> None:
    """Writes `config.json`.

    Args:
        folder: The run's folder.
        gan: See `settings_of`.
        monitoring: How it is watched.
        settings: What `settings_of` gave.
        data: See there.
    """
    stored = None if data is None else data.stored
    classed = stored if gan.num_classes is not None else None
    counts = () if classed is None else tuple(map(int, classed.class_counts()))
    Run(
        folder,
        Recipe(data=settings.get("data", GIVEN)),
        monitoring,
        num_images=0 if stored is None else len(stored),
        class_names=() if classed is None else classed.class_names,
        class_counts=counts,
        attribution="" if stored is None else stored.attribution,
        observed=settings,
    ).save()
