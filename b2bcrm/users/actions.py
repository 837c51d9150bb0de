"""What people do with logins. Signing in takes two Works: argon2 runs between them.

The attempt is written down as failed first, so that parallel guesses all count.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email

from b2bcrm.kernel.actor import PORTAL_ROLES, Right, Role
from b2bcrm.kernel.errors import Conflict, Invalid, Refused, not_found
from b2bcrm.kernel.words import LOCALES, Message
from b2bcrm.kernel.work import Work
from b2bcrm.users import queries
from b2bcrm.users.events import PasswordChanged, ResetAsked
from b2bcrm.users.models import ApiToken, ResetToken, SignInAttempt, User, UserSession
from b2bcrm.users.passwords import Passwords, check_password, digest, draw

RESET_LIFE = dt.timedelta(hours=1)
RESET_AT_MOST_EVERY = dt.timedelta(minutes=2)
WINDOW = dt.timedelta(hours=1)
FREE_TRIES = {"email": 5, "address": 30}
FIRST_WAIT = dt.timedelta(seconds=30)
LONGEST_WAIT = dt.timedelta(minutes=15)
THEMES = ("auto", "light", "dark")
SCOPES = ("orders:read", "orders:write", "quotes:read", "quotes:write", "erp:confirm")
WRONG = Message("The e-mail address or the password is wrong.")
DEAD_LINK = Message("This link has been used or is too old. Ask for a new one.")


@dataclass(frozen=True)
class Attempt:
    """A sign-in between its two Works. ``user_id`` is None for an unknown address."""

    attempt_id: int
    user_id: int | None
    password_hash: str | None


def begin_sign_in(work: Work, email: str, address: str) -> Attempt:
    """Count the attempt; raises Refused (code ``locked_out``) while the back-off lasts."""
    email = email.strip().lower()[:200]
    _check_lock(work, "email", email)
    _check_lock(work, "address", address)
    row = SignInAttempt(at=work.tick, email=email, address=address, ok=False)
    work.session.add(row)
    work.session.flush()  # the id is needed by the second Work
    user = queries.user_by_email(work.session, email)
    if user is None:
        return Attempt(row.id, None, None)
    return Attempt(row.id, user.id, user.password_hash)


def _check_lock(work: Work, kind: str, value: str) -> None:
    since = work.tick - WINDOW
    if kind == "email":
        count, last = queries.failures(work.session, since, email=value)
    else:
        count, last = queries.failures(work.session, since, address=value)
    wait = back_off(count, FREE_TRIES[kind])
    if last is not None and work.tick < last + wait:
        left = last + wait - work.tick
        raise Refused(
            Message(
                "Too many attempts. Try again in %(minutes)s min.",
                minutes=max(1, -(-int(left.total_seconds()) // 60)),
            ),
            code="locked_out",
        )


def back_off(count: int, free: int) -> dt.timedelta:
    """How long to wait after ``count`` failures: nothing, then 30 s, 1 min ... 15 min."""
    if count < free:
        return dt.timedelta(0)
    doubled: dt.timedelta = FIRST_WAIT * (1 << min(count - free, 10))
    return min(LONGEST_WAIT, doubled)


def finish_sign_in(work: Work, attempt: Attempt, address: str, browser: str) -> str:
    """Start a session for the person whose password was right; its secret."""
    work.session.execute(
        sa.update(SignInAttempt).where(SignInAttempt.id == attempt.attempt_id).values(ok=True)
    )
    assert attempt.user_id is not None  # noqa: S101 - only a right password comes here
    secret = draw()
    work.session.add(
        UserSession(
            user_id=attempt.user_id,
            digest=digest(secret),
            created_at=work.tick,
            last_seen_at=work.tick,
            address=address[:45],
            browser=browser[:200],
        )
    )
    return secret


def sign_out(work: Work, session_id: int) -> None:
    """End one session; ending an ended one changes nothing."""
    work.session.execute(
        sa.update(UserSession)
        .where(UserSession.id == session_id, UserSession.ended_at.is_(None))
        .values(ended_at=work.tick)
    )


def revoke_session(work: Work, session_id: int) -> None:
    """End one of one's own sessions; NotFound for anybody else's."""
    found = work.session.get(UserSession, session_id)
    if found is None or found.user_id != work.actor.user_id:
        raise not_found(Message("This session"))
    sign_out(work, session_id)


def _end_all(work: Work, user_id: int, keep: int | None = None) -> None:
    statement = sa.update(UserSession).where(
        UserSession.user_id == user_id, UserSession.ended_at.is_(None)
    )
    if keep is not None:
        statement = statement.where(UserSession.id != keep)
    work.session.execute(statement.values(ended_at=work.tick))


def request_reset(work: Work, email: str) -> None:
    """Have a link mailed if the address is somebody's; the caller learns nothing either way."""
    user = queries.user_by_email(work.session, email)
    if user is None:
        return
    if user.reset_asked_at and work.tick - user.reset_asked_at < RESET_AT_MOST_EVERY:
        return
    user.reset_asked_at = work.tick
    work.publish(ResetAsked(subject_id=user.id))


