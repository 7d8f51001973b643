"""The documentation: its blocks run and print what it shows, its tables agree with the code, its links lead somewhere.

Origin of every expectation: the code itself (tables, names, columns), and what a run prints.
"""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import polars as pl
import pytest
import typer
import yaml

from cartrial.analysis import KEY, SCHEMA, read_results
from cartrial.cli.app import app
from cartrial.sdtm.mapping import read_mapping
from cartrial.study import Study
from docs_blocks import FENCE, agrees, blocks, copy_examples, run_page, run_python
from docs_reference import BLOCK, CONSTANTS, DOCS, KEYS, PAGES, ROOMS, ROOT, filled, key_rows, public_names, table_rows
from report_example import without_scripts

NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


# pages whose blocks design and simulate whole trials
LONG = {
    *("design.md", "evidence.md", "evidence-curves.md", "export.md", "predict.md", "scale.md", "start.md", "virtual.md", "gallery.md"),
    *(page.relative_to(DOCS).as_posix() for folder in ("tutorials", "cookbook") for page in (DOCS / folder).glob("*.md")),
}
RUN = [name for page in PAGES if page.is_relative_to(DOCS) for name in [page.relative_to(DOCS).as_posix()]]


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in RUN])
def test_every_block_runs_and_prints_what_is_shown(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_examples(tmp_path)
    monkeypatch.chdir(tmp_path)
    for found, printed in run_page(DOCS / name):
        assert agrees(found[2], printed), f"shown:\n{found[2]}\nprinted:\n{printed}"


def test_the_first_screen_of_the_readme_runs_and_prints_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (_, text), (_, shown) = blocks(ROOT / "README.md", "python", "text")
    assert agrees(shown, run_python(text, {}))


@pytest.mark.parametrize("name", sorted(LONG))
def test_the_blocks_of_a_long_page_are_python(name: str) -> None:
    """Their imports too: what they print is seen where the page runs as a whole."""
    for _, text in blocks(DOCS / name, "python"):
        tree = ast.parse(text)
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom) and "cartrial" in ast.unparse(node):
                exec(compile(ast.Module([node], []), name, "exec"), {})


# blocks that estimate; what they are made of has a small sibling in analysis/test_camis.py
ESTIMATED = {"docs/agreement.md"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name in ESTIMATED else []) for name in NAMES])
def test_blocks_taken_from_the_code_are_as_the_code_has_them(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.count("<!-- begin:") == len(BLOCK.findall(text))
    assert filled(text) == text, "run: python tests/docs_reference.py"


@pytest.mark.parametrize("name", ["study.md", "sdtm.md"])
def test_every_key_of_the_two_file_formats_is_explained(name: str) -> None:
    found = KEYS.findall((DOCS / name).read_text(encoding="utf-8"))
    assert found
    reached = set()
    for path, table in found:
        module, model = path.rsplit(".", 1)
        expected = key_rows(getattr(importlib.import_module(module), model))
        rows = table_rows(table)
        assert [row[:3] for row in rows] == expected, path
        assert all(row[3] for row in rows), path
        reached.add(path)
    root = "cartrial.study.study.Study" if name == "study.md" else "cartrial.sdtm.mapping.model.Mapping"
    assert below(root) <= reached


def below(path: str) -> set[str]:
    """Return a model and every model that its fields lead to, by their full names."""
    module, name = path.rsplit(".", 1)
    todo, seen = [getattr(importlib.import_module(module), name)], set()
    while todo:
        model = todo.pop()
        full = f"{model.__module__}.{model.__name__}"
        if full not in seen:
            seen.add(full)
            todo += [part for field in model.model_fields.values() for part in models_in(field.annotation)]
    return seen


def models_in(annotation: object) -> list[type]:
    """Return the models that stand in an annotation."""
    if hasattr(annotation, "model_fields"):
        return [annotation]  # type: ignore[list-item]
    return [model for part in getattr(annotation, "__args__", ()) for model in models_in(part)]


def test_the_yaml_examples_can_be_used(tmp_path: Path) -> None:
    ((_, study),) = blocks(DOCS / "study.md", "yaml")
    (tmp_path / "study.yaml").write_text(study, encoding="utf-8")
    assert [endpoint.id for endpoint in Study.load(tmp_path).endpoints] == ["ORR3"]
    mappings = [text for _, text in blocks(DOCS / "sdtm.md", "yaml")]
    assert mappings
    for mapping in mappings:
        (tmp_path / "mapping.yaml").write_text(mapping, encoding="utf-8")
        assert read_mapping(tmp_path).rules


def test_every_public_name_has_its_line() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8").split("<!-- begin: api -->")[1]
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    pages = {part.split("\n", 1)[0]: re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) for part in parts}
    assert pages == {room: public_names(room) for room in ROOMS}
    assert all(CONSTANTS.values())


