"""How fast is training, beside Keras's and PyTorch's own DCGAN examples?

    pip install -e ".[dev]"
    python scripts/benchmarks/speed.py --out runs/speed

Identical networks, checked by their number of weights, and equal batches, each
contender as its users run it: keras.io's DCGAN `train_step` in `fit` on
`image_dataset_from_directory`, with Keras's own layers; PyTorch's example loop on a
`DataLoader` (eager, channels last, compiled), in a virtual environment of its own;
ganlab with all that `ganlab train` attaches. Each is a process that waits for its
turn; they take one epoch each, in turn.

The works: the DCGAN of 64 pixels (100 latents, 64 base channels, RGB, no
normalisation in the discriminator) in batches of 64 and of 128; the default preset's
players of 28 pixels, and those of the r3gan preset with its R1 and R2, both without
classes.

It writes speed.json, speed.md and speed.png. Time on 2 cores: 20 minutes.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from memory import peak
from turns import Contender, Worker, bars, say, torch_python

EPOCHS = 1000  # until the main process ends it
BASE = "keras.io example, float32"
COMPILED = ("torch", "float32", "channels_last", "compiled")
CONTENDERS = {
    BASE: ("keras", "float32"),
    "PyTorch example, float32": ("torch", "float32"),
    "PyTorch, channels last, float32": ("torch", "float32", "channels_last"),
    "PyTorch, channels last, compiled, float32": COMPILED,
    "PyTorch, channels last, compiled, bfloat16": (
        "torch",
        "bfloat16",
        "channels_last",
        "compiled",
    ),
    "ganlab, float32": ("ganlab", "float32"),
    "ganlab, bfloat16": ("ganlab", "mixed_bfloat16"),
}
FEWER = (BASE, "PyTorch, channels last, compiled, float32", *list(CONTENDERS)[4:])
ALONE = (BASE, "ganlab, float32", "ganlab, bfloat16")


@dataclass(frozen=True)
class Work:
    """What is trained.

    Args:
        title: String.
        size: Integer: pixels a side.
        channels: 1 or 3.
        latent_dim: Integer.
        filters: Integer: base channels of both players.
        batch_size: Integer.
        num_images: Integer: an epoch.
        preset: Name of the ganlab preset.
        normalized: Whether the discriminator has batch normalisation.
        contenders: Names in `CONTENDERS`.
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
            **changes,
        )
        return complete(recipe, self.size, self.channels)

    def multiply_adds(self):
        """Of one image in one step, in the convolutions that one stage must do.

        The generator: one pass and two of gradients. The discriminator: real and
        fake, one pass, one for weights and, but for real images' first layer, one
        for maps. `None` for what has no such step.
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
        "64 pixels, batches of 128", 64, 3, 100, 64, 128, 1024, contenders=FEWER
    ),
    "dcgan28": Work(
        "28 pixels, default preset, batches of 64",
        *(28, 1, 64, 32, 64, 10_000),
        normalized=True,
        contenders=FEWER,
    ),
    "r3gan28": Work(
        "28 pixels, r3gan preset, batches of 32",
        *(28, 1, 64, 16, 32, 2048),
        preset="r3gan",
        contenders=ALONE,
    ),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/speed"), help="default %(default)s")
    add("--rounds", type=int, default=3, help="default %(default)s")
    add("--works", nargs="+", default=list(WORKS), choices=WORKS, help="default: all")
    add("--num-images", type=int, help="an epoch (default: each work's own)")
    add("--only", default="", help="contenders whose names hold this, and keras.io's")
    add("--torch-env", type=Path, default=Path("runs/torch"), help="its environment")
    add("--worker", nargs="+", help=argparse.SUPPRESS)
    add("--images", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        (key,) = options.works
        work(options.worker, options.images, WORKS[key])
        return
    options.out.mkdir(parents=True, exist_ok=True)
    report = {
        "ceiling_gflops": {kind: ceiling(kind) for kind in ("float32", "bfloat16")},
        "memory_copy_gb_per_second": copy_rate(),
        "works": {},
    }
    for key in options.works:
        count = options.num_images or WORKS[key].num_images
        with tempfile.TemporaryDirectory() as folder:
            write_images(Path(folder), WORKS[key], count)
            found = measure(Path(folder), key, options)
        report["works"][key] = summarize(found, WORKS[key], count, report)
        text = json.dumps(report, indent=2) + "\n"
        (options.out / "speed.json").write_text(text)
    table = as_table(report)
    (options.out / "speed.md").write_text(table)
    draw(report, options.out / "speed.png")
    print(table)


def write_images(folder, each, count):
    """Fashion-MNIST at the work's size, as a folder of PNG files."""
    from PIL import Image

    from ganlab import load_data

    images, _ = load_data("fashion_mnist").take(count)
    (folder / "all").mkdir()
    mode, size = {1: "L", 3: "RGB"}[each.channels], (each.size, each.size)
    for index, image in enumerate(images):
        pixels = ((image[..., 0] + 1.0) * 127.5).round().astype(np.uint8)
        picture = Image.fromarray(pixels).convert(mode).resize(size)
        picture.save(folder / "all" / f"{index:05}.png")


