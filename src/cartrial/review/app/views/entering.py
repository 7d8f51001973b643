"""How does a person come in and go out? Django's own views, with what the trail is told."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse
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


class _Changed(PasswordChangeForm):
    """Django's own, whose old password goes through the door of the log-in, so that guesses count; the new one is another."""

    def __init__(self, *args: Any, request: HttpRequest, **more: Any) -> None:
        super().__init__(*args, **more)
        self.request = request

    def clean_old_password(self) -> str:
        """Return the old password where it is right."""
        old: str = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.username, password=old) is None:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old

    def clean(self) -> dict[str, Any]:
        """Return what was typed where the new password is not the old one."""
        typed = super().clean() or self.cleaned_data
        if typed.get("new_password1") and typed.get("new_password1") == typed.get("old_password"):
            self.add_error("new_password1", "This is the old password: choose another.")
        return typed


class OwnPassword(PasswordChangeView):
    """A password that its owner chose; other sessions of the person end."""

    form_class = _Changed
    template_name = "review/password.html"
    success_url = reverse_lazy("home")

    def get_form_kwargs(self) -> dict[str, Any]:
        """Return what the form is made of: who asks, too."""
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep the password, and that it was changed."""
        with change():
            form.user.own_password = True
            response = super().form_valid(form)
            record("password-changed", self.request.user, {})
        return response
