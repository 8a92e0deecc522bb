"""The exported DCGAN generator in PyTorch, with the weights that Keras had."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn


def generate_function(
    folder: Path, mode: str
) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """A function from the named inputs to float32 images.

    Args:
        folder: Holds `weights.npz`, the weights of the Keras generator.
        mode: `eager`, `channels_last`, `compiled` or `bfloat16`.
    """
    torch.set_num_threads(os.cpu_count())
    weights = dict(np.load(folder / "weights.npz"))

    def weight(name):
        (path,) = [path for path in weights if path.endswith(name)]
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

    def autocast():
        if mode == "bfloat16":
            return torch.autocast("cpu", torch.bfloat16)
        return contextlib.nullcontext()

    def generate(inputs):
        with torch.inference_mode(), autocast():
            tensors = [torch.from_numpy(value) for value in inputs.values()]
            images = run(*tensors).float()
            return images.permute(0, 2, 3, 1).contiguous().numpy()

    return generate
