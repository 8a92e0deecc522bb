"""Training speed beside Keras's and PyTorch's own DCGAN examples.

    pip install -e ".[dev]"
    python scripts/benchmarks/speed.py --out runs/speed

Identical networks, checked by their number of weights, and equal batches, each
contender as its users run it (`speed_workers`): keras.io's DCGAN `train_step` in `fit`
on `image_dataset_from_directory`, with Keras's own layers; PyTorch's example loop on a
`DataLoader` (eager, channels last, compiled), in a virtual environment of its own;
ganlab with all that `ganlab train` attaches. Each is a process that waits for its
turn; they take one epoch each, in turn.

The works: the DCGAN of 64 pixels (100 latents, 64 base channels, RGB, no
normalisation in the discriminator) in batches of 64 and of 128; the default preset's
networks of 28 pixels, and those of the r3gan preset with its R1 and R2; the emoji
preset's of 64 pixels, in colour, trained by cross-entropy alone. All without classes.

bfloat16 takes part where the machine has it, and does not emulate it. An epoch has as
many images as the machine's matrix products have time for, so that all takes under 15
minutes on 2 cores, whatever they are.

It writes speed.json, speed.md and speed.png. Works that speed.json has of the same
machine are not measured again: a run that was cut off goes on.
"""

import argparse
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from turns import Contender, log, plot_rates, runs_here, torch_python

BASE = "keras.io example, float32"
CONTENDERS = {
    BASE: ("keras", "float32"),
    "PyTorch example, float32": ("torch", "float32"),
    "PyTorch, channels last, float32": ("torch", "float32", "channels_last"),
    "PyTorch, channels last, compiled, float32": (
        "torch",
        "float32",
        "channels_last",
        "compiled",
    ),
    "PyTorch, channels last, compiled, bfloat16": (
        "torch",
        "bfloat16",
        "channels_last",
        "compiled",
    ),
    "ganlab, float32": ("ganlab", "float32"),
    "ganlab, bfloat16": ("ganlab", "mixed_bfloat16"),
}
COMPILED_CONTENDERS = (BASE, *list(CONTENDERS)[3:])
KERAS_CONTENDERS = (BASE, "ganlab, float32", "ganlab, bfloat16")
FULL_EPOCH = 300.0  # GFLOPS in float32 from which on an epoch has all its images
MIN_STEPS = 6  # of an epoch
INSTRUCTIONS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")


