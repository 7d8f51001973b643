"""Who are the patients, and when were they infused? Age, sex, site, milestones, and day 0."""

from __future__ import annotations

import re

from cartrial.errors import InputError
from cartrial.sdtm.source import many
from cartrial.start.ask import Option, Question
from cartrial.start.draft import Draft, is_counted, is_dated
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.topics import is_prior
from cartrial.start.sheet.words import legend_of, plain, sex_of

__all__ = ["PRODUCT", "read_people"]

PRODUCT = "CAR T CELLS"
"""What the product is called where the sheet does not say."""

_MILESTONES = {
    "consent": ("DM", "RFICDTC", {}, "date of consent"),
    "enrolment": ("DS", "DSSTDTC", {"DSDECOD": "ENROLLED"}, "date of enrolment"),
    "apheresis": ("PR", "PRSTDTC", {"PRTRT": "LEUKAPHERESIS"}, "date of leukapheresis"),
    "failure": ("DS", "DSSTDTC", {"DSDECOD": "PRODUCT FAILURE"}, "date on which the product was given up"),
    "lymphodepletion": ("EX", "EXSTDTC", {"EXTRT": "LYMPHODEPLETION"}, "first day of lymphodepletion"),
}
_LAST_OF = ("lymphodepletion",)


_AGE_WHEN = re.compile(r"infus|car.?t|treat|enrol|inclusion|consent|screening|baseline|therapie|回输|输注|入组|治疗|基线")
_AGE_ELSEWHEN = re.compile(
    r"diagnos|onset|relapse|rezidiv|transplant|hsct|\bsct\b|death|\blast\b|follow|current|\bnow\b|today|donor|spender|发病|诊断|移植|死亡|供者|目前"
)


def read_people(draft: Draft) -> None:
    """Read who the patients are, their milestones, and day 0.

    Raises
    ------
    InputError
        If no infusion can be found, or a cell cannot be read.
    """
    for layout in draft.layouts:
        draft.use(layout, layout.key, "patient's number", "several rows a patient" if layout.long else "one row a patient")
        if layout.key.topic == "name":
            draft.assume(
                f"the name in {layout.key.label} is taken as the patient's number, and stands in the report: put codes in its place"
            )
        for column in layout.columns:
            if column.topic == "name" and column is not layout.key:
                draft.leave(layout, column, "a name: none is taken into the study")
        for part in layout.parts:
            draft.add(part, {"id": "sheet", "domain": "DM", "set": {"ARM": part.grid.sheet}})
        if layout.parts:
            draft.facts["cohort"] = True
            draft.assume(f"{layout.grid.name} hold patients of one study, told by their sheet")
    _infusion(draft)
    for topic, read in (("age", _age), ("sex", _sex), ("site", _site)):
        _first(draft, topic, read)
    for topic in _MILESTONES:
        _milestone(draft, topic)


def _of(draft: Draft, *topics: str) -> list[tuple[Layout, Column]]:
    return [(layout, column) for layout in draft.layouts for column in layout.columns if column.topic in topics and column.filled]


def _first(draft: Draft, topic: str, read: object) -> None:
    found = [(layout, column) for layout, column in _of(draft, topic) if column is not layout.key]
    if topic == "age":
        for layout, column in [pair for pair in found if _AGE_ELSEWHEN.search(plain(pair[1].header))]:
            found.remove((layout, column))
            draft.leave(layout, column, "the age of another time than the treatment")
        found.sort(key=lambda pair: not _AGE_WHEN.search(plain(pair[1].header)))
    for layout, column in found:
        done = draft.facts.get(topic)
        if done:
            draft.leave(layout, column, f"{topic} is read from {done}")
        elif read(draft, layout, column):  # type: ignore[operator]
            draft.facts[topic] = column.label


def _age(draft: Draft, layout: Layout, column: Column) -> bool:
    if any(cell.number is None for cell in column.filled):
        draft.leave(layout, column, "an age is a number of years")
        return False
    most, header = max(cell.number or 0 for cell in column.filled), plain(column.header)
    unit = "MONTHS" if "month" in header or "月" in header or "monat" in header else "YEARS"
    if unit == "YEARS" and most > 120:
        draft.leave(layout, column, f"{most:g} is no age in years")
        return False
    draft.use(layout, column, "age", unit.lower())
    where = {"domain": "DM", "column": draft.ref(layout, column), "into": "AGE", "type": "number", "set": {"AGEU": unit}}
    draft.add(layout, {"id": "age", **where, "missing": draft.missing(column)}, f"the age in {column.label} is that at consent")
    return True


