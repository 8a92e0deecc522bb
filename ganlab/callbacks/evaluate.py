"""Are the images getting better, and when were they best?"""

import dataclasses

import numpy as np

from ganlab import evaluation, metrics, pictures
from ganlab.callbacks.periodic import Budgeted
from ganlab.runs import RunFolder

BUDGET = 0.1


class Evaluate(Budgeted):
    """Scores generated images now and then, and keeps the best checkpoint.

    The best is the one of the smallest FID. Evaluation is held to
    a share of the training time: after one that took 2 s, the next waits until
    20 s have gone by at the default 10 %. The last step is always scored.

    Args:
        directory: The run's folder. Gets the best checkpoint and its picture, and at
            the end the scores of both as a page.
        reference: The `ganlab.evaluation.Reference` that images are held against.
        every: Integer: steps between evaluations, at least.
        budget: Float in (0, 1]: largest share of the time.
        run_log: A `RunLog` that logs the scores, or `None`.

    Reference:
        [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), figure 5, on why
        the last step is seldom the best
    """

    def __init__(self, directory, reference, every=500, budget=BUDGET, run_log=None):
        super().__init__(every, budget)
        self.folder = RunFolder(directory)
        self.reference = reference
        self.run_log = run_log
        self.last = None

    def on_train_end(self, logs=None):
        self.act_at_end()
        if self.last is not None:
            self._report()

    def run(self, step):
        protocol = self.reference.protocol
        labels = None if self.model.num_classes is None else self.reference.labels
        images = self.model.sample(protocol.num_images, protocol.seed, labels)
        found = evaluation.evaluate(self.reference, images, labels=labels)
        self.last = _record(step, found)
        if self.run_log is not None:
            values = {name: score.value for name, score in found.scores.items()}
            values["fid_error"] = found.scores["fid"].standard_error
            values |= self._class_shares(found.details)
            self.run_log.scalars(step, values, protocol.fingerprint)
        best = self.folder.read_best()
        distance = found.scores["fid"].value
        if (
            best is None
            or best["protocol"] != self.last["protocol"]
            or distance < best["scores"]["fid"]["value"]
        ):
            self._keep(images, labels)

    def _class_shares(self, details):
        """The share of each class, and the least of them over its real share."""
        shares = details.get("class_shares")
        if shares is None:
            return {}
        real = np.bincount(self.reference.labels, minlength=len(shares))
        wanted = real / real.sum()
        ratios = [
            share / each
            for share, each in zip(shares.values(), wanted, strict=False)
            if each > 0
        ]
        found = {f"class_share/{name}": share for name, share in shares.items()}
        return found | {"least_class_share": min(ratios)}

    def _keep(self, images, labels):
        self.folder.save_best(self.model.save, self.last)
        if images.ndim == 4:
            grid = _one_of_each(images, labels)
            pictures.save(grid, self.folder.best_picture, columns=10)

    def _report(self):
        best = self.folder.read_best()
        report = {"best": best, "last": self.last, "evaluation_seconds": self.seconds}
        picture = self.folder.relative(self.folder.best_picture)
        self.folder.write_quality(report, _page(report, picture))


def _record(step, found):
    return {
        "step": step,
        "protocol": found.protocol.as_dict(),
        "scores": {
            name: dataclasses.asdict(each) for name, each in found.scores.items()
        },
        "details": found.details,
    }


def _one_of_each(images, labels):
    """A hundred images; of classes, rows of ten."""
    if labels is None:
        return images[:100]
    order = labels.argsort(kind="stable")
    rows = [order[labels[order] == each][:10] for each in sorted(set(labels.tolist()))]
    full = [row for row in rows[: pictures.MAX_ROWS] if len(row) == 10]
    return images[[index for row in full for index in row]] if full else images[:100]


def _page(report, picture):
    best, last = report["best"], report["last"]
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
            cells = (_cell(name, each["scores"]) for each in (best, last))
            title = metrics.display_name(name, protocol["extractor"])
            lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", _verdict(best, last), ""]
    if "image_shape" in protocol and len(protocol["image_shape"]) == 3:
        lines += [f"![Images of the best step]({picture})", ""]
    return "\n".join(lines)


def _cell(name, scores):
    return str(metrics.display_score(name, scores[name])) if name in scores else ""


def _verdict(best, last):
    if best["step"] == last["step"]:
        return "The last step is the best: go on training with `--resume --steps N`."
    ours, theirs = (each["scores"]["fid"] for each in (best, last))
    if ours["high"] < theirs["low"]:
        return (
            f"The run was better at step {best['step']:,}: export it with "
            "`ganlab export RUN --checkpoint best`."
        )
    return "The best and the last step do not differ by more than chance."