@dataclass(frozen=True)
class Work:
    """Networks, images and batches of one training.

    Args:
        title: String.
        size: Integer: pixels a side.
        channels: 1 or 3.
        latent_dim: Integer.
        filters: Integer: base channels of both networks.
        batch_size: Integer.
        num_images: Integer: an epoch.
        preset: Name of the ganlab preset.
        normalized: Whether the discriminator has batch normalisation.
        contenders: Names in `CONTENDERS`.
        changes: What the recipe has in the place of its preset's.
    """

    title: str
    size: int
    channels: int
    latent_dim: int
    filters: int
    batch_size: int
    num_images: int
    preset: str = "dcgan"
    normalized: bool = False
    contenders: tuple[str, ...] = tuple(CONTENDERS)
    changes: tuple[tuple[str, object], ...] = ()

    def recipe(self, **changes):
        """The complete `ganlab.Recipe`."""
        from ganlab.config.presets import get_preset
        from ganlab.config.resolve import complete

        recipe = get_preset(self.preset).replace(
            latent_dim=self.latent_dim,
            generator_filters=self.filters,
            discriminator_filters=self.filters,
            conditional=False,
            batch_size=self.batch_size,
            **dict(self.changes) | changes,
        )
        return complete(recipe, self.size, self.channels)

    def multiply_adds(self) -> int | None:
        """Of one image in one step, in the convolutions that one stage must do.

        The generator: one pass and two of gradients. The discriminator: real and
        fake, one pass, one for weights and, but for real images' first layer, one
        for feature maps. `None` for networks without such a step.
        """
        if self.preset != "dcgan" or self.normalized:
            return None
        sizes = [self.size // 2**k for k in range(1, 5)]
        widths = [self.channels, *(self.filters * 2**k for k in range(4))]
        layers = [
            16 * size**2 * widths[k] * widths[k + 1] for k, size in enumerate(sizes)
        ]
        return 3 * sum(layers) + 6 * sum(layers) - layers[0]


WORKS = {
    "dcgan64": Work("64 pixels, batches of 64", 64, 3, 100, 64, 64, 1024),
    "dcgan64-128": Work(
        "64 pixels, batches of 128",
        *(64, 3, 100, 64, 128, 1024),
        contenders=COMPILED_CONTENDERS,
    ),
    "dcgan28": Work(
        "28 pixels, default preset, batches of 64",
        *(28, 1, 64, 32, 64, 10_000),
        normalized=True,
        contenders=COMPILED_CONTENDERS,
    ),
    "r3gan28": Work(
        "28 pixels, r3gan preset, batches of 32",
        *(28, 1, 64, 16, 32, 2048),
        preset="r3gan",
        contenders=KERAS_CONTENDERS,
    ),
    "emoji64": Work(
        "64 pixels, emoji preset, batches of 32",
        *(64, 3, 128, 32, 32, 512),
        preset="emoji",
        contenders=KERAS_CONTENDERS,
        changes=(
            ("loss", "non_saturating"),
            ("regularizer", None),
            ("augmentation", None),
        ),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/speed"), help="default %(default)s")
    add("--rounds", type=int, default=3, help="default %(default)s")
    add("--works", nargs="+", default=list(WORKS), choices=WORKS, help="default: all")
    add("--num-images", type=int, help="an epoch (default: as the machine is fast)")
    add("--only", default="", help="contenders whose names hold this, and keras.io's")
    add("--torch-env", type=Path, default=Path("runs/torch"), help="its environment")
    add("--worker", nargs="+", help=argparse.SUPPRESS)
    add("--images", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        import speed_workers

        (key,) = options.works
        speed_workers.run_worker(options.worker, options.images, WORKS[key])
        return
    options.out.mkdir(parents=True, exist_ok=True)
    report = begun(options.out / "speed.json")
    for key in options.works:
        if key in report["works"]:
            log(f"{key}: measured before")
            continue
        num_images = options.num_images or epoch_of(WORKS[key], report)
        with tempfile.TemporaryDirectory() as folder:
            write_images(Path(folder), WORKS[key], num_images)
            measurements = measure(Path(folder), key, options)
        report["works"][key] = summarize(measurements, WORKS[key], num_images, report)
        text = json.dumps(report, indent=2) + "\n"
        (options.out / "speed.json").write_text(text)
    table = as_table(report)
    (options.out / "speed.md").write_text(table)
    plot(report, options.out / "speed.png")
    print(table)


def begun(path: Path) -> dict:
    """The report that an earlier run on this machine began, or a new one."""
    features = machine()
    if path.is_file():
        report = json.loads(path.read_text())
        if report["machine"] == features:
            return report
    return {
        "machine": features,
        "ceiling_gflops": {kind: ceiling(kind) for kind in ("float32", "bfloat16")},
        "memory_copy_gb_per_second": copy_rate(),
        "works": {},
    }


def machine() -> dict[str, object]:
    """Processor, cores and instruction sets that decide how fast training is."""
    import tensorflow as tf

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    facts = dict(
        re.split(r"\s*:\s*", line, maxsplit=1) for line in lines if ":" in line
    )
    flags = set(facts.get("flags", "").split())
    return {
        "processor": facts.get("model name", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "tensorflow": tf.__version__,
    }


def epoch_of(work: Work, report: dict) -> int:
    """Images of an epoch, whole batches: all of a work's on a fast machine."""
    share = min(1.0, report["ceiling_gflops"]["float32"] / FULL_EPOCH)
    steps = max(MIN_STEPS, int(share * work.num_images / work.batch_size))
    return steps * work.batch_size


def write_images(folder: Path, work: Work, count: int) -> None:
    """Fashion-MNIST at the work's size, as a folder of PNG files."""
    from PIL import Image

    from ganlab import load_data

    images, _ = load_data("fashion_mnist").take(count)
    (folder / "all").mkdir()
    mode, size = {1: "L", 3: "RGB"}[work.channels], (work.size, work.size)
    for index, image in enumerate(images):
        pixels = ((image[..., 0] + 1.0) * 127.5).round().astype(np.uint8)
        picture = Image.fromarray(pixels).convert(mode).resize(size)
        picture.save(folder / "all" / f"{index:05}.png")


def measure(folder: Path, key: str, options) -> dict[str, list[dict]]:
    """Each contender's epochs, one dict an epoch, all contenders in turn."""
    names = [
        name
        for name in WORKS[key].contenders
        if name == BASE or (options.only in name and runs_here(name))
    ]
    workers, weights = {}, {}
    measurements = {name: [] for name in names}
    try:
        for name in names:
            log(f"{key}: starting {name}")
            python = sys.executable
            if CONTENDERS[name][0] == "torch":
                python = torch_python(options.torch_env)
            command = [python, __file__, "--images", folder, "--works", key]
            workers[name] = Contender(name, [*command, "--worker", *CONTENDERS[name]])
            first = workers[name].turn()  # compiles; not counted
            weights[name] = first["weights"]
            first_step = first["first_step"] - workers[name].started
            measurements[name].append({"first_step": first_step})
        if len(set(weights.values())) > 1:
            raise SystemExit(f"Expected equal networks. Received: {weights}")
        for index in range(options.rounds):
            for name, worker in workers.items():
                measurements[name].append(worker.turn())
                seconds = measurements[name][-1]["epoch"]
                log(f"round {index + 1}: {name}: {seconds:.1f} s")
    finally:
        for worker in workers.values():
            worker.process.kill()
    return measurements


def summarize(
    measurements: dict[str, list[dict]], work: Work, num_images: int, report: dict
) -> dict:
    """Rates, times and memory of each contender."""
    contenders = {}
    for name, (start, *epochs) in measurements.items():
        rates = [num_images / epoch["epoch"] for epoch in epochs]
        step = statistics.median(epoch["step"] for epoch in epochs)
        contenders[name] = {
            "epoch_images_per_second": statistics.median(rates),
            "spread": [min(rates), max(rates)],
            "step_images_per_second": work.batch_size / step,
            "seconds_to_first_step": start["first_step"],
            "peak_memory_gb": max(epoch["memory"] for epoch in epochs),
        }
        multiply_adds = work.multiply_adds()
        if name.startswith("ganlab") and multiply_adds:
            kind = "bfloat16" if "bfloat16" in name else "float32"
            gflops = 2 * multiply_adds * work.batch_size / step / 1e9
            fraction = gflops / report["ceiling_gflops"][kind]
            contenders[name]["fraction_of_ceiling"] = fraction
    return {"title": work.title, "contenders": contenders}


def ceiling(kind: str, size: int = 2048, repeats: int = 10) -> float:
    """GFLOPS of a large matrix product."""
    import tensorflow as tf

    factors = [tf.cast(tf.random.normal((size, size)), kind) for _ in range(2)]
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        tf.matmul(*factors)[0, 0].numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def copy_rate(megabytes: int = 256, repeats: int = 10) -> float:
    """GB of memory that are read and written a second in a large copy."""
    source = np.ones(megabytes << 18, np.float32)
    target, best = np.empty_like(source), float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best / 1e9


def as_table(report: dict) -> str:
    """The report as Markdown."""
    lines = []
    for work in report["works"].values():
        base = work["contenders"][BASE]["epoch_images_per_second"]
        lines += [
            f"| {work['title']} | images/s, whole epoch | to keras.io | "
            "images/s, step | first step | GB |",
            "|---|---|---|---|---|---|",
        ]
        for name, row in work["contenders"].items():
            rate, (low, high) = row["epoch_images_per_second"], row["spread"]
            fraction = row.get("fraction_of_ceiling")
            note = f" ({100 * fraction:.0f} % of the ceiling)" if fraction else ""
            lines.append(
                f"| {name} | {rate:,.0f} [{low:,.0f}, {high:,.0f}] | "
                f"{rate / base:.2f} | {row['step_images_per_second']:,.0f}{note} | "
                f"{row['seconds_to_first_step']:.0f} s | {row['peak_memory_gb']:.1f} |"
            )
        lines.append("")
    gflops, features = report["ceiling_gflops"], report["machine"]
    lines.append(
        f"{features['cores']} cores of {features['processor']} with "
        f"{', '.join(features['instructions'])}. "
        f"Largest matrix product: {gflops['float32']:.0f} GFLOPS in float32, "
        f"{gflops['bfloat16']:.0f} in bfloat16; memory copy: "
        f"{report['memory_copy_gb_per_second']:.0f} GB/s."
    )
    return "\n".join(lines) + "\n"


def plot(report: dict, path: Path) -> None:
    """The report as a picture, a chart for each work."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    works = report["works"].values()
    heights = [len(work["contenders"]) + 1.5 for work in works]
    figure, axes = pyplot.subplots(
        len(works),
        figsize=(8, 0.36 * sum(heights) + 0.6),
        layout="constrained",
        squeeze=False,
        height_ratios=heights,
    )
    for chart, work in zip(axes[:, 0], works, strict=True):
        rows = work["contenders"]
        rates = {name: row["epoch_images_per_second"] for name, row in rows.items()}
        plot_rates(chart, rates, {name: row["spread"] for name, row in rows.items()})
        chart.set_title(work["title"], fontsize=10, loc="left")
        chart.margins(x=0.12)
    axes[-1, 0].set_xlabel("images a second, whole epochs")
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
