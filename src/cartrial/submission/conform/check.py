"""What does a folder of ADaM break, and what does its define.xml say that is not so?"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cartrial.sdtm.source import FINDINGS_SCHEMA
from cartrial.submission.conform.define import DEFINE_RULES, check_define
from cartrial.submission.conform.read import data_folders, read_sets, read_tabulations
from cartrial.submission.conform.rules import RULES
from cartrial.submission.conform.types import typed

__all__ = ["CONFORM_RULES", "check_adam"]

CONFORM_RULES = (*((rule.id, rule.severity, rule.says) for rule in RULES), *DEFINE_RULES)
"""Every rule of conformance: id, severity, what it looks for."""


def check_adam(folder: str | Path) -> pl.DataFrame:
    """Check analysis data against the rules of ADaM, and a define.xml beside them against the data; of an export that of tabulations too.

    Parameters
    ----------
    folder : str or Path
        A folder of XPT or Dataset-JSON files, or of an export.

    Returns
    -------
    polars.DataFrame
        Findings as `cartrial.sdtm.check_sdtm` gives them: FILE, ROW, DOMAIN, USUBJID, VARIABLE, RULE, SEVERITY, MESSAGE; of a rule the
        first record of each set and variable, with the number of records.

    Raises
    ------
    InputError
        If there is no set, or a file cannot be read.

    Examples
    --------
    >>> from cartrial import InputError
    >>> from cartrial.submission.conform import check_adam
    >>> try:
    ...     check_adam("no-such-folder")
    ... except InputError as error:
    ...     print(error.what)
    there is no such folder
    """
    folder = Path(folder)
    sets = read_sets(folder)
    severities = {rule: severity for rule, severity, _ in CONFORM_RULES}
    # what has another type than it should is a finding of one rule; the others read it in its own
    usual = {name: typed(held) for name, held in sets.items()}
    found = [(rule.id, one) for rule in RULES for one in rule.find(sets if rule.id == "adam-type" else usual)]
    analysis, tabulations = data_folders(folder)
    found += check_define(analysis, sets)
    if tabulations is not None and (tabulations / "define.xml").is_file():
        domains = read_tabulations(tabulations)
        found += check_define(tabulations, domains)
        sets = domains | sets
    files = {name: held.file for name, held in sets.items()}
    rows = [
        {
            "FILE": files.get(one.name, "define.xml" if rule.startswith("define") else None),
            "ROW": one.row,
            "DOMAIN": one.name or None,
            "USUBJID": one.subject,
            "VARIABLE": one.variable or None,
            "RULE": rule,
            "SEVERITY": severities[rule],
            "MESSAGE": f"{one.message}.",
        }
        for rule, one in found
    ]
    return pl.DataFrame(rows, schema=FINDINGS_SCHEMA)
