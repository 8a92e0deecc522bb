"""Input at scale: what it costs to decode images when they are trained on.

    python scripts/benchmarks/streaming.py --out runs/streaming

writes 100,000 JPEG files of 64 pixels as a folder, as TFRecord and as WebDataset shards
(600 MB in all), and reads each in a process of its own: seconds until the
data is open, memory then and after many batches, images/s of batches alone, and in
a training of the default networks the fraction of the time that steps waited for data
and in which images were being decoded. 10 minutes on 2 cores.
"""

import argparse
import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

SIZE, BATCH_SIZE, NUM_SHARDS, NUM_PICTURES = 64, 64, 10, 256
WAYS = {
    "folder, memory": ("folder", "memory"),
    "folder, streamed": ("folder", "stream"),
    "TFRecord, streamed": ("tfrecord", "stream"),
    "WebDataset, streamed": ("webdataset", "stream"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/streaming"))
    parser.add_argument("--num-images", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=600)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(*options.worker, options.batches, options.steps)))
        return
    write(options.out, options.num_images)
    names = "open s | GB open | GB after | images/s | data wait | decoding"
    print(f"| way | {names} |\n|---|---|---|---|---|---|---|")
    for name, (kind, cache) in WAYS.items():
        command = [sys.executable, __file__, "--batches", str(options.batches)]
        command += ["--steps", str(options.steps)]
        command += ["--worker", f"{kind}:{options.out / kind}", cache]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        row = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {name} | {row['open']:.1f} | {row['memory_open']:.2f} | "
            f"{row['memory_after']:.2f} | {row['images_per_second']:,.0f} | "
            f"{row['wait']:.1%} | {row['decoding']:.1%} |",
            flush=True,
        )


def write(out: Path, count: int) -> None:
    """The same images three times, where they are not there yet."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    pictures = []
    for _ in range(NUM_PICTURES):
        coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
        file = io.BytesIO()
        coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(file, "JPEG")
        pictures.append(file.getvalue())
    for kind in ("folder", "tfrecord", "webdataset"):
        if (out / kind).exists():
            continue
        partial = out / f"{kind}-partial"
        partial.mkdir(parents=True)
        for shard in range(NUM_SHARDS):
            indices = range(shard, count, NUM_SHARDS)
            if kind == "folder":
                (partial / str(shard)).mkdir()
                for index in indices:
                    path = partial / str(shard) / f"{index:06d}.jpg"
                    path.write_bytes(pictures[index % NUM_PICTURES])
            elif kind == "tfrecord":
                with tf.io.TFRecordWriter(str(partial / f"{shard}.tfrecord")) as writer:
                    for index in indices:
                        picture = pictures[index % NUM_PICTURES]
                        feature = {
                            "image": tf.train.Feature(bytes_list={"value": [picture]}),
                            "label": tf.train.Feature(int64_list={"value": [shard]}),
                        }
                        features = tf.train.Features(feature=feature)
                        example = tf.train.Example(features=features)
                        writer.write(example.SerializeToString())
            else:
                with tarfile.open(partial / f"{shard}.tar", "w") as archive:
                    for index in indices:
                        for suffix, content in (
                            ("jpg", pictures[index % NUM_PICTURES]),
                            ("cls", str(shard).encode()),
                        ):
                            member = tarfile.TarInfo(f"{index:06d}.{suffix}")
                            member.size = len(content)
                            archive.addfile(member, io.BytesIO(content))
        partial.rename(out / kind)


def measure(spec: str, cache: str, num_batches: int, steps: int) -> dict[str, float]:
    """What opening, reading and training take."""
    from memory import peak

    from ganlab import load_data
    from ganlab.config.resolve import complete
    from ganlab.config.settings import Recipe
    from ganlab.data.wait_timer import WaitTimer
    from ganlab.training.build import build_gan

    began = time.perf_counter()
    data = load_data(spec, image_size=SIZE, cache=cache)
    row = {"open": time.perf_counter() - began, "memory_open": peak()}
    began = time.perf_counter()
    for _ in data.batches(BATCH_SIZE).take(num_batches):
        pass
    seconds = time.perf_counter() - began
    row["images_per_second"] = num_batches * BATCH_SIZE / seconds
    row["memory_after"] = peak()
    gan = build_gan(complete(Recipe(conditional=False), SIZE, 3), None)
    timer = WaitTimer()
    batches = timer.watch(data.batches(BATCH_SIZE, labels=False))
    gan.fit(batches, steps_per_epoch=5, epochs=1, verbose=0, shuffle=False)
    waited, decoded = timer.seconds, getattr(data.images, "seconds", 0.0)
    began = time.perf_counter()
    gan.fit(batches, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)
    seconds = time.perf_counter() - began
    row["wait"] = (timer.seconds - waited) / seconds
    row["decoding"] = (getattr(data.images, "seconds", 0.0) - decoded) / seconds
    return row


if __name__ == "__main__":
    main()
