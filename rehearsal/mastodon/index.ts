export { installMastodon, type Installed, type InstallOptions, type Person } from "./install";
export type { Variant } from "./environment";
