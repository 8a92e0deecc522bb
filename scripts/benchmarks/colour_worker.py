"""A contender of `colour.py`: trains in turns, and draws images when told to.

    python colour_worker.py CONTENDER --data SPEC --pictures FOLDER --work FOLDER

Its main process says `go SECONDS` or `sample COUNT FILE`; it answers with its steps.
"""

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from turns import Worker, declare_torchvision_operators

LATENT_DIM = 100  # of PyTorch's example
Sample = Callable[[int], np.ndarray]


class Pacer:
    """Gives the turn back when its seconds are over, and draws meanwhile if told."""

    def __init__(self) -> None:
        self.worker, self.until = Worker(), 0.0
        self._heed(lambda count: np.zeros(0), 0)

    def tick(self, step: int, sample: Sample) -> None:
        """After each step: goes on, or waits for the next turn."""
        if time.perf_counter() >= self.until:
            self.worker.answer({"step": step})
            self._heed(sample, step)

    def end(self, step: int, sample: Sample) -> None:
        """Answers until the main process ends, without training."""
        while True:
            self.until = 0.0
            self.tick(step, sample)

    def _heed(self, sample: Sample, step: int) -> None:
        """Does what it is told until it is to go on."""
        while True:
            order, *rest = self.worker.wait().split(" ", 2)
            if order == "go":
                self.until = time.perf_counter() + float(rest[0])
                return
            np.save(rest[1], sample(int(rest[0])))
            self.worker.answer({"step": step})


def in_batches(generate: Callable[[int], np.ndarray], count: int) -> np.ndarray:
    """Images `(count, ...)`, 100 at a time."""
    images = [generate(min(100, count - first)) for first in range(0, count, 100)]
    return np.concatenate(images)


def train_ganlab(pacer: Pacer, preset: str, settings: dict, options: Any) -> None:
    """What `ganlab train --preset PRESET --data SPEC` does."""
    import keras

    from ganlab import load_data, pictures, sampling
    from ganlab.config.presets import get_preset
    from ganlab.training.train import train

    recipe = get_preset(preset)
    recipe = recipe.replace(
        data=options.data, image_size=options.size, seed=options.seed, **settings
    )
    labels = load_data(options.data, image_size=options.size).labels

    class Pace(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            pacer.tick(int(self.model.step.numpy()), self.sample)

        def on_train_end(self, logs: Any = None) -> None:
            pacer.end(int(self.model.step.numpy()), self.sample)

        def sample(self, count: int) -> np.ndarray:
            draws = np.random.default_rng(options.seed)
            latents = sampling.draw_latents(count, self.model.latent_dim, options.seed)
            chosen = draws.choice(labels, count) if self.model.num_classes else None
            return pictures.to_uint8(self.model.generate(latents, chosen))

    train(recipe, options.work / "run", callbacks=[Pace()], stream=io.StringIO())


def train_keras_io(pacer: Pacer, options: Any) -> None:
    """keras.io/examples/generative/dcgan_overriding_train_step, unchanged."""
    import keras
    from keras_io import LATENT_DIM, example, networks

    keras.utils.set_random_seed(options.seed)
    side = options.size
    generator, discriminator = networks(side, 3)
    model = example(generator, discriminator, keras.losses.BinaryCrossentropy())
    data = keras.utils.image_dataset_from_directory(
        options.pictures, label_mode=None, image_size=(side, side), batch_size=32
    ).map(lambda images: images / 255.0)

    def draw(count: int) -> np.ndarray:
        latents = np.random.default_rng(options.seed).normal(size=(count, LATENT_DIM))
        images = generator.predict(latents, batch_size=100, verbose=0)
        return (images * 255.0).round().astype(np.uint8)

    class Pace(keras.callbacks.Callback):
        step = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.step += 1
            pacer.tick(self.step, draw)

    model.fit(data, epochs=1_000_000, callbacks=[Pace()], verbose=0)


def train_pytorch(pacer: Pacer, options: Any) -> None:
    """PyTorch's example, pytorch/examples/dcgan: its networks, rates and step.

    The pictures are read once, where the example reads them anew in each epoch.
    """
    import torch
    from PIL import Image
    from torch import nn

    torch.manual_seed(options.seed)
    files = sorted((options.pictures / "all").glob("*.png"))
    pixels = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1.0
    widths = [64 * 2**k for k in range(options.size.bit_length() - 3)]
    up: list[nn.Module] = [
        nn.ConvTranspose2d(LATENT_DIM, widths[-1], 4, 1, 0, bias=False)
    ]
    for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
        up += [nn.BatchNorm2d(wide), nn.ReLU(True)]
        up.append(nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False))
    up += [nn.BatchNorm2d(widths[0]), nn.ReLU(True)]
    up += [nn.ConvTranspose2d(widths[0], 3, 4, 2, 1, bias=False), nn.Tanh()]
    down: list[nn.Module] = []
    for narrow, wide in zip([3, *widths], widths, strict=False):
        down.append(nn.Conv2d(narrow, wide, 4, 2, 1, bias=False))
        down += [nn.BatchNorm2d(wide)] if narrow > 3 else []
        down.append(nn.LeakyReLU(0.2, True))
    down += [nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False), nn.Sigmoid()]
    generator, discriminator = nn.Sequential(*up), nn.Sequential(*down, nn.Flatten(0))
    for module in (*generator, *discriminator):
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
        for network in (generator, discriminator)
    )
    loss = nn.BCELoss()

    def draw(count: int) -> np.ndarray:
        generator.eval()
        with torch.no_grad():
            made = generator(torch.randn(count, LATENT_DIM, 1, 1))
        generator.train()
        made = (made.permute(0, 2, 3, 1).numpy() + 1.0) * 127.5
        return made.round().astype(np.uint8)

    step = 0
    while True:
        for batch in torch.randperm(len(images)).split(64):
            real = images[batch]
            ones = torch.ones(len(real))
            d_optimizer.zero_grad()
            loss(discriminator(real), ones).backward()
            fake = generator(torch.randn(len(real), LATENT_DIM, 1, 1))
            loss(discriminator(fake.detach()), 0.0 * ones).backward()
            d_optimizer.step()
            g_optimizer.zero_grad()
            loss(discriminator(fake), ones).backward()
            g_optimizer.step()
            step += 1
            pacer.tick(step, lambda count: in_batches(draw, count))


