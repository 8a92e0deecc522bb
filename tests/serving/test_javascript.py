"""What the page computes by itself equals what Python computes; run by Node.js."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import pictures, sampling
from ganlab.provenance import marks
from ganlab.provenance.marks import XMP_KEY, Mark

MODULES = Path(__file__).parents[2] / "ganlab" / "serving"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node.js")


@pytest.fixture
def run(tmp_path):
    """A function that runs lines which write files, and gives their folder."""

    def run(*lines):
        for name in ("latents", "files"):
            shutil.copy(MODULES / f"{name}.js", tmp_path / f"{name}.mjs")
        head = [
            'import { writeFileSync as write } from "fs";',
            'import * as files from "./files.mjs";',
            'import * as latents from "./latents.mjs";',
        ]
        script = tmp_path / "script.mjs"
        script.write_text("\n".join([*head, *lines]))
        subprocess.run([NODE, script], cwd=tmp_path, check=True)
        return tmp_path

    return run


SEEDS = (0, 7, 2**32 - 1, 2**32, 2**53 - 1)


def test_a_seed_has_the_latents_of_numpy_to_the_bit(run):
    count = 20_000  # of which some lie in the tail
    folder = run(
        f"for (const seed of {list(SEEDS)}) {{",
        "  const next = latents.normalsOf(seed);",
        f"  write(`${{seed}}`, Float32Array.from({{ length: {count} }}, next));",
        "}",
    )
    for seed in SEEDS:
        drawn = np.fromfile(folder / str(seed), np.float32)
        expected = sampling.draw_latents(count, 1, seed)[:, 0]
        np.testing.assert_array_equal(drawn, expected)
        assert np.abs(expected).max() > 3.66


def test_truncated_latents_and_those_between(run):
    folder = run(
        "const rows = latents.drawLatents(30, 64, 5, 0.7);",
        'write("rows", Buffer.concat(rows.map((row) => Buffer.from(row.buffer))));',
        "const way = latents.interpolate(rows[3], rows[1], 8);",
        'write("way", Buffer.concat(way.map((row) => Buffer.from(row.buffer))));',
    )
    rows = np.fromfile(folder / "rows", np.float32).reshape(30, 64)
    expected = sampling.draw_latents(30, 64, 5, truncation=0.7)
    np.testing.assert_allclose(rows, expected, rtol=1e-6, atol=1e-7)
    way = np.fromfile(folder / "way", np.float32).reshape(8, 64)
    expected = sampling.interpolate_latents(expected[[3]], expected[[1]], 8)[:, 0]
    np.testing.assert_allclose(way, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_and_grids_are_those_of_python(run, channels):
    shape = (5, 6, 9, channels)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    mark = Mark(generator="ab" * 32, seeds=(7,), attribution="Zoë & Ann")
    texts = {XMP_KEY: mark.xmp.decode(), "Copyright": mark.attribution}
    folder = run(
        f"const images = {images.reshape(5, -1).tolist()}.map((values) => ({{",
        "  pixels: Uint8ClampedArray.from(values),",
        f"  height: 6, width: 9, channels: {channels},",
        "}));",
        f"const texts = {json.dumps(texts)};",
        'write("one.png", await files.toPng(images[0], texts));',
        'write("grid.png", await files.toPng(files.toGrid(images, null), texts));',
        'write("row.png", await files.toPng(files.toGrid(images, 4), texts));',
    )
    expected = {
        "one": images[0],
        "grid": pictures.grid(images),
        "row": pictures.grid(images, 4),
    }
    for name, pixels in expected.items():
        path = folder / f"{name}.png"
        with Image.open(path) as opened:
            assert opened.info["Copyright"] == mark.attribution
            difference = np.asarray(opened).reshape(pixels.shape) - pixels.astype(int)
        assert np.abs(difference).max() <= (channels % 2 == 0 and name != "one")
        assert marks.read_mark(path) == Mark(generator="ab" * 32, seeds=(7,))
        assert not marks.is_damaged_png(path.read_bytes())


def test_arrays_are_read_by_numpy(run):
    folder = run(
        "const array = (length) => Float32Array.from({ length }, (_, i) => i / 4);",
        "const encoded = (text) => new TextEncoder().encode(text);",
        'const first = ["images.npy", files.toNpy(array(6), [3, 2])];',
        f"const mark = {json.dumps(Mark(seeds=(7,)).json)};",
        'write("a.npz", files.toZip([first, ["provenance.json", encoded(mark)]]));',
        'write("b.npy", files.toNpy(array(5), [5]));',
    )
    with zipfile.ZipFile(folder / "a.npz") as archive:
        assert archive.testzip() is None
    with np.load(folder / "a.npz") as arrays:
        expected = np.arange(6, dtype=np.float32).reshape(3, 2) / 4
        np.testing.assert_array_equal(arrays["images"], expected)
    assert marks.read_mark(folder / "a.npz") == Mark(seeds=(7,))
    assert np.load(folder / "b.npy").tolist() == [0, 0.25, 0.5, 0.75, 1]
