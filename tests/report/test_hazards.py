"""What the page says beside a hazard ratio (by hand, rules version 2, A23)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cartrial.report.page.rows import Stat
from cartrial.report.study.sections.survival import _hazard


def said(method: str, texts: tuple[str, str, str] = ("2.10", "1.00", "4.40")) -> str:
    def stat(found: list[dict[str, str]], statistic: str) -> Stat:
        return Stat(texts[("hazard_ratio", "lower", "upper").index(statistic)], 0, None)

    data = cast(Any, SimpleNamespace(rows=SimpleNamespace(stat=stat)))
    return str(_hazard(data, cast(Any, [{"method": method}])))


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("Cox model, ties by Efron", ""),
        ("Cox model with Firth's penalty, ties by Breslow, profile limits", "Firth"),
        ("Cox model, ties by Efron: not estimable, no event tells it from the other terms", "not estimable"),
        ("Cox model with Firth's penalty, ties by Breslow, profile limits: not estimable, the fit did not converge", "not estimable"),
    ],
)
def test_what_was_fitted(method: str, words: str) -> None:
    text = said(method)
    assert ("2.10" in text) == (words != "not estimable")
    assert ("Firth" in text) == (words == "Firth")
    assert words in text
