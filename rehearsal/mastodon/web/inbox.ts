import { type Account, accountByName, accountByUri, fetchActor } from "../app/actors";
import { enqueue } from "../app/jobs";
import { readSignature, SignatureError, verify } from "../app/signature";
import { Refusal, type Request, type Response, text } from "./http";

/** Takes an activity from another server: who signed it is found out now, what it means by a job. */
export async function receive(r: Request): Promise<Response> {
  const owner = await recipient(r);
  const actor = await signer(r);
  if (actor.suspended_at) return text("", 403);
  await r.db.rows("DELETE FROM unavailable_domains WHERE domain = $1", [actor.domain]);
  await enqueue(
    r.sidekiq,
    "ActivityPub::ProcessingWorker",
    actor.id,
    r.body.toString("utf8"),
    owner?.id ?? null,
    "Account",
  );
  return text("", 202);
}

async function recipient(r: Request): Promise<Account | undefined> {
  const [name] = r.params;
  if (!name) return undefined;
  const owner = await accountByName(r.db, name);
  if (!owner) throw new Refusal(404, "Record not found");
  if (owner.suspended_at) throw new Refusal(410, "Gone");
  return owner;
}

async function signer(r: Request): Promise<Account> {
  try {
    const signature = readSignature(r.method, r.headers, r.body);
    const fits = (a?: Account) => a && verify(signature, r.method, r.target, r.headers, a.public_key);
    const uri = signature.keyId.replace(/#.*$/, "");
    const known = await accountByUri(r.db, uri);
    if (known && fits(known)) return known;
    // Not known, or its key has changed since.
    const fetched = await fetchActor(r, uri).catch((e: Error) => {
      throw new SignatureError(`Unable to fetch key JSON at ${uri}: ${e.message}`);
    });
    if (fetched && fits(fetched)) return fetched;
    throw new SignatureError(`Verification failed for ${signature.keyId}`);
  } catch (e) {
    if (e instanceof SignatureError) throw new Refusal(401, e.message);
    throw e;
  }
}
