"""How is a folder of source data read? One file a domain, in any of five forms; the same table in each form reads equal."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.forms.coerce import coerce_domain
from cartrial.sdtm.forms.dataset_json import read_dataset_json_table
from cartrial.sdtm.forms.delimited import read_csv_table
from cartrial.sdtm.forms.xpt import read_xpt_table
from cartrial.sdtm.source import Source, SourceFile, finding, findings_frame, join_findings
from cartrial.sdtm.standard import standardise
from cartrial.sdtm.vocabulary.schema import DOMAINS, is_domain_name

__all__ = ["read_sdtm"]

FORMS = {".csv": "csv", ".parquet": "parquet", ".xpt": "xpt", ".json": "dataset-json", ".ndjson": "ndjson"}
SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
# Domains without which there is neither a subject nor a day 0.
NOT_EMPTY = ("DM", "EX")


def read_sdtm(folder: str | Path, *, mapping: str | Path | None = None) -> Source:
    r"""Read the source data of a study.

    Parameters
    ----------
    folder : path
        Folder of CSV, Parquet, XPT (version 5), Dataset-JSON (1.1) or NDJSON files, one a domain: dm.csv, DM.xpt, dm_sdtm.json.
    mapping : path, optional
        Mapping file; the folder then holds a spreadsheet that it describes. Default: mapping.yaml in the folder, if there is one.

    Returns
    -------
    Source
        Domains with the types of the schema, terms and units standardised (`cartrial.sdtm.standardise`); `findings` says what was found
        on the way.

    Raises
    ------
    InputError
        If the folder or a file cannot be read, a key is missing, or a date or number that a rule needs does not parse.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import read_sdtm
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "dm.csv").write_text("STUDYID,USUBJID,SEX\nS,S-01,Female\n")
    ...     source = read_sdtm(folder)
    >>> source.domains["DM"].row(0, named=True)
    {'STUDYID': 'S', 'USUBJID': 'S-01', 'SEX': 'F', 'ROW': 2}
    >>> source.findings["RULE"].to_list()
    ['term-mapped']
    """
    folder = Path(folder)
    if not folder.exists():
        raise InputError("the folder is not there", file=str(folder), right="Name the folder that holds the source data")
    if mapping is None and (folder / "mapping.yaml").is_file():
        mapping = folder / "mapping.yaml"
    if mapping is not None:
        from cartrial.sdtm.mapping import read_mapped

        return standardise(read_mapped(Path(mapping), folder))
    if not folder.is_dir():
        raise InputError("this is no folder", file=str(folder), right="Name the folder that holds the source data, one file a domain")
    domains: dict[str, pl.DataFrame] = {}
    files: list[SourceFile] = []
    findings: list[pl.DataFrame] = []
    for path in _data_files(folder):
        domain, raw, digest = _read_table(path)
        if domain is None:
            message = f"The name of {path.name} is that of no domain; the file is not read."
            findings.append(findings_frame([finding("file-ignored", "warning", message, file=path.name)]))
            continue
        if domain in domains:
            other = next(file.name for file in files if file.domain == domain)
            raise InputError(f"the domain {domain} is in {other} too", file=path.name, right="Each domain stands in one file")
        frame, found = coerce_domain(raw, domain, path.name)
        domains[domain] = frame
        files.append(SourceFile(path.name, domain, digest, frame.height, FORMS[path.suffix.lower()]))
        findings += [found, _empty(frame, domain, path.name)]
    _require_domains(domains, folder)
    return standardise(Source(domains, tuple(files), join_findings(findings)))


def _data_files(folder: Path) -> list[Path]:
    files = sorted(
        (path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")),
        key=lambda path: (path.stem.lower(), path.suffix.lower()),
    )
    data = [path for path in files if path.suffix.lower() in FORMS]
    if data:
        return data
    if any(path.suffix.lower() in SPREADSHEETS for path in files):
        raise InputError(
            "the folder holds a spreadsheet and no mapping",
            file=str(folder),
            right="Put a mapping.yaml beside the study file that says what each column means",
        )
    right = "It holds one file a domain: dm.csv, ex.csv, rs.csv ... (or .parquet, .xpt, .json, .ndjson)"
    raise InputError("the folder is empty" if not files else "the folder holds no source data", file=str(folder), right=right)


def _domain_name(stem: str) -> str | None:
    name = stem.upper()
    if is_domain_name(name):
        return name
    first = name.split("_")[0].split("-")[0].split(".")[0].split(" ")[0]
    return first if is_domain_name(first) else None


def _read_table(path: Path) -> tuple[str | None, pl.DataFrame, str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror})", file=path.name, right="Check that it is a file and that you may read it"
        ) from None
    digest = hashlib.sha256(data).hexdigest()
    form = FORMS[path.suffix.lower()]
    if form in ("dataset-json", "ndjson"):
        name, frame = read_dataset_json_table(data, path.name, lines=form == "ndjson")
        return (name if is_domain_name(name) else None), frame, digest
    domain = _domain_name(path.stem)
    if domain is None:
        return None, pl.DataFrame(), digest
    if form == "csv":
        return domain, read_csv_table(data, path.name), digest
    if form == "xpt":
        return domain, read_xpt_table(path), digest
    return domain, _read_parquet_table(data, path.name), digest


def _read_parquet_table(data: bytes, file: str) -> pl.DataFrame:
    if not data:
        raise InputError("the file is empty", file=file, right="It is a Parquet file")
    try:
        return pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError, ValueError):
        raise InputError("the file cannot be read as Parquet, or is cut off", file=file, right="Write or copy it again") from None


def _empty(frame: pl.DataFrame, domain: str, file: str) -> pl.DataFrame:
    if frame.height:
        return findings_frame([])
    if domain in NOT_EMPTY:
        raise InputError("there is a header and no record", file=file, right=f"{DOMAINS[domain].label} has {DOMAINS[domain].records}")
    return findings_frame([finding("domain-empty", "note", f"{file} has a header and no record.", file=file, domain=domain)])


def _require_domains(domains: dict[str, pl.DataFrame], folder: Path) -> None:
    if not domains:
        raise InputError(
            "no file is named after a domain", file=str(folder), right="It holds one file a domain: dm.csv, ex.csv, rs.csv ..."
        )
    if "DM" not in domains:
        raise InputError("there is no DM", file=str(folder), right="dm.csv (or another form) has one row per subject")
