"""Trains a GAN on Fashion-MNIST from noise alone, both networks in plain Keras.

    python scripts/train_unconditional.py

Any built Keras model will do: the generator takes latents, the discriminator gives
raw logits. Watch with `tensorboard --logdir runs`.

Time on 2 cores: 2 minutes (30 epochs, 4,680 steps).
Result: clothes and shoes of every kind, many of them blurred between two.
"""

import argparse
from pathlib import Path

import keras
from keras import layers

from ganlab import GAN, export_generator, load_data
from ganlab.callbacks import HealthProbe, RunLog, SampleGrids, TrainingMetrics

LATENT_DIM, BATCH_SIZE = 64, 64


def build_generator() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense(7 * 7 * 64, use_bias=False),
            layers.Reshape((7, 7, 64)),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same"),
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )


def build_discriminator() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(64, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1, dtype="float32"),
        ],
        name="discriminator",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path("runs/unconditional"))
    options = parser.parse_args()
    options.out.mkdir(parents=True)  # refuses to overwrite a run

    keras.utils.set_random_seed(0)
    data, held_out = load_data("fashion_mnist").split()
    gan = GAN(build_generator(), build_discriminator())
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
        loss="non_saturating",
    )
    run_log = RunLog(options.out)
    gan.fit(
        data.batches(BATCH_SIZE, labels=False),
        steps_per_epoch=data.steps_per_epoch(BATCH_SIZE),
        epochs=options.epochs,
        shuffle=False,  # the pipeline has shuffled already
        callbacks=[
            TrainingMetrics(run_log, BATCH_SIZE),
            HealthProbe(run_log, data.take(64)[0], held_out.take(64)[0]),
            SampleGrids(options.out, run_log=run_log),
            keras.callbacks.CSVLogger(options.out / "epochs.csv"),
        ],
    )
    run_log.close()
    gan.save(options.out / "gan.keras")
    export_generator(gan, options.out / "artifact")
    print(f"Pictures in {options.out / 'samples'}")
    print(f"ganlab diagnose {options.out}; ganlab sample {options.out}/artifact")


if __name__ == "__main__":
    main()
