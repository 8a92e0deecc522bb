"""What does a diagnosis look like on one page?

`report.json` for programs, `report.md` for a terminal or a pull request, and
`report.html`, which holds its pictures and needs no network. The verdict comes
first, then what to change, then the evidence.
"""

import base64
import html
import io
import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from ganlab import diagnosis
from ganlab.config import PRESETS, TrainConfig, get_preset

FLAGS = (
    "data",
    "loss",
    "regularizer",
    "augmentation",
    "network",
    "precision",
    "image_size",
    "batch_size",
    "steps",
    "seed",
)
COLORS = {"critical": "#b3261e", "warning": "#b26a00", "note": "#3b5b92"}
MOST_POINTS = 400
OVERVIEW = {
    "losses": ("d_loss", "g_loss"),
    "D(x) and D(G(z))": ("d_real", "d_fake"),
    "Fréchet distance": ("frechet_distance",),
    "precision, recall, coverage": ("precision", "recall", "coverage"),
    "spread of fakes over real": ("pairwise_ratio", "nearest_ratio"),
    "modes hit": ("modes_hit",),
}
STRIP_HEIGHT = 120
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1c1b1f;max-width:60rem;margin:2rem auto;
padding:0 1rem;background:#fff}
h1{font-size:1.3rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
h3{font-size:1rem;margin:0}
.verdict{border-left:.5rem solid var(--c);background:#f6f5f7;padding:1rem 1.2rem;
margin:1rem 0;font-size:1.15rem}
.finding{border:1px solid #ddd;border-left:.4rem solid var(--c);padding:.9rem 1.1rem;
margin:.9rem 0}
.tag{color:#fff;background:var(--c);padding:.05rem .5rem;border-radius:.6rem;
font-size:.8rem;margin-left:.5rem}
.dim{color:#5f5e62;font-size:.9rem}
pre{background:#f0eff1;padding:.8rem;overflow-x:auto;font-size:.85rem;
white-space:pre-wrap;word-break:break-word}
table{border-collapse:collapse}td,th{padding:.25rem .9rem .25rem 0;text-align:left;
vertical-align:top}
svg{width:100%;max-width:44rem;height:auto}
.charts{display:flex;flex-wrap:wrap;gap:.5rem}.charts>*{flex:1 1 26rem;min-width:0}
img{image-rendering:pixelated;max-width:100%}
"""


@dataclass(frozen=True)
class Report:
    """What is known of a run.

    Args:
        log: The `ganlab.diagnosis.Log`.
        findings: A list of `ganlab.diagnosis.Finding`s, the worst first.
        best: A dict of `step`, `frechet_distance` and `path`, or `None`.
        trials: What `ganlab.remedies` found, or an empty list.
    """

    log: diagnosis.Log
    findings: list[diagnosis.Finding]
    best: dict | None
    trials: list[dict] = field(default_factory=list)

    @property
    def severity(self):
        """The worst finding's, or `None`."""
        return self.findings[0].severity if self.findings else None

    @property
    def verdict(self):
        """One sentence."""
        log, serious = self.log, [f for f in self.findings if f.severity != "note"]
        steps = f"{log.last_step:,} steps"
        if not log.series or (log.last_step == 0 and not serious):
            return "Nothing to judge: " + "; ".join(
                log.problems or ["the log is empty"]
            )
        if not serious:
            more = "".join(f"; {each.failure.title}" for each in self.findings)
            unread = f" ({'; '.join(log.problems)})" if log.problems else ""
            return f"Healthy: no failure found in {steps}{more}{unread}."
        state = "Failing" if self.severity == "critical" else "At risk"
        named = "; ".join(
            f"{each.failure.title}, since step {each.since_step:,}" for each in serious
        )
        return f"{state}: {named}."

    @property
    def command(self):
        """The command line that trains anew with the first remedy, or `None`."""
        first = next((each for each in self.findings if each.changes), None)
        if first is None or self.log.foreign:
            return None
        return train_command(self.log, first.changes)

    def timeline(self):
        """Pairs of a step and what happened there, in order."""
        log = self.log
        happened = [(each.since_step, each.failure.title) for each in self.findings]
        happened += [(each["step"], _event_text(each)) for each in log.events]
        if self.best is not None:
            distance = self.best["frechet_distance"]
            happened.append(
                (self.best["step"], f"best: Fréchet distance {distance:.3g}")
            )
        happened.append((log.last_step, "last step logged"))
        return sorted(happened, key=lambda each: each[0])

    def as_dict(self):
        """JSON values."""
        return {
            "verdict": self.verdict,
            "findings": [each.as_dict() for each in self.findings],
            "best_checkpoint": self.best,
            "command": self.command,
            "timeline": [
                {"step": step, "what": what} for step, what in self.timeline()
            ],
            "trials": self.trials,
            "problems": self.log.problems,
            "source": str(self.log.source),
            "steps": self.log.last_step,
        }


def examine(path):
    """Reads a run folder or CSV file and diagnoses it.

    Returns:
        A `Report`.

    Raises:
        UserError: see `ganlab.diagnosis.read`.
    """
    log = diagnosis.read(path)
    return Report(log, diagnosis.diagnose(log), _best(log), _trials(log))


def _trials(log):
    path = log.source / "trials" / "trials.json"
    if log.foreign or not path.is_file():
        return []
    return json.loads(path.read_text(encoding="utf-8"))


def _best(log):
    if not log.foreign:
        try:
            path = log.source / "checkpoints" / "best.json"
            found = json.loads(path.read_text(encoding="utf-8"))
            return {
                "step": int(found["step"]),
                "frechet_distance": float(found["scores"]["frechet_distance"]["value"]),
                "path": str(path.with_suffix(".keras")),
            }
        except (OSError, ValueError, KeyError, TypeError):
            pass  # not there: the log may know the step
    series = log.get("frechet_distance")
    if series is None:
        return None
    lowest = int(np.argmin(series.values))
    return {
        "step": int(series.steps[lowest]),
        "frechet_distance": float(series.values[lowest]),
        "path": None,
    }


def train_command(log, changes, suffix="-remedy"):
    """The `ganlab train` command of a run with some settings changed.

    Args:
        log: The `ganlab.diagnosis.Log` of a run of ganlab.
        changes: A dict of settings.
        suffix: What the name of the new run folder ends on.
    """
    settings = log.settings
    preset = settings.get("preset")
    if preset not in PRESETS:
        preset = "dcgan"
    known = {k: v for k, v in settings.items() if k in TrainConfig.__dataclass_fields__}
    config = TrainConfig(**known)
    base = get_preset(preset).replace(
        data=config.data, regularizer=config.regularizer, network=config.network
    )
    base = base.completed(config.image_size, config.channels).as_dict()
    plain = get_preset(preset).as_dict()
    for name in ("data", "regularizer", "network"):
        base[name] = plain[name]
    base["network"] = base["network"] or (
        "mlp" if config.image_size is None else "dcgan"
    )
    # Left out, it is whether the data has classes.
    base["conditional"] = True if config.image_size is not None else config.conditional
    if config.data.startswith(("folder:", "tfds:")):
        base["image_size"] = None
    wanted = config.as_dict() | changes
    words = ["ganlab", "train"]
    if preset != "dcgan":
        words += ["--preset", preset]
    for name, value in wanted.items():
        if name == "preset" or value == base[name]:
            continue
        if name == "conditional":
            words.append("--conditional" if value else "--no-conditional")
        elif name == "flip" and value:
            words.append("--flip")
        elif name in FLAGS and value is not None:
            words += [f"--{name.replace('_', '-')}", _word(value)]
        else:
            words += ["--set", f"{name}={_word(value)}"]
    words += ["--out", f"{log.source}{suffix}"]
    return shlex.join(words)


def _word(value):
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def _event_text(event):
    about = {k: v for k, v in event.items() if k not in ("step", "seconds", "event")}
    said = ", ".join(f"{key} {value}" for key, value in about.items())
    return f"{event['event'].replace('_', ' ')}{': ' if said else ''}{said}"


def write(report, directory):
    """Writes `report.html`, `report.md` and `report.json`.

    Args:
        report: A `Report`.
        directory: A folder that exists.

    Returns:
        The `Path` of the HTML page.
    """
    directory = Path(directory)
    text = json.dumps(report.as_dict(), indent=2, ensure_ascii=False) + "\n"
    (directory / "report.json").write_text(text, encoding="utf-8")
    (directory / "report.md").write_text(as_markdown(report), encoding="utf-8")
    page = directory / "report.html"
    page.write_text(as_html(report), encoding="utf-8")
    return page


def as_markdown(report):
    """The report as text."""
    lines = [f"# {report.log.source}", "", f"**{report.verdict}**", ""]
    if report.best is not None:
        lines += [f"Best checkpoint: {_best_text(report.best)}.", ""]
    if report.command:
        lines += ["What to change:", "", "```bash", report.command, "```", ""]
    for each in report.findings:
        lines += [
            f"## {each.failure.title} ({each.severity})",
            "",
            f"`{each.name}`, since step {each.since_step:,}, confidence "
            f"{each.confidence:.2f}",
            "",
            *(f"- {one['says']}" for one in each.evidence),
            "",
            each.failure.why,
            "",
            f"**Remedy:** {each.failure.remedy}{_settings_text(each.changes)}",
            "",
        ]
    lines += _trials_table(report.trials)
    quality = _quality(report.log)
    if quality:
        lines += [quality.replace("# Quality", "## Quality").rstrip(), ""]
    lines += ["## Timeline", "", "| step | what |", "|---|---|"]
    lines += [f"| {step:,} | {what} |" for step, what in report.timeline()]
    lines += ["", *(f"*{problem}*" for problem in report.log.problems)]
    return "\n".join(lines).rstrip() + "\n"


def _quality(log):
    """The table of scores that a run of ganlab wrote at its end, or nothing."""
    path = log.source / "quality.md"
    if log.foreign or not path.is_file():
        return ""
    return path.read_text(encoding="utf-8", errors="replace")


def _best_text(best):
    where = f", `{best['path']}`" if best["path"] else ""
    return (
        f"step {best['step']:,}, Fréchet distance {best['frechet_distance']:.3g}{where}"
    )


def _settings_text(changes):
    if not changes:
        return ""
    said = " ".join(f"{key}={_word(value)}" for key, value in changes.items())
    return f" (`{said}`)"


def _trials_table(trials):
    if not trials:
        return []
    lines = [
        "## Remedies tried",
        "",
        "| branch | settings | Fréchet distance | findings left |",
        "|---|---|---|---|",
    ]
    for each in trials:
        distance = each["frechet_distance"]
        shown = "none" if distance is None else f"{distance:.3g}"
        kept = " **kept**" if each["kept"] else ""
        lines.append(
            f"| {each['name']}{kept} | {_settings_text(each['changes']).strip(' ()')} "
            f"| {shown} | {', '.join(each['findings']) or 'none'} |"
        )
    return [*lines, ""]


def as_html(report):
    """The report as one page without links to anything else."""
    log, esc = report.log, html.escape
    color = COLORS.get(report.severity, "#2e6b34")
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{esc(log.source.name)}: diagnosis</title><style>{STYLE}</style>",
        f'<h1>{esc(str(log.source))}</h1><div class="verdict" style="--c:{color}">'
        f"{esc(report.verdict)}</div>",
    ]
    if report.best is not None:
        text = esc(_best_text(report.best).replace("`", ""))
        parts.append(f"<p>Best checkpoint: {text}</p>")
    if report.command:
        parts.append(
            f"<h2>What to change</h2><pre>{esc(report.command)}</pre><p class=dim>"
            "One change at a time: this is the first finding's remedy.</p>"
        )
    parts += [_strips(report), _trials_html(report.trials)]
    if report.findings:
        parts.append("<h2>Findings</h2>")
    for each in report.findings:
        evidence = "".join(f"<li>{esc(one['says'])}</li>" for one in each.evidence)
        parts.append(
            f'<div class="finding" style="--c:{COLORS[each.severity]}">'
            f"<h3>{esc(each.failure.title)}<span class=tag>{each.severity}</span></h3>"
            f"<p class=dim>{each.name}, since step {each.since_step:,}, confidence "
            f"{each.confidence:.2f}</p><ul>{evidence}</ul>"
            f"{_evidence_chart(log, each)}<p>{esc(each.failure.why)}</p>"
            f"<p><b>Remedy.</b> {esc(each.failure.remedy)}"
            f"{esc(_settings_text(each.changes).replace('`', ''))}</p>"
            f"<p class=dim>{esc(each.failure.source)}</p></div>"
        )
    rows = "".join(
        f"<tr><td>{step:,}</td><td>{esc(what)}</td></tr>"
        for step, what in report.timeline()
    )
    parts.append(f"<h2>Timeline</h2><table>{rows}</table>")
    charts = "".join(
        _chart(log, [(name, None) for name in names], title)
        for title, names in OVERVIEW.items()
    )
    parts.append(f'<h2>The run</h2><div class="charts">{charts}</div>')
    parts.append(_quality_html(_quality(log)))
    if log.settings:
        rows = "".join(
            f"<tr><td>{esc(key)}</td><td><code>{esc(str(value))}</code></td></tr>"
            for key, value in log.settings.items()
        )
        parts.append(
            f"<details><summary>Settings</summary><table>{rows}</table></details>"
        )
    parts += [f"<p class=dim>{esc(problem)}</p>" for problem in log.problems]
    return "\n".join(parts) + "</html>\n"


def _quality_html(text):
    rows, said = [], []
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [html.escape(cell.strip()) for cell in line.strip("|").split("|")]
            if not set(line) <= set("|-"):
                rows.append("<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
        elif line and not line.startswith(("#", "!")):
            said.append(f"<p class=dim>{html.escape(line.replace('`', ''))}</p>")
    if not rows:
        return ""
    return f"<h2>Quality</h2><table>{''.join(rows)}</table>{''.join(said)}"


def _trials_html(trials):
    if not trials:
        return ""
    rows = []
    for each in trials:
        distance = each["frechet_distance"]
        cells = [
            each["name"] + (" (kept)" if each["kept"] else ""),
            _settings_text(each["changes"]).strip(" ()`"),
            "none" if distance is None else f"{distance:.3g}",
            ", ".join(each["findings"]) or "none",
        ]
        rows.append("".join(f"<td>{html.escape(cell)}</td>" for cell in cells))
    return (
        "<h2>Remedies tried</h2><table><tr><th>branch<th>settings<th>Fréchet distance"
        f"<th>findings left</tr><tr>{'</tr><tr>'.join(rows)}</tr></table>"
    )


def _evidence_chart(log, finding):
    wanted = []
    for each in finding.evidence:
        names = re.split(r" - |, ", each["signal"])
        names = ["d_accuracy_fake"] if names == ["d_accuracy"] else names
        wanted += [(name, each["threshold"]) for name in names if name in log.series]
    return _chart(log, wanted, "", since=finding.since_step)


def _chart(log, wanted, title, since=None):
    """Series with their thresholds as inline SVG; nothing if none was logged."""
    found = [
        (name, threshold, series)
        for name, threshold in wanted
        if (series := log.get(name, 2)) is not None
    ]
    if not found:
        return ""
    figure = Figure(figsize=(6, 2.3), layout="constrained")
    axes = figure.add_subplot()
    every = np.concatenate([series.values for _, _, series in found])
    positive = every.min() > 0 and every.max() / every.min() > 50
    for index, (name, threshold, series) in enumerate(found):
        stride = -(-len(series) // MOST_POINTS)
        axes.plot(
            series.steps[::stride],
            series.values[::stride],
            ".-",
            markersize=3,
            linewidth=1.2,
            color=f"C{index}",
            label=name,
        )
        if threshold is not None and since is not None:
            axes.axhline(threshold, color=f"C{index}", linestyle=":", linewidth=1)
    if since is not None:
        axes.axvline(since, color=COLORS["critical"], linestyle="--", linewidth=1)
    if positive:
        axes.set_yscale("log")
    axes.legend(fontsize=7, frameon=False, loc="best")
    axes.set_title(title, fontsize=9)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    file = io.StringIO()
    salt = f"{title}{since}{[name for name, _ in wanted]}"
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None})
    text = file.getvalue()
    return f"<div>{text[text.index('<svg') :]}</div>"


def _strips(report):
    """Samples at the turning points, from the run's own grids."""
    if report.log.foreign:
        return ""
    grids = {}
    for path in sorted((report.log.source / "samples").glob("step-*.png")):
        if match := re.fullmatch(r"step-(\d+)", path.stem):
            grids[int(match.group(1))] = path
    if not grids:
        return ""
    last = max(grids)
    turns = {last: "last"}
    if report.best is not None:
        turns[_nearest(grids, report.best["step"])] = "best"
    for each in report.findings[:3]:
        turns.setdefault(_nearest(grids, each.since_step), each.failure.title)
    middle = _nearest(grids, last // 2)
    turns.setdefault(middle, "halfway")
    rows = []
    for step in sorted(turns):
        try:
            with Image.open(grids[step]) as opened:
                picture = opened.convert("RGB")
        except OSError:
            continue  # a picture that broke off
        points = report.log.settings.get("data") in ("ring", "grid")
        height = picture.height if points else min(STRIP_HEIGHT, picture.height)
        picture = picture.crop((0, 0, picture.width, height))
        if points:
            picture.thumbnail((360, 360))
        file = io.BytesIO()
        picture.save(file, "PNG")
        data = base64.b64encode(file.getvalue()).decode()
        label = html.escape(f"step {step:,}: {turns[step]}")
        rows.append(
            f'<div><p class=dim>{label}</p><img alt="{label}" '
            f'src="data:image/png;base64,{data}"></div>'
        )
    return (
        '<h2>Samples at the turning points</h2><div class="charts">'
        f"{''.join(rows)}</div>"
    )


def _nearest(grids, step):
    return min(grids, key=lambda each: abs(each - step))


def compare(first, second):
    """What differs between two runs, as Markdown.

    Args:
        first: A `Report`.
        second: Another.
    """
    sides = (first, second)
    names = [str(each.log.source) for each in sides]
    lines = [f"# {names[0]} and {names[1]}", "", f"| | {names[0]} | {names[1]} |"]
    lines += ["|---|---|---|", f"| verdict | {first.verdict} | {second.verdict} |"]
    best = [_best_text(each.best) if each.best else "" for each in sides]
    lines.append(f"| best | {best[0]} | {best[1]} |")
    found = [{each.name: each for each in side.findings} for side in sides]
    for name in dict.fromkeys([*found[0], *found[1]]):
        cells = [
            f"{side[name].severity}, since {side[name].since_step:,}"
            if name in side
            else "no"
            for side in found
        ]
        lines.append(f"| {diagnosis.FAILURES[name].title} | {cells[0]} | {cells[1]} |")
    settings = [side.log.settings for side in sides]
    for key in dict.fromkeys([*settings[0], *settings[1]]):
        cells = [side.get(key) for side in settings]
        if cells[0] != cells[1]:
            lines.append(f"| `{key}` | `{cells[0]}` | `{cells[1]}` |")
    return "\n".join(lines) + "\n"


def compare_html(first, second):
    """The same as one page, each chart of both runs side by side."""
    esc = html.escape
    table = compare(first, second).splitlines()[2:]
    rows = []
    for line in table:
        if line.startswith("|---"):
            continue
        cells = [esc(cell.strip().strip("`")) for cell in line.strip("|").split("|")]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    charts = "".join(
        _chart(
            side.log, [(name, None) for name in names], f"{side.log.source}: {title}"
        )
        for title, names in OVERVIEW.items()
        for side in (first, second)
    )
    title = esc(f"{first.log.source} and {second.log.source}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1><table>{''.join(rows)}</table>"
        f'<h2>Both runs</h2><div class="charts">{charts}</div></html>\n'
    )
