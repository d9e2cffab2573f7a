"""probe.py SETTINGS: tries with one small object each right that the copy and Mastodon need, and names every one that is lacking."""

import hashlib
import os
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import objects  # noqa: E402
import s3  # noqa: E402

# The wire's own words for what is wrong, in an admin's.
MEANING = {
    "SignatureDoesNotMatch": "the secret key is wrong",
    "InvalidAccessKeyId": "the store does not know the access key",
    "NoSuchBucket": "there is no such bucket (or the endpoint has the bucket's name in it)",
    "RequestTimeTooSkewed": "this host's clock is too far off: timedatectl set-ntp true",
    "AccessControlListNotSupported": "the bucket takes no object ACLs: it needs Object Ownership other than bucket owner enforced, or S3_PERMISSION empty",
}


PREFIX = "trunkline-probe-"


class Probe:
    def __init__(self, media):
        self.media, self.store, self.lacking = media, media.store, []
        self.key = PREFIX + os.urandom(8).hex() + ".txt"
        self.body = b"Trunkline looks whether this key may do what it must.\n"

    def right(self, what, deed):
        """The deed's answer; None where it was refused."""
        try:
            return deed()
        except s3.StoreError as why:
            self.lacking.append("%s: %s%s" % (what, why, " (%s)" % MEANING[why.code] if why.code in MEANING else ""))
            return None

    def run(self):
        acl = self.media.settings["PERMISSION"] if self.media.acls else ""
        headers = {"Content-Type": "text/plain", "Cache-Control": objects.CACHE_CONTROL, **({"x-amz-acl": acl} if acl else {})}
        self.right("put an object" + (" with the ACL " + acl if acl else ""), lambda: self.store.put(self.key, self.body, headers))
        if self.lacking:
            return
        head = self.right("look at an object (HEAD)", lambda: self.store.head(self.key) or {})
        self.compare(head or {})
        got = self.right("get an object", lambda: self.store.get(self.key))
        if got is not None and hashlib.sha256(got).digest() != hashlib.sha256(self.body).digest():
            self.lacking.append("get an object: other bytes than were put")
        if self.media.acls:
            self.right("put an object with the ACL private", lambda: self.store.put(self.key, self.body, {**headers, "x-amz-acl": "private"}))
        listed = self.right("list the bucket", lambda: [k for k, *_ in self.store.list(prefix=PREFIX)])
        if listed is not None and self.key not in listed:
            self.lacking.append("list the bucket: the object that was just put is not in its list")
        # Those that a key without this right has left behind go too.
        for key in listed or [self.key]:
            if self.right("delete an object", lambda key=key: self.store.delete(key) or True) is None:
                break
        self.listing_is_closed()

    def compare(self, head):
        """What Mastodon writes beside the bytes must come back: browsers get it from there."""
        for name, value in (("content-type", "text/plain"), ("cache-control", objects.CACHE_CONTROL)):
            if head and not head.get(name, "").startswith(value):
                self.lacking.append("keep the header %s of an object: %s came back instead of %s" % (name, head.get(name) or "nothing", value))

    def listing_is_closed(self):
        url = self.media.settings["PUBLIC_URL"]
        for query in ("/", "/?list-type=2&max-keys=1") if url else ():
            try:
                with urllib.request.urlopen(url + query, timeout=20) as answer:
                    text = answer.read(4000)
            except (urllib.error.URLError, OSError):
                continue
            if b"ListBucketResult" in text:
                self.lacking.append("keep its list to itself: anyone can list the bucket at %s%s" % (url, query))
                return


def main(path):
    media = objects.Media(path)
    probe = Probe(media)
    probe.run()
    if probe.lacking:
        # A key that may not delete leaves the probe behind; its name says what it is.
        sys.exit("it can't " + "; it can't ".join(probe.lacking))
    ahead = abs(media.store.skew)
    if ahead > 600:
        sys.exit("this host's clock is %d min off the store's: rclone would be refused (timedatectl set-ntp true)" % round(ahead / 60))
    print("put, head, get, list, delete%s" % (" and ACLs" if media.acls else ""))


if __name__ == "__main__":
    main(sys.argv[1])
