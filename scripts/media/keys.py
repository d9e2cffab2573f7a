"""Which files must exist, told from the database's rows alone: the path law of Mastodon's attachments.

A key is [cache/]<class>/<attachments>/<id in threes>/<style>/<file name>, below the media folder.
"""

import csv
import os
import subprocess

# Sizes that a site upload has besides the original, by its `var`.
SITE_STYLES = {
    "thumbnail": ("@1x", "@2x"),
    "favicon": ("16", "32", "48"),
    "app_icon": ("36", "48", "57", "60", "72", "76", "96", "114", "120", "144", "152", "167", "180", "192", "256", "384", "512", "1024"),
}  # fmt: skip


class Attachment:
    """One attachment of one table. `remote` is SQL for a row of another server; `extra` is a column that the styles depend on."""

    def __init__(self, table, name, folder, remote="false", extra="''", also=None):
        self.table, self.name, self.folder, self.remote, self.extra, self.also = table, name, folder, remote, extra, also


# Suspension changes the mode of an account's files, and touches no row of theirs.
SUSPENDED = "account_id IN (SELECT id FROM accounts WHERE suspended_at >= {since})"
ATTACHMENTS = (
    Attachment("media_attachments", "file", "media_attachments/files", "coalesce(remote_url, '') <> ''", "type::text", SUSPENDED),
    Attachment("media_attachments", "thumbnail", "media_attachments/thumbnails", "coalesce(remote_url, '') <> ''", also=SUSPENDED),
    Attachment("accounts", "avatar", "accounts/avatars", "domain IS NOT NULL"),
    Attachment("accounts", "header", "accounts/headers", "domain IS NOT NULL"),
    Attachment("custom_emojis", "image", "custom_emojis/images", "domain IS NOT NULL"),
    Attachment("preview_cards", "image", "preview_cards/images", "true"),
    Attachment("site_uploads", "file", "site_uploads/files", extra="var"),
    Attachment("backups", "dump", "backups/dumps"),
    Attachment("imports", "data", "imports/data"),
    Attachment("preview_card_providers", "icon", "preview_card_providers/icons"),
)


def partition(number):
    """An id in threes: nine digits at least, longer ones padded to whole triples."""
    digits = "%09d" % number
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    return "/".join(digits[i : i + 3] for i in range(0, len(digits), 3))


def styles(folder, file, content_type, extra):
    """(style, file name) of every file that a row stands for."""
    png = os.path.splitext(file)[0] + ".png"
    yield "original", file
    if folder == "media_attachments/files":
        if extra in ("1", "2") or content_type == "image/gif":
            yield "small", png
        elif extra == "0":
            yield "small", file
    elif folder in ("accounts/avatars", "accounts/headers") and content_type == "image/gif":
        yield "static", png
    elif folder == "custom_emojis/images":
        yield "static", png
    elif folder == "site_uploads/files":
        for style in SITE_STYLES.get(extra, ()):
            yield style, png


def keys_of(attachment, row):
    number, file, content_type, version, remote, extra = row
    cache = "cache/" if remote == "t" and version and int(version) >= 1 else ""
    for style, name in styles(attachment.folder, file, content_type, extra):
        yield "%s%s/%s/%s/%s" % (cache, attachment.folder, partition(int(number)), style, name)


class Rows:
    """Mastodon's database on this host, read as its superuser; `command` is psql with its options, run in `folder`."""

    def __init__(self, command, folder="/"):
        self.command, self.folder = command, folder
        self.columns = {}
        for table, column in self._copy(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        ):
            self.columns.setdefault(table, set()).add(column)

    def keys(self, since=None):
        """All keys, or those of rows changed since an epoch second. One at a time: memory stays flat."""
        return (key for key, _ in self.sized(since))

    def sized(self, since=None):
        """(key, size) the same way; the size is known of originals only, None for the rest."""
        return self._sized([self._query(attachment, since) for attachment in ATTACHMENTS])

    def posted(self, accounts):
        """Keys of what accounts have posted, of those that an SQL condition is true of: what suspension hides."""
        owned = "account_id IN (SELECT id FROM public.accounts WHERE %s)" % accounts
        return (key for key, _ in self._sized([a.also and self._query(a, and_also=owned) for a in ATTACHMENTS]))

    def _sized(self, queries):
        numbered = ("SELECT %d, %s" % (number, query) for number, query in enumerate(queries) if query)
        for number, *row, size in self._copy(*numbered):
            for key in keys_of(ATTACHMENTS[int(number)], row):
                yield key, int(size) if size and "/original/" in key else None

    def _query(self, attachment, since=None, and_also=None):
        """Columns and rest of a SELECT for the rows of an attachment; None where this release lacks the column."""
        have = self.columns.get(attachment.table, set())
        name = attachment.name
        if name + "_file_name" not in have:
            return None
        version = name + "_storage_schema_version"
        where = "%s_file_name IS NOT NULL" % name
        if since is not None:
            moment = "(to_timestamp(%f) AT TIME ZONE 'UTC')" % since
            times = [c for c in ("created_at", "updated_at", name + "_updated_at", "suspended_at") if c in have]
            changed = ["%s >= %s" % (column, moment) for column in times]
            if attachment.also:
                changed.append(attachment.also.format(since=moment))
            where += " AND (%s)" % " OR ".join(changed)
        if and_also:
            where += " AND " + and_also
        size = name + "_file_size"
        return "id, %s_file_name, %s, %s, %s, %s, %s FROM public.%s WHERE %s" % (
            name, name + "_content_type" if name + "_content_type" in have else "''",
            version if version in have else "NULL", attachment.remote, attachment.extra,
            size if size in have else "NULL", attachment.table, where,
        )  # fmt: skip

    def _copy(self, *queries):
        """The rows of all, one query after the other; one psql, since logging in takes longer than most of them."""
        if not queries:
            return
        commands = [part for query in queries for part in ("-c", "COPY (%s) TO STDOUT (FORMAT csv)" % query)]
        # The admin's limit of time is for people: this is as long as the table, and as what is done with each row.
        command = [*self.command, "-c", "SET statement_timeout = 0", *commands]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, universal_newlines=True, encoding="utf-8", cwd=self.folder)
        yield from csv.reader(process.stdout)
        if process.wait():
            raise RuntimeError("psql ended with status %d" % process.returncode)
