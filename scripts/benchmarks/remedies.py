"""Whether the remedy that the diagnosis proposes cures what it names.

    python scripts/benchmarks/remedies.py
    python scripts/benchmarks/remedies.py --labs ring-collapse --seeds 3

Trains every lab's failing recipe, takes the settings that the lab's finding proposes
in it (not the lab's own remedy), and trains the recipe with them, for each seed, one
run a core. The scores of both are compared as `ganlab diagnose --remedy-trials` does:
the ratio proposed over failing, with its interval of 95 %, and whether the finding is
gone. Finished runs are kept in runs/remedies, so that a stopped benchmark goes on
where it was; those of a remedy that has changed since are trained again. Writes
runs/remedies/remedies.json and remedies.md.

Time on 2 cores: about an hour with 5 seeds.
"""

import argparse
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import processes

from ganlab.config.command import as_assignments
from ganlab.diagnosis import remedy_scores, report
from ganlab.diagnosis.remedy_scores import Outcome
from ganlab.labs import LABS, get_lab
from ganlab.metrics.resampling import format_number
from ganlab.runs import RunFolder, load_run

FAILING, PROPOSED = ARMS = ("failing", "proposed")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/remedies"), help="default %(default)s")
    add("--seeds", type=int, default=5, metavar="N", help="default %(default)s")
    add("--steps", type=int, metavar="N", help="of every run; default the lab's")
    add("--labs", nargs="*", default=[lab.name for lab in LABS], metavar="NAME")
    add("--run", nargs=3, metavar=("LAB", "ARM", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    bench = Bench(options.out, options.seeds, options.steps)
    if options.run:
        name, arm, seed = options.run
        bench.train(name, arm, int(seed))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    bench.train_all(options.labs, FAILING)
    proposing = [name for name in options.labs if bench.proposed(name)]
    bench.train_all(proposing, PROPOSED)
    results = [bench.result(name) for name in options.labs]
    text = json.dumps(results, indent=2) + "\n"
    (options.out / "remedies.json").write_text(text, encoding="utf-8")
    table = as_table(results)
    (options.out / "remedies.md").write_text(table, encoding="utf-8")
    print(table)


@dataclass(frozen=True)
class Bench:
    """The benchmark's runs in a folder.

    Args:
        out: The folder.
        seeds: Integer: seeds of each arm, from 0.
        steps: Integer: length of every run, or `None` for the lab's.
    """

    out: Path
    seeds: int
    steps: int | None

    def folder(self, name: str, arm: str, seed: int) -> Path:
        return self.out / f"{name}-{arm}-{seed}"

    def train(self, name: str, arm: str, seed: int) -> None:
        """Trains one run; it is done when its folder says with which settings."""
        from ganlab.labs.run import run_arm
        from ganlab.training.rollback import changed

        lab, folder = get_lab(name), self.folder(name, arm, seed)
        recipe, changes = lab.recipe, self.changes(name, arm)
        if self.steps is not None:
            recipe = recipe.replace(steps=self.steps)
        if changes:
            failing = load_run(self.folder(name, FAILING, seed)).recipe
            recipe = changed(failing, changes)
        run_arm(lab, recipe, folder, seed)
        RunFolder(folder).remove_all_checkpoints()
        (folder / "done.json").write_text(json.dumps(changes), encoding="utf-8")

    def is_done(self, name: str, arm: str, seed: int) -> bool:
        """Whether a run was trained, with the settings that are proposed now."""
        done = self.folder(name, arm, seed) / "done.json"
        changes = self.changes(name, arm)
        return done.exists() and json.loads(done.read_text("utf-8")) == changes

    def train_all(self, names: list[str], arm: str) -> None:
        """Trains what is not done yet, one process a core."""
        jobs = [
            (name, seed)
            for seed in range(self.seeds)
            for name in names
            if not self.is_done(name, arm, seed)
        ]

        for name, seed in jobs:
            shutil.rmtree(self.folder(name, arm, seed), ignore_errors=True)
        command = [__file__, "--out", self.out, "--seeds", self.seeds]
        command += [] if self.steps is None else ["--steps", self.steps]
        processes.run_all(
            [[*command, "--run", name, arm, seed] for name, seed in jobs], arm
        )

    def changes(self, name: str, arm: str) -> dict:
        """The settings in which an arm differs from the failing recipe."""
        return self.proposed(name) if arm == PROPOSED else {}

    def proposed(self, name: str) -> dict:
        """The settings that the finding proposes; empty if it fires in no run."""
        finding_name = get_lab(name).finding
        for seed in range(self.seeds):
            examined = report.examine(self.folder(name, FAILING, seed))
            for finding in examined.findings:
                if finding.name == finding_name:
                    return finding.changes
        return {}

    def outcomes(self, name: str, arm: str) -> list[Outcome]:
        """How the runs of one arm ended, one a seed."""
        outcomes = []
        for seed in range(self.seeds):
            folder = self.folder(name, arm, seed)
            examined = report.examine(folder)
            diverged = examined.log.last_step < load_run(folder).recipe.steps
            outcomes.append(Outcome.of(examined, diverged=diverged))
        return outcomes

    def result(self, name: str) -> dict:
        """What the table says of one lab."""
        finding, changes = get_lab(name).finding, self.proposed(name)
        arms = {FAILING: self.outcomes(name, FAILING)}
        result: dict = {"lab": name, "finding": finding, "changes": changes}
        if changes:
            arms[PROPOSED] = self.outcomes(name, PROPOSED)
            comparison = remedy_scores.compare(finding, arms[PROPOSED], arms[FAILING])
            ratio = comparison.ratio
            result["verdict"] = comparison.verdict
            result["ratio"] = None if ratio is None else vars(ratio)
        for arm, outcomes in arms.items():
            result[arm] = {
                "scores": [outcome.score for outcome in outcomes],
                "score_name": outcomes[0].score_name,
                "findings": [sorted(outcome.findings) for outcome in outcomes],
                "fires": sum(finding in outcome.findings for outcome in outcomes),
                "diverged": sum(outcome.diverged for outcome in outcomes),
            }
        return result


def as_table(results: list[dict]) -> str:
    """All labs as Markdown."""
    verdicts = [result.get("verdict") for result in results]
    counts = ", ".join(
        f"{verdicts.count(verdict)} {verdict}"
        for verdict in remedy_scores.VERDICTS
        if verdict in verdicts
    )
    lines = [
        f"Of {len(results)} labs the proposed remedy: {counts or 'none proposed'}.",
        "",
        "| lab | proposed for | scores, failing → proposed | ratio [95 %] | finding "
        "fires, failing → proposed | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        settings = as_assignments(result["changes"]) or "nothing"
        cells = [result["lab"], f"`{result['finding']}`: {settings}"]
        arms = [result[arm] for arm in ARMS if arm in result]
        cells.append(" → ".join(map(scores_text, arms)))
        ratio = result.get("ratio")
        cells.append("" if ratio is None else str(remedy_scores.Ratio(**ratio)))
        fires = (f"{arm['fires']} of {len(arm['scores'])}" for arm in arms)
        cells.append(" → ".join(fires))
        verdict = result.get("verdict", "nothing proposed")
        if "verdict" in result and ratio is None:
            verdict += ", by findings alone"
        cells.append(verdict)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def scores_text(arm: dict) -> str:
    """The median score of an arm, and how many of its runs diverged."""
    scores = sorted(score for score in arm["scores"] if score is not None)
    texts = []
    if scores:
        title = "JS" if arm["score_name"] == "js" else "FID"
        texts.append(f"{title} {format_number(scores[len(scores) // 2])}")
    if arm["diverged"]:
        texts.append(f"{arm['diverged']} diverged")
    return ", ".join(texts) or "no score"


if __name__ == "__main__":
    main()
