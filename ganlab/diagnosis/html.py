"""What does a report look like as a page that needs no network?"""

import base64
import html
import io
import re

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from ganlab.diagnosis import as_settings
from ganlab.runs import RunFolder

COLORS = {"critical": "#b3261e", "warning": "#b26a00", "note": "#3b5b92"}
MOST_POINTS = 400
OVERVIEW = {
    "losses": ("d_loss", "g_loss"),
    "D(x) and D(G(z))": ("d_real", "d_fake"),
    "Fréchet distance": ("fid",),
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


def draw(report):
    """A `ganlab.diagnosis.report.Report` as one page without links to anything else."""
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
        parts.append(f"<p>Best checkpoint: {esc(report.best_text)}</p>")
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
            f" <code>{esc(as_settings(each.changes))}</code></p>"
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
    parts.append(_quality_html(report.quality))
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
        distance = each["fid"]
        cells = [
            each["name"] + (" (kept)" if each["kept"] else ""),
            as_settings(each["changes"]),
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
    grids = RunFolder(report.log.source).pictures()
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
        if report.log.data_kind.pictorial:
            height = min(STRIP_HEIGHT, picture.height)
            picture = picture.crop((0, 0, picture.width, height))
        else:
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


def draw_both(first, second, table):
    """Two reports as one page: a Markdown table, and each chart side by side."""
    esc = html.escape
    rows = []
    for line in table.splitlines()[2:]:
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
