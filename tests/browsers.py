"""Where is the browser that tests drive? Debian's Chromium, or one that is named; a test without one is skipped and says why."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["chromium", "launched"]


def chromium() -> str:
    """Return the path of Chromium: of `CARTRIAL_TEST_CHROMIUM`, or on the path; skip where Playwright or it is not there."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the extra test)")
    named = os.environ.get("CARTRIAL_TEST_CHROMIUM")
    found = next((path for name in ([named] if named else ["chromium", "chromium-browser"]) if (path := shutil.which(name))), None)
    if found is None:
        what = f"{named} of CARTRIAL_TEST_CHROMIUM is none" if named else "there is none on the path"
        pytest.skip(f"no Chromium: {what} (Debian: apt-get install chromium; CARTRIAL_TEST_CHROMIUM names one)")
    return found


@contextmanager
def launched() -> Iterator[Any]:
    """Start it without a screen, and end it."""
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
