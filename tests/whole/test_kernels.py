"""Compiled kernels: an edit of a kernel, of what it calls or of a code it reads is seen by the next process, never a stale result.

Origin of every expected value: `by hand`, from the arrays in the script below.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import cartrial
from cartrial.kernels import sources_hash
from helpers import ROOT, WORKED

PACKAGE = Path(cartrial.__file__).parent
HASHED = sorted({*PACKAGE.rglob("*kernel*.py"), *PACKAGE.rglob("codes.py")})
with_numba = pytest.mark.skipif(
    find_spec("numba") is None, reason="numba (extra `fast`) is not installed: kernels are interpreted, nothing is cached"
)

# One subject: NR on day 10, CR on day 20, infused on day 0. The first response is the assessment at position 1.
FIRST = """
import numpy as np
from cartrial.endpoints.rules.course_kernel import Courses, Reads
from cartrial.endpoints.rules.time_kernel import Origin, find_first_response
from cartrial.study.criteria.codes import NR, CR
from cartrial.study.criteria.leukaemia import LEUKAEMIA, REMISSION
n = lambda *x: np.array(x, np.int64)
none = dict.fromkeys(("enrolled", "cutoff", "death", "failure", "gone", "withdrawn", "lost", "alive"), n(2**40))
reads = Reads(at=n(0, 2), day=n(10, 20), status=n(NR, CR), flags=n(0, 0), mrd=n(0, 0))
first = np.empty(1, np.int64)
courses = Courses(day0=n(0), ice=np.full((3, 1), 2**40, np.int64), **none)
find_first_response.compiled()(reads, courses, Origin(REMISSION, 0, (0, 0, 0), LEUKAEMIA.roles), first)
print(first[0])
"""

CALLEE = '"""A callee."""\nimport numba\n\n@numba.njit\ndef add(x):\n    return x + 1\n'
CALLER = (
    '"""A kernel that calls another module."""\nfrom cartrial.kernels import kernel\nfrom cartrial.response.callee_kernel import add\n\n'
    "@kernel\ndef twice(x):\n    return add(add(x))\n"
)
TWICE = "from cartrial.response.caller_kernel import twice; print(twice.compiled()(5))"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package beside an empty cache."""
    shutil.copytree(PACKAGE, tmp_path / "src" / "cartrial", ignore=shutil.ignore_patterns("__pycache__", "virtual", "report"))
    return tmp_path / "src" / "cartrial"


def _run(copy: Path, script: str) -> str:
    """Run a script with the copy of the package, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(copy.parent)}
    if copy != PACKAGE:
        environment["CARTRIAL_CACHE"] = str(copy.parents[1] / "cache")
    found = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def _folders(copy: Path) -> set[str]:
    return {path.name for path in (copy.parents[1] / "cache" / "kernels").iterdir()}


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path.name, old)
    stamp = path.stat()
    path.write_text(text.replace(old, new), encoding="utf-8")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # the worst case: nothing but the content tells


@with_numba
@pytest.mark.slow
def test_the_second_process_takes_the_kernel_from_the_cache(copy: Path) -> None:
    assert _run(copy, FIRST) == "1"
    folder = copy.parents[1] / "cache" / "kernels"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.nb?")}
    assert before, "nothing was cached"
    assert _run(copy, FIRST) == "1"
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.nb?")} == before


@with_numba
@pytest.mark.slow
def test_an_edit_of_a_code_is_seen(copy: Path) -> None:
    """FAR = 0 makes day 0 'not infused': no first response, -1. It stands in codes.py, which Numba's own cache does not look at."""
    assert _run(copy, FIRST) == "1"
    before = _folders(copy)
    _edit(copy / "sdtm" / "records" / "codes.py", "FAR = 2**40", "FAR = 0")
    assert _run(copy, FIRST) == "-1"
    assert len(_folders(copy) - before) == 1


@pytest.mark.slow
@with_numba
def test_an_edit_of_a_kernel_is_seen(copy: Path) -> None:
    """After the edit only what follows day 30 counts: no first response, -1."""
    assert _run(copy, FIRST) == "1"
    before = _folders(copy)
    kernel = copy / "endpoints" / "rules" / "time_kernel.py"
    _edit(kernel, "if subject.day0 < reads.day[i] <= last", "if subject.day0 + 30 < reads.day[i] <= last")
    assert _run(copy, FIRST) == "-1"
    assert len(_folders(copy) - before) == 1


@with_numba
@pytest.mark.slow
def test_an_edit_of_a_part_is_seen(copy: Path) -> None:
    """The part stands in another file than the kernel. After the edit a course begins on day 30: no first response, -1."""
    assert _run(copy, FIRST) == "1"
    before = _folders(copy)
    _edit(copy / "endpoints" / "rules" / "course_kernel.py", "courses.day0[s],", "courses.day0[s] + 30,")
    assert _run(copy, FIRST) == "-1"
    assert len(_folders(copy) - before) == 1


