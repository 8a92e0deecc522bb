"""`ganlab evaluate`: subjects side by side, kept scores, cards, and mistakes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import metrics
from ganlab.cli.main import main

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """Images of the shipped generator, as a folder and as npz; and their subset."""
    folder = tmp_path_factory.mktemp("sampled")
    for name, count in (("folder", 40), ("a.npz", 60)):
        arguments = ["sample", str(SHIPPED), "--num-images", str(count)]
        assert main([*arguments, "--out", str(folder / name)]) == 0
    return folder


@pytest.mark.e2e
def test_evaluate_side_by_side(sampled, tmp_path, capsys):
    subjects = [str(SHIPPED), str(sampled / "a.npz"), str(sampled / "folder")]
    out = tmp_path / "scores.png"
    assert main(["evaluate", *subjects, "--out", str(out)]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].split("  ")[-1].strip() == "real halves"
    assert any(line.startswith("FID[fashion_mnist] ") for line in lines)
    assert "images       40 on each side, of fashion_mnist" in printed.out
    assert "no more than their 128 features" in printed.err
    with Image.open(out) as picture:
        assert picture.width == 1400


@pytest.mark.e2e
@pytest.mark.parametrize("grey", [range(20), range(1)], ids=["all", "the first"])
def test_a_folder_with_grey_files_has_no_distance_from_itself(tmp_path, capsys, grey):
    pixels = np.random.default_rng(0).integers(
        256, size=(20, 16, 16, 3), dtype=np.uint8
    )
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, image in enumerate(pixels):
        picture = Image.fromarray(image).convert("L" if index in grey else "RGB")
        picture.save(folder / f"{index:02}.png")
    spec = ["--data", f"folder:{folder}", "--features", "pixels", "--json"]
    out = ["--out", str(tmp_path / "a.png")]
    assert main(["evaluate", str(folder), *spec, *out]) == 0
    (scored,) = json.loads(capsys.readouterr().out)["subjects"].values()
    assert scored["scores"]["fid"]["value"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.e2e
def test_scores_are_printed_kept_and_compared(tmp_path, capsys):
    run = ["evaluate", str(SHIPPED), "--out", str(tmp_path / "a.png")]
    assert main([*run, "--num-images", "60", "--json"]) == 0
    first = capsys.readouterr().out
    document = json.loads(first)
    scores = document["subjects"][str(SHIPPED)]["scores"]
    assert set(scores["recall"]) == {"value", "low", "high", "standard_error"}
    assert document["real_halves"]["protocol"]["num_images"] == 30
    (tmp_path / "first.json").write_text(first)
    against = ["--against", str(tmp_path / "first.json")]
    assert main([*run, "--num-images", "60", *against]) == 0
    printed = capsys.readouterr().out
    assert f"{SHIPPED} (earlier)" in printed
    assert main([*run, "--num-images", "40", *against]) == 2
    error = capsys.readouterr().err
    assert "num images 40 and 60" in error
    assert error.count("\n") == 1
    (tmp_path / "first.json").write_text(first.replace('"seed": 0', '"seed": 3'))
    assert main([*run, *against]) == 2
    assert "it was changed" in capsys.readouterr().err


@pytest.mark.e2e
def test_scores_are_written_on_the_card(tmp_path, capsys):
    artifact = tmp_path / "artifact"
    shutil.copytree(SHIPPED, artifact)
    arguments = [
        "--write-card",
        "--num-images",
        "100",
        "--out",
        str(tmp_path / "a.png"),
    ]
    assert main(["evaluate", str(artifact), *arguments]) == 0
    card = json.loads((artifact / "card.json").read_text())
    assert card["metrics"]["protocol"]["num_images"] == 100
    assert set(card["metrics"]["scores"]) <= set(metrics.TITLES)
    assert main(["sample", str(artifact), "--out", str(tmp_path / "s.png")]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "s.npz"), "--write-card"]) == 2
    assert "Expected an artifact" in capsys.readouterr().err


@pytest.mark.e2e
def test_toy_2d_samples_are_evaluated(tmp_path, capsys):
    run = tmp_path / "run"
    train = ["train", "--preset", "r3gan", "--data", "ring", "--steps", "10"]
    train += ["--set", "evaluate_images=500", "--out", str(run)]
    assert main(train) == 0
    assert "FID[points]" in (run / "quality.md").read_text()
    out = tmp_path / "a.png"
    arguments = ["--num-images", "500", "--checkpoint", "best", "--out", str(out)]
    assert main(["evaluate", str(run), *arguments]) == 0
    assert "features     points" in capsys.readouterr().out
    assert out.exists()


@pytest.mark.e2e
def test_self_test_on_the_command_line(capsys):
    assert main(["evaluate", "--self-test", "--num-images", "600"]) == 0
    assert "29 of 29 as expected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "or --self-test. Received: neither"),
        (["{shipped}", "--self-test"], "and --self-test"),
        (
            ["nowhere"],
            "a run, an artifact, a folder of images or shards, or an .npz file",
        ),
        (["{npz}"], "Expected --data"),
        (["{npz}", "--data", "fashion"], "Unknown data"),
        (["{npz}", "--data", "ring"], "of shape"),
        (["{floats}", "--data", "fashion_mnist"], "uint8 images"),
        (["{few}", "--data", "fashion_mnist"], "6 images or more. Received: 3"),
        (["{broken}", "--data", "fashion_mnist"], "images that can be read"),
        (["{shipped}", "--features", "vgg"], "Unknown features"),
        (["{shipped}", "--features", "inception"], "ganlab fetch-inception"),
        (["{shipped}", "--num-images", "3"], "6 real images or more. Received: 3"),
        (["{shipped}", "--against", "none.json"], "Expected scores from"),
        (["{shipped}", "--out", "a.jpg"], "a picture FILE.png"),
    ],
)
def test_a_mistake_in_evaluate_is_one_line(
    sampled, tmp_path, capsys, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    np.savez("floats.npz", images=np.zeros((9, 28, 28)))
    np.savez("few.npz", images=np.zeros((3, 28, 28), np.uint8))
    Path("broken").mkdir()
    Path("broken/a.png").write_bytes(b"no picture")
    paths = {
        "shipped": SHIPPED,
        "npz": sampled / "a.npz",
        "broken": "broken",
        **{name: f"{name}.npz" for name in ("floats", "few")},
    }
    arguments = [argument.format(**paths) for argument in arguments]
    assert main(["evaluate", *arguments]) == 2
    captured = capsys.readouterr()
    error = [line for line in captured.err.splitlines() if line.startswith("ganlab: ")]
    assert len(error) == 1
    assert message in error[0]
    assert not Path("evaluation.png").exists()
