"""Does every registered class keep Keras's promises?"""

import inspect

import keras
import numpy as np
import pytest

import ganlab.gan
import ganlab.losses
from ganlab.losses import AdversarialLoss

REGISTERED = {
    name: cls
    for name, cls in keras.saving.get_custom_objects().items()
    if name.startswith("ganlab>")
}
LOSSES = [cls for cls in REGISTERED.values() if issubclass(cls, AdversarialLoss)]


def test_the_classes_are_found():
    assert {"ganlab>GAN", "ganlab>NonSaturating", "ganlab>Minimax"} <= set(REGISTERED)
    assert set(ganlab.losses.LOSSES.values()) <= set(LOSSES)


@pytest.mark.parametrize("cls", REGISTERED.values(), ids=list(REGISTERED))
def test_config_holds_every_argument(cls, make_gan):
    instance = make_gan(3) if cls is ganlab.gan.GAN else cls()
    arguments = set(inspect.signature(cls.__init__).parameters) - {"self"}
    assert set(instance.get_config()) == arguments
    data = keras.saving.serialize_keras_object(instance)
    again = keras.saving.deserialize_keras_object(data, safe_mode=True)
    assert type(again) is cls
    assert str(again.get_config()) == str(instance.get_config())


@pytest.mark.parametrize("cls", REGISTERED.values(), ids=list(REGISTERED))
def test_docstring_names_every_argument_and_a_paper(cls):
    arguments = set(inspect.signature(cls.__init__).parameters) - {"self", "name"}
    for argument in arguments:
        assert f"    {argument}:" in cls.__doc__
    assert "arxiv.org" in cls.__doc__


@pytest.mark.parametrize("cls", LOSSES)
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_every_loss_trains_reloads_and_stays_finite(
    cls, policy, make_gan, images, tmp_path
):
    keras.config.set_dtype_policy(policy)
    gan = make_gan(3, loss=cls())
    gan.fit(*images, batch_size=8, epochs=5, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded.adversarial_loss) is cls
    assert all(np.isfinite(weight.numpy()).all() for weight in loaded.weights)
    np.testing.assert_array_equal(loaded.sample(4), gan.sample(4))
