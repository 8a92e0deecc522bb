"""Networks rebuilt of Keras's own layers draw the same, and load in Keras alone."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import networks
from ganlab.networks.stock import of_stock_layers

GENERATORS = {
    "dcgan": lambda: networks.dcgan_generator(16, base_filters=4),
    "dcgan-classes": lambda: networks.dcgan_generator(
        16, base_filters=4, num_classes=3, conditioning="batch_norm"
    ),
    "dcgan-nearest": lambda: networks.dcgan_generator(
        16, base_filters=4, upsampling="nearest", normalization="layer"
    ),
    "dcgan-bilinear": lambda: networks.dcgan_generator(
        16, base_filters=4, upsampling="bilinear", normalization="layer"
    ),
    "resnet-attention": lambda: networks.resnet_generator(
        20, base_filters=8, attention=True, num_classes=3
    ),
    "projected": lambda: networks.projected_generator(64, base_filters=2),
    "r3gan": lambda: networks.r3gan_generator(16, base_filters=16, num_classes=3),
    "mlp": lambda: networks.mlp_generator(),
    "spectral": lambda: spectral_generator(),
}
LOAD = """
import json, sys
import keras, numpy as np
for name in json.loads(sys.argv[2]):
    arrays = np.load(f"{sys.argv[1]}/{name}.npz")
    model = keras.saving.load_model(f"{sys.argv[1]}/{name}.keras")
    inputs = [arrays[key] for key in sorted(arrays) if key != "outputs"]
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    np.testing.assert_allclose(outputs, arrays["outputs"], atol=2e-5, err_msg=name)
    assert model.name == "averaged_generator"
assert "ganlab" not in sys.modules
"""


def spectral_generator():
    """Spectral normalisation in every place: convolution, embedding, attention."""
    latents, labels = keras.Input((6,)), keras.Input((), dtype="int32")
    normalized = networks.SpectralNormalization
    classes = normalized(layers.Embedding(3, 4))(labels)
    x = layers.Concatenate()([normalized(layers.Dense(60))(latents), classes])
    x = layers.Reshape((4, 4, 4))(x)
    x = normalized(layers.Conv2D(8, 3, padding="same"))(x)
    x = networks.SelfAttention(spectral_norm=True)(x)
    body = keras.Sequential([networks.GroupedConv2D(8, 3, 2), layers.ReLU()])
    return keras.Model([latents, labels], body(x) * 2.0 + 1.0)


def inputs_of(network):
    random = np.random.default_rng(0)
    latents = random.standard_normal((5, network.inputs[0].shape[-1]), np.float32)
    labels = np.arange(5, dtype=np.int32) % 3
    return [latents, labels][: len(network.inputs)]


def call(network, inputs):
    return network(inputs if len(inputs) > 1 else inputs[0], training=False).numpy()


@pytest.mark.e2e
def test_generators_of_ganlab_load_in_keras_alone(tmp_path, perturb):
    for name, make in GENERATORS.items():
        network = make()
        perturb(network, scale=0.1, seed=1)
        inputs = inputs_of(network)
        outputs = call(network, inputs)
        assert outputs.std() > 1e-3
        stock = of_stock_layers(network, name="averaged_generator")
        np.testing.assert_allclose(call(stock, inputs), outputs, atol=2e-5)
        stock.save(tmp_path / f"{name}.keras")
        arrays = {f"input{index}": array for index, array in enumerate(inputs)}
        np.savez(tmp_path / f"{name}.npz", outputs=outputs, **arrays)
    run = [sys.executable, "-c", LOAD, str(tmp_path), json.dumps([*GENERATORS])]
    subprocess.run(run, check=True, cwd=tmp_path)


def test_given_values_stand_for_the_weights():
    network = networks.r3gan_generator(16, base_filters=16)
    inputs = inputs_of(network)
    values = [weight + 0.1 for weight in network.get_weights()]
    stock = of_stock_layers(network, values)
    before = call(network, inputs)
    np.testing.assert_allclose(call(network, inputs), before)
    network.set_weights(values)
    np.testing.assert_allclose(call(stock, inputs), call(network, inputs), atol=2e-5)


def test_a_zero_kernel_stays_zero():
    layer = networks.SpectralNormalization(layers.Dense(3, kernel_initializer="zeros"))
    network = keras.Sequential([keras.Input((2,)), layer])
    outputs = call(of_stock_layers(network), [np.ones((1, 2), np.float32)])
    assert outputs.tolist() == [[0.0, 0.0, 0.0]]
