"""Does `cartrial qualify` pass where all is right, and fail where anything is not?"""

from __future__ import annotations

import importlib
import inspect
import json
import marshal
import pkgutil
import py_compile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cartrial.qualify import PARTS, compare, installation, qualification_document, qualification_page, qualify
from cartrial.qualify.checks import FAILED, NOT_RUN, PASSED, Check
from cartrial.qualify.figures import COVERED, LEFT, rates, second
from cartrial.qualify.figures.plans import check_doses
from cartrial.qualify.figures.pooling import check_weighted
from cartrial.qualify.installation import check_installation, describe_machine
from cartrial.qualify.operation import truth
from cartrial.qualify.operation.commands import LINES, Line, check_lines, command_of
from cartrial.qualify.operation.serving import SERVED
from cartrial.qualify.requirements import Requirement
from cartrial.qualify.stored import read_stored, unpack_truth
from helpers import run_cli
from qualify_data import DATA, ROOT, members, stored_figures, truth_archive


def test_what_is_shipped_is_what_the_tests_hold() -> None:
    """By hand: R's figures and the truth tables stand once; a copy that is older than they fails here."""
    assert json.loads((DATA / "figures.json").read_text(encoding="utf-8")) == json.loads(json.dumps(stored_figures()))
    assert (DATA / "inputs" / "design.yaml").read_bytes() == (ROOT / "examples" / "designs" / "two-looks.yaml").read_bytes()
    assert members((DATA / "truth.zip").read_bytes()) == members(truth_archive())
    assert len(read_stored()["design"]["simon"]) == 23


def test_figures_are_compared_as_they_are_said_to_be() -> None:
    """By hand: relative above 1, absolute below; none is equal to none alone."""
    found = compare(
        "g",
        list("abcdef"),
        [100.0000001, 0.1, None, np.nan, 1.0, None],
        [100, 0.1 + 1e-8, None, None, None, 1.0],
        tolerance=1e-8,
        origin="",
    )
    assert [check.verdict for check in found] == [PASSED, PASSED, PASSED, PASSED, FAILED, FAILED]
    with pytest.raises(ValueError, match="zip"):
        compare("g", ["a"], [1.0], [1.0, 2.0], tolerance=1e-9, origin="")


@pytest.mark.shows("FMT-qualification")
def test_figures_of_some_kinds_are_right() -> None:
    """R, published, independent: rates, readers, weighted patients, doses, and data of a seed; the slow sibling below has all."""
    rows = [check for make in (rates.check_rates, rates.check_agreement, check_weighted, check_doses) for check in make()]
    assert len(rows) > 700 and {check.verdict for check in rows} == {PASSED}
    found = list(second.check_second(3))
    assert len(found) > 250 and {check.verdict for check in found} == {PASSED}
    assert found != list(second.check_second(4)) and found == list(second.check_second(3))


@pytest.mark.slow
def test_the_figures_of_this_installation_are_right() -> None:
    """R, published, and independent: ten thousand figures, each with where it comes from; every group that coverage names is there."""
    found = qualify(("performance",), seed=5)
    assert found.passed, found.failed[:5]
    assert found.counts[PASSED] >= 10_000 and found.counts[NOT_RUN] == 0 and found.seed == 5
    origins = ("R 4.2.2", "R: ", "published: ", "independent: ")
    assert all(check.origin.startswith(origins) for check in found.checks)
    assert len({(check.group, check.what) for check in found.checks}) == len(found.checks), "a figure that is counted twice"
    groups = {check.group for check in found.checks}
    assert groups >= {group for named in COVERED.values() for group in named} | {"Simon's designs", "several looks"}


def test_every_estimator_and_design_is_compared_or_named_with_the_reason() -> None:
    """By hand: a function that estimates, designs or operates stands in exactly one of the two tables."""
    starts = ("estimate_", "design_", "operate", "simulate_", "binomial_", "kappa_", "fit_")
    found = set()
    for root in ("cartrial.analysis", "cartrial.design"):
        for info in pkgutil.walk_packages(importlib.import_module(root).__path__, f"{root}."):
            module = importlib.import_module(info.name)
            for name in getattr(module, "__all__", ()):
                one = getattr(module, name)
                if inspect.isfunction(one) and one.__module__ == info.name and name.startswith(starts):
                    found.add(f"{info.name.removeprefix('cartrial.')}.{name}")
    assert found == set(COVERED) | set(LEFT)
    assert not set(COVERED) & set(LEFT) and all(LEFT.values())


def test_every_command_is_typed() -> None:
    """By hand: a new command stands in `LINES` or `SERVED`, or this fails."""
    import typer.main

    from cartrial.cli.app import app

    def names(command: object, before: str = "") -> set[str]:
        inner = getattr(command, "commands", None)
        if not inner:
            return {before.strip()}
        return {one for name, child in inner.items() for one in names(child, f"{before} {name}")}

    typed = [line.typed for row in LINES for line in row] + [words for words, _ in SERVED]
    assert {command_of(words) for words in typed} - {""} == names(typer.main.get_command(app))
    extras = {extra for row in LINES for line in row for extra in line.needs}
    assert extras <= {"virtual", "submission", "formats", "review"}


