"""What can be typed so that readers practise?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartrial.cli.app import MOST_SEED, StudyArg, steps, tell
from cartrial.cli.review.group import DbOption, group
from cartrial.errors import InputError

if TYPE_CHECKING:
    from cartrial.review.loaded import Brought
    from cartrial.study import Study

__all__: list[str] = []


def _simulated(name: str, study: Study, n: int | None, seed: int | None) -> Brought:
    from cartrial.review.practice import bring_practice
    from cartrial.run import simulate_data

    with steps() as say:
        data = simulate_data(name, n=n or study.committee.practice.subjects, seed=seed, say=say)
    return bring_practice(study, data)


@group.command()
def practice(
    study: StudyArg,
    db: DbOption,
    virtual: Annotated[bool, typer.Option("--virtual", help="Practise on virtual patients.")] = False,
    n: Annotated[int | None, typer.Option("-n", min=1, max=200, help="Virtual patients; otherwise as the charter says, or 8.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=MOST_SEED, help="The same seed gives the same patients.")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0: any.")] = 8000,
) -> None:
    """Serve virtual patients of known status, in a workspace of their own, to qualify readers."""
    from cartrial.extras import require

    require("django", extra="review")
    if not virtual:
        raise InputError("readers practise on virtual patients alone", key="--virtual", right="Give --virtual; serve is for a study's data")
    from cartrial.review.app.serve import place_of, run
    from cartrial.review.app.setup import open_workspace
    from cartrial.review.practice import practice_study
    from cartrial.study import Study

    loaded = Study.load(study)
    # what cannot be simulated leaves no file behind
    brought = None if Path(db).exists() or "://" in db else _simulated(study, loaded, n, seed)
    place = place_of(db, must_exist=False)
    open_workspace(place)
    from cartrial.review.app.acts.loading import Cut, find_changes, keep_cut
    from cartrial.review.app.acts.people import first_administrator
    from cartrial.review.app.state import current_cut, use_study

    if current_cut() is None:
        brought = brought or _simulated(study, loaded, n, seed)
        cut = Cut(brought.study, brought.cases, [], brought.replaced)
        keep_cut(cut, find_changes(cut), "cartrial review practice")
        tell(f"{len(brought.cases)} cases of virtual patients.")
    elif n is not None or seed is not None:
        raise InputError("the virtual patients of this workspace were drawn already", key="-n, --seed", right="Name a new file")
    use_study(practice_study(loaded))
    password = first_administrator()
    if password:
        tell(f"First user: admin, password {password} (shown once, to be changed at the first log-in).")
    run(place, port=port, listen="127.0.0.1", proxy="", ready=lambda address: tell(f"Practice is at {address} (end with Ctrl-C)."))
