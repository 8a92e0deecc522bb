"""Names that older runs and artifacts used for log keys, scores, settings and cards.

Readers of a file translate its names once, where they read it. Nothing else knows
the old names.
"""

from collections.abc import Mapping
from typing import Any

from ganlab.config.settings import split_settings
from ganlab.errors import brief

SCORE_NAMES = {
    "frechet_distance": "fid",
    "frechet_infinity": "fid_infinity",
    "kernel_distance": "kid",
    "differing_bins": "ndb",
    "class_score": "inception_score",
    "label_fidelity": "label_accuracy",
}
LOG_KEYS = SCORE_NAMES | {
    "frechet_error": "fid_error",
    "g_slope_product": "g_activation_gradient",
    "d_slope_product": "d_activation_gradient",
}
SETTING_NAMES = {
    "precision": "dtype_policy",
    "signal_every": "probe_every",
    "signal_share": "probe_share",
}
NUMBER = (float, int, type(None))
TRIAL_KINDS = {
    "name": str,
    "verdict": (str, type(None)),
    "ratio": (dict, type(None)),
    "score_name": str,
    "score": NUMBER,
    "steps": (int, type(None)),
    "branches": list,
    "kept": bool,
}
CARD_KEYS = {"precisions": "formats"}
PARITY_KEYS = {"batch_norm_gap": "training_inference_difference"}


def current_scores(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Scores by today's names.

    >>> current_scores({"frechet_distance": 3.0, "precision": 0.5})
    {'fid': 3.0, 'precision': 0.5}
    """
    return _renamed(scores, SCORE_NAMES)


def current_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `metrics.jsonl` under today's log keys."""
    return _renamed(row, LOG_KEYS)


def current_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by today's names.

    >>> current_settings({"precision": "float32"})
    {'dtype_policy': 'float32'}
    """
    return _renamed(settings, SETTING_NAMES)


def read_settings(about: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of the recipe and of the monitoring in a `config.json`.

    Args:
        about: The parsed file: `recipe` and `monitoring`, or both in one dict,
            `config`, as older runs have it.

    Raises:
        KeyError, TypeError, ValueError: if it holds neither.
    """
    if "config" not in about:
        return dict(about["recipe"]), dict(about["monitoring"])
    return split_settings(current_settings(dict(about["config"])))


def current_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """`best.json`, or what else holds `scores`, with today's names of scores."""
    return {**record, "scores": current_scores(record["scores"])}


def current_trial(trial: Mapping[str, Any]) -> dict[str, Any]:
    """A remedy's trial as today's are; older ones had one branch and its FID.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if it is no trial.
    """
    trial = current_scores(trial)
    changes = current_settings(trial["changes"])
    if "branches" in trial:
        trial = {**trial, "changes": changes}
        for key, kinds in TRIAL_KINDS.items():
            _check_kind(key, trial[key], kinds)
        for branch in trial["branches"]:
            _check_kind("score", branch["score"], NUMBER)
            _check_kind("findings", branch["findings"], list)
            for name in branch["findings"]:
                _check_kind("findings", name, str)
        for end in ("value", "low", "high") if trial["ratio"] else ():
            _check_kind("ratio", trial["ratio"][end], NUMBER)
        return trial
    score, findings = trial.get("fid"), trial.get("findings", [])
    return {
        "name": trial["name"],
        "changes": changes,
        "verdict": None,
        "ratio": None,
        "score_name": "fid",
        "score": score,
        "steps": None,
        "branches": [{"score": score, "findings": findings}],
        "kept": trial.get("kept", False),
    }


def _check_kind(name: str, value: object, kinds: Any) -> None:
    if not isinstance(value, kinds):
        raise ValueError(f"{name} of {brief(value)}")


def current_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact's card under today's keys, its scores and settings included."""
    card = _renamed(card, CARD_KEYS)
    if "parity" in card:
        card["parity"] = _renamed(card["parity"], PARITY_KEYS)
    if "formats" in card:
        card["formats"] = {
            name: current_scores(about) for name, about in card["formats"].items()
        }
    if "metrics" in card:
        card["metrics"] = current_record(card["metrics"])
    if "config" in card.get("training", {}):
        training = dict(card["training"])
        recipe, _ = read_settings(training)
        del training["config"]
        card["training"] = training | {"recipe": recipe}
    return card


def _renamed(mapping: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in mapping.items()}
