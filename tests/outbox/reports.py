"""Delivery reports as three families of servers write them; TO is the return path, EMAIL whom the mail was for."""

POSTFIX = """\
From MAILER-DAEMON Tue Nov  3 10:00:00 2026
Return-Path: <>
X-Original-To: TO
Delivered-To: TO
Received: by mx.site.example (Postfix) id 4XYZ12; Tue,  3 Nov 2026 10:00:00 +0000 (UTC)
Date: Tue,  3 Nov 2026 10:00:00 +0000 (UTC)
From: MAILER-DAEMON@mx.site.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: TO
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XYZ12.1793700000/mx.site.example"
Content-Transfer-Encoding: 8bit
Message-Id: <20261103100000.4XYZ12@mx.site.example>

This is a MIME-encapsulated message.

--4XYZ12.1793700000/mx.site.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

This is the mail system at host mx.site.example. I'm sorry to have to inform you…

--4XYZ12.1793700000/mx.site.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.site.example
X-Postfix-Queue-ID: 4XYZ12
Arrival-Date: Tue,  3 Nov 2026 09:59:58 +0000 (UTC)

Final-Recipient: rfc822; EMAIL
Original-Recipient: rfc822;EMAIL
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 550 5.1.1 <EMAIL>: Recipient address rejected: User
    unknown in virtual mailbox table

--4XYZ12.1793700000/mx.site.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

Return-Path: <TO>
Subject: Your link
To: EMAIL

http://testserver/signup?token=secret.signature

--4XYZ12.1793700000/mx.site.example--
"""

EXCHANGE = """\
Received: from EX01.corp.example (10.0.0.5) by EX02.corp.example; Tue, 3 Nov 2026 10:00:01 +0000
From: <postmaster@corp.example>
To: <TO>
Date: Tue, 3 Nov 2026 10:00:01 +0000
Content-Type: multipart/report; report-type=delivery-status;
 boundary="b0a1-c2d3-e4f5"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
In-Reply-To: <link_new.0123456789abcdef01234567@testserver>
Subject: Undeliverable: Your link
Auto-Submitted: auto-replied
MIME-Version: 1.0

--b0a1-c2d3-e4f5
Content-Type: multipart/alternative; differences=Content-Type;
 boundary="b0a1-c2d3-e4f5-inner"

--b0a1-c2d3-e4f5-inner
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message couldn't be delivered. grace wasn't found at example.com.
--b0a1-c2d3-e4f5-inner--

--b0a1-c2d3-e4f5
Content-Type: message/delivery-status

Reporting-MTA: dns;EX01.corp.example
Received-From-MTA: dns;mx.site.example
Arrival-Date: Tue, 3 Nov 2026 10:00:00 +0000

Original-Recipient: rfc822;EMAIL
Final-recipient: RFC822;EMAIL
Action: Failed
Status: 5.1.10
Diagnostic-code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: Grace

--b0a1-c2d3-e4f5
Content-Type: message/rfc822

Subject: Your link

--b0a1-c2d3-e4f5--
""".replace("\n", "\r\n")

GMAIL = """\
Delivered-To: TO
Return-Path: <>
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: TO
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
Content-Type: multipart/report; boundary="000000000000abcdef0123456789"; report-type=delivery-status

--000000000000abcdef0123456789
Content-Type: multipart/related; boundary="000000000000aaaa"

--000000000000aaaa
Content-Type: text/html; charset="UTF-8"

<b>Address not found</b>
--000000000000aaaa--
--000000000000abcdef0123456789
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
X-Original-Message-ID: <link_new.0123456789abcdef01234567@testserver>

Final-Recipient: rfc822; EMAIL
Action: failed
Status: 5.4.4
Diagnostic-Code: smtp; DNS Error: DNS type 'mx' lookup of example.com responded with code NXDOMAIN
 Domain name not found: example.com
Last-Attempt-Date: Tue, 03 Nov 2026 02:00:01 -0800 (PST)

--000000000000abcdef0123456789
Content-Type: text/rfc822-headers

Subject: Your link

--000000000000abcdef0123456789--
"""

STYLES = {"postfix": POSTFIX, "exchange": EXCHANGE, "gmail": GMAIL}


def report(to, email, *changes, style=POSTFIX):
    """Returns the bytes of a report on the mail to `email`, sent to its return path `to`.

    `changes` are pairs of a text in the report and its replacement.
    """
    text = style.replace("TO\n", f"{to}\n").replace("TO\r\n", f"{to}\r\n").replace("<TO>", f"<{to}>")
    text = text.replace("EMAIL", email)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.encode("utf-8", "surrogateescape")
