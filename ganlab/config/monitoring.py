"""The settings of what watches a run, and of where its data is kept."""

from dataclasses import dataclass
from functools import partial

from ganlab.config import choices
from ganlab.config.table import Settings, documented, setting

in_data, in_monitoring = (
    partial(setting, group=group) for group in ("Data", "Monitoring")
)


@documented
@dataclass(frozen=True)
class Monitoring(Settings):
    """What watches a run, and where its data is kept: no image changes by it."""

    log_every: int = in_monitoring(50, "steps between logged numbers", minimum=1)
    sample_every: int = in_monitoring(500, "steps between sample grids", minimum=1)
    checkpoint_every: int = in_monitoring(500, "steps between checkpoints", minimum=1)
    evaluate_every: int = in_monitoring(
        500, "steps between evaluations, at least", minimum=1
    )
    evaluate_share: float = in_monitoring(
        0.1, "largest fraction of the time that evaluations take", above=0, maximum=1
    )
    evaluate_images: int = in_monitoring(
        2000, "images that an evaluation scores, at most", minimum=6
    )
    features: str | None = in_monitoring(
        None,
        "SPEC of the extractor of evaluations",
        unset="fashion_mnist for grey images of 28 pixels; otherwise inception if "
        "fetched, efficientnet-lite0 if installed, or pixels",
    )
    probe_every: int = in_monitoring(
        100, "steps between health probes, at least", minimum=1
    )
    probe_share: float = in_monitoring(
        0.03, "largest fraction of the time that health probes take", above=0, maximum=1
    )
    cache: str = in_data(
        "memory",
        "where decoded images are kept; stream keeps none and decodes each anew",
        choices=choices.CACHES,
        flag=True,
    )
    max_data_memory: float = in_monitoring(
        4.0,
        "GB of decoded images that are kept in memory; more are streamed from disk",
        above=0,
    )
