"""What does a client have to know? The OpenAPI document of a server.

It is made from the models that are served, so its limits are those that are kept.
"""

from typing import Any

from ganlab import __version__
from ganlab.serving.drawing import MAX_SHIFT, NUM_IMAGES
from ganlab.serving.models import NUM_DIRECTIONS, VERSION
from ganlab.serving.parts import SERVED
from ganlab.serving.service import Service
from ganlab.serving.tensors import DATATYPES
from ganlab.serving.v1 import MEDIA_TYPES, SIGNATURE

Schema = dict[str, Any]

ERRORS = {
    "400": "A mistake in the request.",
    "404": "No such model.",
    "408": "The body came too slowly.",
    "413": "The body is too long.",
    "415": "The body is compressed.",
    "421": "A host that this server does not answer to.",
    "429": "Too busy: ask again after the seconds of Retry-After.",
    "431": "The headers are too long.",
}
OF_BODIES = ("400", "408", "413", "415", "429")
BINARY = {"type": "string", "format": "binary"}


def describe(service: Service) -> Schema:
    """The document of a service, of OpenAPI 3.1."""
    most = max(model.max_images for model in service.models.values())
    text, truth = {"type": "string"}, {"type": "boolean"}
    anything: Schema = {"type": "array", "items": {}}
    schemas = {
        "Error": _object({"error": text}, ["error"]),
        "Sampling": _object(
            {
                "seed": _integer(0, 2**63 - 1),
                "count": _integer(1, most)
                | {"description": f"Images; {NUM_IMAGES} by default."},
                "label": {"type": ["string", "integer"]},
                "truncation": {"type": "number", "exclusiveMinimum": 0},
                "first": _integer(0, most - 1)
                | {"description": "Number of the seed's image to begin with."},
                "last": _integer(0, most - 1)
                | {"description": "Interpolates from image first to this one."},
                "shift": {
                    "description": "Steps along each principal direction.",
                    "type": "array",
                    "items": {
                        "type": "number",
                        "minimum": -MAX_SHIFT,
                        "maximum": MAX_SHIFT,
                    },
                    "maxItems": NUM_DIRECTIONS,
                },
                "format": {"type": "string", "enum": list(MEDIA_TYPES)},
            }
        ),
        "Tensor": _object(
            {
                "name": text,
                "shape": {
                    "type": "array",
                    "items": _integer(1, 2**31 - 1),
                    "minItems": 1,
                    "maxItems": 8,
                },
                "datatype": {"type": "string", "enum": list(DATATYPES)},
                "data": anything,
                "parameters": _object({"binary_data_size": _integer(0, 2**31 - 1)}),
            },
            ["name", "shape", "datatype"],
        ),
        "Inference": _object(
            {
                "id": text | {"maxLength": 200},
                "inputs": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Tensor"},
                    "minItems": 1,
                    "maxItems": 32,
                },
                "outputs": {
                    "type": "array",
                    "items": _object(
                        {"name": text, "parameters": _object({"binary_data": truth})},
                        ["name"],
                    ),
                },
                "parameters": _object(
                    {
                        "binary_data_output": truth,
                        "timeout": _integer(0, 2**63 - 1)
                        | {"description": "Microseconds that it may take."},
                    }
                ),
            },
            ["inputs"],
        ),
        "Prediction": _object(
            {
                "signature_name": {"type": "string", "enum": [SIGNATURE]},
                "instances": anything,
                "inputs": {"type": ["array", "object"]},
            }
        ),
    }
    name = _parameter("name", list(service.models))
    version = _parameter("version", [VERSION])
    paths: Schema = {
        "/v2": _get("Server metadata.", []),
        "/v2/health/live": _get("Whether the server answers.", []),
        "/v2/health/ready": _get("Whether every model is loaded.", []),
        "/v1/models": _get("What is served, and what each takes.", []),
        "/metrics": _get("Metrics for Prometheus.", [], "text/plain"),
        "/openapi.json": _get("This document.", []),
        "/": _get("The page.", [], "text/html"),
        "/page/{file}": _get(
            "A part of the page.", [_parameter("file", list(SERVED))], "text/*"
        ),
        "/v1/models/{name}/card": _get("What a model's card says.", [name]),
        "/v1/models/{name}/directions": _get("Principal directions.", [name]),
        "/v1/models/{name}:sample": _post(
            "Images of a seed: a grid, a zip file of pictures, or an array.",
            [name],
            "Sampling",
            tuple(MEDIA_TYPES.values()),
            required=False,
        ),
    }
    answers = ("application/json", "application/octet-stream")
    for part, parameters in {
        "": [name],
        "/versions/{version}": [name, version],
    }.items():
        v1, v2 = f"/v1/models/{{name}}{part}", f"/v2/models/{{name}}{part}"
        paths |= {
            v2: _get("Model metadata.", parameters),
            f"{v2}/ready": _get("Whether a model is loaded.", parameters),
            f"{v2}/infer": _post(
                "Samples for latents or seeds.", parameters, "Inference", answers
            ),
            v1: _get("The state of a model.", parameters),
            f"{v1}:predict": _post(
                "Samples, as TensorFlow Serving gives them.",
                parameters,
                "Prediction",
                answers[:1],
            ),
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ganlab serve",
            "version": __version__,
            "description": "Samples of generators: the Open Inference Protocol 2, "
            "TensorFlow Serving's :predict, and :sample.",
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _object(properties: Schema, required: list[str] | None = None) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def _integer(minimum: int, maximum: int) -> Schema:
    return {"type": "integer", "minimum": minimum, "maximum": maximum}


def _parameter(name: str, values: list[str]) -> Schema:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "enum": values},
    }


def _responses(media_types: tuple[str, ...], errors: tuple[str, ...]) -> Schema:
    content = {
        kind: {"schema": BINARY if kind not in ("application/json",) else {}}
        for kind in media_types
    }
    answers: Schema = {"200": {"description": "Done.", "content": content}}
    schema = {"$ref": "#/components/schemas/Error"}
    for status in errors:
        answers[status] = {
            "description": ERRORS[status],
            "content": {"application/json": {"schema": schema}},
        }
    return answers


def _get(
    summary: str, parameters: list[Schema], media_type: str = "application/json"
) -> Schema:
    errors = ("404", "421", "431") if parameters else ("421", "431")
    return {
        "get": {
            "summary": summary,
            "parameters": parameters,
            "responses": _responses((media_type,), errors),
        }
    }


def _post(
    summary: str,
    parameters: list[Schema],
    schema: str,
    media_types: tuple[str, ...],
    required: bool = True,
) -> Schema:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    errors = tuple(sorted({*OF_BODIES, "404", "421", "431"}))
    return {
        "post": {
            "summary": summary,
            "parameters": parameters,
            "requestBody": {
                "required": required,
                "content": {"application/json": {"schema": reference}},
            },
            "responses": _responses(media_types, errors),
        }
    }
