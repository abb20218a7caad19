"""Metadata: what a document says about itself, in the Info dictionary and in XMP.

Both say the same (ISO 32000-1, 14.3, and ISO 16684-1). All but the title and the credential's id is
written once for all documents of a page.
"""

from collections.abc import Callable
from datetime import date
from typing import Final, Literal

from testamur.adapters.pdf.syntax import stream, text_string

PRODUCER: Final = "Testamur"

Claim = Literal["pdf/a-2b", "pdf/a-3b", "pdf/ua-1"]
"""A standard that a file says it keeps to."""

_IDENTIFICATIONS: Final = {
    "pdf/a-2b": "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>",
    "pdf/a-3b": "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>",
    "pdf/ua-1": "<pdfuaid:part>1</pdfuaid:part>",
}

#: ISO 19005-2, 6.6.2.3: PDF/A knows the names of XMP's own schemas; all others are described.
_PDF_UA_SCHEMA: Final = (
    "<pdfaExtension:schemas><rdf:Bag>"
    '<rdf:li rdf:parseType="Resource">'
    "<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>"
    "<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>"
    "<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>"
    '<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">'
    "<pdfaProperty:name>part</pdfaProperty:name>"
    "<pdfaProperty:valueType>Integer</pdfaProperty:valueType>"
    "<pdfaProperty:category>internal</pdfaProperty:category>"
    "<pdfaProperty:description>Part of ISO 14289 that the file conforms to"
    "</pdfaProperty:description>"
    "</rdf:li></rdf:Seq></pdfaSchema:property>"
    "</rdf:li></rdf:Bag></pdfaExtension:schemas>"
)

_NAMESPACES: Final = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "pdfaExtension": "http://www.aiim.org/pdfa/ns/extension/",
    "pdfaProperty": "http://www.aiim.org/pdfa/ns/property#",
    "pdfaSchema": "http://www.aiim.org/pdfa/ns/schema#",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "pdfuaid": "http://www.aiim.org/pdfua/ns/id/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}

_BEGIN: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about=""'
)
_END: Final = '</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'


class Description:
    """What the documents of a page say about themselves.

    Args:
        subject: What they are about.
        author: Who issued them.
        created: Their date; midnight UTC is written.
        language: BCP 47 tag.
        claims: The standards that they say they keep to.
    """

    def __init__(
        self,
        *,
        subject: str,
        author: str,
        created: date,
        language: str,
        claims: tuple[Claim, ...],
    ) -> None:
        midnight = text_string(f"D:{created:%Y%m%d}000000Z")
        self._info = b"/Subject%b/Author%b/Producer%b/CreationDate%b/ModDate%b/CredentialId" % (
            *map(text_string, (subject, author, PRODUCER)),
            midnight,
            midnight,
        )
        self._xmp = _packet(subject, author, f"{created:%Y-%m-%d}T00:00:00Z", language, claims)

    def info(self, title: str, credential_id: str) -> bytes:
        """Return the Info dictionary of a document."""
        return b"<</Title%b%b%b>>" % (text_string(title), self._info, text_string(credential_id))

    def xmp(self, title: str, credential_id: str) -> bytes:
        """Return the metadata stream of a document; not compressed, so that any tool finds it."""
        return stream(self._xmp(title, credential_id).encode(), b"/Type/Metadata/Subtype/XML")


def _packet(
    subject: str, author: str, midnight: str, language: str, claims: tuple[Claim, ...]
) -> Callable[[str, str], str]:
    namespaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    before_title = (
        f"{_BEGIN}{namespaces}>"
        f"{''.join(_IDENTIFICATIONS[claim] for claim in claims)}"
        f"{_PDF_UA_SCHEMA if 'pdf/ua-1' in claims else ''}"
        "<dc:format>application/pdf</dc:format>"
        f"<dc:language><rdf:Bag><rdf:li>{_escaped(language)}</rdf:li></rdf:Bag></dc:language>"
        f"<dc:description>{_in_default_language(_escaped(subject))}</dc:description>"
        f"<dc:creator><rdf:Seq><rdf:li>{_escaped(author)}</rdf:li></rdf:Seq></dc:creator>"
        f"<pdf:Producer>{PRODUCER}</pdf:Producer>"
        f"<xmp:CreateDate>{midnight}</xmp:CreateDate><xmp:ModifyDate>{midnight}</xmp:ModifyDate>"
        "<dc:title>"
    )

    def packet(title: str, credential_id: str) -> str:
        return (
            f"{before_title}{_in_default_language(_escaped(title))}</dc:title>"
            f"<dc:identifier>{_escaped(credential_id)}</dc:identifier>{_END}"
        )

    return packet


def _in_default_language(escaped: str) -> str:
    return f'<rdf:Alt><rdf:li xml:lang="x-default">{escaped}</rdf:li></rdf:Alt>'


def _escaped(text: str) -> str:
    # XML 1.0, 2.11: a bare carriage return is read as a line feed.
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    )
