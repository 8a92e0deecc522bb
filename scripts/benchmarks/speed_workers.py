"""The contenders of the speed benchmark: each trains an epoch at its turn."""

import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from memory import peak
from turns import Worker

EPOCHS = 1000  # until the main process ends it


def run_worker(arguments: list[str], images: Path, work) -> None:
    """Trains an epoch whenever it is told to, and answers with seconds.

    Args:
        arguments: Kind of contender, dtype, and modes of PyTorch.
        images: Folder of images.
        work: `speed.Work`.
    """
    kind, dtype, *modes = arguments
    epochs = Epochs()
    if kind == "keras":
        train_keras_io(images, work, epochs)
    elif kind == "torch":
        train_torch(dtype, modes, images, work, epochs)
    else:
        train_ganlab(dtype, images, work, epochs)


class Epochs(Worker):
    """Times epochs and steps; waits before each epoch for the turn."""

    def __init__(self) -> None:
        super().__init__()
        self.steps, self.first_step, self.weights = None, None, None

    def begin(self) -> None:
        """Answers with the epoch that ended, if any, and waits for the next turn."""
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

    def step(self) -> None:
        """Notes the end of a step."""
        self.steps.append(time.perf_counter())
        if self.first_step is None:
            self.first_step = time.time()


def train_keras_io(images: Path, work, epochs: Epochs) -> None:
    """keras.io's example on these networks; a callback saves images once an epoch."""
    import keras
    import tensorflow as tf
    from keras_io import example

    from ganlab.networks.precision import in_float32
    from ganlab.training.build import build_networks

    generator, discriminator = map(in_float32, build_networks(work.recipe(), None))
    epochs.weights = generator.count_params() + discriminator.count_params()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = example(generator, discriminator, loss, work.preset == "r3gan")
    folder = Path(tempfile.mkdtemp())

    class Monitor(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            latents = tf.random.normal((3, work.latent_dim))
            samples = self.model.generator(latents) * 127.5 + 127.5
            for index, image in enumerate(samples.numpy()):
                image = keras.utils.array_to_img(image)
                image.save(folder / f"{epoch}_{index}.png")

    data = keras.utils.image_dataset_from_directory(
        images,
        label_mode=None,
        image_size=(work.size, work.size),
        batch_size=work.batch_size,
        color_mode={1: "grayscale", 3: "rgb"}[work.channels],
    ).map(lambda pixels: pixels / 127.5 - 1.0)
    steps = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: epochs.step()
    )
    for _ in range(EPOCHS):  # an iterator that outlives a turn would count its wait
        epochs.begin()
        model.fit(data, callbacks=[Monitor(), steps], verbose=2)


def train_torch(
    dtype: str, modes: list[str], images: Path, work, epochs: Epochs
) -> None:
    """pytorch/examples/dcgan/main.py, on these networks."""
    import torch
    from PIL import Image
    from torch import nn

    torch.set_num_threads(os.cpu_count())
    batch_size, latent_dim = work.batch_size, work.latent_dim
    generator, discriminator = torch_networks(work)
    epochs.weights = sum(
        value.numel()
        for network in (generator, discriminator)
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    )
    layout = torch.contiguous_format
    if "channels_last" in modes:
        layout = torch.channels_last
        generator = generator.to(memory_format=layout)
        discriminator = discriminator.to(memory_format=layout)
    generate, discriminate = generator, discriminator
    if "compiled" in modes:
        generate = torch.compile(generator)
        discriminate = torch.compile(discriminator)

    def autocast():
        if dtype == "bfloat16":
            return torch.autocast("cpu", torch.bfloat16)
        return contextlib.nullcontext()

    class Folder(torch.utils.data.Dataset):
        paths = sorted(images.glob("*/*.png"))

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            pixels = np.asarray(Image.open(self.paths[index]), np.float32)
            pixels = pixels.reshape(work.size, work.size, work.channels)
            return torch.from_numpy(pixels.transpose(2, 0, 1) / 127.5 - 1.0)

    loader = torch.utils.data.DataLoader(
        Folder(), batch_size=batch_size, shuffle=True, num_workers=2, drop_last=True
    )
    loss = nn.BCEWithLogitsLoss()
    d_optimizer, g_optimizer = (
        torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for network in (discriminator, generator)
    )
    folder = Path(tempfile.mkdtemp())
    ones, zeros = torch.ones((batch_size, 1)), torch.zeros((batch_size, 1))

    for _ in range(EPOCHS):
        epochs.begin()
        for real in loader:
            real = real.to(memory_format=layout)
            discriminator.zero_grad()
            with autocast():
                d_real = loss(discriminate(real).float(), ones)
            d_real.backward()
            with autocast():
                fake = generate(torch.randn(batch_size, latent_dim))
                d_fake = loss(discriminate(fake.detach()).float(), zeros)
            d_fake.backward()
            d_optimizer.step()
            generator.zero_grad()
            with autocast():
                g_loss = loss(discriminate(fake).float(), ones)
            g_loss.backward()
            g_optimizer.step()
            print(d_real.item() + d_fake.item(), g_loss.item())
            epochs.step()
        with torch.no_grad():
            samples = generate(torch.randn(batch_size, latent_dim)).float()
        pixels = ((samples.permute(0, 2, 3, 1).numpy() + 1) * 127.5).astype(np.uint8)
        grid = np.concatenate(list(pixels)).squeeze()
        Image.fromarray(grid).save(folder / "fake.png")
        torch.save(generator.state_dict(), folder / "g.pth")
        torch.save(discriminator.state_dict(), folder / "d.pth")


