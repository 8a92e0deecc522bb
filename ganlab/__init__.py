"""ganlab trains GANs and VAEs with Keras, measures them and ships the generator.

Public names load on first use, so that `ganlab --help` and `ganlab sample`
never import TensorFlow. Files of ganlab's classes load in Keras from the import of
both on, in either order.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {  # public name -> the module that defines it; empty for the module itself
    "Artifact": "artifacts.artifact",
    "GAN": "models.gan",
    "Monitoring": "config.settings",
    "Recipe": "config.settings",
    "Translator": "models.translator",
    "UserError": "errors",
    "VAE": "models.vae",
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
    "likelihoods": "objectives.likelihoods",
    "losses": "objectives.losses",
    "metrics": "metrics",
    "networks": "networks",
    "regularizers": "objectives.regularizers",
    "pictures": "pictures",
    "sampling": "sampling",
    "schedules": "objectives.schedules",
}

_WITH_KERAS = (
    "artifacts.export",
    "callbacks",
    "evaluation",
    "labs",
    "models",
    "networks",
    "objectives",
    "training",
)

__all__ = [*_HOMES, *_MODULES, "__version__"]


# Not by an import statement: the package stands below every layer.
_registration = importlib.import_module("ganlab.models.registration")
_registration.register_with_keras()


def __getattr__(name):
    home = _MODULES.get(name) or _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'ganlab' has no attribute {name!r}")
    if home.startswith(_WITH_KERAS):
        _registration.require_tensorflow()
    module = importlib.import_module(f"ganlab.{home}")
    return module if name in _MODULES else getattr(module, name)


def __dir__():
    return sorted(__all__)
