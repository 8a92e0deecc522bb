"""How fast are images drawn, beside Keras, the SavedModel and PyTorch?

    pip install -e ".[dev]"
    python scripts/benchmarks/sampling.py --out runs/sampling

Two generators: the Fashion-MNIST generator of this repository, and the DCGAN of 64
pixels (100 latents, 64 base channels, untrained). Each is exported, and PyTorch, in
a virtual environment of its own, gets the same weights; that all draw the same
images is checked first. Each contender is a process that waits for its turn; they
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
from pathlib import Path

import numpy as np
from memory import peak
from turns import Contender, Worker, bars, say, torch_python

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
COLD = ("Keras, predict", "SavedModel", "PyTorch", "ganlab", "ganlab, int8")
BATCHES = (1, 64)
EXACT = 2e-3  # float32 contenders draw Keras's images to this


def main():
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
        work(*options.worker)
        return
    if options.cold:
        draw_one(*options.cold)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    names = [
        each for each in CONTENDERS if options.only in each or each == "Keras, predict"
    ]
    pythons = dict.fromkeys(names, sys.executable)
    for name in names:
        if CONTENDERS[name][0] == "torch":
            pythons[name] = torch_python(options.torch_env)
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        for work_name, key in WORKS.items():
            made = Path(folder) / key
            prepare(key, made)
            warm = measure_warm(made, names, pythons, options.rounds)
            cold = measure_cold(made, names, pythons, options.cold_rounds)
            report[work_name] = {
                name: {**warm[name], **cold.get(name, {})} for name in names
            }
    (options.out / "sampling.json").write_text(json.dumps(report, indent=2) + "\n")
    table = as_table(report)
    (options.out / "sampling.md").write_text(table)
    draw(report, options.out / "sampling.png")
    print(table)


def prepare(key, folder):
    """An artifact, its weights for PyTorch, latents, and the images they become."""
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


def measure_warm(folder, names, pythons, rounds):
    """Milliseconds a call, for each batch, of all contenders in turn."""
    found = {}
    contenders = {}
    for name in names:
        say(f"{folder.name}: starting {name}")
        command = [pythons[name], __file__, "--worker", str(folder), *CONTENDERS[name]]
        contenders[name] = Contender(name, command)
        first = contenders[name].turn()
        if name in ("ganlab, float16", "ganlab, int8") or "bfloat16" in name:
            say(f"  images differ by {first['difference']:.2g} on average")
        elif first["largest"] > EXACT:
            raise SystemExit(f"{name} draws other images: by {first['largest']:.2g}")
        found[name] = {"difference": first["difference"], "rounds": []}
    for _ in range(rounds):
        for name, contender in contenders.items():
            found[name]["rounds"].append(contender.turn())
    for contender in contenders.values():
        contender.process.kill()
    for each in found.values():
        taken = each.pop("rounds")
        each["peak_memory_gb"] = max(one["memory"] for one in taken)
        for batch in BATCHES:
            times = [one[str(batch)] for one in taken]
            each[f"batch_{batch}_ms"] = statistics.median(times)
            each[f"batch_{batch}_spread"] = [min(times), max(times)]
    return found


def measure_cold(folder, names, pythons, rounds):
    """Seconds from the command to the file with one image."""
    times = {name: [] for name in names if name in COLD}
    for _ in range(rounds):
        for name in times:
            out = folder / "first.png"
            out.unlink(missing_ok=True)
            command = [pythons[name], __file__, "--cold", str(folder)]
            command += [*CONTENDERS[name], str(out)]
            if name.startswith("ganlab"):
                precision = CONTENDERS[name][1]
                command = [sys.executable, "-m", "ganlab", "sample", str(folder)]
                command += ["--num-images", "1", "--format", precision]
                command += ["--out", str(out)]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
            if not out.is_file():
                raise SystemExit(f"{name} wrote no image")
    return {
        name: {
            "cold_seconds": statistics.median(each),
            "cold_spread": [min(each), max(each)],
        }
        for name, each in times.items()
    }


def positional(inputs):
    values = list(inputs.values())
    return values[0] if len(values) == 1 else values


def drawing_function(folder, kind, mode=None):
    """A function from the named inputs to float32 images, as its users have it."""
    folder = Path(folder)
    if kind == "ganlab":
        from ganlab import Artifact

        artifact = Artifact(folder, mode)
        return lambda inputs: artifact.generate(**inputs)
    if kind == "torch":
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


def torch_function(folder, mode):
    """The same generator in PyTorch, from the weights that Keras had."""
    import contextlib
    import os

    import torch
    from torch import nn

    torch.set_num_threads(os.cpu_count())
    weights = dict(np.load(folder / "weights.npz"))

    def weight(name):
        (path,) = [each for each in weights if each.endswith(name)]
        return torch.from_numpy(np.array(weights[path]))

    def normalization(index):
        suffix = f"_{index}" if index else ""
        values = [
            weight(f"batch_normalization{suffix}/{name}")
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        ]
        layer = nn.BatchNorm2d(len(values[0]))
        names = ("weight", "bias", "running_mean", "running_var")
        layer.load_state_dict(dict(zip(names, values, strict=True)), strict=False)
        return layer

    project = weight("project/kernel")
    first = len(weight("batch_normalization/gamma"))
    side = round((project.shape[1] / first) ** 0.5)
    project = project.reshape(-1, side, side, first).permute(0, 3, 1, 2)
    project = project.reshape(len(project), -1)
    linear = nn.Linear(*project.shape, bias=False)
    linear.weight = nn.Parameter(project.T.contiguous())
    embedding = None
    if any(path.endswith("class/embeddings") for path in weights):
        embedding = nn.Embedding.from_pretrained(weight("class/embeddings"))
    layers, index = [normalization(0), nn.ReLU()], 0
    while True:
        suffix = f"_{index}" if index else ""
        kernel = weight(f"conv2d_transpose{suffix}/kernel").permute(3, 2, 0, 1)
        last = not any(
            f"conv2d_transpose_{index + 1}/kernel" in path for path in weights
        )
        layer = nn.ConvTranspose2d(*kernel.shape[:2], 4, 2, 1, bias=last)
        layer.weight = nn.Parameter(kernel.contiguous())
        layers.append(layer)
        index += 1
        if last:
            layer.bias = nn.Parameter(weight(f"conv2d_transpose{suffix}/bias"))
            layers.append(nn.Tanh())
            break
        layers += [normalization(index), nn.ReLU()]
    grow = nn.Sequential(*layers)

    class Generator(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.linear, self.grow = embedding, linear, grow

        def forward(self, latents, labels=None):
            if labels is not None:
                latents = torch.cat([latents, self.embedding(labels)], dim=1)
            return self.grow(self.linear(latents).view(-1, first, side, side))

    generator = Generator().eval()
    if mode != "eager":
        generator = generator.to(memory_format=torch.channels_last)
    run = torch.compile(generator) if mode in ("compiled", "bfloat16") else generator

    def precision():
        if mode == "bfloat16":
            return torch.autocast("cpu", torch.bfloat16)
        return contextlib.nullcontext()

    def generate(inputs):
        with torch.inference_mode(), precision():
            tensors = [torch.from_numpy(each) for each in inputs.values()]
            images = run(*tensors).float()
            return images.permute(0, 2, 3, 1).contiguous().numpy()

    return generate


def work(folder, kind, mode=None):
    """Says how its images differ; then, in turn, how long each batch takes."""
    worker = Worker()
    worker.wait()
    generate = drawing_function(folder, kind, mode)
    inputs = dict(np.load(Path(folder) / "inputs.npz"))
    expected = inputs.pop("images")
    gap = np.abs(generate(inputs) - expected)
    batches = {n: {key: each[:n] for key, each in inputs.items()} for n in BATCHES}
    for batch in batches.values():
        for _ in range(3):  # compiles
            generate(batch)
    worker.answer({"largest": float(gap.max()), "difference": float(gap.mean())})
    while True:
        worker.wait()
        found = {}
        for size, batch in batches.items():
            times = []
            for _ in range(60 if size == 1 else 12):
                start = time.perf_counter()
                generate(batch)
                times.append(1000 * (time.perf_counter() - start))
            found[size] = statistics.median(times)
        worker.answer({**found, "memory": peak()})


def draw_one(folder, kind, *rest):
    """What a script does that draws one image from a cold start."""
    *mode, out = rest
    from PIL import Image

    inputs = dict(np.load(Path(folder) / "inputs.npz"))
    del inputs["images"]
    generate = drawing_function(folder, kind, *mode)
    image = generate({key: each[:1] for key, each in inputs.items()})[0]
    pixels = ((image + 1.0) * 127.5).round().astype(np.uint8)
    Image.fromarray(pixels.squeeze()).save(out)


def as_table(report):
    lines = []
    for work_name, rows in report.items():
        lines += [
            f"| {work_name} | first image, cold | 1 image | 64 images | GB |",
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


def draw(report, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(
        len(report), 2, figsize=(11, 6.4), layout="constrained", squeeze=False
    )
    for row, (work_name, rows) in zip(axes, report.items(), strict=True):
        for place, batch in zip(row, BATCHES, strict=True):
            rates = {
                name: batch * 1000 / r[f"batch_{batch}_ms"] for name, r in rows.items()
            }
            spreads = {
                name: sorted(batch * 1000 / each for each in r[f"batch_{batch}_spread"])
                for name, r in rows.items()
            }
            bars(
                place, rates, spreads, lambda name: name.startswith("ganlab"), "{:,.0f}"
            )
            if batch != 1:
                place.set_yticklabels([])
            place.set_title(f"{work_name}, batches of {batch}", fontsize=10)
            place.set_xlabel("images a second")
            place.xaxis.set_major_locator(ticker.MaxNLocator(4))
            place.xaxis.set_major_formatter("{x:,.0f}")
            place.margins(x=0.15)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
