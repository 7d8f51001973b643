"""How does a person come in and go out? Django's own views, with what the trail is told."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.core.validators import MaxLengthValidator
from django.http import HttpResponse
from django.urls import reverse_lazy

from cartrial.review.app.acts.trail import change, record

__all__ = ["OwnPassword", "SignIn", "SignOut"]


class _Known(AuthenticationForm):
    """Django's own, which tells the browser alone how long a name is: no store of guesses holds a longer one."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        name = self.fields["username"]
        name.validators = [*name.validators, MaxLengthValidator(name.max_length)]


class SignIn(LoginView):
    """Name and password."""

    authentication_form = _Known

    template_name = "review/login.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """The end of a session."""


class OwnPassword(PasswordChangeView):
    """A password that its owner chose; other sessions of the person end."""

    template_name = "review/password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep the password, and that it was changed."""
        with change():
            form.user.own_password = True
            response = super().form_valid(form)
            record("password-changed", self.request.user, {})
        return response
