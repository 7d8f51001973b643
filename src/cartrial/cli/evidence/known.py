"""What can be typed of published evidence? What is known, whether it is consistent, and whether it may be compared."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cartrial.cli.app import app, tell
from cartrial.cli.owned import ForceOption, require_own_files
from cartrial.errors import InputError

__all__: list[str] = []

evidence = typer.Typer(help="Published results: what is known, whether it is consistent, whether it may be compared.", add_completion=False)
app.add_typer(evidence, name="evidence")


@evidence.callback(invoke_without_command=True)
def summary(context: typer.Context) -> None:
    """Say how much is held, and how much of it may be compared."""
    if context.invoked_subcommand is not None:
        return
    from cartrial.evidence import count_pairs, is_response_rate, load_evidence

    held = load_evidence()
    rates = [(trial, one) for trial, one in held.results if is_response_rate(one)]
    pairs = count_pairs(held, rates)
    tell(f"{len(held.results)} published results of {len(held.trials)} trials, from {len(held.sources)} sources.")
    tell(
        f"{pairs.results} response rates make {pairs.pairs} pairs from different trials: {pairs.different} differ in a stated attribute, "
        f"{pairs.not_established} cannot be decided, {pairs.comparable} {'is' if pairs.comparable == 1 else 'are'} comparable on all."
    )
    for name, (different, unknown) in pairs.by_attribute.items():
        if different or unknown:
            tell(f"  {name:<12}  differs in {different}, not established in {unknown}")
    tell("`cartrial evidence list`, `show`, `check` and `compare` say more.")


JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
AssumeOption = Annotated[
    list[str] | None,
    typer.Option("--assume", metavar="ATTRIBUTE=WORD", help="What is taken where a source is silent, such as hsct=treatment-policy."),
]


def finite(held: Any) -> Any:
    """Return what a JSON document can hold: a number that is none is null."""
    if isinstance(held, dict):
        return {key: finite(value) for key, value in held.items()}
    if isinstance(held, list | tuple):
        return [finite(value) for value in held]
    return None if isinstance(held, float) and not math.isfinite(held) else held


@evidence.command("list")
def list_results(
    trial: Annotated[str | None, typer.Argument(metavar="[TRIAL]", help="One trial; otherwise all.")] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="WORD", help="Of this endpoint alone, such as CR+CRi, OS or 'CRS 3-4'.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List published results by trial, each in one line."""
    from cartrial.evidence import load_evidence
    from cartrial.evidence.registry.words import is_named, result_line
    from cartrial.yamlfile import nearest

    held = load_evidence()
    if trial is not None and trial not in held.trials:
        near = nearest(trial, list(held.trials))
        right = f"The nearest is '{near}'" if near else f"Trials are: {', '.join(held.trials)}"
        raise InputError(f"no trial is called '{trial}'", key="TRIAL", right=right)
    rows = [(name, one) for name, one in held.results if trial in (None, name) and (endpoint is None or is_named(one, endpoint))]
    if as_json:
        tell(json.dumps([{"trial": name, **one.model_dump(mode="json", by_alias=True)} for name, one in rows], indent=2))
        return
    if not rows:
        raise InputError(f"no result is of '{endpoint}'", key="--endpoint", right="`cartrial evidence list` has every word")
    wide = max(len(one.id) for _, one in rows)
    for name in dict.fromkeys(name for name, _ in rows):
        tell(f"{name}: {held.trials[name].trial.name}")
        for _, one in (row for row in rows if row[0] == name):
            tell(f"  {one.id:<{wide}}  {result_line(one)}")


@evidence.command("show")
def show(
    result: Annotated[str, typer.Argument(metavar="RESULT", help="The id of a result.")],
    as_json: JsonOption = False,
) -> None:
    """Show one published result with every attribute that it has or lacks."""
    from cartrial.evidence import load_evidence
    from cartrial.evidence.registry.words import result_lines

    held = load_evidence()
    trial, one = held.find(result)
    if as_json:
        tell(json.dumps({"trial": trial, **one.model_dump(mode="json", by_alias=True)}, indent=2))
        return
    for name, text in result_lines(held, trial, one):
        tell(f"{name:<12}  {text}")


