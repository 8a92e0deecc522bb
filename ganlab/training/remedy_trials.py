"""Compares remedies of a failing run by short branches of its training."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from ganlab.config.settings import keep_networks, split_settings
from ganlab.diagnosis import report
from ganlab.errors import RunError, UserError
from ganlab.runs import RunFolder, load_run
from ganlab.training.rollback import branch
from ganlab.training.train import train

BRANCH_STEPS = 1000


def try_remedies(
    directory: Path | str,
    *,
    steps: int = BRANCH_STEPS,
    stream: TextIO | None = None,
) -> list[dict[str, Any]]:
    """Trains a short branch for each remedy, and one without, and compares them.

    Branches begin at the last checkpoint before the first finding, or anew where
    there is none. A remedy that changes the networks always begins anew, and trains
    as many steps in all. The best branch has the smallest FID among those with the
    fewest critical findings. Its folder is kept whole, and of the others the logs.

    Args:
        directory: A run folder.
        steps: Integer: length of a branch.
        stream: Text stream for progress, or `None`.

    Returns:
        A list of dicts, the best first: `name`, `changes`, `fid`,
        `findings`, `critical`, `folder`, `kept`.

    Raises:
        UserError: if there is nothing to remedy.
    """
    run, serious = load_run(directory), report.examine(directory).serious
    remedies = {finding.name: finding.changes for finding in serious if finding.changes}
    if not remedies:
        raise UserError(
            "Expected a run with findings that a setting cures. Received: "
            f"{directory}, which has none"
        )
    first_step = min(finding.since_step for finding in serious)
    start = run.folder.last_checkpoint_before(first_step)
    start_step, checkpoint = (0, None) if start is None else start
    shutil.rmtree(run.folder.trials, ignore_errors=True)
    trials = []
    for name, changes in {"no change": {}, **remedies}.items():
        if stream is not None:
            print(f"trial: {name}", file=stream, flush=True)
        recipe_changes, watching = split_settings(changes)
        recipe = run.recipe.replace(**recipe_changes, steps=start_step + steps)
        folder = run.folder.trial(name)
        goes_on = checkpoint is not None and keep_networks(changes)
        if checkpoint is not None and goes_on:
            run.with_recipe(recipe, folder).save()
            gan = branch(checkpoint, recipe, run.num_classes)
            folder.save_checkpoint(gan.save, start_step)
        try:
            train(
                recipe,
                folder.path,
                monitoring=run.monitoring.replace(**watching),
                resume=goes_on,
                on_failure="none",
                stream=stream,
            )
        except RunError as error:
            if stream is not None:
                print(f"trial: {error}", file=stream, flush=True)
        trials.append(_result(name, changes, folder))
    trials.sort(key=_rank)
    trials[0]["kept"] = True
    for trial in trials[1:]:
        RunFolder(trial["folder"]).remove_all_checkpoints()
    run.folder.write_trials(trials)
    return trials


def _result(name: str, changes: Mapping[str, Any], folder: RunFolder) -> dict[str, Any]:
    branch_report = report.examine(folder.path)
    serious = branch_report.serious
    return {
        "name": name,
        "changes": dict(changes),
        "fid": branch_report.log.last("fid"),
        "findings": [finding.name for finding in serious],
        "critical": sum(finding.severity == "critical" for finding in serious),
        "folder": str(folder),
        "kept": False,
    }


def _rank(trial: Mapping[str, Any]) -> tuple[int, float]:
    fid = trial["fid"]
    return trial["critical"], float("inf") if fid is None else fid
