"""How is a folder of source data read? One file a domain, or several, in any form; the same table in each form reads equal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.forms.coerce import coerce_domain
from cartrial.sdtm.forms.columnar import read_parquet_table
from cartrial.sdtm.forms.dataset_json import NotDatasetJson, read_dataset_json_table
from cartrial.sdtm.forms.delimited import read_csv_table
from cartrial.sdtm.forms.packed import unpacked
from cartrial.sdtm.forms.unread import ignored, unread_files
from cartrial.sdtm.forms.xpt import read_xpt_table
from cartrial.sdtm.source import Source, SourceFile, finding, findings_frame, join_findings, many
from cartrial.sdtm.standard import standardise
from cartrial.sdtm.vocabulary.names import domain_of_name, named_after, named_as_part
from cartrial.sdtm.vocabulary.schema import DOMAINS, KEYED, is_domain_name
from cartrial.yamlfile import read_yaml

__all__ = ["find_mapping", "read_sdtm"]

FORMS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".xpt": "xpt",
    ".json": "dataset-json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".dsjc": "ndjson",
}
SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
# Domains without which there is neither a subject nor a day 0.
NOT_EMPTY = ("DM", "EX")


def read_sdtm(folder: str | Path, *, mapping: str | Path | None = None) -> Source:
    r"""Read the source data of a study.

    Parameters
    ----------
    folder : path
        Folder of CSV, TSV, Parquet, XPT (version 5), Dataset-JSON (1.1, 1.0) or NDJSON files, each plain or as .gz, one a domain: dm.csv,
        DM.xpt, dm_sdtm.json. A domain split over several files (lbch, lbhe) is put together by its DOMAIN column.
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
    paths = _data_files(folder)
    tables: dict[str, list[_Table]] = {}
    findings: list[pl.DataFrame] = []
    foreign: list[tuple[str | None, InputError]] = []
    for path in paths:
        try:
            table, found = _read_file(path)
        except NotDatasetJson as error:
            foreign.append((named_after(path.name.split(".")[0]), error))
            continue
        findings.append(found)
        if table is not None:
            tables.setdefault(table.domain, []).append(table)
    findings += [_foreign(domain, error, tables) for domain, error in foreign]
    domains: dict[str, pl.DataFrame] = {}
    files: list[SourceFile] = []
    for domain, found_parts in tables.items():
        parts, found = _parts(domain, found_parts)
        findings.append(found)
        frames = [_placed(part, parts[:i], len(parts)) for i, part in enumerate(parts)]
        domains[domain] = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal").select(pl.exclude("ROW"), "ROW")
        findings += [*(part.findings for part in parts), _empty(domains[domain], domain, " + ".join(part.file for part in parts))]
        files += [_source_file(part, parts[:i], len(parts)) for i, part in enumerate(parts)]
    _require_domains(domains, folder)
    findings += unread_files(folder, paths)
    return standardise(Source(domains, tuple(files), join_findings(findings)))


@dataclass(frozen=True)
class _Table:
    """A file that was read: its domain, whether its name is that of a part, its records and what was found."""

    file: str
    domain: str
    named_as_part: bool
    form: str
    digest: str
    frame: pl.DataFrame
    findings: pl.DataFrame

    def coerced(self) -> _Table:
        """Return it with the types of the schema, and what was found."""
        frame, findings = coerce_domain(self.frame, self.domain, self.file)
        return replace(self, frame=frame, findings=findings)

    @property
    def stem(self) -> str:
        """Its name without endings."""
        return self.file.split(".")[0].upper()

    @property
    def says_domain(self) -> bool:
        """Whether it has a column DOMAIN; supplemental qualifiers have RDOMAIN."""
        return any(name.strip().upper() in ("DOMAIN", "RDOMAIN") for name in self.frame.columns)

    @property
    def last(self) -> int:
        """The last row of the file that holds a record."""
        return int(self.frame["ROW"].max() or 1)  # type: ignore[arg-type]


def _foreign(domain: str | None, error: InputError, tables: dict[str, list[_Table]]) -> pl.DataFrame:
    """Return the finding of JSON of another kind; refuse it where a domain that the rules read would be missed without a word."""
    if domain in DOMAINS and domain not in tables:
        raise error
    why = error.what + (f". Its name is that of {domain}" if domain else "")
    return ignored(str(error.file), why, severity="warning" if domain else "note")


def _offset(before: list[_Table]) -> int:
    """Return what is added to the rows of a part: each part goes on where the last one ended."""
    return sum(part.last for part in before)


def _placed(part: _Table, before: list[_Table], number: int) -> pl.DataFrame:
    return part.frame if number == 1 else part.frame.with_columns(pl.col("ROW") + _offset(before))


def _source_file(part: _Table, before: list[_Table], number: int) -> SourceFile:
    offset = _offset(before)
    place = (0, None) if number == 1 else (offset, offset + part.last)
    return SourceFile(part.file, part.domain, part.digest, part.frame.height, part.form, *place)


def _parts(domain: str, found: list[_Table]) -> tuple[list[_Table], pl.DataFrame]:
    """Return the tables that make a domain, and say where there are several; one table in several forms is read once."""
    said: list[pl.DataFrame] = []
    parts: list[_Table] = []
    for table in found:
        twin = next((other for other in parts if other.stem == table.stem), None)
        if twin is None and parts and not table.says_domain:
            right = "Each domain stands in one file; the parts of one that is split have a column DOMAIN"
            raise InputError(f"the domain {domain} is in {parts[0].file} too", file=table.file, right=right)
        part = table.coerced()
        if twin is None:
            parts.append(part)
        elif part.frame.equals(twin.frame):
            said.append(ignored(table.file, f"it holds the same records as {twin.file}, which is", severity="note"))
        else:
            right = "The two differ: keep the one that is right"
            raise InputError(f"the domain {domain} is in {twin.file} too", file=table.file, right=right)
    if len(parts) > 1:
        plain = all(part.named_as_part for part in parts)
        listed = ", ".join(f"{part.file} ({many(part.frame.height, 'record')})" for part in parts)
        message = f"{domain} stands in {len(parts)} files and is put together: {listed}."
        message += "" if plain else " Make sure that none of them is a copy or an older state of another."
        record = finding("domain-split", "note" if plain else "warning", message, file=parts[0].file, domain=domain)
        said.append(findings_frame([record]))
    return parts, join_findings(said)


