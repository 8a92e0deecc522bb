"""Saving, loading, copying and Keras's own export."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from citizen_cases.case import Group, new_path
from citizen_cases.networks import OwnGenerator, Times
from citizen_cases.parts import (
    FIT,
    IMAGES,
    compiled,
    conditional,
    generator,
    same,
    weights,
)
from ganlab import export_generator

group = Group("saving", slow=True)


def _trained(**options: Any) -> Any:
    gan = compiled(**options)
    gan.fit(IMAGES, **FIT)
    return gan


def _python(code: str, **environment: str) -> subprocess.CompletedProcess:
    import os

    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@group.works("training goes on as if it had not been interrupted")
def save_and_load():
    """`save` and `keras.saving.load_model`, and on with `fit`."""
    gan, path = (
        _trained(regularizers="r1+lecam", augmentation="ada"),
        new_path("g.keras"),
    )
    gan.save(path)
    loaded = keras.saving.load_model(path)
    for model in (gan, loaded):
        model.fit(IMAGES, **FIT)
    return same(weights(gan), weights(loaded), 1e-6) and loaded.step == 2


@group.works("it draws what was saved")
def save_weights():
    """`save_weights` and `load_weights`, `.weights.h5`."""
    gan, path = _trained(), new_path("gan.weights.h5")
    gan.save_weights(path)
    other = compiled()
    other.load_weights(path)
    return np.array_equal(gan.sample(3), other.sample(3)) and other.step == 1


@group.works("it draws what was saved")
def generator_saved_alone():
    """`gan.generator.save` and load, as a plain Keras model."""
    gan, path = _trained(), new_path("generator.keras")
    gan.generator.save(path)
    latents = np.ones((2, 4), "float32")
    loaded = keras.saving.load_model(path)
    return np.allclose(loaded(latents), gan.generator(latents))


@group.works("it draws what was saved, by custom_objects")
def own_classes_saved():
    """A GAN with own classes, loaded with `custom_objects`."""
    network = OwnGenerator()
    network(np.zeros((1, 4), "float32"))
    gan, path = compiled(network), new_path("gan.keras")
    gan.save(path)
    loaded = keras.saving.load_model(path, {"OwnGenerator": OwnGenerator})
    return np.array_equal(gan.sample(2), loaded.sample(2))


@group.refused("save the GAN as .keras")
def legacy_h5():
    """`gan.save("gan.h5")`, the older format."""
    compiled().save(new_path("gan.h5"))


@group.works("an untrained GAN of the same form")
def from_config():
    """`GAN.from_config(gan.get_config())`."""
    gan = compiled()
    again = type(gan).from_config(gan.get_config())
    shapes = [[weight.shape for weight in model.weights] for model in (gan, again)]
    return shapes[0] == shapes[1] and again.latent_dim == 4


@group.works("a GAN of the same form that trains by itself")
def clone_model():
    """`keras.models.clone_model(gan)`."""
    gan = compiled()
    again = keras.models.clone_model(gan)
    again.compile("adam", "adam")
    before = weights(gan)
    again.fit(IMAGES, **FIT)
    return same(before, weights(gan), 0.0) and again.step == 1


@group.works("a GAN that draws the same and trains by itself")
def deep_copy():
    """`copy.deepcopy(gan)`."""
    gan = _trained()
    again = copy.deepcopy(gan)
    drawn = np.array_equal(gan.sample(2), again.sample(2))
    again.fit(IMAGES, **FIT)
    return drawn and gan.step.numpy() == 1 and int(again.step) == 2


@group.works("a GAN that draws the same")
def pickled():
    """`pickle.dumps(gan)`, as for a process pool."""
    gan = _trained()
    return np.array_equal(gan.sample(2), pickle.loads(pickle.dumps(gan)).sample(2))


@group.works("the SavedModel draws what `predict` draws")
def keras_export():
    """Keras's own `gan.export`, of a GAN that was never called."""
    gan, path = _trained(), new_path("exported")
    gan.export(path, verbose=False)
    latents = np.ones((3, 4), "float32")
    loaded = tf.saved_model.load(str(path))
    served = loaded.serve(latents)
    return np.allclose(served, gan.predict(latents, verbose=0), atol=1e-5)


