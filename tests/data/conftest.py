"""A folder of images."""

import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path):
    """Two classes of flat pictures: JPEG, PNG, WebP and GIF."""
    for name, shade, suffixes in (
        ("cats", 40, (".jpg", ".png", ".webp", ".gif")),
        ("dogs", 200, (".jpeg", ".PNG")),
    ):
        (tmp_path / name).mkdir()
        for index, suffix in enumerate(suffixes):
            Image.new("RGB", (40, 24), (shade,) * 3).save(
                tmp_path / name / f"{index}{suffix}"
            )
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path
