"""NOTICE: every file that is shipped and is no code of the project is named there, scripts of others with their version and licence.

Origin of every expectation: the files themselves, and the licences that stand beside the scripts.
"""

from __future__ import annotations

import re

from cartrial.report.page.drawing import SCRIPTS
from helpers import ROOT

NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")
NAMED = [name for line in NOTICE.splitlines() if re.match(r"(src|tests|examples)/", line) for name in line.split(", ")]
LICENCES = "src/cartrial/report/templates/scripts/LICENSES.txt"


def shipped() -> list[str]:
    """Files under src and examples that are no Python."""
    found = [path for folder in ("src", "examples") for path in (ROOT / folder).rglob("*") if path.is_file()]
    names = [path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts and path.suffix not in (".py", ".pyc")]
    return [name for name in names if ".egg-info" not in name]


def test_every_file_is_named() -> None:
    unnamed = [name for name in shipped() if not any(name == one or (one.endswith("/") and name.startswith(one)) for one in NAMED)]
    assert not unnamed, f"say in NOTICE where these come from, and under which licence: {unnamed}"


def test_nothing_is_named_that_is_not_there() -> None:
    assert not [name for name in NAMED if not (ROOT / name).exists()]
    assert len(NAMED) == len(set(NAMED))


def test_scripts_of_others_are_named_with_version_and_licence() -> None:
    beside = (ROOT / LICENCES).read_text(encoding="utf-8")
    for script, version in SCRIPTS.items():
        said = NOTICE.split(f"scripts/{script}\n")[1].split("\nsrc/")[0]
        assert version in said and "BSD 3-Clause" in said and f"{version} (build/{script})" in beside
    # minified: written by others, and so to be named
    assert sorted(SCRIPTS) == sorted(path.name for path in (ROOT / "src").rglob("*.min.js"))


def test_what_is_bundled_is_named() -> None:
    """The licences in full have a heading for each."""
    heads = re.findall(r"={20,}\n(.+)\n={20,}", (ROOT / LICENCES).read_text(encoding="utf-8"))
    names = {re.match(r"[\w-]+", head)[0] for head in heads}  # type: ignore[index]
    assert len(heads) >= 10 and not [name for name in names if name.lower() not in NOTICE.lower()]


def test_the_archives_hold_it() -> None:
    """By the project's own metadata: hatchling puts `license-files` into wheel and source archive."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("license-files"))
    assert '"LICENSE"' in line and '"NOTICE"' in line and f'"{LICENCES}"' in line
