"""The command itself: its version, and that each command is there.

Origin of every expectation: `by hand`, the version of pyproject.toml.
"""

from __future__ import annotations

import tomllib

import yaml

import cartrial
from helpers import ROOT, run_cli

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_the_version_stands_once() -> None:
    code, out, err = run_cli("--version")
    assert (code, out, err) == (0, f"cartrial {VERSION}\n", "")
    assert cartrial.__version__ == VERSION
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == VERSION


def test_commands_stand_in_the_order_in_which_a_study_goes() -> None:
    code, out, _ = run_cli("--help")
    assert code == 0
    wanted = ["studies", "new", "check", "derive", "report", "design", "simulate", "trials"]
    assert sorted(wanted, key=lambda name: out.index(f" {name} ")) == wanted
