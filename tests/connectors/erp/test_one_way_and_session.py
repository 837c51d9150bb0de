"""Messages that are only taken in, what is told of them later, and calls that need a session."""

from __future__ import annotations

import pytest
import requests
from lxml import etree

from b2bcrm.ports.erp import (
    Connection,
    Entity,
    ErpAuth,
    ErpCannot,
    ErpDrift,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpUnavailable,
)
from connectors.erp.gateway import connect

from .conftest import BASE, Canned
from .test_bad_answers import DRAFT

NS = "urn:post"
OPERATIONS = {  # name: request elements, answer elements (None: one-way)
    "Login": (["User", "Word"], ["Token"]),
    "Hello": (["Token?"], ["Name"]),
    "Order": (["Message", "Reference", "Customer?"], None),
    "Ask": (["Handle"], ["State", "Number?"]),
}


def _type(name, elements):
    inside = "".join(
        f'<xs:element name="{e.rstrip("?")}" type="xs:string"'
        f"{' minOccurs=' + chr(34) + '0' + chr(34) if e.endswith('?') else ''}/>"
        for e in elements
    )
    kind = f"<xs:complexType><xs:sequence>{inside}</xs:sequence></xs:complexType>"
    return f'<xs:element name="{name}">{kind}</xs:element>'


def wsdl():
    types, messages, port, binding = [], [], [], []
    for name, (sent, told) in OPERATIONS.items():
        types.append(_type(name, sent))
        messages.append(f'<message name="{name}"><part name="p" element="t:{name}"/></message>')
        outs = ("", "")
        if told is not None:
            types.append(_type(f"{name}Response", told))
            messages.append(
                f'<message name="{name}R"><part name="p" element="t:{name}Response"/></message>'
            )
            outs = (
                f'<output message="t:{name}R"/>',
                '<output><s:body use="literal"/></output>',
            )
        port.append(f'<operation name="{name}"><input message="t:{name}"/>{outs[0]}</operation>')
        binding.append(
            f'<operation name="{name}"><s:operation soapAction="{name}"/>'
            f'<input><s:body use="literal"/></input>{outs[1]}</operation>'
        )
    types.append(
        '<xs:element name="Told"><xs:complexType><xs:sequence><xs:element name="One" '
        'maxOccurs="unbounded"><xs:complexType><xs:sequence>'
        + "".join(
            f'<xs:element name="{n}" type="xs:string"/>'
            for n in ("Message", "Reference", "Number", "State", "Why")
        )
        + "</xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>"
    )
    return (
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:post"'
        ' xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="urn:post"'
        ' xmlns:xs="http://www.w3.org/2001/XMLSchema"><types>'
        '<xs:schema targetNamespace="urn:post" elementFormDefault="qualified">'
        f"{''.join(types)}</xs:schema></types>{''.join(messages)}"
        f'<portType name="P">{"".join(port)}</portType><binding name="B" type="t:P">'
        '<s:binding transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{''.join(binding)}</binding></definitions>"
    )


