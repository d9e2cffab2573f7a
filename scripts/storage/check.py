"""check.py SETTINGS RESULT: fetches real media through the media host as browsers will, and says what is wrong and most likely why."""

import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import quote

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import objects  # noqa: E402

EACH = 3  # of every class, here and from other servers
# Seconds in which a cache has to forget that something was not there: CDNs keep a 404 for some minutes, unless they are told otherwise.
FORGETS = 300


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def fetch(url, origin):
    """Whatever it answers; status 0 and the reason in the body where it does not."""
    request = urllib.request.Request(url, headers={"Origin": origin, "User-Agent": "Trunkline"})
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as answer:
        return Answer(answer.code, answer.headers, answer.read(2000))
    except (urllib.error.URLError, OSError) as why:
        return Answer(0, {}, str(getattr(why, "reason", why)).encode())


class Check:
    def __init__(self, media):
        self.media, self.wrong = media, []
        self.base = "https://" + media.settings["MEDIA_HOST"]
        self.origin = "https://" + media.settings["WEB_DOMAIN"]
        self.counts = {}
        self.patient_until = None  # from the first answer on that a cache has kept

    def url(self, key):
        return "%s/%s" % (self.base, quote(key, safe="/-_.~"))

    def samples(self):
        """A few keys of each class whose file is here and open to everyone, and one that is not."""
        kinds, private = {}, []
        for key in self.media.rows().keys():
            kind = "/".join(part for part in key.split("/")[:3] if not part.isdigit())
            if len(kinds.setdefault(kind, [])) >= EACH and private:
                continue
            found = self.media.stat(key) if self.media.wanted(key) and objects.storable(key) else None
            if found and found.st_size and self.media.private(key, found):
                private = private or [key]
            elif found and found.st_size and len(kinds[kind]) < EACH:
                kinds[kind].append(key)
        return kinds, private

    def run(self):
        kinds, private = self.samples()
        for kind, some in kinds.items():
            for key in some:
                if not self.one(key):
                    break  # a second of the same kind would say the same
                self.counts[kind] = self.counts.get(kind, 0) + 1
        for key in private:
            answer = fetch(self.url(key), self.origin)
            if answer.status == 200:
                self.say(key, "a private file is open to everyone: the bucket's policy or its ACLs give it away")
        for path in ("/", "/?list-type=2&max-keys=1"):
            if b"<ListBucketResult" in fetch(self.base + path, self.origin).body:
                self.wrong.append("%s%s lists the bucket: everyone could read who has what; take the right to list from the public" % (self.base, path))
                break

    def say(self, key, text):
        self.wrong.append("%s: %s" % (self.url(key), text))

    def one(self, key):
        """Whether a file comes as it should."""
        before = len(self.wrong)
        answer = fetch(self.url(key), self.origin)
        if answer.status in (403, 404) and self.kept(key, answer):
            answer = self.outlast(key, answer)
        with open(self.media.path(key), "rb") as file:
            own = file.read()
        if answer.status != 200:
            self.say(key, "answered %s; %s" % (answer.status or answer.body.decode("utf-8", "replace"), self.reason(key, answer)))
            return False
        if hashlib.sha256(answer.body).digest() != hashlib.sha256(own).digest():
            # It may have been written again just now.
            self.say(key, "other bytes than on the disk: %d instead of %d" % (len(answer.body), len(own)))
        head = self.media.store.head(key) or {}
        kind, stored = answer.headers.get("Content-Type", ""), head.get("content-type", "")
        if not kind or kind.startswith(("application/octet-stream", "binary/")) or (stored and kind.split(";")[0] != stored.split(";")[0]):
            self.say(key, "comes as %s, not as %s" % (kind or "no type at all", stored or "what it is"))
        if "max-age" not in answer.headers.get("Cache-Control", ""):
            self.say(key, "comes without Cache-Control: browsers would ask again for every picture")
        if answer.headers.get("Access-Control-Allow-Origin", "") not in ("*", self.origin):
            self.say(key, "comes without Access-Control-Allow-Origin for %s: the web app could not show it; give the bucket a CORS rule for GET" % self.origin)
        return len(self.wrong) == before

    def kept(self, key, answer):
        """Whether a cache gives an answer from before the object was there: asked anew it is there, or the cache says so, and nothing
        else is wrong."""
        if self.media.store.head(key) is None:
            return False
        if fetch(self.url(key) + "?trunkline=%s" % os.urandom(4).hex(), self.origin).status == 200:
            return True
        said = [answer.headers.get(name, "") for name in ("X-Cache", "X-Cache-Status", "CF-Cache-Status", "CDN-Cache")]
        aged = answer.headers.get("Age", "0") not in ("", "0")
        return (aged or any("HIT" in text.upper() for text in said)) and not self.misled(key)

    def outlast(self, key, answer):
        """Asks again until the cache has forgotten; all files together have one deadline."""
        if self.patient_until is None:
            self.patient_until = time.monotonic() + FORGETS
            print("storage/check: %s has kept a %s from before %s was in the bucket; waiting up to %d s for it to forget" % (
                self.base, answer.status, key, FORGETS), file=sys.stderr, flush=True)  # fmt: skip
        while answer.status in (403, 404) and time.monotonic() < self.patient_until:
            time.sleep(2)
            answer = fetch(self.url(key), self.origin)
        return answer

    def reason(self, key, answer):
        """The most likely cause of a file that does not come, found by asking a little more."""
        settings = self.media.settings
        if answer.status == 0:
            return "the name has to lead to the CDN or this server, with a certificate for it"
        if self.media.store.head(key) is None:
            doubled = self.doubled(key)
            where = "; it lies at %s: the prefix is doubled" % doubled if self.media.store.head(doubled) else ""
            return "the bucket has no such object" + where
        if answer.status in (403, 404) and self.kept(key, answer):
            return "the object is there, but the media host's cache (%s) has kept an answer from before, for more than %d s now; purge that cache, and have it keep no 403 and no 404" % (
                settings["MEDIA_CDN"], FORGETS)  # fmt: skip
        misled = self.misled(key)
        if misled:
            return misled
        return "the store gives it to everyone at %s, the media host does not: see what it asks the store for" % settings["PUBLIC_URL"]

    def doubled(self, key):
        return "%s/%s" % (self.media.settings["BUCKET"], key)

    def misled(self, key):
        """What is wrong with the way from the media host to an object that is there; "" if nothing shows."""
        if fetch(self.url(self.doubled(key)), self.origin).status == 200:
            return "with the bucket's name before it, it is there: the media host must lead to the bucket, not to the store"
        public = self.media.settings["PUBLIC_URL"]
        direct = fetch("%s/%s" % (public, quote(key, safe="/-_.~")), self.origin).status if public else 200
        if direct != 200:
            return "the store itself says %s to everyone: its objects are private (ACL, bucket policy, or a block of public access)" % direct
        return ""


def main(path, result):
    check = Check(objects.Media(path))
    check.run()
    if check.wrong:
        sys.exit("\n".join(check.wrong[:10]))
    with open(result, "w", encoding="utf-8") as file:
        json.dump(check.counts, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
