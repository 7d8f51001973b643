"""What of the documentation is taken from the code: blocks that are written into the pages, and cells that must agree with it.

python tests/docs_reference.py      writes the blocks between `<!-- begin: NAME -->` and `<!-- end: NAME -->` anew
"""

from __future__ import annotations

import importlib
import inspect
import re
import types
import typing
from collections.abc import Callable
from typing import Any

import yaml
from pydantic import BaseModel

from helpers import ROOT

DOCS = ROOT / "docs"
# pages of the reference and of notebooks are made of what is tested elsewhere
PAGES = (ROOT / "README.md", *(page for page in sorted(DOCS.rglob("*.md")) if page.parent.name not in ("reference", "notebooks")))
BLOCK = re.compile(r"(<!-- begin: (?P<name>[a-z-]+) -->\n)(?P<text>.*?)(<!-- end: (?P=name) -->)", re.DOTALL)
KEYS = re.compile(r"<!-- keys: (?P<model>[\w.]+) -->\n\n(?P<table>(?:\|.*\n)+)")


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of a Markdown table without its head, code marks removed."""
    rows = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in text.strip().splitlines()[2:]]
    return [[cell.strip().replace("`", "").replace("\\|", "|") for cell in row] for row in rows]


def _value(annotation: Any) -> str:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _value(parts[0])
    if origin is typing.Literal:
        return ", ".join(str(part) for part in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_value(part) for part in parts if part is not type(None))
    if origin is tuple:
        return f"list of {_value(parts[0])}"
    if origin is dict:
        return f"key: {_value(parts[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.__name__
    words = {str: "text", int: "whole number", float: "number", bool: "true, false", Any: "any value"}
    return words.get(annotation, "date" if getattr(annotation, "__name__", "") == "date" else str(annotation))


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its defaults"
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(getattr(part, "id", str(part)) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def key_rows(model: type[BaseModel]) -> list[list[str]]:
    """Return key, value and default of every field of a model, as the pages have them."""
    fields = model.model_fields.items()
    return [[field.alias or name, _value(field.annotation), _default(field)] for name, field in fields]


def _checks() -> str:
    from cartrial.sdtm import CHECK_RULES

    return table(("rule", "severity", "reads", "what is looked for"), [(f"`{r.id}`", r.severity, r.reads, r.says) for r in CHECK_RULES])


def _rules(rules: tuple[tuple[str, str, str], ...]) -> str:
    return table(("rule", "severity", "what is looked for"), [(f"`{name}`", severity, says) for name, severity, says in rules])


def _reading() -> str:
    from cartrial.sdtm import READING_RULES

    return _rules(READING_RULES)


def _sheets() -> str:
    from cartrial.sdtm import MAPPING_RULES

    return _rules(MAPPING_RULES)


def _readings() -> str:
    from cartrial.endpoints import ENDPOINT_RULES

    return _rules(ENDPOINT_RULES)


def _domains() -> str:
    from cartrial.sdtm import DOMAINS

    words = {"key": "required", "must": "column required", "rule": "read by a rule", "other": ""}
    parts = []
    for domain in DOMAINS.values():
        rows = [
            (f"`{v.name}`", v.label, v.kind, words[v.need], v.note)
            for v in domain.variables
            if v.name not in ("STUDYID", "DOMAIN", "USUBJID")
        ]
        parts.append(f"### {domain.name}: {domain.label}\n\n{domain.records[0].upper()}{domain.records[1:]}.\n")
        parts.append(table(("variable", "label", "kind", "need", "how to fill it in"), rows) + "\n")
    return "\n".join(parts).rstrip()


def _words() -> str:
    from cartrial.sdtm.vocabulary.terms import CODE_LISTS

    rows = [
        (
            f"`{name}`",
            "closed" if listed.closed else "open",
            ", ".join(f"`{term}`" for term in listed.terms),
            sum(map(len, listed.terms.values())),
        )
        for name, listed in CODE_LISTS.items()
    ]
    return table(("list", "kind", "terms", "synonyms known"), rows)


def _units() -> str:
    from cartrial.sdtm.vocabulary.units import UNITS

    rows = [
        (f"`{test}`", unit.standard, ", ".join(word for word in unit.factors if word != unit.standard.lower()))
        for test, unit in UNITS.items()
    ]
    return table(("LBTESTCD", "standard unit", "also read and converted"), rows)


def _criteria() -> str:
    from cartrial.study import CRITERIA, Criteria

    rows = [
        (
            f"`{c.name}`",
            f"{c.marrow} %",
            c.neutrophils,
            c.platelets,
            f"{c.relapse_marrow} %",
            f"{c.relapse_blood} %",
            c.confirm_days,
            c.transfusion_free_days,
            c.source,
        )
        for c in CRITERIA.values()
        if isinstance(c, Criteria)
    ]
    head = (
        "set",
        "marrow blasts",
        "ANC, 10^9/L",
        "platelets, 10^9/L",
        "relapse: marrow",
        "relapse: blood",
        "confirm-days",
        "transfusion-free-days",
        "source",
    )
    return table(head, rows)


def _called() -> str:
    from cartrial.study import CRITERIA, CallCriteria

    by = {"pet-ct": "PET where evaluable, else CT", "ct": "CT alone"}
    rows = [
        (f"`{c.name}`", c.family_name, by[c.modality], f"`{c.missing_pet}`" if c.modality == "pet-ct" else "", c.confirm_days, c.source)
        for c in CRITERIA.values()
        if isinstance(c, CallCriteria)
    ]
    return table(("set", "family", "an assessment is that of", "missing-pet", "confirm-days", "source"), rows)


def _families() -> str:
    from cartrial.study import FAMILIES
    from cartrial.study.criteria.codes import words_of

    def words(role: int) -> str:
        return ", ".join(words_of(role)) or "none"

    rows = [
        (name, ", ".join(f.best_first), words(f.roles.responds), words(f.roles.fails), words(f.roles.ends), f.names.event)
        for name, f in FAMILIES.items()
    ]
    return table(("family", "statuses, the best first", "response", "no response", "event, final", "the event in a study file"), rows)


def _flags() -> str:
    from cartrial.response import FLAGS

    return "\n".join(f"- {words}" for words in FLAGS.values())


def _ars() -> str:
    from cartrial.analysis import ARS

    return table(
        ("column", "CDISC ARS 1.0", "meaning"),
        [(f"`{ours}`" if "," not in ours else ours, f"`{theirs}`", words) for ours, theirs, words in ARS],
    )


def _censoring() -> str:
    from cartrial.endpoints.rules.codes import CENSOR_REASONS, EVENT_NAMES, RATE_REASONS

    names = (("REASON in ADRS", RATE_REASONS), ("EVNTDESC in ADTTE", EVENT_NAMES), ("CNSDTDSC in ADTTE", CENSOR_REASONS))
    return table(("column", "values"), [(column, ", ".join(f"`{value}`" for value in values)) for column, values in names])


def _interval(row: dict[str, Any], value: str, low: str, high: str) -> str:
    """Return a value with its ends: shares in %, the rest with three significant digits."""
    share = row["upper"] <= 1
    middle, *ends = (f"{100 * x:.1f}" if share else f"{x:.3g}" if x < 1000 else f"{x:.0f}" for x in (row[value], row[low], row[high]))
    return f"{middle}{' %' if share else ''} ({ends[0]} to {ends[1]})"


def _scores() -> str:
    from cartrial.virtual.calibration import read_scores

    scores = read_scores()
    without = {row["target"]: row for row in read_scores("left-out").iter_rows(named=True)}
    lines = []
    for use in ("fit", "consulted", "held-out"):
        z = scores.filter(scores["use"] == use)["z"].abs()
        lines.append(f"- {use}: |z| is below 1.96 for {(z < 1.96).sum()} of {len(z)}, at most {z.max():.2f};")
    z = read_scores("left-out")["z"].abs()
    lines.append(f"- each fitted trial predicted without itself: below 1.96 for {(z < 1.96).sum()} of {len(z)}, at most {z.max():.2f}.")
    rows = []
    for row in scores.iter_rows(named=True):
        other = without.get(row["target"])
        rows.append(
            (
                f"`{row['target']}`",
                row["trial"],
                row["use"],
                _interval(row, "published", "lower", "upper"),
                _interval(row, "simulated", "band_low", "band_high"),
                f"{row['z']:+.2f}",
                f"{_interval(other, 'simulated', 'band_low', 'band_high')}, {other['z']:+.2f}" if other else "",
            )
        )
    head = ("target", "trial", "use", "published (95 %)", "simulated (80 % band)", "z", "without its trial, z")
    return "\n".join(lines) + "\n\n" + table(head, rows)


def _between() -> str:
    from cartrial.virtual.calibration import read_scores
    from cartrial.virtual.calibration.between import estimate_spread, load_linear
    from cartrial.virtual.calibration.between_score import assess_left_out

    linear = load_linear()
    spread = estimate_spread(linear).quantiles()
    rows = [
        (
            name,
            ", ".join(f"`{free.name}`" for free in linear.model.free if free.domain == name),
            f"{middle:.2f} ({low:.2f} to {high:.2f})",
        )
        for name, (low, middle, high) in zip(linear.domains, spread, strict=True)
    ]
    domains = table(("domain", "its numbers", "sd between trials over prior sd: median (80 % band)"), rows)
    scales = [
        (f"{row['scale']:g}", f"{row['score']:.1f}", f"{row['inside']} of {row['results']}", f"{row['width']:.2f}")
        for row in read_scores("between").iter_rows(named=True)
    ]
    scores = table(("scale of the prior", "score", "inside 90 %", "width"), scales)
    found = assess_left_out(linear, read_scores("left-out"))
    before, after = (int((found[name].abs() < 1.645).sum()) for name in ("z", "z_spread"))
    said = (
        f"Simulated in full without its trial and widened in this way, a fitted result lies in its 90 % interval {after} times of "
        f"{found.height} ({before} without spread), with intervals {found['width'].mean():.2f} times as wide."
    )
    return f"{domains}\n\n{scores}\n\n{said}"


def _parameters() -> str:
    from cartrial.virtual.calibration import read_scores
    from cartrial.virtual.patients.population import load_model

    meaning = {free.name: free.meaning for free in load_model().free}
    rows = [
        (
            f"`{row['parameter']}`",
            meaning[row["parameter"]],
            row["unit"],
            f"{row['prior_median']:.4g}",
            f"{row['posterior_median']:.3g} ({row['band_low']:.3g} to {row['band_high']:.3g})",
            f"{row['sd_ratio']:.2f}",
        )
        for row in read_scores("parameters").iter_rows(named=True)
    ]
    return table(("parameter", "meaning", "unit", "prior median", "ensemble: median (80 % band)", "sd over prior sd"), rows)


def _populations() -> str:
    from cartrial.virtual.patients.population import load_population, populations

    rows = []
    for name in populations():
        people = load_population(name)
        product, clinic = people.product, people.clinic
        made = f"{product.source}, {product.costimulation}" + (", alemtuzumab" if product.alemtuzumab else "")
        transplant = f"{100 * clinic.transplant.value:.0f} % around day {clinic.transplant_day.value:.0f}"
        rows.append((f"`{name}`", people.label, made, f"{people.patients.age.median:g}", transplant))
    return table(("population", "who", "product", "median age", "transplant planned"), rows)


def _burden() -> str:
    from cartrial.virtual.calibration import read_scores
    from cartrial.virtual.calibration.burden import OUTCOMES, tell_not_reached, words_of

    stored = read_scores("burden")
    rows = [
        (f"`{row['population']}`", row["blasts"], row["infused"], *(words_of(name, row[name]) for name in OUTCOMES))
        for row in stored.iter_rows(named=True)
    ]
    head = ("population", "blasts", "infused", *(words for words, _ in OUTCOMES.values()))
    return table(head, rows) + "\n\n" + tell_not_reached(stored)


def _settings() -> str:
    from cartrial.virtual.patients.population import DATA

    data = yaml.safe_load((DATA / "trial.yaml").read_text(encoding="utf-8"))
    rows = [
        (f"`{group}.{name}`", number["value"], number["unit"], number["source"], number["sure"])
        for group, numbers in data.items()
        if group not in ("schema", "types", "studies")
        for name, number in numbers.items()
    ]
    return table(("setting", "value", "unit", "source", "how sure"), rows)


def _sent() -> str:
    from cartrial.virtual.trial.sent.order import ORDER

    return table(("domain", "variables"), [(name, " ".join(f"`{variable}`" for variable in names)) for name, names in ORDER.items()])


def _demography() -> str:
    from cartrial.virtual.patients.population import DATA

    data = yaml.safe_load((DATA / "demography.yaml").read_text(encoding="utf-8"))
    named = [(f"study `{name}`", said) for name, said in data["studies"].items()]
    named += [(f"population `{name}`", said) for name, said in data["populations"].items()] + [("all others", data["others"])]
    rows = []
    for name, said in named:
        race = ", ".join(f"{word} {100 * share:g} %" for word, share in said["race"].items())
        hispanic = "UNKNOWN" if said["hispanic"] is None else f"{100 * said['hispanic']:g} %"
        rows.append((name, said["country"], race, hispanic, said["source"], said["sure"]))
    return table(("subjects of", "country", "race", "Hispanic or Latino", "source", "how sure"), rows)


def _toxicity() -> str:
    from cartrial.virtual.patients.population import load_model

    named = [fixed for fixed in load_model().fixed if fixed.name.startswith(("crs-", "icans", "il6-cd28", "spread-marrow-hit"))]
    rows = [(f"`{fixed.name}`", f"{fixed.value:g}", fixed.unit, fixed.meaning, fixed.source) for fixed in named]
    return table(("number", "value", "unit", "meaning", "source"), rows)


def _published() -> str:
    from cartrial.virtual.published import MODELS

    rows = [(f"`{name}`", model.title, model.setting, f"[{model.doi}](https://doi.org/{model.doi})") for name, model in MODELS.items()]
    return table(("model", "what it shows", "setting", "source"), rows)


def _predicted_trials() -> str:
    from cartrial.predict.known import load_known

    rows = []
    for name, trial in load_known().trials.items():
        shares = trial.populations
        whole = [f"`{people}`" if share == 1 else f"`{people}` {100 * share:.0f} %" for people, share in shares.items()]
        counts = f"; CR is {' or '.join(trial.complete)}: {trial.complete_source}" if trial.complete_source else ""
        rows.append((f"`{name}`", ", ".join(whole) or "none", (f"{trial.why} ({trial.source})" if trial.why else trial.source) + counts))
    return table(("trial", "virtual population", "source, or why none fits"), rows)


def _predicted_words() -> str:
    from cartrial.predict.known import load_words

    rows = []
    for name, word in load_words().endpoints.items():
        what = (
            word.endpoint
            or (word.toxicity and f"{word.toxicity} of grade {word.grade} or more")
            or (word.flow and word.flow.replace("-", " "))
        )
        rows.append((name, ", ".join(word.also), what or f"not expressed: {word.why}"))
    return table(("endpoint", "also written", "asked of virtual trials"), rows)


def _design_columns() -> str:
    from cartrial.design.protocol.rows import COLUMNS

    return table(("column", "meaning"), [(f"`{name}`", words) for name, words in COLUMNS.items()])


def _design_parts() -> str:
    from cartrial.design.protocol.rows import PARTS

    return table(("part", "what its rows are about"), [(f"`{name}`", words) for name, words in PARTS.items()])


def _conform() -> str:
    from cartrial.submission.conform import CONFORM_RULES

    return _rules(CONFORM_RULES)


def _variables() -> str:
    from cartrial.submission.variables import SETS

    parts = []
    for one in SETS.values():
        rows = [
            (f"`{v.name}`", v.label, v.kind, "required" if v.required else "", f"`{v.origin}`" if v.predecessor else v.origin)
            for v in one.variables
        ]
        kind = ", ".join(word.lower() for word in (one.group, one.subclass) if word)
        parts.append(f"### {one.name}: {one.label}\n\n{one.structure} ({kind}); keys {', '.join(one.keys)}.\n")
        parts.append(table(("variable", "label", "type", "need", "origin"), rows) + "\n")
    return "\n".join(parts).rstrip()


ROOMS = (
    "cartrial",
    "cartrial.study",
    "cartrial.evidence",
    "cartrial.evidence.curves",
    "cartrial.sdtm",
    "cartrial.response",
    "cartrial.endpoints",
    "cartrial.kinetics",
    "cartrial.analysis",
    "cartrial.virtual",
    "cartrial.virtual.trial",
    "cartrial.virtual.calibration",
    "cartrial.virtual.published",
    "cartrial.design",
    "cartrial.predict",
    "cartrial.report",
    "cartrial.submission",
    "cartrial.run",
    "cartrial.start",
    "cartrial.qualify",
    "cartrial.errors",
)

CONSTANTS = {
    "CRITERIA": "The built-in criteria sets by name.",
    "FAMILIES": "The families of criteria by name: `cartrial.study.criteria.families.Family`.",
    "ASSUMABLE": "Attributes that may be assumed where a source is silent, with their words.",
    "PROVENANCE": "What individuals of a curve are, in each of their rows: `reconstructed`.",
    "VERDICTS": "The verdicts of checks, the worst first, and what each says.",
    "CURVES": "The curves of cells by name, and two of published data sets by which the estimation is checked.",
    "CHECK_RULES": "Every rule of checking.",
    "MAPPING_RULES": "What reading a spreadsheet through a mapping can find: id, severity, words.",
    "ENDPOINT_RULES": "What statuses and endpoints can show: id, severity, words.",
    "READING_RULES": "What reading itself can find: id, severity, words.",
    "DOMAINS": "The domains with their variables.",
    "FLAGS": "Bits of an assessment's flags, and their words.",
    "MRD": "Calls of residual disease by their code.",
    "CNSR_CODES": "What each integer of CNSR in ADTTE says.",
    "STRADDLING": "Name of the variant in which dates that straddle the cutoff are after it.",
    "ARS": "Columns of the results against the CDISC Analysis Results Standard 1.0.",
    "KEY": "The columns that make a results row unique.",
    "LANDMARKS": "Days at which curves are read.",
    "RISK_TIMES": "Days under which subjects at risk stand beneath a curve.",
    "SCHEMA": "Columns of the results with their types.",
    "LABEL": "What virtual patients are and are not for, in one sentence.",
    "INFUSED": "Subjects infused by the cutoff in a virtual trial, where neither the call nor the study file says how many.",
    "SEED": "Seed of virtual patients, where neither the call nor the study file says one.",
    "MODELS": "The published models by name.",
    "TRIALS": "Virtual trials of each figure, where nothing else is said.",
    "PARTS": "The parts of an export by name, in their order.",
    "cartrial.qualify.PARTS": "The parts of a qualification by name, in their order.",
    "LEAST": "Fewest virtual trials of a figure: the interval leaves one in twenty out on each side.",
}


def public_names(module: str) -> list[str]:
    """Return the public names of a module."""
    return list(importlib.import_module(module).__all__)


def public_thing(room: str, name: str) -> Any:
    """Return what a public name stands for; where a module of that name has been imported meanwhile, the thing of that name in it."""
    thing = getattr(importlib.import_module(room), name)
    return inspect.unwrap(getattr(thing, name) if inspect.ismodule(thing) else thing)


def _first_sentence(room: str, name: str, thing: Any) -> str:
    if inspect.isclass(thing) or inspect.isfunction(thing):
        words = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split()).replace("``", "`")
        return re.split(r"(?<=\.) (?=[A-Z])", words)[0]
    return CONSTANTS.get(f"{room}.{name}") or CONSTANTS[name]


def _kind(thing: Any) -> str:
    return "class" if inspect.isclass(thing) else "function" if inspect.isfunction(thing) else "constant"


def _api() -> str:
    parts = []
    for room in ROOMS:
        things = [(name, public_thing(room, name)) for name in public_names(room)]
        rows = [(f"`{name}`", _kind(thing), _first_sentence(room, name, thing)) for name, thing in things]
        parts.append(f"## {room}\n\n[Reference of {room}](reference/{room}.md)\n\n{table(('name', 'kind', 'what it is'), rows)}\n")
    return "\n".join(parts).rstrip()


BLOCKS: dict[str, Callable[[], str]] = {
    "api": _api,
    "checks": _checks,
    "reading": _reading,
    "sheets": _sheets,
    "readings": _readings,
    "domains": _domains,
    "words": _words,
    "units": _units,
    "criteria": _criteria,
    "called": _called,
    "families": _families,
    "flags": _flags,
    "ars": _ars,
    "reasons": _censoring,
    "scores": _scores,
    "between": _between,
    "parameters": _parameters,
    "populations": _populations,
    "burden": _burden,
    "settings": _settings,
    "toxicity": _toxicity,
    "sent": _sent,
    "demography": _demography,
    "published": _published,
    "predicted-trials": _predicted_trials,
    "predicted-words": _predicted_words,
    "variables": _variables,
    "conform": _conform,
    "design-columns": _design_columns,
    "design-parts": _design_parts,
}


def _keys(found: re.Match[str]) -> str:
    """Return the table of a part of the study file, with the meanings that its schema has too; that of a mapping as it stands."""
    from cartrial.study.schema import read_meanings

    module, name = found["model"].rsplit(".", 1)
    if not module.startswith("cartrial.study."):
        return found[0]
    meanings = read_meanings().get(name, {})
    keyed = key_rows(getattr(importlib.import_module(module), name))
    rows = [(f"`{key}`", *rest, meanings.get(key, "")) for key, *rest in keyed]
    return f"<!-- keys: {found['model']} -->\n\n{table(('key', 'value', 'default', 'meaning'), rows)}\n"


def _rows_of(name: str) -> str:
    import agreement

    heads: dict[str, tuple[str, ...]] = {
        "r_rows": ("quantity, and which is shown", "in R", "by R", "by cartrial", "figures compared"),
        "published_rows": ("design", "printed: r1/n1, r/n, expected, early stop", "by cartrial"),
        "sas_rows": ("quantity", "data", "by SAS", "by cartrial", "SAS", "page"),
        "different_rows": ("what", "R", "SAS", "cartrial", "why"),
    }
    return table(heads[name], list(getattr(agreement, name)()))


def _requirements(kind: str) -> str:
    """Return a list: a number with its words and its file, and below it the tests, file by file."""
    from requirements import BY_FORM, TRUTH, requirements, shown, truth_rows

    subjects: dict[str, list[str]] = {}
    for row in truth_rows():
        subjects.setdefault(row["requirement"], []).append(f"{row['study']} ({row['subjects'].replace(' ', ', ')})")
    lines = []
    for one in requirements().values():
        if one.kind != kind:
            continue
        # of the rules the page itself has the words
        words = one.text if kind != "RULE" else re.split(r"(?<=\.) ", one.text)[0]
        lines.append(f"- **{one.id}** {words} (`{one.where}`)")
        files: dict[str, list[str]] = {}
        for test in shown().get(one.id, []):
            if test not in BY_FORM and not test.startswith(f"{TRUTH}["):
                file, _, name = test.removeprefix("tests/").partition(".py::")
                files.setdefault(file, []).append(name.removeprefix("test_"))
        lines += [f"    - `{file}`: {', '.join(f'`{name}`' for name in names)}" for file, names in files.items()]
        lines += [f"    - truth tables: {'; '.join(subjects[one.id])}"] if one.id in subjects else []
    return "\n".join(lines)


def _counted() -> str:
    from requirements import BY_FORM, KINDS, requirements, shown

    rows = []
    for kind, words in KINDS.items():
        held = [one.id for one in requirements().values() if one.kind == kind]
        tests = {test for name in held for test in shown().get(name, [])}
        rows.append((words, f"`{kind}-`", len(held), sum(bool(shown().get(name)) for name in held), len(tests)))
    form = sum(set(shown()[one.id]) <= set(BY_FORM) for one in requirements().values() if one.kind == "STUDY")
    said = f"{form} keys of the study file are shown by their form alone: read, kept as written, and refused where they are wrong."
    return table(("requirements", "numbers", "how many", "with a test", "tests"), rows) + f"\n\n{said}"


BLOCKS |= {
    "agreement-r": lambda: _rows_of("r_rows"),
    "agreement-published": lambda: _rows_of("published_rows"),
    "agreement-sas": lambda: _rows_of("sas_rows"),
    "agreement-different": lambda: _rows_of("different_rows"),
    "requirements-counted": _counted,
    "requirements-rules": lambda: _requirements("RULE"),
    "requirements-study": lambda: _requirements("STUDY"),
    "requirements-estimators": lambda: _requirements("EST"),
    "requirements-files": lambda: _requirements("FMT"),
    "requirements-commands": lambda: _requirements("CMD"),
}


def filled(text: str) -> str:
    """Return a page with its blocks and tables of keys written anew."""
    text = KEYS.sub(_keys, text)
    return BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found['name']]()}\n\n{found[4]}", text)


if __name__ == "__main__":
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"Wrote {page.relative_to(ROOT)}.")
