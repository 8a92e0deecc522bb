"""How much main memory a run will take, before it takes it."""

import logging
import math
import re
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ganlab.callbacks.probe_samples import num_probed, num_samples
from ganlab.config.settings import Recipe
from ganlab.data.image_data import ImageData
from ganlab.errors import UserError
from ganlab.models.gan import GAN
from ganlab.models.translator import Translator
from ganlab.training.problem import Problem

LOGGER = logging.getLogger("ganlab")
# Fitted to the peaks that `scripts/benchmarks/training_memory.py` measures.
PROCESS_BYTES = 0.95e9  # of TensorFlow and ganlab themselves
KEPT = 1.3  # of the numbers that the backward pass needs, in all that a step holds
SECOND_ORDER = 1.2  # with a penalty on gradients, of that
PROBED = 1.5  # likewise of those of a probe, which keeps more of them
OVERLAP = 0.3  # of the smaller of training and probing, which memory is not reused for
SAMPLE_COPIES = 7  # of the samples of the data that are compared by themselves
UNCERTAINTY = 1.5  # the peak is within this factor of the estimate
COPIES = {"generator": 5, "discriminator": 4}  # gradients, Adam's two, an average
CGROUP_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def estimate(recipe: Recipe, gan: GAN | Translator, data: ImageData) -> int:
    """Bytes of main memory that a run on a CPU holds at its peak.

        process + data + samples + weights + max(step, probe) + 0.3 min(step, probe)

    where the samples are those that are compared by themselves. A step keeps what the
    backward pass needs of the generator once and of the discriminator for real and
    fake images, a probe likewise with the discriminator three times. The peak was
    within a factor of 1.5 where it was measured.

    Args:
        recipe: A complete `Recipe`.
        gan: Its `GAN` or `Translator`.
        data: The `ImageData` that it trains on.
    """
    sizes = {
        "generator": kept_numbers(gan.generator) * passes(gan),
        "discriminator": kept_numbers(gan.discriminator) / recipe.packing,
    }
    half = recipe.dtype_policy != "float32"
    number = 2 if half and not gan.objective.gradient_penalties else 4
    step = recipe.batch_size * (sizes["generator"] + 2 * sizes["discriminator"])
    step *= number * KEPT
    if gan.objective.gradient_penalties:
        step *= SECOND_ORDER
    probe = 4 * (sizes["generator"] + 3 * sizes["discriminator"]) * PROBED
    probe *= num_probed(data.sample_shape) if isinstance(gan, GAN) else 0
    parts = {"generator": gan.trained_generator, "discriminator": gan.discriminator}
    weights = sum(
        4 * copies * parts[role].count_params() for role, copies in COPIES.items()
    )
    mapped = isinstance(data.images, np.memmap)
    in_memory = 0 if mapped else data.images.nbytes
    if data.sources is not None and not mapped:
        in_memory += data.sources.images.nbytes
    looked_at = min(len(data), num_samples(data.sample_shape))
    samples = 4 * SAMPLE_COPIES * looked_at * math.prod(data.sample_shape)
    fixed = PROCESS_BYTES + in_memory + weights + samples
    return int(fixed + max(step, probe) + OVERLAP * min(step, probe))


def passes(gan: GAN | Translator) -> int:
    """How often a step goes through a generator, or through a part of one.

    Once for each image that is made. With `contrastive` also through its first part,
    which counts as half, for the patches of two images that are compared.
    """
    training = getattr(gan, "training", "")
    identity = "identity" in getattr(gan, "loss_weights", ())
    return {"cycle": 4 + 2 * identity, "contrastive": 2 + 2 * identity}.get(training, 1)


def kept_numbers(network: keras.Model) -> int:
    """Numbers that a backward pass through a network needs, of one sample.

    Those are what layers with weights and leaky units are given, and what other
    activations give.
    """
    kept: dict[int, int] = {}
    inner = 0
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            inner += kept_numbers(layer)
        if layer.weights or isinstance(layer, keras.layers.LeakyReLU):
            tensors = keras.tree.flatten(layer.input)
        elif isinstance(layer, keras.layers.Activation):
            tensors = keras.tree.flatten(layer.output)
        else:
            continue
        kept |= {id(tensor): math.prod(tensor.shape[1:]) for tensor in tensors}
    return inner + sum(kept.values())


def available() -> tuple[int, int] | None:
    """Bytes of memory that the process may hold in all, and those free now.

    `None` where the system does not say, and where a GPU trains.
    """
    if tf.config.list_physical_devices("GPU"):
        return None
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    total, free = (
        1024 * int(match[1]) if (match := re.search(rf"{name}:\s+(\d+)", text)) else 0
        for name in ("MemTotal", "MemAvailable")
    )
    for name in CGROUP_LIMITS:
        limit = Path(name).read_text() if Path(name).is_file() else ""
        if limit.strip().isdecimal():
            total = min(total, int(limit))
    return total, min(free, total)


def check_memory(needed: int, limits: tuple[int, int] | None) -> Problem | None:
    """What there is to say of the memory that a run needs.

    Args:
        needed: Integer: what `estimate` returned.
        limits: What `available` returned.

    Returns:
        A warning where it is more than is free, otherwise `None`.

    Raises:
        UserError: if it cannot fit: the estimate is more than the machine has, by more
            than it may be wrong.
    """
    if limits is None:
        return None
    total, free = limits
    text = f"about {needed / 1e9:.1f} GB of memory"
    fix = "use smaller batches, images or networks, or --cache disk for the data"
    if needed > UNCERTAINTY * total:
        raise UserError(
            f"Expected a run that fits into {total / 1e9:.1f} GB of memory. Received: "
            f"one that needs {text.removesuffix(' of memory')}; {fix}"
        )
    if needed <= free:
        return None
    return Problem(
        "too_little_memory",
        "warning",
        f"the run needs {text}, and {free / 1e9:.1f} GB are free",
        fix,
    )


def report(needed: int) -> None:
    """Says how much memory a run will take, and warns where that is not free.

    Args:
        needed: Integer: what `estimate` returned.

    Raises:
        UserError: if it cannot fit.
    """
    problem = check_memory(needed, available())
    if problem is None:
        LOGGER.info("The run needs about %.1f GB of memory", needed / 1e9)
    else:
        LOGGER.warning("%s: %s", problem.says, problem.fix)
