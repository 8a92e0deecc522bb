"""Arguments of fit, compile and GAN that cannot be meant, or are easily missed."""

import functools
from typing import Any

import keras
import numpy as np
from keras import callbacks, layers

from citizen_cases import parts
from citizen_cases.case import Group, new_path
from citizen_cases.parts import FIT, IMAGES, discriminator, generator, trains
from ganlab import GAN

group = Group("calls")
compiled = functools.partial(parts.compiled, run_eagerly=True)
refusing = functools.cache(compiled)  # no refusal changes it

FIT_REFUSED = {
    "batch-size-0": ({"batch_size": 0}, "batch_size of 1 or more"),
    "batch-size-float": ({"batch_size": 4.0}, "batch_size of 1 or more"),
    "batch-size-text": ({"batch_size": "4"}, "batch_size of 1 or more"),
    "epochs-float": ({"epochs": 1.5}, "epochs of 0 or more"),
    "epochs-negative": ({"epochs": -1}, "epochs of 0 or more"),
    "steps-0": ({"steps_per_epoch": 0}, "steps_per_epoch of 1 or more"),
    "validation-steps-0": ({"validation_steps": 0}, "validation_steps of 1 or more"),
    "validation-split-2": ({"validation_split": 2.0}, "under 1"),
    "validation-split-all": ({"validation_split": 0.99}, "Expected"),
    "typo": ({"epoch": 3}, "write epochs"),
    "older-argument": ({"workers": 2}, "leave it out"),
    "callback-class": ({"callbacks": [callbacks.TerminateOnNaN]}, "an instance"),
    "callback-function": ({"callbacks": [print]}, "LambdaCallback"),
}


def fit(options: dict[str, Any]) -> None:
    refusing().fit(IMAGES, **{"verbose": 0, "batch_size": 16, **options})


for title, (options, fix) in FIT_REFUSED.items():
    group.refused(fix, f"fit-{title}", f"`fit` with {title}.")(
        functools.partial(fit, options)
    )
COMPILE_REFUSED = {
    "keras-io": ({"d_optimizer": "adam", "loss_fn": "bce"}, "discriminator_optimizer"),
    "eager-text": ({"run_eagerly": "no"}, "True or False"),
    "recompute-text": ({"recompute": "yes"}, "True or False"),
    "steps-true": ({"discriminator_steps": True}, "1 or more, an integer"),
    "noise-true": ({"instance_noise": True}, "0 or more"),
    "class-weight-unused": ({"class_weight": 5.0}, "[logits, class_logits]"),
}
for title, (options, fix) in COMPILE_REFUSED.items():
    group.refused(fix, f"compile-{title}", f"`compile` with {title}.")(
        functools.partial(parts.compiled, **options)
    )
GAN_REFUSED = {
    "seed-of-70-bits": ({"seed": 2**70}, "under 2^63"),
    "seed-true": ({"seed": True}, "an integer"),
    "name-with-slash": ({"name": "my/gan"}, "without slashes"),
    "num-classes-float": ({"num_classes": 4.0}, "an integer"),
}
for title, (options, fix) in GAN_REFUSED.items():
    group.refused(fix, f"gan-{title}", f"`GAN` with {title}.")(
        functools.partial(parts.compiled, model=options)
    )
SAMPLE_REFUSED = {
    "true": ({"num_images": True}, "1 image or more"),
    "float": ({"num_images": 2.0}, "1 image or more"),
    "too-many": ({"num_images": 10**16}, "fewer at a time"),
    "seed-float": ({"seed": 1.5}, "a seed of 0 or more"),
    "truncation-true": ({"truncation": True}, "a truncation above 0"),
}
for title, (options, fix) in SAMPLE_REFUSED.items():
    group.refused(fix, f"sample-{title}", f"`sample` with {title}.")(
        functools.partial(lambda options: refusing().sample(**options), options)
    )


