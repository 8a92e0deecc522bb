"""A training in MLflow: what it was set to, its numbers, and a generator that draws."""

import sys

import numpy as np
import onnxruntime
import pytest

from ganlab import sampling
from ganlab.callbacks import MLflow
from ganlab.errors import UserError


def test_without_mlflow_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'ganlab\[mlflow\]'"):
        MLflow()


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    """MLflow with a store of its own."""
    folder = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patched.chdir(folder)
        module = pytest.importorskip("mlflow")
        pytest.importorskip("mlflow.onnx")
        module.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        yield module
        while module.active_run():
            module.end_run()


@pytest.mark.e2e
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::ResourceWarning")
def test_a_run_has_settings_numbers_and_a_generator(mlflow, make_gan, images):
    gan = make_gan(num_classes=3)
    gan.run_eagerly = True
    callback = MLflow({"loss": "hinge"}, "shapes", "first")
    gan.fit(*images, batch_size=8, epochs=2, verbose=0, callbacks=[callback])
    client = mlflow.MlflowClient()
    run = client.get_run(callback.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "first"
    assert run.data.params == {"loss": "hinge"}
    history = client.get_metric_history(callback.run_id, "d_loss")
    assert [metric.step for metric in history] == [2, 4]
    address = f"runs:/{callback.run_id}/generator"
    signature = mlflow.models.get_model_info(address).signature
    inputs = {spec.name: (spec.type, spec.shape) for spec in signature.inputs}
    assert inputs == {
        "latents": (np.dtype("float32"), (-1, 8)),
        "labels": (np.dtype("int32"), (-1,)),
    }
    model = mlflow.onnx.load_model(address)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    latents = sampling.draw_latents(4, 8, seed=3)
    labels = np.array([0, 1, 2, 0], np.int32)
    (drawn,) = session.run(["images"], {"latents": latents, "labels": labels})
    np.testing.assert_allclose(drawn, gan.generate(latents, labels), atol=1e-4)


@pytest.mark.e2e
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_another_model_has_no_generator(mlflow):
    import keras

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    data = np.zeros((4, 2), np.float32), np.zeros((4, 1), np.float32)
    with pytest.raises(UserError, match="Received: Sequential; pass generator=False"):
        model.fit(*data, verbose=0, callbacks=[MLflow()])
    callback = MLflow(generator=False)
    model.fit(*data, verbose=0, callbacks=[callback])
    run = mlflow.MlflowClient().get_run(callback.run_id)
    assert set(run.data.metrics) == {"loss"}