def measure(folder, key, options):
    """Contender -> one dict an epoch, all contenders in turn."""
    names = [
        name for name in WORKS[key].contenders if options.only in name or name == BASE
    ]
    workers, found, weights = {}, {name: [] for name in names}, {}
    try:
        for name in names:
            say(f"{key}: starting {name}")
            python = sys.executable
            if CONTENDERS[name][0] == "torch":
                python = torch_python(options.torch_env)
            command = [python, __file__, "--images", folder, "--works", key]
            workers[name] = Contender(name, [*command, "--worker", *CONTENDERS[name]])
            first = workers[name].turn()  # compiles; not counted
            weights[name] = first["weights"]
            first_step = first["first_step"] - workers[name].started
            found[name].append({"first_step": first_step})
        if len(set(weights.values())) > 1:
            raise SystemExit(f"Expected equal networks. Received: {weights}")
        for each in range(options.rounds):
            for name, worker in workers.items():
                found[name].append(worker.turn())
                say(f"round {each + 1}: {name}: {found[name][-1]['epoch']:.1f} s")
    finally:
        for worker in workers.values():
            worker.process.kill()
    return found


def summarize(found, each, num_images, report):
    rows = {}
    for name, (start, *epochs) in found.items():
        rates = [num_images / epoch["epoch"] for epoch in epochs]
        step = statistics.median(epoch["step"] for epoch in epochs)
        rows[name] = {
            "epoch_images_per_second": statistics.median(rates),
            "spread": [min(rates), max(rates)],
            "step_images_per_second": each.batch_size / step,
            "seconds_to_first_step": start["first_step"],
            "peak_memory_gb": max(epoch["memory"] for epoch in epochs),
        }
        needed = each.multiply_adds()
        if name.startswith("ganlab") and needed:
            kind = "bfloat16" if "bfloat16" in name else "float32"
            rate = 2 * needed * each.batch_size / step / 1e9
            rows[name]["share_of_ceiling"] = rate / report["ceiling_gflops"][kind]
    return {"title": each.title, "contenders": rows}


def ceiling(kind, size=2048, repeats=10):
    """GFLOPS of a large matrix product."""
    import tensorflow as tf

    sides = [tf.cast(tf.random.normal((size, size)), kind) for _ in range(2)]
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        tf.matmul(*sides)[0, 0].numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def copy_rate(megabytes=256, repeats=10):
    """GB of memory that are read and written a second in a large copy."""
    source = np.ones(megabytes << 18, np.float32)
    target, best = np.empty_like(source), float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best / 1e9


def as_table(report):
    lines = []
    for each in report["works"].values():
        rows = each["contenders"]
        base = rows[BASE]["epoch_images_per_second"]
        lines += [
            f"| {each['title']} | images/s, whole epoch | to keras.io | "
            "images/s, step | first step | GB |",
            "|---|---|---|---|---|---|",
        ]
        for name, row in rows.items():
            rate, (low, high) = row["epoch_images_per_second"], row["spread"]
            share = row.get("share_of_ceiling")
            note = f" ({100 * share:.0f} % of the ceiling)" if share else ""
            lines.append(
                f"| {name} | {rate:,.0f} [{low:,.0f}, {high:,.0f}] | "
                f"{rate / base:.2f} | {row['step_images_per_second']:,.0f}{note} | "
                f"{row['seconds_to_first_step']:.0f} s | {row['peak_memory_gb']:.1f} |"
            )
        lines.append("")
    gflops = report["ceiling_gflops"]
    lines.append(
        f"Largest matrix product: {gflops['float32']:.0f} GFLOPS in float32, "
        f"{gflops['bfloat16']:.0f} in bfloat16; memory copy: "
        f"{report['memory_copy_gb_per_second']:.0f} GB/s."
    )
    return "\n".join(lines) + "\n"


