"""Does this machine multiply in bfloat16, or does it emulate that?"""

import functools
import logging
import os
import time
from pathlib import Path

import tensorflow as tf

from ganlab.config.settings import Recipe
from ganlab.models.gan import GAN

LOGGER = logging.getLogger("ganlab")
INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}
WITHOUT = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI")
SIZE, REPEATS = 512, 3  # of the matrix products that are timed


def is_emulated() -> bool:
    """Whether bfloat16 is computed in float32 here: on a CPU without instructions.

    oneDNN, which has them, may be switched off or held to an older CPU by
    `TF_ENABLE_ONEDNN_OPTS` and `ONEDNN_MAX_CPU_ISA`.
    """
    if tf.config.list_physical_devices("GPU"):
        return False
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0":
        return True
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in WITHOUT:
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return True
    return INSTRUCTIONS.isdisjoint(flags)


@functools.cache
def slowdown() -> float:
    """How many times as long as in float32 a matrix product takes in bfloat16."""
    seconds = {}
    for dtype in (tf.float32, tf.bfloat16):
        factor = tf.cast(tf.fill((SIZE, SIZE), 0.5), dtype)
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            tf.matmul(factor, factor)[0, 0].numpy()
            times.append(time.perf_counter() - began)
        seconds[dtype] = min(times)
    return seconds[tf.bfloat16] / seconds[tf.float32]


def advise(gan: GAN, recipe: Recipe) -> None:
    """Says where bfloat16 would train faster, and warns where it trains slower."""
    if recipe.dtype_policy == "mixed_bfloat16" and is_emulated():
        LOGGER.warning(
            "This machine emulates bfloat16: a matrix product takes %.1f times as long "
            "as in float32; leave out --dtype-policy mixed_bfloat16",
            slowdown(),
        )
    elif would_help(gan, recipe):
        LOGGER.warning(
            "This processor multiplies in bfloat16: --dtype-policy mixed_bfloat16 "
            "trains faster, the more the larger the images"
        )


def would_help(gan: GAN, recipe: Recipe) -> bool:
    """Whether a GAN would train faster in bfloat16 on this processor.

    It would where the processor multiplies in bfloat16 and there is no GPU. It would
    not with the network mlp, whose layers are small, nor with penalties on gradients,
    which are computed in float32.
    """
    if recipe.dtype_policy != "float32" or recipe.network == "mlp":
        return False
    if any(regularizer.needs_input_gradients for regularizer in gan.regularizers):
        return False
    return not is_emulated() and not tf.config.list_physical_devices("GPU")