def test_an_absent_extra_is_named_and_is_no_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By hand: without its packages a line is not typed, and an extra is not said to be there; so is what takes minutes."""
    monkeypatch.setattr(installation, "_version", lambda _: "not installed")
    lines = (Line("simulate inaticel --out x", needs=("virtual",)),)
    (only,) = check_lines(tmp_path, lines)
    assert only.verdict == NOT_RUN and only.found == "not installed, not checked: extra virtual (numba)"
    (later,) = check_lines(tmp_path, (Line("calibrate --out x", minutes=True),), thorough=False)
    assert later.verdict == NOT_RUN and "--thorough" in later.found
    (kernels, *_) = truth.check_compiled(tmp_path, asked=False)
    assert kernels.verdict == NOT_RUN
    rows = [check for check in installation._extras()]
    assert rows and {check.verdict for check in rows} == {NOT_RUN}


@pytest.mark.parametrize("wrong", [0.001, -0.001])
def test_a_second_implementation_finds_a_fault_on_data_of_any_seed(monkeypatch: pytest.MonkeyPatch, wrong: float) -> None:
    """By hand: a curve that is a thousandth too high or too low differs from the product-limit estimator."""
    right = second.estimate_weighted_survival

    def spoilt(*given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        times, survival = right(*given)
        return times, survival + wrong

    monkeypatch.setattr(second, "estimate_weighted_survival", spoilt)
    failed = [check for check in second.check_second(11) if check.verdict == FAILED]
    assert failed and all("weighted" in check.what for check in failed)


def test_a_dossier_lists_requirements_where_they_are_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: number, words, place, tests and last result; coverage stands beside."""
    one = Requirement("RULE-9.9", "An invented rule.", "endpoints/x.py", ("tests/x.py::test_x",), "passed")
    monkeypatch.setattr("cartrial.qualify.dossier.read_requirements", lambda: (one,))
    found = qualify(("installation",), seed=1)
    page = qualification_page(found)
    assert "RULE-9.9" in page and "tests/x.py::test_x" in page and "seed of random data" in page
    assert qualification_document(found)["requirements"][0]["id"] == "RULE-9.9"


@pytest.mark.shows("FMT-qualification", "CMD-qualify")
def test_a_fault_is_found_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By hand: limits of another level fail, exit code 1, and the dossier says which, what was expected and what was found."""
    right = rates.binomial_limits
    monkeypatch.setattr(rates, "binomial_limits", lambda x, n, method="Clopper-Pearson", level=0.95: right(x, n, method, 0.94))
    monkeypatch.setattr("cartrial.qualify.run.FIGURES", (rates.check_rates,))
    monkeypatch.setattr("cartrial.qualify.run.check_second", lambda seed: iter(()))
    code, out, _ = run_cli("qualify", "--only", "performance", "--out", str(tmp_path / "q"))
    held = json.loads((tmp_path / "q" / "qualify.json").read_text(encoding="utf-8"))
    assert code == 1 and out.startswith("Failed: ") and held["verdict"] == FAILED and held["counts"]["failed"] > 100
    page = (tmp_path / "q" / "qualify.html").read_text(encoding="utf-8")
    assert "What failed" in page and "34/48, 95%, lower" in page
    wrong = next(check for check in held["checks"] if check["what"] == "34/48, 95%, lower")
    assert wrong["expected"] == "0.559365220086" and wrong["verdict"] == FAILED


def test_a_part_that_is_none_is_refused(tmp_path: Path) -> None:
    """By hand."""
    code, _, err = run_cli("qualify", "--only", "looks", "--out", str(tmp_path / "q"))
    assert code == 2 and "installation, operation, performance" in err and not (tmp_path / "q").exists()


def test_files_are_held_against_the_record_of_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By hand: SHA-256 of a file, as PEP 376 writes it; a file that was changed, and one that was added."""
    from importlib import metadata

    site = tmp_path / "site"
    (site / "cartrial").mkdir(parents=True)
    (site / "cartrial" / "a.py").write_bytes(b"abc")
    (site / "cartrial" / "b.py").write_bytes(b"changed")
    info = site / "cartrial-9.dist-info"
    info.mkdir()
    # FIPS 180-4 of "abc", in the letters of base 64
    digest = "sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cartrial\nVersion: 9\n", encoding="utf-8")
    (info / "RECORD").write_text(f"cartrial/a.py,{digest},3\ncartrial/b.py,{digest},3\ncartrial-9.dist-info/RECORD,,\n", encoding="utf-8")
    held = metadata.PathDistribution(info)
    monkeypatch.setattr(metadata, "files", lambda _: held.files)
    monkeypatch.setattr(metadata, "distribution", lambda _: held)
    by_name: dict[str, Check] = {check.what: check for check in check_installation()}
    assert by_name["cartrial/a.py"].verdict == PASSED and by_name["cartrial/b.py"].verdict == FAILED
    assert by_name["files that the wheel has not"].verdict == PASSED
    (site / "cartrial" / "c.py").write_bytes(b"")
    by_name = {check.what: check for check in check_installation()}
    (site / "cartrial" / "rules.yaml").write_bytes(b"")
    by_name = {check.what: check for check in check_installation()}
    assert by_name["files that the wheel has not"].found == "cartrial/c.py, cartrial/rules.yaml"
    # the package that runs here is not the one whose record was read
    assert by_name["the files that run are those of the installation"].verdict == FAILED