@group.works("onnxruntime draws what `predict` draws")
def keras_export_onnx():
    """`gan.export(format="onnx")`."""
    import onnxruntime

    gan, path = _trained(), new_path("generator.onnx")
    gan.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    latents = np.ones((3, 4), "float32")
    (drawn,) = session.run(None, {session.get_inputs()[0].name: latents})
    return np.allclose(drawn, gan.predict(latents, verbose=0), atol=1e-4)


@group.works("the SavedModel takes latents and labels")
def keras_export_of_classes():
    """Keras's own `gan.export` of a conditional GAN."""
    gan, path = conditional(), new_path("exported")
    gan.export(path, verbose=False)
    inputs = [np.ones((3, 4), "float32"), np.array([0, 1, 2], "int32")]
    loaded = tf.saved_model.load(str(path))
    served = loaded.serve(inputs)
    return np.allclose(served, gan.predict(inputs, verbose=0), atol=1e-5)


@group.works("a card that says there is no generator.keras")
def own_layer_exported():
    """A generator with a layer that has no configuration, exported."""
    path = new_path("artifact")
    card = export_generator(compiled(generator(Times(2.0))), path)
    return not (path / "generator.keras").exists() and "keras" in card


@group.works("Keras alone loads it, and it draws what `predict` draws")
def keras_alone():
    """An artifact's `generator.keras` in a process without ganlab."""
    gan, path = _trained(), new_path("artifact")
    export_generator(gan, path)
    code = (
        "import keras, numpy, sys\n"
        f"model = keras.saving.load_model({str(path / 'generator.keras')!r})\n"
        "assert 'ganlab' not in sys.modules\n"
        "print(float(numpy.sum(model(numpy.ones((1, 4), 'float32')))))"
    )
    printed = _python(code).stdout.strip()
    drawn = gan.predict(np.ones((1, 4), "float32"), verbose=0).sum()
    return np.isclose(float(printed.splitlines()[-1]), drawn, rtol=1e-4)


@group.works("the error says to import ganlab, which then suffices")
def load_without_import():
    """A GAN's file in a process that has not imported ganlab."""
    gan, path = _trained(), new_path("gan.keras")
    gan.save(path)
    code = f"import keras; print(keras.saving.load_model({str(path)!r}).name)"
    without, within = _python(code), _python(f"import ganlab; {code}")
    told = without.returncode == 0 or "import ganlab" in without.stderr
    return told and within.stdout.strip().endswith(gan.name)


@group.works("the last line names TensorFlow")
def other_backend():
    """Keras on JAX."""
    done = _python("import ganlab; ganlab.GAN", KERAS_BACKEND="jax")
    return done.returncode != 0 and "TensorFlow" in done.stderr.splitlines()[-1]


@group.works("no two share a path")
def paths_of_variables():
    """The paths of a GAN's variables, which TensorBoard and h5 go by."""
    paths = [variable.path for variable in compiled().variables]
    return len(paths) == len(set(paths))


@group.refused(".keras")
def save_without_suffix():
    """`save` without a suffix, as for older SavedModels."""
    compiled().save(new_path("gan"))


@group.works("the file is there, and no other")
def save_overwrites():
    """`save` twice to one path."""
    path = Path(new_path("gan.keras"))
    gan = compiled()
    gan.save(path)
    gan.save(path)
    return [entry.name for entry in path.parent.iterdir()] == ["gan.keras"]


@group.works("a JSON of both networks")
def to_json():
    """`gan.to_json()`."""
    import json

    config = json.loads(compiled().to_json())["config"]
    return {"generator", "discriminator"} <= set(config)


@group.works("Lambda layers load in unsafe mode, as Keras asks for")
def lambda_saved():
    """A GAN with a Lambda layer, saved and loaded with `safe_mode=False`."""
    network = generator(layers.Lambda(lambda values: values * 2.0))
    gan, path = compiled(network), new_path("gan.keras")
    gan.save(path)
    loaded = keras.saving.load_model(path, safe_mode=False)
    return np.array_equal(gan.sample(2), loaded.sample(2))
