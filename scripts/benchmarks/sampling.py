"""Sampling speed beside Keras, the SavedModel and PyTorch.

    pip install -e ".[dev]"
    python scripts/benchmarks/sampling.py --out runs/sampling

Two generators: the Fashion-MNIST generator of this repository, and the DCGAN of 64
pixels (100 latents, 64 base channels, untrained). Each is exported, and PyTorch, in
a virtual environment of its own, gets the same weights; that all generate the
same images is checked first. Each contender is a process that waits for its turn; they
take turns with one image and with 64. A second measure starts a new process for each
contender and waits for the file with its first image.

It writes sampling.json, sampling.md and sampling.png. Time on 2 cores: 6 minutes.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from memory import peak
from turns import Contender, Worker, log, plot_rates, runs_here, torch_python

Generate = Callable[[dict[str, np.ndarray]], np.ndarray]

WORKS = {"28 pixels": "fashion", "64 pixels": "dcgan64"}
CONTENDERS = {
    "Keras, predict": ("keras", "predict"),
    "Keras, model(x)": ("keras", "call"),
    "SavedModel": ("saved_model",),
    "PyTorch": ("torch", "eager"),
    "PyTorch, channels last": ("torch", "channels_last"),
    "PyTorch, channels last, compiled": ("torch", "compiled"),
    "PyTorch, channels last, compiled, bfloat16": ("torch", "bfloat16"),
    "ganlab": ("ganlab", "float32"),
    "ganlab, float16": ("ganlab", "float16"),
    "ganlab, int8": ("ganlab", "int8"),
}
BASE = "Keras, predict"
COLD = ("Keras, predict", "SavedModel", "PyTorch", "ganlab", "ganlab, int8")
BATCHES = (1, 64)
EXACT = 2e-3  # largest difference of float32 contenders from Keras


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/sampling"), help="default %(default)s")
    add("--rounds", type=int, default=5, help="default %(default)s")
    add("--cold-rounds", type=int, default=3, help="default %(default)s")
    add("--only", default="", help="contenders whose names hold this, and Keras's")
    add("--torch-env", type=Path, default=Path("runs/torch"), help="its environment")
    add("--worker", nargs="+", help=argparse.SUPPRESS)
    add("--cold", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        run_worker(*options.worker)
        return
    if options.cold:
        write_first_image(*options.cold)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    names = [
        name
        for name in CONTENDERS
        if name == BASE or (options.only in name and runs_here(name))
    ]
    pythons = dict.fromkeys(names, sys.executable)
    for name in names:
        if CONTENDERS[name][0] == "torch":
            pythons[name] = torch_python(options.torch_env)
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        for title, key in WORKS.items():
            artifact = Path(folder) / key
            prepare(key, artifact)
            warm = measure_warm(artifact, names, pythons, options.rounds)
            cold = measure_cold(artifact, names, pythons, options.cold_rounds)
            report[title] = {
                name: {**warm[name], **cold.get(name, {})} for name in names
            }
    (options.out / "sampling.json").write_text(json.dumps(report, indent=2) + "\n")
    table = as_table(report)
    (options.out / "sampling.md").write_text(table)
    plot(report, options.out / "sampling.png")
    print(table)


def prepare(key: str, folder: Path) -> None:
    """Writes an artifact, its weights for PyTorch, latents and their images."""
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    import ganlab

    if key == "fashion":
        root = Path(__file__).parents[2]
        shutil.copytree(root / "saved_models" / "fashion", folder)
    else:
        keras.utils.set_random_seed(0)
        gan = ganlab.GAN(
            ganlab.dcgan_generator(64, 3), ganlab.networks.dcgan_discriminator(64, 3)
        )
        ganlab.export_generator(gan, folder)
    generator = keras.saving.load_model(folder / "generator.keras", safe_mode=True)
    weights = {weight.path: weight.numpy() for weight in generator.weights}
    np.savez(folder / "weights.npz", **weights)
    artifact = ganlab.Artifact(folder)
    inputs = {"latents": ganlab.sampling.draw_latents(64, artifact.latent_dim, 0)}
    if artifact.conditional:
        inputs["labels"] = artifact.labels(64)
    images = generator(positional(inputs), training=False).numpy()
    np.savez(folder / "inputs.npz", images=images, **inputs)


def measure_warm(
    folder: Path, names: list[str], pythons: dict, rounds: int
) -> dict[str, dict]:
    """Milliseconds a call, for each batch, of all contenders in turn."""
    contenders, differences = {}, {}
    for name in names:
        log(f"{folder.name}: starting {name}")
        command = [pythons[name], __file__, "--worker", str(folder), *CONTENDERS[name]]
        contenders[name] = Contender(name, command)
        first = contenders[name].turn()
        if name in ("ganlab, float16", "ganlab, int8") or "bfloat16" in name:
            log(f"  images differ by {first['difference']:.2g} on average")
        elif first["largest"] > EXACT:
            raise SystemExit(f"{name} has other images: by {first['largest']:.2g}")
        differences[name] = first["difference"]
    turns = {name: [] for name in names}
    for _ in range(rounds):
        for name, contender in contenders.items():
            turns[name].append(contender.turn())
    for contender in contenders.values():
        contender.process.kill()
    measurements = {}
    for name in names:
        measurements[name] = {
            "difference": differences[name],
            "peak_memory_gb": max(turn["memory"] for turn in turns[name]),
        }
        for batch in BATCHES:
            times = [turn[str(batch)] for turn in turns[name]]
            measurements[name][f"batch_{batch}_ms"] = statistics.median(times)
            measurements[name][f"batch_{batch}_spread"] = [min(times), max(times)]
    return measurements


def measure_cold(
    folder: Path, names: list[str], pythons: dict, rounds: int
) -> dict[str, dict]:
    """Seconds from the command to the file with one image."""
    times = {name: [] for name in names if name in COLD}
    for _ in range(rounds):
        for name in times:
            out = folder / "first.png"
            out.unlink(missing_ok=True)
            command = [pythons[name], __file__, "--cold", str(folder)]
            command += [*CONTENDERS[name], str(out)]
            if name.startswith("ganlab"):
                format = CONTENDERS[name][1]
                command = [sys.executable, "-m", "ganlab", "sample", str(folder)]
                command += ["--num-images", "1", "--format", format]
                command += ["--out", str(out)]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
            if not out.is_file():
                raise SystemExit(f"{name} wrote no image")
    return {
        name: {
            "cold_seconds": statistics.median(seconds),
            "cold_spread": [min(seconds), max(seconds)],
        }
        for name, seconds in times.items()
    }


def positional(inputs: dict):
    values = list(inputs.values())
    return values[0] if len(values) == 1 else values


def generate_function(folder: Path, kind: str, mode: str | None = None) -> Generate:
    """A function from the named inputs to float32 images, as its users have it."""
    if kind == "ganlab":
        from ganlab import Artifact

        artifact = Artifact(folder, mode)
        return lambda inputs: artifact.generate(**inputs)
    if kind == "torch":
        from sampling_torch import generate_function as torch_function

        return torch_function(folder, mode)
    import tensorflow as tf

    if kind == "saved_model":
        served = tf.saved_model.load(str(folder / "saved_model"))
        served = served.signatures["serving_default"]
        return lambda inputs: served(
            **{key: tf.constant(value) for key, value in inputs.items()}
        )["images"].numpy()
    import keras

    import ganlab.networks  # noqa: F401  registers the layers

    model = keras.saving.load_model(folder / "generator.keras", safe_mode=True)

    if mode == "predict":
        return lambda inputs: model.predict(
            positional(inputs), batch_size=64, verbose=0
        )
    return lambda inputs: model(positional(inputs), training=False).numpy()


def run_worker(folder: str, kind: str, mode: str | None = None) -> None:
    """Answers with the difference of its images, then with the time of each batch."""
    worker = Worker()
    worker.wait()
    generate = generate_function(Path(folder), kind, mode)
    inputs = dict(np.load(Path(folder) / "inputs.npz"))
    expected = inputs.pop("images")
    difference = np.abs(generate(inputs) - expected)
    batches = {
        size: {key: value[:size] for key, value in inputs.items()} for size in BATCHES
    }
    for batch in batches.values():
        for _ in range(3):  # compiles
            generate(batch)
    worker.answer(
        {"largest": float(difference.max()), "difference": float(difference.mean())}
    )
    while True:
        worker.wait()
        medians = {}
        for size, batch in batches.items():
            times = []
            for _ in range(60 if size == 1 else 12):
                start = time.perf_counter()
                generate(batch)
                times.append(1000 * (time.perf_counter() - start))
            medians[size] = statistics.median(times)
        worker.answer({**medians, "memory": peak()})


def write_first_image(folder: str, kind: str, *rest: str) -> None:
    """What a script does that generates one image from a cold start."""
    *mode, out = rest
    from PIL import Image

    inputs = dict(np.load(Path(folder) / "inputs.npz"))
    del inputs["images"]
    generate = generate_function(Path(folder), kind, *mode)
    image = generate({key: value[:1] for key, value in inputs.items()})[0]
    pixels = ((image + 1.0) * 127.5).round().astype(np.uint8)
    Image.fromarray(pixels.squeeze()).save(out)


def as_table(report: dict) -> str:
    """The report as Markdown."""
    lines = []
    for title, rows in report.items():
        lines += [
            f"| {title} | first image, cold | 1 image | 64 images | GB |",
            "|---|---|---|---|---|",
        ]
        for name, row in rows.items():
            cold = row.get("cold_seconds")
            cells = [f"{cold:.2f} s" if cold else ""]
            for batch in BATCHES:
                low, high = row[f"batch_{batch}_spread"]
                middle = row[f"batch_{batch}_ms"]
                cells.append(f"{middle:.3g} ms [{low:.3g}, {high:.3g}]")
            cells.append(f"{row['peak_memory_gb']:.1f}")
            lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def plot(report: dict, path: Path) -> None:
    """The report as a picture, a chart for each work and batch."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(
        len(report), 2, figsize=(11, 6.4), layout="constrained", squeeze=False
    )
    for charts, (title, rows) in zip(axes, report.items(), strict=True):
        for chart, batch in zip(charts, BATCHES, strict=True):
            rates = {
                name: batch * 1000 / row[f"batch_{batch}_ms"]
                for name, row in rows.items()
            }
            spreads = {
                name: sorted(batch * 1000 / ms for ms in row[f"batch_{batch}_spread"])
                for name, row in rows.items()
            }
            plot_rates(chart, rates, spreads)
            if batch != 1:
                chart.set_yticklabels([])
            chart.set_title(f"{title}, batches of {batch}", fontsize=10)
            chart.set_xlabel("images a second")
            chart.xaxis.set_major_locator(ticker.MaxNLocator(4))
            chart.xaxis.set_major_formatter("{x:,.0f}")
            chart.margins(x=0.15)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
