"""What does ganlab depend on: licences, and known vulnerabilities.

    python scripts/audit.py    # a table, then pip-audit

Lists every package that ganlab's dependencies bring, with its version and licence, and
names those that state none. Then asks pip-audit about them and exits with 1 if it knows
of a vulnerability; where it is not installed, its service is not reached, or does not
know a package, says so in one line.
"""

import importlib.util
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from importlib import metadata

SERVICE = "https://pypi.org/pypi/pip/json"
TIMEOUT = 5.0
AUDIT_TIME = 600.0
PIP_AUDIT = (
    *(sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps"),
    *("--progress-spinner", "off", "--format", "json"),
    *("--requirement", "/dev/stdin"),
)
NAME = re.compile(r"[A-Za-z0-9._-]+")


def main() -> None:
    packages = dependencies("ganlab")
    for name, distribution in packages.items():
        print(f"{name:28} {distribution.version:14} {licence(distribution)}")
    unstated = [name for name in packages if not licence(packages[name])]
    if unstated:
        print(f"no licence stated: {', '.join(unstated)}")
    sys.exit(audit(packages))


def dependencies(name: str) -> dict[str, metadata.Distribution]:
    """Every installed package that one needs, by name; no extras."""
    known: dict[str, metadata.Distribution] = {}
    left = [name]
    while left:
        for requirement in metadata.requires(left.pop()) or ():
            needed = NAME.match(requirement)[0].lower().replace("_", "-")
            if "extra ==" in requirement or needed in known:
                continue
            try:
                known[needed] = metadata.distribution(needed)
            except metadata.PackageNotFoundError:  # of another platform or Python
                continue
            left.append(needed)
    return dict(sorted(known.items()))


def licence(distribution: metadata.Distribution) -> str:
    """The licence that a package states, in one line; empty if it states none."""
    about = distribution.metadata
    stated = about.get("License-Expression") or about.get("License") or ""
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    first, *others = stated.strip().splitlines() or [""]
    return first if first and not others else "; ".join(classifiers) or first


def audit(packages: dict[str, metadata.Distribution]) -> int:
    """Prints what pip-audit knows of packages; returns 1 if any is vulnerable.

    Where it cannot tell, one line says of how many packages and why, and it is 0.
    """
    if importlib.util.find_spec("pip_audit") is None:
        print("not audited: pip-audit is not installed; pip install pip-audit")
        return 0
    try:
        urllib.request.urlopen(SERVICE, timeout=TIMEOUT).close()
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"not audited: {SERVICE} is not reached ({error})")
        return 0
    pinned = "\n".join(f"{name}=={d.version}" for name, d in packages.items())
    try:
        done = subprocess.run(
            PIP_AUDIT, input=pinned, text=True, capture_output=True, timeout=AUDIT_TIME
        )
    except subprocess.TimeoutExpired:
        print(f"not audited: pip-audit took more than {AUDIT_TIME:.0f} seconds")
        return 0
    try:
        answers = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = done.stderr.strip().rpartition("\n")[2]
        print(f"not audited: pip-audit failed ({reason})")
        return 0
    skipped = [answer for answer in answers if "skip_reason" in answer]
    known = [
        (answer, fault)
        for answer in answers
        if answer not in skipped
        for fault in answer["vulns"]
    ]
    for answer, fault in known:
        fixed = ", ".join(fault["fix_versions"]) or "no version"
        print(
            f"vulnerable: {answer['name']} {answer['version']}, {fault['id']}, mended "
            f"in {fixed}"
        )
    if skipped:
        print(
            f"not audited: {len(skipped)} of {len(answers)} packages, the first by: "
            f"{skipped[0]['skip_reason']}"
        )
    print(f"audited: {len(answers) - len(skipped)} packages, {len(known)} known faults")
    return int(bool(known))


if __name__ == "__main__":
    main()
