"""What the authors' code and papers say, where it is easy to differ."""

import keras
import numpy as np
from keras import layers, ops

from citizen_cases.case import Group, new_path
from citizen_cases.parts import FIT, IMAGES, compiled, discriminator, generator
from ganlab import augmentation, export_generator, load_data, networks, regularizers

group = Group("peers")
PIXELS = np.random.default_rng(0).uniform(-1, 1, (64, 28, 28, 1)).astype("float32")


@group.works("a zero kernel stays zero, without NaN")
def spectral_norm_of_zero():
    """ganlab's spectral normalisation of a kernel of zeros."""
    layer = networks.SpectralNormalization(layers.Dense(3, kernel_initializer="zeros"))
    values = layer(np.ones((2, 4), "float32"), training=True)
    return np.array_equal(values, np.zeros((2, 3)))


@group.works(
    "the squared distance of the norm from the target, over the target's square"
)
def gradient_penalty_forms():
    """Gradient penalties on a critic of gradient norm 2: targets, and one-sided."""
    kernel = np.full((64, 1), 0.25, "float32")  # of norm 2
    penalties = []
    for options in (
        {},
        {"target": 2.0},
        {"target": 3.0},
        {"one_sided": True},
        {"target": 3.0, "one_sided": True},
    ):
        network = discriminator()
        network.set_weights([kernel, np.zeros(1)])
        penalty = regularizers.GradientPenalty(weight=1.0, **options)
        gan = compiled(discriminating=network, regularizers=penalty)
        penalties.append(gan.fit(IMAGES, **FIT).history["d_penalty"][0])
    return np.allclose(penalties, [1.0, 0.0, 1 / 9, 1.0, 0.0], atol=1e-4)


@group.works("after 10 steps at logit 2 both means are 2, as corrected for their start")
def lecam_means():
    """LeCam's running means: their pull to 0 after 10 steps."""
    rate = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0)
    network = discriminator()
    network.set_weights([np.zeros((64, 1)), np.full(1, 2.0)])
    lecam = regularizers.LeCam(weight=1.0)
    gan = compiled(discriminating=network, optimizers=rate, regularizers=lecam)
    history = gan.fit(IMAGES, epochs=10, **FIT).history
    return np.isclose(history["d_penalty"][-1], 0.0, atol=1e-6)


@group.works("the gradient is that in the image before augmentation")
def r1_under_augmentation():
    """R1 under an augmentation that doubles the contrast."""

    class Double(augmentation.Augmentation):
        def augment(self, images, seed):
            return 2.0 * images

    network = discriminator()
    kernel = np.full((64, 1), 0.25, "float32")
    network.set_weights([kernel, np.zeros(1)])
    r1 = regularizers.R1(weight=1.0)
    options = {"regularizers": r1, "augmentation": Double()}
    logs = compiled(discriminating=network, **options).fit(IMAGES, **FIT).history
    squared_norm = 4.0 * float((kernel**2).sum())
    return np.isclose(logs["d_penalty"][0] / squared_norm, 0.5, rtol=1e-3)


@group.works("shifts of up to 4 at 28 pixels, each as often")
def diffaugment_shifts():
    """DiffAugment's translation."""
    ones = ops.ones((4096, 28, 28, 1))
    moved = augmentation.DiffAugment("translation").augment(ones, [0, 0]).numpy()
    down = 28 - np.count_nonzero(moved[:, :, :, 0].max(axis=2), axis=1)
    share = np.bincount(down, minlength=5) / 4096
    return np.allclose(share, [1 / 9, 2 / 9, 2 / 9, 2 / 9, 2 / 9], atol=0.03)


@group.works("cut before colour differs from colour before cut")
def diffaugment_order():
    """DiffAugment's policies in another order."""
    drawn = [
        augmentation.DiffAugment(policy).augment(PIXELS, [0, 0]).numpy()
        for policy in ("cutout,color", "color,cutout")
    ]
    return drawn[0].min() != 0.0 and not np.allclose(*drawn)


@group.works("the pixels reflect at the border")
def ada_border():
    """ADA on constant images at p = 0.8."""
    ada = augmentation.AdaptiveAugment()
    ada.probability.assign(0.8)
    drawn = ada.augment(ops.full((64, 16, 16, 3), 0.5), [0, 0])
    return float(ops.max(ops.std(drawn, axis=(1, 2)))) < 0.02


@group.works("distinct, of the package's name")
def names_of_networks():
    """Both networks called `generator`, as users do."""
    both = generator(), discriminator()
    for network in both:
        network.name = "generator"
    path = new_path("gan.weights.h5")
    gan = compiled(*both)
    gan.save_weights(path)
    return len({variable.path for variable in gan.ema_generator.weights}) == 2


@group.works("the licence is in the card and the model card")
def licence():
    """`export_generator(license=...)`."""
    path = new_path("artifact")
    card = export_generator(compiled(), path, license="mit")
    return "mit" in str(card) and 'license: "mit"' in (path / "README.md").read_text()


@group.works("dimensions, version and class names are in the file")
def onnx_metadata():
    """An ONNX file's names and properties."""
    import onnx

    path = new_path("artifact")
    export_generator(compiled(), path)
    model = onnx.load(next(path.glob("*.onnx")))
    (batch, *_) = model.graph.input[0].type.tensor_type.shape.dim
    keys = {entry.key for entry in model.metadata_props}
    return batch.dim_param == "batch" and bool(keys) and "ganlab" in model.producer_name


@group.works("read, every one")
def other_image_files():
    """A folder of BMP, TIFF, PPM and PNG files."""
    from PIL import Image

    folder = new_path("photos")
    folder.mkdir()
    for index, suffix in enumerate(("bmp", "tiff", "ppm", "png")):
        pixels = np.full((8, 8, 3), 60 * index, "uint8")
        Image.fromarray(pixels).save(folder / f"{index}.{suffix}")
    images, _ = load_data(f"folder:{folder}", image_size=8).take(4)
    return len(images) == 4