PROFILE = """
[profile]
id = "post"
version = "1"
product = "Post"
contract_checks = 1
plugin = "post.py"
[profile.ability]
write_mode = "callback"
[off]
customer = "Not told by post."
item = "Not told by post."
bom = "Not told by post."
work_center = "Not told by post."
stock = "Not told by post."
purchase_order = "Not told by post."
work_order = "Not told by post."
shipment = "Not told by post."
invoice = "Not told by post."
price = "Not told by post."
[off.sales_order]
list = "Not told by post."
list_keys = "Not told by post."
get = "Not told by post."
lookup = "Not told by post."
update = "Not taken by post."
cancel = "Not taken by post."
validate = "Not taken by post."
[transport]
wsdl = "file:post.wsdl"
binding = "{urn:post}B"
endpoint = "${conn.base_url}/post"
[auth]
style = "login-session"
[formats]
tz = "UTC"
[log]
mask = ["Word", "Token"]
[errors]
rules = [
    {fault_code = "Client.Session", class = "auth"},
    {fault_code = "Client", class = "rejected"},
]
[ping]
operation = "Hello"
set = [["Token", "${session}"]]
rows = "."
fields = {product = "Name"}
[calls.login]
operation = "Login"
set = [["User", "${conn.user}"], ["Word", "${secret}"]]
record = "session"
fields = {token = "Token"}
[write.create]
operation = "Order"
oneway = true
[draft]
set = [["Message", "message_id"], ["Reference", "reference"], ["Customer", "customer"]]
[poll]
operation = "Ask"
set = [["Handle", "handle"]]
fields = {state = "State|map:state", erp_id = "Number|default:"}
[confirm]
element = "{urn:post}Told"
rows = "One"
[confirm.fields]
message_id = "Message"
reference = "Reference"
erp_id = "Number"
state = "State|map:state"
messages = {rows = ".", where = "Why!=", fields = {code = "State", text = "Why", field = "|const:"}}
[maps.state]
D = "done"
O = "open"
R = "refused"
"*" = "!drift"
"""
PLUGIN = """
from lxml import etree
from connectors.erp.plugins import Plugin as Base

class Plugin(Base):
    has_session = True
    held = ""

    def token(self, channel):
        if not self.held:
            self.held = channel.login("login").one().token
        return self.held

    def forget(self, token):
        if self.held == token:
            self.held = ""

    def headers(self, token):
        if not token:
            return ()
        header = etree.Element("{urn:post}SessionId")
        header.text = token
        return (header,)
"""


class Post:
    """Answers by operation; counts logins, forgets a session on demand."""

    def __init__(self) -> None:
        self.logins = 0
        self.sessions = {"s1"}
        self.ending = {}  # operation -> the sessions that are left when it is asked for
        self.answers = {}
        self.judged = {}  # handle -> the answer to who asks about it
        self.asked = []

    def __call__(self, request):
        root = etree.fromstring(request.body)
        body = root.find("{*}Body")[0]
        name = etree.QName(body).localname
        self.asked.append((name, {etree.QName(e).localname: e.text for e in body}))
        if name == "Login":
            self.logins += 1
            return self.reply(f"<LoginResponse><Token>s{self.logins}</Token></LoginResponse>")
        self.sessions = self.ending.pop(name, self.sessions)
        if root.findtext("{*}Header/{*}SessionId") not in self.sessions:
            return self.fault("Client.Session", "session ended")
        return self.judged.get(body.findtext("{*}Handle"), self.answers[name])

    def fault(self, code, text):
        words = f"<faultcode>s:{code}</faultcode><faultstring>{text}</faultstring>"
        return 500, "text/xml", self.envelope(f'<s:Fault xmlns="">{words}</s:Fault>')

    def reply(self, inside):
        return 200, "text/xml", self.envelope(inside)

    @staticmethod
    def envelope(inside):
        head = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        return f'{head}<s:Body xmlns="{NS}">{inside}</s:Body></s:Envelope>'.encode()


@pytest.fixture
def post(tmp_path):
    (tmp_path / "post.wsdl").write_text(wsdl())
    (tmp_path / "post.toml").write_text(PROFILE)
    (tmp_path / "post.py").write_text(PLUGIN)
    session = requests.Session()
    erp = Post()
    session.mount(BASE, Canned(erp))
    connection = Connection("main", str(tmp_path / "post.toml"), BASE, "", "crm", "word")
    erp.gateway = connect(connection, session=session)
    erp.answers["Ask"] = erp.reply("<AskResponse><State>O</State></AskResponse>")
    erp.answers["Hello"] = erp.reply("<HelloResponse><Name>Post 1</Name></HelloResponse>")
    return erp


@pytest.mark.parametrize(
    "answer",
    [
        (202, "", b""),
        (200, "text/xml", b""),
        (202, "text/xml", Post.envelope("")),
        (200, "text/plain", b"OK"),
    ],
)
def test_a_message_that_is_taken_in_has_our_id_as_its_handle(post, answer):
    post.answers["Order"] = answer
    result = post.gateway.create(DRAFT)
    assert result.erp_id == ""
    assert result.handle == post.asked[-1][1]["Message"]
    assert post.gateway.create(DRAFT).handle == result.handle  # sent twice, it is the same message