@group.works("the less, the better: of three epochs, the rate falls after the second")
def watch_losses():
    """Callbacks that watch losses, without a mode."""
    gan = compiled(optimizers=("sgd", "sgd"))
    path = new_path("best.weights.h5")
    options = {"save_best_only": True, "save_weights_only": True}
    watching = [
        callbacks.EarlyStopping("val_g_loss", min_delta=1e9, patience=2),
        callbacks.ReduceLROnPlateau("d_loss", 0.5, min_delta=1e9, patience=1),
        callbacks.ModelCheckpoint(path, "d_loss", **options),
    ]
    fit = {"epochs": 9, "callbacks": watching, "validation_data": IMAGES, **FIT}
    epochs = len(gan.fit(IMAGES, **fit).epoch)
    rate = float(gan.discriminator_optimizer.learning_rate)
    return epochs == 3 and rate < 0.01 and path.exists()


@group.refused("mode='min'")
def watch_share():
    """`EarlyStopping` on a number that is neither good nor bad, without a mode."""
    compiled().fit(
        IMAGES, epochs=2, callbacks=[callbacks.EarlyStopping("d_real")], **FIT
    )


@group.refused("an optimizer with a schedule")
def rate_of_schedule():
    """`LearningRateScheduler` over an optimizer with a schedule."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    pair = [keras.optimizers.SGD(schedule) for _ in "gd"]
    rates = callbacks.LearningRateScheduler(lambda epoch: 0.1)
    compiled(optimizers=pair).fit(IMAGES, callbacks=[rates], **FIT)


@group.refused("val_loss")
def file_of_missing_number():
    """`ModelCheckpoint` with `val_loss` in the name, and no validation."""
    save = callbacks.ModelCheckpoint(new_path("gan-{val_loss:.2f}.keras"))
    compiled().fit(IMAGES, callbacks=[save], **FIT)


@group.works("one a step")
def iterations():
    """`model.optimizer.iterations` in a callback."""
    seen: list[int] = []

    class Count(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(int(self.model.optimizer.iterations))

    compiled().fit(IMAGES, callbacks=[Count()], **{**FIT, "batch_size": 8})
    return seen == [1, 2]


@group.works("the untrained average is the loaded generator")
def generator_loaded_into_gan():
    """Weights loaded into `gan.generator` after the GAN was made."""
    trained, path = generator(), new_path("generator.weights.h5")
    trained.save_weights(path)
    gan, latents = compiled(), np.ones((3, 4), "float32")
    gan.generator.load_weights(path)
    return np.allclose(gan.predict(latents, verbose=0), trained(latents))


@group.refused("make the model again")
def layers_replaced():
    """A layer added to the generator after the GAN was made."""
    gan = compiled()
    gan.generator.add(layers.PReLU())
    gan.sample(2)


@group.refused("export_generator writes an int8 file")
def quantized():
    """`gan.quantize("int8")`."""
    refusing().quantize("int8")


@group.refused("get_config()")
def schedule_without_config():
    """A GAN saved with a schedule of one's own that has no `get_config`."""

    class Own(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 0.1

    gan = compiled(optimizers=(keras.optimizers.SGD(Own()), "sgd"))
    gan.save(new_path("gan.keras"))


@group.refused("such as casts to integers")
def generator_of_integers():
    """A generator that ends on a cast to integers."""
    latents = keras.Input((4,))
    values = layers.Reshape((8, 8, 1))(layers.Dense(64)(latents))
    compiled(keras.Model(latents, keras.ops.cast(values, "uint8"))).fit(IMAGES, **FIT)


@group.refused("differentiable operations")
def discriminator_of_integers():
    """A discriminator that sorts pixels into bins."""
    bins = layers.Discretization(bin_boundaries=[-0.5, 0.5])
    compiled(discriminating=discriminator(bins)).fit(IMAGES, **FIT)


@group.warns("ends on a softmax")
def discriminator_of_softmax():
    """A discriminator of two classes, real and fake, and least squares."""
    start = [keras.Input((8, 8, 1)), layers.Flatten()]
    network = keras.Sequential([*start, layers.Dense(2, "softmax")])
    return trains(compiled(discriminating=network, loss="least_squares"), expected=None)


@group.refused("num_classes=6")
def table_of_fewer_classes():
    """Networks whose embeddings hold 4 classes, and a GAN of 6."""
    networks = parts.conditional_generator(), parts.conditional_discriminator()
    gan = GAN(*networks, num_classes=6)
    gan.compile("sgd", "sgd", run_eagerly=True)
    gan.fit(IMAGES, np.arange(16) % 6, **FIT)
