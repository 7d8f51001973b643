"""Which sets are submitted? All of them, from the engine's sets, the records and the source; pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartrial.submission.adam.cells import shape_adpc, shape_adpp
from cartrial.submission.adam.endpoints import shape_adrs, shape_adtte
from cartrial.submission.adam.events import shape_adae, shape_adcm, shape_adex
from cartrial.submission.adam.laboratory import shape_adlb
from cartrial.submission.adam.shaped import Shaped
from cartrial.submission.adam.subjects import shape_adsl

if TYPE_CHECKING:
    from cartrial.submission.job import Job

__all__ = ["Shaped", "shape_adam"]

_OF_THE_SUBJECT = ("STUDYID", "USUBJID", "SUBJID", "SITEID", "TRTSDT", "INFFL", "PROVNC")


def shape_adam(job: Job) -> dict[str, Shaped]:
    """Return the analysis data sets as they are submitted, by name.

    Parameters
    ----------
    job : Job

    Returns
    -------
    dict of str to Shaped
        ADSL and, where the source has what they are made of, ADRS, ADTTE, ADAE, ADLB, ADPC, ADPP, ADEX and ADCM.

    Raises
    ------
    InputError
        If real data lack a variable that ADaM requires: nothing is invented.
    """
    study, source, records, adam = job.study, job.source, job.records, job.adam
    adsl = shape_adsl(study, source, records, adam)
    have = [name for name in _OF_THE_SUBJECT if name in adsl.frame.columns]
    named = {new: old for old, new in (("TRT01P", "TRTP"), ("TRT01A", "TRTA")) if old in adsl.frame.columns}
    people = adsl.frame.select(*have, **named)
    found = {
        "ADSL": adsl,
        "ADRS": shape_adrs(adam, people) if adam.adrs.height or adam.adresp.height else None,
        "ADTTE": shape_adtte(adam, people) if adam.adtte.height else None,
        "ADAE": shape_adae(study, source, adam, people),
        "ADLB": shape_adlb(study, source, records, people),
        "ADPC": shape_adpc(study, records, adam, people),
        "ADPP": shape_adpp(study, adam, people),
        "ADEX": shape_adex(source, records, people),
        "ADCM": shape_adcm(source, records, people),
    }
    return {name: shaped for name, shaped in found.items() if shaped is not None and (name == "ADSL" or shaped.frame.height)}
