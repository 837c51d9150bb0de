"""Sign in, sign out, forgotten password, and one's own settings."""

from __future__ import annotations

import marshmallow as ma
from flask import Blueprint, abort, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from marshmallow import validate

from b2bcrm.kernel.errors import Invalid, Refused
from b2bcrm.kernel.words import LOCALES, Message
from b2bcrm.kernel.work import Work
from b2bcrm.users import actions, queries
from b2bcrm.users.passwords import Passwords, check_password
from b2bcrm.users.sessions import IDLE
from b2bcrm.web import auth, locale
from b2bcrm.web.answers import safe_next, see_other
from b2bcrm.web.forms import WHOLE, Form, read_form
from b2bcrm.web.work import After, in_work, supply, writing

bp = Blueprint("users", __name__, template_folder="templates")

ERROR = 422


class SignInForm(ma.Schema):
    """What the sign-in page asks for."""

    email = ma.fields.String(required=True, validate=validate.Length(max=200))
    password = ma.fields.String(required=True, validate=validate.Length(max=200))
    next = ma.fields.String(load_default="")


class ForgotForm(ma.Schema):
    """Where to send the link."""

    email = ma.fields.Email(required=True)


class NewPasswordForm(ma.Schema):
    """A new password, typed twice."""

    password = ma.fields.String(required=True)
    again = ma.fields.String(required=True)

    @ma.validates_schema
    def _same(self, data: dict[str, str], **_kwargs: object) -> None:
        if data.get("password") != data.get("again"):
            raise ma.ValidationError([Message("The two passwords differ.")], "again")
        try:
            check_password(data.get("password", ""))
        except Invalid as error:
            raise ma.ValidationError([error.message], "password") from None


class ChangePasswordForm(NewPasswordForm):
    """The same, with the old one first."""

    old = ma.fields.String(required=True)


class ProfileForm(ma.Schema):
    """One's own settings."""

    name = ma.fields.String(required=True, validate=validate.Length(min=1, max=120))
    phone = ma.fields.String(load_default="", validate=validate.Length(max=40))
    locale = ma.fields.String(required=True, validate=validate.OneOf(LOCALES))
    theme = ma.fields.String(required=True, validate=validate.OneOf(actions.THEMES))


def _passwords() -> Passwords:
    found: Passwords = supply("passwords")
    return found


def _address() -> str:
    return (request.remote_addr or "")[:45]


def _start_page() -> str:
    signed_in = auth.current()
    return "/portal/orders" if signed_in and signed_in.actor.is_portal else "/orders"


# -------------------------------------------------------------------------------- sign in and out


@bp.get("/login")
def login() -> ResponseReturnValue:
    """The sign-in page; somebody who is signed in goes on to his start page."""
    target = safe_next(request.args.get("next", ""), "")
    if auth.current() is not None:
        return see_other(target or _start_page())
    return render_template("users/login.html", form=None, next=target)


@bp.post("/login")
def login_send() -> ResponseReturnValue:
    """Check the password with no Work open, and start a session."""
    form = read_form(SignInForm())
    target = safe_next(str(form.values.get("next", "")), "")
    secret = None
    if form.ok:
        try:
            secret = _sign_in(form.data["email"], form.data["password"])
        except Refused as error:
            form.add(error)
        else:
            if secret is None:
                form.errors[WHOLE] = actions.WRONG
    if secret is None:
        form.values.pop("password", None)
        return render_template("users/login.html", form=form, next=target), ERROR
    session.clear()  # a fresh CSRF secret for the signed-in person
    response = make_response(see_other(target or url_for("home")))
    auth.set_cookie(response, secret)
    return response


def _sign_in(email: str, password: str) -> str | None:
    with writing() as work:
        attempt = actions.begin_sign_in(work, email, _address())
    if not _passwords().fits(attempt.password_hash, password):
        return None
    with writing() as work:
        return actions.finish_sign_in(work, attempt, _address(), request.user_agent.string)


@bp.post("/logout")
@in_work()
def logout(work: Work) -> ResponseReturnValue:
    """End this session; without one it only takes the cookie back."""
    signed_in = auth.current()
    if signed_in is not None:
        actions.sign_out(work, signed_in.session_id)
    session.clear()
    response = make_response(see_other(url_for("users.login"), Message("You are signed out.")))
    auth.clear_cookie(response)
    return response


# ----------------------------------------------------------------------------- forgotten password


@bp.get("/forgot")
def forgot() -> ResponseReturnValue:
    """Ask for the address."""
    return render_template("users/forgot.html", form=None, sent=False)


@bp.post("/forgot")
@in_work()
def forgot_send(work: Work) -> ResponseReturnValue:
    """Says the same whether or not the address is somebody's."""
    form = read_form(ForgotForm())
    if not form.ok:
        return render_template("users/forgot.html", form=form, sent=False), ERROR
    actions.request_reset(work, form.data["email"])
    return render_template("users/forgot.html", form=form, sent=True)


