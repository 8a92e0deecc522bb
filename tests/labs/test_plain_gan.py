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
    gan.run_eagerly = True
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


def one_step(**changes):
    """Which networks one step moves, in eager mode."""
    keras.utils.set_random_seed(0)
    case = Case(0, "keras", "mnist", width=4, latent_dim=4, batch_size=8).replace(
        loss="cross_entropy", discriminator_normalization="none", **changes
    )
    classes = 3 if case.conditional else 0
    networks = [
        build(case, IMAGES.shape[1:], classes)
        for build in (build_generator, build_discriminator)
    ]
    gan = PlainGAN(case, *networks)
    gan.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    before = [network.get_weights() for network in networks]
    data = (IMAGES[:8], np.arange(8, dtype=np.int32) % 3) if classes else IMAGES[:8]
    losses = gan.train_step(keras.tree.map_structure(keras.ops.convert_to_tensor, data))
    moved = [
        any(
            not np.array_equal(old, new)
            for old, new in zip(weights, network.get_weights(), strict=True)
        )
        for weights, network in zip(before, networks, strict=True)
    ]
    return gan, losses, moved


@pytest.mark.e2e
def test_swapped_weights_leave_the_generator():
    gan, _, moved = one_step(swapped_weights=True, generator_normalization="none")
    assert moved == [False, True]
    assert int(gan.generator_optimizer.iterations) == 1


@pytest.mark.e2e
def test_a_discriminator_that_learns_now_and_then_stays_until_then():
    assert one_step(discriminator_every=2)[2] == [True, False]
    assert one_step(discriminator_every=1)[2] == [True, True]


@pytest.mark.e2e
def test_an_average_of_decay_1_stays_while_the_generator_moves():
    gan, _, moved = one_step(average=1.0)
    assert moved == [True, True]
    pairs = zip(gan.generator.weights, gan.trained.weights, strict=True)
    assert any(not np.array_equal(average, weight) for average, weight in pairs)
    assert int(gan.generator_optimizer.iterations) == 1


@pytest.mark.e2e
def test_fixed_latents_draw_the_same_images():
    gan, _, _ = one_step(fixed_latents=True)
    images = [np.asarray(gan.generate(8)) for _ in range(2)]
    np.testing.assert_array_equal(*images)
    gan, _, _ = one_step()
    assert (gan.generate(8) != gan.generate(8)).numpy().any()


@pytest.mark.e2e
@pytest.mark.parametrize(
    "fault",
    [
        {"targets": "near"},
        {"penalty": 1.0, "taped": False},
        {"rescaled_reals": True},
        {"cropped": True},
        {"borrowed_loss": True},
        {"conditional": True, "other_labels": True},
    ],
    ids=lambda fault: next(reversed(fault)),
)
def test_a_fault_of_the_step_leaves_finite_losses(fault):
    _, losses, moved = one_step(**fault)
    assert moved == [True, True]
    assert all(np.isfinite(float(loss)) for loss in losses.values())


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
