"""Logins: people with one role, their sessions, tokens and passwords.

Here: signing in and out, lock-out with back-off, password reset by mail, API tokens, the
person's own settings. Not here: what a role may do (kernel.actor) and which page it may open
(web.access). Events that leave: ``user.reset_asked``, ``user.password_changed``.
"""
