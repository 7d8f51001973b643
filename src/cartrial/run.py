"""Which steps make a run? Reading, checking, deriving, estimating and writing, in this order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from cartrial.endpoints import Adam
    from cartrial.report.study.cells.fits import CellFits
    from cartrial.report.study.hidden.ask import Hide
    from cartrial.sdtm import Source
    from cartrial.sdtm.records import Records
    from cartrial.study import Study
    from cartrial.virtual.patients.population import Population
    from cartrial.virtual.trial import VirtualPatients

__all__ = ["Data", "Derived", "derive_data", "estimate_data", "kinetics", "load_data", "report", "simulate_data"]

Say = Callable[[str], None]


def _silent(_: str) -> None:
    return None


@dataclass(frozen=True)
class Data:
    """A study with its source data and what was found in them. `seed` and `virtual` are those of virtual patients."""

    study: Study
    source: Source
    findings: pl.DataFrame
    seed: int | None = None
    virtual: VirtualPatients | None = None


def load_data(study: str | Path, data: str | Path, *, require: bool = True, say: Say = _silent) -> Data:
    """Read a study and its source data, and check them.

    Parameters
    ----------
    study : str or Path
        A built-in name, a YAML file, or a folder. A `mapping.yaml` in the folder, or beside the file, describes the spreadsheet in `data`.
        Beside a file it gives way to a mapping in `data`, and is used only where the table that it names is there, or `data` holds a
        spreadsheet and nothing else that could be read.
    data : str or Path
        Folder of source data.
    require : bool
        Refuse what would stop a report; otherwise it is a finding.
    say : callable
        Told each step.

    Raises
    ------
    InputError
        If the study or the data cannot be used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial import write_sdtm
    >>> from cartrial.run import load_data
    >>> from cartrial.sdtm import Source
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    >>> ex = {"EXSEQ": [1, 1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1, 1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["CR", "NR"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> with TemporaryDirectory() as folder:
    ...     _ = write_sdtm(source, folder)
    ...     data = load_data("inaticel", folder)
    >>> data.study.study.id, data.source.domains["DM"].height, data.findings["RULE"].to_list()
    ('inaticel-pivotal', 2, ['study-mismatch'])
    """
    from cartrial.sdtm import check_sdtm, read_sdtm, require_sdtm
    from cartrial.sdtm.read import find_mapping
    from cartrial.study import Study

    say("Reading the study")
    loaded = Study.load(study)
    say("Reading the source data")
    source = read_sdtm(data, mapping=find_mapping(Path(study), Path(data)))
    loaded, virtual = _with_provenance(loaded, source, Path(data))
    say("Checking the source data")
    findings = require_sdtm(loaded, source) if require else check_sdtm(loaded, source)
    return Data(loaded, source, findings, virtual=virtual)


def _with_provenance(study: Study, source: Source, data: Path) -> tuple[Study, VirtualPatients | None]:
    """Return the study with the provenance that the data say of themselves, and their virtual patients: both stay what they are."""
    from cartrial.sdtm.source import VIRTUAL_PREFIX
    from cartrial.yamlfile import read_yaml

    about = data / "about.yaml"
    said, lines = read_yaml(about) if about.is_file() else (None, {})
    name = said.get("provenance") if isinstance(said, dict) else None
    if source.domains["DM"]["STUDYID"].str.starts_with(VIRTUAL_PREFIX).any():
        name = "virtual"
    if name not in ("virtual", "example"):
        return study, None
    patients = None
    if name == "virtual" and isinstance(said, dict):
        from cartrial.virtual.trial.patients import read_patients

        patients = read_patients(said, lines, about.name)
    return study.model_copy(update={"study": study.study.model_copy(update={"provenance": name})}), patients


@dataclass(frozen=True)
class Derived:
    """Records, analysis data sets, and the findings of the source and of the readings."""

    records: Records
    adam: Adam
    findings: pl.DataFrame


def derive_data(data: Data, *, say: Say = _silent) -> Derived:
    """Derive the analysis data sets of a study.

    Returns
    -------
    Derived
        Its findings are those of the source, and those that only statuses and endpoints show.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial import write_sdtm
    >>> from cartrial.run import derive_data, load_data
    >>> from cartrial.sdtm import Source
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    >>> ex = {"EXSEQ": [1, 1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1, 1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["CR", "NR"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> with TemporaryDirectory() as folder:
    ...     _ = write_sdtm(source, folder)
    ...     derived = derive_data(load_data("inaticel", folder))
    >>> derived.adam.adrs.filter(PARAMCD="ORR3", VARIANT="")["AVALC"].to_list()
    ['Y', 'N']
    """
    from cartrial.endpoints import check_endpoints, derive
    from cartrial.sdtm import join_findings
    from cartrial.sdtm.records import derive_records

    say("Deriving statuses and endpoints")
    records = derive_records(data.study, data.source)
    adam = derive(data.study, records)
    return Derived(records, adam, join_findings([data.findings, check_endpoints(data.study, adam, records)]))


def estimate_data(data: Data, derived: Derived, *, say: Say = _silent) -> tuple[pl.DataFrame, CellFits | None]:
    """Estimate everything that a study asks for, a population model of the cells too where its file has one.

    Returns
    -------
    results : polars.DataFrame
        Rows of `cartrial.analysis.analyse`, and those of the model.
    cells : CellFits or None
        None of a study that is listed only.

    Examples
    --------
    >>> from cartrial.run import derive_data, estimate_data, simulate_data
    >>> data = simulate_data("inaticel", n=3, seed=1)
    >>> results, _ = estimate_data(data, derive_data(data))
    >>> results.filter(analysis="flow", endpoint="infused", by="")["value"].to_list()
    [3.0]
    """
    import polars as pl

    from cartrial.analysis import analyse
    from cartrial.report.study.cells.fits import fit_cells, rows_of

    say("Estimating")
    results = analyse(data.study, derived.adam, derived.records)
    if data.study.study.listing_only:
        return results, None
    cells = fit_cells(data.study, derived.adam, derived.records, say=say)
    return (results if cells is None else pl.concat([results, rows_of(data.study, derived.adam, cells)])), cells


def simulate_data(
    study: str | Path,
    *,
    n: int | None = None,
    seed: int | None = None,
    population: str | Path | Population | None = None,
    say: Say = _silent,
) -> Data:
    """Simulate a study's virtual patients as the SDTM that its sites would have sent.

    Parameters
    ----------
    study : str or Path
        As in `load_data`.
    n, seed, population : optional
        As in `plan_study`.
    say : callable
        Told each step.

    Raises
    ------
    InputError
        If the study cannot be simulated.

    Examples
    --------
    >>> from cartrial.run import simulate_data
    >>> data = simulate_data("inaticel", n=3, seed=1)
    >>> infused = data.source.domains["EX"].filter(EXTRT="INATICABTAGENE AUTOLEUCEL")
    >>> infused["USUBJID"].n_unique(), data.study.study.provenance
    (3, 'virtual')
    """
    from cartrial.sdtm import require_sdtm
    from cartrial.study import Study
    from cartrial.virtual.trial import assess_patients, emit_sdtm, plan_study, virtual_study

    say("Reading the study")
    loaded = Study.load(study)
    say("Simulating virtual patients")
    plan = plan_study(loaded, n=n, seed=seed, population=population)
    virtual, source = virtual_study(loaded), emit_sdtm(loaded, plan=plan)
    return Data(virtual, source, require_sdtm(virtual, source), plan.seed, assess_patients(plan))


def report(
    study: str | Path,
    data: str | Path | None,
    out: str | Path,
    *,
    n: int | None = None,
    seed: int | None = None,
    population: str | Path | Population | None = None,
    figures: Sequence[str] = (),
    hide: Hide | None = None,
    say: Say = _silent,
) -> VirtualPatients | None:
    """Write the report of a study: report.html, results.json, results.parquet, adam/ and run.json; cells/ where a model is asked for.

    Parameters
    ----------
    study, data : str or Path
        As in `load_data`; without data, of virtual patients.
    out : str or Path
        Folder to write to.
    n, seed, population : optional
        Of the virtual patients, as in `plan_study`.
    figures : sequence of str
        Formats of still pictures, as in `cartrial.write_report`.
    hide : Hide, optional
        Hide whose data they are: codes for subjects, study days for dates, no site, nothing as a site wrote it.
    say : callable
        Told each step.

    Returns
    -------
    VirtualPatients or None
        Who the virtual patients were; None of recorded data.

    Raises
    ------
    InputError
        If the study, the data or the place cannot be used; nothing is written then.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial import write_sdtm
    >>> from cartrial.run import report
    >>> from cartrial.sdtm import Source
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    >>> ex = {"EXSEQ": [1, 1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1, 1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["CR", "NR"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> with TemporaryDirectory() as folder:
    ...     _ = write_sdtm(source, Path(folder, "data"))
    ...     _ = report("inaticel", Path(folder, "data"), Path(folder, "out"))
    ...     sorted(path.name for path in Path(folder, "out").iterdir())
    ['adam', 'report.html', 'results.json', 'results.parquet', 'run.json']
    """
    from cartrial.files import require_place
    from cartrial.report import write_report
    from cartrial.report.page.still import check_formats

    require_place(Path(out))
    formats = check_formats(figures)
    if hide is not None:
        hide.require(out)
    loaded = simulate_data(study, n=n, seed=seed, population=population, say=say) if data is None else load_data(study, data, say=say)
    whose = loaded.source
    if hide is not None:
        loaded = replace(loaded, source=hide.coded(whose), findings=hide.told(loaded.findings))
    derived = derive_data(loaded, say=say)
    results, cells = estimate_data(loaded, derived, say=say)
    say("Writing the report")
    write_report(
        loaded.study,
        loaded.source,
        derived.adam,
        results,
        derived.findings,
        out,
        seed=loaded.seed,
        virtual=loaded.virtual,
        figures=formats,
        cells=cells,
        hiding=None if hide is None else hide.done(derived.records, whose),
        records=derived.records,
        arguments=_asked(study=study, data=data, out=out, n=n, seed=seed, population=population, figures=formats),
    )
    if hide is not None:
        hide.leave_key()
    return loaded.virtual


def _asked(**arguments: object) -> dict[str, object]:
    """Return the arguments of a run as run.json keeps them: each one, null where it was not given."""
    plain = (str, int, float, bool, type(None))
    return {
        name: list(value) if isinstance(value, list | tuple) else value if isinstance(value, plain) else str(value)
        for name, value in arguments.items()
    }


def kinetics(
    study: str | Path,
    data: str | Path | None,
    out: str | Path,
    *,
    n: int | None = None,
    seed: int | None = None,
    population: str | Path | Population | None = None,
    say: Say = _silent,
) -> list[str]:
    """Fit the population model of the product's cells that a study file asks for, and write its tables.

    Parameters
    ----------
    study, data : str or Path
        As in `report`; without data, of virtual patients.
    out : str or Path
        Folder to write to.
    n, population : optional
        Of the virtual patients.
    seed : int, optional
        Of the estimation; otherwise that of the study file.
    say : callable
        Told each step.

    Returns
    -------
    list of str
        The summary, a line each.

    Raises
    ------
    InputError
        If the study, the data or the place cannot be used, or no model can be fitted; nothing is written then.

    Examples
    --------
    >>> from cartrial import InputError
    >>> from cartrial.run import kinetics
    >>> try:
    ...     kinetics("inaticel", None, "out", n=3)
    ... except InputError as error:
    ...     print(error.what)
    the study file asks for no model of the cells
    """
    from cartrial.files import require_place
    from cartrial.kinetics import fit_kinetics
    from cartrial.kinetics.asked import model_of
    from cartrial.report.study.cells.page import write_cell_page
    from cartrial.study import Study

    model_of(Study.load(study))
    require_place(Path(out))
    loaded = simulate_data(study, n=n, population=population, say=say) if data is None else load_data(study, data, say=say)
    derived = derive_data(loaded, say=say)
    found = fit_kinetics(loaded.study, derived.adam, derived.records, seed=seed, say=say)
    say("Writing the page")
    return write_cell_page(loaded.study, loaded.source, derived.adam, found, derived.findings, out, seed=loaded.seed)
