"""What is known of published trials: populations, words, targets of the calibration.

Origin of every expectation: `published`, the registry of evidence (`/data/evidence`) beside the calibration's targets; `by hand`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cartrial.predict.express import Question, Unexpressed, express_figures
from cartrial.predict.figures import Figure, read_figures
from cartrial.predict.known import load_known, load_published_study, load_words
from cartrial.predict.used import is_kept, use_of
from cartrial.virtual import load_targets
from cartrial.virtual.calibration.clinic import VISITS
from cartrial.virtual.calibration.targets import load_evaluation
from published_tables import MEDIAN, table

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


@pytest.mark.parametrize(
    ("row", "use"),
    [
        ({"id": "mine", "trial": "mskcc", "n": "53", "endpoint": "CR", "window": "best", "count": "44", "value": "83"}, "fit"),
        ({"id": "mine", "trial": "mskcc", "n": "53", **MEDIAN, "value": "6.1"}, "fit"),
        # the same count of another trial, another number of the same trial, and the id of a target that is another figure
        ({"id": "mine", "trial": "uk", "n": "53", "endpoint": "CR", "window": "best", "count": "44", "value": "83"}, "not"),
        ({"id": "mine", "trial": "mskcc", "n": "53", "endpoint": "CR", "window": "best", "count": "40", "value": ""}, "not"),
        ({"id": "mskcc-cr", "trial": "uk", "n": "125", "endpoint": "CR", "window": "best", "count": "115", "value": "92"}, "not"),
        ({"id": "mskcc-cr", "trial": "mskcc", "n": "53", "endpoint": "OS", **MEDIAN, "value": "30"}, "not"),
    ],
)
def test_what_a_figure_was_used_for_is_told_by_the_figure_and_not_by_its_id(tmp_path: Path, row: dict[str, str], use: str) -> None:
    """By hand from `targets.yaml`: 44 of 53 of MSKCC and the median of its event-free time are fitted."""
    figure = read_figures(table(tmp_path, row | {"lower": "", "upper": ""}))[0]
    assert use_of(figure)[0] == use


def test_only_the_figure_of_its_own_trial_is_kept_for_evaluation(tmp_path: Path) -> None:
    rows = [{"id": "uk-cr", "trial": "uk", "n": "125", "endpoint": "CR", "window": "-", "count": "115", "value": "92"}]
    rows.append(rows[0] | {"id": "germany-cr"})
    found = read_figures(table(tmp_path, *(row | {"lower": "", "upper": ""} for row in rows)))
    assert [is_kept(figure) for figure in found] == [True, False]


@registry
def test_the_use_of_no_figure_of_the_registry_hangs_on_its_id() -> None:
    """But of those that no virtual trial can be asked about: the phenotype of a relapse, a cytopenia of one day."""
    consulted = load_known().consulted
    differ = [
        name
        for name, figure in figures().items()
        if name not in consulted and use_of(figure)[0] != use_of(replace(figure, id="renamed"))[0]
    ]
    assert set(differ) == {"mskcc-neg", "ucart-cyto", "eliana-neg"}


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
