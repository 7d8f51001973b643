"""Which sections of a protocol does the study file fill? A document in the order of ICH M11; the others are named and left open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from cartrial.study.words import criteria_words
from cartrial.submission.guide.blocks import NOT_STATED, Block, Document, Table, Text, docx_bytes, sections
from cartrial.submission.guide.words import assumed, estimands, protocol_number, sets_of, stated, statistics, variants_of, visits_of

if TYPE_CHECKING:
    import datetime as dt

    from cartrial.study import Endpoint, Study

__all__ = ["protocol_document", "write_protocol"]

_ROLES = (("primary", "3.1", "10.4"), ("secondary", "3.2", "10.5"), ("exploratory", "3.3", "10.6"))


def write_protocol(study: Study, folder: Path, made: dt.date) -> Path:
    """Write ``m11.docx`` into a folder; equal studies give equal bytes.

    Raises
    ------
    InputError
        If python-docx is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "m11.docx"
    path.write_bytes(docx_bytes(protocol_document(study, made)))
    return path


def protocol_document(study: Study, made: dt.date) -> Document:
    """Return the protocol as far as the study file has it.

    Examples
    --------
    >>> import datetime as dt
    >>> from cartrial import Study
    >>> from cartrial.submission.guide.protocol import protocol_document
    >>> document = protocol_document(Study.load("inaticel"), dt.date(2022, 9, 27))
    >>> [block.words for block in document.blocks if getattr(block, "words", "").startswith("10.2")]
    ['10.2 Analysis Sets']
    """
    text = (Path(__file__).parent / "m11.yaml").read_text(encoding="utf-8")
    titles = list(yaml.safe_load(text).items())
    filled = _filled(study)
    blocks = [_title_page(study), *sections(titles, filled)]
    parts = {number.rpartition(".")[0] for number, _ in titles}
    open_ = [f"{number} {title}" for number, title in titles if number not in filled and number not in parts]
    blocks.insert(1, Text(f"The study file fills {len(filled)} sections of this template. Not stated in it: {'; '.join(open_)}."))
    under = f"{study.study.title}. In the order of ICH M11, filled from the study file alone."
    return Document(f"Protocol {protocol_number(study)}", under, f"{study.study.id}: protocol", tuple(blocks), made)


def _title_page(study: Study) -> Block:
    own, filed = study.study, study.submission
    rows = (
        ("Full title", own.title),
        ("Sponsor protocol identifier", stated(filed.protocol)),
        ("Version number", stated(filed.protocol_version)),
        ("Version date", stated(filed.protocol_date and filed.protocol_date.isoformat())),
        ("Investigational product", study.product.name),
        ("Trial phase", stated(own.phase)),
        ("Sponsor", stated(filed.sponsor)),
        ("Clinical trial identifier", stated(own.registry)),
    )
    return Table(("Title page", ""), rows, (1, 3))


def _filled(study: Study) -> dict[str, list[Block]]:
    """Return what the study file says of each section, by number."""
    own, product = study.study, study.product
    of = {role: [endpoint for endpoint in study.endpoints if endpoint.role == role] for role, _, _ in _ROLES}
    found: dict[str, list[Block]] = {
        "1.1": [_objectives(study), Text(f"Design: {stated(own.design).rstrip('.')}.")],
        "1.3": [visits_of(study), Text("Days from the first infusion, which is day 0.")],
        "4.1": [Text(f"{stated(own.design).rstrip('.')}. Sites: {stated(own.sites)}")],
        "5.1": [Text(f"Subjects with {study.disease.name}.")],
        "6.1": [
            Text(f"{product.name}, {product.type}. Target: {stated(product.target)}"),
            Text(f"Costimulation: {stated(product.costimulation)}"),
        ],
        "8.3": [Text(criteria_words(study)), Text(f"Primary reader: {study.readers.primary}.")],
        "10.1": statistics(study),
        "10.2": [sets_of(study)],
        "10.7": [Table(("Events of special interest", "Id"), tuple((one.label, one.id) for one in study.safety.special), (3, 1))],
    }
    if study.eligibility and study.eligibility.age:
        age = study.eligibility.age
        found["5.2"] = [Text(f"Age from {stated(age.from_)} to {stated(age.to)} years. The study file states no other criterion in words.")]
    if product.dose:
        found["6.3"] = [Text(product.dose)]
    if study.kinetics.tests:
        found["8.5"] = [Text(f"Cellular kinetics by {', '.join(study.kinetics.tests)}.")]
    if study.baseline:
        rows = tuple((item.label, item.id, ", ".join(item.levels) or item.unit or "") for item in study.baseline)
        found["10.3"] = [Table(("Characteristic", "Id", "Levels or unit"), rows, (2, 1, 3))]
    for role, aims, analyses in _ROLES:
        if of[role]:
            found[aims] = estimands(study, of[role], 3, aims)
            found[analyses] = _analyses(study, of[role])
    if study.testing:
        found["10.10"] = [Text(f"Order: {', '.join(study.testing.order) or NOT_STATED}. Adjustment: {study.testing.adjust}.")]
    found |= _planned(study)
    if own.references:
        found["14"] = [Text(one) for one in own.references]
    found["12"] = [Text("Rules of the study file whose source is an assumption:"), assumed(study)]
    return found


def _planned(study: Study) -> dict[str, list[Block]]:
    """Return interim analyses, limits of toxicity and size as the study file plans them."""
    design = study.design
    if design is None:
        return {}
    found: dict[str, list[Block]] = {"10.11": [Text(_size(study))]}
    if design.looks and design.looks.at:
        at = ", ".join(f"{100 * part:g} %" for part in design.looks.at)
        found["10.9"] = [Text(f"Looks at these shares of the subjects: {at} (source: {design.looks.source}).")]
    if design.safety:
        rows = tuple((r.event, str(r.grade_from), f"{r.acceptable:g}", f"{r.unacceptable:g}") for r in design.safety)
        found["4.3"] = [Table(("Event", "From grade", "Acceptable rate", "Unacceptable rate"), rows)]
    return found


def _size(study: Study) -> str:
    design = study.design
    if design is None:
        return NOT_STATED
    said = f"Power {design.power.value:g} (source: {design.power.source}). " if design.power else ""
    said += f"At most {design.n_max.value} subjects (source: {design.n_max.source}). " if design.n_max else ""
    return f"{said}The operating characteristics of designs of this size are what `cartrial design` computes; none is repeated here."


def _objectives(study: Study) -> Block:
    rows = tuple((endpoint.role, endpoint.id, endpoint.label) for endpoint in study.endpoints)
    return Table(("Role", "Endpoint", "Label"), rows, (1, 1, 4))


def _analyses(study: Study, endpoints: list[Endpoint]) -> list[Block]:
    tests = [f"{one.id}: against {one.test.null:g} (source: {one.test.source})." for one in endpoints if one.test]
    return [*(Text(words) for words in tests), *variants_of(study, endpoints)]
