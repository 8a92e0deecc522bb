"""Files of ganlab load in Keras, and another backend is refused, in new processes."""

import importlib
import json
import os
import pkgutil
import subprocess
import sys

import keras
import pytest

import ganlab
from ganlab.models.registration import CLASSES, require_tensorflow
from ganlab.objectives.schedules import ScheduledAdam

LOAD = "print(type(keras.saving.load_model(sys.argv[1])).__name__)"
NEEDS_KERAS = [
    "GAN",
    "callbacks",
    "check_gan",
    "dcgan_generator",
    "export_generator",
    "labs",
    "load_gan",
    "networks",
    "train",
]
NEEDS_NONE = [
    "Artifact",
    "UserError",
    "diagnosis",
    "draw_latents",
    "load_data",
    "metrics",
]


def run(program, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", f"import sys; {program}", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A GAN with a layer, a loss, a penalty and an optimizer of ganlab's own."""
    gan = ganlab.GAN(
        ganlab.networks.dcgan_generator(16, 1, latent_dim=8, base_filters=4),
        ganlab.networks.dcgan_discriminator(16, 1, base_filters=4, spectral_norm=True),
    )
    gan.compile(
        ScheduledAdam(1e-3), ScheduledAdam(1e-3), loss="hinge", regularizers="r1"
    )
    path = tmp_path_factory.mktemp("saved") / "gan.keras"
    gan.save(path)
    return path


def test_the_table_lists_every_registered_class():
    for module in pkgutil.walk_packages(ganlab.__path__, "ganlab."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    registered = {
        name.removeprefix("ganlab>"): value
        for name, value in keras.saving.get_custom_objects().items()
        if name.startswith("ganlab>") and value.__module__.startswith("ganlab.")
    }
    listed = {
        name: getattr(importlib.import_module(f"ganlab.{module}"), name)
        for module, names in CLASSES.items()
        for name in names
    }
    assert registered == listed


@pytest.mark.e2e
@pytest.mark.parametrize(
    "imports",
    [
        "import ganlab, keras",
        "import keras, ganlab",
        *(
            pytest.param(imports, marks=pytest.mark.slow)
            for imports in (
                "import keras; from ganlab import networks",
                "from ganlab.networks import dcgan_generator; import keras",
                "from ganlab.objectives import losses; import keras",
                "import importlib.util, ganlab; importlib.util.find_spec('keras'); "
                "import keras",
            )
        ),
    ],
)
def test_importing_ganlab_is_enough_to_load_in_any_order(saved, imports):
    done = run(f"{imports}; {LOAD}", saved)
    assert done.stdout == "GAN\n", done.stderr


@pytest.mark.e2e
def test_keras_alone_says_what_to_import(saved):
    done = run(f"import keras; {LOAD}", saved)
    assert done.returncode != 0
    assert "import ganlab" in done.stderr


def test_importing_ganlab_imports_neither_keras_nor_numpy():
    done = run(
        "import ganlab; print({'keras', 'tensorflow', 'numpy'} & set(sys.modules))"
    )
    assert done.stdout == "set()\n", done.stderr


def test_another_backend_is_refused_before_keras_is_imported():
    done = run(
        "import ganlab\n"
        "for name in sys.argv[1:]:\n"
        "    try: getattr(ganlab, name)\n"
        "    except ganlab.UserError as error: print(name, error)\n"
        "assert 'keras' not in sys.modules",
        *NEEDS_KERAS,
        KERAS_BACKEND="jax",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == NEEDS_KERAS
    assert all("TensorFlow" in line and "jax backend" in line for line in lines)


def test_names_without_keras_do_not_ask_for_its_backend():
    done = run(
        "import ganlab; [getattr(ganlab, name) for name in sys.argv[1:]]",
        *NEEDS_NONE,
        KERAS_BACKEND="jax",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        ({"backend": "torch"}, True),
        ({"backend": "tensorflow"}, False),
        ({"floatx": "float32"}, False),
        ("no JSON", False),  # Keras takes its defaults
        (None, False),
    ],
)
def test_the_backend_of_keras_json(monkeypatch, tmp_path, content, refused):
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "keras")
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "keras.json").write_text(text)
    if refused:
        with pytest.raises(ganlab.UserError, match=r"torch backend, from .*keras.json"):
            require_tensorflow()
    else:
        require_tensorflow()


def test_a_backend_that_is_imported_already_counts(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # too late: it runs on TensorFlow
    require_tensorflow()
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    with pytest.raises(ganlab.UserError, match="torch backend, from Keras, which is"):
        require_tensorflow()


@pytest.mark.parametrize("command", [["check"], ["train", "--steps", "1"]])
def test_the_command_line_refuses_another_backend_in_one_line(tmp_path, command):
    program = "from ganlab.cli.main import main; sys.exit(main(sys.argv[1:]))"
    out = ["--out", tmp_path / "run"] if command[0] == "train" else []
    done = run(program, *command, *out, KERAS_BACKEND="jax")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "TensorFlow" in done.stderr