def _sex(draft: Draft, layout: Layout, column: Column) -> bool:
    legend = legend_of(column.header)
    said = {cell.text: sex_of(legend.get(cell.text, cell.text)) for cell in column.filled}
    if None in said.values():
        code = next(text for text, sex in said.items() if sex is None)
        draft.leave(layout, column, f"'{code}' says neither male nor female")
        return False
    draft.use(layout, column, "sex", _coded(said))
    where = {"domain": "DM", "column": draft.ref(layout, column), "into": "SEX", "map": said}
    draft.add(layout, {"id": "sex", **where, "missing": draft.missing(column)})
    return True


def _site(draft: Draft, layout: Layout, column: Column) -> bool:
    draft.use(layout, column, "site")
    draft.add(
        layout, {"id": "site", "domain": "DM", "column": draft.ref(layout, column), "into": "SITEID", "missing": draft.missing(column)}
    )
    return True


def _coded(said: dict[str, str | None]) -> str:
    return ", ".join(f"{text} = {word}" for text, word in list(said.items())[:8])


def _milestone(draft: Draft, topic: str) -> None:
    domain, into, fixed, what = _MILESTONES[topic]
    found = [(layout, column) for layout, column in _of(draft, topic) if column is not layout.key]
    dated = [(layout, column) for layout, column in found if is_dated(column)]
    for layout, column in found:
        if (layout, column) not in dated:
            draft.leave(layout, column, f"no dates, and the {what} is one")
    if len(dated) > 1 and topic in _LAST_OF:
        for layout, column in dated[1:]:
            draft.leave(layout, column, f"the {what} is read from {dated[0][1].label}")
    elif len(dated) > 1:
        for layout, column in dated:
            draft.leave(layout, column, f"{len(dated)} columns could be the {what}")
        draft.cannot.append(f"The {what}: {' and '.join(column.label for _, column in dated)} could both be it.")
        return
    for layout, column in dated[:1]:
        dates = draft.dates(layout, column)
        draft.use(layout, column, what, dates["how"])
        draft.facts[topic] = column.label
        rule = {"id": topic, "domain": domain, "column": draft.ref(layout, column), "into": into, "type": "date", "set": fixed}
        beside = {"date": draft.ref(layout, column)} if domain != "DM" else {}
        draft.add(layout, {**rule, **beside, "date-format": dates["forms"], "missing": draft.missing(column)}, *dates["assumed"])


def _infusion(draft: Draft) -> None:
    """Find day 0: the column of its date, or study days that count from it."""
    found = [(layout, column) for layout, column in _of(draft, "infusion") if is_dated(column) and not is_prior(column.path)]
    chosen = found[0] if found else None
    if len({column.header for _, column in found}) > 1:
        chosen = _asked(draft, found, "Several columns may hold the date of the infusion. Which is day 0, the first one?")
    unread = [(layout, column) for layout, column in _of(draft, "infusion") if not is_prior(column.path) and not is_counted(column)]
    if chosen is None and unread and not _counts_days(draft):
        layout, column = unread[0]
        what = f"{layout.grid.lead}'{column.filled[0].text}' in {column.label} is no date that can be read"
        raise InputError(what, **layout.grid.at(column.filled[0].row), right="Write it as YYYY-MM-DD")
    if chosen is None and not _counts_days(draft):
        dated = [
            (layout, column)
            for layout in draft.layouts
            for column in layout.columns
            if column.topic != "birth" and is_dated(column) and not (layout.long and _varies(layout, column))
        ]
        if not dated:
            layout = draft.layouts[0]
            what = f"{layout.grid.lead}no column holds the date of the infusion, and none counts days from it"
            right = "Every endpoint counts from the infusion: add a column 'Infusion date', or days from the infusion"
            raise InputError(what, file=layout.grid.file, right=right)
        chosen = _asked(draft, dated, "No header says which column holds the date of the infusion. Which one does?")
    if chosen is None:
        _day_zero(draft)
        return
    layout, column = chosen
    dates = draft.dates(layout, column)
    draft.use(layout, column, "infusion: day 0", dates["how"])
    _ask_uninfused(draft, layout, column)
    rule = {
        "id": "infusion",
        "domain": "EX",
        "column": draft.ref(layout, column),
        "into": "EXSTDTC",
        "type": "date",
        "set": {"EXTRT": PRODUCT},
    }
    own = {"date": draft.ref(layout, column), "date-format": dates["forms"], "missing": draft.missing(column)}
    draft.add(layout, {**rule, **own}, *dates["assumed"], draft.answers.assumption("not-infused"), draft.answers.assumption("infusion"))
    draft.facts["infusion"] = (layout, column)
    for other, beside in found:
        if beside is not column and not other.long:
            _again(draft, other, beside)