def train_lightweight_gan(pacer: Pacer, options: Any) -> None:
    """lightweight-gan's own trainer with its defaults, on a CPU.

    It asks for a GPU when it is imported, and moves everything to it by name; on a
    machine without one these moves do nothing.
    """
    import torch

    def stay(self: Any, *_: Any, **__: Any) -> Any:
        return self

    library, device = declare_torchvision_operators(), torch.device
    torch.cuda.is_available = lambda: True
    torch.Tensor.cuda = torch.nn.Module.cuda = stay  # type: ignore[method-assign]
    from lightweight_gan import lightweight_gan as peer

    torch.cuda.is_available = lambda: False
    peer.torch.device = lambda name: device("cpu" if "cuda" in str(name) else name)
    torch.manual_seed(options.seed)
    trainer = peer.Trainer(
        name="emoji",
        base_dir=str(options.work),
        results_dir="results",
        models_dir="models",
        image_size=options.size,
        batch_size=10,
        gradient_accumulate_every=4,
        attn_res_layers=[32],
        aug_prob=None,
        aug_types=["cutout", "translation"],
        calculate_fid_every=None,
        use_aim=False,
    )
    trainer.library = library  # kept alive with it
    trainer.set_data_src(str(options.pictures))

    def draw(count: int) -> np.ndarray:
        trainer.GAN.eval()
        latents = torch.randn(count, trainer.latent_dim)
        images = trainer.generate_(trainer.GAN.GE, latents)
        return (images.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)

    while True:
        trainer.train()
        pacer.tick(trainer.steps, lambda count: in_batches(draw, count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("contender")
    add("--data")
    add("--pictures", type=Path)
    add("--work", type=Path)
    add("--size", type=int)
    add("--seed", type=int)
    options = parser.parse_args()
    pacer = Pacer()
    kind, _, name = options.contender.partition(":")
    if kind == "keras.io":
        train_keras_io(pacer, options)
    elif kind == "pytorch":
        train_pytorch(pacer, options)
    elif kind == "lightweight-gan":
        train_lightweight_gan(pacer, options)
    else:
        from ganlab.config.command import parse_assignment

        preset, *changes = name.split(",")
        settings = dict(map(parse_assignment, changes))
        train_ganlab(pacer, preset, settings, options)


if __name__ == "__main__":
    main()
