"""Writes the scores of a run's best and last step as a Markdown page."""

from collections.abc import Mapping
from typing import Any

from ganlab import metrics
from ganlab.data import kinds


def quality_page(best: Mapping[str, Any], last: Mapping[str, Any], picture: str) -> str:
    """A table of the best and the last step's scores, and which to export.

    Args:
        best: Record of the best step: `step`, `protocol`, `scores`.
        last: Record of the last step.
        picture: Link to the best step's images.
    """
    protocol = last["protocol"]
    lines = [
        "# Quality",
        "",
        f"{protocol['num_images']:,} images of {protocol['data']}, features "
        f"{protocol['extractor']}, protocol `{protocol['fingerprint'][:12]}`. "
        "Brackets: 95 % bootstrap intervals.",
        "",
        f"| | best, step {best['step']:,} | last, step {last['step']:,} |",
        "|---|---|---|",
    ]
    for name in metrics.TITLES:
        if name in last["scores"]:
            title = metrics.display_name(name, protocol["extractor"])
            cells = (_cell(name, record["scores"]) for record in (best, last))
            lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", _conclusion(best, last), ""]
    shape = protocol.get("image_shape")
    if shape and kinds.of_shape(shape).pictorial:
        lines += [f"![Images of the best step]({picture})", ""]
    return "\n".join(lines)


def _cell(name: str, scores: Mapping[str, Any]) -> str:
    return str(metrics.display_score(name, scores[name])) if name in scores else ""


def _conclusion(best: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    if best["step"] == last["step"]:
        return "The last step is the best: go on training with `--resume --steps N`."
    if best["scores"]["fid"]["high"] < last["scores"]["fid"]["low"]:
        return (
            f"The run was better at step {best['step']:,}: export it with "
            "`ganlab export RUN --checkpoint best`."
        )
    return "The best and the last step do not differ by more than chance."
