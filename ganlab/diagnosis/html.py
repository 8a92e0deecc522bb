"""Report as one HTML page, which holds its pictures and needs no network."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from ganlab.config.command import as_assignments
from ganlab.diagnosis import charts, trials
from ganlab.diagnosis.examine import Report
from ganlab.diagnosis.findings import Finding
from ganlab.diagnosis.panels import GROUPS, evidence_panel, overview
from ganlab.runs import RunFolder

COLORS = {"critical": "#b3261e", "warning": "#b26a00", "note": "#3b5b92"}
HEALTHY_COLOR, NOT_JUDGED_COLOR = "#2e6b34", "#5f5e62"
FINDINGS_WITH_PICTURE = 3
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1c1b1f;max-width:60rem;margin:2rem auto;
padding:0 1rem;background:#fff}
h1{font-size:1.3rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
h3{font-size:1rem;margin:.6rem 0 0}
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
figure{margin:.6rem 0}figcaption{font-size:.85rem}figcaption span{margin-left:.8rem}
svg{width:100%;max-width:44rem;height:auto;display:block}
.charts{display:flex;flex-wrap:wrap;gap:.5rem}.charts>*{flex:1 1 26rem;min-width:0}
img{image-rendering:pixelated;max-width:100%}
"""


def draw(report: Report) -> str:
    """The page of a `ganlab.diagnosis.report.Report`."""
    log = report.log
    without_finding = NOT_JUDGED_COLOR if log.not_judged else HEALTHY_COLOR
    color = COLORS.get(report.severity or "", without_finding)
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(log.source.name)}: diagnosis</title><style>{STYLE}</style>",
        f'<h1>{escape(str(log.source))}</h1><div class="verdict" style="--c:{color}">'
        f"{escape(report.verdict)}</div>",
    ]
    if report.best is not None:
        parts.append(f"<p>Best checkpoint: {escape(report.best_text)}</p>")
    if report.command:
        parts.append(
            "<h2>What to change</h2><pre>"
            f"{emphasized(report.command, report.first_changes)}</pre><p class=dim>"
            "One change at a time: this is the first finding's remedy, in bold.</p>"
        )
    parts += [_samples(report), _trials(report)]
    if report.findings:
        parts.append("<h2>Findings</h2>")
        parts += [_finding(report, finding) for finding in report.findings]
    timeline = _table((f"{step:,}", escape(text)) for step, text in report.timeline())
    parts.append(f"<h2>Timeline</h2>{timeline}")
    parts.append("<h2>The run</h2>")
    for title, panels in overview(log, report.fid_name).items():
        drawn = "".join(charts.draw(panel) for panel in panels)
        parts.append(f'<h3>{title}</h3><div class="charts">{drawn}</div>')
    parts.append(_quality(report.quality))
    if log.settings:
        settings = _table(
            (escape(name), f"<code>{escape(str(value))}</code>")
            for name, value in log.settings.items()
        )
        parts.append(f"<details><summary>Settings</summary>{settings}</details>")
    parts += [f"<p class=dim>{escape(problem)}</p>" for problem in log.problems]
    return "\n".join(parts) + "</html>\n"


def emphasized(command: str, changes: Mapping[str, Any]) -> str:
    """A command line as HTML, the options that change settings in bold.

    >>> emphasized("ganlab train --loss hinge --set beta_1=0.0", {"beta_1": 0.0})
    'ganlab train --loss hinge <b>--set beta_1=0.0</b>'
    """
    words = [shlex.quote(word) for word in shlex.split(command)]
    options: list[list[str]] = [[]]
    for word in words:
        if word.startswith("--"):
            options.append([])
        options[-1].append(word)
    return " ".join(
        f"<b>{escape(' '.join(option))}</b>"
        if _setting_of(option) in changes
        else escape(" ".join(option))
        for option in options
    )


def _setting_of(option: Sequence[str]) -> str | None:
    """The setting that an option gives a value, or `None`."""
    name = option[0].removeprefix("--no-").removeprefix("--")
    if name == "set" and len(option) > 1:
        name = option[1].partition("=")[0]
    return name.replace("-", "_")


def _finding(report: Report, finding: Finding) -> str:
    evidence = "".join(
        f"<li>{escape(evidence['says'])}</li>" for evidence in finding.evidence
    )
    failure = finding.failure
    return (
        f'<div class="finding" style="--c:{COLORS[finding.severity]}">'
        f"<h3>{escape(failure.title)}<span class=tag>{finding.severity}</span></h3>"
        f"<p class=dim>{finding.name}, since step {finding.since_step:,}, confidence "
        f"{finding.confidence:.2f}</p><ul>{evidence}</ul>"
        f"{charts.draw(evidence_panel(report.log, finding))}"
        f"<p>{escape(failure.why)}</p>"
        f"<p><b>Remedy.</b> {escape(failure.remedy)}"
        f" <code>{escape(as_assignments(finding.changes))}</code></p>"
        f"<p class=dim>{escape(failure.source)}</p></div>"
    )


