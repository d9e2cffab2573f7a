"""The few calls to an S3 store that look and delete: list, head, get, put of one small object, delete. Signed with AWS's version 4.

Bulk is rclone's work. One connection a thread; after an answer of 5xx or 429, or none at all, it asks again for a while.
"""

import datetime
import hashlib
import hmac
import http.client
import random
import ssl
import threading
import time
import xml.etree.ElementTree as xml
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote_plus, urlsplit


class StoreError(Exception):
    """The store said no. `status` 0: it did not answer."""

    def __init__(self, status, code, message):
        super().__init__("%s %s: %s" % (status, code, message) if status else message)
        self.status, self.code = status, code


class Store:
    """A bucket. `settings` has ENDPOINT (https://host, empty: AWS), REGION, BUCKET, PATH_STYLE, ACCESS_KEY, SECRET_KEY.
    One that is overloaded or silent is asked again for `patience` seconds, and twice at least."""

    def __init__(self, settings, patience=15):
        self.patience = patience
        region = settings.get("REGION") or "us-east-1"
        endpoint = urlsplit(settings.get("ENDPOINT") or "https://s3.%s.amazonaws.com" % region)
        path_style = settings.get("PATH_STYLE") == "yes"
        self.host = endpoint.netloc if path_style else "%s.%s" % (settings["BUCKET"], endpoint.netloc)
        self.base = "/" + settings["BUCKET"] if path_style else ""
        self.tls = endpoint.scheme != "http"
        self.region, self.access, self.secret = region, settings["ACCESS_KEY"], settings["SECRET_KEY"]
        self.local = threading.local()
        self.skew = 0.0  # for signatures, once the store has refused one
        self.ahead = 0.0  # the store's clock, against ours

    def list(self, prefix="", after=""):
        """(key, size, etag, when stored) of every object in the order of its bytes; a page at a time, so that memory stays flat. The time is in
        seconds by this host's clock."""
        token = None
        while True:
            query = {"list-type": "2", "max-keys": "1000", "prefix": prefix}
            query.update({"continuation-token": token} if token else {"start-after": after} if after else {})
            tree, decode = self._page(query)
            space = tree.tag.partition("}")[0] + "}" if tree.tag.startswith("{") else ""
            for entry in tree.iter(space + "Contents"):
                stored = moment(entry.findtext(space + "LastModified")) - self.ahead
                etag = (entry.findtext(space + "ETag") or "").strip('"')
                yield decode(entry.findtext(space + "Key")), int(entry.findtext(space + "Size")), etag, stored
            token = tree.findtext(space + "NextContinuationToken")
            if tree.findtext(space + "IsTruncated") != "true" or not token:
                return

    def _page(self, query):
        """A page of the list, and how to read its keys. Stores differ in how they encode keys, so that it is asked for only
        where a key holds what XML can't."""
        try:
            return xml.fromstring(self.call("GET", "", query=query)[2]), str
        except xml.ParseError:
            return xml.fromstring(self.call("GET", "", query={**query, "encoding-type": "url"})[2]), unquote_plus

    def head(self, key):
        """Headers of an object, names in small letters; None where there is none."""
        status, headers, _ = self.call("HEAD", key, also=(404,))
        return None if status == 404 else headers

    def get(self, key):
        return self.call("GET", key)[2]

    def put(self, key, body, headers=None):
        self.call("PUT", key, body=body, headers=headers)

    def delete(self, key):
        self.call("DELETE", key, also=(404,))

    def call(self, method, key, query=None, body=b"", headers=None, also=()):
        """(status, headers, body). @raises StoreError"""
        turn, end = 0, time.monotonic() + self.patience
        while True:
            try:
                status, found, text = self._once(method, key, query or {}, body, headers or {})
            except (OSError, http.client.HTTPException) as why:
                error = StoreError(0, "", "%s does not answer: %s" % (self.host, why or type(why).__name__))
            else:
                if "date" in found:
                    self.ahead = parsedate_to_datetime(found["date"]).timestamp() - time.time()
                if 200 <= status < 300 or status in also:
                    return status, found, text
                error = failure(status, text)
                if error.code == "RequestTimeTooSkewed" and turn == 0:
                    self.skew = self.ahead
                    turn += 1
                    continue
                if status < 500 and status != 429:
                    raise error
            if turn > 1 and time.monotonic() > end:
                raise error
            time.sleep(min(8, 0.1 * 2**turn) * (0.5 + random.random()))
            turn += 1

    def _once(self, method, key, query, body, headers):
        path = self.base + "/" + quote(key, safe="/-_.~")
        text = "&".join("%s=%s" % (quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in sorted(query.items()))
        connection = getattr(self.local, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
            more = {"context": ssl.create_default_context()} if self.tls else {}
            connection = self.local.connection = kind(self.host, timeout=30, **more)
        try:
            connection.request(method, path + ("?" + text if text else ""), body, self._signed(method, path, text, body, headers))
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        except BaseException:
            connection.close()
            self.local.connection = None
            raise

    def _signed(self, method, path, query, body, headers):
        moment = datetime.datetime.fromtimestamp(time.time() + self.skew, datetime.timezone.utc)
        stamp, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
        digest = hashlib.sha256(body).hexdigest()
        sent = {**{k.lower(): v for k, v in headers.items()}, "host": self.host, "x-amz-date": stamp, "x-amz-content-sha256": digest}
        names = ";".join(sorted(sent))
        lines = "".join("%s:%s\n" % (k, sent[k].strip()) for k in sorted(sent))
        canonical = "\n".join((method, path, query, lines, names, digest))
        scope = "%s/%s/s3/aws4_request" % (day, self.region)
        to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        key = ("AWS4" + self.secret).encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        sent["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (self.access, scope, names, signature)
        return sent


def moment(text):
    """Seconds of a time like 2026-01-31T12:00:00.000Z; 0 where there is none."""
    text = (text or "1970-01-01T00:00:00").rstrip("Z").partition(".")[0]
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()


def failure(status, text):
    """The store's own words; a HEAD has none."""
    try:
        tree = xml.fromstring(text)
        fields = {child.tag.rpartition("}")[2]: child.text or "" for child in tree}
        return StoreError(status, fields.get("Code", ""), fields.get("Message", ""))
    except xml.ParseError:
        return StoreError(status, {401: "Unauthorized", 403: "AccessDenied", 404: "NotFound"}.get(status, ""), text[:200].decode("utf-8", "replace"))
