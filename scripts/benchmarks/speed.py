"""How fast is training, beside Keras's and PyTorch's own DCGAN examples?

    pip install -e ".[dev]"
    python scripts/benchmarks/speed.py --out runs/speed

Identical networks (100 latents, 64 base channels, 64 by 64 RGB, no normalisation in
the discriminator) and batches, each contender as its users run it: keras.io's DCGAN
`train_step` in `fit` on `image_dataset_from_directory`, PyTorch's example loop on a
`DataLoader` (eager, channels last, compiled), ganlab with all that `ganlab train`
attaches. Each is a process that waits for its turn; they take one epoch each,
in turn.

It writes speed.json, speed.md and speed.png. Time on 2 cores: 13 minutes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from memory import peak

SIZE, LATENTS, FILTERS = 64, 100, 64
EPOCHS = 1000  # until the main process ends it
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/speed"), help="default %(default)s")
    add("--rounds", type=int, default=3, help="default %(default)s")
    add("--batch-size", type=int, default=64, help="default %(default)s")
    add("--num-images", type=int, default=1024, help="an epoch (default %(default)s)")
    add("--only", default="", help="contenders whose names hold this, and keras.io's")
    add("--worker", nargs="+", help=argparse.SUPPRESS)
    add("--images", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker, options.images, options.batch_size)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), options.num_images)
        names = [name for name in CONTENDERS if options.only in name or name == BASE]
        found = measure(Path(folder), names, options)
    report = summarize(found, options)
    (options.out / "speed.json").write_text(json.dumps(report, indent=2) + "\n")
    table = as_table(report)
    (options.out / "speed.md").write_text(table)
    draw(report, options.out / "speed.png")
    print(table)


def write_images(folder, count):
    """Fashion-MNIST enlarged, as a folder of PNG files."""
    from PIL import Image

    from ganlab import load_data

    images, _ = load_data("fashion_mnist").some(count)
    (folder / "all").mkdir()
    for index, image in enumerate(images):
        pixels = ((image[..., 0] + 1.0) * 127.5).astype(np.uint8)
        picture = Image.fromarray(pixels).convert("RGB").resize((SIZE, SIZE))
        picture.save(folder / "all" / f"{index:05}.png")


def measure(folder, names, options):
    """Contender -> one dict an epoch, all contenders in turn."""
    workers, found = {}, {name: [] for name in names}
    try:
        for name in names:
            say(f"starting {name}")
            command = [sys.executable, __file__, "--images", str(folder)]
            command += ["--batch-size", str(options.batch_size), "--worker"]
            workers[name] = subprocess.Popen(
                [*command, *CONTENDERS[name]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            turn(name, workers[name])  # compiles; not counted
        for each in range(options.rounds):
            for name, worker in workers.items():
                found[name].append(turn(name, worker))
                rate = options.num_images / found[name][-1]["epoch"]
                say(f"round {each + 1}: {name}: {rate:.0f} images/s")
    finally:
        for worker in workers.values():
            worker.kill()
    return found


def turn(name, worker):
    worker.stdin.write("go\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise SystemExit(f"{name} ended; run it alone with --worker to see why")
    return json.loads(answer)


def summarize(found, options):
    ceilings = {kind: ceiling(kind) for kind in ("float32", "bfloat16")}
    flops = multiply_adds() * 2 * options.batch_size
    rows = {}
    for name, epochs in found.items():
        rates = [options.num_images / each["epoch"] for each in epochs]
        step = statistics.median(each["step"] for each in epochs)
        kind = "bfloat16" if "bfloat16" in name else "float32"
        rows[name] = {
            "epoch_images_per_second": statistics.median(rates),
            "spread": [min(rates), max(rates)],
            "step_images_per_second": options.batch_size / step,
            "peak_memory_gb": max(each["memory"] for each in epochs),
        }
        if name.startswith("ganlab"):
            rows[name]["share_of_ceiling"] = flops / step / 1e9 / ceilings[kind]
    return {
        "batch_size": options.batch_size,
        "ceiling_gflops": ceilings,
        "contenders": rows,
    }


def multiply_adds():
    """Of one image in one step, in the convolutions that one stage must do.

    The generator: one pass and two of gradients. The discriminator: real and fake,
    one pass, one for weights and, but for real images' first layer, one for maps.
    """
    sizes = [SIZE // 2**k for k in range(1, 5)]
    widths = [3, *(FILTERS * 2**k for k in range(4))]
    layers = [16 * size**2 * widths[k] * widths[k + 1] for k, size in enumerate(sizes)]
    return 3 * sum(layers) + 6 * sum(layers) - layers[0]


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


def as_table(report):
    rows = report["contenders"]
    base = rows[BASE]["epoch_images_per_second"]
    lines = [
        "| | images/s, whole epoch | to keras.io | images/s, step | GB |",
        "|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        rate, (low, high) = row["epoch_images_per_second"], row["spread"]
        share = row.get("share_of_ceiling")
        note = f" ({100 * share:.0f} % of the ceiling)" if share else ""
        lines.append(
            f"| {name} | {rate:.0f} [{low:.0f}, {high:.0f}] | {rate / base:.2f} | "
            f"{row['step_images_per_second']:.0f}{note} | {row['peak_memory_gb']:.1f} |"
        )
    return "\n".join(lines) + "\n"


def draw(report, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = report["contenders"]
    figure, axes = pyplot.subplots(figsize=(8, 3.4), layout="constrained")
    rates = [row["epoch_images_per_second"] for row in rows.values()]
    spreads = np.array([row["spread"] for row in rows.values()]).T
    colours = ["#2a7f9e" if name.startswith("ganlab") else "#b8b8b8" for name in rows]
    errors = np.abs(spreads - rates)
    bars = axes.barh(list(rows), rates, xerr=errors, color=colours, ecolor="#555555")
    axes.bar_label(bars, [f"{rate:.0f}" for rate in rates], padding=8)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(
        f"images a second, whole epochs, batch {report['batch_size']}, {SIZE} pixels"
    )
    figure.savefig(path, dpi=130)


def work(arguments, images, batch_size):
    """Takes an epoch whenever it is told to, and answers with seconds."""
    turns = Turns()
    kind, precision, *modes = arguments
    run = {"keras": keras_io, "torch": pytorch, "ganlab": ganlab_run}[kind]
    run(precision, modes, images, batch_size, turns)


class Turns:
    """Waits before an epoch until it is told to go, and then says how it went."""

    def __init__(self):
        self.answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what libraries print is no answer
        self.steps = None

    def begin(self):
        if self.steps is not None:
            answer = {
                "epoch": time.perf_counter() - self.start,
                "step": statistics.median(np.diff(self.steps)),
                "memory": peak(),
            }
            print(json.dumps(answer), file=self.answers, flush=True)
        if not sys.stdin.readline():
            raise SystemExit
        self.start, self.steps = time.perf_counter(), []

    def step(self):
        self.steps.append(time.perf_counter())


def keras_io(precision, modes, images, batch_size, turns):
    """keras.io/examples/generative/dcgan_overriding_train_step, on these networks.

    Both players run twice a step; the discriminator judges real and fake images
    joined, against labels with noise; a callback draws images once an epoch.
    """
    import keras
    import tensorflow as tf

    from ganlab import networks
    from ganlab.networks.generators import in_float32

    generator = networks.dcgan_generator(
        SIZE, 3, latent_dim=LATENTS, base_filters=FILTERS
    )
    discriminator = networks.dcgan_discriminator(SIZE, 3, base_filters=FILTERS)
    generator, discriminator = in_float32(generator), in_float32(discriminator)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    class Example(keras.Model):
        def __init__(self):
            super().__init__()
            self.generator, self.discriminator = generator, discriminator
            self.built = True

        def compile(self):
            super().compile()
            self.d_optimizer = keras.optimizers.Adam(1e-4)
            self.g_optimizer = keras.optimizers.Adam(1e-4)
            self.d_mean = keras.metrics.Mean(name="d_loss")
            self.g_mean = keras.metrics.Mean(name="g_loss")

        @property
        def metrics(self):
            return [self.d_mean, self.g_mean]

        def train_step(self, real):
            count = tf.shape(real)[0]
            fake = self.generator(tf.random.normal((count, LATENTS)), training=True)
            joined = tf.concat([fake, real], axis=0)
            labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
            labels += 0.05 * tf.random.uniform(tf.shape(labels))
            with tf.GradientTape() as tape:
                d_loss = loss(labels, self.discriminator(joined, training=True))
            weights = self.discriminator.trainable_weights
            gradients = tape.gradient(d_loss, weights)
            self.d_optimizer.apply_gradients(zip(gradients, weights, strict=True))
            latents = tf.random.normal((count, LATENTS))
            with tf.GradientTape() as tape:
                drawn = self.generator(latents, training=True)
                judged = self.discriminator(drawn, training=True)
                g_loss = loss(tf.zeros((count, 1)), judged)
            weights = self.generator.trainable_weights
            gradients = tape.gradient(g_loss, weights)
            self.g_optimizer.apply_gradients(zip(gradients, weights, strict=True))
            self.d_mean.update_state(d_loss)
            self.g_mean.update_state(g_loss)
            return {"d_loss": self.d_mean.result(), "g_loss": self.g_mean.result()}

    folder = Path(tempfile.mkdtemp())

    class Monitor(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            drawn = self.model.generator(tf.random.normal((3, LATENTS))) * 127.5 + 127.5
            for index, image in enumerate(drawn.numpy()):
                image = keras.utils.array_to_img(image)
                image.save(folder / f"{epoch}_{index}.png")

    data = keras.utils.image_dataset_from_directory(
        images, label_mode=None, image_size=(SIZE, SIZE), batch_size=batch_size
    ).map(lambda pixels: pixels / 127.5 - 1.0)
    model = Example()
    model.compile()
    steps = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: turns.step()
    )
    for _ in range(EPOCHS):  # an iterator that outlives a turn would count its wait
        turns.begin()
        model.fit(data, callbacks=[Monitor(), steps], verbose=2)


def pytorch(precision, modes, images, batch_size, turns):
    """pytorch/examples/dcgan/main.py, on these networks."""
    import contextlib

    import torch
    from PIL import Image
    from torch import nn

    torch.set_num_threads(os.cpu_count())
    widths = [FILTERS * 2**k for k in range(4)]

    class Start(nn.Module):
        def __init__(self):
            super().__init__()
            self.project = nn.Linear(LATENTS, 16 * widths[3], bias=False)

        def forward(self, latents):
            return self.project(latents).view(-1, widths[3], 4, 4)

    up = [Start(), nn.BatchNorm2d(widths[3]), nn.ReLU(True)]
    for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
        up += [
            nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(True),
        ]
    generator = nn.Sequential(*up, nn.ConvTranspose2d(widths[0], 3, 4, 2, 1), nn.Tanh())
    down = []
    for narrow, wide in zip([3, *widths], widths, strict=False):
        down += [nn.Conv2d(narrow, wide, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    discriminator = nn.Sequential(*down, nn.Flatten(), nn.Linear(16 * widths[3], 1))
    layout = torch.contiguous_format
    if "channels_last" in modes:
        layout = torch.channels_last
        generator, discriminator = (
            each.to(memory_format=layout) for each in (generator, discriminator)
        )
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
            return torch.from_numpy(pixels.transpose(2, 0, 1) / 127.5 - 1.0)

    loader = torch.utils.data.DataLoader(
        Folder(), batch_size=batch_size, shuffle=True, num_workers=2, drop_last=True
    )
    loss = nn.BCEWithLogitsLoss()
    d_optimizer, g_optimizer = (
        torch.optim.Adam(each.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for each in (discriminator, generator)
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
                fake = run_g(torch.randn(batch_size, LATENTS))
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
            drawn = run_g(torch.randn(batch_size, LATENTS)).float()
        pixels = ((drawn.permute(0, 2, 3, 1).numpy() + 1) * 127.5).astype(np.uint8)
        Image.fromarray(np.concatenate(list(pixels))).save(folder / "fake.png")
        torch.save(generator.state_dict(), folder / "g.pth")
        torch.save(discriminator.state_dict(), folder / "d.pth")


def ganlab_run(precision, modes, images, batch_size, turns):
    """What `ganlab train` does, with pictures and checkpoints once an epoch."""
    import keras

    from ganlab import callbacks, load_data
    from ganlab.config import TrainConfig
    from ganlab.data import WaitTimer
    from ganlab.train import Sets, build_gan, load_reference, watching_callbacks

    data = load_data(f"folder:{images}", image_size=SIZE)
    steps = len(data) // batch_size
    config = TrainConfig(
        data=f"folder:{images}",
        latent_dim=LATENTS,
        generator_filters=FILTERS,
        discriminator_filters=FILTERS,
        conditional=False,
        batch_size=batch_size,
        precision=precision,
        **dict.fromkeys(("log_every", "sample_every", "checkpoint_every"), steps),
    ).completed(SIZE, 3)
    keras.config.set_dtype_policy(precision)
    gan, timer = build_gan(config, None), WaitTimer()
    folder = Path(tempfile.mkdtemp())
    run_log = callbacks.RunLog(folder, settings=config.as_dict())
    sets = Sets(data, None, load_reference(config, data))
    attached = watching_callbacks(folder, config, sets, run_log, timer)
    turn = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: turns.begin(),
        on_train_batch_end=lambda batch, logs: turns.step(),
    )
    gan.fit(
        timer.watch(data.batches(batch_size, labels=False)),
        epochs=EPOCHS,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[*attached.values(), turn],
    )


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