@pytest.mark.parametrize("name", ["ADSL", "ADRS", "ADTTE", "ADRESP", "ADAE", "ADCK"])
def test_every_column_of_a_data_set_is_explained(name: str, worked_report: Path) -> None:
    text = (DOCS / "endpoints.md").read_text(encoding="utf-8").split(f"### {name}\n")[1].split("\n## ")[0].split("\n### ")[0]
    explained = [column for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for column in re.findall(r"`(\w+)`", row)]
    columns = pl.read_parquet(worked_report / "adam" / f"{name}.parquet").columns
    assert sorted(explained) == sorted(columns)


def test_every_column_and_statistic_of_the_results_is_explained(worked_report: Path) -> None:
    text = (DOCS / "analysis.md").read_text(encoding="utf-8").split("## Results\n")[1]
    columns, statistics = (
        re.search(r"(?:^\|.*\n)+", part, re.MULTILINE) for part in re.split(r"(?=^\| analysis \| statistics)", text, flags=re.MULTILINE)
    )
    assert columns and statistics
    assert [row[0] for row in table_rows(columns[0])] == list(SCHEMA)
    assert set(KEY) == set(SCHEMA) - {"value", "text", "rules"}
    listed = {row[0]: set(row[1].split(", ")) for row in table_rows(statistics[0])}
    found = read_results(worked_report / "results.json").group_by("analysis").agg(pl.col("statistic").unique())
    for analysis, names in found.iter_rows():
        assert set(names) <= listed[analysis], analysis


def test_every_section_of_the_report_is_named(worked_report: Path) -> None:
    page = without_scripts((worked_report / "report.html").read_text(encoding="utf-8"))
    titles = [re.sub("<.*?>", "", title).replace("&#39;", "'") for title in re.findall(r"<h2[^>]*>(.*?)</h2>", page, re.DOTALL)]
    text = (DOCS / "report.md").read_text(encoding="utf-8").split("## Sections\n")[1]
    # a section of what a study file asks for is there where it is asked for
    named = [row[0] for row in table_rows(text.split("\n\n")[0]) if not row[1].startswith("where the study file asks")]
    assert [title.split(":")[0] for title in titles] == named


def test_the_command_line_table_names_every_command() -> None:
    importlib.import_module("cartrial.__main__")
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `cartrial (\w+)", text, re.MULTILINE)) == commands


def test_the_figures_of_the_readme_are_those_of_the_results(worked_report: Path) -> None:
    results = read_results(worked_report / "results.json").filter(analysis="response", endpoint="ORR3", by="")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = {row[0]: row[1:] for row in table_rows(text.split("<!-- figures -->\n\n")[1].split("\n\n")[0])}
    for variant, (fraction, rate, limits, waiting, population, reader) in shown.items():
        rows = results.filter(variant="" if variant == "main analysis" else variant)
        got = dict(rows.select("statistic", "text").iter_rows())
        assert (fraction, rate, limits, waiting) == (
            f"{got['n']}/{got['N']}",
            got["rate"],
            f"{got['lower']} to {got['upper']}",
            got["not_yet_assessable"],
        )
        assert (population, reader) == rows.select("population", "reader").row(0)
    assert set(shown) == {variant or "main analysis" for variant in results["variant"].unique()}
    assert results.filter(variant="")["window"][0] in text and results.filter(variant="")["strategies"][0] in text


@pytest.mark.parametrize("name", [*NAMES, "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_to_what_is_there(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", FENCE.sub("", page.read_text(encoding="utf-8"))):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def pages_in(nav: list[dict[str, object]]) -> list[str]:
    """Return the pages of a navigation, those of its sections among them."""
    values = [value for entry in nav for value in entry.values()]
    return [page for value in values for page in (pages_in(value) if isinstance(value, list) else [str(value)])]


def test_every_page_is_in_the_navigation() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(pages_in(nav)) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_every_room_has_its_reference() -> None:
    texts = {page.stem: page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md")}
    assert sorted(texts) == sorted(ROOMS)
    assert all(text.startswith(f"# {room}\n\n::: {room}\n") for room, text in texts.items())
