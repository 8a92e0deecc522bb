"""Fixtures: pictures, a run and its artifact, a run folder without training."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from ganlab.artifacts import card
from ganlab.cli.main import main
from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring, Recipe
from ganlab.runs import Run, RunFolder


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Twelve colour pictures in two classes."""
    folder = tmp_path_factory.mktemp("photos")
    draws = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (folder / name).mkdir()
        for index in range(6):
            pixels = draws.integers(0, 256, (20, 24, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def trained(photos, tmp_path_factory):
    """A run of the main job on the photos, and its artifact."""
    root = tmp_path_factory.mktemp("job")
    run, artifact = root / "run", root / "artifact"
    spec = f"folder:{photos}"
    train = ["train", "--data", spec, "--image-size", "16", "--out", str(run)]
    train += ["--batch-size", "8"]
    assert main([*train, "--steps", "4"]) == 0
    assert main(["export", str(run), "--to", str(artifact)]) == 0
    return run, artifact


@pytest.fixture
def saved_run(photos, tmp_path):
    """A run of the photos that was never trained."""
    recipe = complete(Recipe(data=f"folder:{photos}", batch_size=8), 16, 3)
    recipe = recipe.replace(conditional=True, steps=4)
    folder = RunFolder(tmp_path / "saved")
    run = Run(folder, recipe, Monitoring(), 12, ("cats", "dogs"), (), (6, 6))
    run.save()
    return run


@pytest.fixture
def arrays_artifact(tmp_path):
    """A function that writes an artifact whose samples are three times its latents."""

    def write(shape):
        folder = tmp_path / "arrays"
        folder.mkdir()
        latents, samples = (
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, *shape])
            for name in ("latents", "images")
        )
        three = numpy_helper.from_array(np.float32(3.0), "three")
        node = helper.make_node("Mul", ["latents", "three"], ["images"])
        graph = helper.make_graph([node], "generator", [latents], [samples], [three])
        opset = [helper.make_opsetid("", 18)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        onnx.save(model, folder / "generator.onnx")
        described = card.describe_generator(
            latent_shapes=[shape],
            image_shape=shape,
            class_names=(),
            parameters=1,
            opset=18,
            training={},
        )
        card.write_card(folder, described | {"files": card.hash_files(folder)})
        return folder

    return write