def _table(rows: Iterable[Sequence[str]], header: Sequence[str] = ()) -> str:
    """A table of cells that are HTML already."""
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    if header:
        lines.insert(0, "".join(f"<th>{cell}</th>" for cell in header))
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _trials(report: Report) -> str:
    if not report.trials:
        return ""
    rows = []
    for trial in report.trials:
        cells = trials.cells(trial, report.fid_name)
        if trial["kept"]:
            cells[0] += " (kept)"
        rows.append([escape(cell) for cell in cells])
    header = [escape(column) for column in trials.COLUMNS]
    table = _table(rows, header)
    return f"<h2>Remedies tried</h2>{table}<p class=dim>{escape(trials.NOTE)}</p>"


def _quality(page: str) -> str:
    """The Markdown page of scores that a run wrote, as HTML."""
    rows, notes = [], []
    for line in page.splitlines():
        if line.startswith("|"):
            if not set(line) <= set("|-"):
                cells = line.strip("|").split("|")
                rows.append([escape(cell.strip()) for cell in cells])
        elif line and not line.startswith(("#", "!")):
            notes.append(f"<p class=dim>{escape(line.replace('`', ''))}</p>")
    if not rows:
        return ""
    return f"<h2>Quality</h2>{_table(rows)}{''.join(notes)}"


def _samples(report: Report) -> str:
    """Samples at the turning points, from the run's own grids."""
    log = report.log
    grids = {} if log.foreign else RunFolder(log.source).pictures()
    if not grids:
        return ""
    figures = []
    for step, caption in captions(report, sorted(grids)):
        url = charts.picture_url(grids[step], pictorial=log.data_kind.pictorial)
        if url is not None:
            text = escape(caption)
            figures.append(
                f'<div><p class=dim>{text}</p><img alt="{text}" src="{url}"></div>'
            )
    return (
        '<h2>Samples at the turning points</h2><div class="charts">'
        f"{''.join(figures)}</div>"
    )


def captions(report: Report, steps: Sequence[int]) -> list[tuple[int, str]]:
    """The steps whose pictures are shown, with their captions, in order.

    A caption names the picture's own step, and the turning point's where that is
    another: `step 0, nearest to 50: mode collapse`.

    Args:
        report: A `Report`.
        steps: Steps that there are pictures of, ascending, 1 or more.
    """
    last = steps[-1]
    turns = [(last, "last"), (last // 2, "halfway")]
    turns += [
        (finding.since_step, finding.failure.title)
        for finding in report.findings[:FINDINGS_WITH_PICTURE]
    ]
    if report.best is not None:
        turns.append((report.best["step"], "best"))
    reasons: dict[int, dict[int, list[str]]] = {}
    for turn, reason in sorted(turns):
        step = min(steps, key=lambda step: abs(step - turn))
        reasons.setdefault(step, {}).setdefault(turn, []).append(reason)
    return [(step, _caption(step, reasons[step])) for step in sorted(reasons)]


def _caption(step: int, reasons: Mapping[int, Sequence[str]]) -> str:
    """The picture's step and its turning points, those at the step itself first."""
    exact = reasons.get(step)
    parts = [] if exact is None else [f"step {step:,}: {', '.join(exact)}"]
    parts += [
        f"nearest to {turn:,}: {', '.join(names)}"
        for turn, names in reasons.items()
        if turn != step
    ]
    caption = "; ".join(parts)
    return caption if exact is not None else f"step {step:,}, {caption}"


def draw_both(first: Report, second: Report, table: str) -> str:
    """Two reports as one page: a Markdown table, and the charts of both.

    Args:
        first: A `Report`.
        second: Another.
        table: Their comparison, from `ganlab.diagnosis.report.compare`.
    """
    rows = [
        [escape(cell.strip().strip("`")) for cell in line.strip("|").split("|")]
        for line in table.splitlines()[2:]
        if not re.fullmatch(r"[|-]+", line)
    ]
    order = [title for titles in GROUPS.values() for title in titles]
    panels = [
        (report.log.source, panel)
        for report in (first, second)
        for group in overview(report.log).values()
        for panel in group
    ]
    panels.sort(key=lambda pair: order.index(pair[1].title))
    drawn = "".join(
        charts.draw(replace(panel, title=f"{source}: {panel.title}"))
        for source, panel in panels
    )
    title = escape(f"{first.log.source} and {second.log.source}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1>{_table(rows)}"
        f'<h2>Both runs</h2><div class="charts">{drawn}</div></html>\n'
    )
