"""Is this installation right? Its files, its commands and its figures, against what is stored of each."""

from cartrial.qualify.checks import Check, compare
from cartrial.qualify.dossier import qualification_document, qualification_page, write_dossier
from cartrial.qualify.run import PARTS, Qualification, qualify

__all__ = ["PARTS", "Check", "Qualification", "compare", "qualification_document", "qualification_page", "qualify", "write_dossier"]
