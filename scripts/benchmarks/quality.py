"""Are generated Fashion-MNIST images recognised as what they should be?

    apt-get install dataset-fashion-mnist
    python scripts/benchmarks/quality.py saved_models/fashion

A judge, a small classifier, is trained on the 60,000 real training images
(about 2 minutes on 2 cores, once; kept in runs/judge.keras). For 5,000
generated images and for the 10,000 real test images it prints the share that
it recognises with a confidence over 0.8, the ratio of the two, the share of
the rarest class among its answers, and how often it answers the label that was
asked for. One JSON document on stdout.
"""

import argparse
import json
import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

from ganlab import Artifact, load_data

CONFIDENCE = 0.8
NUM_IMAGES = 5000


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("artifacts", nargs="+", help="artifact folders")
    parser.add_argument(
        "--data",
        default="/usr/share/datasets/fashion-mnist",
        help="folder of the IDX files (default %(default)s)",
    )
    parser.add_argument("--judge", type=Path, default=Path("runs/judge.keras"))
    options = parser.parse_args()

    test = load_data(f"idx:{options.data}:test")
    judge = trained_judge(options.judge, options.data)
    real = judge.predict(scaled(test.images), batch_size=500, verbose=0)
    report = {
        "judge_accuracy": float(np.mean(real.argmax(1) == test.labels)),
        "real_share_confident": share_confident(real),
        "artifacts": {},
    }
    for name in options.artifacts:
        artifact = Artifact(name)
        images = artifact.sample(NUM_IMAGES, seed=1)
        answers = judge.predict(scaled(images), batch_size=500, verbose=0)
        classes = np.bincount(answers.argmax(1), minlength=10) / NUM_IMAGES
        labels = artifact.labels(NUM_IMAGES)
        report["artifacts"][name] = {
            "share_confident": share_confident(answers),
            "ratio_to_real": share_confident(answers) / report["real_share_confident"],
            "rarest_class_share": float(classes.min()),
            "label_fidelity": None
            if labels is None
            else float(np.mean(answers.argmax(1) == labels)),
        }
    json.dump(report, sys.stdout, indent=2)
    print()


def scaled(images):
    return images.astype(np.float32) / 255.0


def share_confident(answers):
    return float(np.mean(answers.max(axis=1) > CONFIDENCE))


def trained_judge(path, folder, image_size=28):
    """Loads the judge, or trains it on the real training images."""
    if path.exists():
        return keras.saving.load_model(path, safe_mode=True)
    keras.utils.set_random_seed(0)
    train = load_data(f"idx:{folder}:train", image_size=image_size)
    judge = keras.Sequential(
        [
            keras.Input((image_size, image_size, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    epochs, batch_size = 6, 128
    steps = epochs * -(-len(train.images) // batch_size)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    judge.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    judge.fit(
        scaled(train.images),
        train.labels,
        batch_size=batch_size,
        epochs=epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report_epoch)],
        verbose=0,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    judge.save(path)
    return judge


def report_epoch(epoch, logs):
    print(f"judge: epoch {epoch + 1}, loss {logs['loss']:.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