@with_numba
@pytest.mark.slow
def test_an_edit_of_a_callee_is_seen(copy: Path) -> None:
    """5 + 1 + 1 = 7; after the edit 5 + 10 + 10 = 25."""
    (copy / "response" / "callee_kernel.py").write_text(CALLEE, encoding="utf-8")
    (copy / "response" / "caller_kernel.py").write_text(CALLER, encoding="utf-8")
    assert _run(copy, TWICE) == "7"
    _edit(copy / "response" / "callee_kernel.py", "x + 1", "x + 10")
    assert _run(copy, TWICE) == "25"


@with_numba
@pytest.mark.slow
def test_without_the_hash_the_callee_would_be_stale(copy: Path) -> None:
    """The trap is real: with one cache folder for all, the same edit gives the old 7. Should Numba ever see it, this test says so."""
    (copy / "response" / "callee_kernel.py").write_text(CALLEE, encoding="utf-8")
    (copy / "response" / "caller_kernel.py").write_text(CALLER, encoding="utf-8")
    _edit(copy / "kernels.py", '/ "kernels" / sources_hash()', '/ "kernels" / "one"')
    assert _run(copy, TWICE) == "7"
    _edit(copy / "response" / "callee_kernel.py", "x + 1", "x + 10")
    assert _run(copy, TWICE) == "7"


@pytest.mark.parametrize(
    "file",
    [
        "endpoints/rules/codes.py",
        "endpoints/rules/rate_kernel.py",
        "response/codes.py",
        "response/lab_kernel.py",
        "sdtm/records/codes.py",
        "study/criteria/codes.py",
    ],
)
def test_the_hash_names_every_source(file: str, copy: Path) -> None:
    before = sources_hash(copy)
    sources_hash.cache_clear()
    source = copy / file
    source.write_text(source.read_text(encoding="utf-8") + "# a comment\n", encoding="utf-8")
    assert sources_hash(copy) != before
    sources_hash.cache_clear()


def _imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(("." * node.level) + (node.module or ""))
    return found


@pytest.mark.parametrize("path", HASHED, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_kernel_imports_nothing_of_the_package_but_what_is_hashed(path: Path) -> None:
    """Else an edit of what it imports would not change the folder of the cache. `kernels` itself holds the decorator alone."""
    hashed = {".".join(("cartrial", *other.relative_to(PACKAGE).with_suffix("").parts)) for other in HASHED}
    own = [name for name in _imports(path) if name.startswith((".", "cartrial"))]
    if path.name != "kernels.py":
        assert set(own) <= hashed, set(own) - hashed


@pytest.mark.slow
def test_whatever_is_compiled_stands_in_a_hashed_file() -> None:
    compiled = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            marks = [ast.unparse(mark) for mark in getattr(node, "decorator_list", [])]
            if any("njit" in mark or mark in ("kernel", "part", "jit") or mark.endswith((".jit", ".kernel", ".part")) for mark in marks):
                compiled.append(path)
    assert len(compiled) > 5
    assert set(compiled) <= set(HASHED), {path.name for path in set(compiled) - set(HASHED)}


def test_tuples_of_kernels_differ_in_name_or_shape() -> None:
    """Two of one name and as many fields make Numba take each call through its slow path, forty times as long."""
    seen: dict[tuple[str, int], str] = {}
    for path in HASHED:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == ["NamedTuple"]:
                shape = node.name, sum(isinstance(part, ast.AnnAssign) for part in node.body)
                assert shape not in seen, f"{shape[0]} of {path.name} and of {seen[shape]}"
                seen[shape] = path.name


@pytest.mark.slow
@with_numba
def test_a_kernel_is_compiled_once() -> None:
    """By hand: whatever the arrays come from, a kernel of the rules has one signature after two batches of derivation."""
    script = f"""
import sys
sys.path.insert(0, {str(ROOT / "benchmarks")!r})
from cartrial import kernels
from cartrial.endpoints import derive
from cartrial.endpoints.rules import rate_kernel, time_kernel
from cartrial.response import lab_kernel, mrd_kernel, readers_kernel, sequence_kernel
from cartrial.sdtm import read_sdtm
from cartrial.sdtm.records import derive_records
from cartrial.study import Study
from tiling import one_trial, tile_records
kernels.COMPILE_FROM = 0
study = Study.load({str(WORKED)!r})
derive(study, derive_records(study, read_sdtm({str(WORKED / "data")!r})))
derive(study, tile_records(one_trial(), 3))
of_rules = [rate_kernel.assess_rate, time_kernel.assess_time, time_kernel.find_first_response, lab_kernel.assess_lab]
of_rules += [mrd_kernel.assess_mrd, readers_kernel.assess_committee, sequence_kernel.assess_sequence]
print(sorted({{len(kernel.compiled().signatures) for kernel in of_rules}}))
"""
    assert _run(PACKAGE, script) == "[1]"
