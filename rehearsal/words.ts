/** What a run of the engine said, for people. */

/** Why a run failed: the engine's diagnostics, without the plan that stands among them. */
export function why(output: string): string {
  const [, diagnostics = output] = output.split("\nDiagnostics:\n");
  const parts = diagnostics
    .split(/\n\s*\n/)
    .filter((part) => /error: /.test(part) && !/error: update failed/.test(part));
  return parts.length ? parts.join("\n") : output;
}

/** What a run said was wrong, on one line: the words of a step, or else the engine's error with its list of reasons. */
export function lastWords(output: string): string {
  const lines = why(output)
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const step = lines.filter((line) => line.startsWith("trunkline: ")).at(-1);
  const error = lines.findIndex((line) => line.startsWith("error: "));
  if (step || error < 0) return step ?? lines.at(-1) ?? "";
  const after = lines.slice(error + 1);
  const end = after.findIndex((line) => !line.startsWith("- "));
  return [lines[error]?.replace("error: ", ""), ...after.slice(0, end < 0 ? undefined : end)].join(" ");
}
