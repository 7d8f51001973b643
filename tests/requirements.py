"""What must be shown, and which tests show it? Every requirement by its number, the tests that name it, and how they last ended.

python tests/requirements.py                    writes src/cartrial/qualify/data/requirements.json anew, with the results that it has
python tests/requirements.py RESULTS.json       the same, with the results of a run of `make test-all` (see tests/conftest.py)

Numbers stay: RULE-4.2 is a paragraph of docs/rules.md, STUDY-endpoints.window a key of the study file, EST-wilson and FMT-csv stand in
requirements.yaml beside this file, CMD-report is a command. A test names what it shows by `@pytest.mark.shows("RULE-4.2")`; of the truth
tables tests/truth/shows.csv says which subjects show which paragraph.
"""

from __future__ import annotations

import ast
import csv
import importlib
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import typer
import yaml
from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
RULES = ROOT / "docs" / "rules.md"
STORED = ROOT / "src" / "cartrial" / "qualify" / "data" / "requirements.json"
TRUTH = "tests/whole/test_truth.py::test_every_cell_of_the_truth_table_by_hand"
# each key of the study file is read, kept and refused by these
BY_FORM = (
    "tests/study/test_keys.py::test_each_key_is_read_and_kept_as_it_is_written",
    "tests/study/test_keys.py::test_what_a_key_cannot_hold_is_refused_where_it_stands",
)
PARAGRAPH = re.compile(r"^- \*\*(?P<number>[LP]?\d+\.\d+)\*\* (?P<text>.+) \(`(?P<where>[^`]+)`\)$")
KINDS = {
    "RULE": "Paragraphs of the rules",
    "STUDY": "Keys of the study file",
    "EST": "Estimators and designs",
    "FMT": "Files",
    "CMD": "Commands",
}


class Requirement(NamedTuple):
    """What must hold: its number, in words, and the file (below src/cartrial) that sees to it."""

    id: str
    text: str
    where: str

    @property
    def kind(self) -> str:
        """RULE, STUDY, EST, FMT or CMD."""
        return self.id.partition("-")[0]


def paragraphs() -> Iterator[Requirement]:
    """Yield the paragraphs of the rules."""
    for line in RULES.read_text(encoding="utf-8").splitlines():
        if line.startswith("- **"):
            found = PARAGRAPH.match(line)
            assert found, f"no paragraph with its number and file: {line}"
            yield Requirement(f"RULE-{found['number']}", found["text"], found["where"])


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that stand in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models_in(part)


def places() -> dict[str, tuple[str, type[BaseModel]]]:
    """Return where each part of a study file stands, by the part's name: the first place that leads to it, and its model."""
    from cartrial.study import Study

    found: dict[str, tuple[str, type[BaseModel]]] = {"Study": ("", Study)}
    todo: list[tuple[str, type[BaseModel]]] = [("", Study)]
    while todo:
        at, model = todo.pop(0)
        for name, field in model.model_fields.items():
            inner = list(models_in(field.annotation))
            for one in inner:
                place = f"{at}{field.alias or name}"
                # two forms of one key: that of leukaemia, and that of calls
                place += "-of-calls" if one.__name__.startswith("Call") else ""
                if one.__name__ not in found:
                    found[one.__name__] = place, one
                    todo.append((f"{place}.", one))
    return found


def keys() -> Iterator[Requirement]:
    """Yield the keys of a study file, with what each means."""
    from cartrial.study.schema import read_meanings

    meanings = read_meanings()
    for part, (at, model) in places().items():
        where = model.__module__.removeprefix("cartrial.").replace(".", "/") + ".py"
        for name, field in model.model_fields.items():
            key = field.alias or name
            yield Requirement(f"STUDY-{at}.{key}" if at else f"STUDY-{key}", meanings[part][key], where)


def listed() -> Iterator[Requirement]:
    """Yield estimators, designs and files."""
    for kind, items in yaml.safe_load((TESTS / "requirements.yaml").read_text(encoding="utf-8")).items():
        for name, item in items.items():
            yield Requirement(f"{kind}-{name}", item["text"], item["where"])


def named_by_estimators() -> set[str]:
    """Return the public names that the estimators and designs of requirements.yaml are made by."""
    items = yaml.safe_load((TESTS / "requirements.yaml").read_text(encoding="utf-8"))["EST"].values()
    return {name for item in items for name in item["of"]}


