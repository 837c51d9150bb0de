"""Where WSDLs and payload samples lie: in the package, with the administrator, or by a profile.

``bundle:`` is below this package's ``wsdl/``, ``site:`` in the folder of WSDLs that an
administrator has added, ``file:`` beside a profile outside the package. Nothing is ever fetched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.erp.misfit import ProfileError, expected

if TYPE_CHECKING:
    from zeep.wsdl import Document

WSDL_DIR = Path(__file__).resolve().parent / "wsdl"
SOAP_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
ENCODING_XSD = WSDL_DIR / "soap-encoding" / "soap-encoding.xsd"


def resolve(reference: str, *, site: str, folder: str) -> Path:
    """The file or folder that a reference names. Raises ProfileError saying what is missing."""
    scheme, _, rest = reference.partition(":")
    roots = {"bundle": str(WSDL_DIR), "site": site, "file": folder}
    if scheme not in roots or not rest:
        raise ProfileError(
            f"{reference!r} is not a place; write bundle:, site: or file: before the path"
        )
    root = roots[scheme]
    found = (Path(root) / rest).resolve() if root else None
    if found is not None and found.exists() and found.is_relative_to(Path(root).resolve()):
        return found
    if scheme == "site":
        raise ProfileError(
            f"the WSDL {rest} is not stored here; it is the ERP's own: add it once with "
            f"'./crm erp wsdl add FILE-or-URL --as {rest}'"
        )
    near = ""
    if found is not None and found.parent.is_dir():
        near = "; " + expected(found.name, (p.name for p in found.parent.iterdir()))
    raise ProfileError(f"{reference} does not exist{near}")


@lru_cache(maxsize=64)
def document(path: Path) -> Document:
    """The parsed WSDL, once per process."""
    from zeep import Settings
    from zeep.exceptions import Error as ZeepError
    from zeep.wsdl import Document

    from connectors.erp.transport import BundleTransport

    # Not forbid_external: it would refuse the encoding schema, which the transport has in the
    # bundle. The transport is what lets nothing else in.
    settings = Settings(forbid_dtd=True, forbid_entities=True, forbid_external=False)
    transport: Any = BundleTransport(path.parent)  # zeep's hint asks for the class
    try:
        return Document(str(path), transport, settings=settings)
    except (ZeepError, PermissionError, ValueError, OSError) as error:
        raise ProfileError(f"the WSDL {path.name} cannot be read: {error}") from error


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 over the WSDLs and the schemas beside them, to notice a changed contract."""
    total = hashlib.sha256()
    for path in sorted({p for wsdl in paths for p in wsdl.parent.iterdir()}):
        if path.suffix in {".wsdl", ".xsd"}:
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
