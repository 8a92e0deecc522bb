"""ganlab trains GANs with Keras, measures them and ships the generator.

Public names load on first use, so that `ganlab --help` and `ganlab sample`
never import TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "Artifact": "inference",
    "GAN": "gan",
    "TrainConfig": "config",
    "UserError": "errors",
    "dcgan_discriminator": "networks",
    "dcgan_generator": "networks",
    "export_generator": "export",
    "load_data": "data.image_data",
    "train_gan": "train",
}
_MODULES = (
    "augment",
    "callbacks",
    "checks",
    "diagnosis",
    "evaluation",
    "features",
    "labs",
    "losses",
    "metrics",
    "networks",
    "regularizers",
    "report",
    "rescue",
    "samples",
    "schedules",
    "signals",
)

__all__ = [*_HOMES, *_MODULES, "__version__"]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"ganlab.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"ganlab.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'ganlab' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
