"""What the browser tests of the committee's workspace share: people who come in, and what axe says of a page."""

from __future__ import annotations

from typing import Any

from review_example import PASSWORD

ADD = """
import json, sys
from cartrial.review.app.serve import open_store
open_store(sys.argv[1])
from cartrial.review.app.acts.people import add_person
print(json.dumps({user: add_person(user, name, role, "test") for user, (name, role) in json.loads(sys.argv[2]).items()}))
"""


def enter(browser: Any, address: str, user: str, first: str, said: list[str]) -> Any:
    """Sign in, and choose an own password; what the page says on its console is kept."""
    page = browser.new_context(viewport={"width": 1366, "height": 800}).new_page()
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.fill("#id_username", user)
    page.fill("#id_password", first)
    follow(page, "main button")
    page.fill("#id_old_password", first)
    for name in ("#id_new_password1", "#id_new_password2"):
        page.fill(name, PASSWORD)
    follow(page, "main button")
    return page


def follow(page: Any, selector: str) -> None:
    """Click what leads to another page, and wait until that page is there: a click alone returns before it on a busy machine."""
    with page.expect_navigation():
        page.click(selector)


def check(page: Any, widths: tuple[int, ...] = (1366, 820, 390)) -> list[str]:
    """Return what axe finds on a page at three widths."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(300)
        found += [f"{width}: {fault['id']}" for fault in Axe().run(page).response["violations"]]
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), width
    page.set_viewport_size({"width": 1366, "height": 800})
    return found