def torch_networks(work):
    """The generator and the discriminator of a work in PyTorch."""
    from torch import nn

    stages = {64: 4, 28: 2}[work.size]
    widths = [work.filters * 2**k for k in range(stages)]
    start = work.size >> stages

    class Start(nn.Module):
        def __init__(self):
            super().__init__()
            self.project = nn.Linear(work.latent_dim, start**2 * widths[-1], bias=False)

        def forward(self, latents):
            return self.project(latents).view(-1, widths[-1], start, start)

    up = [Start(), nn.BatchNorm2d(widths[-1]), nn.ReLU(True)]
    for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
        up += [
            nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(True),
        ]
    last = nn.ConvTranspose2d(widths[0], work.channels, 4, 2, 1)
    down = []
    for narrow, wide in zip([work.channels, *widths], widths, strict=False):
        normalized = work.normalized and bool(down)
        down.append(nn.Conv2d(narrow, wide, 4, 2, 1, bias=not normalized))
        down += [nn.BatchNorm2d(wide)] if normalized else []
        down.append(nn.LeakyReLU(0.2, True))
    logit = nn.Linear(start**2 * widths[-1], 1)
    return (
        nn.Sequential(*up, last, nn.Tanh()),
        nn.Sequential(*down, nn.Flatten(), logit),
    )


def train_ganlab(dtype: str, images: Path, work, epochs: Epochs) -> None:
    """What `ganlab train` does, with pictures and checkpoints once an epoch."""
    import keras

    from ganlab import Monitoring, callbacks, load_data
    from ganlab.callbacks.probe_samples import MAX_SAMPLES
    from ganlab.callbacks.watching import load_reference, watching_callbacks
    from ganlab.data.wait_timer import WaitTimer
    from ganlab.training.build import build_gan

    data = load_data(f"folder:{images}", image_size=work.size, channels=work.channels)
    steps = len(data) // work.batch_size
    recipe = work.recipe(data=f"folder:{images}", dtype_policy=dtype)
    monitoring = Monitoring(
        log_every=steps,
        sample_every=steps,
        checkpoint_every=steps,
        features="fashion_mnist" if work.size == 28 else "pixels",
    )
    keras.config.set_dtype_policy(dtype)
    gan, timer = build_gan(recipe, None), WaitTimer()
    epochs.weights = gan.generator.count_params() + gan.discriminator.count_params()
    settings = recipe.as_dict() | monitoring.as_dict()
    run_log = callbacks.RunLog(Path(tempfile.mkdtemp()), settings=settings)
    attached = watching_callbacks(
        run_log,
        monitoring,
        data.spec,
        (data.take(MAX_SAMPLES)[0], None),
        reference=load_reference(monitoring, data, ()),
        batch_size=work.batch_size,
        timer=timer,
    )
    turn = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: epochs.begin(),
        on_train_batch_end=lambda batch, logs: epochs.step(),
    )
    gan.fit(
        timer.watch(data.batches(work.batch_size, labels=False)),
        epochs=EPOCHS,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[*attached.values(), turn],
    )
