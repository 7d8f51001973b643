"""How is the coordinator's tutorial walked? Servers run beside its commands, and people do in the browser what the page says.

A block of `sh` that serves is started, at a port that is free; what it prints is told as if at port 8000. `<!-- in the browser: NAME -->`
stands where people act.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

from review_clients import Browser
from review_example import PASSWORD

PARTS = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$|^<!-- in the browser: (?P<act>\w+) -->$", re.DOTALL | re.MULTILINE)


class Committee:
    """The servers and people of one walk through the page, in the working folder; `watch` looks where a walk ends early."""

    watch: ClassVar[Callable[[Committee], None]] = lambda committee: None

    def __init__(self, surroundings: dict[str, str]) -> None:
        self._surroundings = surroundings
        self._server: subprocess.Popen[str] | None = None
        self._port = 0
        self._first: dict[str, str] = {}
        self._people: dict[str, Browser] = {}

    def serve(self, command: str) -> str:
        """Start a server in place of the one before; return what it prints until it serves."""
        self.end()
        self._first, self._people = {}, {}
        process = ["bash", "-ec", f"exec {command.strip()} --port 0"]
        self._server = subprocess.Popen(process, env=self._surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._server.stdout is not None
        told = []
        for line in self._server.stdout:
            told.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                self._port = int(found[1])
                return "".join(told).replace(found[1], "8000")
        raise AssertionError("".join(told))

    def end(self) -> None:
        """End the server."""
        if self._server:
            self._server.terminate()
            self._server.wait(timeout=60)
            self._server = None

    def hear(self, printed: str) -> None:
        """Note the first passwords that a command prints."""
        self._first |= dict(re.findall(r"^(\w+)[ :,].*?([0-9a-f]{4}(?:-[0-9a-f]{4}){3})", printed, re.MULTILINE))

    def person(self, user: str) -> Browser:
        """Return the window of a person, who has chosen an own password."""
        if user not in self._people:
            window = self._people[user] = Browser(user, self._port)
            window.ask("/login/")
            assert window.ask("/login/", {"username": user, "password": self._first[user]}).status == 302, user
            window.ask("/password/")
            fields = {"old_password": self._first[user], "new_password1": PASSWORD, "new_password2": PASSWORD}
            assert window.ask("/password/", fields).status == 302, user
        return self._people[user]

    def read(self, user: str, calls: list[str]) -> None:
        """Sign every case of a reader as they open, with the calls in turn, the last one of all that follow."""
        window, signed = self.person(user), set[str]()
        while todo := [path for path in window.cases() if path not in signed]:
            answer = window.sign(todo[0], calls[min(len(signed), len(calls) - 1)])
            assert answer.status == 302, answer.text[-3000:]
            signed.add(todo[0])
        assert signed

    def practise(self) -> None:
        """A reader reads all that there is, and sees the result."""
        self.read("one", ["CR"])
        assert "calls right" in self.person("one").ask("/results/").text

    def seats(self) -> None:
        """The coordinator gives both seats of all subjects."""
        self.person("co").ask("/seats/")
        for seat, user in (("1", "one"), ("2", "two")):
            answer = self.person("co").ask("/seats/", {"subject": "all", "seat": seat, "person": user, "reason": ""})
            assert answer.status == 302, answer.text[-3000:]

    def both(self) -> None:
        """Both readers read; the second calls the first case otherwise."""
        self.read("one", ["CRi"])
        self.read("two", ["NR", "CRi"])

    def adjudicate(self) -> None:
        """The adjudicator decides wherever they differ."""
        window, decided = self.person("three"), 0
        while found := re.search(r'href="(/adjudication/[^"]+)">[^<]*</a></th><td><b>To decide', window.ask("/").text):
            page = window.ask(found[1]).text
            hidden = dict(re.findall(r'type="hidden" name="(digest|version|between)" value="([^"]*)"', page))
            fields = {**hidden, "call": "CRi", "reason": "as one of them", "name": "three", "password": PASSWORD}
            assert window.ask(found[1], fields).status == 302, page[-3000:]
            decided += 1
        assert decided

    def lock(self) -> None:
        """Coordinator and monitor sign, in this order."""
        for user, kind in (("co", "lock"), ("mo", "confirm")):
            window = self.person(user)
            window.ask("/lock/")
            answer = window.ask("/lock/", {"kind": kind, "reason": "analysis", "name": user, "password": PASSWORD})
            assert answer.status == 302, answer.text[-3000:]

    def act(self, name: str) -> None:
        """Do in the browser what the page says here."""
        acts = {"practise": self.practise, "seats": self.seats, "read": self.both, "adjudicate": self.adjudicate, "lock": self.lock}
        acts[name]()


def walk(
    page: Path, shell: Callable[[str], str], python: Callable[[str, dict[str, object]], str], surroundings: dict[str, str], until: str = ""
) -> Iterator[tuple[re.Match[str], str]]:
    """Walk through the page in the working folder; yield each `text` block that shows what was printed, and what was printed.

    The walk ends before the act `until`, after whoever watches has looked.
    """
    committee, names, printed = Committee(surroundings), dict[str, object](), None
    try:
        for found in PARTS.finditer(page.read_text(encoding="utf-8")):
            language, text = found["language"], found["text"]
            if found["act"] and found["act"] == until:
                Committee.watch(committee)
                return
            if found["act"]:
                committee.act(found["act"])
            elif language == "text":
                if printed is not None:
                    yield found, printed
                printed = None
            elif language == "sh" and "cartrial review" in text:
                printed = committee.serve(text)
            elif language == "bash":
                printed = shell(text)
                committee.hear(printed)
            elif language == "python":
                printed = python(text, names)
    finally:
        committee.end()
