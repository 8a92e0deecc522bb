"""Random pictures, and an Inception of random weights."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def ported(torch_fidelity, tmp_path_factory):
    """torch-fidelity's Inception with random weights, and the file of its weights."""
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patched:
        module = "torch_fidelity.feature_extractor_inceptionv3"
        patched.setattr(f"{module}.load_state_dict_from_url", lambda *_, **__: {})
        patched.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: None)
        network = FeatureExtractorInceptionV3("port", ["2048", "logits_unbiased"])
    for part in network.modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight, 0.4)
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(part.running_mean, 0.0, 0.1)
            torch.nn.init.uniform_(part.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(part.weight, 0.6, 1.1)
            torch.nn.init.normal_(part.bias, 0.0, 0.2)
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(network.state_dict(), path)
    return network, path


@pytest.fixture
def pictures():
    """A function that makes random uint8 images of a shape."""

    def make(count, shape, seed=0):
        generator = np.random.default_rng(seed)
        return generator.integers(0, 256, (count, *shape), np.uint8)

    return make
