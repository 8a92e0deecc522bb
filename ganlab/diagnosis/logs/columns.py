"""Which of a log's columns is which number?

`STEPS`, `SECONDS` and the words below are the one table of names. A name is cut into
words at capitals and punctuation; words that mean the same are one. Of several
columns for one number that with the fewest other words is taken.
"""

import re
from collections.abc import Iterable, Mapping

from ganlab.errors import UserError
from ganlab.text import listed

SYNONYMS = {
    "d": "d discriminator disc discrim dis critic netd",
    "g": "g generator gen netg",
    "loss": "loss losses err error cost",
    "fid": "fid frechetinceptiondistance",
    "kid": "kid",
    "inception_score": "is inceptionscore",
    "validation": "val valid validation test eval evaluation",
    "adversarial": "adv adversarial gan hinge bce wgan wasserstein",
    "epoch": "epoch epochs",
    "": "train training scalars metrics metric total mean avg average raw step batch "
    "net score full values value results quality",
}
WORDS = {word: meaning for meaning, words in SYNONYMS.items() for word in words.split()}
GLUED = {
    **dict.fromkeys(("dloss", "lossd", "errd"), "d_loss"),
    **dict.fromkeys(("gloss", "lossg", "errg"), "g_loss"),
}
MEANINGS: dict[frozenset[str], str] = {
    frozenset({"d", "loss"}): "d_loss",
    frozenset({"g", "loss"}): "g_loss",
    frozenset({"fid"}): "fid",
    frozenset({"kid"}): "kid",
    frozenset({"inception_score"}): "inception_score",
    frozenset({"d", "loss", "real"}): "d_loss_real",
    frozenset({"d", "loss", "fake"}): "d_loss_fake",
}
EXACT = {
    "d(x)": "d_real",
    "d_x": "d_real",
    "belief/d_x": "d_real",
    "d(g(z))": "d_fake",
    "d_g_z": "d_fake",
    "belief/d_g_z": "d_fake",
    "fréchet inception distance": "fid",
}
QUALIFIERS = {"epoch": 1, "adversarial": 2, "validation": 3}
ELSEWHERE = 8  # the rank of a name within a folder or group that means nothing here
NEVER = {"best", "min", "max", "std", "var", "num", "lr", "rate", "grad", "norm", "reg"}
NETWORK_FREE = ("fid", "kid", "inception_score")  # as good on held-out data

