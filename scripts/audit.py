"""What does ganlab depend on: licences, and known vulnerabilities.

    python scripts/audit.py    # a table, then pip-audit

Lists every package that ganlab's dependencies bring, with its version and licence, and
names those that state none. Then runs pip-audit over them and exits as it does; where
it is not installed, or its service is not reached, says so in one line.
"""

import importlib.util
import re
import subprocess
import sys
import urllib.error
import urllib.request
from importlib import metadata

SERVICE = "https://pypi.org/pypi/pip/json"
TIMEOUT = 5.0
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
    """Runs pip-audit over packages; returns its exit code, 0 where it cannot run."""
    if importlib.util.find_spec("pip_audit") is None:
        print("not audited: pip-audit is not installed; pip install pip-audit")
        return 0
    try:
        urllib.request.urlopen(SERVICE, timeout=TIMEOUT).close()
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"not audited: {SERVICE} is not reached ({error})")
        return 0
    pinned = "\n".join(f"{name}=={d.version}" for name, d in packages.items())
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps"]
    command += ["--progress-spinner", "off", "--requirement", "/dev/stdin"]
    return subprocess.run(command, input=pinned, text=True).returncode


if __name__ == "__main__":
    main()
