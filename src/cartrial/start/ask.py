"""What must be asked, since an endpoint depends on it and the sheet does not say? Questions, and where their answers come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cartrial.errors import InputError

__all__ = ["Answered", "Answers", "Option", "Question", "key_of_word"]


def key_of_word(word: str, place: str) -> str:
    """Return the key of a question on a word in a cell, as it can be typed: a shell reads `>` and `<`, and an answer begins at `=`.

    Examples
    --------
    >>> from cartrial.start.ask import key_of_word
    >>> key_of_word("vgpr", "C4"), key_of_word("PD->death", "C4")
    ('word-vgpr', 'word-pd-death-c4')
    """
    words = word.lower().replace(" ", "-")
    typed = re.sub(r"[^\w.+-]+", "-", words)
    return f"word-{words}" if typed == words else f"word-{re.sub(r'-+', '-', typed).strip('-')}-{place.lower()}"


@dataclass(frozen=True)
class Option:
    """One answer: its word, what it means, and how it is said once it is assumed."""

    word: str
    means: str
    assumed: str = ""


@dataclass(frozen=True)
class Question:
    """A question.

    Parameters
    ----------
    key : str
        Its name for `--answer KEY=WORD`.
    text : str
        The question, with what in the sheet leaves it open.
    options : tuple of Option
    default : str, optional
        The word that is taken where nobody is asked; None: nothing can be taken, and somebody must be asked.
    free : callable, optional
        Returns a word as it is kept, or None where it is no answer; for answers that are no choice.
    right : str
        What such an answer looks like.
    """

    key: str
    text: str
    options: tuple[Option, ...] = ()
    default: str | None = None
    free: Callable[[str], str | None] | None = None
    right: str = ""

    def read(self, word: str) -> str | None:
        """Return an answer as it is kept, None where it is none."""
        word = word.strip()
        if any(option.word == word.lower() for option in self.options):
            return word.lower()
        return self.free(word) if self.free else None

    @property
    def choices(self) -> str:
        """Its answers in a line."""
        words = [f"{option.word} ({option.means})" for option in self.options]
        return "; ".join([*words, *([self.right] if self.right else [])])

    def assumed(self, word: str) -> str:
        """Return how an answer is said that nobody gave."""
        return next((option.assumed or option.means for option in self.options if option.word == word), word)


@dataclass(frozen=True)
class Answered:
    """A question with its answer, and whether it was assumed."""

    question: Question
    word: str
    assumed: bool


@dataclass
class Answers:
    """Where answers come from: those that were given, a person, or what is likely.

    Parameters
    ----------
    given : mapping of str to str
        By the key of a question.
    likely : bool
        Take the likely answer without asking, and mark it as an assumption.
    person : callable, optional
        Asks a person.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    likely: bool = False
    person: Callable[[Question], str] | None = None
    answered: list[Answered] = field(default_factory=list)
    open: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> str:
        """Return the answer to a question; where none can be had it is left open, and something is returned to go on with."""
        known = next((done for done in self.answered if done.question.key == question.key), None)
        if known is not None:
            return known.word
        if question.key in self.given:
            word = question.read(self.given[question.key])
            if word is None:
                what = f"'{self.given[question.key]}' is no answer to: {question.text}"
                raise InputError(what, key=f"--answer {question.key}", right=f"Answers are: {question.choices}")
            self.answered.append(Answered(question, word, assumed=False))
            return word
        if self.likely and question.default is not None:
            self.answered.append(Answered(question, question.default, assumed=True))
            return question.default
        if self.person is not None and not self.likely:
            word = self.person(question)
            self.answered.append(Answered(question, word, assumed=False))
            return word
        if all(asked.key != question.key for asked in self.open):
            self.open.append(question)
        return question.default or (question.options[0].word if question.options else "")

    def is_assumed(self, key: str) -> bool:
        """Say whether the answer to a question was assumed."""
        return any(done.question.key == key and done.assumed for done in self.answered)

    def assumption(self, key: str) -> str:
        """Return what was assumed in place of an answer; blank where it was given."""
        return next((done.question.assumed(done.word) for done in self.answered if done.question.key == key and done.assumed), "")

    def require(self, file: str) -> None:
        """Refuse to go on while a question is open, or an answer was given to none.

        Raises
        ------
        InputError
            With every question, and how it is answered.
        """
        asked = {done.question.key for done in self.answered} | {question.key for question in self.open}
        unasked = [key for key in self.given if key not in asked]
        if unasked and not self.open:
            known = ", ".join(sorted(asked)) or "none"
            raise InputError(f"nothing of this kind is asked of {file}", key=f"--answer {unasked[0]}", right=f"Asked is: {known}")
        if self.open:
            raise InputError.together(
                InputError(
                    f"{question.text} ({question.key})",
                    file=file,
                    right=f"Say --answer {question.key}=WORD, where WORD is {question.choices}"
                    + (f"; --yes takes {question.default}" if question.default and not self.likely else ""),
                )
                for question in self.open
            )
