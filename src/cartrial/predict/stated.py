"""What does a row state of its figure? The words for endpoint, window, reader and strategies, as those of the rules."""

from __future__ import annotations

import re

from cartrial.errors import InputError
from cartrial.predict.figures import NOT_STATED, Figure
from cartrial.predict.known import Trial, Word, load_published_study, load_words
from cartrial.study.endpoint import STRATEGIES
from cartrial.yamlfile import nearest

__all__ = ["Stated"]

_READERS = {"inv": "INV", "irc": "IRC", "investigator": "INV"}
_WINDOW = re.compile(r"(?:(at|within|by)\s+)?(?:end of\s+)?(?:(day|month)\s*(\d{1,3})|(\d{1,3})\s*(day|month)s?)", re.IGNORECASE)
# the first visit after the infusion, which publications call month 1
_FIRST_MONTH, _FIRST_VISIT = 1, "day 28"


class Stated:
    """What one row states. What is assumed where it is silent is kept in `said`.

    Parameters
    ----------
    figure : Figure
    trial : Trial or None
        What is known of its trial.
    file : str
        For messages.
    """

    def __init__(self, figure: Figure, trial: Trial | None, file: str) -> None:
        self.figure, self.trial, self.file = figure, trial, file
        self.said: list[str] = []

    def wrong(self, key: str, what: str, right: str) -> InputError:
        """Return what is wrong with a cell of the row."""
        return InputError(what, file=self.file or None, row=self.figure.row, key=key, right=right)

    def word(self) -> Word:
        """Return what the word for the endpoint means."""
        words = load_words()
        found = words.find(self.figure.endpoint)
        if found is None:
            near = words.nearest(self.figure.endpoint)
            right = f"The nearest known one is '{near}'" if near else f"Known are: {', '.join(words.endpoints)}"
            raise self.wrong("endpoint", f"there is no endpoint '{self.figure.endpoint}'", right)
        return found

    def window(self, word: Word) -> dict[str, str] | None:
        """Return the window of a response rate, None for that of the main analysis."""
        text = self.figure.window
        if word.within:
            return {"within": word.within}
        if text.lower() in NOT_STATED or text.lower() == "best":
            if word.endpoint == "RATE" and text.lower() != "best":
                self.said.append("window not stated: best response")
            return None
        found = _WINDOW.fullmatch(" ".join(text.split()))
        visits = {visit.name: visit for visit in load_published_study().disease.visits}
        name = f"{(found[2] or found[5]).lower()} {int(found[3] or found[4])}" if found else ""
        if name == f"month {_FIRST_MONTH}":
            name = _FIRST_VISIT
        if found is None or name not in visits:
            raise self.wrong("window", f"there is no window '{text}'", f"Write best, or at or within one of: {', '.join(visits)}")
        if word.endpoint != "RATE":
            self.said.append(f"the window {text} is not used: it belongs to a response rate")
            return None
        return {"within" if (found[1] or "at").lower() in ("within", "by") else "at": name}

    def reader(self) -> str:
        """Return who reads."""
        text, own = self.figure.reader.lower(), self.trial.reader if self.trial else "INV"
        if text in _READERS:
            return _READERS[text]
        if text == "central":
            self.said.append(f"central reading is of residual disease; remission is read by {own}")
        elif text not in NOT_STATED:
            raise self.wrong("reader", f"there is no reader '{self.figure.reader}'", "Write INV, IRC, central or not-stated")
        return own

    def strategies(self) -> dict[str, str]:
        """Return the strategies that the row states."""
        found = {}
        for key, text in (("hsct", self.figure.hsct), ("new-therapy", self.figure.new_therapy)):
            if text.lower() in NOT_STATED:
                continue
            if text not in STRATEGIES:
                near = nearest(text, list(STRATEGIES))
                right = f"The nearest known one is '{near}'" if near else f"Known are: {', '.join(STRATEGIES)}, not-stated"
                raise self.wrong(key, f"there is no strategy '{text}'", right)
            found[key] = text
        return found

    def check_statistic(self, word: Word) -> None:
        """Refuse a statistic that the endpoint has not."""
        timed = word.endpoint not in (None, "RATE") and not word.ends
        if word.why or self.figure.statistic == "pooled":
            return
        if timed and self.figure.statistic == "rate":
            what = f"{self.figure.endpoint} is a time to an event and has no rate"
            raise self.wrong("statistic", what, "Write survival with its time_months, or median")
        if not timed and self.figure.statistic != "rate":
            what = f"{self.figure.endpoint} is a share of patients and has no {self.figure.statistic}"
            raise self.wrong("statistic", what, "Write rate")
