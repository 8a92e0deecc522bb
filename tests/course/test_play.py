"""The game in the browser: its gradients, its thresholds, its failures by name."""

import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.diagnosis import evidence, quality
from ganlab.diagnosis.rules import balance, gradients
from ganlab.objectives import losses

ROOT = Path(__file__).parents[2]
PLAY = ROOT / "docs" / "course" / "pages" / "play"
MAX_BYTES = 500_000
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def site(tmp_path_factory, static_host):
    """The address of the page as the documentation has it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(PLAY, folder / "play")
    (folder / "_static").mkdir()
    for name in ("theme.css", "dom.js"):
        shutil.copy(ROOT / "ganlab" / "pages" / name, folder / "_static")
    with static_host(folder) as url:
        yield f"{url}play/"


@pytest.fixture
def page(chromium, site):
    """The browser with the page; in the end it has asked nobody else, or complained."""
    chromium.open(site)
    chromium.wait("document.body.dataset.state === 'ready'")
    yield chromium
    chromium.check_quiet()


def run_module(page, body):
    """The value of a script that has the page's modules."""
    return page.run(
        "(async () => { const { Game, LOSSES } = await import('./game.js');"
        " const { Network, Adam, Random } = await import('./network.js');"
        " const { BOUNDS, Diagnosis } = await import('./diagnosis.js');"
        f" const {{ PLAYS }} = await import('./plays.js'); {body} }})()"
    )


def test_it_is_small():
    assert sum(path.stat().st_size for path in PLAY.iterdir()) < MAX_BYTES


@pytest.mark.parametrize("activation", ["leaky_relu", "relu", "tanh", "sigmoid"])
def test_gradients_equal_tensorflows(page, activation):
    draws = np.random.default_rng(0)
    points, upstream = draws.normal(size=(5, 2)), draws.normal(size=(5, 3))
    page_values = run_module(
        page,
        f"""const network = new Network([2, 4, 3], "{activation}", new Random(3));
        for (const {{ bias }} of network.layers) bias.set(bias.map((_, i) => i / 9));
        const outputs = network.forward({json.dumps(points.ravel().tolist())}, 5);
        const upstream = {json.dumps(upstream.ravel().tolist())};
        const inputs = network.backward(upstream, 5);
        const pairs = network.parameters().map((pair) => pair.map((x) => [...x]));
        const adam = new Adam(network, .01);
        adam.apply(); adam.apply();
        const moved = network.parameters().map(([x]) => [...x]);
        return {{ outputs: [...outputs], inputs: [...inputs], pairs, moved }};""",
    )
    shapes = [(2, 4), (4,), (4, 3), (3,)]
    variables = [
        tf.Variable(np.reshape(value, shape), dtype=tf.float64)
        for (value, _), shape in zip(page_values["pairs"], shapes, strict=True)
    ]
    activate = {
        "leaky_relu": lambda x: tf.where(x > 0.0, x, 0.2 * x),
        "relu": tf.nn.relu,
        "tanh": tf.tanh,
        "sigmoid": tf.sigmoid,
    }[activation]
    inputs = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        hidden = activate(inputs @ variables[0] + variables[1])
        outputs = hidden @ variables[2] + variables[3]
        loss = tf.reduce_sum(outputs * upstream)
    expected = tape.gradient(loss, [inputs, *variables])
    received = [page_values["inputs"], *(pair[1] for pair in page_values["pairs"])]
    np.testing.assert_allclose(page_values["outputs"], np.ravel(outputs), rtol=1e-12)
    for one, two in zip(received, expected, strict=True):
        np.testing.assert_allclose(one, np.ravel(two), rtol=1e-9, atol=1e-12)
    adam = keras.optimizers.Adam(0.01, beta_1=0.5)
    trained = [keras.Variable(value, dtype="float64") for value in variables]
    for _ in range(2):
        adam.apply([tf.cast(x, "float64") for x in expected[1:]], trained)
    for one, two in zip(page_values["moved"], trained, strict=True):
        np.testing.assert_allclose(one, np.ravel(two.numpy()), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["non_saturating", "minimax", "least_squares", "hinge"]
)
def test_losses_and_slopes_equal_ganlabs(page, name):
    logits = [-3.0, -0.5, 0.25, 2.0]
    received = run_module(
        page,
        f"""const loss = LOSSES.{name}; return Object.fromEntries(Object.keys(loss).map(
        (side) => [side, {json.dumps(logits)}.map(loss[side])]));""",
    )
    loss = losses.get(name)
    for index, logit in enumerate(logits):
        real, fake = (tf.constant([[logit]]) for _ in range(2))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch((real, fake))
            d_loss, g_loss = loss.discriminator(real, fake), loss.generator(real, fake)
        slopes = {
            "real": tape.gradient(d_loss, real),
            "fake": tape.gradient(d_loss, fake),
            "generator": tape.gradient(g_loss, fake),
        }
        for side, slope in slopes.items():
            value = pytest.approx(float(slope[0, 0]), abs=1e-6)
            assert received[side][index][1] == value
        both = received["real"][index][0] + received["fake"][index][0]
        assert both == pytest.approx(float(d_loss), abs=1e-6)
        assert received["generator"][index][0] == pytest.approx(float(g_loss), abs=1e-6)