def _again(draft: Draft, layout: Layout, column: Column) -> None:
    """Read another column of infusions as later ones of the product; it is none where a date of it is before day 0."""
    dates = draft.dates(layout, column)
    first = draft.facts["infusion"][1]
    draft.use(layout, column, "later infusion", dates["how"])
    draft.happened("later infusion", layout, column)
    rule = {"id": "later infusion", "domain": "EX", "column": draft.ref(layout, column), "into": "EXSTDTC", "type": "date"}
    own = {"set": {"EXTRT": PRODUCT}, "date": draft.ref(layout, column), "date-format": dates["forms"], "missing": draft.missing(column)}
    said = f"a date in {column.label} after that in {first.label} is a second infusion, which counts as a new therapy"
    draft.add(layout, {**rule, **own}, said, *dates["assumed"])


def _varies(layout: Layout, column: Column) -> bool:
    """Say whether a column differs between the rows of a patient: no date of what happens once."""
    subjects = layout.subjects()
    pairs = {(subjects[cell.row], cell.text) for cell in column.filled}
    return len(pairs) > len({name for name, _ in pairs})


def _asked(draft: Draft, found: list[tuple[Layout, Column]], text: str) -> tuple[Layout, Column]:
    words = [f"{column.letter.lower()}" + (f"-{draft.name(layout)}" if len(draft.layouts) > 1 else "") for layout, column in found]
    options = tuple(Option(word, column.header or column.label) for word, (_, column) in zip(words, found, strict=True))
    return found[words.index(draft.answers.ask(Question("infusion", text, options)))]


def _counts_days(draft: Draft) -> bool:
    """Say whether the sheet counts days, and has no dates of what happened."""
    columns = [column for layout in draft.layouts for column in layout.columns if column is not layout.key and column.topic != "birth"]
    if any(is_dated(column) for column in columns):
        return False
    return any(is_counted(column) or column.topic == "study-day" for column in columns)


def _day_zero(draft: Draft) -> None:
    """Take every patient as infused on day 0 of a sheet that counts days."""
    layout = next((layout for layout in draft.layouts if not layout.long), draft.layouts[0])
    word = draft.answers.ask(
        Question(
            "days",
            "The sheet counts days and has no dates. From what do they count?",
            (
                Option("from-0", "the infusion is day 0", "days count from the infusion, which is day 0"),
                Option("from-1", "the infusion is day 1", "days count from the infusion, which is day 1"),
            ),
            "from-0",
        )
    )
    draft.facts["days"] = word
    said = "every patient of the sheet was infused, since its days count from the infusion"
    day = 0 if word == "from-0" else 1
    draft.add(layout, {"id": "infusion", "domain": "EX", "set": {"EXTRT": PRODUCT}, "day": day}, said, draft.answers.assumption("days"))


def _ask_uninfused(draft: Draft, layout: Layout, column: Column) -> None:
    subjects, given = layout.subjects(), {cell.row for cell in column.filled}
    with_date = {subjects[row] for row in given}
    without = [name for name in dict.fromkeys(subjects.values()) if name not in with_date]
    if not without:
        return
    names = ", ".join(without[:6]) + (f" and {len(without) - 6} more" if len(without) > 6 else "")
    after = ("response", "mrd", "relapse", "crs", "icans")
    rows = {row for row, name in subjects.items() if name in without}
    treated = any(
        cell.row in rows for other in layout.columns if other.topic in after and not is_prior(other.path) for cell in other.filled
    )
    word = draft.answers.ask(
        Question(
            "not-infused",
            f"{len(without)} of {len(set(subjects.values()))} patients have no date of infusion ({names})"
            + (", and some of them have a response or a toxicity" if treated else "")
            + ". Were they not infused?",
            (Option("yes", "they were not infused", f"{many(len(without), 'patient')} without a date of infusion: not infused ({names})"),),
            None if treated else "yes",
        )
    )
    assert word == "yes"
