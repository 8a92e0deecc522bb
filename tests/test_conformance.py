"""Does every registered class keep Keras's promises?"""

import inspect
import io
import zipfile

import h5py
import keras
import numpy as np
import pytest

import ganlab.models.gan
import ganlab.models.translator
import ganlab.models.vae
import ganlab.objectives.objective
from ganlab import networks
from ganlab.networks import convolution
from ganlab.objectives import (
    augmentation,
    keras_losses,
    likelihoods,
    losses,
    regularizers,
    schedules,
)
from ganlab.objectives.adversarial import AdversarialLoss
from ganlab.objectives.augmentation import Augmentation
from ganlab.objectives.penalties import Regularizer

REGISTERED = {
    name: cls
    for name, cls in keras.saving.get_custom_objects().items()
    if name.startswith("ganlab>")
}
SEVERAL_TENSORS = (networks.ChosenClass, networks.ProjectedFeatures)  # own tests
POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
LAYERS = {
    convolution.BatchNormalization: convolution.BatchNormalization,
    convolution.Conv2D: lambda: convolution.Conv2D(4, 4, strides=2, padding="same"),
    convolution.Conv2DTranspose: lambda: convolution.Conv2DTranspose(
        4, 4, strides=2, padding="same"
    ),
    convolution.NearestConv2D: lambda: convolution.NearestConv2D(4, 3, padding="same"),
    networks.Basis: lambda: networks.Basis(4),
    networks.ChosenClass: networks.ChosenClass,
    networks.GroupedConv2D: lambda: networks.GroupedConv2D(8, groups=2),
    networks.ProjectedFeatures: lambda: networks.ProjectedFeatures(weights="random"),
    networks.Langevin: networks.Langevin,
    networks.MinibatchStdDev: networks.MinibatchStdDev,
    networks.SelfAttention: lambda: networks.SelfAttention(spectral_norm=True),
    networks.SlicingNormalization: lambda: networks.SlicingNormalization(
        keras.layers.Dense(3)
    ),
    networks.SpectralNormalization: lambda: networks.SpectralNormalization(
        keras.layers.Dense(3)
    ),
}


@keras.saving.register_keras_serializable(package="test_conformance")
def least_squares(real_logits, fake_logits):
    loss = losses.LeastSquares()
    return (
        loss.discriminator(real_logits, fake_logits),
        loss.generator(real_logits, fake_logits),
    )


BROUGHT = {
    keras_losses.KerasLoss: lambda: keras_losses.KerasLoss(
        keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
    ),
    keras_losses.FunctionLoss: lambda: keras_losses.FunctionLoss(least_squares),
}


def kind_of(base):
    return [cls for cls in REGISTERED.values() if issubclass(cls, base)]


def make(cls, make_gan):
    if cls is ganlab.models.gan.GAN:
        return make_gan(3)
    if cls is ganlab.models.translator.Translator:
        return cls(
            networks.unet_generator(16, base_filters=4, stages=2),
            networks.patch_discriminator(16, source_channels=3, base_filters=4),
        )
    if cls is ganlab.models.vae.VAE:
        return cls(
            networks.dcgan_encoder(16, latent_dim=4, base_filters=4),
            networks.dcgan_generator(16, latent_dim=4, base_filters=4),
        )
    return {**LAYERS, **BROUGHT}.get(cls, cls)()


def arguments_of(cls):
    if cls.__init__ is object.__init__:
        return set()
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} - {"self"}


def test_the_classes_are_found():
    assert {"ganlab>GAN", "ganlab>Hinge", "ganlab>ScheduledAdam"} <= set(REGISTERED)
    assert {*losses.LOSSES.values(), *BROUGHT} == set(kind_of(AdversarialLoss))
    assert set(regularizers.REGULARIZERS.values()) == set(kind_of(Regularizer))
    assert set(augmentation.AUGMENTATIONS.values()) == set(kind_of(Augmentation))
    known = {
        *LAYERS,
        ganlab.models.gan.GAN,
        ganlab.models.translator.Translator,
        ganlab.models.vae.VAE,
        ganlab.objectives.objective.Objective,
        *likelihoods.LIKELIHOODS.values(),
        schedules.ScheduledAdam,
        schedules.WarmUp,
    }
    for base in (AdversarialLoss, Regularizer, Augmentation):
        known |= set(kind_of(base))
    assert known == set(REGISTERED.values())


@pytest.mark.parametrize("cls", REGISTERED.values(), ids=list(REGISTERED))
def test_config_holds_every_argument(cls, make_gan):
    instance = make(cls, make_gan)
    assert arguments_of(cls) <= set(instance.get_config()), instance.get_config()
    data = keras.saving.serialize_keras_object(instance)
    again = keras.saving.deserialize_keras_object(data, safe_mode=True)
    assert type(again) is cls
    assert str(again.get_config()) == str(instance.get_config())


