"""Reports of mail servers about a message that came back (RFC 3464)."""

MESSAGE_ID = "<issued.0198f0a0-0000-7000-8000-000000000001@uni.example>"

REPORT = """\
From: Mail Delivery Subsystem <mailer-daemon@mx.example>
To: certificates@uni.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=b"
Message-ID: <20260601.1@mx.example>

--=b
Content-Type: text/plain; charset=us-ascii

I am sorry: <ada@learners.example> is unknown here.

--=b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ada@learners.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <ada@learners.example> unknown

--=b
Content-Type: {kind}

From: certificates@uni.example
To: ada@learners.example
Subject: =?utf-8?b?QQ==?=
{original}

{body}
--=b--
"""


def report(
    action: str = "failed",
    status: str = "5.1.1",
    kind: str = "message/rfc822",
    original: str = f"Message-ID: {MESSAGE_ID}",
    body: str = "Congratulations!",
) -> bytes:
    """Return a report with a few things as the test states them."""
    filled = REPORT.format(action=action, status=status, kind=kind, original=original, body=body)
    return filled.replace("\n", "\r\n").encode()