def commands() -> Iterator[Requirement]:
    """Yield the commands, with the first line of their help."""
    importlib.import_module("cartrial.__main__")
    from cartrial.cli.app import app

    yield from _below(typer.main.get_command(app), ())


def _below(command: Any, names: tuple[str, ...]) -> Iterator[Requirement]:
    inner = getattr(command, "commands", None)
    if inner is None:
        where = command.callback.__module__.removeprefix("cartrial.").replace(".", "/") + ".py"
        yield Requirement(f"CMD-{'-'.join(names)}", (command.help or "").split("\n")[0], where)
        return
    for name in sorted(inner):
        yield from _below(inner[name], (*names, name))


@cache
def requirements() -> dict[str, Requirement]:
    """Return every requirement by its number."""
    found = [*paragraphs(), *keys(), *listed(), *commands()]
    by_id = {one.id: one for one in found}
    assert len(by_id) == len(found), "two requirements have one number"
    return by_id


def _named(node: ast.expr) -> list[str]:
    """Return the numbers of a mark `pytest.mark.shows(...)`, of a list of marks too."""
    if isinstance(node, ast.List | ast.Tuple):
        return [name for part in node.elts for name in _named(part)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "shows":
        return [ast.literal_eval(argument) for argument in node.args]
    return []


def marked(path: Path) -> dict[str, list[str]]:
    """Return the tests of a file that name requirements: name of the test to their numbers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    marks = [node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"]
    whole = [name for value in marks for name in _named(value)]
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            own = [name for decorator in node.decorator_list for name in _named(decorator)]
            if own or whole:
                found[node.name] = [*whole, *own]
    return found


def truth_rows() -> list[dict[str, str]]:
    """Return which subjects of the truth tables show which paragraph: requirement, study, subjects."""
    with (TESTS / "truth" / "shows.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def shown() -> dict[str, list[str]]:
    """Return the tests that name each number, whether it is one of a requirement or not."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        if "mark.shows(" not in path.read_text(encoding="utf-8"):
            continue
        for test, names in marked(path).items():
            for name in names:
                found.setdefault(name, []).append(f"{path.relative_to(ROOT).as_posix()}::{test}")
    for row in truth_rows():
        found.setdefault(row["requirement"], []).append(f"{TRUTH}[{row['study']}]")
    for name in requirements():
        if name.startswith("STUDY-"):
            found.setdefault(name, []).extend(BY_FORM)
    return found


def outcome(test: str, results: dict[str, str]) -> str:
    """Return how a test ended, the worst of its parameters; `not run` where no result is known."""
    name, bracket, _ = test.partition("[")
    ended = [result for ran, result in results.items() if ran == test or (not bracket and ran.partition("[")[0] == name)]
    return next((word for word in ("failed", "passed") if word in ended), "not run")


def ending(ended: list[str]) -> str:
    """Return how the tests of a requirement ended, in words: failed where one did, and how many of them were run where not all were."""
    ran = [word for word in ended if word != "not run"]
    if not ran:
        return "not run"
    word = "failed" if "failed" in ran else "passed"
    return word if len(ran) == len(ended) else f"{word}, {len(ran)} of {len(ended)} run"


def table(results: dict[str, str], when: str) -> dict[str, Any]:
    """Return the table of requirements as it is shipped: each with its tests and how they ended."""
    rows = []
    for one in requirements().values():
        tests = shown().get(one.id, [])
        rows.append(
            {
                "id": one.id,
                "text": one.text,
                "where": one.where,
                "tests": tests,
                "result": ending([outcome(test, results) for test in tests]),
            }
        )
    return {"rules": 2, "tested": when, "requirements": rows}


def stored() -> dict[str, Any]:
    """Return the table that is shipped."""
    return json.loads(STORED.read_text(encoding="utf-8")) if STORED.is_file() else {"tested": "", "requirements": []}


def write(run: Path | None) -> None:
    """Write the table that is shipped: with the results of a run, else with those that it has."""
    if run:
        held = json.loads(run.read_text(encoding="utf-8"))
        made = table(held["results"], held["finished"])
    else:
        before = stored()
        ended = {row["id"]: row["result"] for row in before["requirements"]}
        made = table({}, before["tested"])
        for row in made["requirements"]:
            row["result"] = ended.get(row["id"], "not run")
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in made.pop("requirements"))
    head = json.dumps(made, ensure_ascii=False)[:-1]
    STORED.write_text(f'{head}, "requirements": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
