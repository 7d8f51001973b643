"""What can be typed of published curves? `evidence curve`: which individuals does a figure stand for?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartrial.cli.app import MOST, MOST_SEED, tell
from cartrial.cli.evidence.known import evidence
from cartrial.cli.owned import ForceOption, require_own_files
from cartrial.errors import InputError

if TYPE_CHECKING:
    from cartrial.evidence.curves import Reconstruction

__all__: list[str] = []


@evidence.command("curve")
def curve(
    figure: Annotated[Path, typer.Argument(metavar="FIGURE", help="PDF, SVG or PNG of a figure, or CSV of points (time, survival).")],
    n: Annotated[int | None, typer.Option("-n", "--n", max=MOST, help="Patients of the arm. Without it the curves are listed.")] = None,
    rows: Annotated[
        str | None,
        typer.Option("--rows", metavar="ROWS", help="Numbers at risk: a CSV (time, at_risk), or figure:K, the K-th row below a drawing."),
    ] = None,
    events: Annotated[int | None, typer.Option("--events", max=MOST, help="Total of events of the arm.")] = None,
    colour: Annotated[str | None, typer.Option("--colour", metavar="COLOUR", help="Of the curve: #rrggbb or a name.")] = None,
    line: Annotated[
        str | None, typer.Option("--line", metavar="LINE", help="whole or dashed, where curves of a colour differ by it.")
    ] = None,
    box: Annotated[
        str | None, typer.Option("--box", metavar="BOX", help="LEFT,BOTTOM,RIGHT,TOP of the figure on its page or in its image.")
    ] = None,
    page: Annotated[int, typer.Option("--page", max=MOST, help="Page of a PDF.")] = 1,
    x_axis: Annotated[str | None, typer.Option("--x-axis", metavar="AXIS", help="POSITION=TIME,POSITION=TIME; or FIRST:LAST.")] = None,
    y_axis: Annotated[
        str | None, typer.Option("--y-axis", metavar="AXIS", help="POSITION=SURVIVAL,POSITION=SURVIVAL; or FIRST:LAST.")
    ] = None,
    unit: Annotated[str, typer.Option("--unit", help="Of the times, as the figure has them.")] = "not-stated",
    members: Annotated[int, typer.Option("--members", max=100_000, help="Further reconstructions that are as likely.")] = 200,
    seed: Annotated[int, typer.Option("--seed", max=MOST_SEED, help="Seed of the members.")] = 1,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="FOLDER", help="An arm that was written before: print the hazard ratio.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Write individuals, curve and quality there.")] = None,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Reconstruct the individuals of one arm from its survival curve, and say how far they may be trusted."""
    from cartrial.evidence.curves import list_curves, list_rows, read_curve, reconstruct_curve, write_reconstruction
    from cartrial.evidence.curves.against import compare_arms
    from cartrial.evidence.curves.written import FILES, check_unit, require_unit
    from cartrial.files import require_place

    check_unit(unit)
    place: dict[str, Any] = {"page": page, "box": box, "x_axis": x_axis, "y_axis": y_axis}
    if n is None:
        _list(list_curves(figure, **place), list_rows(figure, **place), as_json)
        return
    if out is not None:
        require_place(out)
        require_own_files(out, FILES, by="quality.json", force=force)
    reading = read_curve(figure, colour=colour, line=line, **place)
    printed = _rows(rows, figure, place) if rows is not None else []
    found = reconstruct_curve(reading, n, rows=printed, events=events, members=members, seed=seed)
    about: dict[str, Any] = {"figure": figure.name, "unit": unit}
    if against is not None:
        found.require_counts()
        require_unit(against, unit)
        about["hazard_ratio"] = {"against": str(against), **compare_arms(found, against)}
    names = write_reconstruction(found, out, about=about) if out is not None else []
    if as_json:
        tell(json.dumps(about | found.quality(), indent=2, allow_nan=False))
        return
    for line in _lines(found, about):
        tell(line)
    if names:
        tell(f"Wrote {', '.join(names)} to {out}.")


def _rows(rows: str, figure: Path, place: dict[str, Any]) -> list[Any]:
    """Return numbers at risk of a table, or of the figure itself."""
    from cartrial.evidence.curves import list_rows, read_rows

    word, colon, number = rows.partition(":")
    if word != "figure" or (colon and not number.isdecimal()):
        return read_rows(Path(rows))
    printed = list_rows(figure, **place)
    wanted = int(number or 1)
    if not 1 <= wanted <= len(printed):
        right = f"It has {len(printed)}" if printed else "Write them into a CSV with the columns time and at_risk"
        raise InputError(f"the figure has no row {wanted} of numbers at risk", file=figure.name, key="--rows", right=right)
    return printed[wanted - 1][1]


def _list(curves: list[dict[str, Any]], rows: list[tuple[str, list[tuple[float, int]]]], as_json: bool) -> None:
    if as_json:
        printed = [{"name": name, "at_risk": numbers} for name, numbers in rows]
        tell(json.dumps({"curves": curves, "rows": printed}, indent=2, allow_nan=False))
        return
    for one in curves:
        tell(", ".join(f"{name} {_shown(value)}" for name, value in one.items()))
    for number, (name, numbers) in enumerate(rows, 1):
        tell(f"figure:{number}, at risk{f' ({name})' if name else ''}: " + ", ".join(f"{time:g} {count}" for time, count in numbers))
    tell("Give -n, the patients of the arm, to reconstruct one of them.")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _lines(found: Reconstruction, about: dict[str, Any]) -> list[str]:
    """Return what is told of a reconstruction."""
    quality = found.quality()
    ticks = "without marks of censoring" if quality["ticks"] is None else f"{quality['ticks']} marks of censoring"
    lines = [f"Reading: {quality['reading']}, {quality['drops']} drops, {ticks}, to {quality['end']:.4g}. Provenance: reconstructed."]
    median = "not reached" if quality["median"] is None else f"{quality['median']:.4g}"
    lines.append(f"Median, as read: {median}. Unit: {about['unit']}.")
    if found.refused:
        return [*lines, f"Refused: {found.refused}. {found.remedy}.", *quality["notes"]]
    events = quality["events"]
    printed = "" if events["printed"] is None else f", printed {events['printed']}"
    among = f"; {events['least']} to {events['most']} in {events['members']} as likely" if "members" in events else ""
    lines.append(f"{quality['method']}: {quality['n']} patients, {events['found']} events{printed}{among}.")
    for row in quality["at_risk"]:
        lines.append(f"At risk at {row['time']:.4g}: {row['found']}, printed {row['printed']}.")
    if "events_of_the_fall_to_0" in quality:
        lines.append(f"The last fall, to 0, stands for {quality['events_of_the_fall_to_0']} events.")
    lines.append(f"Largest difference of survival from the reading: {quality['largest_difference']:.4f}.")
    if "hazard_ratio" in about:
        lines.append(_ratio_line(about["hazard_ratio"]))
    return [*lines, *quality["notes"]]


def _ratio_line(ratio: dict[str, Any]) -> str:
    text = f"Hazard ratio against {ratio['against']}: {ratio['estimate']:.4f} ({ratio['lower']:.4f} to {ratio['upper']:.4f})"
    if "least" in ratio:
        text += f"; {ratio['least']:.4f} to {ratio['most']:.4f} over reconstructions that are as likely"
    return text + ". Of reconstructed individuals."
