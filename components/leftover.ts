import * as pulumi from "@pulumi/pulumi";

export interface LeftoverArgs {
  /** Type and name of the resource in the stack. */
  type: string;
  name: string;
  /** What `pulumi import` knows it by. */
  id: string;
  parent: pulumi.Resource;
  /** What the vendor says when the account has it already. */
  owned: RegExp;
}

/**
 * For what a run made that was killed before the stack knew of it: the next one can't make it again, and its failure
 * tells the command that brings it into the stack.
 */
export function leftover({ type, name, id, parent, owned }: LeftoverArgs): pulumi.ErrorHook {
  return new pulumi.ErrorHook(`leftover-${name}`, async ({ failedOperation, errors }) => {
    if (failedOperation !== "create" || !owned.test(errors[0] ?? "")) return false;
    const urn = await new Promise<string>((resolve) => parent.urn.apply(resolve));
    const command = `pulumi import ${type} ${name} '${id}' --parent 'parent=${urn}' --generate-code=false --yes`;
    await pulumi.log.error(
      `your account has it already, and this stack does not know it. If a run of yours made it, and nothing else uses it, ` +
        `bring it into the stack, then run \`pulumi up\` again:\n${command}`,
    );
    return false;
  });
}
