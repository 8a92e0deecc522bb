"""Fixtures: jobs of the shipped artifact, and their samples without any shard."""

from pathlib import Path

import numpy as np
import pytest

from ganlab.artifacts.artifact import Artifact
from ganlab.shards.job import job_of

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.fixture(scope="session")
def artifact():
    return Artifact(SHIPPED, threads=1)


@pytest.fixture
def make_job(artifact):
    """A function that makes a job of 300 samples in three shards."""

    def make(**options):
        options = {
            "num_images": 300,
            "num_shards": 3,
            "shard_format": "tar",
            "seed": 5,
            **options,
        }
        return job_of(artifact, **options)

    return make


@pytest.fixture
def samples_of(artifact):
    """A function of a job: its images and labels, batch by batch, in one process."""

    def samples(job):
        images, labels = [], []
        for shard in range(job.num_shards):
            for first, count in job.batches(shard):
                batch = job.labels(first)
                drawn = artifact.generate(job.latents(first), batch, whole=True)
                stored = artifact.kind.to_stored(drawn, artifact.output_range)
                images.append(stored[:count])
                labels.append(batch[:count])
        return np.concatenate(images), np.concatenate(labels)

    return samples
