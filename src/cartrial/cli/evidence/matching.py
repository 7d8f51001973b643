"""What can be typed of comparisons with others? `evidence match` and `evidence external`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartrial.cli.app import MOST_SEED, DataOption, StudyArg, data_given, steps, tell
from cartrial.cli.evidence.known import AssumeOption, JsonOption, evidence, finite
from cartrial.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from cartrial.study import Endpoint, Study

__all__: list[str] = []

EndpointOption = Annotated[str, typer.Option("--endpoint", metavar="ID", help="Of the study file.")]


def _patients(study: str, data: Path | None, endpoint: str) -> tuple[Study, Endpoint, pl.DataFrame]:
    """Return a study, its endpoint and its patients."""
    from cartrial.analysis import tabulate_patients
    from cartrial.faults import nearest
    from cartrial.run import derive_data, load_data

    with steps() as say:
        loaded = load_data(study, data_given(data), say=say)
        held = {one.id: one for one in loaded.study.endpoints}
        if endpoint not in held:
            near = nearest(endpoint, list(held))
            right = f"The nearest is '{near}'" if near else f"Endpoints are: {', '.join(held)}"
            raise InputError(f"the study has no endpoint '{endpoint}'", key="--endpoint", right=right)
        adam = derive_data(loaded, say=say).adam
    return loaded.study, held[endpoint], tabulate_patients(loaded.study, adam, held[endpoint])


@evidence.command("match")
def match(
    study: StudyArg,
    endpoint: EndpointOption,
    against: Annotated[Path, typer.Option("--against", metavar="FILE", help="YAML: what is printed of the others.")],
    data: DataOption = None,
    resamples: Annotated[int, typer.Option("--bootstrap", min=0, max=100_000, help="Resamples of both sides; 0 for none.")] = 0,
    seed: Annotated[int, typer.Option("--seed", max=MOST_SEED, help="Of the resamples.")] = 1,
    assume: AssumeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Match a study's patients to what is printed of others, without a common control, and compare."""
    from cartrial.evidence import load_evidence, read_assumptions
    from cartrial.evidence.matching.match import match_patients
    from cartrial.evidence.matching.model import Against
    from cartrial.evidence.matching.told import matched_document, matched_lines
    from cartrial.yamlfile import read_as

    others = read_as(Against, against)[0]
    assumed = read_assumptions(assume or [])
    loaded, one, patients = _patients(study, data, endpoint)
    found = match_patients(
        loaded, one, patients, others, load_evidence(), assume=assumed, resamples=resamples, seed=seed, folder=against.parent
    )
    if as_json:
        tell(json.dumps(finite(matched_document(found)), indent=2, allow_nan=False))
        return
    for line in matched_lines(found):
        tell(line)


@evidence.command("external")
def external(
    study: StudyArg,
    endpoint: EndpointOption,
    control: Annotated[Path, typer.Option("--control", metavar="FILE", help="YAML: the table of the others, and what its times are.")],
    data: DataOption = None,
    estimand: Annotated[
        str, typer.Option("--estimand", help="treated: the study's patients as they are; overlap: those who could be either.")
    ] = "treated",
    until: Annotated[float | None, typer.Option("--until", metavar="DAY", min=1, help="Later times of both are censored there.")] = None,
    assume: AssumeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a study with an external control of whom every one is known: weights by propensity, and how strong a bias would undo it."""
    from cartrial.evidence import read_assumptions
    from cartrial.evidence.matching.external import compare_external, read_control
    from cartrial.evidence.matching.model import Control
    from cartrial.evidence.matching.told import compared_document, compared_lines
    from cartrial.yamlfile import read_as

    held = read_as(Control, control)[0]
    others = read_control(held, control.parent)
    assumed = read_assumptions(assume or [])
    loaded, one, patients = _patients(study, data, endpoint)
    found = compare_external(loaded, one, patients, held, others, estimand=estimand, until=until, assume=assumed)  # type: ignore[arg-type]
    if as_json:
        tell(json.dumps(finite(compared_document(found)), indent=2, allow_nan=False))
        return
    for line in compared_lines(found):
        tell(line)
