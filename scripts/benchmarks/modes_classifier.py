"""The classifier by which the benchmark of modes scores images."""

import sys
from pathlib import Path

import keras
import numpy as np

from ganlab.data.image_data import ImageData
from ganlab.data.loading import load_data

EPOCHS, BATCH_SIZE = 6, 128


def load_classifier(folder: str, image_size: int, out: Path) -> keras.Model:
    """Loads the classifier of single images, or trains it on the training images.

    Args:
        folder: IDX files.
        image_size: Integer.
        out: Folder that keeps it.
    """
    path = out / f"classifier-{Path(folder).name}-{image_size}.keras"
    if path.exists():
        return keras.saving.load_model(path, safe_mode=True)
    keras.utils.set_random_seed(0)
    train = load_data(f"idx:{folder}:train", image_size=image_size)
    layers = keras.layers
    classifier = keras.Sequential(
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
    steps = EPOCHS * -(-len(train.images) // BATCH_SIZE)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    classifier.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    classifier.fit(
        scale(train.images),
        train.labels,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report_epoch)],
        verbose=0,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    classifier.save(path)
    return classifier


def load_test_images(folder: str, image_size: int) -> ImageData:
    """The test images of IDX files."""
    return load_data(f"idx:{folder}:test", image_size=image_size)


def report_epoch(epoch: int, logs: dict) -> None:
    print(f"classifier: epoch {epoch + 1}, loss {logs['loss']:.3f}", file=sys.stderr)


def scale(images: np.ndarray) -> np.ndarray:
    """Maps uint8 to [0, 1]."""
    return images.astype(np.float32) / 255.0


def predict_classes(images: np.ndarray, classifier: keras.Model) -> np.ndarray:
    """The most probable class of each image."""
    probabilities = classifier.predict(scale(images), batch_size=500, verbose=0)
    return probabilities.argmax(axis=1)


def extract_features(images: np.ndarray, classifier: keras.Model) -> np.ndarray:
    """Outputs of the classifier's last hidden layer."""
    dense = [
        layer for layer in classifier.layers if isinstance(layer, keras.layers.Dense)
    ]
    extractor = keras.Model(classifier.inputs[0], dense[-2].output)
    return extractor.predict(scale(images), batch_size=500, verbose=0)
