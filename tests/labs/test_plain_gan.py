"""A GAN written by hand trains both networks by any of its losses."""

import keras
import numpy as np
import pytest

from ganlab.labs.case_networks import build_discriminator, build_generator
from ganlab.labs.cases import Case
from ganlab.labs.plain_gan import PlainGAN

IMAGES = np.random.default_rng(0).uniform(-1, 1, (16, 16, 16, 1)).astype(np.float32)


def train(**changes):
    keras.utils.set_random_seed(0)
    case = Case(0, "keras", "mnist", width=4, latent_dim=4, batch_size=8).replace(
        **{"discriminator_normalization": "none", **changes}
    )
    shape = IMAGES.shape[1:]
    gan = PlainGAN(case, build_generator(case, shape), build_discriminator(case, shape))
    gan.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    before = [network.get_weights() for network in (gan.generator, gan.discriminator)]
    gan.fit(IMAGES, batch_size=8, epochs=1, verbose=0, shuffle=False)
    after = [network.get_weights() for network in (gan.generator, gan.discriminator)]
    moved = [
        any(not np.array_equal(old, new) for old, new in zip(*pair, strict=True))
        for pair in zip(before, after, strict=True)
    ]
    return gan, moved


@pytest.mark.e2e
@pytest.mark.parametrize(
    "loss", ["cross_entropy", "saturating", "least_squares", "hinge", "wasserstein"]
)
def test_both_networks_move_by_every_loss(loss):
    gan, moved = train(loss=loss, penalty=1.0)
    assert moved == [True, True]
    assert set(gan.get_metrics_result()) == {"d_loss", "g_loss"}


@pytest.mark.e2e
@pytest.mark.parametrize(
    "fault",
    [
        {"targets": "random"},
        {"rescaled_fakes": True},
        {"stale_fakes": True},
        {"inference": True, "generator_normalization": "batch"},
        {"end": "softmax", "from_logits": False},
    ],
    ids=lambda fault: next(iter(fault)),
)
@pytest.mark.filterwarnings("ignore:You are using a softmax")
def test_a_fault_leaves_a_model_that_trains(fault):
    gan, moved = train(loss="cross_entropy", **fault)
    assert moved[0] or "end" in fault
    means = [
        weight.numpy()
        for weight in gan.generator.non_trainable_variables
        if "moving_mean" in weight.path
    ]
    still = all((mean == 0.0).all() for mean in means)
    assert still == ("inference" in fault)


@pytest.mark.e2e
def test_a_cut_gradient_leaves_the_generator():
    gan, _ = train(loss="hinge", still="generator", still_by="cut")
    generator_alone = gan.generator.trainable_variables
    assert generator_alone
    assert not gan.generator_optimizer.built


@pytest.mark.e2e
def test_a_cross_entropy_takes_what_the_discriminator_gives():
    assert train(loss="cross_entropy")[0].loss_fn.from_logits
    assert not train(loss="cross_entropy", end="sigmoid")[0].loss_fn.from_logits
    assert not train(loss="cross_entropy", from_logits=False)[0].loss_fn.from_logits
