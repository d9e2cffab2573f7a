"""Prints the SQL that makes the two roles as they should be. Passwords come on stdin, and leave as SCRAM verifiers only.

usage: roles.py DB_USER   (stdin: password of trunkline_repl, password of trunkline_app, one a line)
"""

import base64
import hashlib
import hmac
import os
import sys

# The role's verifier is replaced only if the password does not fit it, so that a second run changes nothing.
ROLE = """
CREATE TEMP TABLE wanted_{name} AS SELECT rolpassword FROM pg_authid WHERE rolname = '{name}';
SELECT 'CREATE ROLE {name} LOGIN {kind}' WHERE NOT EXISTS (SELECT FROM wanted_{name}) \\gexec
SELECT format('ALTER ROLE {name} LOGIN {kind} PASSWORD %L', '{verifier}') WHERE NOT EXISTS (SELECT FROM wanted_{name}
  WHERE rolpassword = '{verifier}') \\gexec
SELECT 'changed' WHERE NOT EXISTS (SELECT FROM wanted_{name} WHERE rolpassword = '{verifier}');
"""

# The standby takes over settings of the source, some of which only a superuser or this role may read.
REPL = """
SELECT 'GRANT pg_read_all_settings TO trunkline_repl'
  WHERE NOT pg_has_role('trunkline_repl', 'pg_read_all_settings', 'MEMBER') \\gexec
"""

# The app's role acts as the database's user, with that user's own settings, so that owners and rights stay as they are.
APP = """
SELECT format('GRANT %I TO trunkline_app', {user}) WHERE NOT pg_has_role('trunkline_app', {user}, 'MEMBER') \\gexec
SELECT format('ALTER ROLE trunkline_app SET role = %L', {user}) WHERE NOT EXISTS (SELECT FROM pg_db_role_setting s
  JOIN pg_roles r ON r.oid = s.setrole WHERE r.rolname = 'trunkline_app' AND 'role=' || {user} = ANY (s.setconfig)) \\gexec
SELECT format('ALTER ROLE trunkline_app %s SET %I = ', coalesce(format('IN DATABASE %I', d.datname), ''), split_part(c, '=', 1))
    || CASE split_part(c, '=', 1) WHEN 'search_path' THEN substr(c, strpos(c, '=') + 1) -- a list, quoted as it stands
    ELSE quote_literal(substr(c, strpos(c, '=') + 1)) END
  FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase,
  unnest(s.setconfig) AS c WHERE r.rolname = {user} AND split_part(c, '=', 1) <> 'role' \\gexec
"""


def verifier(name, password):
    """As Postgres stores it. The salt comes from the password, so that the same one gives the same verifier."""
    salt = hashlib.sha256(f"trunkline {name} {password}".encode()).digest()[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 4096)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt, stored, server = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256$4096:{salt}${stored}:{server}"


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def main():
    repl, app = sys.stdin.read().split("\n")[:2]
    print("SET client_min_messages = error; SET standard_conforming_strings = on;")
    print(ROLE.format(name="trunkline_repl", kind="REPLICATION", verifier=verifier("trunkline_repl", repl)))
    print(REPL)
    print(ROLE.format(name="trunkline_app", kind="NOREPLICATION", verifier=verifier("trunkline_app", app)))
    print(APP.format(user=literal(os.fsencode(sys.argv[1]).decode())))


main()
