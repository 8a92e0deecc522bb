"""ganlab trains GANs with Keras, measures them and ships the generator.

Public names load on first use, so that `ganlab --help` and `ganlab sample`
never import TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {  # public name -> the module that defines it; empty for the module itself
    "Artifact": "artifacts.artifact",
    "GAN": "models.gan",
    "Monitoring": "config.settings",
    "Recipe": "config.settings",
    "UserError": "errors",
    "check_gan": "training.gan_checks",
    "dcgan_discriminator": "networks",
    "dcgan_generator": "networks",
    "export_generator": "artifacts.export",
    "get_preset": "config.presets",
    "load_data": "data.loading",
    "load_gan": "models.saving",
    "draw_latents": "sampling",
    "train": "training.train",
}
_MODULES = {
    "augmentation": "objectives.augmentation",
    "callbacks": "callbacks",
    "diagnosis": "diagnosis",
    "evaluation": "evaluation",
    "features": "features",
    "labs": "labs",
    "losses": "objectives.losses",
    "metrics": "metrics",
    "networks": "networks",
    "regularizers": "objectives.regularizers",
    "pictures": "pictures",
    "sampling": "sampling",
    "schedules": "objectives.schedules",
}

__all__ = [*_HOMES, *_MODULES, "__version__"]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"ganlab.{_MODULES[name]}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"ganlab.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'ganlab' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