def new_reset_link(work: Work, user: User) -> str:
    """The secret of a fresh link; only its digest is stored."""
    secret = draw()
    work.session.add(ResetToken(user_id=user.id, digest=digest(secret), created_at=work.tick))
    return secret


def reset_link_works(work: Work, secret: str) -> bool:
    """Whether the link may still be used."""
    return queries.reset_token(work.session, digest(secret), work.tick - RESET_LIFE) is not None


def reset_password(work: Work, secret: str, password_hash: str) -> User:
    """Use the link: set the password, end all sessions; Refused if it is used or too old."""
    token = queries.reset_token(work.session, digest(secret), work.tick - RESET_LIFE)
    if token is None:
        raise Refused(DEAD_LINK, code="reset_link")
    user = queries.user_by_id(work.session, token.user_id)
    user.password_hash = password_hash
    work.session.execute(
        sa.update(ResetToken)
        .where(ResetToken.user_id == user.id, ResetToken.used_at.is_(None))
        .values(used_at=work.tick)
    )
    _end_all(work, user.id)
    work.publish(PasswordChanged(subject_id=user.id))
    return user


def change_password(
    work: Work, user_id: int, password_hash: str, *, keep_session: int | None = None
) -> None:
    """Set a new password and end all sessions but ``keep_session``."""
    user = queries.user_by_id(work.session, user_id)
    user.password_hash = password_hash
    _end_all(work, user_id, keep_session)
    work.publish(PasswordChanged(subject_id=user_id))


def create_user(
    work: Work,
    *,
    email: str,
    name: str,
    role: Role,
    password: str,
    passwords: Passwords,
    account_id: int | None = None,
    title: str = "",
    phone: str = "",
    locale: str = "en",
) -> User:
    """A new login. Needs the right to manage users; Invalid for a wrong address or password.

    Raises Conflict when the address is taken. Portal roles need an account, others have none.
    """
    work.actor.must(Right.MANAGE_USERS)
    email = check_email(email)
    check_password(password)
    if (role in PORTAL_ROLES) != (account_id is not None) or role is Role.SYSTEM:
        problem = Message("A portal user belongs to an account, staff to none.")
        raise Invalid(problem, fields={"account_id": problem})
    taken = work.session.scalar(sa.select(User.id).where(User.email == email))
    if taken is not None:
        raise Conflict(Message("There is a login with this e-mail address already."))
    user = User(
        email=email,
        name=name.strip(),
        role=role,
        account_id=account_id,
        title=title,
        phone=phone,
        locale=locale if locale in LOCALES else "en",
        password_hash=passwords.hash(password),
        created_at=work.tick,
    )
    work.session.add(user)
    work.session.flush()  # callers need the id
    return user


def check_email(email: str) -> str:
    """The address in lower case; raises Invalid if it is not one. The network is not asked."""
    try:
        found = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        problem = Message("This is not an e-mail address.")
        raise Invalid(problem, fields={"email": problem}) from None
    return found.normalized.lower()


def save_profile(work: Work, *, name: str, phone: str, locale: str, theme: str) -> User:
    """Change one's own name, phone, language and colours."""
    assert work.actor.user_id is not None  # noqa: S101 - the route needs a signed-in person
    user = queries.user_by_id(work.session, work.actor.user_id)
    user.name, user.phone = name, phone
    user.locale = locale if locale in LOCALES else user.locale
    user.theme = theme if theme in THEMES else user.theme
    return user


def create_api_token(work: Work, name: str, scopes: list[str]) -> str:
    """A token that acts as oneself within ``scopes``; its secret, shown once."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        problem = Message("Choose at least one scope.")
        raise Invalid(problem, fields={"scopes": problem})
    assert work.actor.user_id is not None  # noqa: S101 - the route needs a signed-in person
    secret = f"crm_{draw()}"
    work.session.add(
        ApiToken(
            user_id=work.actor.user_id,
            name=name,
            digest=digest(secret),
            scopes=sorted(set(scopes)),
            created_at=work.tick,
            last_used_at=work.tick,
        )
    )
    return secret


def revoke_api_token(work: Work, token_id: int) -> None:
    """End one of one's own tokens; NotFound for anybody else's."""
    found = work.session.get(ApiToken, token_id)
    if found is None or found.user_id != work.actor.user_id:
        raise not_found(Message("This token"))
    found.revoked_at = work.tick