def has_tables(folder: Path) -> bool:
    """Whether a folder holds a file in a form that is read without a mapping."""
    return any(path.is_file() and not path.name.startswith(".") and _ending(path) in FORMS for path in folder.iterdir())


def _data_files(folder: Path) -> list[Path]:
    try:
        files = sorted(
            (path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")),
            key=lambda path: (path.stem.lower(), path.suffix.lower()),
        )
    except OSError as error:
        raise InputError(f"the folder cannot be read ({error.strerror})", file=str(folder), right="Check that you may read it") from None
    data = [path for path in files if _ending(path) in FORMS]
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


def _ending(path: Path) -> str:
    """Return the ending that tells a file's form, in lower case; that of what is inside a .gz."""
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def _read_file(path: Path) -> tuple[_Table | None, pl.DataFrame]:
    """Return a file as a table of its domain; None, with a finding, where it is the file of none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror})", file=path.name, right="Check that it is a file and that you may read it"
        ) from None
    named, none = path.name.split(".")[0], findings_frame([])
    by_name = domain_of_name(named)
    try:
        said, raw = _read_table(path, data)
    except NotDatasetJson:
        raise
    except InputError as error:
        if by_name or b"datasetJSONVersion" in data:
            raise
        other = FORMS[_ending(path)] in ("dataset-json", "ndjson")
        return None, ignored(path.name, f"its name is that of no domain, and {error.what}", severity="note" if other else "warning")
    domain = (domain_of_name(said) if said is not None else by_name) or _split_domain(raw)
    if domain is None:
        return None, ignored(path.name, "its name is that of no domain")
    part = named_as_part(said or named, domain)
    return _Table(path.name, domain, part, FORMS[_ending(path)], hashlib.sha256(data).hexdigest(), raw, none), none


def _split_domain(raw: pl.DataFrame) -> str | None:
    """Return the domain that every record of a table of subjects says in DOMAIN; None where there is none."""
    names = {name.strip().upper(): name for name in raw.columns}
    if not {"DOMAIN", *KEYED} <= set(names) or raw[names["DOMAIN"]].dtype != pl.String:
        return None
    said = raw[names["DOMAIN"]].str.strip_chars().str.to_uppercase().drop_nulls().unique().to_list()
    said = [word for word in said if word]
    return said[0] if len(said) == 1 and is_domain_name(said[0]) and len(said[0]) == 2 else None


def _read_table(path: Path, data: bytes) -> tuple[str | None, pl.DataFrame]:
    """Return the name that a file gives to its table, where its form has one, and the table."""
    ending, file = _ending(path), path.name
    if path.suffix.lower() == ".gz" or ending == ".dsjc":
        data = unpacked(data, file)
    if FORMS[ending] in ("dataset-json", "ndjson"):
        return read_dataset_json_table(data, file, lines=None if ending == ".dsjc" else ending != ".json")
    readers: dict[str, Callable[[bytes, str], pl.DataFrame]] = {
        ".csv": lambda data, file: read_csv_table(data, file, marked=True),
        ".tsv": lambda data, file: read_csv_table(data, file, separator="\t", marked=True),
        ".xpt": read_xpt_table,
        ".parquet": read_parquet_table,
    }
    return None, readers[ending](data, file)


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


def find_mapping(study: Path, data: Path) -> Path | None:
    """Return the mapping of a study's spreadsheet: in its folder, or beside its file where it describes what is in the data folder.

    Parameters
    ----------
    study : Path
        A study file or folder, or a path of neither, which has none.
    data : Path
        Folder of source data.

    Examples
    --------
    >>> from pathlib import Path
    >>> from cartrial.sdtm.read import find_mapping
    >>> find_mapping(Path("inaticel"), Path("nowhere")) is None
    True
    """
    mapping = (study if study.is_dir() else study.parent) / "mapping.yaml"
    if not study.exists() or not mapping.is_file() or (data / "mapping.yaml").is_file():
        return None
    if study.is_dir():
        return mapping
    return mapping if _describes(mapping, data) else None


def _describes(mapping: Path, data: Path) -> bool:
    """Whether a table that a mapping names is in the data folder, or nothing is there that could be read without a mapping."""
    try:
        here = [path.name for path in data.iterdir()]
        tables = has_tables(data)
    except OSError:  # what is wrong with the folder is said where it is read
        return False
    if not tables:
        return any(name.lower().endswith(SPREADSHEETS) for name in here)
    try:
        said = read_yaml(mapping)[0]
    except InputError:
        said = None
    said = said if isinstance(said, dict) else {}
    several = said.get("tables")
    parts = [said.get("table"), *(several.values() if isinstance(several, dict) else ())]
    files = [part["file"] for part in parts if isinstance(part, dict) and isinstance(part.get("file"), str)]
    if files:
        return any((data / name).is_file() for name in files)
    # a mapping with a fault is told of it where it speaks of a file of these data
    text = mapping.read_text(encoding="utf-8", errors="replace")
    return any(name in text for name in here)
