"""Writes the page as a folder that any static host serves: samples without a server.

index.html              the page, bound by a policy of its own
page/                   its parts, the same as a server's but for `source.js`
page/generator.onnx     the generator in float32
page/model.json         what it takes, its card, its directions, its mark
page/onnxruntime.*      onnxruntime-web, a module and WebAssembly
README.md, LICENSE-onnxruntime-web.txt
"""

import json
from pathlib import Path
from typing import Any

from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.card import FORMATS, check_hash
from ganlab.files import atomic_folder, new_folder, write_text
from ganlab.pages.policy import content_policy
from ganlab.provenance.marks import XMP_KEY
from ganlab.serving import onnxruntime_web
from ganlab.serving.card import describe_card
from ganlab.serving.limits import Limits
from ganlab.serving.models import describe_artifact
from ganlab.serving.parts import DOCUMENT, IN_BROWSER

POLICY = content_policy("'self' 'wasm-unsafe-eval'", "'self'", "data:", as_meta=True)
SEED = "@SEED@"  # stands for it in the marks
RUNTIME = dict(
    zip(("onnxruntime.js", "onnxruntime.wasm"), onnxruntime_web.FILES, strict=True)
)
README = """\
# {name}

A page that draws samples of a generator in the browser. It asks nobody but the host of
these files, which may be any host of static files, such as

    python -m http.server --directory .

Opened as a file it does not work, for browsers load no modules from there.

`page/generator.onnx` has the SHA-256 {sha256}.
Every picture that the page saves says that it is generated.
{attribution}
`page/onnxruntime.js` and `page/onnxruntime.wasm` are {package}: see
`LICENSE-onnxruntime-web.txt`.
"""


def check_new_page(directory: Path | str) -> Path:
    """Returns the path of a new page.

    Raises:
        UserError: if something is there.
    """
    return new_folder(directory, "page", "--web")


def write_page(artifact: Artifact, name: str, directory: Path | str) -> None:
    """Writes the folder, whole or not at all.

    Args:
        artifact: The generator, in float32: the same seed has the same pictures as
            `ganlab sample`, within one grey level.
        name: What the page calls it.
        directory: A new or empty folder.

    Raises:
        UserError: if `directory` holds anything, or the generator was changed.
        RunError: if onnxruntime-web cannot be had.
    """
    directory = check_new_page(directory)
    runtime = onnxruntime_web.fetch()
    path = artifact.directory / FORMATS[artifact.format]
    generator = path.read_bytes()
    check_hash(artifact.card, path.name, path, generator)
    attribution = f"\n{artifact.attribution}\n" if artifact.attribution else ""
    package = f"{onnxruntime_web.PACKAGE} {onnxruntime_web.VERSION}"
    texts = {
        "index.html": document(),
        "README.md": README.format(
            name=name, sha256=artifact.sha256, attribution=attribution, package=package
        ),
        "LICENSE-onnxruntime-web.txt": onnxruntime_web.LICENSE,
        **{f"page/{part}": text for part, text in IN_BROWSER.items()},
        "page/model.json": json.dumps(describe(artifact, name)),
    }
    with atomic_folder(directory) as partial:
        for part, text in texts.items():
            write_text(partial / part, text)
        for part, packaged in RUNTIME.items():
            (partial / "page" / part).write_bytes(runtime[packaged])
        (partial / "page" / "generator.onnx").write_bytes(generator)


def document() -> str:
    """The document, with its policy and with all modules that it is to load early."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    parts = ("latents.js", "files.js", "onnxruntime.js")
    early = "".join(
        f'<link rel="modulepreload" href="page/{part}">\n' for part in parts
    )
    charset, script = '<meta charset="utf-8">\n', '<script type="module"'
    return DOCUMENT.replace(charset, f"{charset}{policy}\n").replace(
        script, f"{early}{script}"
    )


def describe(artifact: Artifact, name: str) -> dict[str, Any]:
    """What the page is told of a generator."""
    model = describe_artifact(name, artifact, Limits.max_images)
    mark = artifact.mark(0)
    xmp = mark.xmp.decode().replace('ganlab:seed="0"', f'ganlab:seed="{SEED}"')
    stated = json.loads(mark.json) | {"seed": SEED}
    formats = ["png", "zip"] if artifact.kind.pictorial else ["npz"]
    texts = {XMP_KEY: xmp}
    if artifact.attribution:
        texts["Copyright"] = artifact.attribution
    latents = zip(artifact.latent_names, artifact.latent_shapes, strict=True)
    return {
        "model": {**model.describe(), "formats": formats},
        "sections": describe_card(artifact)["sections"],
        "latents": dict(latents),
        "range": artifact.output_range,
        "directions": model.directions.tolist(),
        "marks": {"png": texts, "json": json.dumps(stated, ensure_ascii=False)},
    }
