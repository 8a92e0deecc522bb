"""Sampling as a person asks for it, and TensorFlow Serving's REST interface.

`:sample` answers with a picture, a zip file of pictures or an array, the very ones that
`ganlab sample` writes. `:predict` takes and gives what TensorFlow Serving does for the
artifact's SavedModel.

Reference:
    [TensorFlow Serving's RESTful API](https://www.tensorflow.org/tfx/serving/api_rest)
"""

import io
import json
import zipfile
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from ganlab import pictures, sampling
from ganlab.errors import UserError, brief, unknown_name
from ganlab.provenance.marks import Mark
from ganlab.serving.card import describe_card
from ganlab.serving.drawing import FIELDS, Drawing, read_drawing
from ganlab.serving.models import VERSION, Model
from ganlab.serving.service import Service, check_latents
from ganlab.serving.tensors import DATATYPES, as_numbers, check_fields, parse_json
from ganlab.serving.v2 import inputs_of, json_response

MEDIA_TYPES = {
    "png": "image/png",
    "zip": "application/zip",
    "npy": "application/x-npy",
}
SIGNATURE = "serving_default"
PROVENANCE = "Ganlab-Provenance"
EPOCH = (1980, 1, 1, 0, 0, 0)  # so that equal requests have equal zip files


class V1:
    """The routes of both.

    Args:
        service: What is served.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.cards = {
            name: describe_card(model.artifact)
            for name, model in service.models.items()
        }

    async def models(self, request: Request) -> Response:
        """What is served, and what each takes."""
        return json_response(
            {
                "models": [
                    {**model.describe(), "formats": list(formats_of(model))}
                    for model in self.service.models.values()
                ]
            }
        )

    async def status(self, request: Request) -> Response:
        """The state of a model, as TensorFlow Serving tells it."""
        self.service.model(request)
        state = {
            "version": VERSION,
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        return json_response({"model_version_status": [state]})

    async def card(self, request: Request) -> Response:
        """What a model's card says, as text to show."""
        model = self.service.model(request)
        return json_response({"name": model.name, **self.cards[model.name]})

    async def directions(self, request: Request) -> Response:
        """A model's principal directions, along which `shift` moves."""
        model = self.service.model(request)
        return json_response({"name": model.name, "directions": model.directions})

    async def sample(self, request: Request) -> Response:
        """Images of a seed."""
        model = self.service.model(request)
        body = await self.service.body(request, model)
        fields = check_fields(
            parse_json(body) if body.strip() else {}, (*FIELDS, "format"), "a request"
        )
        format = fields.pop("format", None) or formats_of(model)[0]
        if format not in formats_of(model):
            raise unknown_name("format", format, formats_of(model))
        drawing = read_drawing(model, fields)
        samples = await self.service.generate(
            request, model, drawing.count, drawing.inputs
        )
        mark = model.artifact.mark(drawing.seed)
        content = await self.service.helped(
            lambda: _written(model, samples, drawing, format, mark)
        )
        # An array has no place for it; a header is ASCII.
        headers = {PROVENANCE: json.dumps(json.loads(mark.json))}
        if format != "png":
            headers["Content-Disposition"] = (
                f'attachment; filename="{model.name}.{format}"'
            )
        return Response(content, media_type=MEDIA_TYPES[format], headers=headers)

    async def predict(self, request: Request) -> Response:
        """Samples for latents and labels, by rows or by columns."""
        model = self.service.model(request)
        body = await self.service.body(request, model)
        document = check_fields(
            parse_json(body),
            ("signature_name", "instances", "inputs"),
            "a request",
        )
        if document.get("signature_name", SIGNATURE) != SIGNATURE:
            raise UserError(
                f"Expected the signature {SIGNATURE}. Received: "
                f"{brief(document['signature_name'])}"
            )
        if ("instances" in document) == ("inputs" in document):
            raise UserError(
                "Expected either instances, a row for each image, or inputs, a list "
                f"for each input. Received: {', '.join(document) or 'neither'}"
            )
        by_rows = "instances" in document
        columns = (
            _columns(model, document["instances"]) if by_rows else document["inputs"]
        )
        latents, labels = _predicted(model, columns)
        model.check_count(len(latents), as_text=True)
        samples = await self.service.generate(
            request, model, len(latents), lambda: (latents, labels)
        )
        return json_response({"predictions" if by_rows else "outputs": samples})


def formats_of(model: Model) -> tuple[str, ...]:
    """Formats in which samples can be had; the first is the default."""
    return tuple(MEDIA_TYPES) if model.artifact.kind.pictorial else ("npy",)


def _written(
    model: Model,
    samples: np.ndarray,
    drawing: Drawing,
    format: str,
    mark: Mark,
) -> bytes:
    """A file's bytes, as `ganlab.pictures.save` would write it."""
    artifact = model.artifact
    columns = len(artifact.class_names) if drawing.in_turn else None
    stored = artifact.kind.to_stored(samples, artifact.output_range)
    file = io.BytesIO()
    if format == "png":
        pictures.write_png(pictures.grid(stored, columns), file, mark)
    elif format == "npy":
        np.save(file, stored)
    else:
        with zipfile.ZipFile(file, "w") as archive:
            for name, image in zip(
                pictures.file_names(len(stored), drawing.labels), stored, strict=True
            ):
                picture = io.BytesIO()
                pictures.write_png(image, picture, mark)
                archive.writestr(zipfile.ZipInfo(name, EPOCH), picture.getvalue())
    return file.getvalue()


def _columns(model: Model, instances: Any) -> Any:
    """Rows as columns: an object for each image, or its only input by itself."""
    if not isinstance(instances, list) or not instances:
        raise UserError(
            f"Expected instances, a list of 1 or more. Received: {brief(instances)}"
        )
    if not any(isinstance(instance, dict) for instance in instances):
        return instances
    names = tuple(inputs_of(model))
    rows = [check_fields(row, names, "an instance") for row in instances]
    for row in rows:
        if len(row) != len(names):
            raise UserError(
                f"Expected {', '.join(names)} in each instance. Received: "
                f"{', '.join(row) or 'none'}"
            )
    return {name: [row[name] for row in rows] for name in names}


def _predicted(model: Model, columns: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Latents and labels of columns: an object, or the only input by itself."""
    named = inputs_of(model)
    if not isinstance(columns, dict):
        if len(named) > 1:
            raise UserError(
                f"Expected {', '.join(named)} by name. Received: {brief(columns)}"
            )
        columns = {next(iter(named)): columns}
    check_fields(columns, tuple(named), "inputs")
    arrays = {}
    for name, (kind, _) in named.items():
        if name not in columns:
            raise UserError(
                f"Expected {', '.join(named)}. Received: {', '.join(columns) or 'none'}"
            )
        arrays[name] = as_numbers(name, columns[name], DATATYPES[kind])
    labels = arrays.pop("labels", None)
    latents = check_latents(model, list(arrays.values()))
    classes = sampling.given_labels(
        len(latents), len(model.artifact.class_names), labels
    )
    return latents, classes