def test_thresholds_are_those_of_the_rules(page):
    assert run_module(page, "return BOUNDS;") == {
        "warmupSteps": evidence.WARMUP_STEPS,
        "accuracy": balance.ACCURACY.threshold,
        "beliefInFakes": balance.BELIEF_IN_FAKES.threshold,
        "logitGradient": gradients.LOGIT_GRADIENT.threshold,
        "deadUnits": gradients.DEAD_UNITS.threshold,
        "modes": quality.COLLAPSED_FRACTION_OF_MODES,
    }


@pytest.mark.parametrize(
    ("play", "finding"),
    [
        ("balanced", None),
        ("strong", "discriminator_domination"),
        ("saturating", "vanishing_generator_gradient"),
        ("collapse", "mode_collapse"),
        ("dead", "dying_relu"),
    ],
)
def test_each_failure_is_named_and_the_balanced_game_is_healthy(page, play, finding):
    modes, findings = run_module(
        page,
        f"""const game = new Game(PLAYS.{play}.settings);
        const diagnosis = new Diagnosis(game.settings);
        for (let step = 0; step < 300; step++) diagnosis.add(game.step());
        const scores = game.scores();
        const names = diagnosis.findings(scores).map(({{ name }}) => name);
        return [scores.modes_hit, names];""",
    )
    assert findings[:1] == ([] if finding is None else [finding])
    assert (modes == 8) == (finding is None)


def test_the_page_plays_pauses_and_begins_again(page):
    def number():
        text = page.run("document.querySelector('#numbers dd').textContent")
        return int(text.replace(",", ""))

    assert number() == 0
    page.run("document.getElementById('once').click()")
    assert number() == 1
    assert page.run("document.getElementById('findings').textContent") == (
        "From step 200 on."
    )
    page.run("document.querySelector('#plays button[value=collapse]').click()")
    page.wait("document.querySelector('.finding strong')")
    assert page.run("document.querySelector('.finding strong').textContent") == (
        "Mode collapse"
    )
    label = page.run("document.getElementById('plane').ariaLabel")
    assert re.fullmatch(r"Step \d+: fakes at \d of 8 modes", label)
    page.run("document.getElementById('run').click()")
    assert page.run("document.getElementById('running').textContent") == "Paused"
    page.run("document.getElementById('again').click()")
    assert number() == 0
    page.set_value("document.getElementById('data')", "grid", "change")
    assert "of 9 modes" in page.run("document.getElementById('plane').ariaLabel")
    assert page.run("document.getElementById('claim').textContent") == (
        "A game of your own."
    )


def test_keys_alone_are_enough(page):
    page.press("Tab")
    page.press("Enter")
    page.wait("document.getElementById('running').textContent === 'Playing'")
    assert page.run("document.activeElement.value") == "balanced"


def test_a_phone_shows_it_without_scrolling_sideways(chromium, site):
    chromium.open(site, (390, 844), dark=True)
    chromium.wait("document.body.dataset.state === 'ready'")
    assert chromium.run("document.documentElement.scrollWidth") <= 390