@evidence.command("check")
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The YAML file of a trial, or a folder; otherwise what is held.")
    ] = None,
    claim: Annotated[str | None, typer.Option("--claim", metavar="TEXT", help='One statement, such as "14/19 = 67 %".')] = None,
    every: Annotated[bool, typer.Option("--all", help="Also print what is consistent.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find what cannot be true: counts, limits, orders and sums. Exit code 1 if something is impossible."""
    from cartrial.evidence import VERDICTS, check_evidence, check_statement, load_evidence, read_evidence, read_trial

    if claim is not None and file is not None:
        raise InputError("a file and a claim are two questions", key="--claim", right="Ask one of them")
    if claim is not None:
        found, every = check_statement(claim), True
    elif file is not None:
        found = check_evidence(read_evidence(file).trials.values() if file.is_dir() else [read_trial(file)])
    else:
        found = check_evidence(load_evidence().trials.values())
    code = int(any(finding.verdict == "impossible" for finding in found))
    if as_json:
        tell(json.dumps({"findings": [asdict(finding) for finding in found], "exit": code}, indent=2))
        raise typer.Exit(code)
    for finding in found:
        if every or finding.verdict != "consistent":
            name = f"{', '.join(finding.results)}: " if finding.results else ""
            tell(f"{finding.verdict:<13}  {name}{finding.said}")
    if claim is None:
        counts = {verdict: sum(finding.verdict == verdict for finding in found) for verdict in VERDICTS}
        tell(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
    raise typer.Exit(code)


@evidence.command("compare")
def compare(
    left: Annotated[str, typer.Argument(metavar="RESULT", help="The id of a result.")],
    right: Annotated[str, typer.Argument(metavar="OTHER", help="The id of another.")],
    assume: AssumeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two results attribute by attribute. Exit code 2 with the reasons if they may not be put side by side."""
    from cartrial.evidence import compare_results, load_evidence, read_assumptions, require_comparable

    compared = compare_results(load_evidence(), left, right, assume=read_assumptions(assume or []))
    if as_json:
        whole = {**asdict(compared), "status": compared.status, "assumed": compared.assumed, "reasons": compared.reasons()}
        tell(json.dumps(whole, indent=2))
        raise typer.Exit(0 if compared.status == "comparable" else 2)
    rows = [(one.name, one.left or "not stated", one.right or "not stated", one.status, one.assumed) for one in compared.attributes]
    wide = [max(len(head), *(len(row[i] or "") for row in rows)) for i, head in enumerate(("attribute", left, right))]
    tell(f"{'attribute':<{wide[0]}}  {left:<{wide[1]}}  {right}")
    for name, one, two, status, assumed in rows:
        tell(f"{name:<{wide[0]}}  {one:<{wide[1]}}  {two:<{wide[2]}}  {status}" + (f", assuming {assumed}" if assumed else ""))
    for note in compared.notes:
        tell(f"Note: {note}.")
    require_comparable([compared])
    tell("They estimate the same" + (f", assuming {', '.join(compared.assumed)}." if compared.assumed else "."))


@evidence.command("pool")
def pool(
    results: Annotated[list[str], typer.Argument(metavar="RESULT...", help="The ids of two or more results of different trials.")],
    assume: AssumeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pool rates of different trials that estimate the same. Exit code 2 with the reasons if they may not be put together."""
    from cartrial.evidence import load_evidence, pool_results, read_assumptions
    from cartrial.evidence.pooling.told import pool_lines

    found = pool_results(load_evidence(), results, assume=read_assumptions(assume or []))
    if as_json:
        tell(json.dumps(finite(asdict(found)), indent=2, allow_nan=False))
        return
    for line in pool_lines(found):
        tell(line)


@evidence.command("prior")
def prior(
    results: Annotated[list[str], typer.Argument(metavar="RESULT...", help="The ids of one or more results of different trials.")],
    n: Annotated[int, typer.Option("--n", help="Subjects of the new trial.")],
    null: Annotated[float, typer.Option("--null", help="The rate that a success exceeds.")],
    robust: Annotated[float, typer.Option("--robust", help="Weight of a uniform component, 0 to 1.")] = 0.2,
    spread: Annotated[float, typer.Option("--spread", help="Scale of the half-normal prior of the spread between trials.")] = 1.0,
    certainty: Annotated[float, typer.Option("--certainty", help="A success: P(rate > null) is above this.")] = 0.975,
    rate: Annotated[list[float] | None, typer.Option("--rate", help="True rates to ask beside the null.")] = None,
    block: Annotated[bool, typer.Option("--yaml", help="Print the prior alone, as YAML.")] = False,
    assume: AssumeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a prior of published rates, and print what it costs: type I error and power beside those of a uniform one."""
    from cartrial.analysis import BetaMixture
    from cartrial.design import operate_borrowed
    from cartrial.evidence import derive_prior, load_evidence, read_assumptions
    from cartrial.evidence.priors.prior import prior_lines

    made = derive_prior(load_evidence(), results, assume=read_assumptions(assume or []), robust=robust, spread_scale=spread)
    if block:
        tell(made.block().rstrip())
        return
    rates = [null, *(rate or [])]
    priors = {"uniform": BetaMixture((1.0,), (1.0,), (1.0,)), "borrowed": made.mixture}
    found = {name: operate_borrowed(one, n=n, null=null, rates=rates, certainty=certainty) for name, one in priors.items()}
    if as_json:
        whole = {
            "results": [asdict(one) for one in made.results],
            "assumed": made.assumed,
            "notes": made.notes,
            "mean": made.exact.mean,
            "sd": made.exact.sd,
            "mixture": asdict(made.mixture),
            "robust": made.robust,
            "sizes": made.sizes,
            "n": n,
            "null": null,
            "certainty": certainty,
            "characteristics": {name: {"smallest": one.smallest, "rates": one.table.to_dicts()} for name, one in found.items()},
        }
        tell(json.dumps(finite(whole), indent=2, allow_nan=False))
        return
    for line in prior_lines(made):
        tell(line)
    tell(f"A trial of {n}; a success where P(rate > {null:g}) > {certainty:g}:")
    for name, one in found.items():
        least = "no count is a success" if one.smallest is None else f"{one.smallest} responses"
        parts = [f"{100 * row['success']:.1f} % at {row['rate']:g}" for row in one.table.iter_rows(named=True)]
        tell(f"  {name:<8}  {least}, success in {', '.join(parts)}")
    error = {name: one.table["success"][0] for name, one in found.items()}
    tell(f"Borrowing changes the type I error from {100 * error['uniform']:.1f} to {100 * error['borrowed']:.1f} %.")


@evidence.command("import")
def import_results(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="JSON of a ClinicalTrials.gov record with posted results.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for a registry of this record.")],
    force: ForceOption = False,
) -> None:
    """Write what a ClinicalTrials.gov record posts as rows of a registry: what it does not say is `not-stated`."""
    from cartrial.evidence.registry.posted import read_posted, write_posted
    from cartrial.files import require_place

    require_place(out)
    require_own_files(out, ("trials", "sources.yaml", "claims.yaml", "timeline.yaml"), by="", force=force)
    found = read_posted(record)
    write_posted(found, out)
    for line in found.left_out:
        tell(f"Left out: {line}.")
    tell(f"Wrote {len(found.trial.results)} results to {out}. Set what is not-stated, and `cartrial evidence check {out}`.")
