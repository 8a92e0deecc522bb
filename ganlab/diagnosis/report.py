"""What does a diagnosis look like on one page?

`report.json` for programs, `report.md` for a terminal or a pull request, and
`report.html`, which holds its pictures and needs no network. The verdict comes
first, then what to change, then the evidence.
"""

import json
import shlex
from dataclasses import dataclass, field

import numpy as np

from ganlab import diagnosis
from ganlab.config.settings import PRESETS, Recipe, get_preset
from ganlab.diagnosis import html
from ganlab.files import write_text
from ganlab.runs import RunFolder

FLAGS = (
    "data",
    "loss",
    "regularizer",
    "augmentation",
    "network",
    "dtype_policy",
    "image_size",
    "batch_size",
    "steps",
    "seed",
)


@dataclass(frozen=True)
class Report:
    """What is known of a run.

    Args:
        log: The `ganlab.diagnosis.Log`.
        findings: A list of `ganlab.diagnosis.Finding`s, the worst first.
        best: A dict of `step`, `fid` and `path`, or `None`.
        trials: How remedies compare that were tried, or an empty list.
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
    def serious(self):
        """The findings that are more than notes."""
        return [each for each in self.findings if each.severity != "note"]

    @property
    def verdict(self):
        """One sentence."""
        log, serious = self.log, self.serious
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
    def best_text(self):
        """Where it was best, in words; empty if that is not known."""
        best = self.best
        if best is None:
            return ""
        where = f", {best['path']}" if best["path"] else ""
        distance = best["fid"]
        return f"step {best['step']:,}, Fréchet distance {distance:.3g}{where}"

    @property
    def quality(self):
        """The table of scores that a run of ganlab wrote at its end, or nothing."""
        if self.log.foreign:
            return ""
        return RunFolder(self.log.source).read_quality_page()

    @property
    def command(self):
        """The command line that trains anew with the first remedy, or `None`."""
        first = next((each for each in self.findings if each.changes), None)
        if first is None or "preset" not in self.log.settings:
            return None
        return train_command(self.log, first.changes)

    def timeline(self):
        """Pairs of a step and what happened there, in order."""
        log = self.log
        happened = [(each.since_step, each.failure.title) for each in self.findings]
        happened += [(each["step"], _event_text(each)) for each in log.events]
        if self.best is not None:
            distance = self.best["fid"]
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
    return [] if log.foreign else RunFolder(log.source).read_trials()


def _best(log):
    if not log.foreign:
        try:
            folder = RunFolder(log.source)
            if (best := folder.read_best()) is not None:
                return {
                    "step": int(best["step"]),
                    "fid": float(best["scores"]["fid"]["value"]),
                    "path": str(folder.best_checkpoint),
                }
        except (OSError, ValueError, KeyError, TypeError):
            pass  # broken: the log may know the step
    series = log.get("fid")
    if series is None:
        return None
    lowest = int(np.argmin(series.values))
    return {
        "step": int(series.steps[lowest]),
        "fid": float(series.values[lowest]),
        "path": None,
    }


def train_command(log, changes):
    """The `ganlab train` command of a run with some settings changed.

    Args:
        log: The `ganlab.diagnosis.Log` of a run of ganlab.
        changes: A dict of settings; more steps alone go on in the run's folder,
            anything else begins one whose name ends on `-remedy`.
    """
    settings = log.settings
    if set(changes) == {"steps"}:
        words = ["ganlab", "train", "--out", str(log.source), "--resume"]
        return shlex.join([*words, "--steps", str(changes["steps"])])
    preset = settings.get("preset")
    if preset not in PRESETS:
        preset = "dcgan"
    known = {k: v for k, v in settings.items() if k in Recipe.__dataclass_fields__}
    recipe = Recipe(**known).replace(**changes)
    decisive = {  # what decides the rest
        name: getattr(recipe, name)
        for name in ("data", "regularizer", "network", "spectral_norm")
    }
    plain = get_preset(preset)
    base = plain.replace(**decisive).completed(recipe.image_size, recipe.channels)
    base = base.as_dict() | {name: getattr(plain, name) for name in decisive}
    base["network"] = base["network"] or log.data_kind.networks[0]
    # Left out, it is whether the data has classes.
    if log.data_kind.applies("conditional"):
        base["conditional"] = True
    else:
        base["conditional"] = recipe.conditional
    if recipe.data.startswith(("folder:", "tfds:")):
        base["image_size"] = None
    words = ["ganlab", "train"]
    if preset != "dcgan":
        words += ["--preset", preset]
    for name, value in recipe.as_dict().items():
        if name == "preset" or value is None or value == base[name]:
            continue
        if name == "conditional":
            words.append("--conditional" if value else "--no-conditional")
        elif name == "flip" and value:
            words.append("--flip")
        elif name in FLAGS:
            words += [f"--{name.replace('_', '-')}", diagnosis.as_word(value)]
        else:
            words += ["--set", f"{name}={diagnosis.as_word(value)}"]
    words += ["--out", f"{log.source}-remedy"]
    return shlex.join(words)


def _event_text(event):
    about = {k: v for k, v in event.items() if k not in ("step", "seconds", "event")}
    said = ", ".join(f"{key} {value}" for key, value in about.items())
    return f"{event['event'].replace('_', ' ')}{': ' if said else ''}{said}"


def write(report, directory):
    """Writes the report as HTML, Markdown and JSON.

    Args:
        report: A `Report`.
        directory: Where the files go.

    Returns:
        The `Path` of the HTML page.
    """
    folder = RunFolder(directory)
    text = json.dumps(report.as_dict(), indent=2, ensure_ascii=False) + "\n"
    write_text(folder.report("json"), text)
    write_text(folder.report("md"), as_markdown(report))
    write_text(folder.report("html"), html.draw(report))
    return folder.report("html")


def as_markdown(report):
    """The report as text."""
    lines = [f"# {report.log.source}", "", f"**{report.verdict}**", ""]
    if report.best is not None:
        lines += [f"Best checkpoint: {report.best_text}.", ""]
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
            f"**Remedy:** {each.failure.remedy}{_in_code(each.changes)}",
            "",
        ]
    lines += _trials_table(report.trials)
    if report.quality:
        lines += [report.quality.replace("# Quality", "## Quality").rstrip(), ""]
    lines += ["## Timeline", "", "| step | what |", "|---|---|"]
    lines += [f"| {step:,} | {what} |" for step, what in report.timeline()]
    lines += ["", *(f"*{problem}*" for problem in report.log.problems)]
    return "\n".join(lines).rstrip() + "\n"


def _in_code(changes):
    return f" (`{diagnosis.as_settings(changes)}`)" if changes else ""


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
        distance = each["fid"]
        shown = "none" if distance is None else f"{distance:.3g}"
        kept = " **kept**" if each["kept"] else ""
        lines.append(
            f"| {each['name']}{kept} | {diagnosis.as_settings(each['changes'])} "
            f"| {shown} | {', '.join(each['findings']) or 'none'} |"
        )
    return [*lines, ""]


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
    best = [each.best_text for each in sides]
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
