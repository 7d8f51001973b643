"""Under which name does Django know the workspace?"""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["Workspace"]


class Workspace(AppConfig):
    """The application, and what is told of log-ins."""

    name = "cartrial.review.app"
    label = "review"

    def ready(self) -> None:
        """Record what Django says of log-ins."""
        from django.contrib.auth import signals

        from cartrial.review.app.acts import trail

        signals.user_logged_in.connect(trail.tell_login)
        signals.user_logged_out.connect(trail.tell_logout)
        signals.user_login_failed.connect(trail.tell_refused)
