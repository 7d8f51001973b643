"""May a text be kept as it was typed? What names people, sites or subjects is refused."""

from __future__ import annotations

from cartrial.review.app.acts.loading import subject_digest
from cartrial.review.app.models import Person, Subject
from cartrial.review.app.state import current_cut
from cartrial.review.naming import who_is_named

__all__ = ["fault_of_text"]


def fault_of_text(text: str) -> str:
    """Return why a text is refused; blank where it names nobody.

    Notes
    -----
    Subjects' own keys are not in the database: each word is digested, and compared with the digests that are.
    """
    if not text.strip():
        return ""
    cut = current_cut()
    known = set(Subject.objects.values_list("digest", flat=True)) if cut else set()

    def is_subject(word: str) -> bool:
        return cut is not None and subject_digest(cut.salt, word) in known

    what = who_is_named(text, Person.objects.values_list("username", "full_name"), is_subject)
    return f"This text {what}: leave it out. What was seen is enough." if what else ""
