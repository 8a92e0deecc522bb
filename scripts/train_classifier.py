"""Trains the classifier whose features ganlab compares Fashion-MNIST images by.

    apt-get install dataset-fashion-mnist
    python scripts/train_classifier.py

Trains on the 60,000 training images and writes
ganlab/features/classifiers/fashion_mnist.onnx, which takes float32 images in [-1, 1]
and gives `features`, the 128 means of its last convolution, and `logits` of the ten
classes. The 10,000 test images, which the package embeds and GANs train on, serve for
the accuracy alone. One JSON document on stdout.

Time on 2 cores: 13 minutes.
Result: 93.2 % of the test images right; 0.9 MB. Its hash goes into
ganlab/features/extractors.py.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

import keras
import onnx
import tensorflow as tf
import tf2onnx
from keras import layers

from ganlab import load_data
from ganlab.artifacts.card import sha256
from ganlab.data.image_data import ImageData
from ganlab.features.extractors import class_probabilities, load_extractor

ROOT = Path(__file__).parents[1]
CLASSIFIER = ROOT / "ganlab" / "features" / "classifiers" / "fashion_mnist.onnx"
FASHION = "/usr/share/datasets/fashion-mnist"
BATCH_SIZE = 128
OPSET = 18


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", default=FASHION, help="folder of the IDX files (default %(default)s)")
    add("--epochs", type=int, default=14, help="default %(default)s")
    add(
        "--out",
        type=Path,
        default=CLASSIFIER,
        help="default %(default)s",
    )
    options = parser.parse_args()
    keras.utils.set_random_seed(0)
    train = load_data(f"idx:{options.data}:train")
    steps = options.epochs * (len(train.images) // BATCH_SIZE)
    classifier = build()
    trainer = keras.Model(classifier.inputs, layers.Dropout(0.1)(classifier.outputs[0]))
    trainer = keras.Sequential([trainer, classifier.get_layer("logits")])
    trainer.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(3e-3, steps), weight_decay=1e-3
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    trainer.fit(
        batches(train),
        steps_per_epoch=steps // options.epochs,
        epochs=options.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report_epoch)],
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write(classifier, options.out)
    test = load_data(f"idx:{options.data}:test")
    extractor = load_extractor(f"model:{options.out}", image_shape=(28, 28, 1))
    _, logits = extractor.extract(test.images)
    correct = logits.argmax(axis=1) == test.labels
    report = {
        "accuracy": float(correct.mean()),
        "mean_confidence": float(class_probabilities(logits).max(axis=1).mean()),
        "parameters": classifier.count_params(),
        "bytes": options.out.stat().st_size,
        "sha256": sha256(options.out.read_bytes()),
    }
    json.dump(report, sys.stdout, indent=2)
    print()


def build() -> keras.Model:
    """Five convolutions, the mean over what is left of the image, ten logits."""
    inputs = keras.Input((28, 28, 1), name="images")
    x = inputs
    for filters, strides in ((32, 1), (64, 2), (64, 1), (96, 2), (128, 1)):
        x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(inputs, [features, layers.Dense(10, name="logits")(features)])


def batches(data: ImageData) -> tf.data.Dataset:
    """Endless batches, mirrored and moved by up to a pixel."""

    def move(images, labels):
        images = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=-1.0)
        return tf.image.random_crop(images, (BATCH_SIZE, 28, 28, 1)), labels

    return data.batches(BATCH_SIZE, flip=True).map(move)


def write(classifier: keras.Model, path: Path) -> None:
    """Writes it as ONNX, batch normalisation folded into the convolutions."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)

    def classify(images):
        features, logits = classifier(images, training=False)
        return {"features": features, "logits": logits}

    signature = [tf.TensorSpec((None, 28, 28, 1), tf.float32, name="images")]
    model, _ = tf2onnx.convert.from_function(
        tf.function(classify, input_signature=signature),
        input_signature=signature,
        opset=OPSET,
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def report_epoch(epoch: int, logs: dict) -> None:
    print(f"epoch {epoch + 1}: loss {logs['loss']:.3f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
