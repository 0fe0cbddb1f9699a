"""The access package: all that is held on a person, in one ZIP file with a page to read and JSON to take elsewhere.

make(request, sources)     gather it; somebody looks at it before it goes
send(package)              by a signed link, which is the answer; it counts when the mail is taken outside
read(token), fetch(...)    whoever holds the link
destroy_old(at)            the key of a package whose link is over is destroyed
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from csp import batches, cells, trail, vault
from csp.access import Refused
from csp.events import Act
from csp.models import BlobKey, DataPackage, DataRequest, DataRequestStep, User
from csp.privacy import held, requests, terms
from csp.privacy.held import Part, Source, Veil

LIFE = dt.timedelta(days=30)  # of a package, from its making or its sending
_signer = Signer(key=settings.LINK_KEY, salt="csp.data-package.1")
Kind, Step = DataRequest.Kind, DataRequestStep.Kind


class NotGood(Exception):
    """This link opens nothing: made up, over, or destroyed."""


# ---------------------------------------------------------------- making


@transaction.atomic
def make(request: DataRequest, sources: Sequence[Source], *, by: User, at: dt.datetime) -> DataPackage:
    """Gather all that is held on the person who asks. Only for whoever is proven to be that person. Raises Refused."""
    row = requests.for_change(request, by, at=at)
    if row.kind not in (Kind.ACCESS, Kind.PORTABILITY):
        raise Refused(_("This request does not ask for a copy of the data."))
    requests.check_proven(row)
    assert row.customer is not None
    with translation.override(requests.language_of(row)):
        veil = Veil(row.customer, [name for source in sources for name in source.others(row.customer)])
        parts = [*held.registered(row.customer, veil), *held.sent_to(row.customer, veil)]
        parts += [part for source in sources for part in source.parts(row.customer, veil)]
        given, looked = held.recipients_of(row.customer, sources), held.looked_at(row.customer, sources, veil)
        content = _zip(row, parts, given, looked, at=at)
    package = DataPackage.objects.create(
        request=row, blob=vault.store(content, at=at), made_at=at, made_by=by,
        counts={part.code: len(part.rows) for part in parts}, digest=hashlib.sha256(content).hexdigest(),
        good_until=at + LIFE,
    )  # fmt: skip
    requests.record_step(row, Step.PACKED, by=by, at=at, facts={"package": package.pk, "parts": len(parts)})
    trail.record(
        Act.PACKAGE_MADE, f"data-package:{package.pk}", by=by, at=at, context=f"customer:{row.customer.pk}",
        facts={"request": row.pk, "digest": package.digest, "counts": package.counts}, evidence=[package],
    )  # fmt: skip
    return package


def _zip(
    request: DataRequest, parts: list[Part], recipients: list[dict[str, str]], looked: list[dict[str, str]], *,
    at: dt.datetime,
) -> bytes:  # fmt: skip
    """The file: index.html to read, data.json and csv/ to take elsewhere, files/ as they were."""
    assert request.customer is not None
    facts = {
        "reference": request.reference,
        "about": {"number": request.customer.pk, "name": request.customer.name},
        "from": request.contract.company,
        "made_at": at.astimezone(dt.UTC).isoformat(timespec="seconds"),
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:

        def put(name: str, content: bytes | str) -> None:
            info = zipfile.ZipInfo(name, date_time=at.astimezone(dt.UTC).timetuple()[:6])
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            file.writestr(info, content)

        names: dict[str, list[str]] = {}
        for part in parts:
            for number, one in enumerate(part.files):
                name = f"files/{part.code}/{number + 1}-{_plain(one.name)}"
                names.setdefault(part.code, []).append(name)
                put(name, one.content)
            if part.rows:
                put(f"csv/{part.code}.csv", _csv(part.rows))
        data = facts | {
            "parts": [
                {"code": p.code, "title": p.title, "records": p.rows, "files": names.get(p.code, [])} for p in parts
            ],
            "recipients": recipients,
            "who_looked": looked,
        }
        put("data.json", json.dumps(data, ensure_ascii=False, indent=1))
        context = facts | {
            "language": translation.get_language(), "request": request, "recipients": recipients, "looked": looked,
            "at": at, "rights": terms.of(request.contract),
            "parts": [(part, names.get(part.code, [])) for part in parts],
        }  # fmt: skip
        put("index.html", render_to_string("privacy/package_file.html", context))
    return target.getvalue()


def _plain(name: str) -> str:
    """A file name that stays in its folder."""
    kept = "".join(letter if letter.isalnum() or letter in "._- " else "_" for letter in name)
    return kept.strip(". ")[-100:] or "file"


def _csv(rows: list[dict[str, str]]) -> str:
    """A table of these; a value that a spreadsheet would take for a formula begins with an apostrophe (csp.cells)."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(columns)
    for row in rows:
        values = (row.get(name, "") for name in columns)
        writer.writerow([cells.harmless(value) for value in values])
    return "\ufeff" + target.getvalue()


def look_at(package: DataPackage, *, by: User, at: dt.datetime) -> bytes:
    """The file, for whoever checks it before it goes: an export like any other (csp.exporting).

    Raises Refused, vault.Unreadable.
    """
    row = DataPackage.objects.select_related("request", "blob__key").get(pk=package.pk)
    terms.check_may_act(by, row.request.contract_id, at=at)
    return vault.read(row.blob)


