"""Does adversarial training ask its subclasses for what they alone know?"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, Translator, dcgan_discriminator, dcgan_generator
from ganlab.models.adversarial import AdversarialModel


def test_gans_and_translators_train_by_the_same_step():
    assert {GAN.train_step, Translator.train_step} == {AdversarialModel.train_step}


def test_a_subclass_that_says_nothing_cannot_train():
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model = AdversarialModel(network, 0.5, 0, None, "model")
    model.discriminator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    for asked in (
        lambda: model.read_batches(np.zeros((1, 2))),
        lambda: model.generate_fakes(None),
        lambda: model.show(None, None),
        lambda: model.evaluate_batch(None),
        lambda: model.check_batch(None, 1),
    ):
        with pytest.raises(NotImplementedError):
            asked()


# What keeps a graph from a device: Python, files, text, and shapes that data decides.
HOST_OPERATIONS = {
    *("PyFunc", "EagerPyFunc", "PyFuncStateless", "Print", "PrintV2", "Assert"),
    *("StringFormat", "AsString", "WriteSummary", "ReadFile", "WriteFile"),
    *("Where", "Unique", "UniqueV2"),
}


def operations_of(function, *specs):
    """Names of the kinds of all operations that a function's graph calls."""
    graph = tf.function(function).get_concrete_function(*specs).graph
    inner = graph.as_graph_def().library.function
    names = {node.op for called in inner for node in called.node_def}
    return names | {operation.type for operation in graph.get_operations()}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("policy", "settings"),
    [
        (
            "mixed_float16",
            {
                "updates": "alternating",
                "regularizers": ["r1", "lecam"],
                "augmentation": "ada",
                "skip_non_finite": True,
            },
        ),
        (
            "float32",
            {
                "loss": "relativistic",
                "regularizers": "gradient_penalty",
                "augmentation": "diffaugment",
                "recompute": True,
            },
        ),
    ],
    ids=["alternating", "simultaneous"],
)
def test_a_step_needs_nothing_of_the_host(policy, settings):
    keras.config.set_dtype_policy(policy)
    size = {"image_size": 16, "base_filters": 4, "num_classes": 3}
    gan = GAN(
        dcgan_generator(latent_dim=4, **size),
        dcgan_discriminator(**size),
        num_classes=3,
    )
    gan.compile("adam", "adam", **settings)
    batch = tf.TensorSpec((4, 16, 16, 1), tf.float32), tf.TensorSpec((4,), tf.int32)
    names = operations_of(gan.train_step, batch)
    assert "Conv2D" in names
    assert names & HOST_OPERATIONS == set()


def test_what_a_step_may_not_hold_would_be_seen():
    def prints(values):
        tf.cond(values[0] > 0, lambda: tf.print(values), tf.no_op)
        return tf.numpy_function(np.sin, [values], tf.float32)

    names = operations_of(prints, tf.TensorSpec((2,), tf.float32))
    assert names >= {"PyFunc", "PrintV2"}