STEPS = (  # the first that a log has; what each counts
    ("step", "steps"),
    ("global_step", "steps"),
    ("trainer/global_step", "steps"),
    ("_step", "steps"),
    ("train/step", "steps"),
    ("train/global_step", "steps"),
    ("training_step", "steps"),
    ("steps", "steps"),
    ("iteration", "steps"),
    ("iterations", "steps"),
    ("global_iteration", "steps"),
    ("iter", "steps"),
    ("iters", "steps"),
    ("itr", "steps"),
    ("it", "steps"),
    ("n_iter", "steps"),
    ("update", "steps"),
    ("updates", "steps"),
    ("batch", "steps"),
    ("batch_idx", "steps"),
    ("progress/kimg", "thousands of images"),
    ("kimg", "thousands of images"),
    ("snapshot_kimg", "thousands of images"),
    ("nimg", "images"),
    ("images", "images"),
    ("cur_nimg", "images"),
    ("epoch", "epochs"),
    ("epochs", "epochs"),
    ("train/epoch", "epochs"),
    ("progress/tick", "ticks"),
    ("tick", "ticks"),
)
SECONDS = (
    "seconds",
    "timing/total_sec",
    "total_sec",
    "elapsed",
    "elapsed_time",
    "_runtime",
    "runtime",
    "relative time (process)",
    "wall_time",
    "wall time",
    "walltime",
    "_timestamp",
    "timestamp",
    "time",
)
ROLES = (
    *("step", "seconds", "d_loss", "g_loss", "fid"),
    *("kid", "inception_score", "d_real", "d_fake"),
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SIZE = re.compile(r"\d[\dk]*")


def parse_columns(text: str) -> dict[str, str]:
    """`d_loss=critic,step=iter` as a dict from ganlab's names to the log's.

    Raises:
        UserError: if a part is no pair, or its name is not one of `ROLES`.
    """
    columns = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        role, separator, name = part.partition("=")
        role = role.strip()
        if not separator or not name.strip() or role not in ROLES:
            raise UserError(
                "Expected --columns as NAME=COLUMN,..., where NAME is one of "
                f"{', '.join(ROLES)}. Received: {part}"
            )
        columns[role] = name.strip()
    return columns


def check_columns(chosen: Mapping[str, str], names: Iterable[str]) -> None:
    """Raises a `UserError` for columns that the log does not have."""
    names = list(names)
    missing = [name for name in chosen.values() if name not in names]
    if missing:
        raise UserError(
            f"Expected columns of the log for --columns. Received: "
            f"{', '.join(missing)}; it has {listed_columns(names)}"
        )


def listed_columns(names: Iterable[str]) -> str:
    """Names with commas between, the first of them, each cut where it is long."""
    short = (name if len(name) <= 60 else name[:57] + "..." for name in names)
    return listed(short, most=12)


def step_column(names: Iterable[str]) -> list[tuple[str, str]]:
    """The columns that count steps, with what they count, the best first."""
    by_lower = {_without_run(name).lower(): name for name in reversed(list(names))}
    return [(by_lower[name], unit) for name, unit in STEPS if name in by_lower]


def seconds_column(names: Iterable[str]) -> str | None:
    """The column of the time gone by, or `None`."""
    by_lower = {_without_run(name).lower(): name for name in reversed(list(names))}
    return next((by_lower[name] for name in SECONDS if name in by_lower), None)


def meaning_of(name: str) -> tuple[str, int] | None:
    """What a column holds and how far its name is from saying so, or `None`.

    >>> [meaning_of(name) for name in ("Loss/D/loss", "errG", "fid50k_full", "lr")]
    [('d_loss', 0), ('g_loss', 0), ('fid', 0), None]
    >>> meaning_of("val/d_loss"), meaning_of("exp1/d_loss"), meaning_of("best_fid")
    (('d_loss', 3), ('d_loss', 8), None)
    """
    name = _without_run(name)
    exact = EXACT.get(name.lower())
    if exact is not None:
        return exact, 0
    if not NEVER.isdisjoint(_words(name)):
        return None
    whole = _meaning(name)
    if whole is not None or "/" not in name:
        return whole
    last = _meaning(name.rsplit("/", 1)[1])
    return None if last is None else (last[0], last[1] + ELSEWHERE)


def assign(
    names: Iterable[str], chosen: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The column of each number that the log holds.

    Args:
        names: The log's columns.
        chosen: A dict from ganlab's names to columns, which the user chose.

    Returns:
        A dict from ganlab's names to columns, and problems: numbers for which
        several columns are as good.
    """
    ranked: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        meaning = meaning_of(name)
        if meaning is not None and name not in chosen.values():
            ranked.setdefault(meaning[0], []).append((meaning[1], name))
    columns, problems = dict(chosen), []
    for role, candidates in ranked.items():
        if role in columns:
            continue
        least = min(rank for rank, _ in candidates)
        best = [name for rank, name in candidates if rank == least]
        if len(best) == 1 or role in best:
            columns[role] = role if role in best else best[0]
        else:
            problems.append(
                f"{listed_columns(best)} may each be {role}; choose with --columns "
                f'"{role}={best[0]}"'
            )
    return columns, problems


def _meaning(name: str) -> tuple[str, int] | None:
    words = _words(name)
    glued = "".join(words)
    if glued in GLUED:
        return GLUED[glued], 0
    joined = WORDS.get(glued)
    told = {joined} if joined else {WORDS.get(word, word) for word in words} - {""}
    rank = sum(QUALIFIERS.get(word, 0) for word in told)
    meaning = MEANINGS.get(frozenset(told - set(QUALIFIERS)))
    if meaning is None:
        return None
    return meaning, 0 if meaning in NETWORK_FREE else rank


def _words(name: str) -> list[str]:
    """The lower-case words of a name without sizes: `fid50k_full` is fid, full."""
    words = re.split(r"[^A-Za-z0-9]+", CAMEL.sub(" ", name))
    lower = (re.sub(r"(?<=[a-z])\d+k?$", "", word.lower()) for word in words)
    return [word for word in lower if word and not SIZE.fullmatch(word)]


def _without_run(name: str) -> str:
    """A name of a W&B export without the run in front: `run - d_loss`."""
    return name.rsplit(" - ", 1)[-1].strip()
