export { htmlReport } from "./html";
export { Live, Meter } from "./live";
export type * from "./model";
export { terminalReport } from "./terminal";