# ---------------------------------------------------------------- sending, and what the link opens


def token(package: DataPackage) -> str:
    return _signer.sign_object([package.pk, int(package.good_until.timestamp())])


@transaction.atomic
def send(package: DataPackage, *, by: User, at: dt.datetime) -> DataPackage:
    """Send the person the link; the mail, taken by a server outside, is the answer. Raises Refused."""
    request = requests.for_change(DataRequest(pk=package.request_id), by, at=at)
    row = DataPackage.objects.select_for_update(no_key=True).get(pk=package.pk)
    requests.check_proven(request)
    if row.destroyed_at is not None:
        raise Refused(_("This package was destroyed. Make a new one."))
    if not request.address:
        raise Refused(_("No mail address is known. Hand the file over otherwise, and record the answer."))
    if requests.ending(request) is not None:
        raise Refused(_("The answer is on its way already."))
    if row.sent_at is not None:
        row = _again(row, by=by, at=at)
    row.good_until = at + LIFE
    with translation.override(requests.language_of(request)):
        link = f"{settings.SITE_URL}{reverse('data_package', args=[token(row)])}"
        wanted = translation.get_language()
        said = [
            _("Here is a copy of all that we hold on you. This link opens it for thirty days:"),
            f"{link}?lang={wanted}" if wanted in dict(settings.LANGUAGES) else link,
            _("Keep it to yourself: whoever has the link can read it."),
        ]
        row.message = requests.post(request, f"package:{row.pk}", _("The data that we hold on you"), said, at=at)
    row.sent_at = at
    row.save(update_fields=["good_until", "message", "sent_at"])
    words = _("The link is good until %(day)s.") % {"day": row.good_until.date().isoformat()}
    requests.record_step(request, Step.DELIVERED, by=by, at=at, words=words, message=row.message,
                         facts={"package": row.pk})  # fmt: skip
    trail.record(
        Act.PACKAGE_SENT, f"data-package:{row.pk}", by=by, at=at, context=f"customer:{request.customer_id}",
        facts={"request": request.pk, "message": row.message.pk, "good_until": row.good_until, "digest": row.digest},
    )  # fmt: skip
    return row


def _again(row: DataPackage, *, by: User, at: dt.datetime) -> DataPackage:
    """A package whose mail came back is sent as a new one, of the same bytes."""
    content = vault.read(row.blob)
    return DataPackage.objects.create(
        request_id=row.request_id, blob=vault.store(content, at=at), made_at=at, made_by=by, counts=row.counts,
        digest=row.digest, good_until=at + LIFE,
    )  # fmt: skip


def read(token: str, at: dt.datetime) -> DataPackage:
    """The package that a link opens. Changes nothing. Raises NotGood."""
    try:
        number, until = map(int, _signer.unsign_object(token))
    except (BadSignature, ValueError, TypeError):
        raise NotGood from None
    rows = DataPackage.objects.filter(pk=number, destroyed_at__isnull=True, sent_at__isnull=False)
    row = rows.select_related("request__contract", "request__customer", "blob__key").first()
    if row is None or at.timestamp() > until or at > row.good_until:
        raise NotGood
    return row


@transaction.atomic
def fetch(package: DataPackage, *, at: dt.datetime) -> bytes:
    """The bytes, for whoever holds the link; recorded each time. Raises vault.Unreadable."""
    request = requests.lock(DataRequest(pk=package.request_id))
    row = (
        DataPackage.objects.select_for_update(of=("self",), no_key=True).select_related("blob__key").get(pk=package.pk)
    )
    content = vault.read(row.blob)
    by = request.customer or "link"
    if row.fetched_at is None:
        row.fetched_at = at
        row.save(update_fields=["fetched_at"])
        requests.record_step(request, Step.FETCHED, by=by, at=at, facts={"package": row.pk})
    trail.record(
        Act.PACKAGE_FETCHED, f"data-package:{row.pk}", by=by, at=at, context=f"customer:{request.customer_id}",
        facts={"request": request.pk, "digest": row.digest},
    )  # fmt: skip
    return content


def destroy_old(at: dt.datetime, *, limit: int = 100) -> int:
    """Destroy the keys of packages whose time is over: nobody can read them any more. Returns how many."""
    rows = DataPackage.objects.filter(destroyed_at__isnull=True, good_until__lt=at).order_by("good_until", "pk")
    numbers = list(rows.values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_destroy, at=at), limit=limit)


@transaction.atomic(durable=True)
def _destroy(number: int, *, at: dt.datetime) -> int:
    row = DataPackage.objects.select_for_update(skip_locked=True, no_key=True).filter(
        pk=number, destroyed_at__isnull=True, good_until__lt=at
    ).first()  # fmt: skip
    if row is None:
        return 0
    BlobKey.objects.filter(pk=row.blob_id, destroyed_at__isnull=True).update(wrapped=b"", destroyed_at=at)
    row.destroyed_at = at
    row.save(update_fields=["destroyed_at"])
    trail.record(Act.PACKAGE_DESTROYED, f"data-package:{row.pk}", by="privacy", at=at, facts={"digest": row.digest})
    return 1
