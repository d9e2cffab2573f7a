"""People who post pictures and look at pictures, and a record of what went wrong.

usage: uploaders.py DOMAIN TOKENS RECORD STOP
Each uploads a picture, posts it, opens the timeline and every picture that it shows, and now and then an old link.
"""

import json
import os
import random
import re
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid

domain, tokens, record_path, stop_path = sys.argv[1:5]
record = {"requests": 0, "failures": [], "uploaded": []}
lock = threading.Lock()
context = ssl.create_default_context()


def png(size):
    return bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de") + os.urandom(size)


def ask(method, url, token=None, body=None, kind=None):
    headers = {"Authorization": "Bearer " + token} if token else {}
    headers.update({"Content-Type": kind} if kind else {})
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    with lock:
        record["requests"] += 1
    try:
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            return answer.read()
    except urllib.error.HTTPError as why:
        fail("%s %s: %s" % (method, url, why.code))
    except (urllib.error.URLError, OSError) as why:
        fail("%s %s: %s" % (method, url, why))
    return None


def fail(text):
    with lock:
        record["failures"].append("%s %s" % (time.strftime("%H:%M:%S"), text))
        save()


def save():
    with open(record_path + ".part", "w", encoding="utf-8") as file:
        json.dump(record, file)
    os.replace(record_path + ".part", record_path)


def upload(token):
    border = uuid.uuid4().hex
    head = '--%s\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' % border
    body = head.encode() + png(random.randrange(2000, 30000)) + ("\r\n--%s--\r\n" % border).encode()
    return ask("POST", "https://%s/api/v2/media" % domain, token, body, "multipart/form-data; boundary=" + border)


def person(token):
    while not os.path.exists(stop_path):
        answer = upload(token)
        if answer:
            media = json.loads(answer)
            for url in (media["url"], media["preview_url"]):
                ask("GET", url)
            with lock:
                record["uploaded"].append(media["url"])
            post = json.dumps({"status": "a picture", "media_ids": [media["id"]]}).encode()
            ask("POST", "https://%s/api/v1/statuses" % domain, token, post, "application/json")
        shown = ask("GET", "https://%s/api/v1/timelines/home?limit=5" % domain, token)
        for url in re.findall(r'"(?:url|preview_url|avatar)":"(https://[^"]+/(?:system/|media_attachments|accounts|cache)[^"]+)"', (shown or b"").decode())[:4]:
            ask("GET", url.replace("\\/", "/"))
        if record["uploaded"]:
            ask("GET", random.choice(record["uploaded"]))
        time.sleep(0.5)


threads = [threading.Thread(target=person, args=(token,)) for token in tokens.split(",")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
save()
