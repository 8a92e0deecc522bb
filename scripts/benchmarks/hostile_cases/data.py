"""Images of strangers: npz, IDX and folders of pictures."""

import gzip
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from hostile_cases.case import ESCAPES, Case

DRAWS = np.random.default_rng(0)
IMAGES = DRAWS.integers(0, 256, (40, 28, 28, 1), np.uint8)
BOMB = (3 << 30) // 784  # images of 3 GB


def header(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
    file = io.BytesIO()
    facts = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, facts)
    return file.getvalue()


def npz_content(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **(arrays or {"images": IMAGES}))
    return file.getvalue()


def archive(content: bytes, name: str = "images.npy", repeated: int = 0) -> bytes:
    """A zip of one array, whose content ends in many zeros."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open(name, "w", force_zip64=True) as member,
    ):
        member.write(content)
        for _ in range(repeated):
            member.write(bytes(1 << 20))
    return file.getvalue()


def unused_bomb() -> bytes:
    file = io.BytesIO(archive(header((BOMB, 28, 28)), "other.npy", 3 << 10))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("images.npy", header(IMAGES.shape) + IMAGES.tobytes())
    return file.getvalue()


def flipped(content: bytes, *positions: int) -> bytes:
    changed = bytearray(content)
    for position in positions:
        changed[position] ^= 0xFF
    return bytes(changed)


def encrypted() -> bytes:
    content = bytearray(npz_content())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def other_compression() -> bytes:
    content = bytearray(npz_content())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + offset] = 97
    return bytes(content)


def npz(name: str, make: Callable[[], bytes], *, taken: bool = False) -> Case:
    return Case(
        "npz",
        name,
        lambda folder: (folder / "a.npz").write_bytes(make()) and None,
        ("check", "--data", "npz:a.npz"),
        taken,
    )


def idx_content(count: int, content: bytes, magic: int = 0x803) -> bytes:
    return struct.pack(">IIII", magic, count, 28, 28) + content


def idx(name: str, make: Callable[[], bytes]) -> Case:
    def write(folder: Path) -> None:
        (folder / "train-images-idx3-ubyte.gz").write_bytes(make())

    return Case("IDX", name, write, ("check", "--data", "idx:."))


def zeros_in_gzip(count: int) -> bytes:
    file = io.BytesIO()
    with gzip.open(file, "wb") as packed:
        packed.write(idx_content(count, b""))
        for _ in range(3 << 10):
            packed.write(bytes(1 << 20))
    return file.getvalue()


def png(width: int, height: int, rows: int) -> bytes:
    """A grey PNG that claims a size, with some rows of zeros."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * rows))
    parts = (b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def good(folder: Path, count: int = 20) -> None:
    (folder / "photos").mkdir(exist_ok=True)
    for index, image in enumerate(IMAGES[:count]):
        Image.fromarray(image[..., 0]).save(folder / "photos" / f"{index}.png")


def picture(name: str, file: str, make: Callable[[], bytes]) -> Case:
    """A folder of good pictures and one of another kind, which is left out."""

    def write(folder: Path) -> None:
        good(folder)
        (folder / "photos" / file).write_bytes(make())

    return Case("pictures", name, write, CHECK, taken=True)


def link_out(folder: Path) -> None:
    good(folder)
    os.symlink("/etc", folder / "photos" / "etc")


def named(folder: Path) -> None:
    for name in (f"a{ESCAPES}", "b"):
        (folder / "photos" / name).mkdir(parents=True)
        for index, image in enumerate(IMAGES[:10]):
            Image.fromarray(image[..., 0]).save(
                folder / "photos" / name / f"{index}{ESCAPES}.png"
            )


CHECK = ("check", "--data", "folder:photos", "--image-size", "16")
CASES = [
    npz("3 TB claimed", lambda: archive(header((3 << 40,)))),
    npz(
        "3 MB that unpack to 3 GB",
        lambda: archive(header((BOMB, 28, 28)), "images.npy", 3 << 10),
    ),
    npz("an array of 3 GB that nothing uses", unused_bomb, taken=True),
    npz("a damaged directory", lambda: npz_content()[:-30]),
    npz("flipped bytes", lambda: flipped(npz_content(), 300, 301)),
    npz("encrypted", encrypted),
    npz("another compression", other_compression),
    npz("a pickle", lambda: npz_content(images=np.array([{"a": 1}], object))),
    npz("bytes that are no npz", lambda: b"no npz at all"),
    npz(
        "labels of 2^40",
        lambda: npz_content(images=IMAGES, labels=np.full(40, 1 << 40)),
    ),
    npz(
        "a header of 1 MB",
        lambda: archive(b"\x93NUMPY\x02\x00\xff\xff\x0f\x00" + b"(" * (1 << 20)),
    ),
    idx("3 MB that unpack to 3 GB", lambda: zeros_in_gzip(BOMB)),
    idx("3 GB behind a header of 10 images", lambda: zeros_in_gzip(10)),
    idx("2^31 images claimed", lambda: gzip.compress(idx_content(1 << 31, bytes(784)))),
    idx(
        "flipped bytes",
        lambda: flipped(gzip.compress(idx_content(40, IMAGES.tobytes())), 200),
    ),
    idx("another magic number", lambda: gzip.compress(idx_content(40, bytes(40), 7))),
    picture("a bomb of 4 billion pixels", "bomb.png", lambda: png(65_000, 65_000, 100)),
    picture(
        "150 million pixels in 150 kB", "bomb.png", lambda: png(12_300, 12_300, 12_300)
    ),
    picture(
        "EPS named .png",
        "a.png",
        lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ),
    picture("a picture that breaks off", "a.png", lambda: png(28, 28, 28)[:60]),
    picture("bytes that are no picture", "a.jpg", lambda: b"no picture"),
    Case("pictures", "a link out of the folder", link_out, CHECK),
    Case("pictures", "names that clear the screen", named, CHECK, taken=True),
    Case(
        "pictures", "an empty folder", lambda folder: (folder / "photos").mkdir(), CHECK
    ),
    Case(
        "pictures",
        "a SPEC that clears the screen",
        lambda folder: None,
        ("check", "--data", f"folder:{ESCAPES}"),
    ),
]
