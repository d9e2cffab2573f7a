export { brokenOff } from "./broken-off";
export { htmlReport } from "./html";
export { Live, Meter } from "./live";
export type * from "./model";
export { runbook, surveyText } from "./runbook";
export { terminalReport } from "./terminal";
