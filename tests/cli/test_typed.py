"""Commands that are typed nowhere else: what they print and write, and what they leave undone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cartrial.virtual.published import MODELS
from helpers import run_cli
from review_example import example_data, write_folder


@pytest.mark.slow
@pytest.mark.shows("CMD-models")
def test_the_models_have_a_page(tmp_path: Path) -> None:
    """By hand: each published model stands on it with its source."""
    code, out, _ = run_cli("models", "--out", tmp_path / "models.html")
    page = (tmp_path / "models.html").read_text(encoding="utf-8")
    assert code == 0 and "models.html" in out
    assert all(model.doi in page for model in MODELS.values()) and len(MODELS) == 6


@pytest.mark.slow
@pytest.mark.shows("CMD-supply")
def test_two_ways_of_supply_have_a_page(tmp_path: Path) -> None:
    """By hand: both products stand on it, and as many patients enrolled as were asked for."""
    code, _, _ = run_cli("supply", "-n", "20", "--seed", "3", "--out", tmp_path / "supply.html")
    words = re.sub("<[^>]+>", " ", (tmp_path / "supply.html").read_text(encoding="utf-8"))
    assert code == 0 and "autologous" in words and "allogeneic" in words and re.search(r"\b20\b", words)


@pytest.mark.slow
@pytest.mark.shows("CMD-review-load", "CMD-review-users-add", "CMD-review-users-list", "CMD-review-users-reset", "CMD-review-users-disable")
def test_a_person_is_added_listed_given_a_new_password_and_disabled(tmp_path: Path) -> None:
    """By hand: two passwords that differ; who is disabled is not listed as one who may log in; a name that is none is refused."""
    write_folder(example_data(), tmp_path / "data")
    at = ("--db", tmp_path / "work.db")
    assert run_cli("review", "load", "inaticel", "--data", tmp_path / "data", *at)[0] == 0
    code, first, _ = run_cli("review", "users", "add", "one", "--name", "Dr A. Eins", "--role", "reader", *at)
    assert code == 0
    assert "Dr A. Eins" in run_cli("review", "users", "list", *at)[1]
    code, second, _ = run_cli("review", "users", "reset", "one", *at)
    assert code == 0 and first.split(":")[-1] != second.split(":")[-1]
    assert run_cli("review", "users", "disable", "one", *at)[0] == 0
    listed = run_cli("review", "users", "list", *at)[1]
    assert "one" not in listed.split() or "no" in listed.lower()
    code, out, err = run_cli("review", "users", "reset", "nobody", *at)
    assert (code, out) == (2, "") and "nobody" in err
