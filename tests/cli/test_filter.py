"""`ganlab filter`: files and folders, what is there already, and mistakes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab.cli.main import main
from ganlab.provenance.marks import COMPOSITE, read_mark


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    random = np.random.default_rng(0)
    for name, size in (("a.png", (21, 14, 3)), ("more/b.jpg", (8, 33, 3))):
        Image.fromarray(random.integers(0, 256, size, np.uint8)).save(folder / name)
    return folder


@pytest.mark.e2e
def test_a_folder_is_filtered_and_gone_on_with(translated, photos, tmp_path, capsys):
    out, sheet = tmp_path / "out", tmp_path / "sheet.png"
    command = ["filter", str(translated[1]), str(photos), "--out", str(out)]
    assert main([*command, "--sheet", str(sheet)]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"sheet        {sheet}",
        f"pictures     {out}",
        "filtered     2",
        "trained on   painted by me",
    ]
    assert "filtered: 100%" in printed.err
    with Image.open(out / "more" / "b.jpg") as picture:
        assert picture.size == (33, 8)
    assert read_mark(sheet).source_type == COMPOSITE
    (out / "a.png").unlink()
    (photos / "c.png").write_bytes(b"no picture")
    before = (out / "more" / "b.jpg").stat().st_mtime_ns
    assert main([*command, "--resume"]) == 1
    printed = capsys.readouterr()
    assert "filtered     1, 1 skipped" in printed.out
    assert "c.png is left out: of no format that is read" in printed.err
    assert "ganlab: 1 of 3 pictures cannot be read" in printed.err
    assert (out / "a.png").is_file()
    assert (out / "more" / "b.jpg").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["photos", "--out", "photos"], "name another with --out, or add --resume"),
        (["photos/a.png", "--out", "x.gif"], "an output of .jpg, .jpeg, .png, .webp"),
        (["photos/a.png", "--out", "photos/a.png"], "Expected a new file"),
        (["nothing", "--out", "x"], "Received: nothing, no such path"),
        (["photos", "--out", "x", "--sheet", "s.jpg"], "an output of .png"),
    ],
)
def test_mistakes_are_one_line(translated, photos, monkeypatch, capsys, words, message):
    monkeypatch.chdir(photos.parent)
    assert main(["filter", str(translated[1]), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_generator_is_no_translator(photos, capsys):
    shipped = Path(__file__).parents[2] / "saved_models" / "fashion"
    command = ["filter", str(shipped), str(photos), "--out", str(photos / "x")]
    assert main(command) == 2
    assert "Expected the artifact of a translator" in capsys.readouterr().err


@pytest.mark.e2e
def test_no_tensorflow_is_imported(translated, photos, tmp_path):
    script = (
        "import sys; from ganlab.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        "sys.exit(code)"
    )
    words = ["filter", str(translated[1]), str(photos), "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True)
    assert done.returncode == 0, done.stderr
