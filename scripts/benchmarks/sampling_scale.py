"""Images a second of `ganlab sample --shards`, beside a loop that discards them.

    python scripts/benchmarks/sampling_scale.py saved_models/fashion --num-images 100000

The loop is bare onnxruntime: latents by NumPy, batches of 64, one thread a process, as
many processes as the shards have workers. Each format is written to a new folder by the
command itself, start-up and hashing included. Seconds of processors are of all
processes together; the seconds that pass tell something only where nothing else runs.
The encoder's ceiling is what one core encodes as PNG when nothing is drawn. It prints
one JSON document.
"""

import argparse
import functools
import io
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from ganlab import pictures
from ganlab.artifacts.artifact import Artifact
from ganlab.safety.limits import usable_cores

BATCH = 64
FORMATS = ("parquet", "tar", "tfrecord")
ENCODED = 2000  # images that the encoder's ceiling is measured with


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("artifact", type=Path)
    add("--num-images", type=int, default=100_000, help="default %(default)s")
    add("--workers", type=int, default=usable_cores(), help="default: one a core")
    add("--shards", type=int, default=16, help="default %(default)s")
    add("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    options = parser.parse_args()
    artifact = Artifact(options.artifact)
    report = {
        "artifact": str(options.artifact),
        "image_shape": list(artifact.image_shape),
        "num_images": options.num_images,
        "workers": options.workers,
        "png_per_core_second": round(encoder_ceiling(artifact)),
        "bare loop": timed(options.num_images, lambda: bare_loops(options, artifact)),
    }
    bare = report["bare loop"]
    for name in options.formats:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            work = functools.partial(sample_by_command, options, name, out)
            row = timed(options.num_images, work)
            row["bytes_per_image"] = round(
                sum(path.stat().st_size for path in out.iterdir()) / options.num_images
            )
        row["share_of_bare_loop_cpu"] = round(
            bare["cpu_seconds"] / row["cpu_seconds"], 3
        )
        row["share_of_bare_loop"] = round(bare["seconds"] / row["seconds"], 3)
        report[name] = row
    print(json.dumps(report, indent=2))


def timed(num_images, work) -> dict:
    """Seconds that passed, and those that processors spent in child processes."""
    began, before = time.monotonic(), children_seconds()
    work()
    seconds, cpu = time.monotonic() - began, children_seconds() - before
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "images_per_second": round(num_images / seconds),
        "images_per_cpu_second": round(num_images / cpu),
        "largest_child_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        // 1024,
    }


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def sample_by_command(options, name: str, out: Path) -> None:
    words = [
        *("sample", options.artifact, "--num-images", options.num_images),
        *("--out", out, "--shards", options.shards, "--shard-format", name),
        *("--workers", options.workers),
    ]
    command = [sys.executable, "-m", "ganlab", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def bare_loops(options, artifact: Artifact) -> None:
    """Draws as many images by onnxruntime alone, and keeps none."""
    context = multiprocessing.get_context("spawn")
    count = -(-options.num_images // options.workers)
    model = options.artifact / "generator.onnx"
    arguments = (model, count, artifact.latent_dim, len(artifact.class_names))
    processes = [
        context.Process(target=bare_loop, args=arguments)
        for _ in range(options.workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            raise SystemExit(f"a bare loop ended with {process.exitcode}")


def bare_loop(model: Path, count: int, latent_dim: int, num_classes: int) -> None:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model, settings, providers=["CPUExecutionProvider"]
    )
    draws = np.random.default_rng(0)
    for _ in range(0, count, BATCH):
        feeds = {"latents": draws.standard_normal((BATCH, latent_dim), np.float32)}
        if num_classes:
            feeds["labels"] = np.arange(BATCH, dtype=np.int32) % num_classes
        session.run(["images"], feeds)


def encoder_ceiling(artifact: Artifact) -> float:
    """PNG files that one core encodes in a second."""
    images, mark = artifact.sample(ENCODED), artifact.mark(0)
    began = time.process_time()
    for image in images:
        pictures.write_png(image, io.BytesIO(), mark)
    return ENCODED / (time.process_time() - began)


if __name__ == "__main__":
    main()
