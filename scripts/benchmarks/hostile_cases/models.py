"""ONNX and Keras files of strangers, within artifacts whose hashes are right."""

import io
import itertools
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ganlab.artifacts.card import describe_generator, hash_files, write_card
from hostile_cases.case import Case

SAMPLE = ("sample", "artifact")
Nodes = list[onnx.NodeProto]


def write_artifact(
    folder: Path, model: onnx.ModelProto | bytes | None, **changes: object
) -> None:
    """Writes an artifact of 8 by 8 images from 4 latents.

    Args:
        folder: Where `artifact` is made.
        model: The content of its ONNX file, or `None` where that is there.
        **changes: What its card states instead.
    """
    artifact = folder / "artifact"
    artifact.mkdir(exist_ok=True)
    if model is not None:
        content = model if isinstance(model, bytes) else model.SerializeToString()
        (artifact / "generator.onnx").write_bytes(content)
    described = describe_generator(
        latent_shapes=[(4,)],
        image_shape=(8, 8, 1),
        class_names=(),
        parameters=0,
        opset=18,
        training={"data": "fashion_mnist"},
    )
    write_card(artifact, described | {"files": hash_files(artifact)} | changes)


def value(name: str, shape: list, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(
    nodes: Nodes,
    latents: str = "latents",
    latent_shape: tuple = (None, 4),
    images: str = "images",
    **constants: object,
) -> onnx.ModelProto:
    """A model; `base`, images of zeros, is there for its nodes."""
    constants = {"to": [-1, 8, 8, 1], "four": np.zeros((4, 64), "f4"), **constants}
    base = [
        helper.make_node("MatMul", [latents, "four"], ["flat"]),
        helper.make_node("Reshape", ["flat", "to"], ["base"]),
    ]
    graph = helper.make_graph(
        [*base, *nodes],
        "graph",
        [value(latents, list(latent_shape))],
        [value(images, [None, None, None, None])],
        [numpy_helper.from_array(np.array(v), k) for k, v in constants.items()],
    )
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


def passed_on(name: str = "images", op_type: str = "Identity") -> Nodes:
    return [helper.make_node(op_type, ["base"], [name])]


def zeros_added(*nodes: onnx.NodeProto) -> Nodes:
    """Nodes that add a sum of as many zeros as the tensor `shape` says."""
    return [
        *nodes,
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["base", "sum"], ["images"]),
    ]


def products(count: int) -> onnx.ModelProto:
    """Products of matrices of 6000 by 6000, which are constants."""
    names = ["zeros", *(f"product_{k}" for k in range(count))]
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["zeros"])]
    nodes += [
        helper.make_node("MatMul", [before, "zeros"], [after])
        for before, after in itertools.pairwise(names)
    ]
    nodes.append(helper.make_node("ReduceSum", [names[-1]], ["sum"], keepdims=0))
    nodes.append(helper.make_node("Add", ["base", "sum"], ["images"]))
    return model_of(nodes, shape=[6000, 6000])


