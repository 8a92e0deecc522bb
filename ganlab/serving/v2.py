"""The Open Inference Protocol, version 2, which Triton's and KServe's clients speak.

Beside the generator's own inputs a request may state `seeds` in the place of latents:
each sample is then the first image of its seed, as `ganlab sample --seed` draws it.

Reference:
    [Open Inference Protocol](https://github.com/kserve/open-inference-protocol)
"""

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from ganlab import __version__, sampling
from ganlab.errors import UserError, brief
from ganlab.serving.models import VERSION, Model
from ganlab.serving.service import Inputs, Service, check_latents, stated_seconds
from ganlab.serving.tensors import (
    check_fields,
    dump_json,
    parse_body,
    read_inputs,
    write_outputs,
)

LENGTH = "Inference-Header-Content-Length"
IMAGES, PIXELS = "images", "pixels"
MAX_ID = 200  # characters


def json_response(document: Any) -> Response:
    """An answer of JSON."""
    return Response(dump_json(document), media_type="application/json")


class V2:
    """The routes of the protocol.

    Args:
        service: What is served.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    async def server(self, request: Request) -> Response:
        """Server metadata."""
        return json_response(
            {
                "name": "ganlab",
                "version": __version__,
                "extensions": ["binary_tensor_data"],
            }
        )

    async def live(self, request: Request) -> Response:
        """Whether the server answers."""
        return json_response({"live": True})

    async def ready(self, request: Request) -> Response:
        """Whether every model is loaded; a server starts with all of them."""
        return json_response({"ready": True})

    async def model_ready(self, request: Request) -> Response:
        """Whether a model is loaded."""
        return json_response({"name": self.service.model(request).name, "ready": True})

    async def model(self, request: Request) -> Response:
        """Model metadata."""
        model = self.service.model(request)
        outputs = {IMAGES: "FP32", PIXELS: "UINT8"}
        return json_response(
            {
                "name": model.name,
                "versions": [VERSION],
                "platform": "onnxruntime_onnx",
                "inputs": [
                    {"name": name, "datatype": kind, "shape": [-1, *shape]}
                    for name, (kind, shape) in inputs_of(model).items()
                ],
                "outputs": [
                    {
                        "name": name,
                        "datatype": outputs[name],
                        "shape": [-1, *model.artifact.image_shape],
                    }
                    for name in outputs_of(model)
                ],
            }
        )

    async def infer(self, request: Request) -> Response:
        """Samples for latents or seeds, and labels."""
        model = self.service.model(request)
        body = await self.service.body(request, model)
        document, binary = parse_body(body, request.headers.get(LENGTH))
        document = check_fields(
            document, ("id", "inputs", "outputs", "parameters"), "an inference request"
        )
        parameters = check_fields(
            document.get("parameters") or {},
            ("binary_data_output", "timeout"),
            "parameters",
        )
        as_binary = _outputs(document.get("outputs"), model, parameters)
        head: dict[str, Any] = {"model_name": model.name, "model_version": VERSION}
        if document.get("id") is not None:
            head["id"] = _id(document["id"])
        datatypes = {name: kind for name, (kind, _) in inputs_of(model).items()}
        arrays = read_inputs(
            document.get("inputs"), binary, {**datatypes, "seeds": "INT64"}
        )
        count = len(next(iter(arrays.values())))
        model.check_count(count, as_text=not all(as_binary.values()))
        inputs = _checked(model, arrays, count)
        samples = await self.service.generate(
            request,
            model,
            count,
            inputs,
            stated_seconds(parameters.get("timeout")),
        )
        made = {IMAGES: samples}
        if PIXELS in as_binary:
            made[PIXELS] = model.artifact.kind.to_stored(
                samples, model.artifact.output_range
            )
        content, length = write_outputs(
            head, {name: made[name] for name in as_binary}, as_binary
        )
        if length is None:
            return Response(content, media_type="application/json")
        return Response(
            content,
            media_type="application/octet-stream",
            headers={LENGTH: str(length)},
        )


def inputs_of(model: Model) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Datatype of each input of a generator, and its shape without the batch."""
    artifact = model.artifact
    inputs = {
        name: ("FP32", shape)
        for name, shape in zip(
            artifact.latent_names, artifact.latent_shapes, strict=True
        )
    }
    return inputs | ({"labels": ("INT32", ())} if artifact.conditional else {})


def outputs_of(model: Model) -> tuple[str, ...]:
    """Names of what a model gives: its numbers and, of images, pixels in uint8."""
    return (IMAGES, PIXELS) if model.artifact.kind.pictorial else (IMAGES,)


def _outputs(outputs: Any, model: Model, parameters: dict[str, Any]) -> dict[str, bool]:
    """Whether each output that is asked for goes in binary; all if none is named."""
    default = _truth(parameters.get("binary_data_output", False))
    if outputs is None or outputs == []:
        return dict.fromkeys(outputs_of(model), default)
    if not isinstance(outputs, list):
        raise UserError(f"Expected outputs, a list. Received: {brief(outputs)}")
    as_binary: dict[str, bool] = {}
    for output in outputs:
        output = check_fields(output, ("name", "parameters"), "an output")
        name = output.get("name")
        if not isinstance(name, str) or name not in outputs_of(model):
            raise UserError(
                f"Expected outputs of: {', '.join(outputs_of(model))}. Received: "
                f"{brief(name)}"
            )
        stated = check_fields(
            output.get("parameters") or {}, ("binary_data",), "an output's parameters"
        )
        as_binary[name] = _truth(stated.get("binary_data", default))
    return as_binary


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UserError(f"Expected true or false. Received: {brief(value)}")
    return value


def _id(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_ID:
        raise UserError(
            f"Expected an id of at most {MAX_ID} characters. Received: {brief(value)}"
        )
    return value


def _checked(model: Model, arrays: dict[str, np.ndarray], count: int) -> Inputs:
    """A function that gives latents and labels, of a request's tensors."""
    artifact = model.artifact
    labels = sampling.given_labels(
        count, len(artifact.class_names), arrays.pop("labels", None)
    )
    if "seeds" not in arrays:
        missing = [name for name in artifact.latent_names if name not in arrays]
        if missing:
            raise UserError(
                f"Expected the tensor {missing[0]}, or seeds in its place. Received: "
                f"{', '.join(arrays) or 'labels alone'}"
            )
        latents = check_latents(model, [arrays[n] for n in artifact.latent_names])
        if len(latents) != count:
            raise UserError(
                f"Expected as many latents as labels. Received: {len(latents)} and "
                f"{count}"
            )
        return lambda: (latents, labels)
    seeds = arrays.pop("seeds")
    if arrays or seeds.ndim != 1 or len(seeds) != count or seeds.min() < 0:
        raise UserError(
            f"Expected seeds of shape [{count}], 0 or more, in the place of latents. "
            f"Received: shape {list(seeds.shape)}, from {seeds.min()}"
            + "".join(f", beside {name}" for name in arrays)
        )
    return lambda: (_drawn(artifact.latent_dim, seeds), labels)


def _drawn(latent_dim: int, seeds: np.ndarray) -> np.ndarray:
    """The first latents of each seed."""
    rows = [sampling.draw_latents(1, latent_dim, int(seed)) for seed in seeds]
    return np.concatenate(rows)
