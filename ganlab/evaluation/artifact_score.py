"""FID of an exported generator, for its card."""

import dataclasses
from typing import Any

from ganlab import metrics
from ganlab.artifacts.artifact import Artifact
from ganlab.evaluation import Reference
from ganlab.evaluation.scores import Progress


def score_artifact(
    reference: Reference, artifact: Artifact, progress: Progress | None = None
) -> dict[str, Any]:
    """Scores an artifact's images as `ganlab evaluate` does.

    Args:
        reference: The real images.
        artifact: One format of an exported generator.
        progress: `None`, or a function of `(name of the stage, done, in all)`.

    Returns:
        A dict with `fid` and the `fingerprint` of its protocol, as JSON values.
    """
    protocol = reference.protocol
    labels = reference.labels if artifact.conditional else None
    images = artifact.sample(protocol.num_images, protocol.seed, labels)
    report = progress or (lambda stage, done, count: None)
    stage = f"{artifact.format} features"
    features, _ = reference.extractor.extract(
        images, lambda done, count: report(stage, done, count)
    )
    score = metrics.frechet_score(reference.features, features, protocol.seed)
    return {"fid": dataclasses.asdict(score), "fingerprint": protocol.fingerprint}