@pytest.mark.parametrize("cls", REGISTERED.values(), ids=list(REGISTERED))
def test_docstring_names_every_argument_and_a_paper(cls):
    base = getattr(cls, "stock", keras.layers.Layer)
    taken_over = arguments_of(base) if cls.__init__ is base.__init__ else set()
    for argument in arguments_of(cls) - taken_over - {"name"}:
        assert f"    {argument}:" in cls.__doc__
    plain = hasattr(cls, "stock") or cls is networks.ChosenClass
    assert plain or "arxiv.org" in cls.__doc__


def saved_numbers(path):
    """How many numbers of weights a file holds, without those of the optimizer."""
    counts = []

    def count(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):
            counts.append(item.size)

    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as file:
        h5py.File(io.BytesIO(file.read())).visititems(count)
    return sum(counts)


@pytest.mark.e2e
@pytest.mark.parametrize("cls", [c for c in LAYERS if c not in SEVERAL_TENSORS])
@pytest.mark.parametrize("policy", [*POLICIES, "float64"])
def test_every_layer_computes_trains_and_reloads(cls, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    vectors = cls in (
        networks.Basis,
        networks.ChosenClass,
        networks.SlicingNormalization,
        networks.SpectralNormalization,
    )
    shape = (8,) if vectors else (6, 6, 8)
    inputs = keras.Input(shape)
    layer = LAYERS[cls]()
    model = keras.Model(inputs, keras.layers.Dense(4)(layer(inputs)))
    assert tuple(layer.compute_output_shape((None, *shape))) == layer.output.shape
    draws = np.random.default_rng(0)
    x = draws.normal(size=(4, *shape)).astype("float32")
    expected = model.predict(x, verbose=0)
    assert expected.dtype == keras.config.dtype_policy().compute_dtype
    model.compile("adam", "mse")
    model.fit(x, np.zeros_like(expected, "float32"), epochs=3, verbose=0)
    model.save(tmp_path / "layer.keras")
    assert saved_numbers(tmp_path / "layer.keras") == model.count_params()
    loaded = keras.saving.load_model(tmp_path / "layer.keras", safe_mode=True)
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    )


OPTIONS = [
    *({"loss": name} for name in (*losses.LOSSES, "bce", least_squares)),
    *({"regularizers": name} for name in regularizers.REGULARIZERS),
    *({"augmentation": name} for name in augmentation.AUGMENTATIONS),
]


def check_training(policy, options, steps, make_gan, images, tmp_path):
    keras.config.set_dtype_policy(policy)
    gan = make_gan(3, **options)
    history = gan.fit(*images, batch_size=8, epochs=steps // 2, verbose=0).history
    assert gan.step == steps
    for name, values in history.items():
        assert np.isfinite(values).all(), name
    assert all(np.isfinite(weight.numpy()).all() for weight in gan.weights)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.sample(4), gan.sample(4))
    for one, other in zip(gan.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for before, after in zip(gan.regularizers, loaded.regularizers, strict=True):
        assert type(before) is type(after)
    assert type(loaded.objective.loss) is type(gan.objective.loss)
    assert type(loaded.augmentation) is type(gan.augmentation)


def first_value(options):
    value = next(iter(options.values()))
    return getattr(value, "__name__", value)


def dense_gan(**options):
    """A GAN of 8-pixel images that is quickly built, with random states."""
    generator = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(64, "tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Reshape((8, 8, 1)),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1),
        ],
        name="discriminator",
    )
    gan = ganlab.models.gan.GAN(generator, discriminator)
    gan.compile("adam", "adam", **options)
    return gan


@pytest.mark.e2e
@pytest.mark.parametrize("options", OPTIONS, ids=first_value)
def test_every_part_trains_on_from_a_file_as_from_memory(options, images, tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    gan, batches = dense_gan(**options), np.split(images[0][:, :8, :8], 4)
    for batch in batches[:2]:
        gan.train_on_batch(batch)
    gan.save(tmp_path / "gan.keras")
    keras.utils.set_random_seed(1)
    loaded = keras.saving.load_model(tmp_path / "gan.keras", safe_mode=True)
    for batch in batches[2:]:
        assert gan.train_on_batch(batch) == loaded.train_on_batch(batch)
    assert gan.step == loaded.step == 4
    assert all(np.isfinite(weight.numpy()).all() for weight in gan.weights)
    assert_same_state(gan, loaded)


def assert_same_state(gan, loaded):
    """Every variable of two GANs, their optimizers' included, is equal to the bit."""
    models = (gan, gan.generator_optimizer, gan.discriminator_optimizer)
    others = (loaded, loaded.generator_optimizer, loaded.discriminator_optimizer)
    for model, other in zip(models, others, strict=True):
        for one, two in zip(model.variables, other.variables, strict=True):
            np.testing.assert_array_equal(one.numpy(), two.numpy(), one.path)


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("options", OPTIONS, ids=first_value)
def test_200_steps_stay_finite(policy, options, make_gan, images, tmp_path):
    check_training(policy, options, 200, make_gan, images, tmp_path)