@bp.get("/reset/<secret>")
@in_work(read_only=True)
def reset(work: Work, secret: str) -> ResponseReturnValue:
    """The page behind the link of the mail."""
    works = actions.reset_link_works(work, secret)
    return render_template("users/reset.html", form=None, secret=secret, works=works)


@bp.post("/reset/<secret>")
def reset_send(secret: str) -> ResponseReturnValue:
    """Set the new password; every session of this person ends."""
    form = read_form(NewPasswordForm())
    if not form.ok:
        return render_template("users/reset.html", form=form, secret=secret, works=True), ERROR
    hashed = _passwords().hash(form.data["password"])
    with writing() as work:
        actions.reset_password(work, secret, hashed)
    return see_other(url_for("users.login"), Message("Sign in with your new password."))


# --------------------------------------------------------------------------------- one's own page


def _profile(work: Work, form: Form | None, password_form: Form | None = None) -> str:
    signed_in = auth.current()
    assert signed_in is not None  # noqa: S101 - the access table needs a signed-in person
    user = queries.user_by_id(work.session, signed_in.actor.user_id or 0)
    return render_template(
        "users/profile.html",
        form=form,
        password_form=password_form,
        user=user,
        this_session=signed_in.session_id,
        sessions=queries.open_sessions(work.session, user.id, work.tick - IDLE),
        tokens=queries.api_tokens(work.session, user.id),
        scopes=actions.SCOPES,
    )


@bp.get("/profile")
@in_work(read_only=True)
def profile(work: Work) -> ResponseReturnValue:
    """Name, language, colours, password, sessions and tokens."""
    return _profile(work, None)


@bp.post("/profile")
@in_work()
def profile_save(work: Work) -> ResponseReturnValue:
    """Store name, phone, language and colours."""
    form = read_form(ProfileForm())
    if not form.ok:
        return _profile(work, form), ERROR
    user = actions.save_profile(work, **form.data)
    locale.forget()
    response = see_other(url_for("users.profile"), Message("Saved."))
    locale.set_cookie(response, user.locale)
    return response


@bp.post("/profile/password")
def password() -> ResponseReturnValue:
    """Change the password; all other sessions end."""
    signed_in = auth.current()
    assert signed_in is not None  # noqa: S101 - the access table needs a signed-in person
    user_id = signed_in.actor.user_id or 0
    form = read_form(ChangePasswordForm())
    hashed = ""
    if form.ok:
        with writing() as work:
            attempt = actions.begin_sign_in(
                work, queries.user_by_id(work.session, user_id).email, _address()
            )
        if _passwords().fits(attempt.password_hash, form.data["old"]):
            hashed = _passwords().hash(form.data["password"])
        else:
            form.errors["old"] = Message("This is not your present password.")
    with writing() as work:
        if not form.ok:
            return _profile(work, None, form), ERROR
        actions.change_password(work, user_id, hashed, keep_session=signed_in.session_id)
    return see_other(url_for("users.profile"), Message("The password was changed."))


@bp.post("/profile/sessions/<int:session_id>/revoke")
@in_work()
def session_revoke(work: Work, session_id: int) -> ResponseReturnValue:
    """End one of one's own sessions."""
    actions.revoke_session(work, session_id)
    return see_other(url_for("users.profile"), Message("That session has ended."))


@bp.post("/profile/tokens")
@in_work()
def api_token_create(work: Work) -> ResponseReturnValue | After:
    """Make a token and show its secret, this once."""
    name = request.form.get("name", "").strip()[:80] or "API"
    try:
        secret = actions.create_api_token(work, name, request.form.getlist("scopes"))
    except Invalid as error:
        return see_other(url_for("users.profile"), error.message, status="late")
    return After(lambda: render_template("users/token.html", name=name, secret=secret))


@bp.post("/profile/tokens/<int:token_id>/revoke")
@in_work()
def api_token_revoke(work: Work, token_id: int) -> ResponseReturnValue:
    """End one of one's own tokens."""
    actions.revoke_api_token(work, token_id)
    return see_other(url_for("users.profile"), Message("That token no longer works."))


# --------------------------------------------------------------- the frame's language and colours


@bp.post("/language")
@in_work()
def language(work: Work) -> ResponseReturnValue:
    """Switch the language; a signed-in person keeps it."""
    chosen = request.form.get("locale", "")
    if chosen not in LOCALES:
        abort(400)
    if work.actor.user_id is not None:
        queries.user_by_id(work.session, work.actor.user_id).locale = chosen
    response = see_other(safe_next(request.form.get("next", ""), "/"))
    locale.set_cookie(response, chosen)
    return response


@bp.post("/theme")
@in_work()
def theme(work: Work) -> ResponseReturnValue:
    """Switch the colours; they are kept with the person."""
    chosen = request.form.get("theme", "")
    if chosen not in actions.THEMES:
        abort(400)
    queries.user_by_id(work.session, work.actor.user_id or 0).theme = chosen
    return see_other(safe_next(request.form.get("next", ""), "/"))