def test_a_message_that_was_refused_is_sent_under_another_id(post):
    post.answers["Order"] = (202, "", b"")
    first = post.gateway.create(DRAFT)

    def asked(state):
        return post.reply(f"<AskResponse><State>{state}</State></AskResponse>")

    post.judged = {first.handle: asked("R")}
    again = post.gateway.create(DRAFT)
    assert again.handle != first.handle
    assert post.gateway.create(DRAFT).handle == again.handle
    post.answers["Ask"] = asked("R")  # whatever is asked about: an end is put to it
    assert post.gateway.create(DRAFT).handle == first.handle


def test_a_message_that_nobody_can_be_asked_about_keeps_its_id(post):
    post.answers["Order"] = (202, "", b"")
    first = post.gateway.create(DRAFT)
    post.answers["Ask"] = (503, "text/html", b"<h1>down</h1>")
    assert post.gateway.create(DRAFT).handle == first.handle


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, "text/html", b"<html>Sign in</html>"), ErpOutcomeUnknown),
        ((503, "text/html", b"<h1>down</h1>"), ErpOutcomeUnknown),
        ((401, "text/html", b""), ErpAuth),
        ((429, "text/html", b""), ErpUnavailable),
        (Post().fault("Client.Bad", "no such customer"), ErpRefused),
        ((202, *Post().fault("Client.Bad", "no such customer")[1:]), ErpRefused),
    ],
)
def test_a_message_that_is_not_taken_in_says_why(post, answer, error):
    post.answers["Order"] = answer
    with pytest.raises(error):
        post.gateway.create(DRAFT)


def test_what_became_of_it_can_be_asked(post):
    def answer(state, number=""):
        inside = f"<State>{state}</State>" + (f"<Number>{number}</Number>" if number else "")
        post.answers["Ask"] = post.reply(f"<AskResponse>{inside}</AskResponse>")

    answer("O")
    assert post.gateway.poll("m-1") is None
    answer("D", "4711")
    assert post.gateway.poll("m-1").erp_id == "4711"
    answer("R")
    with pytest.raises(ErpRefused):
        post.gateway.poll("m-1")
    answer("?")
    with pytest.raises(ErpDrift):
        post.gateway.poll("m-1")


def told(state, why=""):
    return (
        f"<One><Message>m-1</Message><Reference>SO-1/0</Reference><Number>4711</Number>"
        f"<State>{state}</State><Why>{why}</Why></One>"
    )


def test_a_confirmation_tells_what_became_of_which_order(post):
    raw = post.envelope(f"<Told>{told('D')}{told('R', 'no such customer')}</Told>")
    done, refused = post.gateway.ingest(raw)
    assert (done.message_id, done.reference, done.result.erp_id) == ("m-1", "SO-1/0", "4711")
    assert refused.result is None
    assert [issue.text for issue in refused.refused] == ["no such customer"]


@pytest.mark.parametrize(
    "raw", [b"", b"<a/>", b"half <", Post.envelope("<Other/>"), Post().fault("x", "y")[2]]
)
def test_what_is_no_confirmation_is_refused_as_such(post, raw):
    with pytest.raises(ErpRefused, match="no confirmation"):
        post.gateway.ingest(raw)
    with pytest.raises(ErpDrift):
        post.gateway.ingest(post.envelope(f"<Told>{told('?')}</Told>"))


def test_a_session_is_opened_once_and_again_when_it_has_ended(post):
    assert post.gateway.check().ok
    assert post.gateway.check().product == "Post 1"
    assert post.logins == 1
    assert post.asked[-1][1]["Token"] == "s1"
    post.sessions = {"s2"}
    assert post.gateway.check().ok
    assert post.logins == 2
    post.sessions = set()
    assert not post.gateway.check().ok
    assert post.logins == 3  # once more, not for ever


def test_a_write_in_an_ended_session_is_sent_again_under_the_same_id(post):
    post.answers["Order"] = (202, "", b"")
    post.gateway.create(DRAFT)
    post.ending = {"Order": {"s2"}}
    post.gateway.create(DRAFT)
    ids = [sent["Message"] for name, sent in post.asked if name == "Order"]
    assert len(ids) == 3
    assert len(set(ids)) == 1


def test_what_post_does_not_tell_is_said_with_its_reason(post):
    with pytest.raises(ErpCannot, match="Not told by post"):
        post.gateway.get(Entity.SALES_ORDER, "1")
