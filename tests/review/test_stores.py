"""The two stores: which a name means, a server with a lesser role through the command line, copies from either into either.

Origin of every expectation: `by hand`, from the page of the documentation and the issue; of copies `independent`: every row.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cartrial.errors import InputError
from helpers import run_cli
from review_example import codes, example_data, open_world, sign, write_folder
from review_stores import OWNER, SERVER, cluster, use_store


def test_an_address_is_read_as_postgresqls_own_programs_read_it_and_shown_without_its_password() -> None:
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    from cartrial.review.app.stores.address import database_of, shown

    found = database_of("postgresql://review:se%20cret@db.example:5433/trial?sslmode=verify-full")
    assert (found["NAME"], found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == (
        *("trial", "review", "se cret", "db.example", "5433"),
    )
    assert found["OPTIONS"]["sslmode"] == "verify-full" and "synchronous_commit=on" in found["OPTIONS"]["options"]
    assert shown("postgresql://review:se%20cret@db.example:5433/trial?password=x") == "postgresql://review@db.example:5433/trial"


@pytest.mark.parametrize(
    ("db", "words"),
    [
        ("mysql://x@y/z", "'mysql' is no kind of database that is known here"),
        ("postgresql://x@127.0.0.1:1/", "names no database"),
        ("postgresql://x@127.0.0.1/z?nonsense=1", "cannot be read"),
        ("postgresql://x@127.0.0.1:port/z", "the database cannot be opened"),
        # nothing listens at port 1
        ("postgresql://x:secret@127.0.0.1:1/z", "the database cannot be opened"),
    ],
)
def test_a_store_that_is_none_is_said_in_one_message(db: str, words: str) -> None:
    pytest.importorskip("django", reason="the extra review is not installed")
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    code, _, said = run_cli("review", "verify", "--db", db)
    assert code == 2 and words in " ".join(said.split()) and "secret" not in said and "Traceback" not in said


def test_the_statements_of_the_lesser_role_name_every_table_that_is_only_added_to() -> None:
    """Exactly those: no right to alter or remove is given for one of them. A name that is none is refused."""
    import re

    from cartrial.review.app.stores.grants import APPEND_ONLY, role_sql

    given = [
        (right, table)
        for rights, tables in re.findall(r"GRANT ([A-Z, ]+) ON ([a-z_, ]+) TO", role_sql("review_server"))
        for table in tables.split(", ")
        for right in rights.split(", ")
    ]
    assert [right for right, table in given if table.removeprefix("review_") in APPEND_ONLY] == ["INSERT"] * len(APPEND_ONLY)
    assert role_sql("review_server") in (Path(__file__).parents[2] / "docs" / "review.md").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="no name of a role"):
        role_sql("x; DROP TABLE review_read")


def rows(db: str) -> dict[str, list[Any]]:
    """Return every row of every table of a workspace that is open, as JSON."""
    from django.apps import apps
    from django.core import serializers

    from cartrial.review.app.serve import open_store

    open_store(db)
    return {
        table._meta.db_table: json.loads(serializers.serialize("json", table.objects.order_by("pk")))
        for table in apps.get_app_config("review").get_models()
    }


@pytest.mark.slow
@pytest.mark.shows(
    "FMT-workspace",
    "CMD-review-backup",
    "CMD-review-restore",
    "CMD-review-role",
    "CMD-review-prepare",
    "CMD-review-seal",
    "CMD-review-verify",
)
def test_a_server_is_prepared_lent_loaded_copied_and_put_back_by_commands(tmp_path: Path) -> None:
    """By the steps of the page: the owner prepares, the lesser role works; a copy goes into a file and into another database, whole."""
    made = cluster()
    write_folder(example_data(committee=True), tmp_path / "data")
    for name in ("steps", "again"):
        made.make(name)
    lesser, owner = made.url("steps", SERVER), made.url("steps")
    made.boss("postgres", f"DROP ROLE IF EXISTS {SERVER}_two")
    made.boss("steps", f"CREATE ROLE {SERVER}_two LOGIN")
    code, _, said = run_cli("review", "verify", "--db", made.url("steps", f"{SERVER}_two"))
    assert code == 2 and "cartrial review prepare" in " ".join(said.split())
    assert run_cli("review", "prepare", "--db", owner)[0] == 0
    code, statements, _ = run_cli("review", "role", SERVER)
    assert code == 0
    made.lend("steps", statements)
    load = ("review", "load", "inaticel", "--data", tmp_path / "data", "--replace-committee", "--db", lesser)
    code, told, _ = run_cli(*load)
    assert code == 0 and "6 cases: new" in told
    assert run_cli("review", "users", "add", "one", "--name", "Dr A. Eins", "--role", "reader", "--db", lesser)[0] == 0
    assert run_cli("review", "seal", "--db", lesser, "--to", tmp_path / "seals")[0] == 0
    assert run_cli("review", "backup", "--db", lesser, "--to", tmp_path / "copy.db")[0] == 0
    wanted = rows(lesser)
    assert len(wanted["review_shown"]) == 6 and rows(str(tmp_path / "copy.db")) == wanted
    for db in (str(tmp_path / "copy.db"), lesser):
        assert run_cli("review", "verify", "--db", db, "--seals", tmp_path / "seals")[0] == 0
    assert run_cli("review", "backup", "--db", lesser, "--to", tmp_path / "copy.db")[0] == 2
    for db in (made.url("again"), str(tmp_path / "file.db")):
        assert run_cli("review", "restore", "--from", tmp_path / "copy.db", "--db", db)[0] == 0
        found = rows(db)
        # what is added by the restoring is an event
        assert found.pop("review_event")[: len(wanted["review_event"])] == wanted["review_event"] and found.pop("review_head")
        assert found == {name: kept for name, kept in wanted.items() if name not in ("review_event", "review_head")}
        assert run_cli("review", "users", "add", "two", "--name", "Dr B. Zwei", "--role", "reader", "--db", db)[0] == 0
        assert run_cli("review", "verify", "--db", db, "--seals", tmp_path / "seals")[0] == 0
        assert run_cli("review", "restore", "--from", tmp_path / "copy.db", "--db", db)[0] == 2


def test_data_that_were_loaded_meanwhile_are_not_overtaken(each_store: str) -> None:
    """Two coordinators find changes against one cut: the second is told to look again."""
    open_world("seated")
    from cartrial.review.app.acts.loading import Cut, find_changes, keep_cut
    from cartrial.review.loaded import bring

    brought = bring(example_data({("S-07-0001", 28): 149.0}, committee=True), replace=True)
    cut = Cut(brought.study, brought.cases, brought.files, brought.replaced)
    first, second = find_changes(cut), find_changes(cut)
    keep_cut(cut, first, "test")
    with pytest.raises(InputError, match="loaded meanwhile"):
        keep_cut(cut, second, "test")


@pytest.mark.slow
def test_what_a_server_cannot_hold_is_refused_in_words(each_store: str) -> None:
    """PostgreSQL has no text with a zero byte and no number beyond its columns: such requests are answered alike in both stores."""
    clients = open_world("seated")
    path = f"/case/{codes()['S-07-0001']}/28/"
    assert sign(clients["one"], "one", path, "CR", reason="a\x00b").status_code == 400
    assert clients["one"].post(f"{path}draft/", {"call": "CR", "reason": "\x00", "revision": "0"}).status_code == 400
    assert clients["au"].get("/trail/?kind=%00").status_code == 400
    assert clients["one"].get("/case/S%00/28/").status_code in (400, 404)
    assert clients["one"].get(f"/case/S-001/{'9' * 40}/").status_code == 404
    assert clients["one"].post(f"{path}draft/", {"call": "CR", "revision": "9" * 5000}).status_code in (409, 422)
    assert sign(clients["one"], "one", path, "CR", version="9" * 5000).status_code in (409, 422)
    from django.test import Client

    for name in ("\x00", "x" * 20_000):
        assert Client().post("/login/", {"username": name, "password": "wrong"}).status_code in (200, 400)
    assert Client(HTTP_USER_AGENT="x" * 20_000).post("/login/", {"username": "one", "password": "wrong"}).status_code == 200


@pytest.mark.slow
def test_reads_of_both_stores_have_one_owner_of_each_table() -> None:
    """The server warns who serves with the role that owns the tables, and that one alone."""
    made = cluster()
    use_store("postgresql")
    open_world("seated")
    from cartrial.review.app.serve import open_store
    from cartrial.review.app.stores.guards import owns_tables

    assert not owns_tables()
    open_store(made.url("review", OWNER))
    assert owns_tables()
    use_store("sqlite")
