"""Where do the analysis data sets stand in an export, and in which forms?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cartrial.submission.adam import shape_adam
from cartrial.submission.files.dataset_json import dataset_json_bytes
from cartrial.submission.files.programs import write_programs
from cartrial.submission.files.text import planned_lengths, require_writable
from cartrial.submission.files.xpt import xpt_bytes

if TYPE_CHECKING:
    from cartrial.submission.job import Job

__all__ = ["adam_folder", "data_notes", "write_data"]


def adam_folder(job: Job) -> Path:
    """Return the folder of the analysis data of a study, relative to the export."""
    return Path("m5", "datasets", job.name, "analysis", "adam")


def write_data(job: Job, out: Path) -> None:
    """Write the sets as XPT into ``m5/…/adam/datasets`` and as Dataset-JSON into ``exchange/dataset-json``.

    ``…/adam/programs/recompute.r`` recomputes the figures from the XPT files alone.

    Parameters
    ----------
    job : Job
    out : Path
        The folder of the whole export.

    Raises
    ------
    InputError
        If real data lack a required variable, or a text cannot be written in the encoding.
    """
    sets = shape_adam(job)
    require_writable(sets, job.written, job.language)
    lengths = planned_lengths(sets.values(), job.written)
    datasets, exchange = out / adam_folder(job) / "datasets", out / "exchange" / "dataset-json"
    datasets.mkdir(parents=True, exist_ok=True)
    exchange.mkdir(parents=True, exist_ok=True)
    json_lengths = planned_lengths(sets.values(), "utf-8")
    for name, shaped in sets.items():
        data = xpt_bytes(shaped.dataset, shaped.frame, lengths, encoding=job.written, language=job.language)
        (datasets / f"{name.lower()}.xpt").write_bytes(data)
        data = dataset_json_bytes(shaped, job.study.study.id, json_lengths, job.made, language=job.language)
        (exchange / f"{name.lower()}.json").write_bytes(data)
    write_programs(job, out / adam_folder(job) / "programs")


def data_notes(job: Job) -> dict[str, object]:
    """Return what is to be known of the sets: which endpoint each PARAMCD is, what was left out, where UNKNOWN stands for nothing."""
    sets = shape_adam(job)
    parameters, unknown = {}, []
    for name, shaped in sets.items():
        frame = shaped.frame
        if "ENDPTID" in frame.columns:
            by = [one for one in ("ENDPTID", "VARIANT", "PARCAT1", "PARAM") if one in frame.columns]
            pairs = frame.select("PARAMCD", *by).unique().sort("PARAMCD", *by)
            parameters[name] = {row.pop("PARAMCD"): {key.lower(): value for key, value in row.items() if value} for row in pairs.to_dicts()}
        for variable in shaped.dataset.variables:
            column = frame[variable.name]
            if variable.kind == "text" and variable.required and frame.height and (column == "UNKNOWN").all():
                unknown.append(f"{name}.{variable.name}")
    left_out = {name: list(shaped.left_out) for name, shaped in sets.items() if shaped.left_out}
    return {"parameters": parameters, "left_out": left_out, "said_unknown": unknown}