def draw(report, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    works = report["works"].values()
    heights = [len(each["contenders"]) + 1.5 for each in works]
    figure, axes = pyplot.subplots(
        len(works),
        figsize=(8, 0.36 * sum(heights) + 0.6),
        layout="constrained",
        squeeze=False,
        height_ratios=heights,
    )
    for place, each in zip(axes[:, 0], works, strict=True):
        rows = each["contenders"]
        rates = {name: row["epoch_images_per_second"] for name, row in rows.items()}
        spreads = {name: row["spread"] for name, row in rows.items()}
        bars(place, rates, spreads, lambda name: name.startswith("ganlab"), "{:,.0f}")
        place.set_title(each["title"], fontsize=10, loc="left")
        place.margins(x=0.12)
    axes[-1, 0].set_xlabel("images a second, whole epochs")
    figure.savefig(path, dpi=130)


def work(arguments, images, each):
    """Takes an epoch whenever it is told to, and answers with seconds."""
    kind, precision, *modes = arguments
    run = {"keras": keras_io, "torch": pytorch, "ganlab": ganlab_run}[kind]
    run(precision, modes, images, each, Turns())


class Turns(Worker):
    """Waits before an epoch until it is told to go, and then says how it went."""

    def __init__(self):
        super().__init__()
        self.steps, self.first_step, self.weights = None, None, None

    def begin(self):
        if self.steps is not None:
            self.answer(
                {
                    "epoch": time.perf_counter() - self.start,
                    "step": statistics.median(np.diff(self.steps)),
                    "memory": peak(),
                    "first_step": self.first_step,
                    "weights": self.weights,
                }
            )
        self.wait()
        self.start, self.steps = time.perf_counter(), []

    def step(self):
        self.steps.append(time.perf_counter())
        if self.first_step is None:
            self.first_step = time.time()


def keras_io(precision, modes, images, each, turns):
    """keras.io's example on these networks; a callback draws images once an epoch."""
    import keras
    import tensorflow as tf
    from keras_io import example

    from ganlab.networks.precision import in_float32
    from ganlab.training.build import build_networks

    recipe = each.recipe()
    generator, discriminator = map(in_float32, build_networks(recipe, None))
    turns.weights = generator.count_params() + discriminator.count_params()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = example(generator, discriminator, loss, each.preset == "r3gan")
    folder = Path(tempfile.mkdtemp())

    class Monitor(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            latents = tf.random.normal((3, each.latent_dim))
            drawn = self.model.generator(latents) * 127.5 + 127.5
            for index, image in enumerate(drawn.numpy()):
                image = keras.utils.array_to_img(image)
                image.save(folder / f"{epoch}_{index}.png")

    data = keras.utils.image_dataset_from_directory(
        images,
        label_mode=None,
        image_size=(each.size, each.size),
        batch_size=each.batch_size,
        color_mode={1: "grayscale", 3: "rgb"}[each.channels],
    ).map(lambda pixels: pixels / 127.5 - 1.0)
    steps = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: turns.step()
    )
    for _ in range(EPOCHS):  # an iterator that outlives a turn would count its wait
        turns.begin()
        model.fit(data, callbacks=[Monitor(), steps], verbose=2)


def pytorch(precision, modes, images, each, turns):
    """pytorch/examples/dcgan/main.py, on these networks."""
    import contextlib

    import torch
    from PIL import Image
    from torch import nn

    torch.set_num_threads(os.cpu_count())
    stages = {64: 4, 28: 2}[each.size]
    widths = [each.filters * 2**k for k in range(stages)]
    start, latent_dim, batch_size = (
        each.size >> stages,
        each.latent_dim,
        each.batch_size,
    )

    class Start(nn.Module):
        def __init__(self):
            super().__init__()
            self.project = nn.Linear(latent_dim, start**2 * widths[-1], bias=False)

        def forward(self, latents):
            return self.project(latents).view(-1, widths[-1], start, start)

    up = [Start(), nn.BatchNorm2d(widths[-1]), nn.ReLU(True)]
    for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
        up += [
            nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(True),
        ]
    last = nn.ConvTranspose2d(widths[0], each.channels, 4, 2, 1)
    generator = nn.Sequential(*up, last, nn.Tanh())
    down = []
    for narrow, wide in zip([each.channels, *widths], widths, strict=False):
        normalized = each.normalized and bool(down)
        down.append(nn.Conv2d(narrow, wide, 4, 2, 1, bias=not normalized))
        down += [nn.BatchNorm2d(wide)] if normalized else []
        down.append(nn.LeakyReLU(0.2, True))
    judge = nn.Linear(start**2 * widths[-1], 1)
    discriminator = nn.Sequential(*down, nn.Flatten(), judge)
    turns.weights = sum(
        value.numel()
        for player in (generator, discriminator)
        for name, value in player.state_dict().items()
        if not name.endswith("num_batches_tracked")
    )
    layout = torch.contiguous_format
    if "channels_last" in modes:
        layout = torch.channels_last
        generator = generator.to(memory_format=layout)
        discriminator = discriminator.to(memory_format=layout)
    run_g, run_d = generator, discriminator
    if "compiled" in modes:
        run_g, run_d = torch.compile(generator), torch.compile(discriminator)

    def autocast():
        if precision == "bfloat16":
            return torch.autocast("cpu", torch.bfloat16)
        return contextlib.nullcontext()

    class Folder(torch.utils.data.Dataset):
        paths = sorted(images.glob("*/*.png"))

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            pixels = np.asarray(Image.open(self.paths[index]), np.float32)
            pixels = pixels.reshape(each.size, each.size, each.channels)
            return torch.from_numpy(pixels.transpose(2, 0, 1) / 127.5 - 1.0)

    loader = torch.utils.data.DataLoader(
        Folder(), batch_size=batch_size, shuffle=True, num_workers=2, drop_last=True
    )
    loss = nn.BCEWithLogitsLoss()
    d_optimizer, g_optimizer = (
        torch.optim.Adam(player.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for player in (discriminator, generator)
    )
    folder = Path(tempfile.mkdtemp())
    ones, zeros = torch.ones((batch_size, 1)), torch.zeros((batch_size, 1))

    for _ in range(EPOCHS):
        turns.begin()
        for real in loader:
            real = real.to(memory_format=layout)
            discriminator.zero_grad()
            with autocast():
                d_real = loss(run_d(real).float(), ones)
            d_real.backward()
            with autocast():
                fake = run_g(torch.randn(batch_size, latent_dim))
                d_fake = loss(run_d(fake.detach()).float(), zeros)
            d_fake.backward()
            d_optimizer.step()
            generator.zero_grad()
            with autocast():
                g_loss = loss(run_d(fake).float(), ones)
            g_loss.backward()
            g_optimizer.step()
            print(d_real.item() + d_fake.item(), g_loss.item())
            turns.step()
        with torch.no_grad():
            drawn = run_g(torch.randn(batch_size, latent_dim)).float()
        pixels = ((drawn.permute(0, 2, 3, 1).numpy() + 1) * 127.5).astype(np.uint8)
        grid = np.concatenate(list(pixels)).squeeze()
        Image.fromarray(grid).save(folder / "fake.png")
        torch.save(generator.state_dict(), folder / "g.pth")
        torch.save(discriminator.state_dict(), folder / "d.pth")


def ganlab_run(precision, modes, images, each, turns):
    """What `ganlab train` does, with pictures and checkpoints once an epoch."""
    import keras

    from ganlab import Monitoring, callbacks, load_data
    from ganlab.data.wait_timer import WaitTimer
    from ganlab.training.build import build_gan
    from ganlab.training.data import TrainingData, load_reference
    from ganlab.training.monitor import monitoring_callbacks

    data = load_data(f"folder:{images}", image_size=each.size, channels=each.channels)
    steps = len(data) // each.batch_size
    recipe = each.recipe(
        data=f"folder:{images}",
        dtype_policy=precision,
    )
    monitoring = Monitoring(log_every=steps, sample_every=steps, checkpoint_every=steps)
    keras.config.set_dtype_policy(precision)
    gan, timer = build_gan(recipe, None), WaitTimer()
    turns.weights = gan.generator.count_params() + gan.discriminator.count_params()
    folder = Path(tempfile.mkdtemp())
    run_log = callbacks.RunLog(folder, settings=recipe.as_dict() | monitoring.as_dict())
    training_data = TrainingData(data, None, load_reference(monitoring, data))
    attached = monitoring_callbacks(run_log, recipe, monitoring, training_data, timer)
    turn = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: turns.begin(),
        on_train_batch_end=lambda batch, logs: turns.step(),
    )
    gan.fit(
        timer.watch(data.batches(each.batch_size, labels=False)),
        epochs=EPOCHS,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[*attached.values(), turn],
    )


if __name__ == "__main__":
    main()
