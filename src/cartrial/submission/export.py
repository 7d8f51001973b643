"""Which parts does an export have, and how are they written whole or not at all?"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cartrial.analysis.results import check_results, results_hash
from cartrial.errors import InputError
from cartrial.files import built_beside, sha256_of
from cartrial.report.study.outputs import run_record
from cartrial.submission.job import AGENCIES, ENCODINGS, LANGUAGES, Job

__all__ = ["PARTS", "export_study", "require_asked"]


def _sdtm(job: Job, out: Path) -> None:
    from cartrial.submission.files.tabulations import write_tabulations

    write_tabulations(job, out)


def _adam(job: Job, out: Path) -> None:
    from cartrial.submission.files.data import write_data

    write_data(job, out)


def _define(job: Job, out: Path) -> None:
    from cartrial.submission.files.define import write_define

    write_define(job, out)


def _ard(job: Job, out: Path) -> None:
    from cartrial.submission.files.ard import write_ard

    write_ard(job.results, out / "exchange")


def _displays(job: Job, out: Path) -> None:
    from cartrial.submission.displays import write_displays
    from cartrial.submission.outline import displays_folder, report_data

    hashed, data = results_hash(job.results), report_data(job)
    folder, made = out / displays_folder(job), job.made
    write_displays(job.study, data, folder, results=hashed, made=made, language=job.language, displays=job.displays, workers=job.workers)


def _ars(job: Job, out: Path) -> None:
    from cartrial.submission.ars import write_event
    from cartrial.submission.outline import displays_folder

    write_event(job, out, displays_folder(job))


def _guide(job: Job, out: Path) -> None:
    from cartrial.submission.conform import check_adam
    from cartrial.submission.files.data import adam_folder
    from cartrial.submission.guide import write_guide

    there = any((out / adam_folder(job) / "datasets").glob("ad*.xpt"))
    write_guide(job, out, check_adam(out) if there else None)


def _m11(job: Job, out: Path) -> None:
    from cartrial.submission.guide import write_protocol

    write_protocol(job.study, out / "exchange", job.made)


def _usdm(job: Job, out: Path) -> None:
    from cartrial.submission.usdm import write_usdm

    (out / "exchange").mkdir(parents=True, exist_ok=True)
    write_usdm(job.study, out / "exchange")


PARTS: dict[str, Callable[[Job, Path], None]] = {
    "sdtm": _sdtm,
    "adam": _adam,
    "define": _define,
    "ard": _ard,
    "displays": _displays,
    "ars": _ars,
    "guide": _guide,
    "usdm": _usdm,
    "m11": _m11,
}
"""The parts of an export by name, in the order in which they are written; each is given the folder of the whole export."""


# parts that name the numbered displays
_NAMING = frozenset({"define", "displays", "ars", "guide"})


def require_asked(
    only: Sequence[str] = (), agency: str = AGENCIES[0], language: str = LANGUAGES[0], encoding: str | None = None
) -> tuple[str, ...]:
    """Return the parts that are asked for, all where none is, in their order.

    Raises
    ------
    InputError
        If a part, agency, language or encoding is not known.
    """
    asked = ((agency, AGENCIES, "--agency"), (language, LANGUAGES, "--language"), (encoding, ENCODINGS, "--encoding"))
    for said, known, key in asked:
        if said is not None and said not in known:
            raise InputError(f"'{said}' is not known", key=key, right=f"It is one of {', '.join(known)}")
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        raise InputError(f"an export has no part '{unknown[0]}'", key="--only", right=f"Parts are: {', '.join(PARTS)}")
    return tuple(name for name in PARTS if not only or name in only)


def export_study(job: Job, out: str | Path, *, only: Sequence[str] = (), say: Callable[[str], None] = lambda _: None) -> None:
    """Write the files in which a study leaves the house.

    Parameters
    ----------
    job : Job
    out : str or Path
        A folder; made when it does not exist. Everything is built beside it and moved in at the end.
    only : sequence of str
        Names of `PARTS`; without, all, `sdtm` of virtual patients alone.
    say : callable
        Told each part.

    Raises
    ------
    InputError
        If a part, agency or language is not known, the study has no estimates, or the place cannot be written to. Nothing is written then.

    Notes
    -----
    ``export.json`` has versions, what was made of what, and the SHA-256 of every file. No clock is read: equal input gives equal bytes.

    Examples
    --------
    >>> from cartrial import InputError
    >>> from cartrial.submission.export import require_asked
    >>> try:
    ...     require_asked(["tables"])
    ... except InputError as error:
    ...     print(error.what)
    an export has no part 'tables'
    """
    parts = require_asked(only, job.agency, job.language, job.encoding)
    if not only and job.adam.provenance != "virtual":
        parts = tuple(name for name in parts if name != "sdtm")  # who has patients has their tabulations
    check_results(job.results)
    if _NAMING & set(parts):
        from cartrial.submission.outline import outlined

        job = outlined(job)
    with built_beside(Path(out)) as folder:
        _write(job, folder, parts, say)
        (folder / "export.json").write_text(json.dumps(_record(job, folder, parts), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write(job: Job, folder: Path, parts: Sequence[str], say: Callable[[str], None]) -> None:
    """Write parts: displays beside others, but for the data, which may be refused, and the event, which names their files."""
    beside = job.workers > 1 and "displays" in parts
    first = [name for name in parts if name in ("sdtm", "adam")] if beside else parts
    for name in first:
        say(f"Writing {name}")
        PARTS[name](job, folder)
    if beside:
        with ThreadPoolExecutor(1) as pool:
            displays = pool.submit(PARTS["displays"], job, folder)
            for name in parts:
                if name not in (*first, "displays", "ars"):
                    say(f"Writing {name}")
                    PARTS[name](job, folder)
            say("Writing displays")
            displays.result()
        if "ars" in parts:
            say("Writing ars")
            PARTS["ars"](job, folder)


def _record(job: Job, folder: Path, parts: Sequence[str]) -> dict[str, object]:
    """Return what was made of what: as run.json of a report, with the date of the export in place of the clock."""
    provenance = job.adam.provenance or job.study.study.provenance
    record = run_record(job.study, job.source, job.results, results_hash(job.results), provenance, job.findings, None)
    record.pop("seed")
    record |= {"time": job.made.isoformat(), "agency": job.agency, "language": job.language, "encoding": job.written, "parts": list(parts)}
    if "adam" in parts:
        from cartrial.submission.files.data import data_notes

        record |= {"adam": data_notes(job)}
    if "displays" in parts:
        from cartrial.submission.displays import NOTES
        from cartrial.submission.outline import displays_folder

        record |= {"displays": json.loads((folder / displays_folder(job) / NOTES).read_text(encoding="utf-8"))}
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return record | {"files": {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}}
