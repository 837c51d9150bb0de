"""Page templates, compiled once per language.

A page says up to a hundred sentences and prints up to a thousand values. Looking each sentence up,
and wrapping each value in Markup only to join it, cost more than all SQL of the page; here a
sentence is part of the template's text before it is compiled, and a value is a plain string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from html import escape
from typing import Any

from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from b2bcrm.kernel.words import catalogue
from b2bcrm.web.filters import Manner
from b2bcrm.web.locale import current_locale

_SPECIAL = re.compile("[&<>\"']").search
_PLACE = re.compile(r"%\((\w+)\)s")


def text(value: object) -> str:
    """What a template prints for a value: HTML as it is, everything else escaped."""
    if type(value) is Markup:
        return value
    if type(value) is str:
        return escape(value) if _SPECIAL(value) else value
    if hasattr(value, "__html__"):
        html: str = value.__html__()
        return html
    return escape(str(value))


class _Writer(CodeGenerator):
    """Prints values by ``text``."""

    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.text(")
        else:
            super()._output_child_pre(node, frame, finalize)


class _Sentences(NodeTransformer):
    """Puts the sentences of ``_("...")`` into a template in one language."""

    def __init__(self, locale: str) -> None:
        self.translated = catalogue(locale).ugettext

    def visit_Output(self, node: nodes.Output) -> nodes.Output:  # noqa: N802 - a visitor's form
        """A sentence that is printed: its text, and its values printed in their places."""
        self.generic_visit(node)
        node.nodes = [part for child in node.nodes for part in self._parts(child)]
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802
        """A sentence that is handed on."""
        self.generic_visit(node)
        sentence, values = _said(node)
        if sentence is None or values:
            return node
        said = self.translated(sentence).replace("%%", "%")
        return nodes.MarkSafe(nodes.Const(said), lineno=node.lineno)

    def _parts(self, node: nodes.Expr) -> Iterator[nodes.Expr]:
        sentence, values = _said(node)
        if sentence is None:
            yield node
            return
        for n, part in enumerate(_PLACE.split(self.translated(sentence))):
            yield values[part] if n % 2 else nodes.TemplateData(part.replace("%%", "%"))


def _said(node: nodes.Expr) -> tuple[str | None, dict[str, nodes.Expr]]:
    """The sentence and the values of ``_("...", name=value)``; None for any other expression."""
    match node:
        case nodes.Call(
            node=nodes.Name(name="_"), args=[nodes.Const(value=str() as sentence)], kwargs=kwargs
        ):
            return sentence, {pair.key: pair.value for pair in kwargs}
    return None, {}


def _words(locale: str) -> dict[str, Any]:
    """``_`` and ``ngettext`` for what is known only when the page is made; values are escaped."""
    words = catalogue(locale)

    def said(sentence: str, /, **values: Any) -> Markup:
        return Markup(words.ugettext(sentence)) % values  # noqa: S704 - our own sentence

    def said_of_many(one: str, many: str, n: int, /, **values: Any) -> Markup:
        return Markup(words.ungettext(one, many, n)) % {"num": n, **values}  # noqa: S704 - same

    return {"_": said, "gettext": said, "ngettext": said_of_many}


class PageEnvironment(Environment):
    """Flask's environment; each template comes from that of the reader's language."""

    code_generator_class = _Writer
    text = staticmethod(text)
    locale = ""  # of the one that all languages start from

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.languages: dict[str, PageEnvironment] = {}

    def of(self, locale: str) -> PageEnvironment:
        """The environment of one language, with its words and its filters."""
        if locale not in self.languages:
            found: PageEnvironment = self.overlay()
            found.locale = locale
            found.filters = {**self.filters, **Manner(locale).filters()}
            found.globals = {**self.globals, **_words(locale)}
            self.languages[locale] = found
        return self.languages[locale]

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's name
    ) -> Template:
        """The template in the language of the request."""
        if self.locale:
            return super().get_template(name, parent, globals)
        return self.of(current_locale()).get_template(name, parent, globals)

    def from_string(self, *args: Any, **options: Any) -> Template:
        """A template from its source, in the language of the request."""
        if self.locale:
            return super().from_string(*args, **options)
        return self.of(current_locale()).from_string(*args, **options)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """A plain dictionary: Jinja's chain of two is walked anew for each page and import."""
        return {**self.globals, **(d or {})}

    def _generate(self, source: nodes.Template, *args: Any, **options: Any) -> str:
        _Sentences(self.locale).visit(source)
        return super()._generate(source, *args, **options)