def endless(always: bool = True) -> onnx.ModelProto:
    """A loop without end; or only of batches with a latent above 0."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still"]),
            helper.make_node("Neg", ["x"], ["y"]),
        ],
        "body",
        [
            value("step", [], TensorProto.INT64),
            value("go_on", [], TensorProto.BOOL),
            value("x", None),
        ],
        [value("still", [], TensorProto.BOOL), value("y", None)],
    )
    loop = helper.make_node("Loop", ["", "yes", "base"], ["images"], body=body)
    if always:
        return model_of([loop], yes=True)
    condition = [
        helper.make_node("ReduceMax", ["latents"], ["largest"], keepdims=0),
        helper.make_node("Greater", ["largest", "zero"], ["yes"]),
    ]
    return model_of([*condition, loop], zero=np.float32(0))


def external() -> onnx.ModelProto:
    model = model_of([helper.make_node("Add", ["base", "secret"], ["images"])])
    secret = numpy_helper.from_array(np.zeros((8, 8, 1), "f4"), "secret")
    secret.ClearField("raw_data")
    secret.data_location = TensorProto.EXTERNAL
    secret.external_data.add(key="location", value="secret")
    model.graph.initializer.append(secret)
    return model


def nested() -> onnx.ModelProto:
    nodes = passed_on()
    for _ in range(24):
        body = helper.make_graph(nodes, "body", [], [value("images", None)])
        nodes = [helper.make_node("If", ["yes"], ["images"], then_branch=body)]
    return model_of(nodes, yes=True)


def write_external(folder: Path) -> None:
    (folder / "secret").write_bytes(b"secret! " * 32)
    write_artifact(folder, external())


def write_linked(folder: Path) -> None:
    (folder / "artifact").mkdir()
    os.symlink("/etc/passwd", folder / "artifact" / "generator.onnx")
    write_artifact(folder, None)


def features(content: Callable[[], bytes], name: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        images = np.random.default_rng(0).integers(0, 256, (20, 28, 28, 1), np.uint8)
        np.savez(folder / "images.npz", images=images)
        (folder / name).write_bytes(content())

    return write


def endless_features() -> bytes:
    model = endless()
    model.graph.input[0].CopyFrom(value("latents", [None, 1, 1, 4]))
    return model.SerializeToString()


def keras_file() -> bytes:
    """A Keras file whose layer is a Python function."""
    layer = {
        "class_name": "Lambda",
        "module": "keras.layers",
        "config": {"name": "evil", "function": {"class_name": "__lambda__"}},
    }
    config = {"class_name": "Sequential", "module": "keras", "config": {}}
    config["config"] = {"name": "a", "layers": [layer]}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", b"")
    return file.getvalue()


def of_features(file: str) -> tuple[str, ...]:
    return (
        *("evaluate", "images.npz", "--data", "npz:images.npz"),
        *("--features", file, "--num-images", "10"),
    )


def artifact(name: str, make: Callable[[], onnx.ModelProto | bytes]) -> Case:
    return Case("ONNX", name, lambda folder: write_artifact(folder, make()), SAMPLE)


CASES = [
    artifact("bytes that are no model", lambda: b"no model at all"),
    artifact("an empty file", lambda: b""),
    artifact("a model that breaks off", lambda: products(2).SerializeToString()[:-9]),
    artifact(
        "an unknown operator, of control characters",
        lambda: model_of(passed_on(op_type="NoSuch\x1b[2J")),
    ),
    artifact(
        "an operator of another domain",
        lambda: model_of(
            [helper.make_node("Gelu", ["base"], ["images"], domain="com.microsoft")]
        ),
    ),
    artifact(
        "an operator that draws numbers",
        lambda: model_of(passed_on(op_type="RandomNormalLike")),
    ),
    artifact(
        "no input `latents`", lambda: model_of(passed_on(), latents="other inputs")
    ),
    artifact(
        "latents of an unknown size",
        lambda: model_of(passed_on(), latent_shape=(None, "size")),
    ),
    artifact(
        "latents of 2^40", lambda: model_of(passed_on(), latent_shape=(None, 1 << 40))
    ),
    artifact(
        "images of two dimensions",
        lambda: model_of([helper.make_node("Identity", ["flat"], ["images"])]),
    ),
    artifact(
        "outputs of other names",
        lambda: model_of(passed_on("pictures"), images="pictures"),
    ),
    artifact(
        "19 GB of zeros in 200 bytes",
        lambda: model_of(zeros_added(), shape=[1 << 20, 4600]),
    ),
    artifact(
        "19 GB of zeros for each latent",
        lambda: model_of(
            zeros_added(
                helper.make_node("Shape", ["latents"], ["sizes"]),
                helper.make_node("Mul", ["sizes", "many"], ["shape"]),
            ),
            many=[1 << 20, 1150],
        ),
    ),
    artifact("a loop without end", endless),
    artifact("products without end as it opens", lambda: products(60)),
    artifact("graphs within graphs, 24 deep", nested),
    Case("ONNX", "weights in a file beside", write_external, SAMPLE),
    Case("ONNX", "a link to another file", write_linked, SAMPLE),
    Case(
        "features",
        "an ONNX model of vectors",
        features(lambda: model_of(passed_on()).SerializeToString(), "a.onnx"),
        of_features("model:a.onnx"),
    ),
    Case(
        "features",
        "an ONNX model without end",
        features(endless_features, "a.onnx"),
        of_features("model:a.onnx"),
    ),
    Case(
        "features",
        "a Keras file with a Python function",
        features(keras_file, "a.keras"),
        of_features("model:a.keras"),
    ),
    Case(
        "features",
        "bytes that are no Keras file",
        features(lambda: b"no model", "a.keras"),
        of_features("model:a.keras"),
    ),
    Case(
        "features",
        "bytes that are not Inception's",
        features(lambda: b"\x0a\xff\xff\xff\xff\x0f", "a.pb"),
        of_features("inception:a.pb"),
    ),
    Case(
        "features",
        "weights of PyTorch that are not Inception's",
        features(lambda: b"PK\x03\x04", "a.pth"),
        of_features("inception:a.pth"),
    ),
]