def test_kept_bytecode_that_is_not_of_its_source_is_found(tmp_path: Path) -> None:
    """By hand: Python runs kept bytecode whose stamp is that of the source, whatever it holds (PEP 3147); with another it does not."""
    source = tmp_path / "a.py"
    source.write_text("x = 1\n", encoding="utf-8")
    kept = Path(py_compile.compile(str(source), doraise=True) or "")
    assert not installation._runs_otherwise(source)
    stamp = kept.read_bytes()[:16]
    kept.write_bytes(stamp + marshal.dumps(compile("x = 2\n", str(source), "exec")))
    assert installation._runs_otherwise(source)
    kept.write_bytes(stamp + b"no code")
    assert installation._runs_otherwise(source)
    kept.write_bytes(stamp[:8] + bytes(8) + marshal.dumps(compile("x = 2\n", str(source), "exec")))
    assert not installation._runs_otherwise(source)


def test_a_format_that_cannot_be_read_back_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By hand: what is refused on reading is no extra that is absent."""
    from cartrial.errors import InputError
    from cartrial.qualify.operation.formats import check_formats

    def refuse(*_: object) -> None:
        raise InputError("the column is not known.")

    unpack_truth(tmp_path / "truth")
    monkeypatch.setattr("cartrial.sdtm.write_sdtm", refuse)
    found = [check for check in check_formats(tmp_path) if check.verdict != NOT_RUN]
    assert found and {(check.verdict, check.found) for check in found} == {(FAILED, "the column is not known.")}


def test_checks_that_break_off_are_a_failure_of_the_dossier(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By hand: a fault that ends a group of checks is written down, those after it are made, and the exit code is 1."""

    def broken() -> Iterator[Check]:
        """Yield nothing."""
        raise ValueError("an invented fault")
        yield

    monkeypatch.setattr("cartrial.qualify.run.FIGURES", (broken, rates.check_agreement))
    monkeypatch.setattr("cartrial.qualify.run.check_second", lambda seed: iter(()))
    code, out, _ = run_cli("qualify", "--only", "performance", "--out", str(tmp_path / "q"))
    held = json.loads((tmp_path / "q" / "qualify.json").read_text(encoding="utf-8"))
    assert code == 1 and "an invented fault" in out and held["counts"]["failed"] == 1 and held["counts"]["passed"] > 0
    assert held["sentence"].endswith("; of performance alone.")


def test_a_value_without_a_row_is_no_blank_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By hand: of a row that is expected blank and is not there, no row is found."""
    (tmp_path / "truth" / "x").mkdir(parents=True)
    head = "USUBJID,PARAMCD,VARIANT,AVAL,AVALC,CNSR,DESC"
    (tmp_path / "truth" / "x" / "expected.csv").write_text(f"{head}\nA,ORR3,,,,,\n", encoding="utf-8")
    monkeypatch.setattr(truth, "type_commands", lambda *_, **__: [(0, "")])
    monkeypatch.setattr(truth, "_derived", lambda _: pl.DataFrame(schema=dict.fromkeys(head.split(","), pl.String)))
    (check,) = truth.check_truth(tmp_path, ["x"])
    assert check.verdict == FAILED and check.found == "no row"


def test_the_machine_is_described() -> None:
    """By hand: versions of what the base install needs, and each extra."""
    names = [name for name, _ in describe_machine()]
    assert {"cartrial", "Python", "platform", "polars", "extra submission", "extra review"} <= set(names)


@pytest.mark.slow
@pytest.mark.shows("CMD-qualify")
def test_commands_formats_refusals_and_truth_tables_through_the_command_line(tmp_path: Path) -> None:
    """By hand: the truth tables' values, and what the documentation says of each command."""
    code, out, err = run_cli("qualify", "--only", "operation", "--out", str(tmp_path / "q"))
    held = json.loads((tmp_path / "q" / "qualify.json").read_text(encoding="utf-8"))
    assert code == 0, (out, err)
    assert held["counts"]["passed"] >= 450 and held["parts"] == ["operation"] and set(PARTS) > set(held["parts"])
