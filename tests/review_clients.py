"""People at browsers, for a server that runs: they sign in, open pages, type drafts and sign, and note what was acknowledged."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from review_example import PASSWORD

TIMEOUT = 60


@dataclass
class Answer:
    """What a request was answered with, and after how many seconds."""

    status: int
    text: str
    seconds: float
    location: str = ""


@dataclass
class Browser:
    """One window: cookies, one connection, and the signatures and drafts that were acknowledged in it."""

    user: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    times: list[tuple[str, float]] = field(default_factory=list)
    signed: list[tuple[str, int, str]] = field(default_factory=list)
    """Page, version and call of each signature that was acknowledged."""
    drafted: dict[str, int] = field(default_factory=dict)
    """Page to the revision of the last draft that was acknowledged."""

    def __post_init__(self) -> None:
        self._link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)

    def move(self, port: int) -> None:
        """Go on at another port, with the same cookies."""
        self._link.close()
        self.port = port
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def ask(self, path: str, form: dict[str, str] | None = None, what: str = "") -> Answer:
        """Send a request; a form is sent with the token of the pages."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "Host": f"127.0.0.1:{self.port}"}
        body = None
        if form is not None:
            body = urlencode({**form, "csrfmiddlewaretoken": self.cookies.get("token", "")})
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}
        began = time.perf_counter()
        self._link.request("GET" if form is None else "POST", path, body, headers)
        answer = self._link.getresponse()
        text = answer.read().decode()
        took = time.perf_counter() - began
        for value in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.split(";", 1)[0]
        if what:
            self.times.append((what, took))
        return Answer(answer.status, text, took, answer.headers.get("Location", ""))

    def enter(self) -> None:
        """Sign in."""
        self.ask("/login/")
        answer = self.ask("/login/", {"username": self.user, "password": PASSWORD})
        assert answer.status == 302, (self.user, answer.status)

    def cases(self) -> list[str]:
        """Return the pages of the cases that are open."""
        return re.findall(r'href="(/case/[^"]+)"', self.ask("/", what="list").text)

    def sign(self, path: str, call: str, reason: str = "as I see it") -> Answer:
        """Sign a call on the page of a case; one that is signed already is changed."""
        page = self.ask(path, what="case")
        fields = {name: re.search(rf'name="{name}" value="([^"]*)"', page.text) for name in ("digest", "version")}
        if None in fields.values():
            return page
        values = {name: found[1] for name, found in fields.items() if found}
        form = {**values, "call": call, "reason": reason, "changed": "once more", "name": self.user, "password": PASSWORD}
        answer = self.ask(path, form, what="sign")
        if answer.status == 302:
            self.signed.append((path, int(values["version"]), call))
        return answer

    def draft(self, path: str, text: str) -> Answer:
        """Type on the page of a case."""
        before = self.drafted.get(path, 0)
        answer = self.ask(f"{path}draft/", {"call": "CR", "reason": text, "revision": str(before)}, what="draft")
        if answer.status == 200:
            self.drafted[path] = before + 1
        return answer
