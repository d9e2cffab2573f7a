import type * as pulumi from "@pulumi/pulumi";

/** One place in the chain: what belongs there, none or more, and a way to say what comes before it. */
export interface Link {
  readonly resources: pulumi.Resource[];
  follow(before: pulumi.Resource[]): void;
}

/**
 * Puts resources that exist already in an order: each waits for the one before. Pulumi asks for a dependency
 * when a resource is made, but takes a promise for it; so a component makes its steps without knowing the
 * order, and the runbook settles it afterwards, in either direction.
 */
export function chain(links: (Link | undefined)[]): void {
  let before: pulumi.Resource[] = [];
  for (const link of links) {
    if (!link?.resources.length) continue;
    link.follow(before);
    before = link.resources;
  }
}

/** A dependency to be named later: `promise` goes into dependsOn, `settle` names it. */
export function later(): { promise: Promise<pulumi.Resource[]>; settle: (r: pulumi.Resource[]) => void } {
  let settle: (r: pulumi.Resource[]) => void = () => undefined;
  const promise = new Promise<pulumi.Resource[]>((resolve) => (settle = resolve));
  return { promise, settle };
}
