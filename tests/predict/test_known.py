"""What is known of published trials: populations, words, targets of the calibration.

Origin of every expectation: `published`, the registry of evidence (`/data/evidence`) beside the calibration's targets; `by hand`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cartrial.predict.check import use_of
from cartrial.predict.express import Question, Unexpressed, express_figures
from cartrial.predict.figures import Figure, read_figures
from cartrial.predict.known import load_known, load_published_study, load_words
from cartrial.virtual import load_targets
from cartrial.virtual.calibration.clinic import VISITS
from cartrial.virtual.calibration.targets import load_evaluation

REGISTRY = Path(os.environ.get("CARTRIAL_TEST_DATA", "")) / "evidence" / "registry.csv"
registry = pytest.mark.skipif(not REGISTRY.is_file(), reason="the registry of evidence is not here")


def figures() -> dict[str, Figure]:
    return {figure.id: figure for figure in read_figures(REGISTRY)}


def test_every_target_that_is_named_is_one() -> None:
    known, targets = load_known(), {target.id for target in load_targets().targets}
    assert not set(known.targets.values()) - targets
    assert not set(known.targets) & set(known.consulted)
    assert len(set(known.targets.values())) == len(known.targets)


@registry
def test_a_figure_and_its_target_are_the_same_number() -> None:
    """Within what the printing of either leaves open; a target in counts may stand for a printed per cent."""
    known, targets, found = load_known(), {target.id: target for target in load_targets().targets}, figures()
    for name, target_id in known.targets.items():
        figure, target = found[name], targets[target_id]
        value = target.published[0] * (100 if target.scale == "share" else 1)
        assert figure.value == pytest.approx(value, abs=max(figure.half, 0.05) * 1.001), name
        if figure.statistic == "survival":
            # day 1790 stands in the calibration for the 60 months of one publication
            assert figure.time is not None
            assert target.at == pytest.approx(figure.time * 30.4375, abs=37), name


@registry
def test_every_trial_and_word_of_the_registry_is_known() -> None:
    """Each figure is asked or says why not, and none for want of a population that could be named."""
    made = express_figures(tuple(figures().values()), file="registry.csv")
    whys = [item.why for item in made if isinstance(item, Unexpressed)]
    assert not [why for why in whys if why.startswith("no virtual population is named")]
    assert sum(isinstance(item, Question) for item in made) > 100
    assert [item.figure.id for item in made if isinstance(item, Unexpressed) and item.figure.left_out] == [
        *("seed-lancet", "seed-nejm-orr", "seed-nejm-cr", "seed-nejm-os"),
    ]


@registry
def test_what_the_calibration_did_with_a_figure_follows_its_target() -> None:
    found = figures()
    uses = {target.id: target.use for target in load_targets().targets}
    assert use_of(found["mskcc-cr"])[0] == uses["mskcc-cr"]
    assert use_of(found["zuma3-55-orr"])[0] == uses["zuma3-response"]
    assert use_of(found["germany-cr"])[0] == "not"
    assert use_of(found["eliana-mf"])[0] == "consulted"


@registry
def test_nothing_that_is_kept_for_evaluation_was_fitted() -> None:
    kept = {name for where, name in load_evaluation() if where == "registry"}
    assert kept <= set(figures())
    assert not [name for name, figure in figures().items() if name in kept and use_of(figure)[0] == "fit"]


def test_visits_are_those_of_the_calibration() -> None:
    """To month 54; the calibration's last day is that of 60 months, not of a visit."""
    days = [visit.day for visit in load_published_study().disease.visits]
    assert days[: len(VISITS) - 1] == VISITS[:-1].astype(int).tolist()
    assert load_published_study("allogeneic").product.type == "allogeneic"


def test_words_are_found_however_they_are_written() -> None:
    words = load_words()
    assert words.find("orr") == words.find("CR+CRi")
    assert words.find("  cr  or CRi ") == words.find("CR+CRi")
    assert words.find("nothing") is None
    spelt = [name.casefold() for item, word in words.endpoints.items() for name in (item, *word.also)]
    assert len(set(spelt)) == len(spelt)
