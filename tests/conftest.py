"""Fixtures: two CPU devices, a fresh policy and seed, a small GAN and data."""

import contextlib
import datetime
import functools
import http.server
import os
import runpy
import signal
import threading
import warnings
from pathlib import Path

# OpenMP's threads wait by spinning: beside a process for each core they take its time.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks

# nohup and background jobs of a shell ignore them, and so would the tests' processes.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Nothing is read from the user's cache, or left in it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def torch_fidelity():
    """The torch_fidelity package.

    Its torchvision is built for CUDA, and without it stops at operators that
    nothing here calls; so they are declared.
    """
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor a, Tensor b, float c) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch_fidelity
    yield torch_fidelity
    del library


@pytest.fixture(scope="session")
def write_signer():
    """A function that writes the PEM files of a signer and of who vouches for it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    kinds = {
        "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ps256": lambda: rsa.generate_private_key(65537, 2048),
    }

    def write(folder, kind="es256"):
        authority_key, key = kinds["es256"](), kinds[kind]()
        authority = _certificate("Authority", authority_key, authority_key)
        person = _certificate("Person", key, authority_key)
        pem = serialization.Encoding.PEM
        private = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = [of.public_bytes(pem) for of in (person, authority)]
        (folder / f"{kind}.pem").write_bytes(private + b"".join(chain))
        (folder / f"{kind}-authority.pem").write_bytes(chain[1])
        return folder / f"{kind}.pem", folder / f"{kind}-authority.pem"

    return write


def _certificate(name, key, authority_key):
    """The certificate of a person's key, or of an authority's own."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    is_authority = key is authority_key
    names = {
        text: x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"),
                x509.NameAttribute(NameOID.COMMON_NAME, text),
            ]
        )
        for text in (name, "Authority")
    }
    usages = (not is_authority, *[False] * 4, is_authority, *[False] * 3)
    own, vouching = key.public_key(), authority_key.public_key()
    identifiers = x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder(names["Authority"], names[name], own)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(is_authority, None), True)
        .add_extension(x509.KeyUsage(*usages), True)
        .add_extension(identifiers[0].from_public_key(own), False)
        .add_extension(identifiers[1].from_issuer_public_key(vouching), False)
    )
    if not is_authority:
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, False)
    return builder.sign(authority_key, hashes.SHA256())


def half_precision_is_cut_off() -> bool:
    """Whether oneDNN may not use what TensorFlow counts on in half precision.

    Held to AVX2 on a CPU that has AVX512, oneDNN has no kernel for what TensorFlow
    hands to it, and the process may end. A CPU without AVX512 gets TensorFlow's own.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    limited = limit in ("SSE41", "AVX", "AVX2", "AVX2_VNNI")
    enabled = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    flags = Path("/proc/cpuinfo")
    return limited and enabled and flags.exists() and "avx512" in flags.read_text()


@pytest.fixture(autouse=True)
def _fresh_keras(monkeypatch):
    keras.utils.set_random_seed(0)
    if half_precision_is_cut_off():
        set_dtype_policy = keras.config.set_dtype_policy

        def set_or_skip(policy):
            if "16" in str(policy):
                pytest.skip("oneDNN is held to AVX2, and has no half precision there")
            set_dtype_policy(policy)

        monkeypatch.setattr(keras.config, "set_dtype_policy", set_or_skip)
    yield
    keras.config.set_dtype_policy("float32")
    keras.backend.clear_session(free_memory=False)


@pytest.fixture
def make_gan():
    """A function that builds a small compiled GAN of 16-pixel images."""

    def make(num_classes=None, optimizer=keras.optimizers.Adam, **options):
        shape = {"num_classes": num_classes, "base_filters": 4}
        compiled = {
            key: options.pop(key)
            for key in (
                "loss",
                "discriminator_steps",
                "regularizers",
                "augmentation",
                "instance_noise",
                "skip_non_finite",
            )
            if key in options
        }
        generator = options.pop("generator", {})
        gan = GAN(
            networks.dcgan_generator(16, 1, latent_dim=8, **shape, **generator),
            networks.dcgan_discriminator(16, 1, **shape),
            num_classes=num_classes,
            **options,
        )
        gan.compile(optimizer(1e-3), optimizer(1e-3), **compiled)
        return gan

    return make


@pytest.fixture
def images():
    """Sixteen float32 images in [-1, 1] and their labels of three classes."""
    draws = np.random.default_rng(0)
    pixels = draws.uniform(-1, 1, (16, 16, 16, 1)).astype("float32")
    return pixels, (np.arange(16) % 3).astype("int32")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """What `python -m http.server` answers with, without its log."""

    def log_message(self, *arguments):
        """Says nothing."""


@pytest.fixture(scope="session")
def static_host():
    """A context manager that serves a folder, and gives its address."""

    @contextlib.contextmanager
    def serve(folder):
        handler = functools.partial(Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/"
            server.shutdown()
            thread.join()

    return serve


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A browser without a window."""
    driver = runpy.run_path(str(Path(__file__).with_name("chromium.py")))
    if driver["BROWSER"] is None:
        pytest.skip("there is no Chromium")
    browser = driver["Chromium"](tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def perturb():
    """A function that moves a network's weights away from their first values."""

    def perturb(network, scale=0.05, seed=0):
        random = np.random.default_rng(seed)
        for weight in network.weights:
            noise = scale * random.standard_normal(weight.shape)
            noise = np.abs(noise) if "variance" in weight.path else noise
            weight.assign(weight + noise.astype("float32"))

    return perturb


@pytest.fixture(scope="session")
def strategy():
    """Two CPU devices as one; TensorFlow allows one such strategy a process."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(scope="session")
def translated(tmp_path_factory, perturb):
    """A translator from grey to colour with dropout, its artifact's folder and card."""
    from ganlab import Translator
    from ganlab.artifacts.translators import export_translator

    keras.utils.set_random_seed(0)
    translator = Translator(
        networks.unet_generator(
            (16, 24), source_channels=1, base_filters=4, stages=2, dropout=0.5
        ),
        networks.patch_discriminator(
            (16, 24), source_channels=1, base_filters=4, stages=1
        ),
    )
    perturb(translator.ema_generator)
    translator.step.assign(1)
    directory = tmp_path_factory.mktemp("translated") / "artifact"
    card = export_translator(
        translator,
        directory,
        training={"data": "task:grey:folder:photos"},
        attribution="painted by me",
    )
    return translator, directory, card
