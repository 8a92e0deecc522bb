"""Inception: its features are those of torch-fidelity, which runs the port."""

import keras
import numpy as np
import pytest

from ganlab.data.kinds import IMAGES
from ganlab.features import inception, inception_weights


@pytest.mark.e2e
def test_inception_equals_torch_fidelitys_through_its_resize(ported, pictures):
    import torch

    network, path = ported
    keras.config.set_dtype_policy("mixed_float16")  # which must not reach it
    run = inception.feature_function(
        inception.build(inception_weights.read_weights(path))
    )
    for size in (28, 64, 299, 320):
        images = pictures(2, (size, size, 3), seed=size)
        with torch.no_grad():
            channels_first = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
            expected = [output.numpy() for output in network(channels_first)]
        outputs = run(IMAGES.to_network(images))
        assert expected[0].std() > 0.1
        for output, port in zip(outputs, expected, strict=True):
            assert output.shape == port.shape
            np.testing.assert_allclose(output, port, atol=1e-4, err_msg=str(size))
